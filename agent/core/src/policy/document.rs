//! The text of a policy, read strictly: a field that is misspelt or empty must not read as one that allows everything.

use core::ops::RangeInclusive;
use core::time::Duration;

use outhaul_protocol_wire::policy::{Confirmations, Mode};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_yaml_ng::Value;

use crate::budget::Limits;

/// What a text says.
#[derive(Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// Organizations whose resources are taken, by their namespaces in the control plane; all where none are named.
    #[serde(default, deserialize_with = "given")]
    pub organizations: Option<Vec<Name>>,
    /// Namespaces of the plane that are managed; all where none are named.
    #[serde(default, deserialize_with = "given")]
    pub namespaces: Option<Vec<Name>>,
    /// Kinds that are managed; all where none are named.
    #[serde(default, deserialize_with = "given")]
    pub kinds: Option<Vec<Kind>>,
    /// How much goes unasked.
    #[serde(default, deserialize_with = "limits")]
    pub budget: Limits,
    /// Where it has to be confirmed that objects may go.
    #[serde(default, deserialize_with = "confirmations")]
    pub confirmations: Confirmations,
    /// Nothing is done.
    #[serde(default)]
    pub pause: bool,
    /// Nothing is changed.
    #[serde(default)]
    pub observe_only: bool,
}

/// A name, or a pattern of names.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Name(pub String);

/// A kind, or a pattern of kinds: as `Kind` in the core group, and as `group/Kind`.
#[derive(Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Kind(pub String);

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it: the field, and what may stand there.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
        match without_value(&value).as_deref() {
            None => {}
            // A template that came out empty is a mistake more often than a wish.
            Some("") => return Err("it is empty: write {} for a policy that allows everything".to_owned()),
            Some(field) => return Err(format!("{field} has no value: say one, or leave the field out")),
        }
        serde_yaml_ng::from_str(text).map_err(|error| error.to_string())
    }

    /// What holds where no text could ever be read: nothing is changed.
    pub(super) fn observing() -> Self {
        Self {
            observe_only: true,
            ..Self::default()
        }
    }

    pub(super) fn mode(&self) -> Mode {
        match (self.pause, self.observe_only) {
            (true, _) => Mode::Pauses,
            (false, true) => Mode::Observes,
            (false, false) => Mode::Acts,
        }
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-*".contains(&byte);
        match !name.is_empty() && name.bytes().all(fits) {
            true => Ok(Self(name)),
            false => Err(format!(
                "{name:?} is no namespace: write lower-case letters, digits and -, and * for any run of them"
            )),
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(kind: String) -> Result<Self, String> {
        let (group, name) = kind.rsplit_once('/').unwrap_or(("*", &kind));
        let in_group =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.*".contains(&byte);
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'*';
        let begins = name.starts_with(|first: char| first.is_ascii_uppercase() || first == '*');
        let fits = !group.is_empty() && group.bytes().all(in_group) && begins && name.bytes().all(in_name);
        match fits {
            true => Ok(Self(kind)),
            false => Err(format!(
                "{kind:?} is no kind: write Kind in the core group and group/Kind in others, like ConfigMap and \
                 apps/Deployment, and * for any run of characters"
            )),
        }
    }
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The field that has no value: `namespaces:` with nothing after it reads as an empty list, and somebody may have meant
/// all.
fn without_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Mapping(fields) => fields.iter().find_map(|(field, value)| {
            let inner = without_value(value)?;
            let field = field.as_str().unwrap_or("?");
            Some(match inner.as_str() {
                "" => field.to_owned(),
                inner => format!("{field}.{inner}"),
            })
        }),
        Value::Sequence(items) => items.iter().find_map(without_value),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Tagged(_) => None,
    }
}

fn confirmations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Confirmations, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Hub,
        Plane,
    }
    Ok(match Word::deserialize(deserializer)? {
        Word::Hub => Confirmations::Hub,
        Word::Plane => Confirmations::Plane,
    })
}

