//! The hub's port: handshakes come in, planes and strangers come out.
//!
//! [`Listener::accept`] gives a connection whose handshake is under way; the caller finishes each in a task of its
//! own with [`Arriving::complete`].

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outhaul_protocol_wire::ids::{HubId, PlaneName};
use outhaul_protocol_wire::limits::HANDSHAKE_TIME;
use rustls_pki_types::CertificateDer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::carrier::{self, EndpointSecret};
use crate::close::{self, Close, Lost};
use crate::enrolment::Stranger;
use crate::identity::{self, Identity, Rejected};
use crate::link::{Link, PlaneLink};
use crate::pki::PkiError;
use crate::tls;

/// Strangers at once. Enrolment is rare; sixteen slow ones cost 64 KiB.
const STRANGERS: usize = 16;

/// Handshakes at once. More would only wait for each other's CPU, and the task that reads the socket would wait in line
/// behind them: at 512 a fleet of 10,000 that came back filled the socket's buffer, and 3 % of its dials lost so many
/// datagrams that they came to nothing. Later ones wait as one datagram each.
const HANDSHAKES: usize = 64;

/// How long a handshake counts among those. It takes a few milliseconds of CPU in two round trips; one that takes
/// longer waits for its peer, and nobody else has to wait for that. So while every peer is silent, at most
/// [`HANDSHAKES`] begin in this time, and 1,280 are under way until they are given up.
const TURN: Duration = Duration::from_millis(500);

/// Connections that may wait for their handshake: a fleet of 20,000 that dials at once.
const WAITING: usize = 32 * 1024;

/// How long a port stays open for connections that are over. It is enough to say so once: who does not hear it is told
/// by the reset of whoever listens here next. QUIC itself would wait for three probe timeouts, which after a handshake
/// on a busy machine are many seconds, and a successor waits for the port.
const LINGER: Duration = Duration::from_millis(250);

/// How long it takes to send a last word on every connection that is left.
const FLUSH: Duration = Duration::from_millis(50);

/// Which roots the certificates of a plane may end in, or why it is not admitted. Asked at each handshake, so it
/// should answer from memory.
pub type Roots = Arc<dyn Fn(&PlaneName) -> Result<Vec<CertificateDer<'static>>, Rejected> + Send + Sync>;

/// What a hub listens with.
pub struct ListenerConfig {
    /// Where.
    pub address: SocketAddr,
    /// Its id.
    pub hub: HubId,
    /// Its key and certificates.
    pub identity: Identity,
    /// The secret that its replicas share.
    pub secret: EndpointSecret,
    /// Which planes it admits.
    pub roots: Roots,
}

