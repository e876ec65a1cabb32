//! `restart`: the hub ends and starts again while all planes are converged: until all are back and proven to be
//! converged, and what it costs anybody besides (nothing).
//!
//! The clock starts when the new hub listens: before it reads the control plane, and before it accepts. Beside it the
//! time of as many bare QUIC handshakes with mutual TLS between the same two kinds of processes.

use std::time::{Duration, Instant};

use anyhow::Result;
use outhaul_protocol_transport::quic::KEEP_ALIVE;

use crate::crowd::control::Control;
use crate::crowd::planes::{Order, Told};
use crate::floor::bare_quic::BareQuic;
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::programs::hub::Addresses;
use crate::stats::Samples;
use crate::verdict::{Bar, Verdict};
use crate::worker::{self, Worker};

/// Times the bare handshakes.
const BAR: f64 = 1.5;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Converged planes.
    pub planes: usize,
    /// Releases that each of them holds.
    pub bundles: usize,
    /// Restarts after SIGTERM, and runs of the floor. There is one after SIGKILL.
    pub rounds: usize,
}

/// How a hub ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Terminated,
    Killed,
}

/// One restart.
struct Restart {
    /// From its listening until all planes are back.
    total: Duration,
    told: Told,
    writes: u64,
    /// Of the new hub.
    used: Usage,
}

/// Measures bare handshakes, then restarts, the last of them after SIGKILL.
///
/// # Errors
/// Something does not start, or planes do not come back.
pub async fn run(load: Load) -> Result<Outcome> {
    let mut bare = BareQuic::start().await?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    let mut bare_used = Usage::default();
    // Before there are planes, whose keep-alives would go on beside these.
    for _ in 0..load.rounds {
        let before = bare.server.usage()?;
        floor.push(bare.connect(load.planes).await?);
        bare_used = bare.server.usage()?.since(before);
        bare.close().await?;
    }
    let mut crowd = Crowd::start(load).await?;
    for _ in 0..load.rounds {
        let (next, restart) = crowd.restart(End::Terminated).await?;
        crowd = next;
        ours.push(restart);
    }
    let (crowd, killed) = crowd.restart(End::Killed).await?;
    let processes = [
        ("hub", &crowd.hub),
        ("planes", &crowd.planes),
        ("bare server", &bare.server),
        ("bare clients", &bare.clients),
    ];
    let mut outcome = Outcome::new(worker::usages(processes)?);
    judge(&mut outcome, load, (&ours, &killed), floor, bare_used);
    bare.finish().await?;
    crowd.hub.terminate().await?;
    crowd.planes.finish().await?;
    Ok(outcome)
}

fn judge(
    outcome: &mut Outcome,
    load: Load,
    (ours, killed): (&[Restart], &Restart),
    floor: Vec<Duration>,
    bare_used: Usage,
) {
    let floor = floor
        .into_iter()
        .collect::<Samples>()
        .median()
        .unwrap_or_default();
    let times = ours.iter().map(|restart| restart.total).collect::<Samples>();
    let total = times.median().unwrap_or_default();
    let used = ours.last().map(|restart| restart.used).unwrap_or_default();
    let ours_row = Figures::default().whole(total, load.planes).used(used);
    let floor_row = Figures::default().whole(floor, load.planes).used(bare_used);
    let what = format!(
        "{} planes back after SIGTERM over as many bare handshakes ({:.2} s), middle of {}",
        load.planes,
        floor.as_secs_f64(),
        load.rounds
    );
    let ratio = Verdict::ratio(what, ours_row.total, floor_row.total, Bar::AtMost(BAR));
    outcome.verdicts.extend(ratio);
    // A hub that says nothing costs more: agents notice at their next keep-alive.
    outcome.verdicts.push(Verdict {
        what: "all back after SIGKILL".to_owned(),
        value: killed.total.as_secs_f64(),
        unit: " s",
        bar: Bar::AtMost(BAR * floor.as_secs_f64() + KEEP_ALIVE.as_secs_f64()),
    });
    let all: Vec<&Restart> = ours.iter().chain([killed]).collect();
    outcome.verdicts.extend(costs_nothing(&all));
    let failures: u64 = all.iter().map(|restart| restart.told.failures).sum();
    outcome.notes.push(format!(
        "restart: {failures} dials came to nothing and were made again"
    ));
    outcome.measures.push(Measure {
        name: "restart",
        ours: ours_row,
        floor: floor_row,
        samples: load.planes,
        cluster: "fake",
    });
}

/// Whoever is converged has nothing to send or write.
fn costs_nothing(all: &[&Restart]) -> [Verdict; 4] {
    let sum = |of: fn(&Restart) -> u64| all.iter().map(|restart| of(restart)).sum::<u64>();
    [
        (
            "planes that were not converged, all restarts",
            sum(|it| (it.told.welcomed - it.told.converged) as u64),
        ),
        ("heads announced, all restarts", sum(|it| it.told.heads)),
        ("reports sent, all restarts", sum(|it| it.told.reports)),
        ("writes to the control plane, all restarts", sum(|it| it.writes)),
    ]
    .map(|(what, count)| Verdict {
        what: what.to_owned(),
        value: count as f64,
        unit: "",
        bar: Bar::AtMost(0.0),
    })
}

/// A hub and its planes.
struct Crowd {
    control: Control,
    hub: Worker,
    at: Addresses,
    planes: Worker,
}

impl Crowd {
    async fn start(load: Load) -> Result<Self> {
        let control = Control::start().await?;
        control.add_planes(load.planes, load.bundles).await?;
        let (hub, at) = control.start_hub(Addresses::anywhere()).await?;
        let mut planes = control.start_planes(at.agents, load.planes).await?;
        control.converge(&mut planes, load.planes * load.bundles).await?;
        Ok(Self {
            control,
            hub,
            at,
            planes,
        })
    }

    async fn restart(mut self, end: End) -> Result<(Self, Restart)> {
        self.planes.tell(&Order::Gather).await?;
        let writes = self.control.writes();
        match end {
            End::Terminated => self.hub.terminate().await?,
            End::Killed => self.hub.kill().await?,
        }
        let (hub, at) = self.control.start_hub(self.at).await?;
        let listening = Instant::now();
        let _back: Told = self.planes.hear().await?;
        let total = listening.elapsed();
        let used = hub.usage()?;
        self.control.quiet().await?;
        let told = self.planes.ask(&Order::Tell).await?;
        let writes = self.control.writes() - writes;
        let restart = Restart {
            total,
            told,
            writes,
            used,
        };
        Ok((Self { hub, at, ..self }, restart))
    }
}
