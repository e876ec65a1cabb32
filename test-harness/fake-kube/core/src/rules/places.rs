//! Places in an object: `spec.ports[].port` is that field of each port.

use serde_json::Value;

use crate::kind::Kind;
use crate::schema::FieldPath;

/// A place, and what is there.
pub(super) type Place<'a> = (FieldPath, Option<&'a Value>);

/// Every place that `path` means below `start`. Where what would hold the last field is missing, so is the place.
pub(super) fn all<'a>((start, value): Place<'a>, path: &str) -> Vec<Place<'a>> {
    let mut places = vec![(start, value)];
    for name in path.split('.') {
        let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        let there = places
            .into_iter()
            .filter(|(_, value)| value.is_some_and(Value::is_object));
        let fields = there.map(|(path, value)| (path.field(name), value.and_then(|value| value.get(name))));
        places = if is_list {
            fields.flat_map(items).collect()
        } else {
            fields.collect()
        };
    }
    places
}

/// The items of a list, with their places.
pub(super) fn items<'a>((path, list): Place<'a>) -> Vec<Place<'a>> {
    let items = list.and_then(Value::as_array).into_iter().flatten().enumerate();
    items
        .map(|(index, item)| (path.index(index), Some(item)))
        .collect()
}

/// The spec of a pod without these fields, and without this one of its containers.
pub(super) fn pod_without(spec: &Value, fields: &[&str], of_containers: &str) -> Value {
    let mut spec = spec.clone();
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.remove(of_containers);
        }
    }
    if let Some(all) = spec.as_object_mut() {
        all.retain(|name, _| !fields.contains(&name.as_str()));
    }
    spec
}

/// Where objects of a kind have the spec of pods.
pub(super) fn pod_spec<'a>(kind: &Kind, object: &'a Value) -> Option<Place<'a>> {
    if kind.is("", "Pod") {
        return all((FieldPath::root(), Some(object)), "spec").pop();
    }
    all(pod_template(kind, object)?, "spec").pop()
}

/// Where objects of a kind have the template of pods.
pub(super) fn pod_template<'a>(kind: &Kind, object: &'a Value) -> Option<Place<'a>> {
    let path = match (&*kind.id.group, &*kind.name) {
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet") | ("batch", "Job") => {
            "spec.template"
        }
        ("batch", "CronJob") => "spec.jobTemplate.spec.template",
        _ => return None,
    };
    all((FieldPath::root(), Some(object)), path).pop()
}
