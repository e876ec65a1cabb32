//! Keys, signing requests and PEM, as both ends use them.
//!
//! All keys are ECDSA P-256: every TLS library and HSM has it, and signing costs a fraction of RSA.

use core::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul_protocol_wire::digest::Digest;
use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DistinguishedName, KeyPair, PublicKeyData as _,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};

/// What went wrong with a key or certificate of our own.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// Making a key, request or certificate failed.
    #[error("cannot make {what}")]
    Make {
        /// What was to be made.
        what: &'static str,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// PEM text or DER bytes hold something else.
    #[error("cannot read {what}: {problem}")]
    Read {
        /// What was to be read.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl PkiError {
    pub(crate) fn make(what: &'static str) -> impl FnOnce(rcgen::Error) -> Self {
        move |source| Self::Make { what, source }
    }

    pub(crate) fn read(what: &'static str, problem: impl fmt::Display) -> Self {
        let problem = problem.to_string();
        Self::Read { what, problem }
    }
}

/// A private key. `Debug` does not show it.
pub struct PrivateKey(KeyPair);

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, PkiError> {
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
            .map(Self)
            .map_err(PkiError::make("a private key"))
    }

    /// Reads PKCS #8 PEM.
    ///
    /// # Errors
    /// The text holds no P-256 key.
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        KeyPair::from_pkcs8_pem_and_sign_algo(text, &rcgen::PKCS_ECDSA_P256_SHA256)
            .map(Self)
            .map_err(|error| PkiError::read("a private key", error))
    }

    /// PKCS #8 PEM.
    pub fn to_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// SHA-256 of the public key's SubjectPublicKeyInfo: how both ends name a key.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0.subject_public_key_info())
    }

    /// A signing request (PKCS #10, DER) for this key. It names nobody: the hub decides the name.
    ///
    /// # Errors
    /// Signing failed.
    pub fn signing_request(&self) -> Result<Vec<u8>, PkiError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = params
            .serialize_request(&self.0)
            .map_err(PkiError::make("a signing request"))?;
        Ok(request.der().to_vec())
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.0
    }

    pub(crate) fn into_pair(self) -> KeyPair {
        self.0
    }

    pub(crate) fn der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.serialize_der()).into()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {:?})", self.digest())
    }
}

/// A signing request whose sender has proven to hold the key.
#[derive(Debug)]
pub struct SigningRequest {
    pub(crate) public_key: rcgen::PublicKey,
}

impl SigningRequest {
    /// Reads a request and checks its signature. Names and extensions in it are ignored.
    ///
    /// # Errors
    /// The request is damaged, not signed by its key, or the key is not P-256.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let unusable = |problem: &dyn fmt::Display| PkiError::read("a signing request", problem);
        let request =
            CertificateSigningRequestParams::from_der(&der.into()).map_err(|error| unusable(&error))?;
        match request.public_key.algorithm() == &rcgen::PKCS_ECDSA_P256_SHA256 {
            true => Ok(Self {
                public_key: request.public_key,
            }),
            false => Err(unusable(&"the key is not ECDSA P-256")),
        }
    }

    /// How both ends name the key.
    pub fn key(&self) -> Digest {
        Digest::of(&self.public_key.subject_public_key_info())
    }
}

/// The certificates in PEM text, in order.
///
/// # Errors
/// The text has none, or a damaged one.
pub fn certificates_from_pem(text: &str) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    let read = |problem: &dyn fmt::Display| PkiError::read("certificates", problem);
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(read(&"there is no certificate in the text")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(read(&error)),
    }
}

/// PEM text of certificates, in order.
pub fn certificates_to_pem(certificates: &[CertificateDer<'_>]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let body = STANDARD.encode(certificate);
        for line in body.as_bytes().chunks(64) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// SHA-256 of the SubjectPublicKeyInfo of a certificate.
///
/// # Errors
/// The certificate is damaged.
pub fn key_digest(certificate: &CertificateDer<'_>) -> Result<Digest, PkiError> {
    match webpki::EndEntityCert::try_from(certificate) {
        Ok(parsed) => Ok(Digest::of(&parsed.subject_public_key_info())),
        Err(error) => Err(PkiError::read("a certificate", error)),
    }
}

/// When a certificate expires.
///
/// # Errors
/// The certificate is damaged.
pub fn expiry(certificate: &CertificateDer<'_>) -> Result<SystemTime, PkiError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|error| PkiError::read("a certificate", error))?;
    let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or_default();
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Whether a certificate names itself as its issuer, as roots do.
pub(crate) fn is_self_issued(certificate: &CertificateDer<'_>) -> bool {
    x509_parser::parse_x509_certificate(certificate)
        .is_ok_and(|(_, parsed)| parsed.issuer().as_raw() == parsed.subject().as_raw())
}

/// The form of time that certificate checks need. Before 1970 counts as 1970.
pub(crate) fn unix_time(at: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_its_request_proves_possession() {
        let key = PrivateKey::generate().unwrap();
        assert_eq!(
            PrivateKey::from_pem(&key.to_pem()).unwrap().digest(),
            key.digest()
        );
        let request = key.signing_request().unwrap();
        assert_eq!(SigningRequest::from_der(&request).unwrap().key(), key.digest());
    }

    #[test]
    fn a_damaged_request_never_yields_another_key() {
        let key = PrivateKey::generate().unwrap();
        let request = key.signing_request().unwrap();
        for at in 0..request.len() {
            let mut damaged = request.clone();
            damaged[at] ^= 1;
            // Some bytes around the signature are redundant.
            if let Ok(read) = SigningRequest::from_der(&damaged) {
                assert_eq!(read.key(), key.digest(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_request_with_another_kind_of_key_is_refused() {
        let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let foreign = CertificateParams::default().serialize_request(&other).unwrap();
        assert!(SigningRequest::from_der(foreign.der()).is_err());
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = PrivateKey::generate().unwrap();
        let shown = format!("{key:?}");
        assert!(shown.len() < 64 && !shown.contains("BEGIN"), "{shown}");
    }
}
