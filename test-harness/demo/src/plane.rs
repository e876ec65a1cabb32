//! What somebody with access to a plane does there, beside its agent: look, edit, delete.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde_json::json;

/// The kinds of the shop.
pub(crate) fn kinds() -> [ApiResource; 5] {
    let route = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
    [
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::from_gvk(&route),
    ]
}

/// Access to the shop's namespace in a plane.
pub(crate) struct Access {
    config_maps: Api<ConfigMap>,
    deployments: Api<DynamicObject>,
    services: Api<Service>,
}

impl Access {
    pub(crate) fn new(client: &Client, namespace: &str) -> Self {
        let deployment = ApiResource::erase::<Deployment>(&());
        Self {
            config_maps: Api::namespaced(client.clone(), namespace),
            deployments: Api::namespaced_with(client.clone(), namespace, &deployment),
            services: Api::namespaced(client.clone(), namespace),
        }
    }

    /// The image that a Deployment runs.
    pub(crate) async fn image(&self, deployment: &str) -> Result<String> {
        let deployment = self.deployments.get(deployment).await?;
        let image = deployment.data.pointer("/spec/template/spec/containers/0/image");
        Ok(image
            .and_then(|image| image.as_str())
            .context("a container without an image")?
            .to_owned())
    }

    /// A value of a ConfigMap.
    pub(crate) async fn value(&self, config_map: &str, key: &str) -> Result<String> {
        let data = self.config_maps.get(config_map).await?.data;
        data.and_then(|mut data| data.remove(key))
            .with_context(|| format!("ConfigMap {config_map} has no {key}"))
    }

    /// Edits a value of a ConfigMap, as `kubectl edit` does.
    pub(crate) async fn edit(&self, config_map: &str, key: &str, value: &str) -> Result<()> {
        let patch = Patch::Merge(json!({ "data": { key: value } }));
        let params = PatchParams {
            field_manager: Some("kubectl-edit".to_owned()),
            ..PatchParams::default()
        };
        let edited = self.config_maps.patch(config_map, &params, &patch).await?;
        let now = edited.data.and_then(|mut data| data.remove(key));
        ensure!(
            now.as_deref() == Some(value),
            "the edit of ConfigMap {config_map} had no effect"
        );
        Ok(())
    }

    /// Deletes a Service, and returns the uid that it had.
    pub(crate) async fn delete(&self, service: &str) -> Result<String> {
        let uid = self.uid(service).await?;
        self.services.delete(service, &DeleteParams::default()).await?;
        Ok(uid)
    }

    /// The uid of a Service.
    pub(crate) async fn uid(&self, service: &str) -> Result<String> {
        self.services
            .get(service)
            .await?
            .metadata
            .uid
            .context("a Service without a uid")
    }
}
