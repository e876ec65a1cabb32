//! The ground of deliveries: a control plane with a hub, a plane with an agent, and the floors beside them on the same
//! API servers. Every program is a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use outhaul_scenarios::cluster::{Cluster, Role as ClusterRole};
use outhaul_scenarios::operator::Operator;
use outhaul_scenarios::{Ground, poll};
use serde_json::{Value, json};

use crate::floor::{apply, relay};
use crate::process::{self, Usage};
use crate::programs::agent;
use crate::programs::hub::{self, Addresses};
use crate::requests::Requests;
use crate::sample::{self, Carrier};
use crate::worker::{self, Role, Worker};

/// The one plane, and its Environment and DataPlane.
pub const PLANE: &str = "plane";

/// Namespace of the measured objects in the plane.
pub const TARGET: &str = "bench";

/// Creates at once, where many samples are created: what a busy pipeline does.
pub const CREATES: usize = 64;

/// Nothing that one write leads to takes as long.
const REST: Duration = Duration::from_millis(500);

/// How long the plane may take to connect.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hub and agent at work between two clusters.
pub struct Course {
    /// Client of the control plane.
    pub control: Client,
    /// Client of the plane.
    pub plane: Client,
    /// The hub.
    pub hub: Worker,
    /// The agent.
    pub agent: Worker,
    /// Who runs the control plane.
    pub operator: Operator,
    /// Where REST answers.
    pub rest: SocketAddr,
    /// What kind of API servers these are.
    pub cluster: &'static str,
    control_cluster: Cluster,
    plane_cluster: Cluster,
}

/// Which controllers the clusters have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controllers {
    /// None: nothing happens but by hub, agent, floor and measurement.
    None,
    /// Those of a cluster with workloads, which take their share of the cores.
    Workloads,
}

