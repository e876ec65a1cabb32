//! Who this hub is: its id and certificate authority, the secret of its QUIC endpoint, and its epoch, in one Secret
//! of its own namespace.
//!
//! The Secret is made at the first start, or given beforehand. Of two hubs that start at once one makes it; the other
//! is told that it exists, and reads it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use outhaul_protocol_transport::authority::{Authority, AuthorityPem};
use outhaul_protocol_transport::carrier::EndpointSecret;
use outhaul_protocol_transport::pki::PkiError;
use outhaul_protocol_wire::ids::{Epoch, HubId, Uid};
use tracing::info;

use crate::conflicts::is_conflict;
use crate::random;

/// Name of the Secret.
pub(crate) const NAME: &str = "outhaul-hub";

/// The Namespace that every cluster has from its begin to its end.
const KUBE_SYSTEM: &str = "kube-system";

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
const ENDPOINT: &str = "endpoint.key";
pub(crate) const EPOCH: &str = "epoch";

/// Who this hub is.
pub(crate) struct HubIdentity {
    pub(crate) authority: Authority,
    pub(crate) endpoint: EndpointSecret,
    pub(crate) epoch: Epoch,
}

/// The identity cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The control plane's API server refused.
    #[error("cannot {action} Secret {namespace}/{NAME}")]
    Api {
        /// What was tried.
        action: &'static str,
        /// Namespace of the hub.
        namespace: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
    /// The control plane does not say which one it is.
    #[error(
        "cannot read Namespace {KUBE_SYSTEM}, whose uid tells this control plane from any other; where that is forbidden, \
         apply the roles of this version's chart outhaul-hub: its ClusterRole lets the hub get namespaces"
    )]
    KubeSystem(#[source] Box<kube::Error>),
    /// The same, with an answer.
    #[error("Namespace {KUBE_SYSTEM} has no usable uid")]
    NoUid,
    /// The Secret lacks a field or has a damaged one.
    #[error(
        "Secret {namespace}/{NAME} has no usable {field}; restore it from backup (a new one would be a new hub that no \
         agent knows)"
    )]
    Field {
        /// Namespace of the hub.
        namespace: String,
        /// Which field.
        field: &'static str,
    },
    /// The authority in it is damaged, or a new one cannot be made.
    #[error("the certificate authority cannot be used")]
    Authority(#[from] PkiError),
}

impl IdentityError {
    pub(crate) fn api(action: &'static str, namespace: &str, source: kube::Error) -> Self {
        Self::Api {
            action,
            namespace: namespace.to_owned(),
            source: Box::new(source),
        }
    }

    /// Whether somebody else wrote the Secret in the meantime.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Api { source, .. } if is_conflict(source))
    }
}

/// Reads the hub's identity, and makes it where there is none.
///
/// # Errors
/// The API server refused, or what is stored is damaged.
pub(crate) async fn load(client: &kube::Client, namespace: &str) -> Result<HubIdentity, IdentityError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |action: &'static str| move |source| IdentityError::api(action, namespace, source);
    if let Some(secret) = secrets.get_opt(NAME).await.map_err(failed("read"))? {
        return read(namespace, secret);
    }
    let secret = new_secret(namespace)?;
    match create(client, &secrets, namespace, &secret).await {
        Ok(made) => {
            info!(namespace, "Made a new certificate authority");
            read(namespace, made)
        }
        Err(error) if is_conflict(&error) => {
            let secret = secrets.get(NAME).await.map_err(failed("read"))?;
            read(namespace, secret)
        }
        Err(error) => Err(failed("create")(error)),
    }
}

/// What tells this control plane from one that was rebuilt or cloned, whose Secret may be the same.
///
/// # Errors
/// The API server refused, or its answer has no uid.
pub(crate) async fn kube_system(client: &kube::Client) -> Result<Uid, IdentityError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let found = namespaces.get(KUBE_SYSTEM).await;
    let found = found.map_err(|error| IdentityError::KubeSystem(Box::new(error)))?;
    let uid = found.metadata.uid.and_then(|uid| Uid::new(uid).ok());
    uid.ok_or(IdentityError::NoUid)
}

