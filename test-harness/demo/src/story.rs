//! The story: from nothing to a shop in production, through a cut network, act by act.

mod outage;
mod watching;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kube::api::{Patch, PatchParams};
use outhaul_scenarios::cluster::Role;
use outhaul_scenarios::{Cluster, Ground, Stage};

use crate::fleet::{Fleet, State};
use crate::screen::Screen;
use crate::shop::{self, ENVIRONMENTS, Environment, SERVICES, Service};
use crate::summary::{Summary, time};
use watching::Watching;

const DEVELOPMENT: Environment = ENVIRONMENTS[0];
const PRODUCTION: Environment = ENVIRONMENTS[1];

/// What everything is released at first.
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
    let production_ready = promote(stage, screen).await?;
    screen.breathe().await;
    let outage = outage::play(stage, screen).await?;
    Ok(Summary {
        started: opening.started,
        enrolled: opening.enrolled,
        first_applied,
        development_ready,
        production_ready,
        releases: ENVIRONMENTS.len() * SERVICES.len(),
        edit_repaired: outage.edit_repaired,
        deletion_repaired: outage.deletion_repaired,
        cut: outage.cut,
        in_step: outage.in_step,
        objects: outage.objects,
        total: screen.elapsed(),
    })
}

/// Shows the fleet for as long as the hub answers.
pub(crate) async fn follow(stage: &Stage, screen: &mut Screen) -> Result<()> {
    Watching::new(stage, screen).for_ever().await
}

/// The first Release goes alone, so that its time is its own. It is the cache, which calls nobody: whoever is called
/// goes before who calls.
async fn first_release(stage: &Stage, screen: &mut Screen) -> Result<Duration> {
    screen.act("The shop goes to development: eleven Releases, created in the control plane")?;
    let [.., first] = &SERVICES;
    let begin = Instant::now();
    create(stage, first, &DEVELOPMENT, FIRST).await?;
    let applied = |fleet: &Fleet| {
        let plane = fleet.plane(DEVELOPMENT.name)?;
        plane
            .bundle(&shop::release_name(first, &DEVELOPMENT))
            .filter(|bundle| bundle.is_applied())
            .map(drop)
    };
    Watching::new(stage, screen)
        .until("the first Release is applied", applied)
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
    for service in SERVICES.iter().rev().skip(1) {
        create(stage, service, &DEVELOPMENT, FIRST).await?;
    }
    all_ready(stage, screen, &DEVELOPMENT, begin).await
}

async fn promote(stage: &Stage, screen: &mut Screen) -> Result<Duration> {
    screen.act("What works in development is promoted to production")?;
    let begin = Instant::now();
    for service in SERVICES.iter().rev() {
        create(stage, service, &PRODUCTION, FIRST).await?;
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
        let all = SERVICES.iter().all(|service| {
            let bundle = plane.bundle(&shop::release_name(service, environment));
            bundle.is_some_and(|bundle| bundle.state == State::Ready)
        });
        all.then_some(())
    };
    let what = format!("all Releases of {} are ready", environment.name);
    Watching::new(stage, screen).until(&what, ready).await?;
    let took = since.elapsed();
    screen.say(&format!(
        "All {} Releases are ready, after {}.",
        SERVICES.len(),
        time(took)
    ))?;
    Ok(took)
}

/// Creates or edits a Release, as `kubectl apply --server-side` does.
async fn create(stage: &Stage, service: &Service, environment: &Environment, version: &str) -> Result<()> {
    let name = shop::release_name(service, environment);
    let release = Patch::Apply(shop::release(service, environment, version));
    let params = PatchParams::apply("demo").force();
    let applied = stage.operator().releases().patch(&name, &params, &release).await;
    applied.with_context(|| format!("cannot apply Release {name}"))?;
    Ok(())
}
