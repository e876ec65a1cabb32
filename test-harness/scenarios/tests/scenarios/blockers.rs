//! What cannot be done says so, by name, and holds up nothing else.

use std::time::{Duration, Instant};

use crate::support::{self, config_map, config_maps, entry, has_value, in_plane, overwrite};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use outhaul_scenarios::{Ground, Stage, poll, stage};
use serde_json::{Value, json};

/// A kind that no plane serves from the start.
pub(crate) fn widget() -> Value {
    json!({
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": { "name": "widget", "namespace": support::TARGET },
        "spec": { "size": 1 },
    })
}

fn widget_definition() -> Value {
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.example.com" },
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": { "kind": "Widget", "plural": "widgets", "singular": "widget" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema },
            }],
        },
    })
}

/// A value of the wrong type.
fn wrong() -> Value {
    let mut object = config_map("wrong", "")["object"].clone();
    object["data"]["value"] = json!({ "not": "a string" });
    object
}

/// A kind that lives in no namespace, put into one.
fn namespace_in_namespace() -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "lost", "namespace": support::TARGET } })
}

/// A ConfigMap that carries the labels of a Release that the hub does not have.
async fn anothers(stage: &mut Stage, name: &str) -> String {
    let labels = json!({
        "openchoreo.dev/managed-by": "release-controller",
        "openchoreo.dev/release-resource-id": name,
        "openchoreo.dev/release-uid": "11111111-2222-3333-4444-555555555555",
        "openchoreo.dev/release-name": "another",
        "openchoreo.dev/release-namespace": "default",
    });
    let mut object = config_map(name, "theirs")["object"].clone();
    object["metadata"]["labels"] = labels;
    let object = serde_json::from_value(object).unwrap();
    let objects = config_maps(stage, "eu").await.unwrap();
    objects
        .create(&PostParams::default(), &object)
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap()
}

/// Defines the kind of the widget, and waits until the agent has applied one.
pub(crate) async fn define_widgets(stage: &mut Stage) {
    let client = stage.plane("eu").unwrap().client().await.unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = serde_json::from_value(widget_definition()).unwrap();
    definitions
        .create(&PostParams::default(), &definition)
        .await
        .unwrap();
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::namespaced_with(client, support::TARGET, &kind);
    let applied = || async { Ok(widgets.get("widget").await?) };
    poll::until("the widget is applied", stage::PATIENCE, applied)
        .await
        .unwrap();
}

/// Each object that cannot be applied has a blocker of its own; the others are applied. A kind that is defined later
/// heals by itself, and what belongs to another is never touched.
async fn one_bad_object_stops_itself_only(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    // The first Release makes the namespace.
    stage
        .operator()
        .release("first", "eu", &json!([config_map("first", "a")]))
        .await
        .unwrap();
    stage.operator().ready("first", "True").await.unwrap();
    let theirs = anothers(&mut stage, "theirs").await;

    let mut resources = vec![
        config_map("good", "a"),
        entry("wrong", &wrong()),
        entry("widget", &widget()),
        config_map("theirs", "ours"),
        entry("lost", &namespace_in_namespace()),
        config_map("better", "a"),
    ];
    stage
        .operator()
        .release("mixed", "eu", &json!(resources))
        .await
        .unwrap();
    let blocked = [
        ("wrong", "Invalid", "value"),
        ("widget", "KindUnknown", "Widget"),
        ("theirs", "OwnedByAnother", "default/another"),
        ("lost", "Invalid", "namespace"),
    ];
    for (id, reason, word) in blocked {
        let message = stage.operator().blocked("eu", "mixed", id, reason).await.unwrap();
        assert!(message.contains(word), "{id}: {message}");
    }
    let objects = config_maps(&mut stage, "eu").await.unwrap();
    for name in ["good", "better"] {
        has_value(&objects, name, "a").await;
    }
    let all_four = |words: &str| words.contains("wrong") && words.contains("and 3 more");
    stage
        .operator()
        .unready("mixed", "Invalid", all_four)
        .await
        .unwrap();

    define_widgets(&mut stage).await;
    resources[1] = config_map("wrong", "right");
    resources.remove(4);
    stage
        .operator()
        .release("mixed", "eu", &json!(resources))
        .await
        .unwrap();
    has_value(&objects, "wrong", "right").await;
    let only_one = |words: &str| !words.contains("more");
    stage
        .operator()
        .unready("mixed", "OwnedByAnother", only_one)
        .await
        .unwrap();

    stage.operator().delete("mixed").await.unwrap();
    for name in ["good", "better", "wrong"] {
        support::gone(&mut stage, "eu", name).await;
    }
    let now = in_plane(&mut stage, "eu", "theirs").await.unwrap();
    assert_eq!(
        now.metadata.resource_version.unwrap(),
        theirs,
        "another's object must not be written"
    );
    stage.operator().ready("first", "True").await.unwrap();
    stage.end().await.unwrap();
}

