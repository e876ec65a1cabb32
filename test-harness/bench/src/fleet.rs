//! `fleet`: what an idle plane costs the hub: resident memory, and CPU while nothing happens.
//!
//! Memory is the hub process with all planes connected, less the same process before there was any plane, over their
//! number: so what the hub keeps of the resource Plane counts too. Beside it the same for a bare QUIC server with
//! mutual TLS and as many connections.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::crowd::control::Control;
use crate::floor::bare_quic::BareQuic;
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::programs::hub::Addresses;
use crate::verdict::{Bar, Verdict};
use crate::worker::{self, Worker};

/// 45 KB, in KiB.
const MEMORY: Bar = Bar::AtMost(45_000.0 / 1_024.0);

/// Percent of one core.
const IDLE_CPU: Bar = Bar::AtMost(15.0);

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Planes on one hub.
    pub planes: usize,
    /// Releases that each of them holds.
    pub bundles: usize,
    /// How long to look at the idle hub.
    pub window: Duration,
}

/// One server with its connections.
struct Idle {
    /// More than the empty server, for each connection.
    each_kib: f64,
    /// The server before anybody connected.
    empty_kib: f64,
    cpu: Duration,
    window: Duration,
    /// Until all connections stood.
    connecting: Duration,
    processes: Vec<(String, Usage)>,
}

/// Measures the hub, then bare QUIC.
///
/// # Errors
/// Something does not start, or planes do not connect.
pub async fn run(load: Load) -> Result<Outcome> {
    let ours = ours(load).await?;
    let floor = floor(load).await?;
    let mut outcome = Outcome::new(ours.processes.iter().chain(&floor.processes).cloned().collect());
    outcome.notes.push(format!(
        "fleet: rss_kib is for each plane, cpu_s and total are of {:.0} idle seconds; all connected in {:.1} s, bare \
         QUIC in {:.1} s",
        load.window.as_secs_f64(),
        ours.connecting.as_secs_f64(),
        floor.connecting.as_secs_f64()
    ));
    let whole = |idle: &Idle| idle.each_kib + idle.empty_kib / load.planes as f64;
    outcome.notes.push(format!(
        "fleet: the whole hub is {:.1} KiB for each plane, and was {:.1} MiB without any; bare QUIC {:.1} KiB",
        whole(&ours),
        ours.empty_kib / 1024.0,
        whole(&floor)
    ));
    outcome.verdicts = ours.verdicts(load, &floor);
    outcome.measures.push(Measure {
        name: "fleet",
        ours: ours.figures(),
        floor: floor.figures(),
        samples: load.planes,
        cluster: "fake",
    });
    Ok(outcome)
}

async fn ours(load: Load) -> Result<Idle> {
    let control = Control::start().await?;
    let (hub, at) = control.start_hub(Addresses::anywhere()).await?;
    control.quiet().await?;
    let empty = hub.usage()?;
    control.add_planes(load.planes, load.bundles).await?;
    let mut planes = control.start_planes(at.agents, load.planes).await?;
    let connecting = control.converge(&mut planes, load.planes * load.bundles).await?;
    let processes = [("hub", &hub), ("planes", &planes)];
    let idle = look(processes, empty, load, connecting).await?;
    hub.terminate().await?;
    planes.finish().await?;
    Ok(idle)
}

async fn floor(load: Load) -> Result<Idle> {
    let mut bare = BareQuic::start().await?;
    let empty = bare.server.usage()?;
    let connecting = bare.connect(load.planes).await?;
    let processes = [("bare server", &bare.server), ("bare clients", &bare.clients)];
    let idle = look(processes, empty, load, connecting).await?;
    bare.finish().await?;
    Ok(idle)
}

/// Looks for a while at an idle server, the first of `processes`.
async fn look(
    processes: [(&str, &Worker); 2],
    empty: Usage,
    load: Load,
    connecting: Duration,
) -> Result<Idle> {
    let [(_, server), _] = processes;
    let (before, start) = (server.usage()?, Instant::now());
    tokio::time::sleep(load.window).await;
    let (after, window) = (server.usage()?, start.elapsed());
    Ok(Idle {
        each_kib: (after.rss_kib - empty.rss_kib) / load.planes as f64,
        empty_kib: empty.rss_kib,
        cpu: after.since(before).cpu,
        window,
        connecting,
        processes: worker::usages(processes)?,
    })
}

impl Idle {
    fn figures(&self) -> Figures {
        Figures {
            rss_kib: Some(self.each_kib),
            cpu_s: Some(self.cpu.as_secs_f64()),
            total: Some(self.window.as_secs_f64()),
            ..Figures::default()
        }
    }

    fn verdicts(&self, load: Load, floor: &Self) -> Vec<Verdict> {
        let Load { planes, .. } = load;
        let percent = |idle: &Self| 100.0 * idle.cpu.as_secs_f64() / idle.window.as_secs_f64();
        vec![
            Verdict {
                what: format!(
                    "resident for each of {planes} planes (bare QUIC: {:.1} KiB)",
                    floor.each_kib
                ),
                value: self.each_kib,
                unit: " KiB",
                bar: MEMORY,
            },
            Verdict {
                what: format!(
                    "idle CPU with {planes} planes (bare QUIC: {:.1} %)",
                    percent(floor)
                ),
                value: percent(self),
                unit: " % of a core",
                bar: IDLE_CPU,
            },
        ]
    }
}
