//! What a Release becomes in its plane, from its creation to its deletion.

use crate::support::{self, config_map, in_plane, uid_of};
use outhaul_scenarios::{Ground, Stage};
use serde_json::json;

/// Create, edit, shrink, remove: each arrives, and nothing else changes.
async fn a_release_arrives_changes_shrinks_and_goes(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu"]).await.unwrap();
    let two = json!([config_map("one", "a"), config_map("two", "a")]);
    stage.operator().release("cart", "eu", &two).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    let first = uid_of(&mut stage, "eu", "one").await.unwrap();
    assert_eq!(
        in_plane(&mut stage, "eu", "two").await.unwrap().data["data"]["value"],
        "a"
    );

    let edited = json!([config_map("one", "b"), config_map("two", "a")]);
    stage.operator().release("cart", "eu", &edited).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    assert_eq!(
        in_plane(&mut stage, "eu", "one").await.unwrap().data["data"]["value"],
        "b"
    );

    let one = json!([config_map("one", "b")]);
    stage.operator().release("cart", "eu", &one).await.unwrap();
    stage.operator().ready("cart", "True").await.unwrap();
    support::gone(&mut stage, "eu", "two").await;
    assert_eq!(
        uid_of(&mut stage, "eu", "one").await.unwrap(),
        first,
        "an edit must not replace an object"
    );

    stage.operator().delete("cart").await.unwrap();
    support::gone(&mut stage, "eu", "one").await;
    stage.end().await.unwrap();
}

/// Two planes get what is meant for them, and nothing of each other.
async fn two_planes_get_what_is_theirs(ground: Ground) {
    let mut stage = Stage::start(&ground, &["eu", "us"]).await.unwrap();
    for plane in ["eu", "us"] {
        let resources = json!([config_map("settings", plane)]);
        stage
            .operator()
            .release(&format!("cart-{plane}"), plane, &resources)
            .await
            .unwrap();
    }
    for plane in ["eu", "us"] {
        stage
            .operator()
            .ready(&format!("cart-{plane}"), "True")
            .await
            .unwrap();
        let settings = in_plane(&mut stage, plane, "settings").await.unwrap();
        assert_eq!(settings.data["data"]["value"], plane);
        let labels = settings.metadata.labels.unwrap();
        assert_eq!(labels["openchoreo.dev/release-name"], format!("cart-{plane}"));
    }
    stage.end().await.unwrap();
}

support::on_both_grounds!(
    a_release_arrives_changes_shrinks_and_goes,
    two_planes_get_what_is_theirs
);
