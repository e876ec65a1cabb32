//! `fleet`: what an idle plane costs the hub: resident memory, and CPU while nothing happens.
//!
//! Memory is the hub process with all planes connected, less the same process before there was any plane, over their
//! number: so what the hub keeps of the resource Plane counts too. Beside it the same for a bare QUIC server with
//! mutual TLS and as many connections.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::crowd::control::Control;
use crate::crowd::planes::{self, Order, Told};
use crate::floor::certificates::Certificates;
use crate::floor::{quic_clients, quic_server};
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::programs::hub;
use crate::verdict::{Bar, Verdict};
use crate::worker::{Role, Worker};

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

/// Any free ports of loopback.
pub(crate) fn anywhere() -> hub::Addresses {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    hub::Addresses {
        agents: anywhere,
        rest: anywhere,
    }
}

/// A hub on this control plane.
pub(crate) async fn start_hub(control: &Control, at: hub::Addresses) -> Result<(Worker, hub::Addresses)> {
    let kubeconfig = control.kubeconfig()?;
    Worker::start(Role::Hub, &hub::Setup { kubeconfig, at }).await
}

/// The agents of a crowd, none of them connected yet.
pub(crate) async fn start_planes(control: &Control, hub: SocketAddr, planes: usize) -> Result<Worker> {
    let setup = planes::Setup {
        hub,
        certificate: control.authority.certificate.clone(),
        authority_key: control.authority.key.clone(),
        key: control.key.clone(),
        planes,
    };
    let (planes, ()) = Worker::start(Role::Planes, &setup).await?;
    Ok(planes)
}

/// Connects all planes and waits until they have converged and nothing is written any more.
pub(crate) async fn converge(
    control: &Control,
    planes: &mut Worker,
    load: (usize, usize),
) -> Result<Duration> {
    let start = Instant::now();
    let _connected: Told = planes.ask(&Order::Gather).await?;
    let connecting = start.elapsed();
    let bundles = (load.0 * load.1) as u64;
    let _reported: Told = planes.ask(&Order::Reported(bundles)).await?;
    control.quiet().await?;
    Ok(connecting)
}

/// A bare server and its clients, not connected yet.
pub(crate) async fn start_bare() -> Result<(Worker, Worker)> {
    let setup = quic_server::Setup {
        certificates: Certificates::generate()?,
    };
    let (server, address) = Worker::start::<SocketAddr>(Role::QuicServer, &setup).await?;
    let setup = quic_clients::Setup {
        certificates: setup.certificates,
        server: address,
    };
    let (clients, ()) = Worker::start(Role::QuicClients, &setup).await?;
    Ok((server, clients))
}

/// New bare connections, and how long their handshakes took.
pub(crate) async fn connect_bare(clients: &mut Worker, count: usize) -> Result<Duration> {
    let () = clients.ask(&count).await?;
    let start = Instant::now();
    let _connected: usize = clients.ask(&()).await?;
    Ok(start.elapsed())
}

async fn ours(load: Load) -> Result<Idle> {
    let control = Control::start().await?;
    let (hub, at) = start_hub(&control, anywhere()).await?;
    control.quiet().await?;
    let empty = hub.usage()?;
    control.add_planes(load.planes, load.bundles).await?;
    let mut planes = start_planes(&control, at.agents, load.planes).await?;
    let connecting = converge(&control, &mut planes, (load.planes, load.bundles)).await?;
    let idle = look(&hub, empty, load, connecting).await?;
    let processes = vec![
        ("hub".to_owned(), hub.usage()?),
        ("planes".to_owned(), planes.usage()?),
    ];
    hub.terminate().await?;
    planes.finish().await?;
    Ok(Idle { processes, ..idle })
}

async fn floor(load: Load) -> Result<Idle> {
    let (server, mut clients) = start_bare().await?;
    let empty = server.usage()?;
    let connecting = connect_bare(&mut clients, load.planes).await?;
    let idle = look(&server, empty, load, connecting).await?;
    let processes = vec![
        ("bare server".to_owned(), server.usage()?),
        ("bare clients".to_owned(), clients.usage()?),
    ];
    clients.finish().await?;
    server.finish().await?;
    Ok(Idle { processes, ..idle })
}

/// Looks at an idle server for a while.
async fn look(server: &Worker, empty: Usage, load: Load, connecting: Duration) -> Result<Idle> {
    let (before, start) = (server.usage()?, Instant::now());
    tokio::time::sleep(load.window).await;
    let (after, window) = (server.usage()?, start.elapsed());
    let planes = u32::try_from(load.planes).map_or(f64::INFINITY, f64::from);
    Ok(Idle {
        each_kib: (after.rss_kib - empty.rss_kib) / planes,
        cpu: after.since(before).cpu,
        window,
        connecting,
        processes: Vec::new(),
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
