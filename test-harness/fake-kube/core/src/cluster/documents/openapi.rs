//! OpenAPI v3, as far as kubectl reads it: which kinds take which query parameters, and the shapes for `explain`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::kind::{GroupResource, Kind, Version};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Builtins;

/// The reduced document of the real server as JSON; parsed when the first client asks for it.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(Builtins::document()).unwrap_or_default());

/// `/openapi/v3`: where the documents of all group versions are.
pub(super) fn index(cluster: &Cluster) -> Value {
    let revision = cluster.registry.revision();
    let mut paths = Map::new();
    for kind in cluster.registry.kinds() {
        for version in kind.versions.iter().filter(|version| version.served) {
            let path = path_of(&kind.id.group, &version.name);
            // Clients keep documents by this hash, also from one test cluster to the next on the same port.
            let url = format!("/openapi/v3/{path}?hash={:x}-{revision}", cluster.birth());
            paths.insert(path, json!({"serverRelativeURL": url}));
        }
    }
    json!({"paths": paths})
}

/// The document of one group version.
pub(super) fn document(cluster: &Cluster, group: &str, version: &str) -> Result<Reply, Refusal> {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for kind in cluster.registry.kinds().filter(|kind| &*kind.id.group == group) {
        let Some(served) = kind.versions.iter().find(|v| v.served && &*v.name == version) else {
            continue;
        };
        paths.insert(
            object_path(kind, served),
            json!({"patch": patch_operation(kind, served)}),
        );
        add_schema(cluster, kind, served, &mut schemas);
    }
    if paths.is_empty() {
        return Err(Refusal::no_such_path());
    }
    Ok(Reply::value(json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": format!("v{}", Builtins::load().version())},
        "paths": paths, "components": {"schemas": schemas},
    })))
}

fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

fn object_path(kind: &Kind, version: &Version) -> String {
    let namespace = if kind.is_namespaced() {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    format!(
        "/{}/{namespace}{}/{{name}}",
        path_of(&kind.id.group, &version.name),
        kind.id.resource
    )
}

fn patch_operation(kind: &Kind, version: &Version) -> Value {
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let parameters = ["dryRun", "fieldManager", "fieldValidation", "force"].map(query);
    json!({
        "parameters": parameters,
        "responses": {},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": gvk(kind, version),
    })
}

fn gvk(kind: &Kind, version: &Version) -> Value {
    json!({"group": &*kind.id.group, "version": &*version.name, "kind": &*kind.name})
}

fn add_schema(cluster: &Cluster, kind: &Kind, version: &Version, schemas: &mut Map<String, Value>) {
    let (name, mut schema) = match &kind.custom {
        Some(_) => (custom_name(kind, version), custom_schema(cluster, kind, version)),
        None => {
            let Some(name) = builtin_name(kind, version) else {
                return;
            };
            (name.to_owned(), definition(name))
        }
    };
    schema["x-kubernetes-group-version-kind"] = json!([gvk(kind, version)]);
    let mut wanted = BTreeSet::new();
    point_into_document(&mut schema, &mut wanted);
    schemas.insert(name, schema);
    while let Some(name) = wanted.pop_first() {
        if schemas.contains_key(&name) {
            continue;
        }
        let mut definition = definition(&name);
        point_into_document(&mut definition, &mut wanted);
        schemas.insert(name, definition);
    }
}

fn definition(name: &str) -> Value {
    DOCUMENT["definitions"]
        .get(name)
        .cloned()
        .unwrap_or_else(|| json!({}))
}

/// The name of the definition of a built-in kind.
fn builtin_name(kind: &Kind, version: &Version) -> Option<&'static str> {
    let kinds = DOCUMENT["kinds"].as_array()?;
    let entry = kinds.iter().find(|entry| {
        entry["group"] == *kind.id.group && entry["version"] == *version.name && entry["kind"] == *kind.name
    })?;
    entry["schema"].as_str()
}

/// Group reversed, version, kind: `com.example.v1.Widget`.
fn custom_name(kind: &Kind, version: &Version) -> String {
    let reversed: Vec<&str> = kind.id.group.rsplit('.').collect();
    format!("{}.{}.{}", reversed.join("."), version.name, kind.name)
}

fn custom_schema(cluster: &Cluster, kind: &Kind, version: &Version) -> Value {
    let definitions = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
    let definition = cluster.find(&definitions, "", &kind.id.to_string());
    let versions = definition.and_then(|d| d.value()["spec"]["versions"].as_array());
    let own = versions
        .into_iter()
        .flatten()
        .find(|v| v["name"] == *version.name);
    let mut schema = own
        .map(|v| v["schema"]["openAPIV3Schema"].clone())
        .unwrap_or_default();
    if !schema.is_object() {
        schema = json!({"type": "object"});
    }
    schema["properties"]["apiVersion"] = json!({"type": "string"});
    schema["properties"]["kind"] = json!({"type": "string"});
    schema["properties"]["metadata"] = json!({"$ref": "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"});
    schema
}

/// Rewrites references by name into references within the document, and notes the names.
fn point_into_document(schema: &mut Value, wanted: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                wanted.insert(reference.clone());
                *reference = format!("#/components/schemas/{reference}");
                // Beside a reference nothing else counts, unless it is wrapped.
                if fields.len() > 1 {
                    let reference = fields.remove("$ref").unwrap_or_default();
                    fields.insert("allOf".to_owned(), json!([{"$ref": reference}]));
                    return;
                }
            }
            fields
                .values_mut()
                .for_each(|value| point_into_document(value, wanted));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| point_into_document(item, wanted)),
        _ => {}
    }
}
