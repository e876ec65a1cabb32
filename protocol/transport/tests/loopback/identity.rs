//! Who is let in, and what the others are told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outhaul_protocol_transport::authority::Authority;
use outhaul_protocol_transport::carrier::EndpointSecret;
use outhaul_protocol_transport::close::{Close, Lost};
use outhaul_protocol_transport::dialer::{DialError, Dialer};
use outhaul_protocol_transport::identity::{Identity, Rejected, Trust};
use outhaul_protocol_transport::listener::{Arrival, ArrivalError, Listener, ListenerConfig};
use outhaul_protocol_transport::pki::{self, PrivateKey};
use outhaul_protocol_transport::testing::{TestHub, plane_identity};
use outhaul_protocol_wire::ids::HubId;

const HOUR: Duration = Duration::from_secs(3600);

/// Dials as `identity`; gives what the hub made of it, and what the agent was told.
async fn turned_away(hub: &TestHub, identity: &Identity) -> (ArrivalError, String) {
    let dialer = Dialer::udp(hub.address()).unwrap();
    let arriving = async {
        let arriving = hub.listener.accept().await.unwrap();
        arriving.complete(SystemTime::now()).await
    };
    let trust = hub.authority.trust();
    let (arrival, link) = tokio::join!(arriving, dialer.dial(hub.address(), &trust, identity));
    // TLS alone does not turn anybody away: the words come with the close.
    match link.unwrap().closed().await {
        Lost::Closed {
            close: Close::CertificateRejected,
            text,
        } => (arrival.unwrap_err(), text),
        other => panic!("expected a rejection, got {other}"),
    }
}

/// Dials a hub that does not pass for the one trusted; gives the agent's words.
async fn refused(address: SocketAddr, listener: &Listener, trust: &Trust, identity: &Identity) -> String {
    let dialer = Dialer::udp(address).unwrap();
    let arriving = async { listener.accept().await.unwrap().complete(SystemTime::now()).await };
    let (arrival, link) = tokio::join!(arriving, dialer.dial(address, trust, identity));
    assert!(matches!(arrival, Err(ArrivalError::Lost(_))));
    match link.unwrap_err() {
        DialError::Lost { lost, .. } => lost.to_string(),
        other => panic!("expected a lost connection, got {other}"),
    }
}

