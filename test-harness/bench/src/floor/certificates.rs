//! Certificates for bare QUIC: one authority, one server, one client that all clients are.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};

/// The name that the server's certificate is for.
pub(crate) const SERVER: &str = "server.invalid";

/// All three.
#[derive(Debug, Serialize, Deserialize)]
pub struct Certificates {
    root: Vec<u8>,
    pub(crate) server: KeyAndCertificate,
    pub(crate) client: KeyAndCertificate,
}

/// One end's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyAndCertificate {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificates {
    /// New ones, with keys of the same kind as ours: ECDSA P-256.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let root = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        Ok(Self {
            root: root.der().to_vec(),
            server: issue(&issuer, SERVER, ExtendedKeyUsagePurpose::ServerAuth)?,
            client: issue(&issuer, "client.invalid", ExtendedKeyUsagePurpose::ClientAuth)?,
        })
    }

    pub(crate) fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.root.clone()))?;
        Ok(roots)
    }
}

impl KeyAndCertificate {
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from(self.certificate.clone())]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

fn issue(
    issuer: &Issuer<'_, KeyPair>,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
) -> Result<KeyAndCertificate> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.extended_key_usages = vec![usage];
    let certificate = params.signed_by(&key, issuer)?;
    Ok(KeyAndCertificate {
        certificate: certificate.der().to_vec(),
        key: key.serialize_der(),
    })
}
