//! `components`: many Components go in at once, until each is ready: its binding and its Release are made, the Release
//! is in the plane, and all statuses say so.
//!
//! The plane is an embedded cluster with controllers for workloads, in the process of the measurement, so that little of
//! the machine goes into what is not ours. Its agent is a real one.
//!
//! Beside it what the API server takes to create the same objects, when nobody else is at work: those that people write
//! and those that the hub makes, with nothing to decide, no plane and no status.

mod settling;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use outhaul_scenarios::cluster::{Cluster, Role as ClusterRole};
use outhaul_scenarios::operator::Operator;
use outhaul_scenarios::{Ground, versions};
use serde_json::{Value, json};

use self::settling::{Settled, Settling};
use crate::course::{CREATES, PLANE, connected};
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::programs::agent;
use crate::programs::hub::{Addresses, Setup};
use crate::verdict::{Bar, Verdict};
use crate::worker::{self, Role, Worker};

/// Environment of the first binding of a component.
const ENVIRONMENT: &str = "development";

/// The one of all components.
const PROJECT: &str = "shop";

/// Namespace of the floor's objects.
const FLOOR: &str = "floor";

/// What people write of a component, and what the hub makes of it.
const KINDS: [&str; 5] = ["Component", "Workload", "Service", "ServiceBinding", "Release"];

/// So many of the objects that should not have been written are named.
const SHOWN: usize = 10;

/// Measures `count` components on one hub, and a restart of it.
///
/// # Errors
/// Something does not start, or components do not get there.
pub async fn run(ground: &Ground, count: usize) -> Result<Outcome> {
    let clusters = tokio::try_join!(
        Cluster::start(ground, ClusterRole::BareControlPlane),
        Cluster::start(&Ground::Embedded, ClusterRole::Plane)
    );
    let (control_cluster, plane_cluster) = clusters?;
    plane_cluster.install_gateways().await?;
    let control = control_cluster.client().await?;
    let plane = plane_cluster.client().await?;
    let (hub, at) = start_hub(&control_cluster, Addresses::anywhere()).await?;
    let operator = Operator::appoint(&control, at.rest).await?;
    prepare(&operator).await?;
    let setup = agent::Setup {
        kubeconfig: plane_cluster.kubeconfig().clone(),
        hub: at.agents,
        token: operator.token(PLANE).await?,
    };
    let (agent, ()) = Worker::start(Role::Agent, &setup).await?;
    connected(&operator).await?;
    let settling = Settling {
        operator: &operator,
        control: &control,
        plane: &plane,
    };
    let before = settling.all_ready(0).await?;

    let empty = hub.usage()?;
    let start = Instant::now();
    let names = futures::stream::iter(0..count).map(|index| format!("component-{index}"));
    let writing = names.map(|name| write_component(&operator, name));
    writing.buffer_unordered(CREATES).try_collect::<()>().await?;
    let written = start.elapsed();
    let Settled { since, revisions } = settling.all_ready(count).await?;
    let total = since - start;
    let used = hub.usage()?;
    let writes = [0, 1].map(|side| (revisions[side] - before.revisions[side]) as f64 / count as f64);

    let (of_control, of_plane) = tokio::try_join!(versions::kinds(&control), versions::kinds(&plane))?;
    let look = || async {
        tokio::try_join!(
            versions::of(&control, &of_control),
            versions::of(&plane, &of_plane)
        )
    };
    let (control_before, plane_before) = look().await?;
    hub.terminate().await?;
    let (hub, _) = start_hub(&control_cluster, at).await?;
    connected(&operator).await?;
    settling.all_ready(count).await?;
    let (control_after, plane_after) = look().await?;
    let mut rewritten = versions::written(&control_before, &control_after);
    rewritten.extend(versions::written(&plane_before, &plane_after));
    let again = hub.usage()?;
    let processes = [("hub, started again", &hub), ("agent", &agent)];
    let mut outcome = Outcome::new(worker::usages(processes)?);
    let bench = Usage::of(std::process::id())?;
    outcome
        .processes
        .push(("measurement and plane".to_owned(), bench));
    agent.finish().await?;
    hub.terminate().await?;

    let objects = copies(&operator).await?;
    let floor = create_all(&control, objects).await?;
    let figures = |total, used: Option<Usage>| {
        let figures = Figures::default().whole(total, count);
        used.map_or(figures, |used| figures.used(used))
    };
    outcome.measures.push(Measure {
        name: "components",
        ours: figures(total, Some(used.since(empty))),
        floor: figures(floor, None),
        samples: count,
        cluster: ground.name(),
    });
    outcome.verdicts.push(Verdict {
        what: format!(
            "of {} objects on both sides, those that were written after the restart",
            control_after.len() + plane_after.len()
        ),
        value: rewritten.len() as f64,
        unit: "",
        bar: Bar::AtMost(0.0),
    });
    outcome.notes = vec![
        format!(
            "components: {:.2}x the time that the API server takes to create the same objects; all were written after \
             {:.1} s",
            total.as_secs_f64() / floor.as_secs_f64(),
            written.as_secs_f64()
        ),
        format!(
            "components: {:.2} writes to the control plane for each, the three of whoever writes it included, and \
             Leases; {:.2} to the plane, those of its own controllers included",
            writes[0], writes[1]
        ),
        format!(
            "components: {:.1} KiB resident for each ({:.0} KiB in all), and {:.1} KiB after the restart",
            (used.rss_kib - empty.rss_kib) / count as f64,
            used.rss_kib,
            (again.rss_kib - empty.rss_kib) / count as f64
        ),
    ];
    let some = rewritten.iter().take(SHOWN);
    outcome
        .notes
        .extend(some.map(|name| format!("components: written after the restart: {name}")));
    Ok(outcome)
}

