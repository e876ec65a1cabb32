//! A hub and its planes over real QUIC on loopback, for tests. Panics instead of returning errors.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outhaul_protocol_wire::ids::{HubId, PlaneName};
use outhaul_protocol_wire::token::Token;

use crate::authority::Authority;
use crate::carrier::EndpointSecret;
use crate::dialer::Dialer;
use crate::identity::Identity;
use crate::link::{HubLink, Link, PlaneLink};
use crate::listener::{Arrival, Listener, ListenerConfig};
use crate::pki::{PrivateKey, SigningRequest};

/// How long certificates made here are valid.
const VALIDITY: Duration = Duration::from_secs(3600);

/// A hub's authority and open port.
pub struct TestHub {
    /// Its certificate authority.
    pub authority: Arc<Authority>,
    /// Its port, on 127.0.0.1.
    pub listener: Listener,
}

impl TestHub {
    /// A hub with an authority of its own, on any port.
    pub fn open() -> Self {
        let hub = HubId::from_bytes([7; 16]);
        let authority = Authority::generate(&hub, SystemTime::now()).expect("an authority can be made");
        Self::open_with(Arc::new(authority), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// A hub with this authority at this address. The endpoint secret is always the same, as replicas and a
    /// restarted hub have it.
    pub fn open_with(authority: Arc<Authority>, address: SocketAddr) -> Self {
        let root = authority.root().clone();
        let listener = Listener::open(ListenerConfig {
            address,
            hub: authority.hub().clone(),
            identity: authority
                .issue_hub(SystemTime::now(), VALIDITY)
                .expect("a hub certificate can be made"),
            secret: EndpointSecret([7; 32]),
            roots: Arc::new(move |_plane| Ok(vec![root.clone()])),
        })
        .expect("the port can be had");
        Self { authority, listener }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address().expect("an open port has an address")
    }

    /// Key and certificate of a plane.
    pub fn identity(&self, plane: &str) -> Identity {
        plane_identity(&self.authority, plane, SystemTime::now(), VALIDITY)
    }

    /// A token for this hub.
    pub fn token(&self) -> Token {
        Token {
            hub: self.address().to_string(),
            authority: self.authority.key_digest(),
            id: "test".into(),
            secret: [9; 32],
        }
    }

    /// Connects a plane. Gives the hub's end, and the agent's.
    pub async fn connect(&self, plane: &str) -> (PlaneLink, HubLink) {
        let identity = self.identity(plane);
        let dialer = Dialer::udp(self.address()).expect("there is a socket to dial from");
        let trust = self.authority.trust();
        let dial = dialer.dial(self.address(), &trust, &identity);
        let (arrival, hub) = tokio::join!(self.arrival(), dial);
        match arrival {
            Arrival::Plane(link) => (link, hub.expect("the hub accepts the plane")),
            Arrival::Stranger(_) => unreachable!("the plane showed a certificate"),
        }
    }

    /// The next to arrive.
    pub async fn arrival(&self) -> Arrival {
        let arriving = self.listener.accept().await.expect("the listener is open");
        arriving
            .complete(SystemTime::now())
            .await
            .expect("the handshake works")
    }
}

/// Key and certificate of a plane, issued at `now`.
pub fn plane_identity(authority: &Authority, plane: &str, now: SystemTime, validity: Duration) -> Identity {
    let key = PrivateKey::generate().expect("a key can be made");
    let request = key.signing_request().expect("a key signs its request");
    let request = SigningRequest::from_der(&request).expect("a fresh request reads back");
    let plane = PlaneName::new(plane).expect("a test uses valid names");
    let chain = authority
        .issue_plane(&request, &plane, now, validity)
        .expect("a plane certificate can be made");
    Identity { chain, key }
}

impl<P> Link<P> {
    /// A stream without frames, to say what no peer should say.
    pub async fn open_raw(&self) -> (quinn::SendStream, quinn::RecvStream) {
        self.connection
            .open_bi()
            .await
            .expect("the link stands and has a stream left")
    }
}
