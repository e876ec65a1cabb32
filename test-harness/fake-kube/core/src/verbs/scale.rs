//! The scale subresource: one number of an object, seen as an object of its own.

use serde_json::{Value, json};

use super::{incoming, state};
use crate::apply::{self, Operation};
use crate::cluster::{Cluster, key_of};
use crate::kind::{Scale, Served};
use crate::meta;
use crate::moment::Moment;
use crate::patch;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{PatchKind, Request, Target, Verb};

impl Cluster {
    pub(super) fn scale(
        &mut self,
        served: &Served,
        target: &Target,
        scale: &Scale,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let old = self.existing(served, &key_of(target))?;
        let shown = served.present(old.value());
        let current = view(scale, &shown);
        let wanted = match (request.verb, request.patch) {
            (Verb::Get, _) => return Ok(Reply::value(current)),
            (Verb::Update, _) => request.body.clone(),
            (Verb::Patch, Some(PatchKind::Json)) => patch::json(&current, &request.body)
                .map_err(|error| Refusal::bad_request(error.to_string()))?,
            (Verb::Patch, _) => patch::merge(&current, &request.body),
            (verb, _) => return Err(Refusal::method_not_allowed(&served.kind.id, verb.as_str())),
        };
        check_version(served, &shown, &wanted)?;
        let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
        let mut new = shown.clone().into_owned();
        set(&mut new, &scale.spec_replicas, replicas.into());
        if new == *shown {
            return Ok(Reply::value(current));
        }
        let by = incoming::manager(served, &request.options, Operation::Update, Some("scale"), moment);
        apply::track_update(Some(&shown), &mut new, &by, &served.version().schema);
        incoming::validate(served, Some(&shown), &new)?;
        state::bump_generation(&mut new);
        let stored = self.save(served, new, &request.options, moment)?;
        Ok(Reply::value(view(scale, &served.present(stored.value()))))
    }
}

fn check_version(served: &Served, old: &Value, wanted: &Value) -> Result<(), Refusal> {
    match meta::resource_version(wanted) {
        Some(version) if version != meta::text(old, "resourceVersion") => {
            Err(Refusal::stale(&served.kind.id, meta::name(old)))
        }
        _ => Ok(()),
    }
}

fn view(scale: &Scale, object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = meta::metadata(object).and_then(|m| m.get(field)) {
            metadata[field] = value.clone();
        }
    }
    let number = |path: &[String]| at(object, path).and_then(Value::as_i64).unwrap_or(0);
    let spec = match number(&scale.spec_replicas) {
        0 => json!({}),
        replicas => json!({"replicas": replicas}),
    };
    let mut status = json!({"replicas": number(&scale.status_replicas)});
    if let Some(selector) = scale.selector.as_deref().and_then(|path| at(object, path)) {
        status["selector"] = selector_text(selector).into();
    }
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": spec, "status": status,
    })
}

/// A selector as text: its labels joined by commas.
fn selector_text(selector: &Value) -> String {
    let labels = selector.get("matchLabels").unwrap_or(selector);
    match labels {
        Value::String(text) => text.clone(),
        Value::Object(labels) => {
            let pairs = labels
                .iter()
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
            pairs.collect::<Vec<_>>().join(",")
        }
        _ => String::new(),
    }
}

fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name))
}

fn set(object: &mut Value, path: &[String], value: Value) {
    let slot = path.iter().fold(object, |at, name| &mut at[name.as_str()]);
    *slot = value;
}