#[tokio::test]
async fn both_ends_learn_who_the_other_is() {
    let hub = TestHub::open();
    let identity = hub.identity("eu-1");
    let dialer = Dialer::udp(hub.address()).unwrap();
    let trust = hub.authority.trust();
    let (arrival, agent) = tokio::join!(hub.arrival(), dialer.dial(hub.address(), &trust, &identity));
    let Arrival::Plane(plane) = arrival else {
        panic!("a certificate was shown")
    };
    assert_eq!(plane.peer().plane.as_str(), "eu-1");
    assert_eq!(plane.peer().key, identity.key.digest());
    assert_eq!(plane.peer().expires, pki::expiry(&identity.chain[0]).unwrap());
    assert_eq!(&agent.unwrap().peer().hub, hub.authority.hub());
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_turned_away() {
    let hub = TestHub::open();
    let impostor = Authority::generate(hub.authority.hub(), SystemTime::now()).unwrap();
    let identity = plane_identity(&impostor, "eu-1", SystemTime::now(), HOUR);
    let (error, text) = turned_away(&hub, &identity).await;
    assert!(
        matches!(error, ArrivalError::Rejected(Rejected::Untrusted(_))),
        "{error:?}"
    );
    assert_eq!(
        text,
        "the certificate is not trusted: it was not signed by the expected authority"
    );
}

#[tokio::test]
async fn a_plane_of_another_hub_is_turned_away() {
    let hub = TestHub::open();
    let other = Authority::generate(&HubId::from_bytes([8; 16]), SystemTime::now()).unwrap();
    let identity = plane_identity(&other, "eu-1", SystemTime::now(), HOUR);
    let (error, text) = turned_away(&hub, &identity).await;
    assert!(
        matches!(error, ArrivalError::Rejected(Rejected::OtherHub { .. })),
        "{error:?}"
    );
    assert!(text.contains(other.hub().as_str()), "{text}");
}

#[tokio::test]
async fn an_expired_certificate_is_turned_away() {
    let hub = TestHub::open();
    let long_ago = SystemTime::now() - 100 * HOUR;
    let identity = plane_identity(&hub.authority, "eu-1", long_ago, HOUR);
    let (_, text) = turned_away(&hub, &identity).await;
    assert!(text.ends_with("it has expired"), "{text}");
    let later = SystemTime::now() + 100 * HOUR;
    let identity = plane_identity(&hub.authority, "eu-1", later, HOUR);
    let (_, text) = turned_away(&hub, &identity).await;
    assert!(text.ends_with("it is not valid yet"), "{text}");
}

#[tokio::test]
async fn a_hub_is_no_plane() {
    let hub = TestHub::open();
    let identity = hub.authority.issue_hub(SystemTime::now(), HOUR).unwrap();
    let (error, _) = turned_away(&hub, &identity).await;
    assert!(
        matches!(error, ArrivalError::Rejected(Rejected::OtherRole { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_revoked_plane_is_turned_away() {
    let authority = Authority::generate(&HubId::from_bytes([7; 16]), SystemTime::now()).unwrap();
    let listener = Listener::open(ListenerConfig {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        hub: authority.hub().clone(),
        identity: authority.issue_hub(SystemTime::now(), HOUR).unwrap(),
        secret: EndpointSecret([7; 32]),
        roots: Arc::new(|plane| {
            Err(Rejected::NotAdmitted {
                plane: plane.clone(),
                problem: "it is revoked".into(),
            })
        }),
    })
    .unwrap();
    let hub = TestHub {
        authority: Arc::new(authority),
        listener,
    };
    let (_, text) = turned_away(&hub, &hub.identity("eu-1")).await;
    assert_eq!(text, "plane eu-1 is not admitted: it is revoked");
}

#[tokio::test]
async fn an_agent_does_not_talk_to_another_hub() {
    let hub = TestHub::open();
    let identity = hub.identity("eu-1");
    let Trust::Hub { root, .. } = hub.authority.trust() else {
        unreachable!("an authority trusts its hub")
    };
    let other_id = Trust::Hub {
        hub: HubId::from_bytes([8; 16]),
        root,
    };
    let text = refused(hub.address(), &hub.listener, &other_id, &identity).await;
    assert!(text.contains("the certificate belongs to hub 0707"), "{text}");
    let impostor = Authority::generate(hub.authority.hub(), SystemTime::now()).unwrap();
    let text = refused(hub.address(), &hub.listener, &impostor.trust(), &identity).await;
    assert!(text.contains("not signed by the expected authority"), "{text}");
}

#[tokio::test]
async fn a_plane_cannot_pass_for_the_hub() {
    let hub = TestHub::open();
    let root = hub.authority.root().clone();
    let impostor = Listener::open(ListenerConfig {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        hub: hub.authority.hub().clone(),
        identity: hub.identity("evil"),
        secret: EndpointSecret([1; 32]),
        roots: Arc::new(move |_plane| Ok(vec![root.clone()])),
    })
    .unwrap();
    let address = impostor.address().unwrap();
    let text = refused(address, &impostor, &hub.authority.trust(), &hub.identity("eu-1")).await;
    assert!(text.contains("/plane/evil, expected a hub"), "{text}");
}

#[tokio::test]
async fn a_certificate_is_worth_nothing_without_its_key() {
    let hub = TestHub::open();
    let stolen = Identity {
        chain: hub.identity("eu-1").chain,
        key: PrivateKey::generate().unwrap(),
    };
    let dialer = Dialer::udp(hub.address()).unwrap();
    let dialled = dialer.dial(hub.address(), &hub.authority.trust(), &stolen).await;
    assert!(
        matches!(dialled, Err(DialError::Identity(_))),
        "rustls checks that the key belongs to the certificate"
    );
}

#[tokio::test]
async fn an_authority_reads_back_and_issues_for_the_same_hub() {
    let hub = TestHub::open();
    let pem = hub.authority.to_pem();
    let again = Authority::from_pem(&pem).unwrap();
    assert_eq!(
        (again.hub(), again.key_digest()),
        (hub.authority.hub(), hub.authority.key_digest())
    );
    let restarted = TestHub::open_with(Arc::new(again), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let identity = hub.identity("eu-1");
    let dialer = Dialer::udp(restarted.address()).unwrap();
    let trust = hub.authority.trust();
    let (arrival, link) = tokio::join!(
        restarted.arrival(),
        dialer.dial(restarted.address(), &trust, &identity)
    );
    assert!(matches!(arrival, Arrival::Plane(_)) && link.is_ok());
    let other = Authority::generate(&HubId::from_bytes([8; 16]), SystemTime::now())
        .unwrap()
        .to_pem();
    let mut mixed = pem;
    mixed.key = other.key;
    let error = Authority::from_pem(&mixed).err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot read an authority: its key belongs to another certificate"
    );
}
