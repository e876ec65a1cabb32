//! The story: from nothing to a shop in production, through a cut network, act by act.

mod leaving;
mod outage;
mod watching;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use outhaul_scenarios::cluster::Role;
use outhaul_scenarios::stage::PATIENCE;
use outhaul_scenarios::{Cluster, Ground, Stage, poll};

use crate::census::Census;
use crate::fleet::{Fleet, State};
use crate::screen::Screen;
use crate::shop::{self, COMPONENTS, Component, ENVIRONMENTS, Environment, Manifest};
use crate::summary::{Summary, time};
use watching::Watching;

const DEVELOPMENT: Environment = ENVIRONMENTS[0];
const PRODUCTION: Environment = ENVIRONMENTS[1];

/// What everything runs at first.
const FIRST: &str = "v1.0.0";

/// How long it took to set the stage.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// Clusters and hub.
    started: Duration,
    /// Agents.
    enrolled: Duration,
}

/// Starts the clusters and the hub, and enrols an agent for each environment.
///
/// # Errors
/// Something does not start.
pub async fn set_the_stage(ground: &Ground, screen: &mut Screen) -> Result<(Stage, Opening)> {
    screen.act("A control plane and two planes that nobody can dial into")?;
    let begin = Instant::now();
    let plane = || Cluster::start(ground, Role::Plane);
    let (mut stage, development, production) =
        tokio::try_join!(Stage::start(ground, &[]), plane(), plane()).context("cannot set the stage")?;
    let started = begin.elapsed();
    screen.say(&format!(
        "Three {} and the hub have started, in {}.",
        kind(ground),
        time(started)
    ))?;

    let begin = Instant::now();
    for (environment, cluster) in ENVIRONMENTS.iter().zip([development, production]) {
        let added = stage.add_plane(environment.name, cluster).await;
        added.with_context(|| format!("the agent of {} does not connect", environment.name))?;
        screen.say(&format!(
            "The agent of {} has enrolled and dialled in: QUIC, mutual TLS.",
            environment.name
        ))?;
    }
    let enrolled = begin.elapsed();
    screen.breathe().await;
    Ok((stage, Opening { started, enrolled }))
}

fn kind(ground: &Ground) -> &'static str {
    match ground {
        Ground::Embedded => "embedded clusters",
        Ground::Kubernetes(_) => "clusters with real API servers",
    }
}

/// Tells the story on a stage with two planes.
///
/// # Errors
/// A step fails, or what should be so is not so in time.
pub async fn tell(stage: &mut Stage, opening: Opening, screen: &mut Screen) -> Result<Summary> {
    let begin = Instant::now();
    let first_applied = first_release(stage, screen).await?;
    let development_ready = rest_of_development(stage, screen, begin).await?;
    screen.breathe().await;
    let production_ready = promote_all(stage, screen).await?;
    screen.breathe().await;
    let outage = outage::play(stage, screen).await?;
    screen.breathe().await;
    let leaving = leaving::play(stage, screen).await?;
    Ok(Summary {
        started: opening.started,
        enrolled: opening.enrolled,
        first_applied,
        development_ready,
        production_ready,
        components: COMPONENTS.len(),
        edit_repaired: outage.edit_repaired,
        deletion_repaired: outage.deletion_repaired,
        cut: outage.cut,
        in_step: outage.in_step,
        objects: outage.objects,
        suspended: leaving.suspended,
        undeployed: leaving.undeployed,
        let_go: leaving.let_go,
        total: screen.elapsed(),
    })
}

/// Shows the fleet for as long as the hub answers.
pub(crate) async fn follow(stage: &Stage, screen: &mut Screen) -> Result<()> {
    Watching::new(stage, screen).for_ever().await
}

/// The first component goes alone, so that its time is its own. It is the cache, which calls nobody: whoever is called
/// goes before who calls.
async fn first_release(stage: &Stage, screen: &mut Screen) -> Result<Duration> {
    screen.act("The shop goes to development: eleven components, written to the control plane")?;
    for manifest in shop::platform() {
        write(stage, manifest).await?;
    }
    let [.., first] = &COMPONENTS;
    let begin = Instant::now();
    release(stage, first, FIRST).await?;
    let applied = |fleet: &Fleet| {
        let plane = fleet.plane(DEVELOPMENT.name)?;
        plane
            .bundle(&first.binding_name(&DEVELOPMENT))
            .filter(|bundle| bundle.is_applied())
            .map(drop)
    };
    Watching::new(stage, screen)
        .until("the first component is applied", applied)
        .await?;
    let took = begin.elapsed();
    screen.say(&format!(
        "{} is in the plane and its status back on the hub, after {}.",
        first.name,
        time(took)
    ))?;
    Ok(took)
}

async fn rest_of_development(stage: &Stage, screen: &mut Screen, begin: Instant) -> Result<Duration> {
    for component in COMPONENTS.iter().rev().skip(1) {
        release(stage, component, FIRST).await?;
    }
    all_ready(stage, screen, &DEVELOPMENT, begin).await
}

async fn promote_all(stage: &Stage, screen: &mut Screen) -> Result<Duration> {
    screen.act("What works in development is promoted to production")?;
    let begin = Instant::now();
    for component in COMPONENTS.iter().rev() {
        promote(stage, component, FIRST).await?;
    }
    all_ready(stage, screen, &PRODUCTION, begin).await
}

async fn all_ready(
    stage: &Stage,
    screen: &mut Screen,
    environment: &Environment,
    since: Instant,
) -> Result<Duration> {
    let ready = |fleet: &Fleet| {
        let plane = fleet.plane(environment.name)?;
        let all = COMPONENTS.iter().all(|component| {
            let bundle = plane.bundle(&component.binding_name(environment));
            bundle.is_some_and(|bundle| bundle.state == State::Ready)
        });
        all.then_some(())
    };
    let what = format!("all components of {} are ready", environment.name);
    Watching::new(stage, screen).until(&what, ready).await?;
    let took = since.elapsed();
    screen.say(&format!(
        "All {} components are ready, after {}.",
        COMPONENTS.len(),
        time(took)
    ))?;
    Ok(took)
}

/// Releases a version of a component to development, as its team does: the hub makes the rest.
async fn release(stage: &Stage, component: &Component, version: &str) -> Result<()> {
    for manifest in component.manifests(version) {
        write(stage, manifest).await?;
    }
    Ok(())
}

/// Copies the binding of development to production once it has the version, as OpenChoreo's promotion does.
async fn promote(stage: &Stage, component: &Component, version: &str) -> Result<()> {
    let (kind, name) = (component.binding_kind(), component.binding_name(&DEVELOPMENT));
    let what = format!("{kind} {name} has {version}");
    let mut spec = poll::until(&what, PATIENCE, || async {
        let spec = stage.operator().api(kind).get(&name).await?.data["spec"].take();
        let image = spec.pointer("/workloadSpec/containers/main/image");
        let image = image.and_then(|image| image.as_str()).unwrap_or_default();
        ensure!(image.ends_with(version), "it has {image}");
        Ok(spec)
    })
    .await?;
    spec["environment"] = PRODUCTION.name.into();
    stage
        .operator()
        .apply(kind, &component.binding_name(&PRODUCTION), spec)
        .await
}

async fn write(stage: &Stage, manifest: Manifest) -> Result<()> {
    stage
        .operator()
        .apply(manifest.kind, manifest.name, manifest.spec)
        .await
}

async fn count(stage: &Stage) -> Result<Census> {
    let mut census = Census::default();
    for (name, plane) in &stage.planes {
        census.add(name, &plane.client().await?).await?;
    }
    Ok(census)
}
