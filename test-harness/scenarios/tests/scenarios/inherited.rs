//! A control plane and a plane that ran under OpenChoreo: a hub and an agent start there, and everything goes on as it
//! is.

use crate::predecessor::{api, as_they_are, documents, name, sent};
use crate::support;
use crate::takeover::{APPLIED, manager_entries, pods_and_sets};
use anyhow::ensure;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Error, ResourceExt as _};
use outhaul_scenarios::operator::condition;
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// What somebody wrote and what OpenChoreo's own controllers made of it, by case, and the binding of each.
const CASES: [(&str, &str); 3] = [
    ("service-from-image", "ServiceBinding"),
    ("web-application", "WebApplicationBinding"),
    ("scheduled-task", "ScheduledTaskBinding"),
];

/// As client libraries in Go name who writes, where nothing else is said: the program of OpenChoreo.
const MANAGER: &str = "manager";

/// A case as it lies in both clusters.
struct Left {
    /// Everything in the control plane.
    control: Vec<Value>,
    /// Everything in the plane.
    plane: Vec<Value>,
}

async fn create(client: &Client, manager: &str, object: &Value) -> Result<DynamicObject, Error> {
    let params = PostParams {
        field_manager: Some(manager.to_owned()),
        ..PostParams::default()
    };
    let content = serde_json::from_value(object.clone()).unwrap();
    api(client, object).create(&params, &content).await
}

async fn write_status(client: &Client, object: &Value, status: &Value) {
    let params = PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let status = Patch::Merge(json!({ "status": status }));
    let objects = api(client, object);
    objects
        .patch_status(name(object), &params, &status)
        .await
        .unwrap();
}

