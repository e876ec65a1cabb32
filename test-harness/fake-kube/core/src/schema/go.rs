//! Values as Go prints them: some messages of the API server do.

use serde_json::Value;

/// The type of a decoded value.
pub(crate) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// As Go prints a value with `%v`.
pub(crate) fn go_value(value: &Value) -> String {
    printed(value, |scalar| match scalar {
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    })
}

/// As Go prints a value with `%s`: what is no text is told to be none.
pub(crate) fn go_text(value: &Value) -> String {
    printed(value, |scalar| match scalar {
        Value::Null => "%!s(<nil>)".to_owned(),
        other => format!("%!s({}={other})", go_type(other)),
    })
}

/// Texts as they are, lists and maps with their brackets, and what else there is by `scalar`.
fn printed(value: &Value, scalar: fn(&Value) -> String) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| printed(item, scalar)).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let field = |(name, field): (&String, &Value)| format!("{name}:{}", printed(field, scalar));
            format!("map[{}]", fields.iter().map(field).collect::<Vec<_>>().join(" "))
        }
        other => scalar(other),
    }
}

/// As Go prints a value with `%#v`.
pub(crate) fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => {
            format!(
                "[]interface {{}}{{{}}}",
                items.iter().map(go_syntax).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("{name:?}:{}", go_syntax(field)))
                .collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// The type of a JSON value, as errors of Go's decoder name it.
pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