/// The port did not open.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The identity cannot be used.
    #[error("the hub's identity cannot be used")]
    Identity(#[from] PkiError),
    /// The socket cannot be had.
    #[error("cannot listen on UDP {address}")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A handshake that gave no link. The connection is closed.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// The connection was lost, or TLS failed.
    #[error("handshake failed")]
    Lost(#[from] Lost),
    /// It took too long.
    #[error("no handshake within {} s", HANDSHAKE_TIME.as_secs())]
    TooSlow,
    /// The certificate is not accepted.
    #[error("certificate rejected")]
    Rejected(#[from] Rejected),
    /// Too many strangers at once.
    #[error("more than {STRANGERS} enrolments at once")]
    Busy,
}

/// An open port.
pub struct Listener {
    endpoint: quinn::Endpoint,
    admission: Arc<Admission>,
}

struct Admission {
    hub: HubId,
    roots: Roots,
    handshakes: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// A connection whose handshake is under way.
pub struct Arriving {
    incoming: quinn::Incoming,
    admission: Arc<Admission>,
    turn: OwnedSemaphorePermit,
}

/// Who has arrived.
#[derive(Debug)]
pub enum Arrival {
    /// A plane with an accepted certificate.
    Plane(PlaneLink),
    /// Somebody without a certificate, who may enrol.
    Stranger(Stranger),
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    /// The identity cannot be used, or the port is taken.
    pub fn open(config: ListenerConfig) -> Result<Self, ListenError> {
        let mut server = tls::hub(&config.identity)?;
        server.max_incoming(WAITING);
        let address = config.address;
        let endpoint = carrier::hub(address, &config.secret, server)
            .map_err(|source| ListenError::Socket { address, source })?;
        Ok(Self {
            endpoint,
            admission: Arc::new(Admission {
                hub: config.hub,
                roots: config.roots,
                handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
                strangers: Arc::new(Semaphore::new(STRANGERS)),
            }),
        })
    }

    /// Where it listens: the port, if the configuration left it open.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// The next connection; none once the listener is closed. Waits while too many handshakes have their turn.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn accept(&self) -> Option<Arriving> {
        let turn = self.admission.handshakes.clone().acquire_owned().await.ok()?;
        let incoming = self.endpoint.accept().await?;
        Some(Arriving {
            incoming,
            admission: self.admission.clone(),
            turn,
        })
    }

    /// Closes the port and every connection on it, once the peers were told.
    ///
    /// Whoever dials meanwhile gets no answer, rather than a refusal: it sends again, and finds who listens here then.
    pub async fn close(&self, why: Close, text: &str) {
        let settling = async {
            // Both arms only receive: dropping one loses nothing.
            loop {
                tokio::select! {
                    () = self.endpoint.wait_idle() => return,
                    Some(incoming) = self.endpoint.accept() => incoming.ignore(),
                }
            }
        };
        if timeout(LINGER, settling).await.is_err() {
            // A closed endpoint refuses whoever dials; one that accepts nobody gives no answer.
            self.endpoint.set_server_config(None);
            let code = quinn::VarInt::from_u64(why.code()).unwrap_or(quinn::VarInt::MAX);
            self.endpoint.close(code, text.as_bytes());
            let _told = timeout(FLUSH, self.endpoint.wait_idle()).await;
        }
    }
}

impl Arriving {
    /// Where its datagrams come from.
    pub fn remote_address(&self) -> SocketAddr {
        self.incoming.remote_address()
    }

    /// Gives no answer. The peer sends again, and finds who listens here then.
    pub fn ignore(self) {
        self.incoming.ignore();
    }

    /// Finishes the handshake and judges the certificate at `now`.
    ///
    /// # Errors
    /// There is nobody to talk to.
    pub async fn complete(self, now: SystemTime) -> Result<Arrival, ArrivalError> {
        let connection = timeout(HANDSHAKE_TIME, shaken(self.incoming, self.turn))
            .await
            .map_err(|_elapsed| ArrivalError::TooSlow)?
            .map_err(Lost::from)?;
        let chain = tls::peer_chain(&connection);
        if chain.is_empty() {
            return stranger(connection, &self.admission);
        }
        let Admission { hub, roots, .. } = &*self.admission;
        match identity::judge(&chain, hub, |plane| roots(plane), now) {
            Ok(plane) => Ok(Arrival::Plane(Link::new(connection, plane))),
            Err(rejected) => {
                close::close(&connection, Close::CertificateRejected, &rejected.to_string());
                Err(rejected.into())
            }
        }
    }
}

/// Finishes the handshake, and gives up the turn after [`TURN`].
async fn shaken(
    incoming: quinn::Incoming,
    turn: OwnedSemaphorePermit,
) -> Result<quinn::Connection, quinn::ConnectionError> {
    let mut connecting = pin!(incoming.into_future());
    if let Ok(soon) = timeout(TURN, &mut connecting).await {
        return soon;
    }
    drop(turn);
    connecting.await
}

fn stranger(connection: quinn::Connection, admission: &Admission) -> Result<Arrival, ArrivalError> {
    match admission.strangers.clone().try_acquire_owned() {
        Ok(place) => Ok(Arrival::Stranger(Stranger::new(connection, place))),
        Err(_full) => {
            close::close(
                &connection,
                Close::EnrolmentBusy,
                "too many enrolments at once; try again",
            );
            Err(ArrivalError::Busy)
        }
    }
}
