//! Label and field selectors, as queries write them and as objects hold them.

mod parse;

use std::fmt::{self, Display, Formatter};

use serde_json::{Value, json};

use crate::meta;
use crate::refusal::Refusal;
use crate::rules::names::complaint_of_segment;

/// A conjunction of requirements on labels; the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Equals(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Greater(String, i64),
    Less(String, i64),
}

impl LabelSelector {
    /// Parses the form that queries use: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    ///
    /// # Errors
    /// When a part is none of these.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        parse::requirements(text).map(Self).map_err(Refusal::bad_request)
    }

    /// What a spec selects: by plain labels, as Services and ReplicationControllers do, or by a `metav1.LabelSelector`.
    pub(crate) fn from_spec(selector: &Value) -> Self {
        match selector.as_object() {
            Some(labels) if labels.values().all(Value::is_string) => {
                Self::from_object(&json!({ "matchLabels": labels }))
            }
            _ => Self::from_object(selector),
        }
    }

    /// The `metav1.LabelSelector` of a spec.
    pub fn from_object(selector: &Value) -> Self {
        let mut all = Vec::new();
        for (key, value) in selector
            .get("matchLabels")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let value = value.as_str().unwrap_or_default().to_owned();
            all.push(Requirement::Equals(key.clone(), value));
        }
        for expression in selector
            .get("matchExpressions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            all.extend(parse_expression(expression));
        }
        Self(all)
    }

    /// Whether it asks for anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object's labels satisfy it.
    pub fn matches(&self, object: &Value) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let labels = meta::metadata(object).and_then(|m| m.get("labels"));
        self.matches_labels(labels.unwrap_or(&Value::Null))
    }

    /// Whether a map of labels satisfies it.
    pub fn matches_labels(&self, labels: &Value) -> bool {
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        let number = |key: &str| label(key)?.parse::<i64>().ok();
        self.0.iter().all(|requirement| match requirement {
            Requirement::Equals(key, value) => label(key) == Some(value),
            Requirement::In(key, values) => label(key).is_some_and(|v| values.iter().any(|w| w == v)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|v| values.iter().all(|w| w != v)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
            Requirement::Greater(key, bound) => number(key).is_some_and(|n| n > *bound),
            Requirement::Less(key, bound) => number(key).is_some_and(|n| n < *bound),
        })
    }
}

/// As queries write it, ordered by label: so scales and tables show what an object selects.
impl Display for LabelSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut requirements: Vec<&Requirement> = self.0.iter().collect();
        requirements.sort_by_key(|requirement| requirement.label());
        let texts: Vec<String> = requirements.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(","))
    }
}

impl Requirement {
    fn label(&self) -> &str {
        match self {
            Self::Equals(key, _)
            | Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Exists(key)
            | Self::Absent(key)
            | Self::Greater(key, _)
            | Self::Less(key, _) => key,
        }
    }
}

impl Display for Requirement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |values: &[String]| {
            let mut values = values.to_vec();
            values.sort_unstable();
            values.join(",")
        };
        match self {
            Self::Equals(key, value) => write!(f, "{key}={value}"),
            Self::In(key, values) => write!(f, "{key} in ({})", list(values)),
            Self::NotIn(key, values) => write!(f, "{key} notin ({})", list(values)),
            Self::Exists(key) => f.write_str(key),
            Self::Absent(key) => write!(f, "!{key}"),
            Self::Greater(key, bound) => write!(f, "{key}>{bound}"),
            Self::Less(key, bound) => write!(f, "{key}<{bound}"),
        }
    }
}

fn parse_expression(expression: &Value) -> Option<Requirement> {
    let key = expression.get("key")?.as_str()?.to_owned();
    let values = expression.get("values").and_then(Value::as_array);
    let values = values
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    match expression.get("operator")?.as_str()? {
        "In" => Some(Requirement::In(key, values)),
        "NotIn" => Some(Requirement::NotIn(key, values)),
        "Exists" => Some(Requirement::Exists(key)),
        "DoesNotExist" => Some(Requirement::Absent(key)),
        _ => None,
    }
}

