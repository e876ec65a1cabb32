//! A plane that ran under OpenChoreo before: what is there goes on running, and is ours from then on.

use std::collections::BTreeSet;

use crate::support::{self, TARGET, entry};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject as Release, ListParams, Patch, PatchParams, PostParams};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// As OpenChoreo's controller of Services renders it, empty parts included.
fn deployment(variables: &[&str]) -> Value {
    let labels = json!({ "component-name": "greeter", "environment-name": "eu" });
    let variables: Vec<_> = variables
        .iter()
        .map(|name| json!({ "name": name, "value": "on" }))
        .collect();
    let container = json!({
        "name": "main",
        "image": "registry.example/greeter:1",
        "env": variables,
        "ports": [{ "name": "ep-9090-tcp", "containerPort": 9090, "protocol": "TCP" }],
        "resources": { "limits": { "cpu": "400m" } },
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "creationTimestamp": null, "name": "greeter-483f44a4", "namespace": TARGET, "labels": labels,
        },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "strategy": {},
            "template": {
                "metadata": { "creationTimestamp": null, "labels": labels },
                "spec": { "containers": [container] },
            },
        },
        "status": {},
    })
}

/// The entry that server-side apply leaves, of OpenChoreo as of ours: who has a say in what is desired, and how.
pub(crate) const APPLIED: [&str; 2] = ["release-controller", "Apply"];

/// How a controller writes an object.
#[derive(Clone, Copy)]
enum Writes {
    /// By server-side apply.
    Applies,
    /// As a client without server-side apply does: it creates, and later adds the last variable.
    Updates,
}

/// The same as OpenChoreo writes it: with its labels, in its namespace.
async fn write_as_openchoreo(client: &kube::Client, writes: Writes, release: &Release, mut object: Value) {
    for (label, value) in [
        ("managed-by", "release-controller"),
        ("release-resource-id", "deployment"),
        ("release-uid", &release.uid().unwrap()),
        ("release-name", &release.name_any()),
        ("release-namespace", "default"),
    ] {
        object["metadata"]["labels"][format!("openchoreo.dev/{label}")] = value.into();
    }
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = json!({ "metadata": { "name": TARGET, "labels": {
        "openchoreo.dev/created-by": "release-controller", "openchoreo.dev/release-name": release.name_any(),
    } } });
    namespaces
        .create(
            &PostParams::default(),
            &serde_json::from_value(namespace).unwrap(),
        )
        .await
        .unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), TARGET);
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    match writes {
        Writes::Applies => {
            let params = PatchParams::apply("release-controller").force();
            let applied = deployments.patch(&name, &params, &Patch::Apply(&object)).await;
            applied.unwrap();
        }
        Writes::Updates => {
            let container = object.pointer_mut("/spec/template/spec/containers/0").unwrap();
            let all = container["env"].clone();
            container["env"].as_array_mut().unwrap().pop();
            let created = PostParams {
                field_manager: Some("manager".to_owned()),
                ..PostParams::default()
            };
            let deployment = serde_json::from_value(object).unwrap();
            deployments.create(&created, &deployment).await.unwrap();
            let merged = PatchParams {
                field_manager: Some("release-controller".to_owned()),
                ..PatchParams::default()
            };
            let container = json!({ "name": "main", "env": all, "$setElementOrder/env": order(&all) });
            let change = json!({ "spec": { "template": { "spec": { "containers": [container] } } } });
            deployments
                .patch(&name, &merged, &Patch::Strategic(change))
                .await
                .unwrap();
        }
    }
}

/// In a strategic merge patch, the order of a list of variables.
fn order(variables: &Value) -> Value {
    let named = variables.as_array().unwrap().iter();
    named
        .map(|variable| json!({ "name": variable["name"] }))
        .collect()
}

