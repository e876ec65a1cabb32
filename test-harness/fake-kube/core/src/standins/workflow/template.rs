//! Templates: found by name, and turned into the pods of their steps.

use serde_json::{Map, Value, json};

use super::{COMPLETED_LABEL, NODE_ID, NODE_NAME, OUTPUTS, WITHHELD, WORKFLOW_LABEL, node};
use crate::meta;
use crate::standins::action;

/// What a template does.
pub(super) enum Body<'a> {
    Pod,
    Steps(&'a [Value]),
    Graph(&'a [Value]),
    Unknown,
}

pub(super) fn body(template: &Value) -> Body<'_> {
    if let Some(groups) = template["steps"].as_array() {
        return Body::Steps(groups);
    }
    if let Some(tasks) = template["dag"]["tasks"].as_array() {
        return Body::Graph(tasks);
    }
    if template["container"].is_object() || template["script"].is_object() {
        return Body::Pod;
    }
    Body::Unknown
}

/// The template of a name in a spec.
pub(super) fn named<'a>(spec: &'a Value, name: &str) -> Option<&'a Value> {
    let templates = spec["templates"].as_array()?;
    templates.iter().find(|template| template["name"] == name)
}

/// What a task waits for: `dependencies`, or the names in `depends`.
pub(super) fn dependencies(task: &Value) -> Vec<&str> {
    if let Some(list) = task["dependencies"].as_array() {
        return list.iter().filter_map(Value::as_str).collect();
    }
    let depends = task["depends"].as_str().unwrap_or_default();
    depends
        .split(|c: char| "&|!() ".contains(c))
        .filter_map(|word| word.split('.').next())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The pod that runs a template for a node: containers `init`, `wait` and `main`.
pub(super) fn pod(workflow: &Value, template: &Value, node_name: &str) -> Value {
    let id = node::id(workflow, node_name);
    let suffix = id.rsplit('-').next().unwrap_or_default();
    let name = match id == meta::name(workflow) {
        true => id.clone(),
        false => format!(
            "{}-{}-{suffix}",
            meta::name(workflow),
            template["name"].as_str().unwrap_or_default()
        ),
    };
    let mut labels = json!({WORKFLOW_LABEL: meta::name(workflow), COMPLETED_LABEL: "false"});
    let mut annotations = json!({NODE_NAME: node_name, NODE_ID: id});
    for metadata in [&workflow["spec"]["podMetadata"], &template["metadata"]] {
        extend(&mut labels, &metadata["labels"]);
        extend(&mut annotations, &metadata["annotations"]);
    }
    let mut spec = json!({
        "restartPolicy": "Never", "containers": [helper("wait"), main(template)], "initContainers": [helper("init")],
    });
    if let Some(account) = workflow["spec"]["serviceAccountName"].as_str() {
        spec["serviceAccountName"] = account.into();
    }
    json!({
        "apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {
            "name": name, "namespace": meta::namespace(workflow), "labels": labels, "annotations": annotations,
            "ownerReferences": action::controlled_by(workflow),
        },
    })
}

fn extend(fields: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
}

fn helper(name: &str) -> Value {
    json!({"name": name, "image": "quay.io/argoproj/argoexec:latest"})
}

fn main(template: &Value) -> Value {
    let from = match template["container"].is_object() {
        true => &template["container"],
        false => &template["script"],
    };
    let kept = ["image", "command", "args", "env"];
    let mut fields: Map<String, Value> = kept
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), from.get(*field)?.clone())))
        .collect();
    fields.insert("name".to_owned(), "main".into());
    Value::Object(fields)
}

/// Whether a template puts something out.
pub(super) fn has_outputs(template: &Value) -> bool {
    let parameters = template["outputs"]["parameters"].as_array();
    parameters.is_some_and(|parameters| !parameters.is_empty())
}

/// What a template puts out when it has succeeded, unless it withholds that.
pub(super) fn outputs(workflow: &Value, template: &Value) -> Option<Value> {
    let parameters = template["outputs"]["parameters"].as_array()?;
    let said = || {
        [template, workflow]
            .into_iter()
            .filter_map(|object| object["metadata"]["annotations"][OUTPUTS].as_str())
    };
    if said().next() == Some(WITHHELD) {
        return None;
    }
    let said = said()
        .find_map(|text| serde_json::from_str::<Value>(text).ok())
        .unwrap_or_default();
    let value = |parameter: &Value| {
        let name = parameter["name"].as_str().unwrap_or_default();
        [
            &said[name],
            &parameter["value"],
            &parameter["valueFrom"]["default"],
        ]
        .into_iter()
        .find(|value| value.is_string())
        .cloned()
        .unwrap_or_else(|| format!("{}-{name}", meta::name(workflow)).into())
    };
    let shown = parameters
        .iter()
        .map(|parameter| json!({"name": parameter["name"], "value": value(parameter)}));
    Some(shown.collect())
}
