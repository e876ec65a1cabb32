//! Every kind of OpenChoreo: what people and clients send is read, and what is odd is one object's error.

mod examples;

use std::collections::BTreeSet;

use kube::core::ObjectList;
use outhaul_hub_resources as kinds;
use outhaul_hub_resources::{InvalidObject, Stored, crds, parse};
use serde_json::{Value, json};

use examples::{ADDED_DEFAULTS, EXAMPLES, GO_WRITERS, changes, objects};

/// Reads an object as the type of its kind and writes it again.
fn rewritten(object: &Stored) -> Result<Value, InvalidObject> {
    macro_rules! by_kind {
        ($($kind:ident)*) => {
            match object.kind() {
                $(stringify!($kind) => {
                    let read = parse::<kinds::$kind>(object)?;
                    Ok(serde_json::to_value(read).expect("it is JSON"))
                })*
                other => panic!("{other} is no kind of OpenChoreo"),
            }
        };
    }
    by_kind!(
        Organization DataPlane BuildPlane Environment DeploymentPipeline Project Component ConfigurationGroup
        Workload Service ServiceClass ServiceBinding WebApplication WebApplicationClass WebApplicationBinding
        ScheduledTask ScheduledTaskClass ScheduledTaskBinding API APIClass APIBinding Release Build GitCommitRequest
        DeploymentTrack DeployableArtifact Deployment Endpoint
    )
}

fn stored(object: &Value) -> Stored {
    serde_json::from_value(object.clone()).expect("any object is read")
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().expect("it has a kind")
}

#[test]
fn every_kind_has_an_example() {
    let defined = crds()
        .into_iter()
        .filter(|crd| crd.spec.group == "openchoreo.dev");
    let defined: BTreeSet<_> = defined.map(|crd| crd.spec.names.kind).collect();
    let examples: BTreeSet<_> = objects(EXAMPLES)
        .iter()
        .map(|object| kind(object).to_owned())
        .collect();
    assert_eq!(examples, defined);
}

#[test]
fn every_example_is_written_as_it_was_read_but_for_defaults() {
    let mut found = BTreeSet::new();
    for object in objects(EXAMPLES) {
        let written = rewritten(&stored(&object)).unwrap();
        found.extend(changes(&object, &written));
    }
    // Empty maps are left out, as Go's writers do it.
    let left_out = [
        "DataPlane default lost kubernetesCluster.server",
        "ScheduledTask reminders lost overrides",
    ];
    let expected = ADDED_DEFAULTS.iter().chain(&left_out);
    assert_eq!(found, expected.map(|&change| change.to_owned()).collect());
}

#[test]
fn nulls_and_empty_values_of_go_writers_are_read_in_every_kind() {
    for object in objects(GO_WRITERS) {
        let written = rewritten(&stored(&object)).unwrap();
        let again = rewritten(&stored(&written)).unwrap();
        assert_eq!(written, again);
        let nulls = written["spec"].to_string().matches("null").count();
        let raw = kind(&object).ends_with("Class") && kind(&object) != "APIClass";
        assert!(raw || nulls == 0, "{written} says null");
    }
}

#[test]
fn one_object_of_another_form_leaves_the_others_of_its_list_alone() {
    for object in objects(EXAMPLES) {
        let mut odd = object.clone();
        odd["spec"] = json!("text");
        odd["metadata"]["name"] = json!("odd");
        let list = json!({"kind": "List", "metadata": {}, "items": [odd, object]});
        let list: ObjectList<Stored> = serde_json::from_value(list).unwrap();
        let error = rewritten(&list.items[0]).unwrap_err();
        let expected = format!(
            "{} odd cannot be read; correct it with kubectl edit",
            kind(&object)
        );
        assert_eq!(error.to_string(), expected);
        rewritten(&list.items[1]).unwrap();
    }
}
