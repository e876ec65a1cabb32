//! The rules of `x-kubernetes-validations`: the part of CEL that rules of common definitions use.
//!
//! Understood are `self` and `oldSelf`, fields (optional ones too: `self.?a.orValue('')`), indexes, literals, lists and
//! maps, `has`, arithmetic, comparison, `in`, `!`, `&&`, `||`, `? :`, the macros `all`, `exists`, `exists_one`, `filter`
//! and `map` of one variable, and the functions of [`Function`]. A rule with anything else in it is not understood, which
//! is said to whoever installs its definition. Types are not checked beforehand: a rule that no server would take fails
//! when it is asked.

mod evaluate;
mod functions;
mod lex;
mod parse;

use serde_json::Value;

pub(crate) use evaluate::Old;
pub(crate) use parse::parse;

use super::pattern::Pattern;

/// A rule, parsed.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Literal(Value),
    /// `self`, `oldSelf`, or the variable of a macro.
    Name(Box<str>),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    Field {
        of: Box<Expression>,
        name: Box<str>,
        is_optional: bool,
    },
    Index(Box<Expression>, Box<Expression>),
    /// Whether a field is there.
    Has(Box<Expression>, Box<str>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Choice(Box<[Expression; 3]>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    In(Box<Expression>, Box<Expression>),
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>),
    Each(Box<Each>),
    /// The same as a call, with a pattern that is known beforehand.
    Matches(Box<Expression>, Pattern),
    Call(Function, Vec<Expression>),
}

/// A macro: what is asked of each item of a list, or of each key of a map.
#[derive(Debug, Clone)]
pub(crate) struct Each {
    over: Expression,
    variable: Box<str>,
    asks: Quantifier,
    of_item: Expression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

/// What is called with arguments; of a method, what it is called on is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Join,
    Substring,
    Replace,
    IndexOf,
    IsIp,
    Duration,
    Int,
    Text,
    OrValue,
    HasValue,
    Value,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::Deserialize as _;
    use serde_json::json;

    use super::*;

    fn says(rule: &str, object: Value) -> Result<bool, String> {
        parse(rule)
            .expect("a rule of the subset")
            .holds_for(&object, None)
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
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
        let mut rules = Vec::new();
        for folder in ["charts/outhaul-hub/crds", "test-harness/scenarios/crds"] {
            for file in fs::read_dir(format!("{root}/{folder}")).unwrap() {
                let text = fs::read_to_string(file.unwrap().path()).unwrap();
                for document in serde_yaml_ng::Deserializer::from_str(&text) {
                    collect(&Value::deserialize(document).unwrap(), &mut rules);
                }
            }
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

    /// Whatever is parsed must end, and not take the stack with it.
    #[test]
    fn anything_else_is_not_understood() {
        for rule in [
            "self.all(x, y, x > 1)",
            "self.a.reverse()",
            "has(self)",
            "self.size(1, 2)",
            "matches('x')",
            "self.",
            "1 +",
            "1 < 2 ? 3",
            "'open",
            "b'bytes'",
            "self a",
            "",
        ] {
            assert!(parse(rule).is_none(), "{rule}");
        }
        for deep in ["(", "-", "!", "self.a(", "[", "{1:", "a?b:"] {
            assert!(parse(&deep.repeat(10_000)).is_none());
        }
        assert!(parse(&format!("self{}", ".a".repeat(10_000))).is_none());
        assert!(parse(&format!("1{}", "+1".repeat(10_000))).is_none());
    }

    #[test]
    fn words_that_cel_keeps_for_itself_are_fields_too() {
        let object = json!({"namespace": 1, "a.b": 2, "a-b": 3, "a/b": 4, "a__b": 5});
        let rule = "self.__namespace__ == 1 && self.a__dot__b == 2 && self.a__dash__b == 3 && self.a__slash__b == 4 && \
                    self.a__underscores__b == 5";
        assert_eq!(says(rule, object), Ok(true));
    }

    #[test]
    fn signs_bind_as_in_cel() {
        for rule in [
            "1 + 2 * 3 == 7 && 7 % 4 - 1 == 2 && -7 / 2 == -3 && 1.5 + 1.0 == 2.5",
            "false && false || true",
            "!false == true",
            "true ? false ? 1 == 2 : true : false",
            "'a' + 'b' == 'ab' && [1] + [2] == [1, 2] && 2 in [1, 2] && 'a' in {'a': 1}",
            "r'\\d' == '\\\\d' && '\\u0041\\x42\\103' == 'ABC' && \"\"\"a\"b\"\"\" == 'a\"b'",
            "0x10 == 16 && 3u == 3 && 1e3 == 1000.0",
            "duration('1h') == duration('60m') && duration('1.5s') > duration('1499ms')",
            "size('ä') == 1 && 'a,b'.split(',').join('') == 'ab' && 'abc'.substring(1, 2) == 'b'",
            "int('7') == 7 && string(7) == '7' && ' a '.trim() == 'a' && 'aa'.replace('a', 'b') == 'bb' && 'ab'.indexOf('b') == 1",
            "isIP('::1') && !isIP('::ffff:192.0.2.1') && !isIP('a')",
        ] {
            assert_eq!(says(rule, json!({})), Ok(true), "{rule}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error_in_the_words_of_the_server() {
        for (rule, error) in [
            ("[1][1] == 1", "index out of bounds: 1"),
            ("1 / 0 == 1", "division by zero"),
            ("1 % 0 == 1", "modulus by zero"),
            ("9223372036854775807 + 1 > 0", "integer overflow"),
            ("{'a': 1}['b'] == 1", "no such key: b"),
            ("1 < 'a'", "no such overload"),
            ("1", "no such overload"),
            ("[1, 2].exists_one(e, e / 0 == 1)", "division by zero"),
        ] {
            assert_eq!(says(rule, json!({})), Err(error.to_owned()), "{rule}");
        }
        assert_eq!(says("[0, 1].exists(e, 1 / e == 1)", json!({})), Ok(true));
        assert_eq!(says("[0, 1].all(e, 1 / e == 2)", json!({})), Ok(false));
    }

    #[test]
    fn what_was_there_is_compared_with_what_comes() {
        let rule = parse("self.a >= oldSelf.a").unwrap();
        assert!(rule.uses_old());
        assert_eq!(
            rule.holds_for(&json!({"a": 1}), Some(Old::Is(&json!({"a": 2})))),
            Ok(false)
        );
        let rule = parse("!oldSelf.hasValue() || self == oldSelf.value()").unwrap();
        assert_eq!(rule.holds_for(&json!(1), Some(Old::Maybe(None))), Ok(true));
        assert_eq!(
            rule.holds_for(&json!(1), Some(Old::Maybe(Some(&json!(2))))),
            Ok(false)
        );
        assert!(!parse("self.all(oldSelf, true)").unwrap().uses_old());
    }
}
