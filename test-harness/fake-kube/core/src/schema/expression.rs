//! The rules of `x-kubernetes-validations`, as far as they only look at fields.
//!
//! Understood are `self` with its fields, optional ones too (`self.?a.?b.orValue('')`, `.hasValue()`), literals and
//! lists of them, `has`, `size`, comparison, `in`, `!`, `&&`, `||` and parentheses. A rule that has anything else in it,
//! `oldSelf` and macros above all, is not understood, and not enforced.

mod evaluate;
mod parse;

use serde_json::Value;

pub(crate) use parse::parse;

/// A rule, parsed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Literal(Value),
    List(Vec<Expression>),
    /// `self` and fields of it.
    Field(Path),
    /// The field, or something else where it is absent.
    OrValue(Path, Box<Expression>),
    /// Whether the field is there; the last step may be absent, and every optional one.
    Has(Path),
    Size(Box<Expression>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    In(Box<Expression>, Box<Expression>),
}

/// Fields from `self` on.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
struct Step {
    name: String,
    is_optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn says(rule: &str, object: Value) -> Result<bool, String> {
        parse(rule).expect("a rule of the subset").holds_for(&object)
    }

    #[test]
    fn fields_are_compared() {
        assert_eq!(
            says("self.a == 1 && self.b != 'x'", json!({"a": 1, "b": "y"})),
            Ok(true)
        );
        assert_eq!(says("self.a < 2.5", json!({"a": 2})), Ok(true));
        assert_eq!(says("self.a >= 'b'", json!({"a": "a"})), Ok(false));
        assert_eq!(
            says(
                "(self.a || self.b) && !self.c",
                json!({"a": false, "b": true, "c": false})
            ),
            Ok(true)
        );
        assert_eq!(says("self in [1, 2]", json!(2)), Ok(true));
        assert_eq!(
            says(
                "size(self.a) == 2 && self.a.size() == 2",
                json!({"a": ["x", "y"]})
            ),
            Ok(true)
        );
    }

    #[test]
    fn an_absent_field_is_an_error_unless_somebody_asks() {
        assert_eq!(says("self.a == 1", json!({})), Err("no such key: a".to_owned()));
        assert_eq!(says("!has(self.a) || self.a == 1", json!({})), Ok(true));
        assert_eq!(says("self.?a.?b.orValue('') == ''", json!({"a": {}})), Ok(true));
        assert_eq!(says("self.?a.?b.hasValue()", json!({"a": {"b": 1}})), Ok(true));
    }

    #[test]
    fn what_decides_wins_over_an_error() {
        assert_eq!(says("self.a == 1 || true", json!({})), Ok(true));
        assert_eq!(says("self.a == 1 && false", json!({})), Ok(false));
        assert_eq!(
            says("self.a == 1 && true", json!({})),
            Err("no such key: a".to_owned())
        );
    }

    /// Rules that are not understood are not enforced, so tests on the embedded API would prove nothing of them.
    #[test]
    fn every_rule_of_our_definitions_is_understood() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../charts/outhaul-hub/crds");
        let mut rules = Vec::new();
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            let definition: Value = serde_yaml_ng::from_str(&text).unwrap();
            collect(&definition, &mut rules);
        }
        assert!(!rules.is_empty());
        for rule in rules {
            assert!(parse(&rule).is_some(), "{rule}");
        }
    }

    fn collect(value: &Value, rules: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let own = fields.get("x-kubernetes-validations").and_then(Value::as_array);
                rules.extend(
                    own.into_iter()
                        .flatten()
                        .filter_map(|own| Some(own["rule"].as_str()?.to_owned())),
                );
                fields.values().for_each(|field| collect(field, rules));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, rules)),
            _ => {}
        }
    }

    #[test]
    fn anything_else_is_not_understood() {
        for rule in [
            "self == oldSelf",
            "self.all(x, x > 1)",
            "self.a.matches('x')",
            "self.",
            "1 +",
            "'open",
            "",
        ] {
            assert_eq!(parse(rule), None, "{rule}");
        }
        assert_eq!(parse(&"(".repeat(10_000)), None);
    }
}
