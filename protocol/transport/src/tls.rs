//! TLS 1.3 for both ends: keys are proven here, certificates are judged by [`crate::identity`].

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::identity::{Identity, Trust, judge_hub};
use crate::pki::{self, PkiError};

/// The one application protocol. Versions of the messages are agreed on the control stream, where there are words.
const ALPN: &[u8] = b"outhaul/1";

/// The hub's side: shows `identity`, asks for a client certificate and takes a connection without one, too.
pub(crate) fn hub(identity: &Identity) -> Result<quinn::ServerConfig, PkiError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PossessionOnly(provider.signature_verification_algorithms));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|builder| {
            builder
                .with_client_cert_verifier(verifier)
                .with_single_cert(identity.chain.clone(), identity.key.der())
        })
        .map_err(|error| PkiError::read("the hub's identity", error))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session would skip expiry and revocation.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    let crypto =
        QuicServerConfig::try_from(config).map_err(|error| PkiError::read("the hub's identity", error))?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(crate::quic::hub());
    let mut no_tokens = quinn::ValidationTokenConfig::default();
    no_tokens.sent(0);
    config.validation_token_config(no_tokens);
    Ok(config)
}

/// The agent's side: accepts the hub that `trust` describes, and shows `identity` where there is one.
pub(crate) fn agent(trust: Trust, identity: Option<&Identity>) -> Result<quinn::ClientConfig, PkiError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(OurHub {
        trust,
        algorithms: provider.signature_verification_algorithms,
    });
    let unusable = |error: Error| PkiError::read("the agent's identity", error);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder
            .with_client_auth_cert(without_root(&identity.chain), identity.key.der())
            .map_err(unusable)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    let crypto =
        QuicClientConfig::try_from(config).map_err(|error| PkiError::read("the agent's identity", error))?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(crate::quic::agent());
    Ok(config)
}

/// A hub has the roots of its planes, and would keep every certificate that is shown for as long as the connection.
fn without_root(chain: &[CertificateDer<'static>]) -> Vec<CertificateDer<'static>> {
    match chain {
        [shown @ .., last] if !shown.is_empty() && pki::is_self_issued(last) => shown.to_vec(),
        chain => chain.to_vec(),
    }
}

/// Takes any client certificate, once its key is proven.
#[derive(Debug)]
struct PossessionOnly(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for PossessionOnly {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Takes the hub that this agent belongs to, under whatever address it was reached.
#[derive(Debug)]
struct OurHub {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for OurHub {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<_> = core::iter::once(end_entity)
            .chain(intermediates)
            .cloned()
            .collect();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_secs());
        match judge_hub(&chain, &self.trust, now) {
            Ok(_hub) => Ok(ServerCertVerified::assertion()),
            Err(rejected) => Err(Error::General(rejected.to_string())),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What the peer of an established connection shows.
pub(crate) fn peer_chain(connection: &quinn::Connection) -> Vec<CertificateDer<'static>> {
    connection
        .peer_identity()
        .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok())
        .map(|chain| *chain)
        .unwrap_or_default()
}