impl Course {
    /// Starts clusters, hub and agent, and waits until they are connected.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(ground: &Ground, controllers: Controllers) -> Result<Self> {
        Self::start_with(ground, controllers, None).await
    }

    /// The same with this program as the agent.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start_with(
        ground: &Ground,
        controllers: Controllers,
        program: Option<&Path>,
    ) -> Result<Self> {
        let (control, plane) = match controllers {
            Controllers::None => (ClusterRole::BareControlPlane, ClusterRole::BarePlane),
            Controllers::Workloads => (ClusterRole::ControlPlane, ClusterRole::Plane),
        };
        let clusters = tokio::try_join!(Cluster::start(ground, control), Cluster::start(ground, plane));
        let (control_cluster, plane_cluster) = clusters?;
        let setup = hub::Setup {
            kubeconfig: control_cluster.kubeconfig().clone(),
            at: Addresses::anywhere(),
        };
        let (hub, at) = Worker::start::<Addresses>(Role::Hub, &setup).await?;
        let control = control_cluster.client().await?;
        let operator = Operator::appoint(&control, at.rest).await?;
        operator.declare(PLANE).await?;
        let setup = agent::Setup {
            kubeconfig: plane_cluster.kubeconfig().clone(),
            hub: at.agents,
            token: operator.token(PLANE).await?,
        };
        let agent = match program {
            Some(program) => setup.start_shipped(program).await?,
            None => Worker::start::<()>(Role::Agent, &setup).await?.0,
        };
        let course = Self {
            control,
            plane: plane_cluster.client().await?,
            hub,
            agent,
            operator,
            rest: at.rest,
            cluster: ground.name(),
            control_cluster,
            plane_cluster,
        };
        course.prepare().await?;
        connected(&course.operator).await?;
        Ok(course)
    }

    /// The relay on the same clusters. With `watching` it looks after the objects, too.
    ///
    /// # Errors
    /// It does not start.
    pub async fn relay(&self, concurrency: usize, watching: bool) -> Result<Worker> {
        let setup = relay::Setup {
            control: self.control_cluster.kubeconfig().clone(),
            plane: self.plane_cluster.kubeconfig().clone(),
            concurrency,
            watched: watching.then(|| TARGET.to_owned()),
        };
        let (relay, ()) = Worker::start(Role::Relay, &setup).await?;
        Ok(relay)
    }

    /// The bare loop of applies to the same plane.
    ///
    /// # Errors
    /// It does not start.
    pub async fn apply_loop(&self) -> Result<Worker> {
        let setup = apply::Setup {
            plane: self.plane_cluster.kubeconfig().clone(),
        };
        let (apply, ()) = Worker::start(Role::Apply, &setup).await?;
        Ok(apply)
    }

    /// Creates a sample.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn create(&self, carrier: Carrier, name: &str, resources: &[Value]) -> Result<()> {
        carrier.create(&self.control, name, PLANE, resources).await
    }

    /// Somebody else's change of an object in the plane.
    ///
    /// # Errors
    /// The plane refuses.
    pub async fn meddle(&self, objects: &Api<DynamicObject>, name: &str, change: &Value) -> Result<()> {
        let changed = objects.patch(name, &somebody(), &Patch::Merge(change)).await;
        changed.with_context(|| format!("change {name}"))?;
        Ok(())
    }

    /// A controller's change of an object's status in the plane.
    ///
    /// # Errors
    /// The plane refuses.
    pub async fn meddle_with_status(
        &self,
        objects: &Api<DynamicObject>,
        name: &str,
        change: &Value,
    ) -> Result<()> {
        let changed = objects
            .patch_status(name, &somebody(), &Patch::Merge(change))
            .await;
        changed.with_context(|| format!("change the status of {name}"))?;
        Ok(())
    }

    /// What hub and agent used until now.
    ///
    /// # Errors
    /// One has ended.
    pub fn ours(&self) -> Result<Usage> {
        Ok(self.hub.usage()? + self.agent.usage()?)
    }

    /// The revisions of control plane and plane. Every write anywhere in a cluster is one.
    ///
    /// # Errors
    /// An API server refuses, or its resource versions are no numbers.
    pub async fn revisions(&self) -> Result<[u64; 2]> {
        let (control, plane) = tokio::try_join!(revision(&self.control), revision(&self.plane))?;
        Ok([control, plane])
    }

    /// What control plane and plane have been asked until now. Embedded ones do not count.
    ///
    /// # Errors
    /// An API server does not tell.
    pub async fn requests(&self) -> Result<[Requests; 2]> {
        if self.cluster == Ground::Embedded.name() {
            return Ok(Default::default());
        }
        let answered = tokio::try_join!(Requests::answered(&self.control), Requests::answered(&self.plane));
        answered.map(|(control, plane)| [control, plane])
    }

    /// Waits until nothing has been written to the control plane for a while: what is created is recorded.
    ///
    /// # Errors
    /// It refuses to say.
    pub async fn control_at_rest(&self) -> Result<()> {
        let mut last = revision(&self.control).await?;
        loop {
            tokio::time::sleep(REST).await;
            match revision(&self.control).await? {
                now if now == last => return Ok(()),
                now => last = now,
            }
        }
    }

    /// What each process used in the whole run, `others` beside hub and agent.
    ///
    /// # Errors
    /// One has ended.
    pub fn processes(&self, others: &[(&str, &Worker)]) -> Result<Vec<(String, Usage)>> {
        let ours = [("hub", &self.hub), ("agent", &self.agent)];
        let mut processes = worker::usages(ours.into_iter().chain(others.iter().copied()))?;
        let bench = Usage::of(std::process::id())?;
        processes.push(("measurement".to_owned(), bench));
        for (name, count, usage) in process::programs()? {
            processes.push((format!("{count} x {name}"), usage));
        }
        Ok(processes)
    }

    /// Ends hub and agent.
    ///
    /// # Errors
    /// One failed.
    pub async fn end(self) -> Result<()> {
        self.agent.finish().await?;
        self.hub.finish().await
    }

    /// Makes what both need: the relay's kind, and the namespace of the objects.
    async fn prepare(&self) -> Result<()> {
        let definitions: Api<CustomResourceDefinition> = Api::all(self.control.clone());
        let definition = serde_json::from_value(sample::relayed_definition())?;
        definitions.create(&PostParams::default(), &definition).await?;
        let namespaces: Api<Namespace> = Api::all(self.plane.clone());
        let namespace = serde_json::from_value(json!({ "metadata": { "name": TARGET } }))?;
        namespaces.create(&PostParams::default(), &namespace).await?;
        let relayed = Carrier::Relayed.api(&self.control);
        let served = || async {
            relayed.list(&ListParams::default()).await?;
            Ok(())
        };
        poll::until("the relay's kind is served", PATIENCE, served).await
    }
}

/// Waits until the hub says that the agent is connected.
///
/// # Errors
/// It is not in time.
pub(crate) async fn connected(operator: &Operator) -> Result<()> {
    let path = format!("/api/v1/planes/{PLANE}");
    poll::until("the plane is connected", PATIENCE, || async {
        let view = operator.rest().get(&path).await?;
        ensure!(view.get("connection").is_some_and(|it| !it.is_null()), "{view}");
        Ok(())
    })
    .await
}

/// The revision of a cluster. Every write anywhere in it is one.
///
/// # Errors
/// The API server refuses, or its resource versions are no numbers.
pub async fn revision(cluster: &Client) -> Result<u64> {
    let namespaces: Api<Namespace> = Api::all(cluster.clone());
    let list = namespaces.list_metadata(&ListParams::default().limit(1)).await?;
    let version = list.metadata.resource_version.unwrap_or_default();
    version
        .parse()
        .with_context(|| format!("resource version {version:?}"))
}

fn somebody() -> PatchParams {
    PatchParams {
        field_manager: Some("somebody".to_owned()),
        ..PatchParams::default()
    }
}
