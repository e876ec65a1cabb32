//! Names for values that differ from run to run, and answers without such values.

use std::collections::BTreeMap;

use serde_json::Value;

/// Fields that differ from run to run.
const VOLATILE: [&str; 4] = ["uid", "resourceVersion", "continue", "token"];

/// What stands around objects that messages quote.
const QUOTES: [(&str, &str); 2] = [("Invalid value: \"{", "}\": "), ("is missing in '{", "}'")];

/// `$NAME` and what it stands for.
pub(crate) struct Names {
    paths: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
}

impl Names {
    pub(crate) fn new(namespace: &str, paths: &BTreeMap<String, String>) -> Self {
        Self {
            paths: paths.clone(),
            values: BTreeMap::from([("NS".to_owned(), namespace.to_owned())]),
        }
    }

    pub(crate) fn keep(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// A text with its names replaced by what they stand for; the longest names first.
    pub(crate) fn filled(&self, text: &str) -> String {
        [&self.paths, &self.values]
            .into_iter()
            .fold(text.to_owned(), |text, names| {
                names.iter().rev().fold(text, |text, (name, value)| {
                    text.replace(&format!("${name}"), value)
                })
            })
    }

    /// The same for all texts of a value.
    pub(crate) fn filled_in(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (self.filled(key), self.filled_in(value)))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.filled_in(item)).collect(),
            // A long text is data; it has no names in it.
            Value::String(text) if text.len() < 4_096 => self.filled(text).into(),
            other => other.clone(),
        }
    }

    /// Takes out what differs from run to run.
    pub(crate) fn stable(&self, value: Value) -> Value {
        match value {
            Value::Object(fields) => fields
                .into_iter()
                .map(|(key, value)| self.stable_field(key, value))
                .collect(),
            Value::Array(items) => items.into_iter().map(|item| self.stable(item)).collect(),
            Value::String(text) => self.stable_text(&text).into(),
            other => other,
        }
    }

    /// An answer without what differs from run to run.
    pub(crate) fn stable_answer(&self, answer: Value) -> Value {
        let mut answer = self.stable(answer);
        // Several causes are told in any order; they are compared one by one, and sorted.
        let causes = answer.pointer("/details/causes").and_then(Value::as_array);
        if causes.is_some_and(|causes| causes.len() > 1)
            && let Some(message) = answer["message"].as_str()
            && let Some((head, _)) = message.split_once(": [")
        {
            answer["message"] = format!("{head}: [...]").into();
        }
        if answer["kind"] == "APIResourceList" {
            order_resources(&mut answer);
        }
        if answer["kind"] == "APIGroupDiscoveryList" {
            let groups = answer["items"].as_array_mut().into_iter().flatten();
            groups
                .filter_map(|group| group["versions"].as_array_mut())
                .flatten()
                .for_each(order_resources);
        }
        answer
    }

    fn stable_field(&self, key: String, value: Value) -> (String, Value) {
        let is_time = key.ends_with("Timestamp") || key.ends_with("Time") || key == "time";
        let is_made = |text: &str| key != "uid" || is_uuid(text);
        let value = match value {
            Value::String(text)
                if !text.is_empty() && is_made(&text) && (is_time || VOLATILE.contains(&key.as_str())) =>
            {
                format!("<{key}>").into()
            }
            other => self.stable(other),
        };
        (self.stable_text(&key), ordered(&key, value))
    }

    /// Values that steps kept, and the namespace, have their names again; the longest first. Objects that a message
    /// quotes have their times and uids in them, and are left out.
    fn stable_text(&self, text: &str) -> String {
        let mut values: Vec<_> = self
            .values
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        let named = values.into_iter().fold(text.to_owned(), |text, (name, value)| {
            with_word_replaced(&text, value, &format!("${name}"))
        });
        QUOTES.iter().fold(named, |text, (before, after)| {
            without_quoted(&text, before, after)
        })
    }
}

/// Lists whose order depends on when something happened, or on nothing at all.
fn ordered(key: &str, value: Value) -> Value {
    match value {
        Value::Array(mut items) if key.ends_with("managedFields") || key.ends_with("causes") => {
            items.sort_by_cached_key(Value::to_string);
            items.into()
        }
        other => other,
    }
}

/// The definitions of a group are listed in any order; subresources stay behind their resource, as they come.
fn order_resources(list: &mut Value) {
    if let Some(resources) = list["resources"].as_array_mut() {
        resources.sort_by_cached_key(|resource| {
            let named = resource.get("name").or(resource.get("resource"));
            let name = named.and_then(Value::as_str).unwrap_or_default();
            name.split('/').next().unwrap_or_default().to_owned()
        });
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.matches('-').count() == 4
}

fn without_quoted(text: &str, before: &str, after: &str) -> String {
    let Some((head, rest)) = text.split_once(before) else {
        return text.to_owned();
    };
    match rest.split_once(after) {
        Some((_, tail)) => format!("{head}{before}...{after}{}", without_quoted(tail, before, after)),
        None => text.to_owned(),
    }
}

/// Replaces a word wherever it stands for itself: the version `64` is not in `int64`.
fn with_word_replaced(text: &str, word: &str, by: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let is_part = before.ends_with(|c: char| c.is_ascii_alphanumeric())
            || after.starts_with(|c: char| c.is_ascii_alphanumeric());
        replaced.push_str(before);
        replaced.push_str(if is_part { word } else { by });
        rest = after;
    }
    replaced + rest
}