/// The reference to who controls an object.
fn owned_by(owner: &DynamicObject) -> Value {
    let types = owner.types.as_ref().unwrap();
    json!([{
        "apiVersion": types.api_version, "kind": types.kind, "name": owner.name_any(), "uid": owner.uid(),
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// A binding as OpenChoreo's controller creates it, with what Go writes where nothing is set.
fn binding(kind: &str, of: &DynamicObject, workload: &Value, labels: &Value) -> Value {
    let component = &of.data["spec"];
    let mut template = workload["spec"].clone();
    template.as_object_mut().unwrap().remove("owner");
    template["connections"] = Value::Null;
    let container = template["containers"]["main"].as_object_mut().unwrap();
    for field in ["command", "args"] {
        container.entry(field).or_insert(Value::Null);
    }
    let mut spec = json!({
        "owner": component["owner"], "environment": "development", "className": component["className"],
        "workloadSpec": template,
    });
    match kind {
        "ServiceBinding" => spec["apis"] = component["apis"].clone(),
        "WebApplicationBinding" => spec["overrides"] = component["overrides"].clone(),
        _ => {}
    }
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind,
        "metadata": {
            "name": of.name_any(), "namespace": "default", "creationTimestamp": null, "labels": labels,
            "ownerReferences": owned_by(of),
        },
        "spec": spec,
        "status": {},
    })
}

/// What OpenChoreo says of the objects of a Release once they are well.
async fn status_of(client: &Client, entries: &[Value]) -> Value {
    let mut resources = Vec::new();
    for entry in entries {
        let object = &entry["object"];
        let live = api(client, object).get(name(object)).await.unwrap();
        let version = object["apiVersion"].as_str().unwrap();
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        resources.push(json!({
            "id": entry["id"], "group": group, "version": version, "kind": object["kind"],
            "namespace": object["metadata"]["namespace"], "name": name(object), "status": live.data.get("status"),
            "healthStatus": "Healthy", "lastObservedTime": "2026-01-01T00:00:00Z",
        }));
    }
    json!({ "resources": resources })
}

/// Writes a case as people and OpenChoreo did: what somebody wrote, binding, Release, the objects in the plane.
async fn leave([control, plane]: [&Client; 2], (case, kind): (&str, &str)) -> Left {
    let mut left = Left {
        control: Vec::new(),
        plane: Vec::new(),
    };
    let mut component = None;
    for mut given in documents(case, "given.yaml") {
        given["metadata"].as_object_mut().unwrap().remove("uid");
        let written = create(control, "kubectl-create", &given).await.unwrap();
        if kind.strip_suffix("Binding") == given["kind"].as_str() {
            component = Some(written);
        }
        left.control.push(given);
    }
    let component = component.unwrap();
    let workload = left.control.iter().find(|it| it["kind"] == "Workload").unwrap();
    let expected = documents(case, "expected.yaml").remove(0);
    let binding = binding(kind, &component, workload, &expected["labels"]);
    let written = create(control, MANAGER, &binding).await.unwrap();
    let release = json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
        "metadata": {
            "name": name(&binding), "namespace": "default", "labels": expected["labels"],
            "ownerReferences": owned_by(&written), "finalizers": ["openchoreo.dev/dataplane-cleanup"],
        },
        "spec": expected["spec"],
    });
    let uid = create(control, MANAGER, &release).await.unwrap().uid().unwrap();
    left.plane = sent(name(&release), &uid, &release["spec"]);
    for object in &left.plane {
        if object["kind"] == "Namespace" {
            // Of several Releases in one namespace, the first makes it.
            match create(plane, MANAGER, object).await {
                Err(Error::Api(refusal)) if refusal.code == 409 => {}
                made => drop(made.unwrap()),
            }
            continue;
        }
        let params = PatchParams::apply("release-controller").force();
        let (objects, applied) = (api(plane, object), Patch::Apply(object));
        objects.patch(name(object), &params, &applied).await.unwrap();
    }
    let entries = release["spec"]["resources"].as_array().unwrap();
    write_status(control, &release, &status_of(plane, entries).await).await;
    if kind != "ScheduledTaskBinding" {
        let ready = json!({
            "type": "Ready", "status": "True", "reason": "ResourcesActive",
            "message": format!("All {} resources are deployed and healthy", entries.len()),
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        write_status(control, &binding, &json!({ "conditions": [ready] })).await;
    }
    left.control.extend([binding, release]);
    left
}

/// Waits until both Deployments of the plane serve.
async fn all_serve(client: &Client) {
    let deployments: Api<Deployment> = Api::all(client.clone());
    poll::until("the Deployments serve", stage::PATIENCE, || async {
        let all = deployments.list(&ListParams::default()).await?.items;
        let serve = |it: &&Deployment| {
            let (spec, status) = (&it.spec, it.status.clone().unwrap_or_default());
            status.observed_generation == it.metadata.generation
                && [
                    status.replicas,
                    status.updated_replicas,
                    status.available_replicas,
                ] == [spec.replicas; 3]
        };
        let serving = all.iter().filter(serve).count();
        ensure!((serving, all.len()) == (2, 2), "{serving} of {}", all.len());
        Ok(())
    })
    .await
    .unwrap();
}

/// Who has a say in the spec of an object.
fn spec_managers(object: &DynamicObject) -> Vec<&str> {
    let entries = object.managed_fields().iter().filter(|entry| {
        let fields = entry.fields_v1.as_ref();
        fields.is_some_and(|fields| fields.0.get("f:spec").is_some())
    });
    entries
        .map(|entry| entry.manager.as_deref().unwrap_or_default())
        .collect()
}

/// Waits until a binding says of its current generation what its objects are, which are well or, of a task that has
/// not run yet, on their way.
async fn taken_over(stage: &Stage, kind: &str, name: &str) {
    let bindings = stage.operator().api(kind);
    poll::until(
        &format!("{kind} {name} is taken over"),
        stage::PATIENCE,
        || async {
            let binding = bindings.get(name).await?;
            let ready = condition(&binding, "Ready").cloned().unwrap_or_default();
            let message = ready["message"].as_str().unwrap_or_default();
            let well = ready["reason"] == "ResourcesActive"
                || kind == "ScheduledTaskBinding" && message == "Resources status: 1/1 progressing";
            let current = ready["observedGeneration"].as_i64() == binding.metadata.generation;
            ensure!(well && current, "{ready}");
            Ok(())
        },
    )
    .await
    .unwrap();
}

async fn what_openchoreo_left_in_both_clusters_goes_on_as_it_is(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    stage.planes["eu"].cluster.install_gateways().await.unwrap();
    stage.operator().environment("development", "eu").await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    stage.stop_hub().await.unwrap();
    let control = stage.control.client().await.unwrap();
    let plane = stage.plane("eu").unwrap().client().await.unwrap();
    let mut left = Vec::new();
    for case in CASES {
        left.push(leave([&control, &plane], case).await);
    }
    let in_control: Vec<_> = left.iter().flat_map(|left| left.control.clone()).collect();
    let in_plane: Vec<_> = left.iter().flat_map(|left| left.plane.clone()).collect();
    all_serve(&plane).await;
    let running = pods_and_sets(&plane).await;
    let before = [
        as_they_are(&control, &in_control).await,
        as_they_are(&plane, &in_plane).await,
    ];

    stage.restart_hub().await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    for ((_, kind), left) in CASES.iter().zip(&left) {
        taken_over(&stage, kind, name(left.control.last().unwrap())).await;
    }
    let after = as_they_are(&control, &in_control).await;
    for (object, before) in &before[0] {
        let after = &after[object];
        assert_eq!(after.data["spec"], before.data["spec"], "{object}");
        assert_eq!(after.metadata.generation, before.metadata.generation, "{object}");
        assert_eq!(spec_managers(after), spec_managers(before), "{object}");
        for [after, before] in [
            [json!(after.labels()), json!(before.labels())],
            [json!(after.finalizers()), json!(before.finalizers())],
            [json!(after.owner_references()), json!(before.owner_references())],
        ] {
            assert_eq!(after, before, "{object}");
        }
    }
    let after = as_they_are(&plane, &in_plane).await;
    for (object, before) in &before[1] {
        let after = &after[object];
        assert_eq!(after.uid(), before.uid(), "{object}");
        assert_eq!(after.labels(), before.labels(), "{object}");
        assert_eq!(after.metadata.generation, before.metadata.generation, "{object}");
        assert_eq!(after.data.get("spec"), before.data.get("spec"), "{object}");
        if !object.starts_with("\"Namespace\"") {
            assert_eq!(manager_entries(after), [APPLIED], "{object}");
        }
    }
    assert_eq!(pods_and_sets(&plane).await, running);

    let workloads = stage.operator().api("Workload");
    let bare = Patch::Merge(json!({ "spec": { "containers": { "main": { "env": [] } } } }));
    workloads
        .patch("greeter-service", &PatchParams::default(), &bare)
        .await
        .unwrap();
    let deployments: Api<Deployment> = Api::all(plane.clone());
    poll::until(
        "the variable is gone from its Deployment",
        stage::PATIENCE,
        || async {
            for deployment in deployments.list(&ListParams::default()).await? {
                let pod = deployment.spec.clone().template.spec;
                let container = pod.unwrap_or_default().containers.remove(0);
                let edited = deployment.name_any().starts_with("greeter-service");
                ensure!(container.env.is_none() == edited, "{container:?}");
            }
            Ok(())
        },
    )
    .await
    .unwrap();
    taken_over(&stage, "ServiceBinding", "greeter-service").await;
    stage.end().await.unwrap();
}

support::on_both_grounds!(what_openchoreo_left_in_both_clusters_goes_on_as_it_is);
