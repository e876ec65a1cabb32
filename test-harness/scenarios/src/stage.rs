//! A control plane with a hub, and planes with agents that reach it through a network that can fail.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::config::Kubeconfig;
use outhaul_agent_runner::IdentityPlace;
use outhaul_faults::UdpProxy;
use outhaul_hub_server::rest::Access;
use tokio::sync::oneshot;

use crate::cluster::{self, Cluster, Role};
use crate::ground::Ground;
use crate::operator::Operator;
use crate::poll;
use crate::rights::{self, Rights};
use crate::running::Running;

/// Namespace of the programs' own Secrets, in each cluster.
pub const SYSTEM: &str = "outhaul-system";

/// Longer than anything that is not stuck: on two busy cores a real API server takes seconds to start.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long a killed program may keep its ports.
const PORTS: Duration = Duration::from_secs(5);

/// A control plane with a hub, and planes with agents. Dropping it ends everything.
pub struct Stage {
    /// The control plane's cluster.
    pub control: Cluster,
    /// The planes, by name.
    pub planes: BTreeMap<String, Plane>,
    operator: Operator,
    rights: Rights,
    hub: Option<Running>,
    addresses: Addresses,
}

/// A plane: a cluster, its way to the hub, and its agent.
pub struct Plane {
    /// Its cluster.
    pub cluster: Cluster,
    /// Its way to the hub.
    pub network: UdpProxy,
    access: AgentAccess,
    agent: Option<Running>,
}

/// Where a hub listens.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    agents: SocketAddr,
    rest: SocketAddr,
}

