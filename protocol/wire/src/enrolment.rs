//! Enrolment: the only conversation that a connection without a client certificate may have.
//!
//! One stream, one [`Request`], one [`Answer`], each a frame of at most [`crate::limits::ENROLMENT_FRAME`].

use core::fmt;

use bincode::{Decode, Encode};

/// Asks for a certificate.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Request {
    /// Which token, see [`crate::token::Token`].
    pub token_id: String,
    /// Its secret.
    pub secret: [u8; 32],
    /// A PKCS #10 certificate signing request (RFC 2986) in DER. Only its public key and its proof of possession
    /// count; names in it are ignored.
    pub csr: Vec<u8>,
}

/// What the hub says to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// Certificates in DER, the agent's own first, the root last.
    Enrolled(Vec<Vec<u8>>),
    /// No certificate.
    Refused(Refusal),
}

/// Why an enrolment was refused. A stranger learns no more than the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Refusal {
    /// No such token, or not its secret.
    TokenUnknown,
    /// The token's time is over.
    TokenExpired,
    /// The token was redeemed by another key.
    TokenBoundToAnotherKey,
    /// The plane is revoked.
    PlaneRevoked,
    /// The certificate signing request is damaged, not signed by its key, or of a key type that is not accepted.
    RequestInvalid,
    /// Too many enrolments at once, or the control plane's API server is away.
    TryAgain,
}

impl Refusal {
    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::TryAgain => true,
            Self::TokenUnknown
            | Self::TokenExpired
            | Self::TokenBoundToAnotherKey
            | Self::PlaneRevoked
            | Self::RequestInvalid => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TokenUnknown => "the hub does not know this token; make a new one with `outhaul plane token`",
            Self::TokenExpired => "the token has expired; make a new one with `outhaul plane token`",
            Self::TokenBoundToAnotherKey => {
                "the token was already used with another key; if that was not you, revoke the plane, else make a new \
                 token with `outhaul plane token`"
            }
            Self::PlaneRevoked => "the plane is revoked on the hub",
            Self::RequestInvalid => "the hub cannot use the certificate signing request; use an ECDSA P-256 key",
            Self::TryAgain => "the hub cannot enrol anyone right now; try again",
        })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("token_id", &self.token_id)
            .finish_non_exhaustive()
    }
}
