//! What the hub says of the kinds that a platform consists of.

use k8s_openapi::api::core::v1::{Event, Namespace};
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use kube::core::ApiResource;
use outhaul_hub_resources::Organization;
use serde_json::{Value, json};

use crate::controllers::settled;
use crate::plane::Plane;
use crate::rig::{NAMESPACE, Rig, create, until};

/// Reason and status of the last condition, which is `Ready`.
fn ready(object: &DynamicObject) -> Option<(String, String)> {
    let last = object.data.pointer("/status/conditions")?.as_array()?.last()?;
    assert_eq!(last["type"], "Ready");
    let text = |field: &str| last[field].as_str().unwrap().to_owned();
    Some((text("status"), text("reason")))
}

/// Waits until the condition Ready of a kind of the platform says this. Returns the object.
pub(crate) async fn until_ready<K>(
    rig: &Rig<K>,
    kind: &str,
    name: &str,
    status: &str,
    reason: &str,
) -> Value {
    let resource = ApiResource {
        group: "openchoreo.dev".into(),
        version: "v1alpha1".into(),
        api_version: "openchoreo.dev/v1alpha1".into(),
        kind: kind.into(),
        plural: format!("{}s", kind.to_lowercase()),
    };
    let api: Api<DynamicObject> = match kind {
        "Organization" => Api::all_with(rig.client.clone(), &resource),
        _ => Api::namespaced_with(rig.client.clone(), NAMESPACE, &resource),
    };
    let said = Some((status.to_owned(), reason.to_owned()));
    until(&format!("{kind} {name} is {reason}"), || async {
        let object = api.get_opt(name).await.unwrap()?;
        (ready(&object) == said).then_some(object.data)
    })
    .await
}

#[tokio::test]
async fn a_platform_comes_up_piece_by_piece_and_a_hub_that_starts_again_writes_nothing() {
    let rig = Rig::start().await;
    until_ready(&rig, "DataPlane", "dp-eu", "False", "NoPlane").await;
    until_ready(&rig, "Environment", "dev", "False", "DataPlaneNotReady").await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let _session = plane.connect(&rig).await;
    until_ready(&rig, "DataPlane", "dp-eu", "True", "PlaneConnected").await;
    for environment in ["dev", "development"] {
        until_ready(&rig, "Environment", environment, "True", "EnvironmentReady").await;
    }

    let object = |kind: &str, name: &str, spec: &Value| {
        json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind,
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
        })
    };
    let project = object("Project", "shop", &json!({"deploymentPipelineRef": "default"}));
    create(&rig.client, Some(NAMESPACE), project).await;
    until_ready(&rig, "Project", "shop", "False", "DeploymentPipelineNotFound").await;
    let paths = json!({"promotionPaths": [
        {"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [{"name": "prod"}]}]});
    create(
        &rig.client,
        Some(NAMESPACE),
        object("DeploymentPipeline", "default", &paths),
    )
    .await;
    until_ready(&rig, "Project", "shop", "True", "DeploymentPipelineFound").await;
    until_ready(&rig, "DeploymentPipeline", "default", "True", "EnvironmentsFound").await;
    settled(&rig.hub).await;

    let rig = rig.restart_hub().await;
    let _session = plane.dial(&rig).await;
    let progress = settled(&rig.hub).await;
    assert_eq!(progress.written.total(), 0, "{progress:?}");
}

#[tokio::test]
async fn what_is_said_of_an_organization_has_no_namespace() {
    let rig = Rig::start().await;
    let organizations: Api<Organization> = Api::all(rig.client.clone());
    let organization = serde_json::from_value(json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Organization",
        "metadata": {"name": "globex"}, "spec": {},
    }));
    let params = PostParams::default();
    organizations
        .create(&params, &organization.unwrap())
        .await
        .unwrap();
    until_ready(&rig, "Organization", "globex", "False", "NamespaceNotFound").await;
    let events: Api<Event> = Api::namespaced(rig.client.clone(), "default");
    until("an Event says so", || async {
        let all = events.list(&ListParams::default()).await.unwrap();
        let mut said = all.into_iter();
        said.find(|event| event.reason.as_deref() == Some("NamespaceNotFound"))
    })
    .await;
    let namespaces: Api<Namespace> = Api::all(rig.client.clone());
    let namespace = serde_json::from_value(json!({"metadata": {"name": "globex"}})).unwrap();
    namespaces.create(&params, &namespace).await.unwrap();
    let data = until_ready(&rig, "Organization", "globex", "True", "NamespaceCreated").await;
    assert_eq!(data.pointer("/status/namespace"), Some(&json!("globex")));
}
