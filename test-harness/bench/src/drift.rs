//! `drift`: somebody changes an object behind Outhaul's back; until it is as it should be.
//!
//! One at a time, beside the relay, which watches its objects as well. And many at once, see `storm`, beside a bare
//! loop that applies as many objects that were changed in the same way.

mod storm;

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, WatchEvent};
use outhaul_scenarios::Ground;
use serde_json::{Value, json};

use self::storm::Storms;
use crate::course::{CREATES, Controllers, Course, TARGET};
use crate::delivered::Delivered;
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::sample::{self, Carrier, UNTOUCHED};
use crate::stats::Samples;
use crate::verdict::{Bar, Verdict};
use crate::watching::Watches;

/// One change is repaired within this, in milliseconds.
const P99: Bar = Bar::AtMost(50.0);

/// Objects of one sample.
const OBJECTS: usize = 100;

/// What somebody else writes into a ConfigMap.
const CHANGED: &str = "debug";

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Single changes. Each is of another object: one that is changed again and again would look like a fight.
    pub singles: usize,
    /// Objects that are changed at once.
    pub storm: usize,
    /// How often they are.
    pub rounds: usize,
}

/// A change of a ConfigMap, and what it says now.
struct Seen {
    name: String,
    level: String,
}

/// Changes that are made and waited for.
struct Drifting<'a> {
    course: &'a Course,
    config_maps: Api<DynamicObject>,
    seen: Watches<Seen>,
}

/// Single changes: their times, and what they cost.
struct Singles {
    times: Samples,
    used: Usage,
}

/// Measures ours and the floors.
///
/// # Errors
/// Something is refused, or not repaired.
pub async fn run(ground: &Ground, controllers: Controllers, load: Load) -> Result<Outcome> {
    let course = Course::start(ground, controllers).await?;
    let mut bare = course.apply_loop().await?;
    let mut drifting = Drifting::start(&course).await?;
    let [floor, ours] = drifting.singles(load.singles).await?;
    let storms = storm::run(&mut drifting, &mut bare, load).await?;
    let mut outcome = Outcome::new(course.processes(&[("bare loop", &bare)])?);
    judge(&mut outcome, [ours, floor], storms, load, course.cluster);
    bare.finish().await?;
    course.end().await?;
    Ok(outcome)
}

fn judge(outcome: &mut Outcome, singles: [Singles; 2], storms: Storms, load: Load, cluster: &'static str) {
    let [ours, floor] = singles.map(|singles| Figures::of(&singles.times).used(singles.used));
    outcome.verdicts.extend(ours.p99.map(|p99| Verdict {
        what: format!(
            "drift repaired p99 (relay: {:.1} ms)",
            floor.p99.unwrap_or_default()
        ),
        value: p99,
        unit: " ms",
        bar: P99,
    }));
    outcome.measures.push(Measure {
        name: "drift",
        ours,
        floor,
        samples: load.singles,
        cluster,
    });
    let [ours, floor] = [storms.ours, storms.floor].map(|rounds| rounds.figures(load.storm));
    let what = format!(
        "{} objects at once over the bare loop's, middle of {}",
        load.storm, load.rounds
    );
    outcome
        .verdicts
        .extend(Verdict::ratio(what, ours.total, floor.total, storm::BAR));
    outcome.measures.push(Measure {
        name: "drift_at_once",
        ours,
        floor,
        samples: load.rounds,
        cluster,
    });
}

impl<'a> Drifting<'a> {
    async fn start(course: &'a Course) -> Result<Self> {
        let [config_maps, ..] = sample::target_kinds(&course.plane, TARGET);
        let mut seen = Watches::new();
        seen.add(config_maps.clone(), changed).await?;
        Ok(Self {
            course,
            config_maps,
            seen,
        })
    }

    /// One change at a time, the relay and ours in turns.
    async fn singles(&mut self, count: usize) -> Result<[Singles; 2]> {
        let relay = self.course.relay(CREATES, true).await?;
        let theirs = self.deliver(Carrier::Relayed, "single", count).await?;
        let own = self.deliver(Carrier::Release, "single", count).await?;
        let before = [relay.usage()?, self.course.ours()?];
        let (mut floor, mut ours) = (Vec::new(), Vec::new());
        for index in 0..count {
            for carrier in Carrier::turns(index) {
                match carrier {
                    Carrier::Relayed => floor.push(self.one(&theirs[index]).await?),
                    Carrier::Release => ours.push(self.one(&own[index]).await?),
                }
            }
        }
        let after = [relay.usage()?, self.course.ours()?];
        relay.finish().await?;
        let [floor, ours] = [floor, ours].map(|times| times.into_iter().collect());
        Ok([
            Singles {
                times: floor,
                used: after[0].since(before[0]),
            },
            Singles {
                times: ours,
                used: after[1].since(before[1]),
            },
        ])
    }

    /// From the request of the change until its repair is seen.
    async fn one(&mut self, name: &str) -> Result<Duration> {
        let sent = Instant::now();
        self.meddle(name).await?;
        let mut drifted = false;
        loop {
            let (seen, at) = self.seen.next(name).await?;
            if seen.name == name {
                drifted |= seen.level == CHANGED;
                if drifted && seen.level == UNTOUCHED {
                    return Ok(at - sent);
                }
            }
        }
    }

    async fn meddle(&self, name: &str) -> Result<()> {
        let change = json!({ "data": { "LOG_LEVEL": CHANGED } });
        self.course.meddle(&self.config_maps, name, &change).await
    }

    /// Samples of [`OBJECTS`] ConfigMaps until there are `count`; returns the names of the ConfigMaps.
    async fn deliver(&self, carrier: Carrier, word: &str, count: usize) -> Result<Vec<String>> {
        let mut delivered = Delivered::start(self.course, carrier).await?;
        let samples: Vec<_> = samples(carrier.word(), word, count).collect();
        futures::stream::iter(&samples)
            .map(|(name, entries)| self.course.create(carrier, name, entries))
            .buffer_unordered(CREATES)
            .try_collect::<()>()
            .await?;
        delivered
            .all(samples.iter().map(|(name, _)| name.clone()))
            .await?;
        Ok(samples.iter().flat_map(|(_, entries)| names(entries)).collect())
    }
}

/// Samples with `count` ConfigMaps in all.
fn samples(side: &str, word: &str, count: usize) -> impl Iterator<Item = (String, Vec<Value>)> {
    let sample = move |first: usize| {
        let name = format!("{side}-{word}-{first}");
        let entries = sample::config_maps(&name, TARGET, OBJECTS.min(count - first));
        (name, entries)
    };
    (0..count).step_by(OBJECTS).map(sample)
}

fn names(entries: &[Value]) -> impl Iterator<Item = String> {
    let name = |entry: &Value| entry["object"]["metadata"]["name"].as_str().map(str::to_owned);
    entries.iter().filter_map(name)
}

fn changed(event: WatchEvent<DynamicObject>) -> Option<Seen> {
    match event {
        WatchEvent::Modified(object) => Some(Seen {
            name: object.name_any(),
            level: object.data["data"]["LOG_LEVEL"].as_str()?.to_owned(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_as_many_objects_as_were_asked_for() {
        let samples: Vec<_> = samples("ours", "single", 250).collect();
        let counts: Vec<_> = samples.iter().map(|(_, entries)| entries.len()).collect();
        assert_eq!(counts, [100, 100, 50]);
        let names: Vec<_> = names(&samples[2].1).collect();
        assert_eq!(names[49], "ours-single-200-49");
    }
}
