//! The stream of events, frame by frame.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures::StreamExt as _;
use http::{Method, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

use super::api_server::{ADMIN, GUEST};
use super::{Access, Hub, request, samples};
use crate::handle::FleetEvent;
use outhaul_protocol_wire::ids::PlaneName;

/// A client of server-sent events.
struct Follower(BodyDataStream);

#[derive(Debug, Default, PartialEq)]
struct Frame {
    event: String,
    id: String,
    data: Value,
    comment: bool,
}

impl Follower {
    async fn join(hub: &Hub, query: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = request(Method::GET, &format!("/api/v1/events{query}"), Some(token));
        if let Some(last) = last {
            request
                .headers_mut()
                .insert("last-event-id", last.parse().unwrap());
        }
        let response = hub.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self(response.into_body().into_data_stream())
    }

    /// Joins and takes the first frame, which has no event, only an id.
    async fn welcome(hub: &Hub, query: &str) -> (Self, String) {
        let mut follower = Self::join(hub, query, ADMIN, None).await;
        let frame = follower.next().await.unwrap();
        assert_eq!(frame.event, "");
        (follower, frame.id)
    }

    /// None where the hub ended the stream.
    async fn next(&mut self) -> Option<Frame> {
        let chunk = timeout(Duration::from_secs(60), self.0.next())
            .await
            .expect("no event came");
        let chunk = chunk?.unwrap();
        Some(Frame::parse(std::str::from_utf8(&chunk).unwrap()))
    }
}

impl Frame {
    fn parse(text: &str) -> Self {
        let mut frame = Self::default();
        for line in text.lines() {
            match line
                .split_once(':')
                .map(|(field, value)| (field, value.trim_start()))
            {
                Some(("event", value)) => frame.event = value.to_owned(),
                Some(("id", value)) => frame.id = value.to_owned(),
                Some(("data", value)) => frame.data = serde_json::from_str(value).unwrap(),
                Some(("", _)) => frame.comment = true,
                Some(("retry", _)) | None => {}
                Some((field, _)) => panic!("field {field}"),
            }
        }
        frame
    }
}

#[tokio::test]
async fn changes_arrive_as_the_things_they_left() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "").await;
    let mut plane = samples::plane("us");
    plane.queue.unacknowledged = 7;
    hub.fleet.put_plane(plane.clone());
    let frame = follower.next().await.unwrap();
    assert_eq!(
        (frame.event.as_str(), frame.data),
        ("plane", serde_json::to_value(plane).unwrap())
    );
    hub.fleet.put_bundle(samples::bundle("eu", "search"));
    let frame = follower.next().await.unwrap();
    assert_eq!(
        (frame.event.as_str(), &frame.data["name"]),
        ("bundle", &"search".into())
    );
    hub.fleet.remove_bundle("eu", samples::bundle_name("search"));
    let frame = follower.next().await.unwrap();
    let expected =
        serde_json::json!({"plane": "eu", "kind": "Release", "namespace": "shop", "name": "search"});
    assert_eq!((frame.event.as_str(), frame.data), ("gone", expected));
}

#[tokio::test]
async fn who_follows_one_plane_hears_of_that_plane_only() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "?plane=us").await;
    hub.fleet.put_bundle(samples::bundle("eu", "cart"));
    hub.fleet.put_plane(samples::plane("us"));
    assert_eq!(follower.next().await.unwrap().data["name"], "us");
}

#[tokio::test]
async fn who_comes_back_hears_of_what_it_missed_once() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "").await;
    hub.fleet.put_plane(samples::plane("eu"));
    let last = follower.next().await.unwrap().id;
    drop(follower);
    let (mut witness, _) = Follower::welcome(&hub, "").await;
    for _ in 0..3 {
        hub.fleet.put_bundle(samples::bundle("eu", "cart"));
    }
    hub.fleet.put_plane(samples::plane("us"));
    while witness.next().await.unwrap().event != "plane" {}
    let mut follower = Follower::join(&hub, "", ADMIN, Some(&last)).await;
    let frames = [
        follower.next().await.unwrap(),
        follower.next().await.unwrap(),
        follower.next().await.unwrap(),
    ];
    assert_eq!(
        frames.each_ref().map(|frame| frame.event.as_str()),
        ["", "bundle", "plane"]
    );
    let ids = frames.each_ref().map(|frame| frame.id.as_str());
    assert_eq!(
        (ids[0], ids[1]),
        (last.as_str(), last.as_str()),
        "half of what was missed is not a place to go on"
    );
    assert_ne!(ids[2], last);
}

#[tokio::test]
async fn who_was_with_another_process_starts_anew() {
    let hub = Hub::start(Access::Tokens);
    for last in ["0123.4", "garbage", "00000000000000000000000000000000.99"] {
        let mut follower = Follower::join(&hub, "", ADMIN, Some(last)).await;
        let mut frame = follower.next().await.unwrap();
        if frame.event.is_empty() {
            frame = follower.next().await.unwrap();
        }
        assert_eq!(frame.event, "reset", "{last}");
    }
}

#[tokio::test]
async fn who_does_not_read_gets_a_reset_and_then_what_is_new() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "").await;
    // More than is remembered, from the same task: nothing is read meanwhile, and the recorder lags as well.
    for number in 0..20_000 {
        let name = PlaneName::new(format!("plane-{number}")).unwrap();
        hub.fleet.tell(FleetEvent::Plane(name));
    }
    while follower.next().await.unwrap().event != "reset" {}
    hub.fleet.put_bundle(samples::bundle("eu", "cart"));
    loop {
        let frame = follower.next().await.unwrap();
        if frame.event == "bundle" {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_lives() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "").await;
    let start = tokio::time::Instant::now();
    let frame = follower.next().await.unwrap();
    assert!(frame.comment && frame.event.is_empty());
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn the_stream_ends_with_the_hub() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "").await;
    hub.closing.cancel();
    assert_eq!(follower.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn no_stream_outlives_its_token_for_long() {
    let hub = Hub::start(Access::Tokens);
    let (mut silent, _) = Follower::welcome(&hub, "").await;
    let (mut busy, _) = Follower::welcome(&hub, "").await;
    hub.api_server.withdraw(ADMIN);
    let start = tokio::time::Instant::now();
    while silent.next().await.is_some() {}
    assert!(start.elapsed().as_secs() <= 30, "{:?}", start.elapsed());
    for _ in 0..100 {
        hub.fleet.put_plane(samples::plane("eu"));
        if busy.next().await.is_none() {
            return;
        }
    }
    panic!("a stream with always something to tell never checks its token");
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_while_nobody_can_tell() {
    let hub = Hub::start(Access::Tokens);
    let (mut follower, _) = Follower::welcome(&hub, "").await;
    hub.api_server.go_away();
    for _ in 0..3 {
        assert!(follower.next().await.unwrap().comment);
    }
}

#[tokio::test]
async fn a_stream_is_refused_without_rights() {
    let hub = Hub::start(Access::Tokens);
    let refused = hub
        .send(request(Method::GET, "/api/v1/events", Some(GUEST)))
        .await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}
