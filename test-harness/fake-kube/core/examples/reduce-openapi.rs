//! Reduces the OpenAPI v3 documents of a real API server to what this crate needs: one table of definitions, without
//! descriptions, and the kinds that are made of them.
//!
//! ```text
//! cargo run -p outhaul-fake-kube-core --example reduce-openapi -- VERSION FOLDER > schemas/kubernetes-1.37.json
//! ```
//!
//! FOLDER holds one file a group version, as `api/openapi-spec/v3` of the Kubernetes repository does
//! (`go mod download -json k8s.io/kubernetes@v1.37.2` prints where the module lies), or as `kubectl get --raw
//! /openapi/v3/apis/apps/v1 > apis__apps__v1_openapi.json` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::{env, fs, io, path::Path, process::ExitCode};

use serde_json::{Map, Value, json};

/// The group versions that the fake server knows. Others would cost size and time to load, and nothing asks for them.
const GROUP_VERSIONS: [&str; 20] = [
    "api__v1",
    "apis__admissionregistration.k8s.io__v1",
    "apis__apiextensions.k8s.io__v1",
    "apis__apiregistration.k8s.io__v1",
    "apis__apps__v1",
    "apis__authentication.k8s.io__v1",
    "apis__authorization.k8s.io__v1",
    "apis__autoscaling__v1",
    "apis__autoscaling__v2",
    "apis__batch__v1",
    "apis__certificates.k8s.io__v1",
    "apis__coordination.k8s.io__v1",
    "apis__discovery.k8s.io__v1",
    "apis__events.k8s.io__v1",
    "apis__networking.k8s.io__v1",
    "apis__node.k8s.io__v1",
    "apis__policy__v1",
    "apis__rbac.authorization.k8s.io__v1",
    "apis__scheduling.k8s.io__v1",
    "apis__storage.k8s.io__v1",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [version, folder] = arguments.as_slice() else {
        return fail("usage: reduce-openapi VERSION FOLDER");
    };
    match reduce(version, Path::new(folder)) {
        Ok(document) => print(&document),
        Err(error) => fail(&error),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the reduced document is what this program is for"
)]
fn print(document: &Value) -> ExitCode {
    println!("{document}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "errors of a command line program")]
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

fn reduce(version: &str, folder: &Path) -> Result<Value, String> {
    let definitions = read_definitions(folder)?;
    let kinds = kinds_of(&definitions);
    let roots = kinds.iter().map(|(_, name)| name.clone()).collect();
    let reduced: Map<String, Value> = reachable(roots, &definitions)
        .into_iter()
        .map(|name| {
            let definition = reduce_definition(&name, &definitions[&name]);
            (name, definition)
        })
        .collect();
    let kinds: Vec<Value> = kinds
        .into_iter()
        .map(|([group, version, kind], name)| json!({"group": group, "version": version, "kind": kind, "schema": name}))
        .collect();
    Ok(json!({"version": version, "kinds": kinds, "definitions": reduced}))
}

fn read_definitions(folder: &Path) -> Result<BTreeMap<String, Value>, String> {
    let mut all = BTreeMap::new();
    for group_version in GROUP_VERSIONS {
        let path = folder.join(format!("{group_version}_openapi.json"));
        let said = |error: io::Error| format!("{}: {error}", path.display());
        let document: Value =
            serde_json::from_reader(fs::File::open(&path).map(io::BufReader::new).map_err(said)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let schemas = schemas.ok_or_else(|| format!("{}: no components/schemas", path.display()))?;
        all.extend(
            schemas
                .iter()
                .map(|(name, schema)| (name.clone(), schema.clone())),
        );
    }
    Ok(all)
}

/// Every kind that is one definition of its own, with its group, version and kind. Options and watch events, which
/// belong to every group, are none of it.
fn kinds_of(definitions: &BTreeMap<String, Value>) -> Vec<([String; 3], String)> {
    let mut kinds = Vec::new();
    for (name, definition) in definitions {
        let Some([one]) = definition["x-kubernetes-group-version-kind"]
            .as_array()
            .map(Vec::as_slice)
        else {
            continue;
        };
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let key = [text("group"), text("version"), text("kind")];
        if !key[2].ends_with("List") && served(&key) {
            kinds.push((key, name.clone()));
        }
    }
    kinds.sort();
    kinds
}

fn served([group, version, _]: &[String; 3]) -> bool {
    let file = if group.is_empty() {
        format!("api__{version}")
    } else {
        format!("apis__{group}__{version}")
    };
    GROUP_VERSIONS.contains(&file.as_str())
}

/// The definitions that `roots` are made of, themselves included.
fn reachable(roots: Vec<String>, definitions: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = roots;
    while let Some(name) = open.pop() {
        if definitions.contains_key(&name) && found.insert(name.clone()) {
            references(&definitions[&name], &mut open);
        }
    }
    found
}

fn references(node: &Value, into: &mut Vec<String>) {
    match node {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(definition_name));
            fields.values().for_each(|field| references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        _ => {}
    }
}

fn definition_name(reference: &str) -> String {
    reference.trim_start_matches("#/components/schemas/").to_owned()
}

fn reduce_definition(name: &str, definition: &Value) -> Value {
    if name.ends_with(".IntOrString") {
        return json!({"x-kubernetes-int-or-string": true});
    }
    if name.ends_with(".Quantity") {
        return json!({"format": "quantity"});
    }
    let mut reduced = reduce_node(definition);
    keep_shown_defaults(&mut reduced, name.ends_with("Status"));
    reduced
}

/// The document says `default` wherever Go shows a zero value. That of a required field only means that nobody gave it,
/// and validation has to notice that; it is kept for a status, whose counters start at zero.
fn keep_shown_defaults(definition: &mut Value, is_status: bool) {
    let required: Vec<Value> = definition["required"].as_array().cloned().unwrap_or_default();
    let Some(properties) = definition.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        let is_zero = [json!(""), json!(0), json!(false)].contains(&property["default"]);
        if is_zero && !is_status && required.contains(&json!(name)) {
            property
                .as_object_mut()
                .and_then(|fields| fields.remove("default"));
        }
    }
}

/// Keys of a node that mean something to the engine.
const KEPT: [&str; 26] = [
    "$ref",
    "type",
    "format",
    "required",
    "default",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "nullable",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-preserve-unknown-fields",
    "multipleOf",
];

fn reduce_node(node: &Value) -> Value {
    let mut reduced = Map::new();
    for key in KEPT {
        if let Some(value) = node.get(key) {
            reduced.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(reference) = reference_of(node) {
        reduced.insert("$ref".to_owned(), json!(definition_name(reference)));
    }
    if let Some(properties) = node["properties"].as_object() {
        let properties: Map<String, Value> = properties
            .iter()
            .map(|(name, property)| (name.clone(), reduce_node(property)))
            .collect();
        reduced.insert("properties".to_owned(), Value::Object(properties));
    }
    for key in ["items", "additionalProperties"] {
        if node[key].is_object() {
            let mut inner = reduce_node(&node[key]);
            // Said of every item that is not a pointer in Go, and never acted on.
            inner.as_object_mut().and_then(|fields| fields.remove("default"));
            reduced.insert(key.to_owned(), inner);
        }
    }
    if takes_anything(&reduced) {
        reduced.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
    }
    Value::Object(reduced)
}

/// `allOf` with one entry is how OpenAPI v3 writes a reference that has siblings.
fn reference_of(node: &Value) -> Option<&str> {
    node.pointer("/allOf/0/$ref")
        .or_else(|| node.get("$ref"))
        .and_then(Value::as_str)
}

/// Arbitrary JSON: raw extensions, the JSON inside of a CustomResourceDefinition.
fn takes_anything(node: &Map<String, Value>) -> bool {
    let has = |key: &str| node.contains_key(key);
    let untyped = !has("type") && !has("$ref") && !has("format");
    let open_object =
        node.get("type") == Some(&json!("object")) && !has("properties") && !has("additionalProperties");
    untyped || open_object
}
