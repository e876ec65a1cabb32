//! What parts of an object must have to do with each other, so that the whole is valid more often than not.

use outhaul_fake_kube_core::kind::Kind;
use serde_json::{Map, Value, json};

use crate::dice::Dice;

/// What pods that end may say.
const RESTARTS: [&str; 2] = ["Never", "OnFailure"];

/// Makes the parts of an object agree.
pub(super) fn settle(kind: &Kind, object: &mut Value, dice: &mut Dice) {
    match &*kind.name {
        "Deployment" | "StatefulSet" | "DaemonSet" => select_own_pods(object),
        "Job" => settle_pods(&mut object["spec"]["template"], dice),
        "CronJob" => settle_pods(&mut object["spec"]["jobTemplate"]["spec"]["template"], dice),
        "Pod" => settle_volumes(&mut object["spec"]),
        "HorizontalPodAutoscaler" => object["spec"]["maxReplicas"] = json!(5 + dice.below(3)),
        "Ingress" if object["spec"]["rules"].is_null() => {
            object["spec"]["defaultBackend"] = json!({"service": {"name": "a", "port": {"number": 80}}});
        }
        "Service" => settle_service(object),
        _ => {}
    }
}

/// Makes the fields of a part agree.
pub(super) fn agree(definition: &str, fields: &mut Map<String, Value>) {
    match definition {
        "LabelSelectorRequirement" => {
            if matches!(
                fields.get("operator").and_then(Value::as_str),
                Some("In" | "NotIn")
            ) {
                fields.insert("values".to_owned(), json!(["a", "b"]));
            } else {
                fields.remove("values");
            }
        }
        "Toleration" => _ = fields.entry("key").or_insert_with(|| "a".into()),
        _ => {}
    }
}

fn select_own_pods(object: &mut Value) {
    object["spec"]["selector"] = json!({"matchLabels": {"app": "a"}});
    let template = &mut object["spec"]["template"];
    template["metadata"]["labels"]["app"] = "a".into();
    settle_volumes(&mut template["spec"]);
}

fn settle_pods(template: &mut Value, dice: &mut Dice) {
    template["spec"]["restartPolicy"] = (*dice.pick(&RESTARTS)).into();
    settle_volumes(&mut template["spec"]);
}

/// What containers mount must be there, and no two containers may share a name.
fn settle_volumes(spec: &mut Value) {
    let mut mounted: Vec<String> = Vec::new();
    for (list, suffix) in [("containers", ""), ("initContainers", "-init")] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            let name = container["name"].as_str().unwrap_or("main").to_owned();
            container["name"] = format!("{name}{suffix}").into();
            if list == "initContainers" {
                for probe in ["livenessProbe", "readinessProbe", "lifecycle"] {
                    container.as_object_mut().map(|fields| fields.remove(probe));
                }
            }
            let mounts = container["volumeMounts"].as_array().into_iter().flatten();
            mounted.extend(mounts.filter_map(|mount| Some(mount["name"].as_str()?.to_owned())));
            if container["volumeMounts"].is_null() {
                container
                    .as_object_mut()
                    .map(|fields| fields.remove("volumeMounts"));
            }
        }
        if spec[list].is_null() {
            spec.as_object_mut().map(|fields| fields.remove(list));
        }
    }
    for name in mounted {
        let volumes = &mut spec["volumes"];
        if volumes.is_null() {
            *volumes = json!([]);
        }
        let list = volumes.as_array_mut().expect("a list, or made one above");
        if !list.iter().any(|volume| volume["name"] == name.as_str()) {
            list.push(json!({"name": name, "emptyDir": {}}));
        }
    }
    if spec["volumes"].is_null() {
        spec.as_object_mut().map(|fields| fields.remove("volumes"));
    }
}

/// A service of several ports names them; one that stands for a name elsewhere says which.
fn settle_service(object: &mut Value) {
    let spec = &mut object["spec"];
    if spec["type"] == "ExternalName" {
        spec["externalName"] = "a.example.com".into();
        spec.as_object_mut().map(|fields| fields.remove("clusterIP"));
    }
    if let Some(ports) = spec["ports"].as_array_mut().filter(|ports| ports.len() > 1) {
        for (index, port) in ports.iter_mut().enumerate() {
            port["name"] = format!("port-{index}").into();
        }
    }
    if spec["ports"].is_null() {
        spec.as_object_mut().map(|fields| fields.remove("ports"));
    }
}