/// A conjunction of requirements on fields of the object; the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<FieldRequirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRequirement {
    path: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Parses `metadata.name=a,status.phase!=Running`.
    ///
    /// # Errors
    /// When a part has no operator.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        text.split(',')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
                    (path, value, false)
                } else {
                    let split = part.split_once("==").or_else(|| part.split_once('='));
                    let (path, value) = split.ok_or_else(|| {
                        Refusal::bad_request(format!("invalid selector: '{text}'; can't understand '{part}'"))
                    })?;
                    (path, value, true)
                };
                if value.contains('=') {
                    let rune = u32::from('=');
                    let why = format!("invalid field selector: unescaped character in value: {rune}");
                    return Err(Refusal::bad_request(why));
                }
                Ok(FieldRequirement {
                    path: path.to_owned(),
                    value: value.to_owned(),
                    equal,
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Asks about top-level fields under other names, as (from, to).
    pub fn rename<'a>(&mut self, names: impl Iterator<Item = (&'a str, &'a str)> + Clone) {
        for requirement in &mut self.0 {
            let (head, tail) = requirement
                .path
                .split_once('.')
                .unwrap_or((&requirement.path, ""));
            if let Some((_, to)) = names.clone().find(|(from, _)| *from == head) {
                requirement.path = if tail.is_empty() {
                    to.to_owned()
                } else {
                    format!("{to}.{tail}")
                };
            }
        }
    }

    /// The paths that it asks about.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|requirement| requirement.path.as_str())
    }

    /// The one name that it asks for, if that may be one.
    pub fn exact_name(&self) -> Option<&str> {
        let named = self.0.iter().find(|r| r.equal && r.path == "metadata.name")?;
        complaint_of_segment(&named.value)
            .is_none()
            .then_some(&*named.value)
    }

    /// Asks for this name as well.
    pub fn require_name(&mut self, name: &str) {
        self.0.push(FieldRequirement {
            path: "metadata.name".to_owned(),
            value: name.to_owned(),
            equal: true,
        });
    }

    /// Whether the object satisfies it.
    pub fn matches(&self, object: &Value) -> bool {
        self.0
            .iter()
            .all(|r| (field(object, &r.path) == r.value) == r.equal)
    }
}

/// A field as selectors see it: absent is empty, scalars are text.
fn field(object: &Value, path: &str) -> String {
    match path
        .split('.')
        .try_fold(object, |value, segment| value.get(segment))
    {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_match_as_documented() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        let check = |selector: &str, expected: bool| {
            let parsed = LabelSelector::parse(selector).unwrap();
            assert_eq!(parsed.matches(&object), expected, "{selector}");
        };
        check("", true);
        check("app=web", true);
        check("app==web,tier!=back", true);
        check("app in (web, api),tier", true);
        check("app notin (web)", false);
        check("!app", false);
        check("!other,other!=x", true);
        assert!(LabelSelector::parse("a b c").is_err());
    }

    #[test]
    fn label_selectors_of_objects_are_shown_as_queries() {
        let selector = json!({
            "matchLabels": {"tier": "front", "app": "web"},
            "matchExpressions": [
                {"key": "zone", "operator": "In", "values": ["b", "a"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "new", "operator": "Exists"},
                {"key": "app", "operator": "NotIn", "values": ["api"]},
            ],
        });
        let shown = LabelSelector::from_object(&selector).to_string();
        assert_eq!(shown, "app=web,app notin (api),new,!old,tier=front,zone in (a,b)");
    }

    #[test]
    fn field_selectors_compare_text() {
        let object = json!({"metadata": {"name": "a"}, "spec": {"replicas": 3}});
        assert!(
            FieldSelector::parse("metadata.name=a,spec.replicas=3,spec.nodeName=")
                .unwrap()
                .matches(&object)
        );
        assert!(!FieldSelector::parse("metadata.name!=a").unwrap().matches(&object));
        let mut named = FieldSelector::default();
        named.require_name("b");
        assert!(!named.matches(&object));
    }
}
