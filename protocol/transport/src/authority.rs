//! The hub's certificate authority: one root, which signs the hub's certificate and those of its planes.
//!
//! The hub id is minted with it and is in the root's own name, so that both are backed up together and neither can be
//! lost without the other. Times are arguments.

use std::time::{Duration, SystemTime};

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::{HubId, PlaneName};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use crate::identity::{Identity, Trust};
use crate::pki::{self, PkiError, PrivateKey, SigningRequest};
use crate::spiffe::SpiffeId;

/// How long a root is valid: its successor has to reach every plane first, and planes may be cut off for months.
pub const ROOT_VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Certificates are valid from this long ago, for clocks that are behind.
const SKEW: Duration = Duration::from_secs(3600);

/// A certificate authority with its key.
pub struct Authority {
    hub: HubId,
    root: CertificateDer<'static>,
    key_digest: Digest,
    issuer: Issuer<'static, KeyPair>,
}

/// An authority as text, to be stored.
#[derive(Clone)]
pub struct AuthorityPem {
    /// The root certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new authority for the hub with this id.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate(hub: &HubId, now: SystemTime) -> Result<Self, PkiError> {
        let key = PrivateKey::generate()?;
        let mut params = params(&SpiffeId::Authority(hub.clone()), now, ROOT_VALIDITY)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = common_name(&format!("Outhaul hub {hub}"));
        let root = params
            .self_signed(key.pair())
            .map_err(PkiError::make("a root certificate"))?;
        Self::new(root.der().clone(), key)
    }

    /// Reads a stored authority.
    ///
    /// # Errors
    /// The text is damaged, certificate and key do not belong together, or the root names no hub.
    pub fn from_pem(pem: &AuthorityPem) -> Result<Self, PkiError> {
        let key = PrivateKey::from_pem(&pem.key)?;
        match pki::certificates_from_pem(&pem.certificate)?.as_slice() {
            [root] => Self::new(root.clone(), key),
            several => Err(PkiError::read(
                "an authority",
                format_args!("expected one root certificate, found {}", several.len()),
            )),
        }
    }

    fn new(root: CertificateDer<'static>, key: PrivateKey) -> Result<Self, PkiError> {
        let key_digest = pki::key_digest(&root)?;
        if key_digest != key.digest() {
            return Err(PkiError::read(
                "an authority",
                "its key belongs to another certificate",
            ));
        }
        Ok(Self {
            hub: hub_of(&root)?,
            issuer: Issuer::from_ca_cert_der(&root, key.into_pair()).map_err(PkiError::make("an issuer"))?,
            root,
            key_digest,
        })
    }

    /// The authority as text.
    pub fn to_pem(&self) -> AuthorityPem {
        AuthorityPem {
            certificate: pki::certificates_to_pem(core::slice::from_ref(&self.root)),
            key: self.issuer.key().serialize_pem(),
        }
    }

    /// Id of its hub.
    pub fn hub(&self) -> &HubId {
        &self.hub
    }

    /// Its root certificate.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// SHA-256 of its public key, as tokens carry it.
    pub fn key_digest(&self) -> Digest {
        self.key_digest
    }

    /// What an agent of this hub trusts.
    pub fn trust(&self) -> Trust {
        Trust::Hub {
            hub: self.hub.clone(),
            root: self.root.clone(),
        }
    }

    /// A new key and certificate for the hub itself.
    ///
    /// # Errors
    /// Signing failed.
    pub fn issue_hub(&self, now: SystemTime, validity: Duration) -> Result<Identity, PkiError> {
        let key = PrivateKey::generate()?;
        let id = SpiffeId::Hub(self.hub.clone());
        // Replicas call each other: the hub is a client, too.
        let usage = [
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = self.issue(&id, &usage, key.pair(), now, validity)?;
        Ok(Identity {
            chain: vec![certificate.der().clone(), self.root.clone()],
            key,
        })
    }

    /// A certificate for a plane and the key of its request; the root follows it.
    ///
    /// # Errors
    /// Signing failed.
    pub fn issue_plane(
        &self,
        request: &SigningRequest,
        plane: &PlaneName,
        now: SystemTime,
        validity: Duration,
    ) -> Result<Vec<CertificateDer<'static>>, PkiError> {
        let id = SpiffeId::Plane(self.hub.clone(), plane.clone());
        let usage = [ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = self.issue(&id, &usage, &request.public_key, now, validity)?;
        Ok(vec![certificate.der().clone(), self.root.clone()])
    }

    fn issue(
        &self,
        id: &SpiffeId,
        usage: &[ExtendedKeyUsagePurpose],
        key: &impl PublicKeyData,
        now: SystemTime,
        validity: Duration,
    ) -> Result<Certificate, PkiError> {
        let mut params = params(id, now, validity)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usage.to_vec();
        params.use_authority_key_identifier_extension = true;
        params
            .signed_by(key, &self.issuer)
            .map_err(PkiError::make("a certificate"))
    }
}

/// What all certificates have in common. Their subject stays empty where nobody reads it: names are URIs.
fn params(id: &SpiffeId, now: SystemTime, validity: Duration) -> Result<CertificateParams, PkiError> {
    let uri = id
        .to_string()
        .try_into()
        .map_err(PkiError::make("a certificate name"))?;
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.serial_number = Some(serial_number()?);
    params.not_before = epoch + now.saturating_sub(SKEW);
    params.not_after = epoch + (now + validity);
    Ok(params)
}

/// 127 random bits: positive, and never the same twice.
fn serial_number() -> Result<SerialNumber, PkiError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_unspecified| PkiError::read("randomness", "the system gives none"))?;
    bytes[0] &= 0x7f;
    Ok(SerialNumber::from_slice(&bytes))
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn hub_of(root: &CertificateDer<'_>) -> Result<HubId, PkiError> {
    let parsed =
        webpki::EndEntityCert::try_from(root).map_err(|error| PkiError::read("a root certificate", error))?;
    let hub = parsed.valid_uri_names().find_map(|name| match name.parse() {
        Ok(SpiffeId::Authority(hub)) => Some(hub),
        Ok(SpiffeId::Hub(_) | SpiffeId::Plane(..)) | Err(_) => None,
    });
    hub.ok_or_else(|| PkiError::read("a root certificate", "it names no hub (spiffe://<hub-id>)"))
}