/// Creates the Secret, and its namespace where that is missing: on a workstation nobody has made it.
async fn create(
    client: &kube::Client,
    secrets: &Api<Secret>,
    namespace: &str,
    secret: &Secret,
) -> kube::Result<Secret> {
    match secrets.create(&PostParams::default(), secret).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let namespaces: Api<Namespace> = Api::all(client.clone());
            let wanted = Namespace {
                metadata: ObjectMeta {
                    name: Some(namespace.to_owned()),
                    ..ObjectMeta::default()
                },
                ..Namespace::default()
            };
            match namespaces.create(&PostParams::default(), &wanted).await {
                Err(error) if !is_conflict(&error) => return Err(error),
                Ok(_) | Err(_) => {}
            }
            secrets.create(&PostParams::default(), secret).await
        }
        result => result,
    }
}

fn new_secret(namespace: &str) -> Result<Secret, IdentityError> {
    let hub = HubId::from_bytes(random::bytes());
    let authority = Authority::generate(&hub, SystemTime::now())?.to_pem();
    let data = [
        (CERTIFICATE, authority.certificate.into_bytes()),
        (KEY, authority.key.into_bytes()),
        (ENDPOINT, random::bytes::<32>().to_vec()),
        (EPOCH, b"1".to_vec()),
    ];
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        type_: Some("outhaul.dev/hub".to_owned()),
        data: Some(
            data.map(|(name, bytes)| (name.to_owned(), ByteString(bytes)))
                .into(),
        ),
        ..Secret::default()
    })
}

fn read(namespace: &str, secret: Secret) -> Result<HubIdentity, IdentityError> {
    let data = secret.data.unwrap_or_default();
    let fields = Fields {
        namespace,
        data: &data,
    };
    let authority = AuthorityPem {
        certificate: fields.text(CERTIFICATE)?,
        key: fields.text(KEY)?,
    };
    let endpoint = fields.bytes(ENDPOINT)?;
    Ok(HubIdentity {
        authority: Authority::from_pem(&authority)?,
        endpoint: EndpointSecret(endpoint.try_into().map_err(|_length| fields.unusable(ENDPOINT))?),
        epoch: fields.epoch()?,
    })
}

/// The epoch in the Secret.
///
/// # Errors
/// There is none, or it is no number.
pub(crate) fn epoch(namespace: &str, secret: &Secret) -> Result<Epoch, IdentityError> {
    static NONE: BTreeMap<String, ByteString> = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&NONE);
    Fields { namespace, data }.epoch()
}

struct Fields<'a> {
    namespace: &'a str,
    data: &'a BTreeMap<String, ByteString>,
}

impl Fields<'_> {
    fn bytes(&self, field: &'static str) -> Result<&[u8], IdentityError> {
        let bytes = self.data.get(field).ok_or_else(|| self.unusable(field))?;
        Ok(&bytes.0)
    }

    fn text(&self, field: &'static str) -> Result<String, IdentityError> {
        let bytes = self.bytes(field)?.to_vec();
        String::from_utf8(bytes).map_err(|_not_text| self.unusable(field))
    }

    fn epoch(&self) -> Result<Epoch, IdentityError> {
        let number = self.text(EPOCH)?.trim().parse();
        number.map(Epoch).map_err(|_not_a_number| self.unusable(EPOCH))
    }

    fn unusable(&self, field: &'static str) -> IdentityError {
        IdentityError::Field {
            namespace: self.namespace.to_owned(),
            field,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back_as_the_same_hub() {
        let secret = new_secret("outhaul-system").unwrap();
        let (first, second) = (
            read("outhaul-system", secret.clone()).unwrap(),
            read("outhaul-system", secret).unwrap(),
        );
        assert_eq!(first.authority.hub(), second.authority.hub());
        assert_eq!(first.authority.key_digest(), second.authority.key_digest());
        assert_eq!(first.epoch, Epoch(1));
    }

    #[test]
    fn a_damaged_field_is_named() {
        for field in [CERTIFICATE, KEY, ENDPOINT, EPOCH] {
            let mut secret = new_secret("outhaul-system").unwrap();
            secret.data.as_mut().unwrap().remove(field);
            let error = read("outhaul-system", secret).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
    }
}
