//! The floor: a bare relay from one API server to another.
//!
//! It does the durable writes that Outhaul must do, and nothing else: it watches a kind, records finalizer and plane
//! as two concurrent patches, stores the spec in one Secret of the plane, applies the objects and patches the status
//! back, one step after the other. It has no network in between, no queue and no safety. Nothing that moves desired
//! state between two clusters and remembers it can do less.

use std::convert::Infallible;

use anyhow::{Context as _, Result, bail};
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::sample::{self, Carrier};

const MANAGER: &str = "relay";

/// Relays every [`Carrier::Relayed`] created from now on, until it is dropped.
///
/// # Errors
/// The watch ends or a request fails: a floor with failures in it is none.
pub async fn run(control: Client, plane: Client) -> Result<Infallible> {
    let relayed = Carrier::Relayed.api(&control);
    let version = relayed
        .list_metadata(&ListParams::default())
        .await?
        .metadata
        .resource_version;
    let version = version.context("a list without resourceVersion")?;
    let watch = relayed
        .watch(&WatchParams::default(), &version)
        .await
        .context("watch what is to be relayed")?;
    let mut watch = std::pin::pin!(watch);
    while let Some(event) = watch.try_next().await? {
        if let WatchEvent::Added(object) = event {
            relay(&object, &relayed, &plane).await?;
        }
    }
    bail!("the relay's watch has ended; run again")
}

async fn relay(object: &DynamicObject, relayed: &Api<DynamicObject>, plane: &Client) -> Result<()> {
    let name = object.name_any();
    let spec = &object.data["spec"];
    record(relayed, &name)
        .await
        .with_context(|| format!("record the plane of {name}"))?;
    store(plane, &name, spec)
        .await
        .with_context(|| format!("store {name}"))?;
    let mut resources = Vec::new();
    for entry in spec["resources"].as_array().into_iter().flatten() {
        let live = apply(plane, &entry["object"])
            .await
            .with_context(|| format!("apply objects of {name}"))?;
        resources.push(sample::resource_status(&entry["id"], &live));
    }
    let status = Patch::Merge(json!({ "status": { "resources": resources } }));
    relayed
        .patch_status(&name, &PatchParams::default(), &status)
        .await
        .context("patch the status back")?;
    Ok(())
}

async fn record(relayed: &Api<DynamicObject>, name: &str) -> kube::Result<()> {
    let finalizer = Patch::Merge(json!({ "metadata": { "finalizers": ["relay.example/cleanup"] } }));
    let plane = Patch::Merge(json!({ "status": { "plane": "relay" } }));
    let params = PatchParams::default();
    tokio::try_join!(
        relayed.patch(name, &params, &finalizer),
        relayed.patch_status(name, &params, &plane)
    )?;
    Ok(())
}

async fn store(plane: &Client, name: &str, spec: &Value) -> Result<()> {
    let secrets: Api<Secret> = Api::namespaced(plane.clone(), "default");
    let secret = serde_json::from_value(json!({
        "metadata": { "name": format!("relay-{name}") },
        "stringData": { "spec": spec.to_string() },
    }))?;
    secrets.create(&PostParams::default(), &secret).await?;
    Ok(())
}

async fn apply(plane: &Client, manifest: &Value) -> Result<DynamicObject> {
    let object: DynamicObject = serde_json::from_value(manifest.clone())?;
    let api = sample::api_of(plane.clone(), &object)?;
    let params = PatchParams::apply(MANAGER).force();
    Ok(api
        .patch(&object.name_any(), &params, &Patch::Apply(&object))
        .await?)
}
