//! Enrolment: one-time tokens, and the certificates that agents get for them.
//!
//! A token is a Secret of the hub's namespace with the SHA-256 of its secret part; what opens the door is stored
//! nowhere. The first key that shows the secret is bound to the token with a resourceVersion precondition, so of two
//! hubs or two agents one wins. The same key may ask again until the token expires: a lost answer bricks nobody.

mod plane;
mod record;
mod redeeming;

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use outhaul_hub_resources::AdmittedKind;
use outhaul_protocol_transport::authority::Authority;
use outhaul_protocol_wire::digest::{Digest, hex};
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::token::Token;
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::conflicts::is_conflict;
use crate::fleet::Signal;
use crate::random;
use record::Record;

/// How long a token can be redeemed if nobody says otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(3600);

const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// A token is for now, not for a drawer.
const LONGEST_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Expired tokens that are deleted when a new one is made.
const SWEEP: u32 = 500;

/// How long a plane's certificate is valid.
const CERTIFICATE_VALIDITY: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a token is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The plane whose agent may enrol; its Plane is made if there is none.
    pub plane: PlaneName,
    /// A resource that may use the plane, admitted with this if it is not yet.
    pub admits: Option<AdmitRequest>,
    /// How long the token can be redeemed; [`DEFAULT_TTL`] if nothing is said.
    pub ttl: Option<Duration>,
}

/// A DataPlane or BuildPlane that may use a plane: in every namespace there, and to create Namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmitRequest {
    /// Which kind.
    pub kind: AdmittedKind,
    /// Its namespace in the control plane.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A token that was made.
pub struct IssuedToken {
    /// The token, secret included: it is never seen again.
    pub token: Token,
    /// Its plane.
    pub plane: PlaneName,
    /// Until when it can be redeemed.
    pub expires: Timestamp,
}

/// No token was made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token would be valid too long, or not at all.
    #[error("a token can be valid for 1 second to 7 days")]
    Ttl,
    /// The admission has an empty name.
    #[error("the DataPlane or BuildPlane needs a namespace and a name")]
    Admission,
    /// The plane is revoked.
    #[error("plane {0} is revoked; set spec.revoked to false first")]
    PlaneRevoked(PlaneName),
    /// The plane was forgotten.
    #[error("plane {0} was forgotten; set spec.forgotten to false first, or delete the Plane to begin anew")]
    PlaneForgotten(PlaneName),
    /// Agents could not find this hub.
    #[error("the hub does not know its own address; start it with --advertise HOST:PORT")]
    NoAddress,
    /// The control plane's API server refused.
    #[error("cannot {action}")]
    Api {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Makes and redeems tokens. All it needs is in the control plane.
pub(crate) struct Tokens {
    client: kube::Client,
    namespace: String,
    authority: Arc<Authority>,
    /// Where agents find the hub, as tokens say it.
    address: Option<String>,
    signals: mpsc::Sender<Signal>,
}

impl TokenError {
    /// Whether whoever asked has to ask for something else.
    pub fn is_client_fault(&self) -> bool {
        match self {
            Self::Ttl | Self::Admission | Self::PlaneRevoked(_) | Self::PlaneForgotten(_) => true,
            Self::NoAddress | Self::Api { .. } => false,
        }
    }

    fn api(action: &'static str) -> impl Fn(kube::Error) -> Self {
        move |source| Self::Api {
            action,
            source: Box::new(source),
        }
    }

    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api { source, .. } if is_conflict(source))
    }
}

impl Tokens {
    pub(crate) fn new(
        client: kube::Client,
        namespace: String,
        authority: Arc<Authority>,
        address: Option<String>,
        signals: mpsc::Sender<Signal>,
    ) -> Self {
        Self {
            client,
            namespace,
            authority,
            address,
            signals,
        }
    }

    pub(crate) async fn create(&self, request: TokenRequest) -> Result<IssuedToken, TokenError> {
        let ttl = request.ttl.unwrap_or(DEFAULT_TTL);
        if !(SHORTEST_TTL..=LONGEST_TTL).contains(&ttl) {
            return Err(TokenError::Ttl);
        }
        let address = self.address.clone().ok_or(TokenError::NoAddress)?;
        self.prepare_plane(&request).await?;
        self.sweep().await;
        let token = Token {
            hub: address,
            authority: self.authority.key_digest(),
            id: hex(&random::bytes::<8>()),
            secret: random::bytes(),
        };
        let expires = Timestamp::now() + SignedDuration::try_from(ttl).unwrap_or(SignedDuration::ZERO);
        let record = Record {
            plane: request.plane.clone(),
            secret: Digest::of(&token.secret),
            expires,
            key: None,
            replaces: None,
        };
        self.secrets()
            .create(&PostParams::default(), &record.to_secret(&token.id))
            .await
            .map_err(TokenError::api("store the token"))?;
        info!(plane = %request.plane, token = token.id, %expires, "Made an enrolment token");
        Ok(IssuedToken {
            token,
            plane: request.plane,
            expires,
        })
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Deletes tokens that can no longer be redeemed. Failing to is no reason to refuse a new one.
    async fn sweep(&self) {
        let tokens = ListParams::default().labels(record::LABEL).limit(SWEEP);
        let list = match self.secrets().list(&tokens).await {
            Ok(list) => list,
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "Could not look for expired tokens"
                );
                return;
            }
        };
        let now = Timestamp::now();
        for secret in list {
            let expired = Record::read(&secret).is_none_or(|record| record.expires <= now);
            let Some(name) = secret.metadata.name.filter(|_| expired) else {
                continue;
            };
            if let Err(error) = self.secrets().delete(&name, &DeleteParams::default()).await {
                let error: &dyn std::error::Error = &error;
                warn!(name, error, "Could not delete an expired token");
            }
        }
    }
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken")
            .field("plane", &self.plane)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