/// Somebody keeps writing what the Release says otherwise: it is put back, at first at once, then less often, and
/// the other is named.
async fn a_fight_is_slowed_down_and_names_the_other(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let resources = json!([config_map("contested", "ours")]);
    stage.operator().release("cart", "eu", &resources).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let contested = config_maps(&mut stage, "eu").await.unwrap();
    let fight = async {
        loop {
            overwrite(&contested, "contested", "meddler").await.unwrap();
            has_value(&contested, "contested", "ours").await;
        }
    };
    let message = tokio::select! {
        () = fight => unreachable!("it goes on for ever"),
        message = stage.operator().blocked("eu", "cart", "contested", "Conflict") => message.unwrap(),
    };
    assert!(message.contains("meddler"), "{message}");
    has_value(&contested, "contested", "ours").await;
    let began = Instant::now();
    overwrite(&contested, "contested", "meddler").await.unwrap();
    has_value(&contested, "contested", "ours").await;
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "put back after {:?}",
        began.elapsed()
    );
    stage.end().await.unwrap();
}

/// What is missing in the control plane is named there, and delivered as soon as it is there. What cannot be
/// delivered as a whole says why.
async fn odd_resources_are_named_and_their_neighbours_served(ground: Ground) {
    let stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let operator = stage.operator();
    let twice = json!([
        config_map("one", "a"),
        entry("one", &config_map("two", "a")["object"])
    ]);
    let same = json!([
        config_map("one", "a"),
        entry("other", &config_map("one", "b")["object"])
    ]);
    let mut nowhere = config_map("nowhere", "a");
    nowhere["object"]["metadata"] = json!({ "name": "nowhere" });
    let odd = [
        (
            "nowhere",
            "eu",
            json!([nowhere]),
            "NotAdmitted",
            "without a namespace",
        ),
        (
            "missing",
            "later",
            json!([config_map("late", "a")]),
            "NoPlane",
            "Environment later",
        ),
        ("twice", "eu", twice, "InvalidSpec", "\"one\""),
        ("same", "eu", same, "InvalidSpec", "keep one"),
    ];
    for (name, environment, resources, _, _) in &odd {
        operator.release(name, environment, resources).await.unwrap();
    }
    for (name, _, _, reason, word) in &odd {
        operator
            .unready(name, reason, |words| words.contains(word))
            .await
            .unwrap();
    }
    let no_object = json!([entry("text", &json!("no object")), entry("empty", &json!({}))]);
    let refused = operator.release("text", "eu", &no_object).await;
    let said = match refused {
        Err(refused) => format!("{refused:#}"),
        Ok(()) => operator.blocked("eu", "text", "text", "Malformed").await.unwrap(),
    };
    assert!(said.contains("object"), "{said}");

    // A status that somebody made up.
    let made_up =
        json!({ "status": { "observedGeneration": 99, "observed": "0".repeat(64), "inventory": [] } });
    operator
        .release("good", "eu", &json!([config_map("good", "a")]))
        .await
        .unwrap();
    operator.ready("good", "True").await.unwrap();
    operator
        .releases()
        .patch_status("good", &PatchParams::default(), &Patch::Merge(&made_up))
        .await
        .unwrap();
    operator
        .release("good", "eu", &json!([config_map("good", "b")]))
        .await
        .unwrap();
    let good = operator.ready("good", "True").await.unwrap();
    assert_eq!(
        good.data["status"]["observedGeneration"].as_i64(),
        good.metadata.generation
    );

    operator.environment("later", "eu").await.unwrap();
    operator.ready("missing", "True").await.unwrap();
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    one_bad_object_stops_itself_only,
    a_fight_is_slowed_down_and_names_the_other,
    odd_resources_are_named_and_their_neighbours_served,
);
