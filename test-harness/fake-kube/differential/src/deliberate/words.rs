//! Complaints that say the same and do not read the same.

use serde_json::{Map, Value};

/// Fields whose names in Go are not those that are served but for their capitals.
const RENAMED: [(&str, &str); 1] = [("deprecatedserviceaccount", "serviceaccount")];

/// Why two complaints about one field say the same.
pub(super) fn explain(a: &str, b: &str) -> Option<&'static str> {
    if is_followed(a, b) || is_followed(b, a) {
        return Some("other words: the difference to what was there");
    }
    let (problem_a, value_a, rest_a) = quoted(a)?;
    let (problem_b, value_b, rest_b) = quoted(b)?;
    let is_same = (problem_a, rest_a) == (problem_b, rest_b) && plain(&value_a) == plain(&value_b);
    is_same.then_some("other words: what is quoted")
}

/// The real server goes on, in further lines, with a comparison of what it has in Go.
fn is_followed(message: &str, begin: &str) -> bool {
    let rest = message.strip_prefix(begin);
    begin.starts_with("Forbidden: ")
        && begin.ends_with('\n')
        && rest.is_some_and(|rest| rest.starts_with("@@ "))
}

/// A complaint in its parts: what is wrong, the value, and why.
fn quoted(message: &str) -> Option<(&str, Value, &str)> {
    let (problem, rest) = message.split_once(": ")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let value = values.next()?.ok()?;
    Some((problem, value, &rest[values.byte_offset()..]))
}

/// A value without what types in Go add and leave out: capitals, what is zero, the bounds of what one embeds in another.
/// None is what is zero as a whole.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_i64() == Some(0) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        // Items stay in their places.
        Value::Array(items) => Some(items.iter().map(|item| plain(item).unwrap_or_default()).collect()),
        Value::Object(fields) => {
            let plain = plain_fields(fields);
            (!plain.is_empty()).then_some(Value::Object(plain))
        }
        other => Some(other.clone()),
    }
}

fn plain_fields(fields: &Map<String, Value>) -> Map<String, Value> {
    let is_object = fields.contains_key("metadata");
    let mut plain_ones = Map::new();
    for (name, field) in fields {
        match (name.as_str(), field) {
            ("apiVersion" | "kind", _) if is_object => {}
            ("metadata", Value::Object(metadata)) => plain_ones.extend(plain_fields(metadata)),
            _ => {
                let name = name.to_lowercase();
                let renamed = RENAMED.iter().find(|(go, _)| *go == name);
                let name = renamed.map_or(name, |(_, served)| (*served).to_owned());
                plain_ones.extend(plain(field).map(|field| (name, field)));
            }
        }
    }
    plain_ones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_same_in_whatever_type_they_are_shown() {
        let served = r#"Invalid value: {"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"a","resources":{}}]}}: no"#;
        let go = r#"Invalid value: {"Spec":{"Containers":[{"Name":"a","Image":"","TTY":false,"Resources":{"Limits":null}}],"NodeName":""},"labels":{"a":"b"}}: no"#;
        assert!(explain(served, go).is_some());
        assert!(explain(served, &go.replace("\"a\",\"Image", "\"b\",\"Image")).is_none());
        assert!(explain(served, &go.replace(": no", ": yes")).is_none());
        assert!(explain("Required value", "Required value: there is none").is_none());
    }

    #[test]
    fn only_a_difference_may_follow() {
        let short = "Forbidden: it may not\n";
        assert!(explain("Forbidden: it may not\n@@ -1 +1 @@\n-a\n+b", short).is_some());
        assert!(explain("Forbidden: it may not\nnor may that", short).is_none());
    }
}
