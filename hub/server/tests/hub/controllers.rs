//! From Components to Releases, on a control plane that others write to as well.

use k8s_openapi::api::core::v1::Event;
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use outhaul_fake_kube_server::{Fault, FaultRule, Verb};
use outhaul_hub_resources::{Condition, Release, Service, ServiceBinding, ServiceClass};
use outhaul_hub_server::{Hub, Progress};
use outhaul_protocol_wire::head::HeadState;
use outhaul_protocol_wire::message::AgentMessage;
use outhaul_protocol_wire::report::Health;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::plane::{Plane, Session, held};
use crate::platform::until_ready;
use crate::rig::{NAMESPACE, PATIENCE, Rig, create, free_port, start_hub, until};

/// Reason of a binding whose Release has no plane to go to: as far as it gets without one.
const NO_PLANE: &str = "ResourceHealthDegraded";

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
    })
}

pub(crate) async fn classes(client: &Client) {
    let project = json!({"deploymentPipelineRef": "default"});
    let policies = json!({"restPolicy": {"defaults": {}}});
    let class = json!({"deploymentTemplate": {"replicas": 1}});
    for (kind, name, spec) in [
        ("Project", "shop", project),
        ("APIClass", "default", policies),
        ("ServiceClass", "default", class),
    ] {
        create(client, Some(NAMESPACE), object(kind, name, &spec)).await;
    }
}

pub(crate) async fn service(client: &Client, name: &str) {
    let owner = json!({"projectName": "shop", "componentName": name});
    let component = json!({"owner": {"projectName": "shop"}, "type": "Service"});
    let workload = json!({
        "owner": owner, "containers": {"main": {"image": "registry.example/app:1"}},
        "endpoints": {"api": {"type": "REST", "port": 9090}},
    });
    let service = json!({
        "owner": owner, "workloadName": name,
        "apis": {"api": {"type": "REST", "rest": {
            "backend": {"port": 9090, "basePath": "/v1"}, "exposeLevels": ["Organization", "Public"]}}},
    });
    for (kind, spec) in [
        ("Component", component),
        ("Workload", workload),
        ("Service", service),
    ] {
        create(client, Some(NAMESPACE), object(kind, name, &spec)).await;
    }
}

fn bindings<K>(rig: &Rig<K>) -> Api<ServiceBinding> {
    Api::namespaced(rig.client.clone(), NAMESPACE)
}

pub(crate) async fn settled(hub: &Hub) -> Progress {
    let mut progress = hub.handle().controllers();
    let settled = progress.wait_for(|progress| progress.leading && progress.settled);
    *timeout(PATIENCE, settled)
        .await
        .expect("it settles in time")
        .unwrap()
}

fn ready(binding: &ServiceBinding) -> Option<&Condition> {
    let conditions = &binding.status.as_ref()?.conditions;
    conditions.iter().find(|condition| condition.type_ == "Ready")
}

async fn until_reason<K>(rig: &Rig<K>, name: &str, reason: &str) -> ServiceBinding {
    until(reason, || async {
        let binding = bindings(rig).get_opt(name).await.unwrap()?;
        let is_so = ready(&binding).is_some_and(|ready| ready.reason == reason);
        is_so.then_some(binding)
    })
    .await
}

async fn merge<K>(rig: &Rig<K>, name: &str, patch: Value) {
    let params = PatchParams::default();
    bindings(rig)
        .patch(name, &params, &Patch::Merge(patch))
        .await
        .unwrap();
}

/// The life of a service, on any API server, up to a Release that its plane has just taken.
pub(crate) async fn comes_goes_and_comes_back<K>(rig: Rig<K>) -> (Rig<K>, Plane, Session) {
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.connect(&rig).await;
    classes(&rig.client).await;
    service(&rig.client, "cart").await;
    let head = plane.take(&mut session, "cart").await;
    let waiting = until_reason(&rig, "cart", "ResourceHealthProgressing").await;
    assert_eq!(waiting.status.as_ref().unwrap().endpoints.len(), 1);
    let release = rig.releases().get("cart").await.unwrap();
    plane
        .report_all(&mut session, &head, &release, Health::Healthy)
        .await;
    let binding = until_reason(&rig, "cart", "ResourcesActive").await;
    assert_eq!(
        ready(&binding).unwrap().message,
        "All 8 resources are deployed and healthy"
    );
    // Of the platform the last word may still be on its way, and each kind has a watch of its own: one that is late lets
    // the hub miss an owner that is there.
    until_ready(&rig, "Component", "cart", "True", "ProjectFound").await;
    until_ready(&rig, "DataPlane", "dp-eu", "True", "PlaneConnected").await;
    for environment in ["dev", "development"] {
        until_ready(&rig, "Environment", environment, "True", "EnvironmentReady").await;
    }
    let written = settled(&rig.hub).await.written;
    assert_eq!((written.created, written.replaced, written.deleted), (2, 0, 0));
    // One for each word on the way; how many words there are depends on what the watches show together: no class, no
    // Release yet, no plane, on its way, healthy.
    assert!((2..=5).contains(&written.statuses), "{written:?}");

    let rig = rig.restart_hub().await;
    let mut session = plane.dial(&rig).await;
    let progress = settled(&rig.hub).await;
    assert_eq!(progress.written.total(), 0, "{progress:?}");

    let class: Api<ServiceClass> = Api::namespaced(rig.client.clone(), NAMESPACE);
    let edit = Patch::Merge(json!({"spec": {"deploymentTemplate": {"replicas": 2}}}));
    class
        .patch("default", &PatchParams::default(), &edit)
        .await
        .unwrap();
    let head = plane.take(&mut session, "cart").await;
    assert_eq!(head.version.generation.0, 2);
    let release = rig.releases().get("cart").await.unwrap();
    assert_eq!(release.spec.resources[0].object["spec"]["replicas"], 2);
    plane
        .report_all(&mut session, &head, &release, Health::Healthy)
        .await;

    merge(&rig, "cart", json!({"spec": {"releaseState": "Undeploy"}})).await;
    let mut head = plane.take(&mut session, "cart").await;
    while head.state != HeadState::Removed {
        head = plane.take(&mut session, "cart").await;
    }
    let binding = until_reason(&rig, "cart", "ResourcesUndeployed").await;
    assert!(binding.status.unwrap().endpoints.is_empty());
    session.say(AgentMessage::Gone(held(&head))).await;
    until("the Release is gone", || async {
        rig.releases()
            .get_opt("cart")
            .await
            .unwrap()
            .is_none()
            .then_some(())
    })
    .await;

    merge(&rig, "cart", json!({"spec": {"releaseState": "Active"}})).await;
    plane.take(&mut session, "cart").await;
    (rig, plane, session)
}