impl Stage {
    /// A stage with one plane for each of `planes`, and for each an Environment and a DataPlane of its name; all
    /// agents are connected.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(ground: &Ground, planes: &[&str]) -> Result<Self> {
        Self::set_up(ground, planes, Role::ControlPlane, Role::Plane).await
    }

    /// The same, and agents too may do what their chart lets them and nothing else.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start_by_the_charts(ground: &Ground, planes: &[&str]) -> Result<Self> {
        let mut stage = Self::start(ground, &[]).await?;
        for name in planes {
            let cluster = Cluster::start(ground, Role::Plane).await?;
            let access = AgentAccess::Chart(Rights::grant(&cluster, rights::AGENT).await?);
            stage.add(name, cluster, access).await?;
        }
        Ok(stage)
    }

    /// The same on clusters without controllers: cheaper, and nothing moves by itself.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start_bare(ground: &Ground, planes: &[&str]) -> Result<Self> {
        Self::set_up(ground, planes, Role::BareControlPlane, Role::BarePlane).await
    }

    /// The same with controllers in the control plane alone: what belongs to something goes with it there, and nothing
    /// moves by itself in planes.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start_with_bare_planes(ground: &Ground, planes: &[&str]) -> Result<Self> {
        Self::set_up(ground, planes, Role::ControlPlane, Role::BarePlane).await
    }

    async fn set_up(ground: &Ground, planes: &[&str], control: Role, plane: Role) -> Result<Self> {
        let clusters = planes.iter().map(|_| Cluster::start(ground, plane));
        let control = Cluster::start(ground, control);
        let (control, clusters) = tokio::try_join!(control, futures::future::try_join_all(clusters))?;
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let rights = Rights::grant(&control, rights::HUB).await?;
        let (hub, addresses) = start_hub(
            &rights,
            Addresses {
                agents: anywhere,
                rest: anywhere,
            },
        )
        .await?;
        let operator = Operator::appoint(&control.client().await?, addresses.rest).await?;
        let mut stage = Self {
            control,
            planes: BTreeMap::new(),
            operator,
            rights,
            hub: Some(hub),
            addresses,
        };
        for (name, cluster) in planes.iter().zip(clusters) {
            stage.add_plane(name, cluster).await?;
        }
        Ok(stage)
    }

    /// Adds a plane and enrols its agent.
    ///
    /// # Errors
    /// It does not connect.
    pub async fn add_plane(&mut self, name: &str, cluster: Cluster) -> Result<()> {
        let access = AgentAccess::Administrator(cluster.kubeconfig().clone());
        self.add(name, cluster, access).await
    }

    async fn add(&mut self, name: &str, cluster: Cluster, access: AgentAccess) -> Result<()> {
        self.operator.declare(name).await?;
        let token = self.operator.token(name).await?;
        let network = UdpProxy::start(self.addresses.agents).await?;
        let mut plane = Plane {
            cluster,
            network,
            access,
            agent: None,
        };
        plane.start_agent(Some(&token))?;
        self.planes.insert(name.to_owned(), plane);
        self.connected(name, true).await
    }

    /// Who runs the control plane: REST and the command line.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Where REST answers.
    pub fn rest(&self) -> SocketAddr {
        self.addresses.rest
    }

    /// Where agents dial, without a proxy in between.
    pub fn agents(&self) -> SocketAddr {
        self.addresses.agents
    }

    /// A plane of the stage.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn plane(&mut self, name: &str) -> Result<&mut Plane> {
        self.planes
            .get_mut(name)
            .with_context(|| format!("the stage has no plane {name}"))
    }

    /// Waits until the hub says that a plane's agent is connected, or that it is not.
    ///
    /// # Errors
    /// It does not become so.
    pub async fn connected(&self, plane: &str, wanted: bool) -> Result<()> {
        let what = format!("plane {plane} connected: {wanted}");
        poll::until(&what, PATIENCE, || async {
            let view = self
                .operator
                .rest()
                .get(&format!("/api/v1/planes/{plane}"))
                .await?;
            ensure!(
                view.get("connection").is_some_and(|c| !c.is_null()) == wanted,
                "{view}"
            );
            Ok(())
        })
        .await
    }

    /// Ends the hub as SIGTERM does.
    ///
    /// # Errors
    /// It failed.
    pub async fn stop_hub(&mut self) -> Result<()> {
        self.hub.take().context("the hub runs")?.stop().await
    }

    /// Ends the hub as SIGKILL does.
    pub fn kill_hub(&mut self) {
        self.hub = None;
    }

    /// Starts the hub again, on the addresses it had.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart_hub(&mut self) -> Result<()> {
        // A killed program gives its ports back a moment later.
        let start = || start_hub(&self.rights, self.addresses);
        let (hub, _) = poll::until("the hub starts again", PORTS, start).await?;
        self.hub = Some(hub);
        Ok(())
    }

    /// Starts another control plane in the place of this one: of what was in it, only the hub's Secret is kept.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn rebuild_control_plane(&mut self, ground: &Ground) -> Result<()> {
        self.stop_hub().await?;
        let secrets = |client: Client| Api::<Secret>::namespaced(client, SYSTEM);
        let kept = secrets(self.control.client().await?).get("outhaul-hub").await?;
        let control = Cluster::start(ground, Role::BareControlPlane).await?;
        self.rights = Rights::grant(&control, rights::HUB).await?;
        let secret = Secret {
            metadata: ObjectMeta {
                name: kept.metadata.name,
                ..ObjectMeta::default()
            },
            ..kept
        };
        secrets(control.client().await?)
            .create(&PostParams::default(), &secret)
            .await?;
        self.control = control;
        self.restart_hub().await?;
        self.operator = Operator::appoint(&self.control.client().await?, self.addresses.rest).await?;
        Ok(())
    }

    /// Ends everything in order: agents, then the hub.
    ///
    /// # Errors
    /// A program failed, or tried what its chart does not let it.
    pub async fn end(mut self) -> Result<()> {
        for plane in self.planes.values_mut() {
            plane.stop_agent().await?;
            if let AgentAccess::Chart(rights) = &plane.access {
                rights.were_enough()?;
            }
        }
        if let Some(hub) = self.hub.take() {
            hub.stop().await?;
        }
        self.rights.were_enough()
    }
}

