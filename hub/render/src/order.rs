//! Ports in the order in which they are stored.
//!
//! OpenChoreo lists the ports of several endpoints in random order, and pods are replaced where the order of theirs
//! changes. So the same ports stay in the order that they have.

use serde_json::Value;

use crate::draft::DEPLOYMENT;

/// Puts the ports of a Deployment or Service in the order that they have in its stored form, if they are the same.
pub(crate) fn keep(object: &mut Value, stored: &Value) {
    if object["kind"] != DEPLOYMENT {
        return arrange(object.pointer_mut("/spec/ports"), stored.pointer("/spec/ports"));
    }
    let containers = "/spec/template/spec/containers";
    let stored = stored.pointer(containers).and_then(Value::as_array);
    let made = object.pointer_mut(containers).and_then(Value::as_array_mut);
    for container in made.into_iter().flatten() {
        let mut known = stored.into_iter().flatten();
        let known = known.find(|known| known["name"] == container["name"]);
        arrange(
            container.get_mut("ports"),
            known.and_then(|known| known.get("ports")),
        );
    }
}

fn arrange(made: Option<&mut Value>, stored: Option<&Value>) {
    let (Some(Value::Array(made)), Some(Value::Array(stored))) = (made, stored) else {
        return;
    };
    let same = made.len() == stored.len() && made.iter().all(|port| stored.contains(port));
    if same && stored.iter().all(|port| made.contains(port)) {
        made.clone_from(stored);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_same_ports_keep_their_order() {
        for (made, stored, expected) in [
            (json!([1, 2, 3]), json!([3, 1, 2]), json!([3, 1, 2])),
            (json!([1, 2]), json!([2, 1, 3]), json!([1, 2])),
            (json!([1, 2, 3]), json!([2, 1]), json!([1, 2, 3])),
            (json!([1, 2]), json!([2, 4]), json!([1, 2])),
            (json!([1, 2]), json!("two"), json!([1, 2])),
        ] {
            let object = |ports: &Value| json!({"kind": "Service", "spec": {"ports": ports}});
            let mut service = object(&made);
            keep(&mut service, &object(&stored));
            assert_eq!(service["spec"]["ports"], expected, "{made} {stored}");
        }
    }
}
