//! Answers without what differs between any two servers: uids, versions, times, addresses, generated names.
//!
//! Each such value becomes a token that counts from its first appearance in the sequence, so that two servers agree when
//! they change, keep and repeat values in the same places.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use crate::server::Answer;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static UID: LazyLock<Regex> =
    LazyLock::new(|| pattern("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b10\.\d+\.\d+\.\d+\b"));
static GENERATED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bgen-[a-z0-9]{5}\b"));
static TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"));
static NAMESPACE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bsequence-\d+\b"));
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(ResourceVersion[^()]*\()(\d+)\)|(ResourceVersion[^():]*: )(\d+)"));

/// An entry of a map, which one server names as it names fields.
static ENTRY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[([A-Za-z][-A-Za-z./0-9]*)\]"));

/// Stateful over one sequence with one server.
#[derive(Debug, Default)]
pub struct Normal {
    tokens: HashMap<(&'static str, String), String>,
    counts: HashMap<&'static str, usize>,
    /// Values of refusals get no tokens of their own: one server may say more than the other.
    is_refusal: bool,
}

impl Normal {
    /// The comparable form of an answer.
    pub fn answer(&mut self, answer: &Answer) -> Answer {
        self.is_refusal = answer.code >= 400;
        let mut body = self.value("", &answer.body);
        settle_status(&mut body);
        let mut warnings: Vec<String> = answer.warnings.iter().map(|warning| self.text(warning)).collect();
        warnings.sort();
        Answer {
            code: answer.code,
            body,
            warnings,
        }
    }

    fn value(&mut self, field: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(self.object(fields)),
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.value(field, item)).collect();
                if field == "managedFields" {
                    items.sort_by_key(writer);
                }
                Value::Array(items)
            }
            Value::String(text) => self.string(field, text).into(),
            Value::Number(number) if is_node_port(field, value) => {
                self.token("port", &number.to_string()).into()
            }
            other => other.clone(),
        }
    }

    fn object(&mut self, fields: &Map<String, Value>) -> Map<String, Value> {
        let is_list = fields.get("items").is_some_and(Value::is_array)
            && fields
                .get("kind")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.ends_with("List"));
        let mut normal = Map::new();
        for (name, field) in fields {
            let field = if is_list && name == "metadata" {
                hidden_versions(field)
            } else {
                self.value(name, field)
            };
            normal.insert(self.text(name), field);
        }
        settle_namespace(&mut normal);
        normal
    }

    fn string(&mut self, field: &str, text: &str) -> String {
        match field {
            "resourceVersion" if !text.is_empty() => self.token("version", text),
            _ => self.text(text),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let text = self.replace(&UID, "uid", text);
        let text = self.replace(&ADDRESS, "address", &text);
        let text = self.replace(&GENERATED, "name", &text);
        let text = NAMESPACE.replace_all(&text, "<namespace>");
        let text = VERSION.replace_all(&text, |found: &Captures<'_>| {
            let before = found.get(1).or(found.get(3)).map_or("", |part| part.as_str());
            let after = if found.get(1).is_some() { ")" } else { "" };
            format!("{before}<version>{after}")
        });
        TIME.replace_all(&text, |found: &Captures<'_>| {
            if is_recent(&found[0]) {
                "<now>".to_owned()
            } else {
                found[0].to_owned()
            }
        })
        .into_owned()
    }

    fn replace(&mut self, pattern: &Regex, class: &'static str, text: &str) -> String {
        pattern
            .replace_all(text, |found: &Captures<'_>| self.token(class, &found[0]))
            .into_owned()
    }

    fn token(&mut self, class: &'static str, value: &str) -> String {
        let key = (class, value.to_owned());
        if let Some(token) = self.tokens.get(&key) {
            return token.clone();
        }
        if self.is_refusal {
            return format!("<{class}>");
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        let token = format!("<{class}-{count}>");
        self.tokens.insert(key, token.clone());
        token
    }
}

fn is_node_port(field: &str, value: &Value) -> bool {
    matches!(field, "nodePort" | "healthCheckNodePort") && value.as_u64().is_some_and(|port| port >= 30_000)
}

/// The finalizers of a namespace that is deleted come in the order of a Go map.
fn settle_namespace(fields: &mut Map<String, Value>) {
    let is_namespace = fields
        .get("spec")
        .is_some_and(|spec| spec["finalizers"].is_array());
    let finalizers = fields
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("finalizers"));
    if let Some(finalizers) = finalizers.and_then(Value::as_array_mut).filter(|_| is_namespace) {
        finalizers.sort_by_key(Value::to_string);
    }
}

/// Within the hour: given by a server, not by a request.
fn is_recent(text: &str) -> bool {
    let distance = text
        .parse::<Timestamp>()
        .map(|time| time.duration_since(Timestamp::now()).abs());
    distance.is_ok_and(|distance| distance < SignedDuration::from_hours(1))
}

/// The version of a list is that of the whole server, which does other things as well.
fn hidden_versions(metadata: &Value) -> Value {
    let mut metadata = metadata.clone();
    for name in ["resourceVersion", "continue"] {
        if metadata[name].as_str().is_some_and(|text| !text.is_empty()) {
            metadata[name] = format!("<{name}>").into();
        }
    }
    if metadata["continue"].is_null() {
        metadata.as_object_mut().map(|fields| fields.remove("continue"));
    }
    metadata
}

