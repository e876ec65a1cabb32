//! Kubeconfigs: what kubectl, kube clients, hub and agents need to reach a cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// A kubeconfig for one user; JSON, which is YAML too.
pub(crate) fn render(url: &str, ca_pem: &str, user: &str, token: &str) -> String {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {
            "server": url, "certificate-authority-data": STANDARD.encode(ca_pem),
        }}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": user, "namespace": "default"}}],
    });
    format!("{config:#}\n")
}
