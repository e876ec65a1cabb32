//! `components`: many Components go in at once, until everything is made of them that a control plane can make: each has
//! its binding and its Release, and their statuses say how far it got. No agent is connected, so all of the work is the
//! hub's and its API server's.
//!
//! Beside it what the API server takes to create the same objects, when nobody else is at work: those that people write
//! and those that the hub makes, with nothing to decide and no status.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use outhaul_scenarios::cluster::{Cluster, Role as ClusterRole};
use outhaul_scenarios::operator::{self, Operator};
use outhaul_scenarios::{Ground, poll};
use serde_json::{Value, json};

use crate::course::{CREATES, PLANE, revision};
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::programs::hub::{Addresses, Setup};
use crate::verdict::{Bar, Verdict};
use crate::worker::{self, Role, Worker};

/// Environment of the first binding of a component.
const ENVIRONMENT: &str = "development";

/// Namespace of the floor's objects.
const FLOOR: &str = "floor";

/// What people write of a component, and what the hub makes of it.
const KINDS: [&str; 4] = ["Workload", "Service", "ServiceBinding", "Release"];

/// Nothing that one write leads to takes as long.
const QUIET: Duration = Duration::from_secs(2);

/// Writes in that time that have nothing to do with components: Leases.
const LEASES: u64 = 3;

/// How long it may take until nothing is written any more.
const PATIENCE: Duration = Duration::from_secs(600);

/// Measures `count` components on one hub, and a restart of it.
///
/// # Errors
/// Something does not start, or components do not get there.
pub async fn run(ground: &Ground, count: usize) -> Result<Outcome> {
    let cluster = Cluster::start(ground, ClusterRole::BareControlPlane).await?;
    let control = cluster.client().await?;
    let (hub, at) = start_hub(&cluster, Addresses::anywhere()).await?;
    let operator = Operator::appoint(&control, at.rest).await?;
    prepare(&operator).await?;
    at_rest(&control).await?;

    let (empty, writes) = (hub.usage()?, revision(&control).await?);
    let start = Instant::now();
    let names = futures::stream::iter(0..count).map(|index| format!("component-{index}"));
    let writing = names.map(|name| write_component(&operator, name));
    writing.buffer_unordered(CREATES).try_collect::<()>().await?;
    let written = start.elapsed();
    let total = at_rest(&control).await? - start;
    complete(&operator, count).await?;
    let used = hub.usage()?;
    let writes = revision(&control).await? - writes;

    let before = versions(&operator).await?;
    hub.terminate().await?;
    let (hub, _) = start_hub(&cluster, at).await?;
    let ready = || async { operator.rest().get("/api/v1/planes").await };
    poll::until("the hub answers again", PATIENCE, ready).await?;
    at_rest(&control).await?;
    let after = versions(&operator).await?;
    let rewritten = after
        .iter()
        .filter(|(name, version)| before.get(*name) != Some(version));
    let rewritten = rewritten.count() + before.len().abs_diff(after.len());
    let again = hub.usage()?;
    let mut outcome = Outcome::new(worker::usages([("hub, started again", &hub)])?);
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
        what: "objects that were written after the restart".to_owned(),
        value: rewritten as f64,
        unit: "",
        bar: Bar::AtMost(0.0),
    });
    let count = count as f64;
    outcome.notes = vec![
        format!(
            "components: {:.2}x the time that the API server takes to create the same objects; all were written after \
             {:.1} s",
            total.as_secs_f64() / floor.as_secs_f64(),
            written.as_secs_f64()
        ),
        format!(
            "components: {:.2} writes for each, the two of whoever writes it included, and Leases",
            writes as f64 / count
        ),
        format!(
            "components: {:.1} KiB resident for each ({:.0} KiB in all), and {:.1} KiB after the restart",
            (used.rss_kib - empty.rss_kib) / count,
            used.rss_kib,
            (again.rss_kib - empty.rss_kib) / count
        ),
    ];
    Ok(outcome)
}

async fn start_hub(cluster: &Cluster, at: Addresses) -> Result<(Worker, Addresses)> {
    let setup = Setup {
        kubeconfig: cluster.kubeconfig().clone(),
        at,
    };
    Worker::start(Role::Hub, &setup).await
}

/// Makes what components need: a class, and a way to a plane.
async fn prepare(operator: &Operator) -> Result<()> {
    operator.declare(PLANE).await?;
    operator.environment(ENVIRONMENT, PLANE).await?;
    // Nobody enrols with it; it makes the Plane.
    operator.token(PLANE).await?;
    let class = json!({ "deploymentTemplate": { "replicas": 1 } });
    operator.apply("ServiceClass", "default", class).await?;
    let class = json!({ "restPolicy": { "defaults": {} } });
    operator.apply("APIClass", "default", class).await
}

async fn write_component(operator: &Operator, name: String) -> Result<()> {
    let owner = json!({ "projectName": "shop", "componentName": name });
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

/// Waits until nothing is written any more. Returns since when.
async fn at_rest(control: &Client) -> Result<Instant> {
    let deadline = Instant::now() + PATIENCE;
    let (mut since, mut last) = (Instant::now(), revision(control).await?);
    loop {
        tokio::time::sleep(QUIET / 8).await;
        let now = revision(control).await?;
        if now > last + LEASES {
            (since, last) = (Instant::now(), now);
        } else if since.elapsed() >= QUIET {
            return Ok(since);
        }
        ensure!(Instant::now() < deadline, "it is written without end");
    }
}

/// Checks that each component got as far as it can without an agent.
async fn complete(operator: &Operator, count: usize) -> Result<()> {
    for kind in ["ServiceBinding", "Release"] {
        let all = operator.api(kind).list(&ListParams::default()).await?;
        let said = all
            .iter()
            .filter(|object| operator::condition(object, "Ready").is_some());
        let said = said.count();
        ensure!(
            said == count,
            "{said} of {count} objects of kind {kind} say how they are"
        );
    }
    Ok(())
}

/// Everything that a hub writes here, with its resourceVersion.
async fn versions(operator: &Operator) -> Result<BTreeMap<String, Option<String>>> {
    let mut versions = BTreeMap::new();
    for kind in KINDS.iter().chain(&["DataPlane", "Environment"]) {
        let all = operator.api(kind).list_metadata(&ListParams::default()).await?;
        for object in all {
            let name = object.metadata.name.unwrap_or_default();
            versions.insert(format!("{kind} {name}"), object.metadata.resource_version);
        }
    }
    Ok(versions)
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
