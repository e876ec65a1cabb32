//! What somebody with access to a plane does there, beside its agent: look, edit, delete.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

/// The label that tells which component an object is of.
pub(crate) const COMPONENT: &str = "component-name";

/// The kinds of the shop.
pub(crate) fn kinds() -> [ApiResource; 3] {
    let route = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
    [
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::from_gvk(&route),
    ]
}

/// Access to the shop in a plane. Names of objects end with a hash: they are found by the label of their component.
pub(crate) struct Access(Client);

impl Access {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The image that a component runs.
    pub(crate) async fn image(&self, component: &str) -> Result<String> {
        let deployment = self.deployment(component).await?;
        let image = container(&deployment)["image"].as_str();
        Ok(image.context("a container without an image")?.to_owned())
    }

    /// How many replicas a component should have.
    pub(crate) async fn replicas(&self, component: &str) -> Result<Option<u64>> {
        Ok(self.deployment(component).await?.data["spec"]["replicas"].as_u64())
    }

    /// The value of a component's variable.
    pub(crate) async fn variable(&self, component: &str, variable: &str) -> Result<String> {
        let deployment = self.deployment(component).await?;
        let variables = container(&deployment)["env"].as_array();
        variables
            .and_then(|variables| variables.iter().find(|it| it["name"] == variable))
            .and_then(|it| it["value"].as_str())
            .map(str::to_owned)
            .with_context(|| format!("{component} has no variable {variable}"))
    }

    /// Edits a variable of a component's Deployment, as `kubectl set env` does.
    pub(crate) async fn edit(&self, component: &str, variable: &str, value: &str) -> Result<()> {
        let deployment = self.deployment(component).await?;
        let edited = json!({ "name": "main", "env": [{ "name": variable, "value": value }] });
        let patch = json!({ "spec": { "template": { "spec": { "containers": [edited] } } } });
        let params = PatchParams {
            field_manager: Some("kubectl-set".to_owned()),
            ..PatchParams::default()
        };
        let deployments: Api<Deployment> =
            Api::namespaced(self.0.clone(), &deployment.namespace().unwrap_or_default());
        let name = deployment.name_any();
        let edited = deployments
            .patch(&name, &params, &Patch::Strategic(patch))
            .await?;
        ensure!(
            edited.metadata.generation != deployment.metadata.generation,
            "the edit of Deployment {name} had no effect"
        );
        Ok(())
    }

    /// Deletes a component's Service, and returns the uid that it had.
    pub(crate) async fn delete(&self, component: &str) -> Result<String> {
        let service = self.service(component).await?;
        let services: Api<Service> =
            Api::namespaced(self.0.clone(), &service.namespace().unwrap_or_default());
        services
            .delete(&service.name_any(), &DeleteParams::default())
            .await?;
        service.uid().context("a Service without a uid")
    }

    /// The uid of a component's Service.
    pub(crate) async fn uid(&self, component: &str) -> Result<String> {
        self.service(component)
            .await?
            .uid()
            .context("a Service without a uid")
    }

    async fn deployment(&self, component: &str) -> Result<DynamicObject> {
        self.only(&ApiResource::erase::<Deployment>(&()), component).await
    }

    async fn service(&self, component: &str) -> Result<DynamicObject> {
        self.only(&ApiResource::erase::<Service>(&()), component).await
    }

    async fn only(&self, kind: &ApiResource, component: &str) -> Result<DynamicObject> {
        let objects: Api<DynamicObject> = Api::all_with(self.0.clone(), kind);
        let of_component = ListParams::default().labels(&format!("{COMPONENT}={component}"));
        let mut found = objects.list(&of_component).await?.items;
        ensure!(found.len() <= 1, "{component} has several {}", kind.plural);
        found
            .pop()
            .with_context(|| format!("{component} has no {}", kind.kind))
    }
}

fn container(deployment: &DynamicObject) -> &Value {
    &deployment.data["spec"]["template"]["spec"]["containers"][0]
}
