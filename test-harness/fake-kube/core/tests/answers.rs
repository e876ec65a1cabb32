//! The cases in `tests/cases`, with the answers that a real API server gave to them (see `record.py`).
//!
//! What is tested here is what the schema decides: defaults, pruning, validation, patches, owners. What the server
//! around it does (names, generations, allocated addresses, other rules in code) is taken out of the answers.

#![expect(
    clippy::unwrap_used,
    reason = "a case that is not as it should be fails the test"
)]

use std::fs;
use std::path::Path;

use outhaul_fake_kube_core::apply::{ApplyError, Ignored, Manager, Operation, apply, track_update};
use outhaul_fake_kube_core::patch;
use outhaul_fake_kube_core::schema::{
    Builtins, FieldError, Schema, complete, default, default_applied, prune, undecodable, validate,
};
use serde_json::{Map, Value, json};

#[test]
fn applies_are_answered_as_by_a_real_server() {
    check("apply");
}

#[test]
fn objects_are_answered_as_by_a_real_server() {
    check("objects");
}

#[test]
fn patches_are_answered_as_by_a_real_server() {
    check("patches");
}

/// Plays every case of a file and compares each answer.
fn check(file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let read = |name: String| fs::read_to_string(folder.join(name)).unwrap();
    let document: Value = serde_yaml_ng::from_str(&read(format!("{file}.yaml"))).unwrap();
    let answers: Value = serde_json::from_str(&read(format!("{file}.answers.json"))).unwrap();
    let mut differences = Vec::new();
    for case in document["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let resource = &document["resources"][case["resource"].as_str().unwrap()];
        let expected = answers[name].as_array().unwrap();
        let mut object = Server::new(resource, case);
        for (index, (step, expected)) in case["steps"].as_array().unwrap().iter().zip(expected).enumerate() {
            let answer = comparable(object.answer(&merged_keys(step)), case);
            let expected = comparable(expected.clone(), case);
            if answer != expected {
                differences.push(format!(
                    "{name}, step {index}:\n{}",
                    difference(&expected, &answer)
                ));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} answers differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// One object of a server that is nothing but the engine.
struct Server {
    schema: Schema,
    is_custom: bool,
    is_namespaced: bool,
    stored: Option<Value>,
    clock: jiff::Timestamp,
}

impl Server {
    fn new(resource: &Value, case: &Value) -> Self {
        let first = merged_keys(&case["steps"][0]);
        let body = first.get("create").or(first.get("apply")).unwrap();
        let (group, version) = match body["apiVersion"].as_str().unwrap().split_once('/') {
            Some((group, version)) => (group, version),
            None => ("", "v1"),
        };
        let schema = match resource.get("schema") {
            Some(schema) => Schema::from_crd(&merged_keys(schema)).unwrap(),
            None => Builtins::load()
                .schema(group, version, body["kind"].as_str().unwrap())
                .unwrap()
                .clone(),
        };
        Self {
            schema,
            is_custom: resource.get("schema").is_some(),
            is_namespaced: resource.get("namespaced").is_none(),
            stored: None,
            clock: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn answer(&mut self, step: &Value) -> Value {
        self.clock += std::time::Duration::from_secs(1);
        match self.changed(step) {
            Ok(object) => {
                let status = if self.stored.is_none() { 201 } else { 200 };
                self.stored = Some(object.clone());
                json!({"status": status, "object": object})
            }
            Err(refusal) => refusal,
        }
    }

    fn changed(&self, step: &Value) -> Result<Value, Value> {
        let by = self.manager(step);
        let live = self.stored.as_ref();
        if let Some(config) = step.get("apply") {
            let force = step.get("force").is_some();
            let applied = apply(live, config, &by, force, &self.schema).map_err(refused_apply)?;
            let mut object = applied.object;
            default_applied(&self.schema, &mut object);
            return self.stored_as(object, step);
        }
        let old = live.cloned().unwrap_or_default();
        let mut object = if let Some(object) = step.get("create") {
            object.clone()
        } else if let Some(change) = step.get("merge") {
            patch::merge(&old, change)
        } else if let Some(operations) = step.get("json") {
            patch::json(&old, operations).map_err(refused_patch)?
        } else {
            patch::strategic(&old, &step["strategic"], &self.schema).map_err(refused_patch)?
        };
        if let Some(why) = undecodable(&self.schema, &object) {
            return Err(unreadable(&object, &why));
        }
        prune(&self.schema, &mut object);
        default(&self.schema, &mut object);
        track_update(
            if step.get("create").is_some() { None } else { live },
            &mut object,
            &by,
            &self.schema,
        );
        self.stored_as(object, step)
    }

    fn manager(&self, step: &Value) -> Manager {
        let is_apply = step.get("apply").is_some();
        let subresource = step.get("subresource").and_then(Value::as_str).map(str::to_owned);
        let ignores = match &subresource {
            Some(_) => Ignored::AllButStatus,
            None if self.schema.root().field("status").is_some() => Ignored::Status,
            None => Ignored::Nothing,
        };
        let api_version = |object: &Value| object["apiVersion"].as_str().map(str::to_owned);
        Manager {
            name: step
                .get("by")
                .and_then(Value::as_str)
                .unwrap_or("tester")
                .to_owned(),
            operation: if is_apply {
                Operation::Apply
            } else {
                Operation::Update
            },
            api_version: [step.get("create"), step.get("apply"), self.stored.as_ref()]
                .into_iter()
                .flatten()
                .find_map(api_version)
                .unwrap_or_default(),
            subresource,
            time: Some(self.clock),
            ignores,
        }
    }

    /// The object as it is stored, or why it is not.
    fn stored_as(&self, mut object: Value, step: &Value) -> Result<Value, Value> {
        self.keep_other_half(&mut object, step);
        default_applied(&self.schema, &mut object);
        if self.is_namespaced {
            object["metadata"]["namespace"] = json!("cases");
        }
        if self.stored.is_none() {
            complete(&self.schema, &mut object);
        }
        let errors = validate(&self.schema, &object);
        if errors.is_empty() {
            Ok(object)
        } else {
            Err(invalid(&errors, &object))
        }
    }

    /// What the endpoint does not write is as it was.
    fn keep_other_half(&self, object: &mut Value, step: &Value) {
        if self.schema.root().field("status").is_none() {
            return;
        }
        let managed = object["metadata"]["managedFields"].clone();
        let mut kept = self.stored.clone().unwrap_or_else(|| json!({}));
        if step.get("subresource").is_some() {
            kept["status"] = object["status"].clone();
            kept["metadata"]["managedFields"] = managed;
            *object = kept;
        } else if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
            fields.extend(kept.as_object_mut().unwrap().remove_entry("status"));
        }
        if !self.is_custom && self.stored.is_none() {
            object.as_object_mut().unwrap().remove("status");
        }
    }
}

fn refused_apply(error: ApplyError) -> Value {
    let message = error.to_string();
    match error {
        ApplyError::Conflicts(conflicts) => {
            let causes: Vec<Value> = conflicts
                .0
                .iter()
                .map(|c| json!({"reason": "FieldManagerConflict", "field": c.field, "message": c.message()}))
                .collect();
            json!({"status": 409, "reason": "Conflict", "message": message, "causes": causes})
        }
        ApplyError::BadRequest(_) => refused(400, "BadRequest", &message),
        ApplyError::Mistyped(_) => refused(500, "", &message),
    }
}

fn refused_patch(error: patch::PatchError) -> Value {
    let message = error.to_string();
    match error {
        patch::PatchError::BadRequest(_) => refused(400, "BadRequest", &message),
        patch::PatchError::TooLarge(_) => refused(413, "RequestEntityTooLarge", &message),
        patch::PatchError::Unprocessable => refused(422, "Invalid", &message),
        patch::PatchError::Failed(_) => refused(500, "", &message),
    }
}

/// What the server says to a body that is no object of its kind.
fn unreadable(object: &Value, why: &str) -> Value {
    let kind = object["kind"].as_str().unwrap();
    let version = object["apiVersion"].as_str().unwrap().rsplit('/').next().unwrap();
    refused(
        400,
        "BadRequest",
        &format!("{kind} in version {version:?} cannot be handled as a {kind}: {why}"),
    )
}

fn refused(status: u16, reason: &str, message: &str) -> Value {
    json!({"status": status, "reason": reason, "message": message, "causes": []})
}

fn invalid(errors: &[FieldError], object: &Value) -> Value {
    let api_version = object["apiVersion"].as_str().unwrap();
    let kind = object["kind"].as_str().unwrap();
    let kind = api_version
        .split_once('/')
        .map_or(kind.to_owned(), |(group, _)| format!("{kind}.{group}"));
    let name = object["metadata"]["name"].as_str().unwrap();
    let message = format!("{kind} {name:?} is invalid: {}", FieldError::aggregate(errors));
    let causes: Vec<Value> = errors
        .iter()
        .map(|e| json!({"reason": e.reason(), "field": shown_path(e), "message": e.message()}))
        .collect();
    json!({"status": 422, "reason": "Invalid", "message": message, "causes": causes})
}

fn shown_path(error: &FieldError) -> String {
    if error.path.is_root() {
        "<nil>".to_owned()
    } else {
        error.path.to_string()
    }
}

/// Without what the rest of a server decides, without the order of causes, which is random there, and without times:
/// a recording runs through several seconds, or one.
fn comparable(mut answer: Value, case: &Value) -> Value {
    for pointer in case
        .get("without")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let (parent, name) = pointer.as_str().unwrap().rsplit_once('/').unwrap();
        let parent = answer.pointer_mut(&format!("/object{parent}"));
        parent
            .and_then(Value::as_object_mut)
            .map(|fields| fields.remove(name));
    }
    if let Some(causes) = answer.get_mut("causes").and_then(Value::as_array_mut) {
        causes.sort_by_key(Value::to_string);
        let causes = causes.len();
        if let Some(message) = answer["message"].as_str().filter(|_| causes > 1) {
            let mut parts: Vec<&str> = message
                .split(['[', ']'])
                .flat_map(|part| part.split(", "))
                .collect();
            parts.sort_unstable();
            answer["message"] = json!(parts);
        }
    }
    if let Some(Value::Array(entries)) = answer.pointer_mut("/object/metadata/managedFields") {
        for entry in entries.iter_mut() {
            if entry.get("time").is_some() {
                entry["time"] = json!("T");
            }
        }
        entries.sort_by_key(|entry| [&entry["operation"], &entry["manager"]].map(Value::to_string));
    }
    answer
}

/// YAML's merge keys, which the parser leaves alone.
fn merged_keys(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut merged = Map::new();
            if let Some(base) = fields.get("<<") {
                merged.extend(merged_keys(base).as_object().unwrap().clone());
            }
            let own = fields.iter().filter(|(name, _)| *name != "<<");
            merged.extend(own.map(|(name, field)| (name.clone(), merged_keys(field))));
            Value::Object(merged)
        }
        Value::Array(items) => Value::Array(items.iter().map(merged_keys).collect()),
        scalar => scalar.clone(),
    }
}

/// The paths at which two values differ, a line each.
fn difference(expected: &Value, actual: &Value) -> String {
    let mut lines = Vec::new();
    collect_differences("", Some(expected), Some(actual), &mut lines);
    lines.join("\n")
}

fn collect_differences(
    path: &str,
    expected: Option<&Value>,
    actual: Option<&Value>,
    lines: &mut Vec<String>,
) {
    let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match (expected, actual) {
        (Some(Value::Object(e)), Some(Value::Object(a))) => {
            let names: std::collections::BTreeSet<&String> = e.keys().chain(a.keys()).collect();
            for name in names {
                collect_differences(&format!("{path}/{name}"), e.get(name), a.get(name), lines);
            }
        }
        (Some(Value::Array(e)), Some(Value::Array(a))) => {
            for index in 0..e.len().max(a.len()) {
                collect_differences(&format!("{path}/{index}"), e.get(index), a.get(index), lines);
            }
        }
        (expected, actual) if expected != actual => {
            lines.push(format!(
                "  {path}\n    real: {}\n    ours: {}",
                shown(expected),
                shown(actual)
            ));
        }
        _ => {}
    }
}
