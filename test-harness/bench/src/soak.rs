//! `soak`: edits and reconnects without end, and what hub and agent have resident while they go on.
//!
//! One plane is an agent with a cluster, whose Releases are edited; the others are a crowd that dials again and again.
//! Whenever a part of the work is done and everything has settled, both processes are looked at. What they grow by is
//! the slope of the straight line through what was seen from a fifth of the run on, by least squares: until then caches
//! fill. There is no floor but a flat line.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use outhaul_scenarios::cluster::{Cluster, Role as ClusterRole};
use outhaul_scenarios::operator::{self, Operator};
use outhaul_scenarios::{Ground, poll};
use serde_json::json;
use tracing::info;

use crate::course::{CREATES, PLANE, TARGET};
use crate::crowd::control::Control;
use crate::crowd::planes::{Order, Told};
use crate::measure::{Figures, Measure};
use crate::memory;
use crate::outcome::Outcome;
use crate::programs::agent;
use crate::programs::hub::Addresses;
use crate::sample::{self, Carrier};
use crate::stats;
use crate::verdict::{Bar, Verdict};
use crate::worker::{self, Role, Worker};

/// Percent of the mean, from a fifth of the run to its end.
const GROWTH: Bar = Bar::AtMost(1.0);

/// Looks at the processes.
const LOOKS: usize = 50;

/// The part of the run, in looks, that is left out.
const FILLING: usize = LOOKS / 5;

/// How long a part may take to settle.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is done.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Edits of Releases in all, at least.
    pub edits: usize,
    /// Connections that planes leave and dial anew in all, at least.
    pub reconnects: usize,
    /// Releases on the plane with an agent.
    pub releases: usize,
    /// Planes that dial again and again, each with one Release.
    pub planes: usize,
}

/// What both programs had resident at one look; KiB.
#[derive(Debug, Clone, Copy)]
struct Seen {
    hub: f64,
    agent: f64,
}

impl Seen {
    /// This, of one look.
    fn at(&self, look: usize) -> String {
        let [hub, agent] = [self.hub, self.agent].map(|kib| kib / 1_024.0);
        format!("{} %: {hub:.1} and {agent:.1} MiB", 100 * look / LOOKS)
    }
}

/// Edits and redials, part by part, and looks at hub and agent after each.
///
/// # Errors
/// Something does not start, or does not settle.
pub async fn run(load: Load) -> Result<Outcome> {
    let shipped = memory::beside_this_program()?;
    let mut bath = Bath::fill(load, shipped.as_deref()).await?;
    let start = Instant::now();
    let mut seen = Vec::new();
    for look in 1..=LOOKS {
        let until = |all: usize| (all * look).div_ceil(LOOKS);
        bath.part(until(load.edits), until(load.reconnects)).await?;
        let now = Seen {
            hub: bath.hub.usage()?.rss_kib,
            agent: bath.agent.usage()?.rss_kib,
        };
        info!("hub and agent at {}", now.at(look));
        seen.push(now);
    }
    let total = start.elapsed();
    let used = bath.hub.usage()? + bath.agent.usage()?;
    let processes = [
        ("hub", &bath.hub),
        ("agent", &bath.agent),
        ("planes", &bath.planes),
    ];
    let mut outcome = Outcome::new(worker::usages(processes)?);
    outcome.verdicts = vec![
        growth("hub", seen.iter().map(|seen| seen.hub)),
        growth("agent", seen.iter().map(|seen| seen.agent)),
    ];
    outcome.notes = bath.notes(&seen, shipped.as_deref());
    outcome.measures.push(Measure {
        name: "soak",
        ours: Figures::default().whole(total, bath.edits).used(used),
        floor: Figures::default(),
        samples: bath.edits,
        cluster: "fake",
    });
    bath.drain().await?;
    Ok(outcome)
}

fn growth(program: &str, resident: impl Iterator<Item = f64>) -> Verdict {
    let settled: Vec<_> = resident.skip(FILLING).collect();
    Verdict {
        what: format!("what the {program} has resident grew from a fifth of the run to its end, of the mean"),
        value: 100.0 * stats::growth(&settled),
        unit: " %",
        bar: GROWTH,
    }
}

/// A hub, an agent with a cluster, and a crowd.
struct Bath {
    load: Load,
    control: Control,
    releases: Api<DynamicObject>,
    hub: Worker,
    agent: Worker,
    planes: Worker,
    _plane: Cluster,
    edits: usize,
    reconnects: usize,
    failures: u64,
}

