//! What is converged stays as it is: nobody writes anything because somebody came back.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{self, config_map};
use anyhow::{Result, ensure};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::{Client, ResourceExt as _};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// Kinds that a hub or an agent writes.
const CONTROL: [(&str, &str); 6] = [
    ("", "Secret"),
    ("", "ConfigMap"),
    ("", "Event"),
    ("outhaul.dev", "Plane"),
    ("openchoreo.dev", "DataPlane"),
    ("openchoreo.dev", "Release"),
];
const PLANE: [(&str, &str); 4] = [
    ("", "Secret"),
    ("", "ConfigMap"),
    ("", "Event"),
    ("", "Namespace"),
];

/// Which resource a Secret of the agent's store is about.
const RESOURCE: &str = "outhaul.dev/resource";

/// Every object by name, with its resourceVersion. Events and the agent's store go by what they are about.
type Written = BTreeMap<String, BTreeSet<String>>;

async fn written(client: &Client, kinds: &[(&str, &str)]) -> Written {
    let mut written = Written::new();
    for (group, kind) in kinds {
        let version = if group.is_empty() { "v1" } else { "v1alpha1" };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let all: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        for object in all.list(&ListParams::default()).await.unwrap() {
            let versions = written.entry(format!("{kind} {}", name(&object))).or_default();
            versions.insert(object.resource_version().unwrap());
        }
    }
    written
}

fn name(object: &DynamicObject) -> String {
    let about = object
        .data
        .pointer("/involvedObject/name")
        .and_then(Value::as_str);
    let stored = object.annotations().get(RESOURCE).map(String::as_str);
    about.or(stored).map_or_else(|| object.name_any(), str::to_owned)
}

/// Both sides of the stage: the control plane, and the plane.
async fn both(stage: &Stage) -> [Written; 2] {
    let control = written(&stage.control.client().await.unwrap(), &CONTROL).await;
    let plane = written(&stage.planes["eu"].client().await.unwrap(), &PLANE).await;
    [control, plane]
}

/// What was written, made or deleted in between. The probe's own Event does not count: it waits for writes that
/// matter more, and may come after the status.
fn difference(before: &[Written; 2], after: &[Written; 2]) -> [BTreeSet<String>; 2] {
    [0, 1].map(|side| {
        let names = before[side].keys().chain(after[side].keys());
        names
            .filter(|name| before[side].get(*name) != after[side].get(*name) && *name != "Event probe")
            .cloned()
            .collect()
    })
}

/// What is written when the probe is edited, and nothing else happens.
fn of_an_edit() -> [BTreeSet<String>; 2] {
    [
        BTreeSet::from(["Release probe".to_owned()]),
        BTreeSet::from([
            "ConfigMap probe".to_owned(),
            "Secret Release default/probe".to_owned(),
        ]),
    ]
}

/// Edits the probe. What is written for it comes after everything that was due before.
async fn edit_probe(stage: &Stage, value: &str) -> Result<[Written; 2]> {
    let resources = json!([config_map("probe", value)]);
    stage.operator().release("probe", "eu", &resources).await?;
    stage.operator().ready("probe", "True").await?;
    Ok(both(stage).await)
}

/// Lets everything be written that is due: an agent that stops writes down what it learned, which else takes its time.
/// Then edits the probe until that writes nothing but what belongs to it.
async fn converge(stage: &mut Stage) -> [Written; 2] {
    restart_agent(stage).await;
    let stage = &*stage;
    let mut edits = 0;
    let look = || {
        edits += 1;
        async move {
            let before = both(stage).await;
            let after = edit_probe(stage, &edits.to_string()).await?;
            let written = difference(&before, &after);
            ensure!(written == of_an_edit(), "{written:?}");
            Ok(after)
        }
    };
    poll::until("an edit writes its own only", stage::PATIENCE, look)
        .await
        .unwrap()
}

async fn restart_agent(stage: &mut Stage) {
    stage.plane("eu").unwrap().stop_agent().await.unwrap();
    stage.connected("eu", false).await.unwrap();
    stage.plane("eu").unwrap().start_agent(None).unwrap();
    stage.connected("eu", true).await.unwrap();
}

/// A hub that restarts and an agent that restarts find a converged plane, and write nothing: only what an edit
/// writes by itself is written.
async fn coming_back_to_a_converged_plane_writes_nothing(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    for name in ["one", "two", "three"] {
        stage
            .operator()
            .release(name, "eu", &json!([config_map(name, "a")]))
            .await
            .unwrap();
        stage.operator().ready(name, "True").await.unwrap();
    }
    let converged = converge(&mut stage).await;

    stage.stop_hub().await.unwrap();
    stage.restart_hub().await.unwrap();
    stage.connected("eu", true).await.unwrap();
    let hub_restarted = edit_probe(&stage, "hub restarted").await.unwrap();
    assert_eq!(difference(&converged, &hub_restarted), of_an_edit());

    restart_agent(&mut stage).await;
    let agent_restarted = edit_probe(&stage, "agent restarted").await.unwrap();
    let [control, mut plane] = difference(&hub_restarted, &agent_restarted);
    assert!(
        plane.remove("Secret outhaul-agent"),
        "the agent counts its starts"
    );
    assert_eq!([control, plane], of_an_edit());
    stage.end().await.unwrap();
}

support::on_both_grounds!(coming_back_to_a_converged_plane_writes_nothing);
