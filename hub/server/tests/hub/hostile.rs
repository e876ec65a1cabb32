//! Peers that mean no good: they are cut off with words, and the others notice nothing.

use std::net::{Ipv4Addr, UdpSocket};

use outhaul_protocol_transport::close::{Close, Lost};
use outhaul_protocol_wire::message::{AgentMessage, Held, HubMessage};
use tokio::time::timeout;

use crate::plane::{Plane, Session, held};
use crate::rig::{PATIENCE, Rig};

async fn closed(session: &Session) -> (Close, String) {
    let lost = timeout(PATIENCE, session.link.closed()).await;
    match lost.expect("the hub closes the connection") {
        Lost::Closed { close, text } => (close, text),
        other => panic!("not closed by the hub: {other}"),
    }
}

#[tokio::test]
async fn a_first_message_that_is_no_hello_ends_the_connection() {
    let rig = Rig::start().await;
    let plane = Plane::enrol(&rig, "eu").await;
    let mut session = plane.dial_silently(&rig).await;
    session.say(AgentMessage::Acknowledge(Vec::new())).await;
    let (close, text) = closed(&session).await;
    assert_eq!(close, Close::Violation);
    assert!(text.contains("hello"), "{text}");
}

#[tokio::test]
async fn breaking_the_protocol_ends_that_session_only() {
    let rig = Rig::start().await;
    let (mut bad, mut good) = (Plane::enrol(&rig, "eu").await, Plane::enrol(&rig, "us").await);
    let (mut in_bad, mut in_good) = (bad.connect(&rig).await, good.connect(&rig).await);
    in_bad.say(AgentMessage::Hello(bad.hello())).await;
    let (close, text) = closed(&in_bad).await;
    assert_eq!(close, Close::Violation, "{text}");
    rig.release("till", "prod").await;
    good.take(&mut in_good, "till").await;
}

#[tokio::test]
async fn what_a_plane_says_about_another_ones_release_changes_nothing() {
    let rig = Rig::start().await;
    let (mut eu, mut us) = (Plane::enrol(&rig, "eu").await, Plane::enrol(&rig, "us").await);
    let (mut in_eu, mut in_us) = (eu.connect(&rig).await, us.connect(&rig).await);
    rig.release("cart", "dev").await;
    let cart = eu.take(&mut in_eu, "cart").await;
    us.report(&mut in_us, &cart, outhaul_protocol_wire::report::Health::Degraded)
        .await;
    in_us.say(AgentMessage::Gone(held(&cart))).await;
    // Its next word is answered after all it said before.
    rig.release("till", "prod").await;
    us.take(&mut in_us, "till").await;
    let status = rig.releases().get("cart").await.unwrap().status.unwrap();
    assert!(status.resources.is_empty() && status.observed.is_none());
}

#[tokio::test]
async fn garbage_on_the_port_harms_nobody() {
    let rig = Rig::start().await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for length in [0, 1, 7, 64, 1_200, 1_500] {
        for byte in [0x00, 0x40, 0xc0, 0xff] {
            socket.send_to(&vec![byte; length], rig.hub.agents()).unwrap();
        }
    }
    let mut plane = Plane::enrol(&rig, "eu").await;
    plane.connect(&rig).await;
}

#[tokio::test]
async fn an_agent_that_dials_again_replaces_its_own_session() {
    let rig = Rig::start().await;
    let mut plane = Plane::enrol(&rig, "eu").await;
    let mut old = plane.connect(&rig).await;
    let mut new = plane.connect(&rig).await;
    old.until(|message| matches!(message, HubMessage::Closing(_)))
        .await;
    rig.release("cart", "dev").await;
    let head = plane.take(&mut new, "cart").await;
    let unknown = Held {
        version: Default::default(),
        ..held(&head)
    };
    new.say(AgentMessage::Acknowledge(vec![unknown])).await;
}
