//! Objects: what is stored of what was sent.

use outhaul_hub_resources::{
    DeliveredContent, DeliveryStatus, InventoryEntry, Release, ResourceStatus, SessionTerm,
    names::{GROUP, OPENCHOREO_GROUP},
    parse,
};
use serde_json::{Value, json};

use super::fixture::api;

/// A Release as the binding controllers write it, Go's zero values and nulls included.
fn release(name: &str) -> Value {
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop", "creationTimestamp": null},
        "spec": {"strategy": {}, "template": {"spec": {"containers": [{"name": "main", "resources": {}}]}}},
        "status": {},
    });
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "cart"}, "status": {"parents": null}, "odd": [1, 1.5, null, "1"]});
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Release",
        "metadata": {"name": name, "creationTimestamp": null},
        "spec": {
            "owner": {"projectName": "shop", "componentName": "cart"},
            "environmentName": "development",
            "interval": null,
            "progressingInterval": "10s",
            "resources": [{"id": "deployment", "object": deployment}, {"id": "route", "object": route}],
        },
        "status": {},
    })
}

#[tokio::test]
async fn a_release_is_stored_as_sent_but_for_nulls_of_declared_fields() {
    let Some(api) = api("stored").await else { return };
    let sent = release("cart");
    let stored = api
        .create(&api.of(OPENCHOREO_GROUP, "releases"), &sent)
        .await
        .object();
    let mut expected = sent["spec"].clone();
    expected.as_object_mut().unwrap().remove("interval");
    assert_eq!(
        stored["spec"], expected,
        "nulls inside objects stay, no default is added"
    );
}

#[tokio::test]
async fn what_go_clients_send_is_accepted() {
    let Some(api) = api("accepted").await else { return };
    let observer = json!({"url": "", "authentication": {"basicAuth": {"username": "", "password": ""}}});
    let environment =
        json!({"gateway": {"dnsPrefix": "", "security": {"remoteJwks": {"uri": ""}}}, "isProduction": null});
    let data_plane = json!({
        "registry": {"prefix": ""}, "gateway": {"publicVirtualHost": "", "organizationVirtualHost": ""},
        "kubernetesCluster": {"server": "", "tls": {"ca": {}}, "auth": {}}, "observer": observer,
    });
    let samples = [
        ("Environment", "environments", environment),
        ("Environment", "environments", json!({})),
        ("DataPlane", "dataplanes", data_plane),
        (
            "BuildPlane",
            "buildplanes",
            json!({"observer": observer, "planeID": ""}),
        ),
    ];
    for (index, (kind, plural, spec)) in samples.into_iter().enumerate() {
        let metadata = json!({"name": format!("sample-{index}"), "creationTimestamp": null});
        let mut object = json!({"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": metadata});
        object["spec"] = spec;
        object["status"] = json!({});
        api.create(&api.of(OPENCHOREO_GROUP, plural), &object)
            .await
            .object();
    }
    for (kind, plural) in [
        ("Environment", "environments"),
        ("DataPlane", "dataplanes"),
        ("Release", "releases"),
    ] {
        let object =
            json!({"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": {"name": "no-spec"}});
        api.create(&api.of(OPENCHOREO_GROUP, plural), &object)
            .await
            .object();
    }
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_its_path() {
    let Some(api) = api("wrong").await else { return };
    let bundle = |spec| ("Bundle", api.of(GROUP, "bundles"), spec);
    let plane = |spec| ("Plane", format!("/apis/{GROUP}/v1alpha1/planes"), spec);
    let admits = |entry: Value| plane(json!({ "admits": [entry] }));
    let entry = json!({"kind": "DataPlane", "namespace": "a", "name": "b"});
    let cases = [
        (bundle(json!({})), "spec.plane: Required"),
        (bundle(json!({"plane": ""})), "spec.plane: Invalid"),
        (
            bundle(json!({"plane": "p", "lifecycle": "Sometimes"})),
            "spec.lifecycle: Unsupported",
        ),
        (
            bundle(json!({"plane": "p", "objects": [{"id": "", "object": {}}]})),
            "spec.objects[0].id: Invalid",
        ),
        (
            bundle(json!({"plane": "p", "objects": [{"id": "a"}]})),
            "spec.objects[0].object: Required",
        ),
        (plane(json!({"keys": ["AB"]})), "spec.keys[0]: Invalid"),
        (
            admits(json!({"kind": "Cluster", "namespace": "a", "name": "b"})),
            "spec.admits[0].kind: Unsupported",
        ),
        (
            admits(json!({"kind": "DataPlane", "name": "b"})),
            "spec.admits[0].namespace: Required",
        ),
        (
            plane(json!({"admits": [entry, entry]})),
            "spec.admits[1]: Duplicate",
        ),
    ];
    for ((kind, collection, spec), problem) in cases {
        let metadata = json!({"name": "wrong"});
        let object =
            json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec});
        let answer = api.create(&collection, &object).await;
        assert_eq!(answer.code, 422, "{object}");
        assert!(
            answer.message().contains(problem),
            "{problem} is not in: {}",
            answer.message()
        );
    }
}

