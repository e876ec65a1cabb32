//! The keys and certificates of one cluster, and the kubeconfigs that carry them.

use std::fs;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::flags::Setup;

/// A certificate and its key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

pub(super) struct Keys {
    authority: String,
    authority_key: String,
    server: Identity,
    administrator: Identity,
    controller_manager: Identity,
    scheduler: Identity,
    service_accounts: KeyPair,
}

impl Keys {
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "cluster authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let authority_key = key.serialize_pem();
        let issuer = Issuer::new(params, key);

        Ok(Self {
            authority: certificate.pem(),
            authority_key,
            server: server(&issuer)?,
            administrator: user(&issuer, "administrator", Some("system:masters"))?,
            controller_manager: user(&issuer, "system:kube-controller-manager", None)?,
            scheduler: user(&issuer, "system:kube-scheduler", None)?,
            service_accounts: KeyPair::generate()?,
        })
    }

    /// Writes everything where [`Setup`] tells the programs to look.
    pub(super) fn write(&self, setup: &Setup) -> io::Result<()> {
        for (name, text) in [
            ("ca.crt", &self.authority),
            ("ca.key", &self.authority_key),
            ("server.crt", &self.server.certificate),
            ("server.key", &self.server.key),
            ("service-accounts.key", &self.service_accounts.serialize_pem()),
            ("service-accounts.pub", &self.service_accounts.public_key_pem()),
        ] {
            fs::write(setup.file(name), text)?;
        }
        fs::write(setup.kubeconfig(), self.kubeconfig(setup))?;
        for (name, user) in [
            ("controller-manager.kubeconfig", &self.controller_manager),
            ("scheduler.kubeconfig", &self.scheduler),
        ] {
            fs::write(setup.file(name), kubeconfig(setup, &self.authority, user))?;
        }
        Ok(())
    }

    /// The administrator's kubeconfig.
    pub(super) fn kubeconfig(&self, setup: &Setup) -> String {
        kubeconfig(setup, &self.authority, &self.administrator)
    }
}

fn server(issuer: &Issuer<'_, KeyPair>) -> Result<Identity, rcgen::Error> {
    let names = [
        "127.0.0.1",
        "10.0.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ];
    let mut params = CertificateParams::new(names.map(str::to_owned))?;
    params
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    signed(issuer, &params)
}

fn user(issuer: &Issuer<'_, KeyPair>, name: &str, group: Option<&str>) -> Result<Identity, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    signed(issuer, &params)
}

fn signed(issuer: &Issuer<'_, KeyPair>, params: &CertificateParams) -> Result<Identity, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok(Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

fn kubeconfig(setup: &Setup, authority: &str, user: &Identity) -> String {
    let server = setup.server_url();
    let [authority, certificate, key] =
        [authority, &user.certificate, &user.key].map(|pem| STANDARD.encode(pem));
    format!(
        "\
apiVersion: v1
kind: Config
current-context: cluster
contexts:
- name: cluster
  context: {{cluster: cluster, user: user}}
clusters:
- name: cluster
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: user
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"
    )
}