impl Plane {
    /// Starts the agent. Without a token it must have been enrolled.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn start_agent(&mut self, token: Option<&str>) -> Result<()> {
        let access = self.access.clone();
        // As a container that starts again in its pod.
        let holder = Some("pod".to_owned());
        self.agent = Some(run_agent(access, SYSTEM, token, self.network.address(), holder)?);
        Ok(())
    }

    /// Ends the agent as SIGTERM does.
    ///
    /// # Errors
    /// It failed.
    pub async fn stop_agent(&mut self) -> Result<()> {
        match self.agent.take() {
            Some(agent) => agent.stop().await,
            None => Ok(()),
        }
    }

    /// Ends the agent as SIGKILL does.
    pub fn kill_agent(&mut self) {
        self.agent = None;
    }

    /// Starts the agent again where it has ended by itself, as its pod does.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub fn revive_agent(&mut self) -> Result<()> {
        match self.agent.take_if(|agent| agent.has_ended()) {
            Some(_ended) => self.start_agent(None),
            None => Ok(()),
        }
    }

    /// A client of the plane's API server that belongs to the current runtime.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn client(&self) -> Result<Client> {
        self.cluster.client().await
    }
}

/// Starts an agent that keeps what is its own in `namespace` and dials `hub`. Without a token it must have been
/// enrolled. No two of one `holder` may run at once.
///
/// # Errors
/// The token is none, or the operating system gives no threads.
pub fn agent(
    cluster: &Cluster,
    namespace: &str,
    token: Option<&str>,
    hub: SocketAddr,
    holder: Option<&str>,
) -> Result<Running> {
    let access = AgentAccess::Administrator(cluster.kubeconfig().clone());
    run_agent(access, namespace, token, hub, holder.map(str::to_owned))
}

/// As whom an agent speaks to its API server.
#[derive(Clone)]
enum AgentAccess {
    Administrator(Kubeconfig),
    Chart(Rights),
}

fn run_agent(
    access: AgentAccess,
    namespace: &str,
    token: Option<&str>,
    hub: SocketAddr,
    holder: Option<String>,
) -> Result<Running> {
    let namespace = namespace.to_owned();
    let token = token.map(str::parse).transpose()?;
    Running::start("agent", |shutdown| async move {
        let cluster = match access {
            AgentAccess::Administrator(kubeconfig) => cluster::client(&kubeconfig).await?,
            AgentAccess::Chart(rights) => rights.client().await?,
        };
        let config = outhaul_agent_runner::Config {
            cluster,
            namespace,
            identity: IdentityPlace::Secret,
            token,
            holder,
            hub: Some(hub.to_string()),
        };
        outhaul_agent_runner::run(config, shutdown).await
    })
}

async fn start_hub(rights: &Rights, at: Addresses) -> Result<(Running, Addresses)> {
    let rights = rights.clone();
    let (started, addresses) = oneshot::channel();
    let hub = Running::start("hub", |shutdown| async move {
        let mut hub = outhaul_hub_server::Hub::start(hub_config(&rights, at).await?).await?;
        let addresses = Addresses {
            agents: hub.agents(),
            rest: hub.rest(),
        };
        started.send(addresses).ok().context("nobody waits for the hub")?;
        tokio::select! {
            ended = hub.ended() => return Ok(ended?),
            () = shutdown.cancelled() => {}
        }
        Ok(hub.stop().await?)
    })?;
    match addresses.await {
        Ok(addresses) => Ok((hub, addresses)),
        Err(_not_started) => {
            hub.ended().await?;
            anyhow::bail!("the hub ended before it listened")
        }
    }
}

async fn hub_config(rights: &Rights, at: Addresses) -> Result<outhaul_hub_server::Config> {
    Ok(outhaul_hub_server::Config {
        client: rights.client().await?,
        namespace: SYSTEM.to_owned(),
        agents: at.agents,
        advertise: None,
        rest: at.rest,
        access: Access::Tokens,
        fallback: true,
        as_openchoreo: outhaul_hub_server::AsOpenChoreo::default(),
        first_environment: outhaul_hub_server::FIRST_ENVIRONMENT.to_owned(),
        plane_hosts: false,
    })
}
