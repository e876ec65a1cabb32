//! Injected faults, one by one.

use std::time::Duration;

use anyhow::Result;
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{
    Api, DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use outhaul_fake_kube_server::{FakeKube, Fault, FaultRule, User, Verb};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{cluster, code, config_map};

async fn maps() -> (FakeKube, Api<ConfigMap>) {
    let kube = cluster().await;
    let maps = Api::default_namespaced(kube.client());
    (kube, maps)
}

async fn create(maps: &Api<ConfigMap>, name: &str) -> kube::Result<ConfigMap> {
    maps.create(&PostParams::default(), &config_map(name, json!({})))
        .await
}

#[tokio::test]
async fn an_injected_fault_is_met_as_often_as_asked() -> Result<()> {
    let (kube, maps) = maps().await;
    kube.inject(
        FaultRule::always(Fault::InternalError)
            .on_verb(Verb::Create)
            .on_resource("", "configmaps")
            .times(2),
    );
    for _ in 0..2 {
        assert_eq!(code(create(&maps, "a").await).0, 500);
    }
    create(&maps, "a").await?;
    assert_eq!(kube.faults_met(), 2);
    Ok(())
}

#[tokio::test]
async fn refusals_have_the_codes_of_the_real_server() -> Result<()> {
    for (fault, expected) in [
        (
            Fault::TooManyRequests { retry_after: 1 },
            (429, "TooManyRequests"),
        ),
        (Fault::Forbidden, (403, "Forbidden")),
        (Fault::NotServed, (404, "NotFound")),
        (Fault::Conflict, (409, "Conflict")),
        (Fault::InternalError, (500, "InternalError")),
    ] {
        let (kube, maps) = maps().await;
        kube.inject(FaultRule::always(fault).times(1));
        let (code, reason) = code(create(&maps, "a").await);
        assert_eq!((code, reason.as_str()), expected);
        create(&maps, "a").await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn latency_holds_requests_back_and_slow_admission_only_writes() -> Result<()> {
    let (kube, maps) = maps().await;
    let second = Duration::from_secs(1);
    kube.inject(FaultRule::always(Fault::Latency(second, second * 2)));
    kube.inject(FaultRule::always(Fault::SlowAdmission(second * 10, second * 10)));
    let start = Instant::now();
    create(&maps, "a").await?;
    assert!((11..=12).contains(&start.elapsed().as_secs()));
    let start = Instant::now();
    maps.get("a").await?;
    assert!((1..=2).contains(&start.elapsed().as_secs()));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_did_nothing_and_one_with_a_lost_answer_was_done() -> Result<()> {
    let (kube, maps) = maps().await;
    kube.inject(FaultRule::always(Fault::NoAnswer).times(1));
    let waiting = tokio::time::timeout(Duration::from_secs(30), create(&maps, "a")).await;
    assert!(waiting.is_err(), "there is an answer");
    assert_eq!(code(maps.get("a").await).0, 404);
    kube.inject(FaultRule::always(Fault::LostAnswer).times(1));
    let lost = create(&maps, "a").await.unwrap_err();
    assert!(!matches!(lost, kube::Error::Api(_)), "{lost}");
    maps.get("a").await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_comes_long_after_its_event() -> Result<()> {
    let (kube, maps) = maps().await;
    let second = Duration::from_secs(1);
    let late = FaultRule::always(Fault::LateAnswer(second * 5, second * 6));
    kube.inject(late.on_verb(Verb::Create));
    let events = maps.watch(&WatchParams::default(), "0").await?;
    let mut events = std::pin::pin!(events);
    let start = Instant::now();
    let made = create(&maps, "a");
    let mut made = std::pin::pin!(made);
    tokio::select! {
        event = events.try_next() => assert!(matches!(event?, Some(WatchEvent::Added(_)))),
        _ = &mut made => panic!("the answer was first"),
    }
    assert!(start.elapsed() < second);
    made.await?;
    assert!((second * 5..second * 7).contains(&start.elapsed()));
    Ok(())
}

#[tokio::test]
async fn only_status_writes_of_one_user_fail() -> Result<()> {
    let kube = cluster().await;
    let user = User::new("somebody", &["system:masters"]);
    kube.inject(
        FaultRule::always(Fault::InternalError)
            .on_subresource("status")
            .of_user("somebody"),
    );
    let theirs: Api<Namespace> = Api::all(kube.client_as(user));
    let ours: Api<Namespace> = Api::all(kube.client());
    let change = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    let none = PatchParams::default();
    theirs.patch("default", &none, &change).await?;
    assert_eq!(code(theirs.patch_status("default", &none, &change).await).0, 500);
    ours.patch_status("default", &none, &change).await?;
    Ok(())
}

#[tokio::test]
async fn stale_reads_show_what_was_but_nothing_older_than_asked_for() -> Result<()> {
    let (kube, maps) = maps().await;
    create(&maps, "kept").await?;
    let second = create(&maps, "gone").await?;
    maps.delete("gone", &DeleteParams::default()).await?;
    let change = Patch::Merge(json!({"data": {"k": "new"}}));
    maps.patch("kept", &PatchParams::default(), &change).await?;
    kube.inject(FaultRule::always(Fault::StaleRead { versions: 2 }));
    let list = maps.list(&ListParams::default().match_any()).await?;
    assert_eq!(list.metadata.resource_version, second.metadata.resource_version);
    let names: Vec<_> = list
        .items
        .iter()
        .map(|map| map.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["gone", "kept"]);
    assert_eq!(maps.get_with("kept", &GetParams::any()).await?.data, None);
    assert!(
        maps.get("kept").await?.data.is_some(),
        "a quorum answers what names no version"
    );
    let version = (second.metadata.resource_version.unwrap().parse::<u64>()? + 1).to_string();
    let list = maps.list(&ListParams::default().at(&version)).await?;
    assert_eq!(list.items.len(), 1, "what was asked for is newer than the lag");
    kube.clear_faults();
    assert_eq!(maps.get("kept").await?.data.unwrap()["k"], "new");
    Ok(())
}

/// How a watch ends that has two events to deliver, and meets the fault at the first.
async fn watched(fault: Fault) -> Result<(usize, String)> {
    let (kube, maps) = maps().await;
    kube.inject(FaultRule::always(fault).on_verb(Verb::Watch));
    create(&maps, "a").await?;
    create(&maps, "b").await?;
    let events = maps.watch(&WatchParams::default().timeout(5), "0").await?;
    let mut events = std::pin::pin!(events);
    let mut seen = 0;
    Ok(loop {
        match events.try_next().await {
            Ok(Some(WatchEvent::Error(status))) => break (seen, format!("error {}", status.code)),
            Ok(Some(WatchEvent::Bookmark(_))) => {}
            Ok(Some(_)) => seen += 1,
            Ok(None) => break (seen, "over".to_owned()),
            Err(_) => break (seen, "broken".to_owned()),
        }
    })
}

#[tokio::test]
async fn watches_break_end_and_expire() -> Result<()> {
    let (within, end) = (0, |(_, end): (usize, String)| end);
    assert_eq!(end(watched(Fault::CutWatch { within }).await?), "broken");
    assert_eq!(watched(Fault::EndWatch { within }).await?, (0, "over".to_owned()));
    assert_eq!(
        watched(Fault::ExpireWatch { within }).await?,
        (0, "error 410".to_owned())
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_slow_watch_delivers_late_what_it_delivers() -> Result<()> {
    let second = Duration::from_secs(1);
    let start = Instant::now();
    let (seen, end) = watched(Fault::DelayWatch(second * 3, second * 4)).await?;
    assert_eq!((seen, end.as_str()), (2, "over"));
    assert!(start.elapsed() >= second * 3);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_is_lost_and_a_mute_one_ends_by_its_timeout() -> Result<()> {
    let second = Duration::from_secs(1);
    let start = Instant::now();
    let lost = watched(Fault::LoseWatch(second * 2, second * 3)).await?;
    assert_eq!(lost, (2, "broken".to_owned()));
    assert!((second * 2..second * 4).contains(&start.elapsed()));
    let start = Instant::now();
    let mute = watched(Fault::MuteWatch { within: 0 }).await?;
    assert_eq!(mute, (0, "over".to_owned()));
    assert!(start.elapsed() >= second * 5);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_a_busy_kind_ends_in_time() -> Result<()> {
    let (kube, maps) = maps().await;
    let first = create(&maps, "a").await?.metadata.resource_version.unwrap();
    // More than one delivery takes.
    const CHANGES: usize = 600;
    for n in 0..CHANGES {
        let change = Patch::Merge(json!({"data": {"n": n.to_string()}}));
        maps.patch("a", &PatchParams::default(), &change).await?;
    }
    let second = Duration::from_secs(1);
    kube.inject(FaultRule::always(Fault::DelayWatch(second * 2, second * 2)).on_verb(Verb::Watch));
    let events = maps.watch(&WatchParams::default().timeout(2), &first).await?;
    let seen: Vec<_> = events.try_collect().await?;
    assert!((1..CHANGES).contains(&seen.len()), "{} events", seen.len());
    Ok(())
}
