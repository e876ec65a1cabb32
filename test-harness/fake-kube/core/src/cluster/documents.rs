//! Everything under paths that are no resource: version, health, discovery, OpenAPI.

mod discovery;
mod openapi;

use serde_json::json;

use crate::cluster::Cluster;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{Form, Request};
use crate::schema::Builtins;

/// Answers a path that is no resource.
pub(super) fn answer(cluster: &Cluster, path: &str, request: &Request) -> Result<Reply, Refusal> {
    let registry = &cluster.registry;
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let aggregated = request.form == Form::AggregatedDiscovery;
    match segments.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Ok(Reply::text("ok")),
        ["version"] => Ok(Reply::value(version())),
        ["api" | "apis", ..] if request.form == Form::Unknown => Err(Refusal::not_acceptable()),
        ["api"] if aggregated => Ok(discovery::aggregated(registry, true)),
        ["apis"] if aggregated => Ok(discovery::aggregated(registry, false)),
        ["api"] => Ok(Reply::value(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
        }))),
        ["api", version] => discovery::resources(registry, "", version),
        ["apis"] => Ok(Reply::value(discovery::groups(registry))),
        ["apis", group] => discovery::group(registry, group),
        ["apis", group, version] => discovery::resources(registry, group, version),
        ["openapi", "v3"] => Ok(Reply::value(openapi::index(cluster))),
        ["openapi", "v3", "api", version] => openapi::document(cluster, "", version),
        ["openapi", "v3", "apis", group, version] => openapi::document(cluster, group, version),
        [] => Ok(Reply::value(
            json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz", "/version"]}),
        )),
        _ => Ok(Reply::no_such_path()),
    }
}

fn version() -> serde_json::Value {
    let version = Builtins::load().version();
    let mut parts = version.split('.');
    json!({
        "major": parts.next(), "minor": parts.next(), "gitVersion": format!("v{version}"),
        "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
    })
}
