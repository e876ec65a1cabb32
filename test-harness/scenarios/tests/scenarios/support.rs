//! What scenarios share: objects to send, and looks into a plane.
#![allow(dead_code, reason = "each scenario file uses its own part")]

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use outhaul_scenarios::{Stage, poll, stage};
use serde_json::{Value, json};

/// Where the objects of scenarios go in a plane.
pub(crate) const TARGET: &str = "shop";

/// Runs each scenario on an embedded cluster, and on real API servers where there are any.
macro_rules! on_both_grounds {
    ($($scenario:ident),+ $(,)?) => {
        mod embedded {
            use super::support;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                support::log();
                super::$scenario(outhaul_scenarios::Ground::Embedded).await;
            })+
        }
        mod kubernetes {
            use super::support;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                let Some(programs) = outhaul_kubernetes::require_or_skip() else { return };
                support::log();
                super::$scenario(outhaul_scenarios::Ground::Kubernetes(programs)).await;
            })+
        }
    };
}
pub(crate) use on_both_grounds;

/// Shows what programs log, as much as RUST_LOG says, with the output of the test.
pub(crate) fn log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    // Every scenario of a binary asks; the first sets it up.
    let _already_set_up = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_test_writer()
        .try_init();
}

/// An entry of a Release: a ConfigMap with one value, under its name as id.
pub(crate) fn config_map(name: &str, value: &str) -> Value {
    json!({
        "id": name,
        "object": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": name, "namespace": TARGET },
            "data": { "value": value },
        },
    })
}

/// The ConfigMaps of a plane, whole.
pub(crate) async fn config_maps(stage: &mut Stage, plane: &str) -> Result<Api<DynamicObject>> {
    let client = stage.plane(plane)?.client().await?;
    Ok(Api::namespaced_with(
        client,
        TARGET,
        &ApiResource::erase::<ConfigMap>(&()),
    ))
}

/// A ConfigMap as it is in a plane.
pub(crate) async fn in_plane(stage: &mut Stage, plane: &str, name: &str) -> Result<DynamicObject> {
    Ok(config_maps(stage, plane).await?.get(name).await?)
}

/// The uid of a ConfigMap in a plane.
pub(crate) async fn uid_of(stage: &mut Stage, plane: &str, name: &str) -> Result<String> {
    let object = in_plane(stage, plane, name).await?;
    object
        .metadata
        .uid
        .ok_or_else(|| anyhow::anyhow!("{name} has no uid"))
}

/// Waits until a ConfigMap is gone from a plane.
pub(crate) async fn gone(stage: &mut Stage, plane: &str, name: &str) {
    let objects = config_maps(stage, plane).await.unwrap();
    let look = || async {
        ensure!(objects.get_opt(name).await?.is_none(), "{name} is still there");
        Ok(())
    };
    poll::until(&format!("{name} is gone from {plane}"), stage::PATIENCE, look)
        .await
        .unwrap();
}

/// An entry of a Release: an object under `id`.
pub(crate) fn entry(id: &str, object: &Value) -> Value {
    json!({ "id": id, "object": object })
}

/// Gives a ConfigMap another value, as `manager`.
pub(crate) async fn overwrite(objects: &Api<DynamicObject>, name: &str, manager: &str) -> Result<()> {
    let params = PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    let change = Patch::Merge(json!({ "data": { "value": manager } }));
    objects.patch(name, &params, &change).await?;
    Ok(())
}

/// Waits until a ConfigMap has `value`.
pub(crate) async fn has_value(objects: &Api<DynamicObject>, name: &str, value: &str) {
    let look = || async {
        let object = objects.get(name).await?;
        ensure!(object.data["data"]["value"] == value, "{}", object.data);
        Ok(())
    };
    let what = format!("{name} has value {value}");
    poll::until(&what, stage::PATIENCE, look).await.unwrap();
}
