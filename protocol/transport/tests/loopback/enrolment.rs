//! From a token to a certificate, and what else a stranger may do: nothing.

use std::time::{Duration, SystemTime};

use outhaul_protocol_transport::close::{Close, Lost};
use outhaul_protocol_transport::dialer::{Dialer, EnrolError};
use outhaul_protocol_transport::enrolment::{EnrolmentError, Stranger};
use outhaul_protocol_transport::identity::Identity;
use outhaul_protocol_transport::listener::{Arrival, ArrivalError};
use outhaul_protocol_transport::pki::{PrivateKey, SigningRequest};
use outhaul_protocol_transport::testing::TestHub;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::enrolment::{Answer, Refusal};
use outhaul_protocol_wire::ids::PlaneName;

const HOUR: Duration = Duration::from_secs(3600);

async fn stranger(hub: &TestHub) -> Stranger {
    match hub.arrival().await {
        Arrival::Stranger(stranger) => stranger,
        Arrival::Plane(_) => panic!("nobody showed a certificate"),
    }
}

/// Signs whatever is asked for.
async fn sign(hub: &TestHub) {
    let enrolling = stranger(hub).await.request().await.unwrap();
    assert_eq!(
        (enrolling.request.token_id.as_str(), enrolling.request.secret),
        ("test", [9; 32])
    );
    let request = SigningRequest::from_der(&enrolling.request.csr).unwrap();
    let plane = PlaneName::new("eu-1").unwrap();
    let chain = hub
        .authority
        .issue_plane(&request, &plane, SystemTime::now(), HOUR)
        .unwrap();
    let answer = Answer::Enrolled(
        chain
            .into_iter()
            .map(|certificate| certificate.to_vec())
            .collect(),
    );
    enrolling.answer(&answer).await.unwrap();
}

#[tokio::test]
async fn a_token_becomes_a_certificate_that_the_hub_accepts() {
    let hub = TestHub::open();
    let key = PrivateKey::generate().unwrap();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let token = hub.token();
    let enrolling = dialer.enrol(hub.address(), &token, &key, SystemTime::now());
    let ((), enrolled) = tokio::join!(sign(&hub), enrolling);
    let enrolled = enrolled.unwrap();
    assert_eq!(
        (enrolled.plane.as_str(), &enrolled.hub),
        ("eu-1", hub.authority.hub())
    );
    let trust = enrolled.trust();
    let identity = Identity {
        chain: enrolled.chain,
        key,
    };
    let (arrival, link) = tokio::join!(hub.arrival(), dialer.dial(hub.address(), &trust, &identity));
    assert!(matches!(arrival, Arrival::Plane(_)) && link.is_ok());
}

#[tokio::test]
async fn a_refusal_arrives_with_its_reason() {
    let hub = TestHub::open();
    let key = PrivateKey::generate().unwrap();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let token = hub.token();
    let refusing = async {
        let enrolling = stranger(&hub).await.request().await.unwrap();
        enrolling
            .answer(&Answer::Refused(Refusal::TokenExpired))
            .await
            .unwrap();
    };
    let ((), result) = tokio::join!(
        refusing,
        dialer.enrol(hub.address(), &token, &key, SystemTime::now())
    );
    let error = result.unwrap_err();
    assert!(matches!(error, EnrolError::Refused(Refusal::TokenExpired)) && !error.is_retryable());
}

#[tokio::test]
async fn certificates_for_another_key_are_not_kept() {
    let hub = TestHub::open();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let token = hub.token();
    let signing_another = async {
        let enrolling = stranger(&hub).await.request().await.unwrap();
        let chain = hub.identity("eu-1").chain;
        let answer = Answer::Enrolled(
            chain
                .into_iter()
                .map(|certificate| certificate.to_vec())
                .collect(),
        );
        enrolling.answer(&answer).await.unwrap();
    };
    let key = PrivateKey::generate().unwrap();
    let ((), result) = tokio::join!(
        signing_another,
        dialer.enrol(hub.address(), &token, &key, SystemTime::now())
    );
    assert!(matches!(result, Err(EnrolError::Unusable(_))), "{result:?}");
}

#[tokio::test]
async fn an_agent_gives_its_secret_to_no_other_hub() {
    let hub = TestHub::open();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let mut token = hub.token();
    token.authority = Digest::of(b"another authority");
    let arriving = async {
        hub.listener
            .accept()
            .await
            .unwrap()
            .complete(SystemTime::now())
            .await
    };
    let key = PrivateKey::generate().unwrap();
    let (arrival, result) = tokio::join!(
        arriving,
        dialer.enrol(hub.address(), &token, &key, SystemTime::now())
    );
    assert!(
        matches!(arrival, Err(ArrivalError::Lost(_))),
        "the handshake itself fails"
    );
    assert!(matches!(result, Err(EnrolError::Dial(_))), "{result:?}");
}

#[tokio::test]
async fn a_stranger_who_says_nothing_is_shown_out() {
    let hub = TestHub::open();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let link = dialer.dial_as_stranger(hub.address(), hub.authority.key_digest());
    let (stranger, link) = tokio::join!(stranger(&hub), link);
    let (ended, lost) = (stranger.request(), link.unwrap());
    let (ended, lost) = tokio::join!(ended, lost.closed());
    assert!(matches!(ended, Err(EnrolmentError::TooSlow)));
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

#[tokio::test]
async fn a_stranger_gets_no_session_and_no_content() {
    let hub = TestHub::open();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let link = dialer.dial_as_stranger(hub.address(), hub.authority.key_digest());
    let (stranger, link) = tokio::join!(stranger(&hub), link);
    let link = link.unwrap();
    // A request for content is no enrolment request.
    let (ended, fetched) = tokio::join!(stranger.request(), link.fetch(Digest::of(b"content")));
    assert!(ended.is_err() && fetched.is_err());
    let lost = link.closed().await;
    assert!(
        matches!(&lost, Lost::Closed { close: Close::EnrolmentOnly, text } if text.contains("may only enrol")),
        "{lost}"
    );
    assert!(link.open_control().await.is_err());
}

#[tokio::test]
async fn only_a_few_strangers_may_wait_and_planes_come_in_all_the_same() {
    let hub = TestHub::open();
    let dialer = Dialer::udp(hub.address()).unwrap();
    let mut waiting = Vec::new();
    for _ in 0..16 {
        let link = dialer.dial_as_stranger(hub.address(), hub.authority.key_digest());
        let (stranger, link) = tokio::join!(stranger(&hub), link);
        waiting.push((stranger, link.unwrap()));
    }
    let link = dialer.dial_as_stranger(hub.address(), hub.authority.key_digest());
    let arriving = async {
        hub.listener
            .accept()
            .await
            .unwrap()
            .complete(SystemTime::now())
            .await
    };
    let (arrival, link) = tokio::join!(arriving, link);
    assert!(matches!(arrival, Err(ArrivalError::Busy)));
    let lost = link.unwrap().closed().await;
    assert!(
        matches!(
            lost,
            Lost::Closed {
                close: Close::EnrolmentBusy,
                ..
            }
        ),
        "{lost}"
    );
    hub.connect("eu-1").await;
    waiting.pop();
    let link = dialer.dial_as_stranger(hub.address(), hub.authority.key_digest());
    let (_stranger, link) = tokio::join!(stranger(&hub), link);
    assert!(link.is_ok());
}