impl Bath {
    async fn fill(load: Load, shipped: Option<&Path>) -> Result<Self> {
        let control = Control::start().await?;
        control.add_planes(load.planes, 1).await?;
        let (hub, at) = control.start_hub(Addresses::anywhere()).await?;
        let mut planes = control.start_planes(at.agents, load.planes).await?;
        control.converge(&mut planes, load.planes).await?;
        let operator = Operator::appoint(control.client(), at.rest).await?;
        operator.declare(PLANE).await?;
        let plane = Cluster::start(&Ground::Embedded, ClusterRole::BarePlane).await?;
        let setup = agent::Setup {
            kubeconfig: plane.kubeconfig().clone(),
            hub: at.agents,
            token: operator.token(PLANE).await?,
        };
        let agent = match shipped {
            Some(program) => setup.start_shipped(program).await?,
            None => Worker::start::<()>(Role::Agent, &setup).await?.0,
        };
        let bath = Self {
            load,
            releases: Carrier::Release.api(control.client()),
            control,
            hub,
            agent,
            planes,
            _plane: plane,
            edits: 0,
            reconnects: 0,
            failures: 0,
        };
        for index in 0..load.releases {
            let name = release(index);
            let resources = sample::config_maps(&name, TARGET, 1);
            Carrier::Release
                .create(bath.control.client(), &name, PLANE, &resources)
                .await?;
        }
        bath.settled().await?;
        Ok(bath)
    }

    /// Works until so much is done in all, and everything has settled.
    async fn part(&mut self, edits: usize, reconnects: usize) -> Result<()> {
        let (from, to) = (self.edits, edits.max(self.edits));
        let releases = &self.releases;
        let count = self.load.releases;
        let editing = futures::stream::iter(from..to)
            .map(|number| edit(releases, release(number % count), number))
            .buffer_unordered(CREATES)
            .try_collect::<()>();
        let planes = &mut self.planes;
        let size = self.load.planes;
        let (mut redialled, mut failures) = (self.reconnects, 0);
        let redialling = async {
            while redialled < reconnects {
                let told: Told = planes.ask(&Order::Redial).await?;
                failures += told.failures;
                redialled += size;
            }
            Ok(())
        };
        tokio::try_join!(editing, redialling)?;
        self.edits = to;
        self.reconnects = redialled;
        self.failures += failures;
        self.settled().await
    }

    /// Waits until every Release of the plane is as its last edit wants it, and nothing is written any more.
    async fn settled(&self) -> Result<()> {
        poll::until("every Release has settled", PATIENCE, || async {
            let all = self.releases.list(&ListParams::default()).await?;
            let ours = all.iter().filter(|it| it.name_any().starts_with(RELEASE));
            let waiting = ours.filter(|release| !is_settled(release)).count();
            ensure!(waiting == 0, "{waiting} wait");
            Ok(())
        })
        .await?;
        self.control.quiet().await
    }

    fn notes(&self, seen: &[Seen], shipped: Option<&Path>) -> Vec<String> {
        let looks = (1..).zip(seen).map(|(look, seen)| seen.at(look));
        let tenths: Vec<_> = looks.skip(LOOKS / 10 - 1).step_by(LOOKS / 10).collect();
        let agent = match shipped {
            Some(program) => program.display().to_string(),
            None => "this program".to_owned(),
        };
        vec![
            format!(
                "soak: {} edits of {} Releases, {} reconnects of {} planes ({} dials came to nothing and were made \
                 again); the agent is {agent}",
                self.edits, self.load.releases, self.reconnects, self.load.planes, self.failures
            ),
            format!("soak: hub and agent at {}", tenths.join("; ")),
        ]
    }

    async fn drain(self) -> Result<()> {
        self.agent.terminate().await?;
        self.hub.terminate().await?;
        self.planes.finish().await
    }
}

/// What the names of Releases on the plane with an agent begin with.
const RELEASE: &str = "soaked-";

fn release(index: usize) -> String {
    format!("{RELEASE}{index}")
}

/// Gives the one object of a Release another value.
async fn edit(releases: &Api<DynamicObject>, name: String, number: usize) -> Result<()> {
    let change = json!([{
        "op": "replace", "path": "/spec/resources/0/object/data/LOG_LEVEL", "value": number.to_string(),
    }]);
    let change: Patch<()> = Patch::Json(serde_json::from_value(change)?);
    let edited = releases.patch(&name, &PatchParams::default(), &change).await;
    edited.with_context(|| format!("edit {name}"))?;
    Ok(())
}

fn is_settled(release: &DynamicObject) -> bool {
    let ready = operator::condition(release, "Ready");
    ready.is_some_and(|ready| {
        ready["status"] == "True" && ready["observedGeneration"].as_i64() == release.metadata.generation
    })
}
