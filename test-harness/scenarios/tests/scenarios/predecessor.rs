//! A plane that ran under OpenChoreo, and under a control plane that is no more: a whole component of it goes on running
//! under the Release that has the name now.

use std::collections::BTreeMap;
use std::fs;

use crate::support;
use crate::takeover::{APPLIED, manager_entries, pods_and_sets, serving};
use anyhow::ensure;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// What somebody wrote, and what OpenChoreo's own controllers made of it, case by case.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hub/render/tests/data/golden");

/// The case of this file, and the Release that it is about.
const CASE: &str = "service-from-image";
const RELEASE: &str = "greeter-service";

/// The uid of the Release as it was.
const FORMER: &str = "0d1f3a52-7a2c-4a55-9c55-0c4be9d5ad11";

/// The label that names it.
const OWNER: &str = "openchoreo.dev/release-uid";

/// A file of a case: `given.yaml` or `expected.yaml`.
pub(crate) fn documents(case: &str, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(format!("{CASES}/{case}/{file}")).unwrap();
    serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

/// The objects of a Release as OpenChoreo sends them to the plane: the namespace, then each with its labels.
pub(crate) fn sent(name: &str, uid: &str, release: &Value) -> Vec<Value> {
    let entries = release["resources"].as_array().unwrap();
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": entries[0]["object"]["metadata"]["namespace"], "labels": {
            "openchoreo.dev/created-by": "release-controller",
            "openchoreo.dev/environment": release["environmentName"],
            "openchoreo.dev/project": release["owner"]["projectName"],
            "openchoreo.dev/release-name": name,
            "openchoreo.dev/release-namespace": "default",
            OWNER: uid,
        } },
    });
    let labelled = entries.iter().map(|entry| {
        let mut object = entry["object"].clone();
        for (label, value) in [
            ("managed-by", "release-controller"),
            ("release-resource-id", entry["id"].as_str().unwrap()),
            ("release-uid", uid),
            ("release-name", name),
            ("release-namespace", "default"),
        ] {
            object["metadata"]["labels"][format!("openchoreo.dev/{label}")] = value.into();
        }
        object
    });
    [namespace].into_iter().chain(labelled).collect()
}

/// The API of an object's kind, in its namespace.
pub(crate) fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let api_version = text("/apiVersion").unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = GroupVersionKind::gvk(group, version, text("/kind").unwrap());
    let resource = ApiResource::from_gvk(&kind);
    match text("/metadata/namespace") {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

pub(crate) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// The same objects as the plane has them, by kind and name.
pub(crate) async fn as_they_are(client: &Client, objects: &[Value]) -> BTreeMap<String, DynamicObject> {
    let mut found = BTreeMap::new();
    for object in objects {
        let there = api(client, object).get(name(object)).await.unwrap();
        found.insert(format!("{} {}", object["kind"], name(object)), there);
    }
    found
}

/// Writes what somebody wrote; of the Workload without its variables where `bare`.
async fn write(stage: &Stage, bare: bool) {
    for mut document in documents(CASE, "given.yaml") {
        let kind = document["kind"].as_str().unwrap().to_owned();
        if bare && kind == "Workload" {
            document["spec"]["containers"]["main"]["env"] = json!([]);
        }
        let spec = document["spec"].take();
        let (operator, name) = (stage.operator(), name(&document));
        operator.apply(&kind, name, spec).await.unwrap();
    }
}

async fn what_openchoreo_left_of_a_component_goes_on_under_its_new_release(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    stage.planes["eu"].cluster.install_gateways().await.unwrap();
    stage.operator().environment("development", "eu").await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    let client = stage.plane("eu").unwrap().client().await.unwrap();
    let objects = sent(RELEASE, FORMER, &documents(CASE, "expected.yaml")[0]["spec"]);
    for object in &objects {
        let params = PatchParams::apply("release-controller").force();
        let (objects, applied) = (api(&client, object), Patch::Apply(object));
        objects.patch(name(object), &params, &applied).await.unwrap();
    }
    let serves = serving(&client).await;
    let running = pods_and_sets(&client).await;
    let before = as_they_are(&client, &objects).await;

    write(&stage, false).await;
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    let settled = async |what| {
        let said = stage
            .operator()
            .said("ServiceBinding", RELEASE, "ResourcesActive");
        said.await.unwrap_or_else(|error| panic!("{what}: {error:#}"));
    };
    settled("taken over").await;
    let release = stage.operator().releases().get(RELEASE).await.unwrap();
    let after = as_they_are(&client, &objects).await;
    for (object, before) in &before {
        let after = &after[object];
        assert_eq!(after.uid(), before.uid(), "{object}");
        assert_eq!(after.metadata.generation, before.metadata.generation, "{object}");
        if object.starts_with("\"Namespace\"") {
            assert_eq!(after.metadata.labels, before.metadata.labels);
            continue;
        }
        assert_eq!(after.labels().get(OWNER), release.uid().as_ref(), "{object}");
        assert_eq!(after.data["spec"], before.data["spec"], "{object}");
        assert_eq!(manager_entries(after), [APPLIED], "{object}");
    }
    assert_eq!(after.len(), 9);
    assert_eq!(serving(&client).await.spec, serves.spec);
    assert_eq!(pods_and_sets(&client).await, running);

    write(&stage, true).await;
    poll::until("the variable is gone", stage::PATIENCE, || async {
        let deployment = serving(&client).await;
        let containers = &deployment.spec.template.spec.unwrap_or_default().containers;
        ensure!(
            containers.len() == 1 && containers[0].env.is_none(),
            "{containers:?}"
        );
        Ok(())
    })
    .await
    .unwrap();
    settled("edited").await;
    stage.end().await.unwrap();
}

support::on_both_grounds!(what_openchoreo_left_of_a_component_goes_on_under_its_new_release);
