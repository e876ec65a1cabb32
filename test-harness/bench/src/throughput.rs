//! `apply`: how many objects a second one agent applies, beside a bare loop against the same API server.
//!
//! The loop has everything at hand. So has the agent: it stands still (SIGSTOP) until every Release is recorded. What
//! is measured is an agent and the API server of its plane; the control plane is another cluster on the same cores, and
//! creating a Release of a hundred objects there costs as much CPU as applying twenty of them. The clock runs from when
//! the agent goes on, which has to read, plan and write down first, or the loop is told to begin, until the last object
//! was seen.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use outhaul_scenarios::Ground;
use serde_json::Value;

use crate::course::{CREATES, Controllers, Course, TARGET};
use crate::floor::apply::{IN_FLIGHT, Order};
use crate::measure::Measure;
use crate::outcome::Outcome;
use crate::rounds::Rounds;
use crate::sample::{self, Carrier};
use crate::verdict::{Bar, Verdict};
use crate::watching::{self, Watches};
use crate::worker::Worker;

/// At least nine tenths of what the bare loop applies in a second.
const BAR: Bar = Bar::AtLeast(0.9);

/// What one round applies.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Releases.
    pub bundles: usize,
    /// ConfigMaps in each.
    pub objects: usize,
}

/// Measures `rounds` rounds of each.
///
/// # Errors
/// Something is refused or does not arrive.
pub async fn run(ground: &Ground, controllers: Controllers, load: Load, rounds: usize) -> Result<Outcome> {
    let course = Course::start(ground, controllers).await?;
    let mut bare = course.apply_loop().await?;
    let mut seen = Watches::new();
    let [config_maps, ..] = sample::target_kinds(&course.plane, TARGET);
    seen.add(config_maps, watching::appeared).await?;
    let (mut ours, mut floor) = (Rounds::default(), Rounds::default());
    let warm_up = Load { bundles: 1, ..load };
    apply(&mut bare, &mut seen, "loop-warm-up", warm_up).await?;
    deliver(&course, &mut seen, "ours-warm-up", warm_up).await?;
    for index in 0..rounds {
        for carrier in Carrier::turns(index) {
            match carrier {
                Carrier::Relayed => {
                    let before = bare.usage()?;
                    let time = apply(&mut bare, &mut seen, &format!("loop-{index}"), load).await?;
                    floor.add(time, bare.usage()?.since(before));
                }
                Carrier::Release => {
                    let before = course.ours()?;
                    let time = deliver(&course, &mut seen, &format!("ours-{index}"), load).await?;
                    ours.add(time, course.ours()?.since(before));
                }
            }
        }
    }
    let mut outcome = Outcome::new(course.processes(&[("bare loop", &bare)])?);
    let [ours, floor] = [ours, floor].map(|rounds| rounds.figures(load.count()));
    outcome.measures.push(Measure {
        name: "apply_throughput",
        ours,
        floor,
        samples: rounds,
        cluster: course.cluster,
    });
    let what = format!("objects a second over the bare loop's ({IN_FLIGHT} in flight), middle of {rounds}");
    outcome
        .verdicts
        .extend(Verdict::ratio(what, ours.per_s, floor.per_s, BAR));
    bare.finish().await?;
    course.end().await?;
    Ok(outcome)
}

impl Load {
    fn count(self) -> usize {
        self.bundles * self.objects
    }
}

async fn apply(bare: &mut Worker, seen: &mut Watches<String>, prefix: &str, load: Load) -> Result<Duration> {
    let manifests = bundles(prefix, load)
        .flat_map(|(_, entries)| sample::manifests(entries))
        .collect();
    bare.ask::<()>(&Order::Hold(manifests)).await?;
    let start = Instant::now();
    let ((), last) = tokio::try_join!(bare.ask(&Order::Apply), last_seen(seen, prefix, load))?;
    Ok(last - start)
}

async fn deliver(course: &Course, seen: &mut Watches<String>, prefix: &str, load: Load) -> Result<Duration> {
    course.agent.pause()?;
    let creating = futures::stream::iter(bundles(prefix, load))
        .map(|(name, entries)| async move { course.create(Carrier::Release, &name, &entries).await })
        .buffer_unordered(CREATES)
        .try_collect::<()>();
    creating.await?;
    course.control_at_rest().await?;
    let start = Instant::now();
    course.agent.resume()?;
    Ok(last_seen(seen, prefix, load).await? - start)
}

/// When the last object of `prefix` was seen.
async fn last_seen(seen: &mut Watches<String>, prefix: &str, load: Load) -> Result<Instant> {
    let mut found = BTreeSet::new();
    loop {
        let (name, at) = seen.next(prefix).await?;
        if name.starts_with(prefix) && found.insert(name) && found.len() == load.count() {
            return Ok(at);
        }
    }
}

fn bundles(prefix: &str, load: Load) -> impl Iterator<Item = (String, Vec<Value>)> {
    (0..load.bundles).map(move |index| {
        let name = format!("{prefix}-{index}");
        let entries = sample::config_maps(&name, TARGET, load.objects);
        (name, entries)
    })
}
