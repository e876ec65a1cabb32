//! How OpenChoreo's control plane dials a plane, declared here only so that it can be refused.
//!
//! The hub holds no way into a plane. A field that a schema does not declare would be pruned without a word, and
//! somebody would believe that the cluster had been connected: so every field is declared, and a rule demands
//! that it be empty. Empty strings pass, since Go clients send them for what is unset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::parse::{is_default, or_default};

/// Address and credentials of a plane's API server; all of it must be empty.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesCluster {
    /// Must be empty: nobody dials the plane.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub server: String,
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClusterTls>,
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<ClusterAuth>,
}

/// How an API server would be verified.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTls {
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<CredentialValue>,
}

/// How the hub would log in.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ClusterAuth {
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtls: Option<MutualTls>,
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<CredentialValue>,
}

/// A client certificate and its key.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MutualTls {
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<CredentialValue>,
    /// Must hold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<CredentialValue>,
}

/// A credential in place, or the name of a Secret.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CredentialValue {
    /// Must be empty.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub secret_ref: String,
    /// Must be empty.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: String,
}

impl core::fmt::Debug for CredentialValue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CredentialValue")
            .field("secret_ref", &self.secret_ref)
            .finish_non_exhaustive()
    }
}

/// Every field that can hold an address or a credential.
const FIELDS: [&str; 9] = [
    "server",
    "tls.ca.value",
    "tls.ca.secretRef",
    "auth.mtls.clientCert.value",
    "auth.mtls.clientCert.secretRef",
    "auth.mtls.clientKey.value",
    "auth.mtls.clientKey.secretRef",
    "auth.bearerToken.value",
    "auth.bearerToken.secretRef",
];

impl KubernetesCluster {
    /// The fields that hold something, by path.
    pub fn filled(&self) -> Vec<&'static str> {
        let fields = serde_json::to_value(self).expect("fields are maps with text keys");
        let holds = |path: &&str| {
            let text = fields.pointer(&format!("/{}", path.replace('.', "/")));
            text.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        };
        FIELDS.into_iter().filter(holds).collect()
    }

    /// Forgets what opens the cluster, and keeps that it is there.
    pub fn redact(&mut self) {
        let ca = self.tls.iter_mut().flat_map(|tls| &mut tls.ca);
        let auth = self.auth.iter_mut().flat_map(|auth| {
            let mtls = auth.mtls.iter_mut();
            let mtls = mtls.flat_map(|mtls| mtls.client_cert.iter_mut().chain(&mut mtls.client_key));
            mtls.chain(&mut auth.bearer_token)
        });
        for credential in ca.chain(auth).filter(|credential| !credential.value.is_empty()) {
            credential.value = "redacted".to_owned();
        }
    }
}

/// The rules for a `kubernetesCluster` of `kind` (dataplane, buildplane), as `x-kubernetes-validations`.
///
/// One rule at the top rather than one per field: kubectl then says once what to do. The rule is ratcheted as a
/// whole, so an object that an older installation stored can still be edited elsewhere.
pub(crate) fn must_be_empty(kind: &str) -> Value {
    let rule = FIELDS
        .map(|path| format!("self.?{}.orValue('') == ''", path.replace('.', ".?")))
        .join(" && ");
    let message = format!(
        "the hub keeps no way into a cluster and stores no credentials of one: leave kubernetesCluster out, run \
         'outhaul plane token NAME --for {kind}/NAMESPACE/NAME', and start the agent in the cluster with that token"
    );
    json!([{ "rule": rule, "message": message }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cluster_holds_is_named_and_not_kept() {
        let stored = json!({
            "server": "https://old.example",
            "tls": {"ca": {"value": "CA"}},
            "auth": {
                "mtls": {"clientCert": {"value": "CERT"}, "clientKey": {"value": "KEY", "secretRef": ""}},
                "bearerToken": {"secretRef": "token"},
            },
        });
        let mut cluster: KubernetesCluster = serde_json::from_value(stored).unwrap();
        let filled = [
            "server",
            "tls.ca.value",
            "auth.mtls.clientCert.value",
            "auth.mtls.clientKey.value",
            "auth.bearerToken.secretRef",
        ];
        assert_eq!(cluster.filled(), filled);
        cluster.redact();
        assert_eq!(cluster.filled(), filled);
        let kept = serde_json::to_string(&cluster).unwrap();
        for secret in ["CA", "CERT", "KEY"] {
            assert!(!kept.contains(secret), "{kept}");
        }
    }

    #[test]
    fn what_go_clients_send_for_nothing_holds_nothing() {
        let empty = json!({"server": "", "tls": {"ca": {"value": ""}}, "auth": {"bearerToken": {}}});
        let cluster: KubernetesCluster = serde_json::from_value(empty).unwrap();
        assert!(cluster.filled().is_empty());
    }
}
