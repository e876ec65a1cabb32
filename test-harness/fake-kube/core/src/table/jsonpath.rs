//! As much JSONPath as printer columns use: fields, indexes, `[*]`, and filters that compare one field.

use serde_json::Value;

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    All,
    Filter { path: Vec<String>, equals: String },
}

impl JsonPath {
    /// Parses a path; steps that are not understood select nothing.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text
            .trim()
            .trim_start_matches('{')
            .trim_end_matches('}')
            .trim_start_matches('$');
        while !rest.is_empty() {
            let (step, tail) = match rest.strip_prefix('[') {
                Some(bracket) => bracket_step(bracket),
                None => field_step(rest.trim_start_matches('.')),
            };
            steps.extend(step);
            rest = tail;
        }
        Self(steps)
    }

    /// The first value that the path selects.
    pub fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        select(object, &self.0)
    }
}

fn select<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    match step {
        Step::Field(name) => select(value.get(name)?, rest),
        Step::Index(index) => select(value.get(index)?, rest),
        Step::All => value.as_array()?.iter().find_map(|item| select(item, rest)),
        Step::Filter { path, equals } => value
            .as_array()?
            .iter()
            .filter(|item| field_equals(item, path, equals))
            .find_map(|item| select(item, rest)),
    }
}

fn field_equals(item: &Value, path: &[String], expected: &str) -> bool {
    match path.iter().try_fold(item, |value, name| value.get(name)) {
        Some(Value::String(text)) => text == expected,
        Some(Value::Bool(truth)) => truth.to_string() == expected,
        Some(Value::Number(number)) => number.to_string() == expected,
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => false,
        None => false,
    }
}

/// A field name up to the next dot or bracket; a backslash makes the next character part of it.
fn field_step(text: &str) -> (Option<Step>, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => {
                end = at;
                break;
            }
            other => name.push(other),
        }
    }
    ((!name.is_empty()).then_some(Step::Field(name)), &text[end..])
}

fn bracket_step(text: &str) -> (Option<Step>, &str) {
    let Some(end) = text.find(']') else {
        return (None, "");
    };
    let (inside, tail) = (&text[..end], &text[end + 1..]);
    let step = match inside {
        "*" => Some(Step::All),
        _ => filter(inside)
            .or_else(|| inside.parse().ok().map(Step::Index))
            .or_else(|| Some(Step::Field(unquote(inside)?.to_owned()))),
    };
    (step, tail)
}

/// `?(@.type=="Ready")`
fn filter(inside: &str) -> Option<Step> {
    let condition = inside.strip_prefix("?(")?.strip_suffix(')')?.trim();
    let (path, value) = condition.split_once("==")?;
    let path = path
        .trim()
        .strip_prefix("@.")?
        .split('.')
        .map(str::to_owned)
        .collect();
    let value = value.trim();
    Some(Step::Filter {
        path,
        equals: unquote(value).unwrap_or(value).to_owned(),
    })
}

fn unquote(text: &str) -> Option<&str> {
    let strip = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    strip('"').or_else(|| strip('\''))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn printer_column_paths_select() {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "x"}},
            "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}]},
            "spec": {"hosts": ["one", "two"]},
        });
        let check = |path: &str, expected: Value| {
            assert_eq!(JsonPath::parse(path).first(&object), Some(&expected), "{path}");
        };
        check(".status.conditions[?(@.type==\"Ready\")].status", json!("True"));
        check(".status.conditions[?(@.type=='Ready')].status", json!("True"));
        check(".spec.hosts[1]", json!("two"));
        check(".spec.hosts[*]", json!("one"));
        check(".metadata.labels.a\\.b/c", json!("x"));
        check(".metadata.labels['a.b/c']", json!("x"));
        assert_eq!(JsonPath::parse(".spec.nothing[0]").first(&object), None);
    }
}
