//! The scale subresource: one number of an object, seen as an object of its own.

use serde_json::{Value, json};

use super::state::Part;
use super::{change, incoming, state};
use crate::apply::{self, Operation};
use crate::cluster::{Cluster, key_of};
use crate::kind::{Scale, Served};
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::patch;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{PatchKind, Request, Target, Verb};
use crate::schema::go::json_type;
use crate::schema::{FieldError, FieldPath};
use crate::selector::LabelSelector;

impl Cluster {
    pub(super) fn scale(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let scale = served.version().scale.as_ref();
        let scale = scale.expect("only a kind that scales has this subresource");
        if request.verb == Verb::Get {
            let object = self.fresh(served, target, &request.options)?;
            let shown = served.present(object.value());
            check_presence(served, scale, &shown)?;
            return Ok(Reply::value(view(scale, &shown)));
        }
        let old = self.existing(served, &key_of(target))?;
        let shown = served.present(old.value());
        let current = view(scale, &shown);
        let wanted = match request.verb {
            Verb::Update => request.body.clone(),
            _ => patched(&current, request)?,
        };
        let replicas = check(served, target, &wanted)?;
        check_version(served, &shown, &wanted)?;
        let mut new = shown.clone().into_owned();
        set(&mut new, &scale.spec_replicas, replicas.into());
        if new == *shown {
            return Ok(Reply::value(current));
        }
        let by = incoming::manager(served, &request.options, Operation::Update, Some("scale"), moment);
        if replicas == 0 {
            // A scale leaves a zero out, so nobody sets it.
            unset(&mut new, &scale.spec_replicas);
        }
        // A scale has the owners that its object has for the number; of one without any nobody keeps account.
        if is_owned(&shown, &scale.spec_replicas) {
            apply::track_update(Some(&shown), &mut new, &by, &served.version().schema);
        }
        set(&mut new, &scale.spec_replicas, replicas.into());
        let mut warnings = Vec::new();
        incoming::validate_update(served, &shown, &new, Part::Main, &mut warnings)
            .map_err(|refusal| refusal.warned(&warnings))?;
        state::bump_generation(&mut new);
        let stored = if request.options.dry_run {
            let candidate = self.candidate(served, new, moment)?;
            Object::new(candidate.value().clone(), old.version()).into()
        } else {
            let mut candidate = self.candidate(served, new, moment)?;
            if apply::is_out_of_order(&served.kind, candidate.value()) {
                candidate = candidate.unsettled();
            }
            self.keep(served, candidate)
        };
        Ok(Reply::value(view(scale, &served.present(stored.value()))).with_warnings(warnings))
    }
}

/// The scale as a patch makes it.
fn patched(current: &Value, request: &Request) -> Result<Value, Refusal> {
    let wanted = match request.patch {
        Some(PatchKind::Json) => {
            patch::json(current, &request.body).map_err(|error| change::patch_refusal(&error))?
        }
        _ => patch::merge(current, &request.body),
    };
    let replicas = &wanted["spec"]["replicas"];
    if !replicas.is_null() && !replicas.is_i64() {
        let why = format!(
            "json: cannot unmarshal {} into Go struct field ScaleSpec.spec.replicas of type int32",
            json_type(replicas)
        );
        return Err(Refusal::unreadable_patched(wanted.to_string(), why));
    }
    Ok(wanted)
}

/// A custom object without the number has no scale to show.
fn check_presence(served: &Served, scale: &Scale, object: &Value) -> Result<(), Refusal> {
    if served.kind.custom.is_none() || at(object, &scale.spec_replicas).is_some() {
        return Ok(());
    }
    let path = scale.spec_replicas.join(".");
    Err(Refusal::internal(format!(
        "the spec replicas field {:?} does not exist",
        format!(".{path}")
    )))
}

/// The number that a scale asks for, if it is one of this object.
fn check(served: &Served, target: &Target, wanted: &Value) -> Result<i64, Refusal> {
    incoming::check_name(target, wanted)?;
    let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or(0);
    if replicas < 0 && served.kind.custom.is_none() {
        let path = FieldPath::root().field("spec").field("replicas");
        let error = FieldError::invalid(path, replicas, "must be greater than or equal to 0");
        return Err(Refusal::invalid(
            "autoscaling",
            "Scale",
            meta::name(wanted),
            &[error],
        ));
    }
    Ok(replicas)
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

/// What is selected, as a query.
fn selector_text(selector: &Value) -> String {
    match selector {
        Value::String(text) => text.clone(),
        other => LabelSelector::from_spec(other).to_string(),
    }
}

fn is_owned(object: &Value, path: &[String]) -> bool {
    let names: Vec<String> = path.iter().map(|name| format!("f:{name}")).collect();
    let entries = meta::metadata(object).and_then(|metadata| metadata.get("managedFields")?.as_array());
    entries
        .into_iter()
        .flatten()
        .any(|entry| at(&entry["fieldsV1"], &names).is_some())
}

fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name))
}

fn set(object: &mut Value, path: &[String], value: Value) {
    let slot = path.iter().fold(object, |at, name| &mut at[name.as_str()]);
    *slot = value;
}

fn unset(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let parent = parents.iter().try_fold(object, |value, name| value.get_mut(name));
    if let Some(fields) = parent.and_then(Value::as_object_mut) {
        fields.remove(last);
    }
}
