//! The first bytes of a session, right and wrong.

use super::*;
use crate::testing::TestHub;

async fn offered(offer: Offer) -> (ControlError, ControlError) {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let (at_hub, at_agent) = tokio::join!(plane.accept_control(), agent.open_control_with(offer));
    (at_hub.err().unwrap(), at_agent.err().unwrap())
}

#[tokio::test]
async fn both_ends_say_who_has_to_be_upgraded() {
    for (offer, words) in [
        (
            Offer { oldest: 0, newest: 0 },
            "upgrade the agent (its workloads run on)",
        ),
        (
            Offer { oldest: 7, newest: 9 },
            "upgrade the hub (the plane's workloads run on)",
        ),
    ] {
        let (at_hub, at_agent) = offered(offer).await;
        for error in [at_hub, at_agent] {
            assert!(
                matches!(&error, ControlError::VersionMismatch(text) if text.ends_with(words)),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn something_else_than_an_offer_closes_the_link() {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let talking = async {
        let (mut send, _receive) = agent.connection.open_bi().await.unwrap();
        send.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        agent.closed().await
    };
    let (at_hub, lost) = tokio::join!(plane.accept_control(), talking);
    assert!(matches!(at_hub, Err(ControlError::NotOurs(_))));
    let expected = Lost::Closed {
        close: Close::Violation,
        text: "the peer does not speak this protocol".into(),
    };
    assert_eq!(lost, expected);
}

#[tokio::test]
async fn a_stream_that_ends_at_once_closes_the_link() {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let talking = async {
        let (mut send, _receive) = agent.connection.open_bi().await.unwrap();
        send.write_all(b"OUT").await.unwrap();
        send.finish().unwrap();
        agent.closed().await
    };
    let (at_hub, lost) = tokio::join!(plane.accept_control(), talking);
    assert!(matches!(at_hub, Err(ControlError::NotOurs(_))), "{lost}");
}

#[tokio::test]
async fn an_agent_that_says_nothing_is_given_up() {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    // From here on time jumps from timer to timer.
    tokio::time::pause();
    let (at_hub, lost) = tokio::join!(plane.accept_control(), agent.closed());
    assert!(matches!(at_hub, Err(ControlError::TooSlow)));
    assert!(
        matches!(
            lost,
            Lost::Closed {
                close: Close::TooSlow,
                ..
            }
        ),
        "{lost}"
    );
}
