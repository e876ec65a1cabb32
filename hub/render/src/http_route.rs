//! HTTPRoutes: how gateways lead to a component.

use outhaul_hub_resources::RestBackend;
use serde_json::{Value, json};

use crate::{
    binding::Binding,
    domain::Domains,
    draft::{Draft, HTTP_ROUTE, Identity},
    exposure::{self, Level},
    name,
    problem::{Problem, Warning},
};

/// Where the gateways of a plane are.
const GATEWAY_NAMESPACE: &str = "openchoreo-data-plane";

/// What stands for "nothing stripped, nothing added".
const ROOT: &str = "/";

/// Adds the route to one API of a service at one level.
pub(crate) fn add_api(
    draft: &mut Draft<'_>,
    binding: &Binding<'_>,
    api: &str,
    (level, domains): (Level<'_>, Domains<'_>),
    backend: Result<&RestBackend, Problem>,
) {
    let identity = of_api(binding, api, level);
    let object = backend.map(|backend| {
        let spec = route(
            level.gateway(),
            &level.host(binding.environment, domains),
            (
                &exposure::path(binding.owner, &backend.base_path),
                &backend.base_path,
            ),
            (&name::workload(binding.name), backend.port),
        );
        object(binding, &identity.name, spec)
    });
    draft.add(identity, object);
}

/// What the route to an API at one level is called.
pub(crate) fn of_api(binding: &Binding<'_>, api: &str, level: Level<'_>) -> Identity {
    Identity::of(HTTP_ROUTE, name::api_route(binding.name, api, level.name()))
}

/// Adds the routes to the endpoints of a web application, which has a host of its own; the stored ones and no others, where
/// the Deployment behind them stays.
pub(crate) fn add_web(draft: &mut Draft<'_>, binding: &Binding<'_>, domains: Domains<'_>) {
    if draft.keeps_deployment() {
        return draft.keep_routes();
    }
    let host = exposure::web_host(binding.owner, binding.environment, domains);
    let is_host = name::is_subdomain(&host);
    if is_host && !binding.workload.endpoints.is_empty() && !host.split('.').all(name::is_label) {
        draft.warnings.push(Warning::LongHost(host.clone()));
    }
    if binding.workload.endpoints.len() > 1 {
        let endpoints: Vec<_> = binding.workload.endpoints.keys().map(String::as_str).collect();
        draft.warnings.push(Warning::OneAddress {
            endpoints: endpoints.join(", "),
            host: host.clone(),
        });
    }
    for (endpoint, at) in &binding.workload.endpoints {
        let identity = Identity::of(HTTP_ROUTE, name::web_route(binding.name, endpoint));
        let spec = route(
            Level::PUBLIC.gateway(),
            &host,
            (ROOT, ROOT),
            (&name::workload(binding.name), at.port),
        );
        let object = match is_host {
            true => Ok(object(binding, &identity.name, spec)),
            false => Err(Problem::Host {
                object: identity.object(),
                host: host.clone(),
            }),
        };
        draft.add(identity, object);
    }
}

fn object(binding: &Binding<'_>, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": HTTP_ROUTE,
        "metadata": binding.metadata(name),
        "spec": spec,
        "status": {"parents": null},
    })
}

/// From a gateway and host, a prefix rewritten to another, to a Service and port.
fn route(
    gateway: &str,
    host: &str,
    (prefix, rewritten): (&str, &str),
    (service, port): (&str, i32),
) -> Value {
    let rewrite = json!({
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": rewritten}},
    });
    json!({
        "parentRefs": [{"name": gateway, "namespace": GATEWAY_NAMESPACE}],
        "hostnames": [host],
        "rules": [{
            "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
            "filters": [rewrite],
            "backendRefs": [{"name": service, "port": port}],
        }],
    })
}
