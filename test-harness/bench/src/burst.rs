//! `burst`: many Releases at once, until all their objects are in the plane and all their statuses are back.
//!
//! The relay works on as many samples at once as are created at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use outhaul_scenarios::Ground;

use crate::arrivals::Arrivals;
use crate::course::{CREATES, Controllers, Course, TARGET};
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::sample::{self, Carrier};
use crate::stats::Samples;
use crate::verdict::{Bar, Verdict};

/// At most a fifth above the relay with the same concurrency.
const BAR: Bar = Bar::AtMost(1.2);

/// Longer than a hub merges changes of a status.
const SETTLING: Duration = Duration::from_secs(2);

/// What one carrier took.
#[derive(Default)]
struct Rounds {
    totals: Vec<Duration>,
    /// From the creation of each sample to its status.
    each: Vec<Duration>,
    used: Usage,
    /// Writes to control plane and plane, the creation of the samples included.
    writes: [u64; 2],
}

/// Measures `rounds` rounds of `count` samples of each.
///
/// # Errors
/// A sample cannot be created or does not arrive.
pub async fn run(ground: &Ground, controllers: Controllers, count: usize, rounds: usize) -> Result<Outcome> {
    let course = Course::start(ground, controllers).await?;
    let relay = course.relay(CREATES, false).await?;
    let mut arrivals = Arrivals::start(&course).await?;
    let (mut ours, mut floor) = (Rounds::default(), Rounds::default());
    for carrier in Carrier::TURNS {
        round(
            &course,
            &mut arrivals,
            carrier,
            "warm-up",
            CREATES,
            &mut Rounds::default(),
        )
        .await?;
    }
    for index in 0..rounds {
        let before = relay.usage()?;
        round(
            &course,
            &mut arrivals,
            Carrier::Relayed,
            &index.to_string(),
            count,
            &mut floor,
        )
        .await?;
        floor.used = floor.used + relay.usage()?.since(before);
        let before = course.ours()?;
        round(
            &course,
            &mut arrivals,
            Carrier::Release,
            &index.to_string(),
            count,
            &mut ours,
        )
        .await?;
        ours.used = ours.used + course.ours()?.since(before);
    }
    let mut outcome = Outcome::new(course.processes(&[("relay", &relay)])?);
    let samples = units(count * rounds);
    for (who, [control, plane]) in [("relay", floor.writes), ("outhaul", ours.writes)] {
        let [control, plane] = [control, plane].map(|writes| writes as f64 / samples);
        let note =
            format!("{who}: {control:.1} writes to the control plane and {plane:.1} to the plane for each");
        outcome.notes.push(note);
    }
    let [ours, floor] = [(ours, course.ours()?), (floor, relay.usage()?)].map(|(rounds, now)| {
        let total = rounds
            .totals
            .into_iter()
            .collect::<Samples>()
            .median()
            .unwrap_or_default();
        let used = Usage {
            cpu: rounds.used.cpu,
            ..now
        };
        Figures::of(&rounds.each.into_iter().collect())
            .whole(total, units(count))
            .used(used)
    });
    outcome.measures.push(Measure {
        name: "burst_500",
        ours,
        floor,
        samples: count * rounds,
        cluster: course.cluster,
    });
    let what = format!("{count} Releases at once over the relay's, middle of {rounds}");
    outcome
        .verdicts
        .extend(Verdict::ratio(what, ours.total, floor.total, BAR));
    relay.finish().await?;
    course.end().await?;
    Ok(outcome)
}

async fn round(
    course: &Course,
    arrivals: &mut Arrivals,
    carrier: Carrier,
    word: &str,
    count: usize,
    into: &mut Rounds,
) -> Result<()> {
    let names: Vec<_> = (0..count)
        .map(|index| format!("{}-{word}-{index}", carrier.word()))
        .collect();
    let before = course.revisions().await?;
    let start = Instant::now();
    let creating = futures::stream::iter(names.clone())
        .map(|name| async move {
            let sent = Instant::now();
            let resources = sample::component(&name, TARGET);
            course.create(carrier, &name, &resources).await?;
            anyhow::Ok((name, sent))
        })
        .buffer_unordered(CREATES)
        .try_collect::<BTreeMap<_, _>>();
    let (sent, arrived) = tokio::try_join!(creating, arrivals.of(names))?;
    let last = arrived
        .values()
        .map(|arrival| arrival.status.max(arrival.applied))
        .max();
    into.totals.extend(last.map(|last| last - start));
    // What was merged is written later, and counts too.
    tokio::time::sleep(SETTLING).await;
    let after = course.revisions().await?;
    for ((writes, after), before) in into.writes.iter_mut().zip(after).zip(before) {
        *writes += after - before;
    }
    into.each
        .extend(arrived.iter().map(|(name, arrival)| arrival.status - sent[name]));
    Ok(())
}

fn units(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
