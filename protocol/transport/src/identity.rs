//! Who a peer is, by its certificates. Pure: the time is an argument.
//!
//! TLS proves that a peer holds the key of the certificate it shows. What that certificate is worth is judged here,
//! on both ends: chain to an accepted root, validity, usage, and exactly one name of ours.

use core::fmt;
use std::time::SystemTime;

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::{HubId, PlaneName};
use rustls_pki_types::CertificateDer;
use webpki::{EndEntityCert, KeyUsage};

use crate::pki::{self, PkiError, PrivateKey};
use crate::spiffe::SpiffeId;

/// Certificates that a peer may show: its own, intermediates, the root. More is an attack on our patience.
const CHAIN: usize = 6;

/// The end of a link that this process is: its key, and the certificates it shows for it.
#[derive(Debug)]
pub struct Identity {
    /// Its own certificate first, the root last.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first.
    pub key: PrivateKey,
}

/// A plane whose certificate the hub accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaneIdentity {
    /// Its name.
    pub plane: PlaneName,
    /// SHA-256 of its public key (SubjectPublicKeyInfo).
    pub key: Digest,
    /// When the certificate expires.
    pub expires: SystemTime,
}

/// A hub whose certificate the agent accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubIdentity {
    /// Its id.
    pub hub: HubId,
}

/// Which hub an agent accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The hub it enrolled with.
    Hub {
        /// Id of the hub.
        hub: HubId,
        /// Root of its certificate authority.
        root: CertificateDer<'static>,
    },
    /// Before enrolment: any hub whose authority has this key (SHA-256 of the SubjectPublicKeyInfo).
    Authority(Digest),
}

/// Why a peer's certificates are not accepted, for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It shows none, or too many.
    #[error("the peer shows {0} certificates; expected 1 to {CHAIN}")]
    Chain(usize),
    /// They cannot be read.
    #[error("the certificate cannot be read: {0}")]
    Damaged(String),
    /// Expired, or not yet valid; most often one of the clocks is wrong.
    #[error("the certificate is not valid at {now} (Unix time, by this end's clock): {problem}")]
    Time {
        /// Time of judgement.
        now: u64,
        /// Which end of its validity.
        problem: &'static str,
    },
    /// Signed by somebody else, or for another use.
    #[error("the certificate is not trusted: {0}")]
    Untrusted(String),
    /// It does not name exactly one party of ours.
    #[error("the certificate names nobody here: {0}")]
    Name(String),
    /// It belongs to another hub.
    #[error("the certificate belongs to hub {found}, expected hub {expected}")]
    OtherHub {
        /// Whose it is.
        found: HubId,
        /// Whose it should be.
        expected: HubId,
    },
    /// It is the hub's where a plane's is expected, or the other way round.
    #[error("the certificate is for {found}, expected {expected}")]
    OtherRole {
        /// Who it is for.
        found: SpiffeId,
        /// Who was expected.
        expected: &'static str,
    },
    /// The plane is revoked or unknown.
    #[error("plane {plane} is not admitted: {problem}")]
    NotAdmitted {
        /// Which plane.
        plane: PlaneName,
        /// Why not.
        problem: String,
    },
}

