//! What a hub is started with.

use std::net::SocketAddr;

use outhaul_hub_render::AsOpenChoreo;

use crate::rest::Access;

/// Everything that a hub needs to know at its start.
#[derive(Clone)]
pub struct Config {
    /// A client of the control plane's API server.
    pub client: kube::Client,
    /// The hub's own namespace, for its Secrets. It is made if it is not there.
    pub namespace: String,
    /// Where agents dial, UDP.
    pub agents: SocketAddr,
    /// How tokens name that address, `host:port`. Without it `agents` is named, unless that is 0.0.0.0.
    pub advertise: Option<String>,
    /// Where REST answers, TCP.
    pub rest: SocketAddr,
    /// Who may ask there.
    pub access: Access,
    /// Whether an Environment or DataPlane that a Release's namespace lacks is also looked for in `default`.
    pub fallback: bool,
    /// What stays as OpenChoreo makes it.
    pub as_openchoreo: AsOpenChoreo,
    /// The environment of a component's first binding.
    pub first_environment: String,
    /// Whether hosts of gateways are those that Environments and DataPlanes say.
    pub plane_hosts: bool,
}
