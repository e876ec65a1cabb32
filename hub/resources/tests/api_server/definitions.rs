//! The definitions themselves, and what kubectl shows of them.

use outhaul_hub_resources::{crds, names::GROUP};
use serde_json::json;

use super::fixture::api;

#[tokio::test]
async fn every_definition_is_served_as_it_was_written() {
    let Some(api) = api("definitions").await else {
        return;
    };
    for crd in crds() {
        let name = crd.metadata.name.as_deref().unwrap();
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let stored = api.get(&path).await.object();
        let problems = stored["status"]["conditions"].as_array().unwrap();
        let structural = problems
            .iter()
            .all(|condition| condition["type"] != "NonStructuralSchema");
        assert!(structural, "{name}: {problems:?}");
        // Applying it again is no change, so nothing was dropped or rewritten.
        let again = api
            .apply(&path, "chart", &serde_json::to_value(&crd).unwrap())
            .await
            .object();
        assert_eq!(
            again["metadata"]["generation"], stored["metadata"]["generation"],
            "{name}"
        );
        assert_eq!(again["metadata"]["generation"], 1, "{name}");
    }
}

#[tokio::test]
async fn kubectl_shows_whether_a_plane_is_connected_and_a_bundle_ready() {
    let Some(api) = api("columns").await else { return };
    let planes = format!("/apis/{GROUP}/v1alpha1/planes");
    let plane =
        json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Plane", "metadata": {"name": "columns"}});
    api.create(&planes, &plane).await.object();
    let connected = json!({
        "type": "Connected", "status": "True", "reason": "SessionOpen", "message": "",
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    });
    let path = format!("{planes}/columns");
    api.patch(
        &format!("{path}/status"),
        &json!({"status": {"conditions": [connected]}}),
    )
    .await
    .object();
    let table = api.table(&path).await;
    let columns: Vec<_> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| &column["name"])
        .collect();
    assert_eq!(columns, ["Name", "Connected", "Age"]);
    let cells = &table["rows"][0]["cells"];
    assert_eq!((&cells[0], &cells[1]), (&json!("columns"), &json!("True")));
}
