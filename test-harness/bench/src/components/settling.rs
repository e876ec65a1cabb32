//! When all components are ready and nothing is written any more, in the control plane or in the plane.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use kube::api::{DynamicObject, ListParams};
use kube::{Client, ResourceExt as _};
use outhaul_scenarios::operator::{COMPONENT, Operator, condition};

use crate::course::revision;

/// What is ready when a component is, and how it says so.
const READY: [(&str, &str); 3] = [
    ("Component", "ProjectFound"),
    ("ServiceBinding", "ResourcesActive"),
    ("Release", "AllHealthy"),
];

/// Nothing that one write leads to takes as long.
const QUIET: Duration = Duration::from_secs(2);

/// Writes in that time that have nothing to do with components: Leases.
const LEASES: u64 = 3;

/// How long it may take until all is ready.
const PATIENCE: Duration = Duration::from_secs(1_200);

/// Looks at both clusters.
pub(super) struct Settling<'a> {
    pub(super) operator: &'a Operator,
    pub(super) control: &'a Client,
    pub(super) plane: &'a Client,
}

/// All is ready, and nothing is written any more.
pub(super) struct Settled {
    /// The last write was before.
    pub(super) since: Instant,
    /// Of control plane and plane. Every write is one.
    pub(super) revisions: [u64; 2],
}

impl Settling<'_> {
    /// Waits until all components there are, `count` of them, are ready and nothing is written any more.
    ///
    /// # Errors
    /// That does not come.
    pub(super) async fn all_ready(&self, count: usize) -> Result<Settled> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let settled = self.at_rest(deadline).await?;
            match self.unready(count).await? {
                None => return Ok(settled),
                Some(unready) if Instant::now() > deadline => bail!("not after {PATIENCE:?}: {unready}"),
                Some(_not_yet) => {}
            }
        }
    }

    async fn at_rest(&self, deadline: Instant) -> Result<Settled> {
        let mut settled = self.look().await?;
        loop {
            tokio::time::sleep(QUIET / 8).await;
            let now = self.look().await?;
            if (0..2).any(|side| now.revisions[side] > settled.revisions[side] + LEASES) {
                settled = now;
            } else if settled.since.elapsed() >= QUIET {
                return Ok(settled);
            }
            ensure!(Instant::now() < deadline, "it is written without end");
        }
    }

    async fn look(&self) -> Result<Settled> {
        let (control, plane) = tokio::try_join!(revision(self.control), revision(self.plane))?;
        Ok(Settled {
            since: Instant::now(),
            revisions: [control, plane],
        })
    }

    /// What is not as it will be, if anything.
    async fn unready(&self, count: usize) -> Result<Option<String>> {
        for (kind, reason) in READY {
            let all = self.operator.api(kind).list(&ListParams::default()).await?;
            // One is there for Releases that are made by hand.
            let measured = || all.iter().filter(|object| object.name_any() != COMPONENT);
            let ready = measured().filter(|object| says(object, reason)).count();
            if (ready, measured().count()) != (count, count) {
                return Ok(Some(format!("{ready} of {count} {kind}s say {reason}")));
            }
        }
        Ok(None)
    }
}

fn says(object: &DynamicObject, reason: &str) -> bool {
    let ready = condition(object, "Ready");
    ready.is_some_and(|ready| {
        ready["status"] == "True"
            && ready["reason"] == reason
            && ready["observedGeneration"].as_i64() == object.metadata.generation
    })
}