async fn start_hub(cluster: &Cluster, at: Addresses) -> Result<(Worker, Addresses)> {
    let setup = Setup {
        kubeconfig: cluster.kubeconfig().clone(),
        at,
    };
    Worker::start(Role::Hub, &setup).await
}

/// Makes what components need: a project, classes, and a way to a plane.
async fn prepare(operator: &Operator) -> Result<()> {
    operator.declare(PLANE).await?;
    operator.environment(ENVIRONMENT, PLANE).await?;
    let pipeline =
        json!({ "promotionPaths": [{ "sourceEnvironmentRef": ENVIRONMENT, "targetEnvironmentRefs": [] }] });
    operator.apply("DeploymentPipeline", "default", pipeline).await?;
    let project = json!({ "deploymentPipelineRef": "default" });
    operator.apply("Project", PROJECT, project).await?;
    let class = json!({ "deploymentTemplate": { "replicas": 1 } });
    operator.apply("ServiceClass", "default", class).await?;
    let class = json!({ "restPolicy": { "defaults": {} } });
    operator.apply("APIClass", "default", class).await
}

async fn write_component(operator: &Operator, name: String) -> Result<()> {
    let component = json!({ "owner": { "projectName": PROJECT }, "type": "Service" });
    operator.apply("Component", &name, component).await?;
    let owner = json!({ "projectName": PROJECT, "componentName": name });
    let workload = json!({
        "owner": owner,
        "containers": { "main": { "image": "registry.example/app:1" } },
        "endpoints": { "api": { "type": "REST", "port": 9090 } },
    });
    operator.apply("Workload", &name, workload).await?;
    let rest = json!({ "backend": { "port": 9090, "basePath": "/v1" }, "exposeLevels": ["Public"] });
    let service = json!({
        "owner": owner, "workloadName": name, "apis": { "api": { "type": "REST", "rest": rest } },
    });
    operator.apply("Service", &name, service).await
}

/// The objects of all components, to be created elsewhere.
async fn copies(operator: &Operator) -> Result<Vec<(&'static str, Value)>> {
    let mut copies = Vec::new();
    for kind in KINDS {
        for object in operator.api(kind).list(&ListParams::default()).await? {
            let copy = json!({
                "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind,
                "metadata": { "name": object.metadata.name, "labels": object.metadata.labels },
                "spec": object.data.get("spec"),
            });
            copies.push((kind, copy));
        }
    }
    Ok(copies)
}

/// Creates them, as many at once as components are written at once.
async fn create_all(control: &Client, objects: Vec<(&'static str, Value)>) -> Result<Duration> {
    let kind = GroupVersionKind::gvk("", "v1", "Namespace");
    let namespaces: Api<DynamicObject> = Api::all_with(control.clone(), &ApiResource::from_gvk(&kind));
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": FLOOR } });
    let params = PostParams::default();
    namespaces
        .create(&params, &serde_json::from_value(namespace)?)
        .await?;
    let start = Instant::now();
    let creating = futures::stream::iter(objects).map(|(kind, object)| async move {
        let gvk = GroupVersionKind::gvk("openchoreo.dev", "v1alpha1", kind);
        let api: Api<DynamicObject> =
            Api::namespaced_with(control.clone(), FLOOR, &ApiResource::from_gvk(&gvk));
        let object = serde_json::from_value(object)?;
        let created = api.create(&PostParams::default(), &object).await;
        created.with_context(|| format!("create a {kind}"))?;
        anyhow::Ok(())
    });
    creating.buffer_unordered(CREATES).try_collect::<()>().await?;
    Ok(start.elapsed())
}