/// Entries of one second come in the order of their writers; others in that of their times, which do not agree.
fn writer(entry: &Value) -> String {
    let part = |name: &str| entry[name].as_str().unwrap_or_default();
    format!(
        "{}/{}/{}/{}",
        part("operation"),
        part("manager"),
        part("subresource"),
        part("apiVersion")
    )
}

/// Causes come in the order of Go's maps, and so do the parts of their message.
fn settle_status(body: &mut Value) {
    if body["kind"] != "Status" {
        return;
    }
    if body["message"]
        .as_str()
        .is_some_and(|message| message.contains("is invalid: patch: Invalid value:"))
    {
        // The whole object, as text, in the order of one map or another; and why, in the words of one decoder of two.
        body["message"] = "<patch>".into();
        body["details"] = Value::Null;
    }
    if body["message"]
        .as_str()
        .is_some_and(|message| message.contains("field not declared in schema"))
    {
        // What else is wrong is said or not, by the order of a Go map.
        body["message"] = "<undeclared>".into();
    }
    if let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut) {
        for cause in causes.iter_mut() {
            if let Some(message) = cause["message"].as_str() {
                cause["message"] = ordered(message).into();
            }
            if let Some(field) = cause["field"].as_str() {
                cause["field"] = ENTRY.replace_all(field, ".$1").into();
            }
        }
        causes.sort_by_key(Value::to_string);
    }
    if let Some(message) = body["message"].as_str() {
        body["message"] = ENTRY.replace_all(&ordered(message), ".$1").into();
    }
    if let Some(message) = body["message"]
        .as_str()
        .filter(|message| message.starts_with("Apply failed with"))
    {
        // Conflicts come in the order of their times, which do not agree.
        body["message"] = message.replace("conflicts: ", "conflicts:\n").into();
    }
    if let Some(message) = body["message"]
        .as_str()
        .filter(|message| message.contains(['[', ',', '\n']))
    {
        let mut parts: Vec<&str> = message.split(['[', ']', ',', '\n']).map(str::trim).collect();
        parts.sort_unstable();
        body["message"] = parts.join("; ").into();
    }
}

/// A text whose quoted objects have their fields in alphabetical order: Go has them in that of its types.
fn ordered(text: &str) -> String {
    // Said or not, by the way that a value takes inside.
    let text = text.replace("error decoding from json: ", "");
    let mut ordered = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find('{') {
        ordered.push_str(&rest[..start]);
        let mut values = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                ordered.push_str(&value.to_string());
                rest = &rest[start + values.byte_offset()..];
            }
            _ => {
                ordered.push('{');
                rest = &rest[start + 1..];
            }
        }
    }
    ordered + rest
}

/// An object without what only its server can know: as a client would send it to either.
pub fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|name, _| {
            matches!(
                name.as_str(),
                "name" | "labels" | "annotations" | "finalizers" | "ownerReferences"
            )
        });
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    forget(&mut object);
    object
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| {
                let is_owner = name == "ownerReferences";
                let is_given = field
                    .as_str()
                    .is_some_and(|text| UID.is_match(text) || ADDRESS.is_match(text));
                let is_address = matches!(
                    name.as_str(),
                    "clusterIP" | "clusterIPs" | "nodePort" | "ipFamilies" | "ipFamilyPolicy"
                );
                is_owner || !is_given && !is_address
            });
            for (_, field) in fields.iter_mut().filter(|(name, _)| *name != "ownerReferences") {
                forget(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn normal(body: Value) -> Value {
        Normal::default()
            .answer(&Answer {
                code: 200,
                body,
                warnings: Vec::new(),
            })
            .body
    }

    #[test]
    fn values_of_one_server_become_tokens_that_repeat() {
        let uid = "0b6a5cd3-6d6b-4f0e-9e0a-1f6a3b8f9c01";
        assert_eq!(
            normal(json!({"uid": uid, "other": [uid], format!("k:{uid}"): 1, "resourceVersion": "7"})),
            json!({"uid": "<uid-1>", "other": ["<uid-1>"], "k:<uid-1>": 1, "resourceVersion": "<version-1>"})
        );
    }

    #[test]
    fn times_that_a_client_sent_stay() {
        let now = Timestamp::now().to_string();
        assert_eq!(
            normal(json!({"a": now, "b": "2020-01-02T03:04:05Z"})),
            json!({"a": "<now>", "b": "2020-01-02T03:04:05Z"})
        );
    }

    #[test]
    fn quoted_objects_have_no_order() {
        assert_eq!(
            ordered(r#"a: {"b":1,"a":{}}: {x} {"#),
            r#"a: {"a":{},"b":1}: {x} {"#
        );
    }

    #[test]
    fn causes_have_no_order() {
        let status = |causes: Value| normal(json!({"kind": "Status", "details": {"causes": causes}}));
        assert_eq!(
            status(json!([{"a": 1}, {"b": 1}])),
            status(json!([{"b": 1}, {"a": 1}]))
        );
    }
}
