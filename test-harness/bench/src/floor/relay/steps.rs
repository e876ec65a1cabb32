//! The requests of the relay, in their order.

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::sample::{self, Carrier};

const MANAGER: &str = "relay";

#[derive(Clone)]
pub(super) struct Steps {
    relayed: Api<DynamicObject>,
    plane: Client,
}

impl Steps {
    pub(super) fn new(control: &Client, plane: &Client) -> Self {
        Self {
            relayed: Carrier::Relayed.api(control),
            plane: plane.clone(),
        }
    }

    /// All of one sample. Returns what its status then says.
    pub(super) async fn relay(&self, sample: &DynamicObject) -> Result<Vec<Value>> {
        let name = sample.name_any();
        let spec = &sample.data["spec"];
        let recorded = self.record(&name).await;
        recorded.with_context(|| format!("record the plane of {name}"))?;
        let stored = self.store(&name, spec).await;
        stored.with_context(|| format!("store {name}"))?;
        let mut told = Vec::new();
        for entry in spec["resources"].as_array().into_iter().flatten() {
            let applied = self.apply(&entry["object"]).await;
            let live = applied.with_context(|| format!("apply objects of {name}"))?;
            told.push(sample::resource_status(&entry["id"], &live));
        }
        self.tell(&name, &told).await?;
        Ok(told)
    }

    pub(super) async fn apply(&self, manifest: &Value) -> Result<DynamicObject> {
        sample::apply(&self.plane, &sample::tracked(manifest.clone()), MANAGER).await
    }

    pub(super) async fn tell(&self, name: &str, resources: &[Value]) -> Result<()> {
        let status = Patch::Merge(json!({ "status": { "resources": resources } }));
        let told = self
            .relayed
            .patch_status(name, &PatchParams::default(), &status)
            .await;
        told.with_context(|| format!("patch the status of {name} back"))?;
        Ok(())
    }

    async fn record(&self, name: &str) -> kube::Result<()> {
        let finalizer = Patch::Merge(json!({ "metadata": { "finalizers": ["relay.example/cleanup"] } }));
        let plane = Patch::Merge(json!({ "status": { "plane": "relay" } }));
        let params = PatchParams::default();
        tokio::try_join!(
            self.relayed.patch(name, &params, &finalizer),
            self.relayed.patch_status(name, &params, &plane)
        )?;
        Ok(())
    }

    async fn store(&self, name: &str, spec: &Value) -> Result<()> {
        let secrets: Api<Secret> = Api::namespaced(self.plane.clone(), "default");
        let secret = serde_json::from_value(json!({
            "metadata": { "name": format!("relay-{name}") },
            "stringData": { "spec": spec.to_string() },
        }))?;
        secrets.create(&PostParams::default(), &secret).await?;
        Ok(())
    }
}
