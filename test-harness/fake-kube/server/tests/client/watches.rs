//! Watches, and the watcher of kube on top of them.

use std::time::Duration;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::json;

use crate::support::{cluster, config_map};

#[tokio::test]
async fn a_watch_follows_selectors_and_resumes() -> Result<()> {
    let kube = cluster().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let start = maps
        .list(&ListParams::default())
        .await?
        .metadata
        .resource_version
        .unwrap();
    let mut map = config_map("a", json!({}));
    map.metadata.labels = Some([("app".to_owned(), "web".to_owned())].into());
    maps.create(&PostParams::default(), &map).await?;
    maps.create(&PostParams::default(), &config_map("b", json!({})))
        .await?;
    let off = json!({"metadata": {"labels": {"app": "other"}}});
    maps.patch("a", &PatchParams::default(), &Patch::Merge(off))
        .await?;
    let events = maps
        .watch(&WatchParams::default().labels("app=web").timeout(1), &start)
        .await?;
    let seen: Vec<String> = events.map_ok(|event| shape(&event)).try_collect().await?;
    assert_eq!(seen, ["added a", "deleted a"]);
    Ok(())
}

fn shape(event: &WatchEvent<ConfigMap>) -> String {
    match event {
        WatchEvent::Added(map) => format!("added {}", map.name_any()),
        WatchEvent::Modified(map) => format!("modified {}", map.name_any()),
        WatchEvent::Deleted(map) => format!("deleted {}", map.name_any()),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {}", status.code),
    }
}

#[tokio::test]
async fn the_watcher_of_kube_survives_expiry_in_both_modes() -> Result<()> {
    for config in [
        watcher::Config::default(),
        watcher::Config::default().streaming_lists(),
    ] {
        let kube = cluster().await;
        let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
        maps.create(&PostParams::default(), &config_map("a", json!({})))
            .await?;
        let mut events = watcher(maps.clone(), config)
            .default_backoff()
            .applied_objects()
            .boxed();
        assert_eq!(events.next().await.unwrap()?.name_any(), "a");
        kube.expire_watches("", "configmaps");
        maps.create(&PostParams::default(), &config_map("b", json!({})))
            .await?;
        let found = tokio::time::timeout(Duration::from_secs(10), async {
            while let Some(event) = events.next().await {
                if event.is_ok_and(|map| map.name_any() == "b") {
                    return true;
                }
            }
            false
        });
        assert!(found.await?);
    }
    Ok(())
}
