//! One cluster, embedded or real, as the programs of a stage see it: an address and a kubeconfig.

use std::path::Path;

use anyhow::{Context as _, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use outhaul_fake_kube_server::{Backup, FakeKube};
use outhaul_kubernetes::{Definitions, Program, Programs};

use crate::ground::Ground;

/// The kind of the Gateway API that the web shop uses, for embedded clusters.
const HTTP_ROUTE: &str = include_str!("../crds/httproute.yaml");

/// The kinds of Envoy Gateway that components use, for embedded clusters.
const ENVOY_GATEWAY: &str = include_str!("../crds/envoy-gateway.yaml");

/// What a cluster is for, which decides what it has from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Our custom resources; no workloads.
    ControlPlane,
    /// Workloads that progress, and HTTPRoute.
    Plane,
    /// A control plane without controllers, which it does not need for a Release to be delivered.
    BareControlPlane,
    /// A plane without controllers: nothing changes there but by the agent, and by the scenario's own hand.
    BarePlane,
}

impl Role {
    fn is_plane(self) -> bool {
        matches!(self, Self::Plane | Self::BarePlane)
    }
}

/// A running cluster. Dropping it ends it.
pub struct Cluster {
    kubeconfig: Kubeconfig,
    made_of: MadeOf,
    /// The backup of an embedded cluster; a real one keeps its own.
    backup: Option<Backup>,
}

enum MadeOf {
    Embedded(Box<FakeKube>),
    Kubernetes(Box<outhaul_kubernetes::Cluster>),
}

impl Cluster {
    /// Starts a cluster.
    ///
    /// # Errors
    /// It does not start, or definitions cannot be installed.
    pub async fn start(ground: &Ground, role: Role) -> Result<Self> {
        match ground {
            Ground::Embedded => embedded(role).await,
            Ground::Kubernetes(programs) => kubernetes(programs, role).await,
        }
    }

    /// A kubeconfig of its administrator.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.kubeconfig
    }

    /// The embedded cluster, which can be let misbehave; none where it is a real one.
    pub fn embedded(&self) -> Option<&FakeKube> {
        match &self.made_of {
            MadeOf::Embedded(fake) => Some(fake),
            MadeOf::Kubernetes(_) => None,
        }
    }

    /// A client that belongs to the current runtime.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn client(&self) -> Result<Client> {
        client(&self.kubeconfig).await
    }

    /// Serves what components with APIs need in a plane: the policies of Envoy Gateway, beside the Gateway API.
    ///
    /// # Errors
    /// The definitions are missing or refused.
    pub async fn install_gateways(&self) -> Result<()> {
        match &self.made_of {
            MadeOf::Embedded(fake) => drop(fake.install_crds(ENVOY_GATEWAY)?),
            MadeOf::Kubernetes(cluster) => {
                let programs = Programs::find()?;
                for definitions in [Definitions::GatewayApi, Definitions::EnvoyGateway] {
                    cluster.install(&programs.definitions(definitions)?).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes the API server away.
    pub async fn take_api_away(&mut self) {
        match &mut self.made_of {
            MadeOf::Embedded(fake) => fake.stop_listening().await,
            MadeOf::Kubernetes(cluster) => cluster.kill(Program::ApiServer),
        }
    }

    /// Keeps what the cluster holds as the backup to go back to.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn back_up(&mut self) -> Result<()> {
        match &mut self.made_of {
            MadeOf::Embedded(fake) => self.backup = Some(fake.back_up()),
            MadeOf::Kubernetes(cluster) => cluster.back_up().await?,
        }
        Ok(())
    }

    /// Goes back to the backup: what was written since is gone, and resourceVersions start lower.
    ///
    /// # Errors
    /// There is no backup, or the cluster does not come back.
    pub async fn restore(&mut self) -> Result<()> {
        match &mut self.made_of {
            MadeOf::Embedded(fake) => {
                let backup = self.backup.as_ref().context("there is no backup")?;
                fake.stop_listening().await;
                fake.restore(backup);
                fake.resume_listening().await?;
            }
            MadeOf::Kubernetes(cluster) => cluster.restore().await?,
        }
        Ok(())
    }

    /// Gives the API server back, on the port it had.
    ///
    /// # Errors
    /// It does not come back.
    pub async fn give_api_back(&mut self) -> Result<()> {
        match &mut self.made_of {
            MadeOf::Embedded(fake) => Ok(fake.resume_listening().await?),
            MadeOf::Kubernetes(cluster) => Ok(cluster.revive(Program::ApiServer).await?),
        }
    }
}

/// A client for `kubeconfig` that belongs to the current runtime.
///
/// # Errors
/// The kubeconfig cannot be used.
pub async fn client(kubeconfig: &Kubeconfig) -> Result<Client> {
    Client::try_from(config(kubeconfig).await?).context("cannot use the cluster's kubeconfig")
}

/// What a client for `kubeconfig` is made of.
pub(crate) async fn config(kubeconfig: &Kubeconfig) -> Result<Config> {
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await?;
    // What retries is part of what is tested.
    config.default_retry = false;
    Ok(config)
}

async fn embedded(role: Role) -> Result<Cluster> {
    let standins = role == Role::Plane;
    let options = outhaul_fake_kube_server::Options {
        standins,
        ..Default::default()
    };
    let fake = FakeKube::start(options).await?;
    if role.is_plane() {
        fake.install_crds(HTTP_ROUTE)?;
    } else {
        fake.install_crds(&outhaul_hub_resources::to_yaml(&outhaul_hub_resources::crds()))?;
    }
    let kubeconfig = Kubeconfig::from_yaml(&fake.admin_kubeconfig())?;
    Ok(Cluster {
        kubeconfig,
        made_of: MadeOf::Embedded(Box::new(fake)),
        backup: None,
    })
}

async fn kubernetes(programs: &Programs, role: Role) -> Result<Cluster> {
    let options = match role {
        Role::ControlPlane => outhaul_kubernetes::Options::controllers(),
        Role::Plane => outhaul_kubernetes::Options::workloads(),
        Role::BareControlPlane | Role::BarePlane => outhaul_kubernetes::Options::api_only(),
    };
    let cluster = outhaul_kubernetes::Cluster::start(programs, options).await?;
    match role {
        Role::ControlPlane | Role::BareControlPlane => cluster.install(Path::new(OUR_DEFINITIONS)).await?,
        Role::Plane => {
            cluster
                .install(&programs.definitions(Definitions::GatewayApi)?)
                .await?
        }
        // What a bare plane serves beyond the built-in kinds, its scenario installs.
        Role::BarePlane => 0,
    };
    let kubeconfig = cluster.kubeconfig().clone();
    Ok(Cluster {
        kubeconfig,
        made_of: MadeOf::Kubernetes(Box::new(cluster)),
        backup: None,
    })
}

/// As the chart of the hub installs them.
const OUR_DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/outhaul-hub/crds");
