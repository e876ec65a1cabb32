//! `latency`: how long one resource takes, from its creation to its objects in the plane and to its status back,
//! while nothing else happens.
//!
//! Ours and the relay take turns, sample by sample, on the same API servers: whatever slows the machine down slows
//! both.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kube::Client;
use kube::api::PostParams;

use crate::measure::{Bar, Measure};
use crate::sample::Carrier;
use crate::watching::Watches;

/// The bar for both measures: at most a quarter above the relay's median, and half above its tail.
const BAR: Bar = Bar { p50: 1.25, p99: 1.5 };

/// Samples before the first that counts: connections are opened, caches filled.
const WARM_UP: usize = 10;

/// Where samples are created and where they go.
pub struct Course {
    /// Client of the control plane.
    pub control: Client,
    /// Client of the plane.
    pub plane: Client,
    /// Namespace of the objects in the plane.
    pub target: String,
    /// Environment that the samples name.
    pub environment: String,
}

/// Times of one carrier's samples.
#[derive(Debug, Default)]
struct Times {
    applied: Vec<Duration>,
    status: Vec<Duration>,
}

/// Measures `count` samples of each.
///
/// # Errors
/// A sample cannot be created or does not arrive.
pub async fn run(course: &Course, count: usize, cluster: &'static str) -> Result<[Measure; 2]> {
    let mut watches = Watches::start(&course.control, &course.plane, &course.target).await?;
    let (mut ours, mut floor) = (Times::default(), Times::default());
    for index in 0..WARM_UP + count {
        let counts = index >= WARM_UP;
        one(
            course,
            &mut watches,
            Carrier::Relayed,
            index,
            counts.then_some(&mut floor),
        )
        .await?;
        one(
            course,
            &mut watches,
            Carrier::Release,
            index,
            counts.then_some(&mut ours),
        )
        .await?;
    }
    let measure = |name, ours: Vec<Duration>, floor: Vec<Duration>| {
        let (ours, floor) = (ours.into_iter().collect(), floor.into_iter().collect());
        Measure {
            name,
            ours,
            floor,
            bar: BAR,
            cluster,
        }
    };
    Ok([
        measure("create_to_applied", ours.applied, floor.applied),
        measure("create_to_status", ours.status, floor.status),
    ])
}

async fn one(
    course: &Course,
    watches: &mut Watches,
    carrier: Carrier,
    index: usize,
    times: Option<&mut Times>,
) -> Result<()> {
    let name = match carrier {
        Carrier::Release => format!("ours-{index}"),
        Carrier::Relayed => format!("relayed-{index}"),
    };
    let sample = carrier.sample(&name, &course.environment, &course.target)?;
    let api = carrier.api(&course.control);
    let sent = Instant::now();
    api.create(&PostParams::default(), &sample)
        .await
        .with_context(|| format!("create {name}"))?;
    let arrival = watches.wait(&name).await?;
    if let Some(times) = times {
        times.applied.push(arrival.applied - sent);
        times.status.push(arrival.status - sent);
    }
    Ok(())
}