/// Judges what an agent shows to the hub with id `hub`. `roots` answers which roots the certificates of a plane may
/// end in: the hub's own, or that plane's.
///
/// # Errors
/// The certificates are not accepted.
pub fn judge(
    chain: &[CertificateDer<'_>],
    hub: &HubId,
    roots: impl FnOnce(&PlaneName) -> Result<Vec<CertificateDer<'static>>, Rejected>,
    now: SystemTime,
) -> Result<PlaneIdentity, Rejected> {
    let (leaf, rest) = split(chain)?;
    let parsed = parse(leaf)?;
    let (found, plane) = match name(&parsed)? {
        SpiffeId::Plane(found, plane) => (found, plane),
        found => return Err(role(found, "a plane")),
    };
    same_hub(found, hub)?;
    let roots = roots(&plane)?;
    verify(&parsed, rest, &roots, KeyUsage::client_auth(), now)?;
    Ok(PlaneIdentity {
        plane,
        key: Digest::of(&parsed.subject_public_key_info()),
        expires: pki::expiry(leaf).map_err(damaged)?,
    })
}

/// Judges what a hub shows to an agent.
///
/// # Errors
/// The certificates are not accepted.
pub fn judge_hub(
    chain: &[CertificateDer<'_>],
    trust: &Trust,
    now: SystemTime,
) -> Result<HubIdentity, Rejected> {
    let (leaf, rest) = split(chain)?;
    let parsed = parse(leaf)?;
    let found = match name(&parsed)? {
        SpiffeId::Hub(found) => found,
        found => return Err(role(found, "a hub")),
    };
    let root = match trust {
        Trust::Hub { hub, root } => {
            same_hub(found.clone(), hub)?;
            root.clone()
        }
        Trust::Authority(digest) => authority(rest, digest)?,
    };
    verify(&parsed, rest, &[root], KeyUsage::server_auth(), now)?;
    Ok(HubIdentity { hub: found })
}

/// The certificate in `chain` whose key has this digest.
///
/// # Errors
/// There is none.
pub(crate) fn authority(
    chain: &[CertificateDer<'_>],
    digest: &Digest,
) -> Result<CertificateDer<'static>, Rejected> {
    chain
        .iter()
        .find(|certificate| pki::key_digest(certificate).is_ok_and(|found| found == *digest))
        .map(|certificate| certificate.clone().into_owned())
        .ok_or_else(|| {
            Rejected::Untrusted("the hub's certificate authority is not the one that the token names".into())
        })
}

fn split<'a>(
    chain: &'a [CertificateDer<'a>],
) -> Result<(&'a CertificateDer<'a>, &'a [CertificateDer<'a>]), Rejected> {
    match chain.split_first() {
        Some(parts) if chain.len() <= CHAIN => Ok(parts),
        _ => Err(Rejected::Chain(chain.len())),
    }
}

fn parse<'a>(leaf: &'a CertificateDer<'a>) -> Result<EndEntityCert<'a>, Rejected> {
    EndEntityCert::try_from(leaf).map_err(|error| Rejected::Damaged(error.to_string()))
}

fn name(leaf: &EndEntityCert<'_>) -> Result<SpiffeId, Rejected> {
    let mut names = leaf.valid_uri_names();
    match (names.next(), names.next()) {
        (Some(name), None) => name
            .parse()
            .map_err(|error: crate::spiffe::InvalidSpiffeId| Rejected::Name(error.to_string())),
        (None, _) => Err(Rejected::Name("it has no URI".into())),
        (Some(_), Some(_)) => Err(Rejected::Name("it has more than one URI".into())),
    }
}

fn same_hub(found: HubId, expected: &HubId) -> Result<(), Rejected> {
    match found == *expected {
        true => Ok(()),
        false => Err(Rejected::OtherHub {
            found,
            expected: expected.clone(),
        }),
    }
}

fn role(found: SpiffeId, expected: &'static str) -> Rejected {
    Rejected::OtherRole { found, expected }
}

fn verify(
    leaf: &EndEntityCert<'_>,
    rest: &[CertificateDer<'_>],
    roots: &[CertificateDer<'_>],
    usage: KeyUsage,
    now: SystemTime,
) -> Result<(), Rejected> {
    let anchors: Vec<_> = roots
        .iter()
        .map(webpki::anchor_from_trusted_cert)
        .collect::<Result<_, _>>()
        .map_err(|error| Rejected::Damaged(error.to_string()))?;
    let now = pki::unix_time(now);
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        rest,
        now,
        usage,
        None,
        None,
    )
    .map(|_path| ())
    .map_err(|error| match error {
        webpki::Error::CertExpired { .. } => time(now.as_secs(), "it has expired"),
        webpki::Error::CertNotValidYet { .. } => time(now.as_secs(), "it is not valid yet"),
        webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => {
            Rejected::Untrusted("it was not signed by the expected authority".into())
        }
        other => Rejected::Untrusted(other.to_string()),
    })
}

fn time(now: u64, problem: &'static str) -> Rejected {
    Rejected::Time { now, problem }
}

fn damaged(error: PkiError) -> Rejected {
    Rejected::Damaged(error.to_string())
}

impl fmt::Display for PlaneIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plane {}", self.plane)
    }
}

impl fmt::Display for HubIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hub {}", self.hub)
    }
}