#[tokio::test]
async fn two_writers_of_a_planes_admissions_keep_each_others_entries() {
    let Some(api) = api("admits").await else { return };
    let path = format!("/apis/{GROUP}/v1alpha1/planes/admits");
    let plane = |name: &str| {
        let entry = json!({"kind": "DataPlane", "namespace": "a", "name": name,
            "targetNamespaces": ["*"], "clusterScopedKinds": ["Namespace", "apps.example.dev/Widget"]});
        json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Plane", "metadata": {"name": "admits"},
            "spec": {"admits": [entry]}})
    };
    api.apply(&path, "one", &plane("first")).await.object();
    let both = api.apply(&path, "other", &plane("second")).await.object();
    let names: Vec<_> = both["spec"]["admits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["name"])
        .collect();
    assert_eq!(names, ["first", "second"]);
}

fn status() -> DeliveryStatus {
    let entry = InventoryEntry {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
        name: "cart".into(),
        uid: "0b5c".into(),
    };
    let resource = ResourceStatus {
        id: "deployment".into(),
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
        name: "cart".into(),
        health_status: Some("Healthy".into()),
        last_observed_time: Some(
            serde_json::from_value(json!("2026-01-02T03:04:05Z")).expect("it is a time"),
        ),
        status: Some(json!({"conditions": [{"type": "Available"}], "odd": [null, 1.5]})),
        summarized: true,
    };
    let condition = json!({"type": "Ready", "status": "True", "reason": "Converged", "message": "",
        "lastTransitionTime": "2026-01-02T03:04:05Z", "observedGeneration": 1});
    DeliveryStatus {
        conditions: vec![serde_json::from_value(condition).expect("it is a condition")],
        observed_generation: Some(1),
        plane: Some("eu-1".into()),
        r#move: Some(2),
        content: Some(DeliveredContent {
            generation: 1,
            digest: "0123456789abcdef".repeat(4),
        }),
        term: Some(SessionTerm { boot: 3, dial: 4 }),
        observed: Some("0123456789abcdef".repeat(4)),
        inventory: vec![entry],
        resources: vec![resource],
    }
}

#[tokio::test]
async fn status_is_written_apart_from_spec_and_comes_back_whole() {
    let Some(api) = api("status").await else { return };
    let collection = api.of(OPENCHOREO_GROUP, "releases");
    let created = api.create(&collection, &release("cart")).await.object();
    assert_eq!(created.get("status"), None, "a create cannot write status");

    let path = format!("{collection}/cart");
    let patch = json!({"status": status(), "spec": {"environmentName": "production"}});
    let written = api.patch(&format!("{path}/status"), &patch).await.object();
    assert_eq!(
        written["metadata"]["generation"],
        created["metadata"]["generation"]
    );
    assert_eq!(written["spec"], created["spec"]);
    let read: Release = parse(&serde_json::from_value(written).unwrap()).unwrap();
    assert_eq!(read.status, Some(status()));

    let edit = json!({"spec": {"environmentName": "production"}, "status": {"plane": "us-1"}});
    let edited = api.patch(&path, &edit).await.object();
    assert_eq!(edited["metadata"]["generation"], 2);
    assert_eq!(edited["status"]["plane"], "eu-1");
}