#[tokio::test]
async fn a_service_comes_and_goes_and_comes_back() {
    comes_goes_and_comes_back(Rig::start().await).await;
}

#[tokio::test]
async fn a_deleted_service_takes_its_objects_with_it() {
    let (rig, mut plane, mut session) = comes_goes_and_comes_back(Rig::start().await).await;
    let services: Api<Service> = Api::namespaced(rig.client.clone(), NAMESPACE);
    services.delete("cart", &DeleteParams::default()).await.unwrap();
    let mut head = plane.take(&mut session, "cart").await;
    while head.state != HeadState::Removed {
        head = plane.take(&mut session, "cart").await;
    }
    assert!(bindings(&rig).get_opt("cart").await.unwrap().is_none());
    session.say(AgentMessage::Gone(held(&head))).await;
    until("the Release is gone", || async {
        rig.releases()
            .get_opt("cart")
            .await
            .unwrap()
            .is_none()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn of_two_hubs_one_writes_and_the_other_takes_over() {
    let rig = Rig::start().await;
    classes(&rig.client).await;
    settled(&rig.hub).await;
    let other = start_hub(&rig.client, free_port()).await;
    service(&rig.client, "cart").await;
    until_reason(&rig, "cart", NO_PLANE).await;
    let progress = *other.handle().controllers().borrow();
    assert_eq!((progress.leading, progress.written.total()), (false, 0));

    settled(&rig.hub).await;
    rig.hub.stop().await.unwrap();
    let progress = settled(&other).await;
    assert_eq!(progress.written.total(), 0, "{progress:?}");
    let rig = Rig { hub: other, ..rig };
    service(&rig.client, "till").await;
    until_reason(&rig, "till", NO_PLANE).await;
}

async fn until_event<K>(rig: &Rig<K>, reason: &str) -> Event {
    let events: Api<Event> = Api::namespaced(rig.client.clone(), NAMESPACE);
    until("an Event says so", || async {
        let all = events.list(&ListParams::default()).await.unwrap();
        let mut said = all.into_iter();
        said.find(|event| event.reason.as_deref() == Some(reason))
    })
    .await
}

#[tokio::test]
async fn what_is_missing_is_said_in_a_condition_and_an_event() {
    let rig = Rig::start().await;
    service(&rig.client, "cart").await;
    until_reason(&rig, "cart", "ServiceClassNotFound").await;
    let event = until_event(&rig, "ServiceClassNotFound").await;
    assert_eq!(event.involved_object.kind.as_deref(), Some("ServiceBinding"));
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    classes(&rig.client).await;
    until_reason(&rig, "cart", NO_PLANE).await;
    let written = settled(&rig.hub).await.written;
    assert_eq!((written.created, written.replaced), (2, 0));
}

#[tokio::test]
async fn what_no_status_may_say_is_said_in_an_event() {
    let rig = Rig::start().await;
    let forbidden = FaultRule::always(Fault::Forbidden)
        .on_verb(Verb::Patch)
        .on_resource("openchoreo.dev", "servicebindings");
    rig.kube.inject(forbidden);
    service(&rig.client, "cart").await;
    let event = until_event(&rig, "StatusRefused").await;
    assert_eq!(event.involved_object.kind.as_deref(), Some("ServiceBinding"));
    let message = event.message.unwrap();
    assert!(
        message.contains("Ready False, ServiceClassNotFound: ServiceClass \"default\" not found"),
        "{message}"
    );
}

#[tokio::test]
async fn what_is_settled_stays_as_it_is() {
    let rig = Rig::start().await;
    classes(&rig.client).await;
    for name in ["cart", "till"] {
        service(&rig.client, name).await;
        until_reason(&rig, name, NO_PLANE).await;
    }
    let written = settled(&rig.hub).await.written;
    assert_eq!((written.created, written.replaced, written.deleted), (4, 0, 0));
    assert!(written.statuses <= 4, "{written:?}");
    // Whatever an unrelated change stirs up is over when this one is through.
    service(&rig.client, "pay").await;
    until_reason(&rig, "pay", NO_PLANE).await;
    let after = settled(&rig.hub).await.written;
    assert_eq!((after.created - written.created, after.replaced), (2, 0));
    let releases: Vec<Release> = rig.releases().list(&ListParams::default()).await.unwrap().items;
    assert!(
        releases
            .iter()
            .all(|release| release.metadata.generation == Some(1))
    );
}
