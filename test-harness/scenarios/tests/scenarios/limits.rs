//! How large a Release may be, and what is said of one that is larger.

use crate::support::{self, config_map, config_maps};
use kube::api::ListParams;
use outhaul_protocol_wire::limits::{OBJECTS, SPEC_BYTES};
use outhaul_scenarios::{Ground, Stage};
use serde_json::{Value, json};

/// Owner and environment of the spec that `resources` stand in.
const AROUND: usize = 512;

/// `count` ConfigMaps that together have `bytes`.
fn resources(count: usize, bytes: usize) -> Value {
    let bare = config_map("part-0000", "").to_string().len() + 1;
    let filling = "x".repeat((bytes / count).saturating_sub(bare));
    (0..count)
        .map(|number| config_map(&format!("part-{number:04}"), &filling))
        .collect()
}

/// The largest Release is delivered whole. What is over a limit says which, and its neighbours are served.
async fn a_release_at_the_limit_arrives_and_one_over_it_is_named(ground: Ground) {
    let mut stage = Stage::start_bare(&ground, &["eu"]).await.unwrap();
    let over = [
        ("long", resources(100, SPEC_BYTES + 4096), "1048576"),
        ("many", resources(OBJECTS + 1, 0), "1000"),
    ];
    for (name, resources, _) in &over {
        stage.operator().release(name, "eu", resources).await.unwrap();
    }
    for (name, _, word) in &over {
        let named = |words: &str| words.contains(word);
        stage
            .operator()
            .unready(name, "InvalidSpec", named)
            .await
            .unwrap();
    }
    assert_eq!(delivered(&mut stage).await, 0);

    let largest = resources(OBJECTS, SPEC_BYTES - AROUND);
    assert!(largest.to_string().len() > SPEC_BYTES - 4096);
    stage.operator().release("largest", "eu", &largest).await.unwrap();
    stage
        .operator()
        .release("small", "eu", &json!([config_map("small", "a")]))
        .await
        .unwrap();
    stage.operator().ready("small", "True").await.unwrap();
    let largest = stage.operator().ready("largest", "True").await.unwrap();
    assert_eq!(
        largest.data["status"]["resources"].as_array().unwrap().len(),
        OBJECTS
    );
    assert_eq!(delivered(&mut stage).await, OBJECTS + 1);
    stage.end().await.unwrap();
}

/// Objects of Releases in the plane.
async fn delivered(stage: &mut Stage) -> usize {
    let ours = ListParams::default().labels("openchoreo.dev/managed-by=release-controller");
    config_maps(stage, "eu")
        .await
        .unwrap()
        .list(&ours)
        .await
        .unwrap()
        .items
        .len()
}

support::on_both_grounds!(a_release_at_the_limit_arrives_and_one_over_it_is_named);
