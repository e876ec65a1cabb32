//! The agent's way out: dial a hub, or enrol with it.

use std::io;
use std::net::SocketAddr;
use std::time::SystemTime;

use outhaul_protocol_wire::enrolment::{Answer, Refusal, Request};
use outhaul_protocol_wire::ids::{HubId, PlaneName};
use outhaul_protocol_wire::limits::{ENROLMENT_FRAME, HANDSHAKE_TIME};
use outhaul_protocol_wire::token::Token;
use rustls_pki_types::CertificateDer;
use tokio::time::timeout;

use crate::carrier;
use crate::close::{Close, Lost};
use crate::framed::{FrameReader, FrameWriter, ReadError, WriteError};
use crate::identity::{self, HubIdentity, Identity, Rejected, Trust, judge_hub};
use crate::link::{HubLink, Link};
use crate::pki::{PkiError, PrivateKey};
use crate::tls;

/// The name in TLS' server name indication. Nobody checks it: hubs are known by root and SPIFFE id.
const SERVER_NAME: &str = "hub.outhaul.invalid";

/// The hub was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The agent's own key or certificate cannot be used.
    #[error("the agent's identity cannot be used")]
    Identity(#[from] PkiError),
    /// There is no socket to dial from.
    #[error("cannot open a UDP socket")]
    Socket(#[source] io::Error),
    /// The address cannot be dialled.
    #[error("cannot dial {address}: {problem}")]
    Address {
        /// Which.
        address: SocketAddr,
        /// Why not.
        problem: String,
    },
    /// No connection came about.
    #[error("no connection to {address}")]
    Lost {
        /// To where.
        address: SocketAddr,
        /// Why not.
        #[source]
        lost: Lost,
    },
}

/// No certificate.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The hub was not reached.
    #[error("cannot reach the hub to enrol")]
    Dial(#[from] DialError),
    /// The request could not be sent.
    #[error("cannot send the enrolment request")]
    Write(#[from] WriteError),
    /// The answer could not be read.
    #[error("cannot read the answer to the enrolment request")]
    Read(#[from] ReadError),
    /// The hub took too long.
    #[error("the hub did not answer within {} s", HANDSHAKE_TIME.as_secs())]
    TooSlow,
    /// The hub said no.
    #[error("enrolment refused: {0}")]
    Refused(Refusal),
    /// The hub's answer cannot be used.
    #[error("the hub sent certificates that this agent cannot use: {0}")]
    Unusable(String),
}

/// What an enrolled agent keeps, besides its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The plane that it is.
    pub plane: PlaneName,
    /// The hub that it belongs to.
    pub hub: HubId,
    /// Its certificate, and the root.
    pub chain: Vec<CertificateDer<'static>>,
    /// The root of the hub's authority.
    pub root: CertificateDer<'static>,
}

/// A socket to dial from.
#[derive(Debug, Clone)]
pub struct Dialer {
    endpoint: quinn::Endpoint,
}

impl Dialer {
    /// A new UDP socket, for peers of the address family of `towards`. A new dialer for each dial gets a new port,
    /// and with it a new mapping in whatever is between.
    ///
    /// # Errors
    /// There is no socket to be had.
    pub fn udp(towards: SocketAddr) -> Result<Self, DialError> {
        let endpoint = carrier::agent(towards).map_err(DialError::Socket)?;
        Ok(Self { endpoint })
    }

    /// A dialer from a socket of the caller's: one whose buffers suffice for many planes, say.
    ///
    /// # Errors
    /// The socket cannot be used.
    pub fn over(socket: std::net::UdpSocket) -> Result<Self, DialError> {
        let endpoint = carrier::over(socket).map_err(DialError::Socket)?;
        Ok(Self { endpoint })
    }

    /// Dials the hub that `trust` describes, as `identity`.
    ///
    /// # Errors
    /// There is no such hub at `address`.
    pub async fn dial(
        &self,
        address: SocketAddr,
        trust: &Trust,
        identity: &Identity,
    ) -> Result<HubLink, DialError> {
        self.connect(address, trust, Some(identity)).await
    }

    /// Asks the hub that the token names for a certificate of `key`. The same key may ask again with the same token,
    /// until that expires.
    ///
    /// # Errors
    /// There is no certificate; see [`EnrolError::is_retryable`].
    pub async fn enrol(
        &self,
        address: SocketAddr,
        token: &Token,
        key: &PrivateKey,
        now: SystemTime,
    ) -> Result<Enrolled, EnrolError> {
        let csr = key.signing_request().map_err(DialError::from)?;
        let link = self
            .connect(address, &Trust::Authority(token.authority), None)
            .await?;
        let request = Request {
            token_id: token.id.clone(),
            secret: token.secret,
            csr,
        };
        let answer = timeout(HANDSHAKE_TIME, ask(&link, &request))
            .await
            .unwrap_or(Err(EnrolError::TooSlow));
        link.close(Close::Finished, "enrolment over");
        match answer? {
            Answer::Refused(refusal) => Err(EnrolError::Refused(refusal)),
            Answer::Enrolled(chain) => usable(chain, link.peer(), token, key, now),
        }
    }

    /// Dials without a certificate, to see how a hub treats strangers.
    ///
    /// # Errors
    /// There is no such hub at `address`.
    #[cfg(any(test, feature = "testing"))]
    pub async fn dial_as_stranger(
        &self,
        address: SocketAddr,
        authority: outhaul_protocol_wire::digest::Digest,
    ) -> Result<HubLink, DialError> {
        self.connect(address, &Trust::Authority(authority), None).await
    }

    async fn connect(
        &self,
        address: SocketAddr,
        trust: &Trust,
        identity: Option<&Identity>,
    ) -> Result<HubLink, DialError> {
        let config = tls::agent(trust.clone(), identity)?;
        let connecting = self
            .endpoint
            .connect_with(config, address, SERVER_NAME)
            .map_err(|error| DialError::Address {
                address,
                problem: error.to_string(),
            })?;
        let lost = |lost| DialError::Lost { address, lost };
        let connection = timeout(HANDSHAKE_TIME, connecting)
            .await
            .map_err(|_elapsed| lost(Lost::TimedOut))?
            .map_err(|error| lost(error.into()))?;
        let hub = judge_hub(&tls::peer_chain(&connection), trust, SystemTime::now())
            .map_err(|rejected| lost(Lost::Transport(rejected.to_string())))?;
        Ok(Link::new(connection, hub))
    }
}

impl EnrolError {
    /// Whether the same request may succeed later. If not, an operator has to make a new token.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Dial(_) | Self::Write(_) | Self::Read(_) | Self::TooSlow => true,
            Self::Refused(refusal) => refusal.is_retryable(),
            Self::Unusable(_) => false,
        }
    }
}

