//! Where the endpoints of a binding are reached.

use outhaul_hub_resources::{EndpointAccess, EndpointStatus, EndpointType, WorkloadEndpoint};

use crate::{
    binding::Binding,
    exposure::{GATEWAY_PORT, GATEWAY_SCHEME},
    name,
};

/// From components of the same project and environment: the Kubernetes Service.
pub(crate) fn project(binding: &str, endpoint: &WorkloadEndpoint) -> EndpointAccess {
    access(
        name::workload(binding),
        endpoint.port,
        scheme(endpoint),
        String::new(),
    )
}

/// Through a gateway.
pub(crate) fn gateway(host: String, base_path: String) -> EndpointAccess {
    access(host, GATEWAY_PORT, GATEWAY_SCHEME, base_path)
}

/// One entry per endpoint of the workload, in the order of their names: OpenChoreo has them in random order.
pub(crate) fn of(
    binding: &Binding<'_>,
    mut gateways: impl FnMut(&str, &WorkloadEndpoint) -> (Option<EndpointAccess>, Option<EndpointAccess>),
) -> Vec<EndpointStatus> {
    let status = |(name, endpoint): (&String, &WorkloadEndpoint)| {
        let (organization, public) = gateways(name, endpoint);
        EndpointStatus {
            name: name.clone(),
            r#type: endpoint.r#type.into(),
            project: Some(project(binding.name, endpoint)),
            organization,
            public,
        }
    };
    binding.workload.endpoints.iter().map(status).collect()
}

/// The same access under another name of its host.
pub(crate) fn at_host(known: &EndpointAccess, host: String) -> EndpointAccess {
    access(host, known.port, &known.scheme, known.base_path.clone())
}

fn access(host: String, port: i32, scheme: &str, base_path: String) -> EndpointAccess {
    let uri = uri(&host, port, scheme, &base_path);
    EndpointAccess {
        host,
        port,
        scheme: scheme.to_owned(),
        base_path,
        uri,
    }
}

fn scheme(endpoint: &WorkloadEndpoint) -> &'static str {
    match (endpoint.r#type, endpoint.port) {
        (EndpointType::Grpc, _) => "grpc",
        (EndpointType::Websocket, _) => "ws",
        (EndpointType::Http | EndpointType::Rest | EndpointType::GraphQl, 443 | 8443) => "https",
        (EndpointType::Http | EndpointType::Rest | EndpointType::GraphQl, _) => "http",
        (EndpointType::Tcp | EndpointType::Udp, _) => "",
    }
}

/// The port that a scheme has by itself is left out.
fn uri(host: &str, port: i32, scheme: &str, base_path: &str) -> String {
    let slash = match base_path {
        "" => "",
        path if path.starts_with('/') => "",
        _ => "/",
    };
    match (scheme, port) {
        ("", _) => format!("{host}:{port}"),
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}{slash}{base_path}"),
        _ => format!("{scheme}://{host}:{port}{slash}{base_path}"),
    }
}
