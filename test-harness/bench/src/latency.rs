//! `latency`: how long one resource takes, from its creation to its objects in the plane and to its status back,
//! while nothing else happens.
//!
//! Ours and the relay take turns, sample by sample and each first every other time, on the same API servers: whatever
//! slows the machine down slows both.

use std::time::{Duration, Instant};

use anyhow::Result;
use outhaul_scenarios::Ground;

use crate::arrivals::{Arrival, Arrivals};
use crate::course::{Controllers, Course, TARGET};
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::sample::{self, Carrier};
use crate::stats::Samples;
use crate::verdict::{Bar, Verdict};

/// At most a quarter above the relay's median, and half above its tail.
const P50: Bar = Bar::AtMost(1.25);
const P99: Bar = Bar::AtMost(1.5);

/// Samples before the first that counts: connections are opened, caches filled.
const WARM_UP: usize = 10;

/// Times of one carrier's samples.
#[derive(Debug, Default)]
struct Times {
    applied: Vec<Duration>,
    status: Vec<Duration>,
}

/// Measures `samples` samples of each.
///
/// # Errors
/// A sample cannot be created or does not arrive.
pub async fn run(ground: &Ground, controllers: Controllers, samples: usize) -> Result<Outcome> {
    let course = Course::start(ground, controllers).await?;
    let relay = course.relay(1, false).await?;
    let mut arrivals = Arrivals::start(&course).await?;
    let (mut ours, mut floor) = (Times::default(), Times::default());
    for index in 0..WARM_UP {
        for carrier in Carrier::TURNS {
            one(&course, &mut arrivals, carrier, &format!("warm-up-{index}")).await?;
        }
    }
    let before = [course.ours()?, relay.usage()?];
    for index in 0..samples {
        for carrier in Carrier::turns(index) {
            let (sent, arrival) = one(&course, &mut arrivals, carrier, &index.to_string()).await?;
            let times = match carrier {
                Carrier::Release => &mut ours,
                Carrier::Relayed => &mut floor,
            };
            times.applied.push(arrival.applied - sent);
            times.status.push(arrival.status - sent);
        }
    }
    let used = [course.ours()?.since(before[0]), relay.usage()?.since(before[1])];
    let mut outcome = Outcome::new(course.processes(&[("relay", &relay)])?);
    judge(
        &mut outcome,
        "create_to_applied",
        [ours.applied, floor.applied],
        used,
        course.cluster,
    );
    judge(
        &mut outcome,
        "create_to_status",
        [ours.status, floor.status],
        used,
        course.cluster,
    );
    relay.finish().await?;
    course.end().await?;
    Ok(outcome)
}

fn judge(
    outcome: &mut Outcome,
    name: &'static str,
    times: [Vec<Duration>; 2],
    used: [Usage; 2],
    cluster: &'static str,
) {
    let [ours, floor] = times.map(|times| times.into_iter().collect::<Samples>());
    let samples = ours.count();
    let (ours, floor) = (
        Figures::of(&ours).used(used[0]),
        Figures::of(&floor).used(used[1]),
    );
    let p50 = Verdict::ratio(format!("{name} p50 over the relay's"), ours.p50, floor.p50, P50);
    let p99 = Verdict::ratio(format!("{name} p99 over the relay's"), ours.p99, floor.p99, P99);
    outcome.measures.push(Measure {
        name,
        ours,
        floor,
        samples,
        cluster,
    });
    outcome.verdicts.extend(p50.into_iter().chain(p99));
}

async fn one(
    course: &Course,
    arrivals: &mut Arrivals,
    carrier: Carrier,
    name: &str,
) -> Result<(Instant, Arrival)> {
    let name = format!("{}-{name}", carrier.word());
    let resources = sample::component(&name, TARGET);
    let sent = Instant::now();
    course.create(carrier, &name, &resources).await?;
    let arrived = arrivals.of([name.clone()]).await?;
    Ok((sent, arrived[&name]))
}