/// The only Deployment of the plane, once it serves.
pub(crate) async fn serving(client: &kube::Client) -> Deployment {
    poll::until("the Deployment serves", stage::PATIENCE, || async {
        let all: Api<Deployment> = Api::all(client.clone());
        let mut found = all.list(&ListParams::default()).await?.items;
        ensure!(found.len() == 1, "{} Deployments", found.len());
        let found = found.remove(0);
        let status = found.status.clone().context("no status")?;
        ensure!(
            status.observed_generation == found.metadata.generation
                && [
                    status.replicas,
                    status.updated_replicas,
                    status.available_replicas
                ] == [Some(1); 3],
            "{status:?}"
        );
        Ok(found)
    })
    .await
    .unwrap()
}

/// Who has a say in what is desired, and by which operation.
pub(crate) fn manager_entries(object: &impl kube::ResourceExt) -> Vec<[String; 2]> {
    let desired = object.managed_fields().iter();
    let desired = desired.filter(|entry| entry.subresource.is_none());
    desired
        .map(|entry| [&entry.manager, &entry.operation].map(|said| said.clone().unwrap_or_default()))
        .collect()
}

/// The uids of what a Deployment that changes would replace.
pub(crate) async fn pods_and_sets(client: &kube::Client) -> BTreeSet<Option<String>> {
    let sets: Api<ReplicaSet> = Api::all(client.clone());
    let pods: Api<Pod> = Api::all(client.clone());
    let everything = ListParams::default();
    let (sets, pods) = tokio::try_join!(sets.list(&everything), pods.list(&everything)).unwrap();
    let sets = sets.iter().map(kube::ResourceExt::uid);
    // One on its way out was replaced before, and those of Jobs come and go.
    let pods = pods.iter().filter(|pod| {
        let owners = pod.owner_references();
        pod.metadata.deletion_timestamp.is_none() && owners.iter().any(|owner| owner.kind == "ReplicaSet")
    });
    sets.chain(pods.map(kube::ResourceExt::uid)).collect()
}

async fn what_openchoreo_applied_is_taken_over_in_place(ground: Ground) {
    is_taken_over_in_place(ground, Writes::Applies).await;
}

async fn what_was_written_by_update_is_taken_over_in_place(ground: Ground) {
    is_taken_over_in_place(ground, Writes::Updates).await;
}

/// No pod is replaced, nobody else has a say afterwards, and what is left out is gone.
async fn is_taken_over_in_place(ground: Ground, writes: Writes) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    let client = stage.plane("eu").unwrap().client().await.unwrap();
    let resources = json!([entry("deployment", &deployment(&["LOG_LEVEL", "FLAG"]))]);
    stage
        .operator()
        .release("greeter", "eu", &resources)
        .await
        .unwrap();
    let release = stage.operator().releases().get("greeter").await.unwrap();
    write_as_openchoreo(&client, writes, &release, deployment(&["LOG_LEVEL", "FLAG"])).await;
    let before = serving(&client).await;
    let running = pods_and_sets(&client).await;

    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.operator().ready("greeter", "True").await.unwrap();
    let after = poll::until("nobody else has a say", stage::PATIENCE, || async {
        let found = serving(&client).await;
        ensure!(
            manager_entries(&found) == [APPLIED],
            "{:?}",
            found.managed_fields()
        );
        Ok(found)
    });
    let after = after.await.unwrap();
    assert_eq!(after.uid(), before.uid());
    assert_eq!(after.spec, before.spec);
    assert_eq!(after.metadata.generation, before.metadata.generation);
    assert_eq!(pods_and_sets(&client).await, running);

    let resources = json!([entry("deployment", &deployment(&["LOG_LEVEL"]))]);
    stage
        .operator()
        .release("greeter", "eu", &resources)
        .await
        .unwrap();
    stage.operator().ready("greeter", "True").await.unwrap();
    let edited = serving(&client).await;
    assert_eq!(edited.uid(), before.uid());
    let container = &edited.spec.template.spec.unwrap().containers[0];
    let variables: Vec<_> = container
        .env
        .iter()
        .flatten()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(variables, ["LOG_LEVEL"]);
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    what_openchoreo_applied_is_taken_over_in_place,
    what_was_written_by_update_is_taken_over_in_place,
);
