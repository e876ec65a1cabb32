//! Rules of built-in kinds that the real server has in code and the embedded one has not, and what both say in other words.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{Case, words};
use crate::server::Answer;

/// A rule, by patterns: each must be somewhere in what it is about.
struct Rule {
    name: &'static str,
    kind: Regex,
    field: Regex,
    message: Regex,
}

impl Rule {
    fn new((name, kind, field, message): (&'static str, &str, &str, &str)) -> Self {
        let pattern = |text| Regex::new(text).expect("a valid pattern");
        Self {
            name,
            kind: pattern(kind),
            field: pattern(field),
            message: pattern(message),
        }
    }

    fn covers(&self, kind: &str, cause: &Value) -> bool {
        self.kind.is_match(kind)
            && self.field.is_match(text(cause, "field"))
            && self.message.is_match(text(cause, "message"))
    }
}

/// Rules that the real server has in code and the embedded one has not: a name, the kind, the field, the complaint.
#[rustfmt::skip]
static UNCHECKED: LazyLock<Vec<Rule>> = LazyLock::new(|| [
    ("unchecked: time zones of a CronJob", "^CronJob$", r"^spec\.timeZone$", ""),
].map(Rule::new).into());

/// The name of the rule that the embedded server lacks, if that is all that the two answers differ in.
///
/// What the embedded one complains of, the real one must complain of as well, and of what only the real one complains,
/// each must be in the table. Where the embedded one has nothing to complain of at all, it takes the object, or finds out
/// what comes later: that there is none (404), or another one (409).
pub(super) fn explain(case: &Case<'_>) -> Option<&'static str> {
    let is_later = case.fake.code < 300 || matches!(case.fake.code, 404 | 409);
    if case.is_custom || case.real.code != 422 || !(is_later || case.fake.code == 422) {
        return None;
    }
    let none: &[Value] = &[];
    let (real, fake) = (causes(case.real), if is_later { none } else { causes(case.fake) });
    if real.is_empty() || !is_later && fake.is_empty() {
        return None;
    }
    let kind = case.real.body["details"]["kind"].as_str()?;
    let mut names = Vec::new();
    for cause in fake.iter().filter(|cause| !real.contains(cause)) {
        names.push(name_of_words(cause, real)?);
    }
    for cause in real.iter().filter(|cause| !fake.contains(cause)) {
        names.push(name_of_words(cause, fake).or_else(|| name_of_rule(kind, cause))?);
    }
    names.first().copied()
}

pub(super) fn causes(answer: &Answer) -> &[Value] {
    let causes = answer.body["details"]["causes"].as_array();
    causes.map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn text<'a>(cause: &'a Value, name: &str) -> &'a str {
    cause[name].as_str().unwrap_or_default()
}

/// The other server says the same of the field in other words.
fn name_of_words(cause: &Value, others: &[Value]) -> Option<&'static str> {
    let mut there = others.iter().filter(|other| {
        ["field", "reason"]
            .iter()
            .all(|part| text(other, part) == text(cause, part))
    });
    there.find_map(|other| words::explain(text(cause, "message"), text(other, "message")))
}

fn name_of_rule(kind: &str, cause: &Value) -> Option<&'static str> {
    let rule = UNCHECKED.iter().find(|rule| rule.covers(kind, cause));
    rule.map(|rule| rule.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(kind: &str, field: &str, message: &str) -> Option<&'static str> {
        name_of_rule(kind, &json!({"field": field, "message": message}))
    }

    #[test]
    fn what_the_embedded_server_checks_is_not_excused() {
        for (kind, field, message) in [
            (
                "Pod",
                "spec.containers[0].livenessProbe",
                "Required value: must specify a handler type",
            ),
            (
                "Deployment",
                "status.replicas",
                "Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                "Job",
                "spec.completions",
                "Required value: when completion mode is Indexed",
            ),
            (
                "CronJob",
                "spec.schedule",
                "Invalid value: \"a\": expected exactly 5 fields",
            ),
        ] {
            assert_eq!(name(kind, field, message), None, "{kind} {field}: {message}");
        }
    }

    #[test]
    fn what_it_does_not_check_has_a_name() {
        let zone = name(
            "CronJob",
            "spec.timeZone",
            "Invalid value: \"a\": unknown time zone a",
        );
        assert_eq!(zone, Some("unchecked: time zones of a CronJob"));
    }
}