fn limits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Limits, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Budget {
        objects: Option<u64>,
        percent: Option<u64>,
        minutes: Option<u64>,
    }
    let budget = Budget::deserialize(deserializer)?;
    let objects = within("budget.objects", budget.objects, 0..=1_000_000).map_err(D::Error::custom)?;
    let percent = within("budget.percent", budget.percent, 0..=100).map_err(D::Error::custom)?;
    let minutes = within("budget.minutes", budget.minutes, 1..=1_440).map_err(D::Error::custom)?;
    let default = Limits::default();
    Ok(Limits {
        objects: objects.map_or(default.objects, |it| usize::try_from(it).unwrap_or(usize::MAX)),
        percent: percent.unwrap_or(default.percent),
        window: minutes.map_or(default.window, |it| Duration::from_secs(60 * it)),
    })
}

fn within(field: &str, number: Option<u64>, may_be: RangeInclusive<u64>) -> Result<Option<u64>, String> {
    match number.filter(|number| !may_be.contains(number)) {
        None => Ok(number),
        Some(number) => Err(format!(
            "{field} is {number} and may be from {} to {}",
            may_be.start(),
            may_be.end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read() {
        let document = Document::read(
            "\
organizations: [acme, team-*]
namespaces: [shop-*]
kinds: [ConfigMap, apps/*]
budget: {objects: 5, percent: 50, minutes: 60}
confirmations: plane
pause: true
observeOnly: true
",
        )
        .unwrap();
        let expected = Document {
            organizations: Some(vec![Name("acme".into()), Name("team-*".into())]),
            namespaces: Some(vec![Name("shop-*".into())]),
            kinds: Some(vec![Kind("ConfigMap".into()), Kind("apps/*".into())]),
            budget: Limits {
                objects: 5,
                percent: 50,
                window: Duration::from_secs(3600),
            },
            confirmations: Confirmations::Plane,
            pause: true,
            observe_only: true,
        };
        assert_eq!(document, expected);
    }

    #[test]
    fn what_is_left_out_is_as_without_a_policy() {
        assert_eq!(Document::read("{}").unwrap(), Document::default());
        let document = Document::read("budget: {percent: 0}").unwrap();
        let expected = Limits {
            percent: 0,
            ..Limits::default()
        };
        assert_eq!(document.budget, expected);
        assert_eq!(Document::read("kinds: []").unwrap().kinds, Some(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_field_and_what_may_stand_there() {
        let cases = [
            ("", "it is empty: write {}"),
            ("# nothing\n", "it is empty: write {}"),
            (
                "namespace: [shop]",
                "unknown field `namespace`, expected one of `organizations`, `namespaces`, `kinds`, `budget`, \
                 `confirmations`, `pause`, `observeOnly`",
            ),
            (
                "namespaces:",
                "namespaces has no value: say one, or leave the field out",
            ),
            (
                "namespaces: shop",
                "namespaces: invalid type: string \"shop\", expected a sequence",
            ),
            (
                "namespaces: [Shop]",
                "namespaces: \"Shop\" is no namespace: write lower-case letters",
            ),
            (
                "kinds: [ConfigMap, deployments]",
                "kinds: \"deployments\" is no kind: write Kind in",
            ),
            (
                "kinds: [apps/v1/Deployment]",
                "kinds: \"apps/v1/Deployment\" is no kind: write Kind in",
            ),
            (
                "confirmations: both",
                "confirmations: unknown variant `both`, expected `hub` or `plane`",
            ),
            (
                "budget: {percent: 110}",
                "budget.percent is 110 and may be from 0 to 100",
            ),
            (
                "budget: {minutes: 0}",
                "budget.minutes is 0 and may be from 1 to 1440",
            ),
            (
                "budget: {share: 1}",
                "budget: unknown field `share`, expected one of `objects`, `percent`, `minutes`",
            ),
            ("budget:", "budget has no value"),
            ("budget: {minutes: }", "budget.minutes has no value"),
            ("kinds:\n- ConfigMap\n-", "kinds has no value"),
            (
                "pause: yes",
                "pause: invalid type: string \"yes\", expected a boolean",
            ),
            ("pause:", "pause has no value"),
            ("pause: true\npause: false", "duplicate entry with key \"pause\""),
            ("pause: [", "did not find expected node content"),
            ("{}\n---\npause: true", "more than one document"),
        ];
        for (text, expected) in cases {
            let problem = Document::read(text).unwrap_err();
            assert!(problem.contains(expected), "{text:?} says {problem}");
        }
    }
}