impl Enrolled {
    /// What an agent enrolled like this trusts.
    pub fn trust(&self) -> Trust {
        Trust::Hub {
            hub: self.hub.clone(),
            root: self.root.clone(),
        }
    }
}

async fn ask(link: &HubLink, request: &Request) -> Result<Answer, EnrolError> {
    let lost = |error: quinn::ConnectionError| WriteError::Lost(error.into());
    let (send, receive) = link.connection.open_bi().await.map_err(lost)?;
    let mut writer = FrameWriter::<Request, ENROLMENT_FRAME>::new(send);
    writer.write(request).await?;
    writer.finish();
    let mut reader = FrameReader::<Answer, ENROLMENT_FRAME>::new(receive);
    reader.read().await?.ok_or(EnrolError::Read(ReadError::Abandoned))
}

/// Checks that the certificates are for this key and come from the authority that the token names, so that what is
/// stored can be used.
fn usable(
    chain: Vec<Vec<u8>>,
    hub: &HubIdentity,
    token: &Token,
    key: &PrivateKey,
    now: SystemTime,
) -> Result<Enrolled, EnrolError> {
    let chain: Vec<CertificateDer<'static>> = chain.into_iter().map(CertificateDer::from).collect();
    let unusable = |rejected: Rejected| EnrolError::Unusable(rejected.to_string());
    let root = identity::authority(&chain, &token.authority).map_err(unusable)?;
    let roots = |_plane: &PlaneName| Ok(vec![root.clone()]);
    let own = identity::judge(&chain, &hub.hub, roots, now).map_err(unusable)?;
    if own.key != key.digest() {
        return Err(EnrolError::Unusable("they are for another key".into()));
    }
    Ok(Enrolled {
        plane: own.plane,
        hub: hub.hub.clone(),
        chain,
        root,
    })
}
