//! `burst`: many Releases at once, until all their objects are in the plane and all their statuses are back.
//!
//! The relay works on as many samples at once as are created at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use outhaul_scenarios::Ground;

use crate::arrivals::Arrivals;
use crate::course::{CREATES, Controllers, Course, TARGET};
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::requests::Requests;
use crate::rounds::Rounds;
use crate::sample::{self, Carrier};
use crate::verdict::{Bar, Verdict};

/// At most a fifth above the relay with the same concurrency.
const BAR: Bar = Bar::AtMost(1.2);

/// Longer than a hub merges changes of a status.
const SETTLING: Duration = Duration::from_secs(2);

/// What all rounds of one carrier took.
#[derive(Default)]
struct Bursts {
    rounds: Rounds,
    /// From the creation of each sample to its status.
    each: Vec<Duration>,
    writes: [u64; 2],
    /// What control plane and plane were asked; nothing, where they are embedded.
    requests: [Requests; 2],
    /// CPU of each process while they went on.
    cpu: BTreeMap<String, Duration>,
}

/// What one burst took.
struct Burst {
    total: Duration,
    each: Vec<Duration>,
    /// Writes to control plane and plane, the creation of the samples included.
    writes: [u64; 2],
    requests: [Requests; 2],
}

/// Measures `rounds` rounds of `count` samples of each.
///
/// # Errors
/// A sample cannot be created or does not arrive.
pub async fn run(ground: &Ground, controllers: Controllers, count: usize, rounds: usize) -> Result<Outcome> {
    let course = Course::start(ground, controllers).await?;
    let relay = course.relay(CREATES, false).await?;
    let mut arrivals = Arrivals::start(&course).await?;
    let (mut ours, mut floor) = (Bursts::default(), Bursts::default());
    for carrier in Carrier::TURNS {
        burst(&course, &mut arrivals, carrier, "warm-up", CREATES).await?;
    }
    let processes = || course.processes(&[("relay", &relay)]);
    for index in 0..rounds {
        let word = index.to_string();
        for carrier in Carrier::turns(index) {
            let before = processes()?;
            let burst = burst(&course, &mut arrivals, carrier, &word, count).await?;
            let used = since(before, processes()?);
            match carrier {
                Carrier::Relayed => floor.add(burst, &used, &["relay"]),
                Carrier::Release => ours.add(burst, &used, &["hub", "agent"]),
            }
        }
    }
    let mut outcome = Outcome::new(processes()?);
    judge(&mut outcome, [ours, floor], count, rounds, course.cluster);
    relay.finish().await?;
    course.end().await?;
    Ok(outcome)
}

fn judge(
    outcome: &mut Outcome,
    [ours, floor]: [Bursts; 2],
    count: usize,
    rounds: usize,
    cluster: &'static str,
) {
    let samples = count * rounds;
    for (who, bursts) in [("relay", &floor), ("outhaul", &ours)] {
        let [control, plane] = bursts.writes.map(|writes| writes as f64 / samples as f64);
        let note =
            format!("{who}: {control:.1} writes to the control plane and {plane:.1} to the plane for each");
        outcome.notes.push(note);
        outcome.notes.push(format!("{who}: {}", bursts.told_cpu()));
        for (side, requests) in ["control plane", "plane"].iter().zip(&bursts.requests) {
            let asked = (*requests != Requests::default()).then(|| requests.told(samples));
            let note = asked.map(|asked| format!("{who}: the {side} answered for each {asked}"));
            outcome.notes.extend(note);
        }
    }
    let [ours, floor] = [ours, floor].map(|bursts| bursts.figures(count));
    let what = format!("{count} Releases at once over the relay's, middle of {rounds}");
    let verdict = Verdict::ratio(what, ours.total, floor.total, BAR);
    outcome.verdicts.extend(verdict);
    outcome.measures.push(Measure {
        name: match count {
            500 => "burst_500",
            _ => "burst",
        },
        ours,
        floor,
        samples,
        cluster,
    });
}

impl Bursts {
    /// Adds a burst, and what each process used meanwhile; those with these names did the work.
    fn add(&mut self, burst: Burst, used: &[(String, Usage)], who: &[&str]) {
        let mut own = Usage::default();
        for (name, used) in used {
            *self.cpu.entry(name.clone()).or_default() += used.cpu;
            if who.contains(&name.as_str()) {
                own = own + *used;
            }
        }
        self.rounds.add(burst.total, own);
        self.each.extend(burst.each);
        for (all, writes) in self.writes.iter_mut().zip(burst.writes) {
            *all += writes;
        }
        for (all, requests) in self.requests.iter_mut().zip(burst.requests) {
            all.add(requests);
        }
    }

    /// Where the CPU went.
    fn told_cpu(&self) -> String {
        let of_each = self
            .cpu
            .iter()
            .map(|(name, cpu)| format!("{name} {:.2} s", cpu.as_secs_f64()));
        let all: Duration = self.cpu.values().sum();
        let parts = of_each.collect::<Vec<_>>().join(", ");
        format!("CPU of all bursts {:.2} s: {parts}", all.as_secs_f64())
    }

    fn figures(self, count: usize) -> Figures {
        let Figures { p50, p90, p99, .. } = Figures::of(&self.each.into_iter().collect());
        Figures {
            p50,
            p90,
            p99,
            ..self.rounds.figures(count)
        }
    }
}

/// What each process used between two looks.
fn since(before: Vec<(String, Usage)>, after: Vec<(String, Usage)>) -> Vec<(String, Usage)> {
    let both = before.into_iter().zip(after);
    both.map(|((name, before), (_, after))| (name, after.since(before)))
        .collect()
}

async fn burst(
    course: &Course,
    arrivals: &mut Arrivals,
    carrier: Carrier,
    word: &str,
    count: usize,
) -> Result<Burst> {
    let names: Vec<_> = (0..count)
        .map(|index| format!("{}-{word}-{index}", carrier.word()))
        .collect();
    let before = course.revisions().await?;
    let [control_before, plane_before] = course.requests().await?;
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
    // What was merged is written later, and counts too.
    tokio::time::sleep(SETTLING).await;
    let after = course.revisions().await?;
    let [control_after, plane_after] = course.requests().await?;
    Ok(Burst {
        total: last.context("a burst of no samples")? - start,
        each: arrived
            .iter()
            .map(|(name, arrival)| arrival.status - sent[name])
            .collect(),
        writes: [after[0] - before[0], after[1] - before[1]],
        requests: [
            control_after.since(&control_before),
            plane_after.since(&plane_before),
        ],
    })
}
