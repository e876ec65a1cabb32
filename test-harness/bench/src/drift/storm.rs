//! Many objects that are changed at once.
//!
//! Changes take as long as repairs do, so an agent that repairs while they are made would hide behind them. It stands
//! still (SIGSTOP) until the last change is made, and the clock starts when it runs on.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};

use super::{CHANGED, Drifting, Load, names, samples};
use crate::course::CREATES;
use crate::floor::apply::Order;
use crate::rounds::Rounds;
use crate::sample::{self, Carrier, UNTOUCHED};
use crate::verdict::Bar;
use crate::worker::Worker;

/// At most a quarter above the bare loop over the same objects.
pub(super) const BAR: Bar = Bar::AtMost(1.25);

/// All rounds.
#[derive(Default)]
pub(super) struct Storms {
    pub(super) ours: Rounds,
    pub(super) floor: Rounds,
}

pub(super) async fn run(drifting: &mut Drifting<'_>, bare: &mut Worker, load: Load) -> Result<Storms> {
    let ours = drifting.deliver(Carrier::Release, "storm", load.storm).await?;
    let entries: Vec<_> = samples("loop", "storm", load.storm)
        .flat_map(|(_, entries)| entries)
        .collect();
    let theirs: Vec<_> = names(&entries).collect();
    let manifests = sample::manifests(entries).collect();
    bare.ask::<()>(&Order::Hold(manifests)).await?;
    bare.ask::<()>(&Order::Apply).await?;
    let mut storms = Storms::default();
    for index in 0..load.rounds {
        for carrier in Carrier::turns(index) {
            match carrier {
                Carrier::Relayed => {
                    drifting.change(&theirs).await?;
                    let (start, before) = (Instant::now(), bare.usage()?);
                    let ((), last) = tokio::try_join!(bare.ask(&Order::Apply), drifting.repaired(&theirs))?;
                    storms.floor.add(last - start, bare.usage()?.since(before));
                }
                Carrier::Release => {
                    drifting.course.agent.pause()?;
                    drifting.change(&ours).await?;
                    let (start, before) = (Instant::now(), drifting.course.ours()?);
                    drifting.course.agent.resume()?;
                    let last = drifting.repaired(&ours).await?;
                    let used = drifting.course.ours()?.since(before);
                    storms.ours.add(last - start, used);
                }
            }
        }
    }
    Ok(storms)
}

impl Drifting<'_> {
    /// Changes all, and waits until each change was seen.
    async fn change(&mut self, objects: &[String]) -> Result<()> {
        let changing = futures::stream::iter(objects)
            .map(|name| self.meddle(name))
            .buffer_unordered(CREATES)
            .try_collect::<()>();
        changing.await?;
        self.all_say(objects, CHANGED).await?;
        Ok(())
    }

    /// When the last was repaired.
    async fn repaired(&mut self, objects: &[String]) -> Result<Instant> {
        self.all_say(objects, UNTOUCHED).await
    }

    async fn all_say(&mut self, objects: &[String], level: &str) -> Result<Instant> {
        let mut awaited: BTreeSet<_> = objects.iter().cloned().collect();
        let mut last = Instant::now();
        while let Some(next) = awaited.first() {
            let (seen, at) = self.seen.next(next).await?;
            if seen.level == level && awaited.remove(&seen.name) {
                last = at;
            }
        }
        Ok(last)
    }
}
