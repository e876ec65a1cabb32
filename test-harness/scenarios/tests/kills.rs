//! Hub and agent as the processes that are shipped, killed again and again at random instants: what users say arrives,
//! and nothing else happens to what runs.
//!
//! `OUTHAUL_KILLS` says how many times on real API servers, 50 by default; `OUTHAUL_SEED` plays one series again. The
//! times at which kills meet the programs are the machine's, so a seed repeats the actions and not every race.
//!
//! The programs are those that lie beside this test. `cargo test --workspace` builds them too; where this test alone is
//! chosen, whatever was built last is killed: run `cargo build --workspace --bins` before.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a scenario that cannot go on fails where it stands, and says how to play it again"
)]

#[path = "scenarios/support.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::TryStreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, PostParams};
use kube::runtime::watcher::{self, Event};
use kube::{Client, ResourceExt as _};
use outhaul_scenarios::cluster::Role;
use outhaul_scenarios::operator::Operator;
use outhaul_scenarios::{Cluster, Ground, poll, stage};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use support::{TARGET, config_map};
use tokio::task::JoinHandle;

const PLANE: &str = "eu";
/// Kills in memory, where a start takes milliseconds.
const EMBEDDED_KILLS: u32 = 20;
/// Kills on real API servers, where nothing else is said.
const KILLS: u32 = 50;
/// Releases that stay from beginning to end.
const RELEASES: usize = 6;
/// Objects of each.
const OBJECTS: usize = 3;
/// Removals that a series asks for at most: fewer than a plane lets go without being asked again.
const REMOVALS: usize = 20;
/// A kill comes at any time within this after an action: by then all that follows from the action has begun, and mostly
/// ended.
const WINDOW: Duration = Duration::from_millis(600);

/// A program in a process of its own. Dropping it kills it, as `kill -9` does.
struct Program {
    command: Command,
    running: Child,
}

impl Program {
    fn start(mut command: Command) -> Self {
        let running = command.spawn().unwrap();
        Self { command, running }
    }

    fn kill_and_start_again(&mut self) {
        let ended = self.running.try_wait().unwrap();
        assert_eq!(ended, None, "{:?} ended by itself", self.command.get_program());
        self.kill();
        self.running = self.command.spawn().unwrap();
    }

    fn kill(&mut self) {
        self.running.kill().unwrap();
        self.running.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One of the programs that cargo has built beside this test.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join(name);
    assert!(
        program.exists(),
        "{} is missing: run 'cargo build --workspace --bins' first",
        program.display()
    );
    program
}

fn command(name: &str, kubeconfig: &Path) -> Command {
    let mut command = Command::new(program(name));
    command
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .stdin(Stdio::null())
        .stderr(fs::File::create(kubeconfig.with_extension("log")).unwrap());
    command
}

/// What the objects of a plane came to since the series began.
#[derive(Debug, Default)]
struct Lives {
    /// Uids of each name, in the order in which they were first seen.
    uids: BTreeMap<String, Vec<String>>,
    deleted: Vec<String>,
}

/// Follows every ConfigMap of the plane.
fn follow(objects: Api<ConfigMap>, lives: Arc<Mutex<Lives>>) -> JoinHandle<Result<(), watcher::Error>> {
    let watch = watcher::watcher(objects, watcher::Config::default());
    tokio::spawn(watch.try_for_each(move |event| {
        let mut lives = lives.lock().unwrap();
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let uids = lives.uids.entry(object.name_any()).or_default();
                let uid = object.uid().unwrap();
                if !uids.contains(&uid) {
                    uids.push(uid);
                }
            }
            Event::Delete(object) => lives.deleted.push(object.name_any()),
            Event::Init | Event::InitDone => {}
        }
        std::future::ready(Ok(()))
    }))
}

/// A series under way: two clusters, two programs, and what users have said so far.
struct Series {
    random: StdRng,
    _control: Cluster,
    _plane: Cluster,
    operator: Operator,
    hub: Program,
    agent: Program,
    objects: Api<ConfigMap>,
    /// The value that the objects of each Release were last given.
    wanted: BTreeMap<String, u32>,
    /// Releases that come and go.
    passing: Vec<String>,
    removed: Vec<String>,
}

impl Series {
    async fn start(ground: &Ground, folder: &Path, seed: u64) -> Self {
        let (control, plane) = tokio::try_join!(
            Cluster::start(ground, Role::BareControlPlane),
            Cluster::start(ground, Role::BarePlane)
        )
        .unwrap();
        let kubeconfig = |cluster: &Cluster, name: &str| {
            let file = folder.join(format!("{name}.yaml"));
            fs::write(&file, serde_yaml_ng::to_string(cluster.kubeconfig()).unwrap()).unwrap();
            file
        };
        let client = control.client().await.unwrap();
        namespace(&client, stage::SYSTEM).await;
        let (agents, rest) = free_addresses();
        let mut hub = command("outhaul-hub", &kubeconfig(&control, "hub"));
        hub.args(["--fall-back-to-default", "--listen", &agents.to_string()]);
        hub.args(["--rest", &rest.to_string()]);
        let hub = Program::start(hub);
        let operator = Operator::appoint(&client, rest).await.unwrap();
        operator.declare(PLANE).await.unwrap();
        let token = operator.token(PLANE).await.unwrap();
        let mut agent = command("outhaul-agent", &kubeconfig(&plane, "agent"));
        agent.args(["--holder", "pod", "--hub", &agents.to_string()]);
        agent.env("OUTHAUL_ENROLMENT_TOKEN", token);
        let agent = Program::start(agent);
        let objects = Api::namespaced(plane.client().await.unwrap(), TARGET);
        Self {
            random: StdRng::seed_from_u64(seed),
            _control: control,
            _plane: plane,
            operator,
            hub,
            agent,
            objects,
            wanted: BTreeMap::new(),
            passing: Vec::new(),
            removed: Vec::new(),
        }
    }

    async fn say(&mut self, release: &str, value: u32) {
        let resources: Value = names(release)
            .map(|name| config_map(&name, &value.to_string()))
            .collect();
        self.operator.release(release, PLANE, &resources).await.unwrap();
        self.wanted.insert(release.to_owned(), value);
    }

    /// One thing that users do: mostly they edit.
    async fn act(&mut self, round: u32) {
        match self.random.random_range(0..10) {
            0 | 1 => {
                let release = format!("passing-{round}");
                self.say(&release, round).await;
                self.passing.push(release);
            }
            2 if !self.passing.is_empty() && self.removed.len() < REMOVALS => {
                let release = self.passing.remove(0);
                self.wanted.remove(&release);
                let releases = self.operator.releases();
                releases.delete(&release, &Default::default()).await.unwrap();
                self.removed.push(release);
            }
            _ => {
                for _ in 0..self.random.random_range(1..=3) {
                    let releases: Vec<_> = self.wanted.keys().cloned().collect();
                    let release = releases.choose(&mut self.random).unwrap().clone();
                    self.say(&release, round).await;
                }
            }
        }
    }

    async fn kill(&mut self) {
        let instant = self.random.random_range(Duration::ZERO..WINDOW);
        tokio::time::sleep(instant).await;
        match self.random.random_range(0..3) {
            0 => self.hub.kill_and_start_again(),
            1 => self.agent.kill_and_start_again(),
            _ => {
                self.agent.kill_and_start_again();
                self.hub.kill_and_start_again();
            }
        }
    }

    /// Waits until everything is as users last said, and the hub says so.
    async fn converged(&self) {
        for (release, value) in &self.wanted {
            if let Err(error) = self.operator.ready(release, "True").await {
                let shown = self.operator.bundle(PLANE, release).await;
                panic!("{error:#}; REST says {shown:?}");
            }
            for name in names(release) {
                let object = self.objects.get(&name).await.unwrap();
                let data = object.data.unwrap_or_default();
                assert_eq!(data.get("value"), Some(&value.to_string()), "{name}");
            }
        }
        for release in &self.removed {
            let gone = || async {
                let left = self.operator.releases().get_opt(release).await?;
                ensure!(
                    left.is_none(),
                    "{:?}",
                    left.map(|left| left.data["status"].clone())
                );
                Ok(())
            };
            let what = format!("Release {release} is gone");
            poll::until(&what, stage::PATIENCE, gone).await.unwrap();
            for name in names(release) {
                assert!(self.objects.get_opt(&name).await.unwrap().is_none(), "{name}");
            }
        }
    }
}

fn names(release: &str) -> impl Iterator<Item = String> {
    // Those that come and go are small, so that many removals fit what a plane lets go unasked.
    let objects = if release.starts_with("passing") {
        1
    } else {
        OBJECTS
    };
    (0..objects).map(move |number| format!("{release}-{number}"))
}

async fn namespace(client: &Client, name: &str) {
    let namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
}

/// Where a hub can listen, now and after every kill.
fn free_addresses() -> (SocketAddr, SocketAddr) {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let agents = UdpSocket::bind(anywhere).unwrap();
    let rest = TcpListener::bind(anywhere).unwrap();
    (agents.local_addr().unwrap(), rest.local_addr().unwrap())
}

/// Whoever is killed, and whenever: what users said is on the plane in the end, no object was made again under another
/// uid, and none is gone but those that users let go.
async fn kills_at_any_time_lose_nothing(ground: Ground) {
    let kills = match &ground {
        Ground::Embedded => EMBEDDED_KILLS,
        Ground::Kubernetes(_) => env::var("OUTHAUL_KILLS").map_or(KILLS, |kills| kills.parse().unwrap()),
    };
    let seed = env::var("OUTHAUL_SEED").map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|_unset| rand::random());
    println!("OUTHAUL_SEED={seed} OUTHAUL_KILLS={kills}");
    let folder = env::temp_dir().join(format!("outhaul-kills-{seed}"));
    fs::create_dir_all(&folder).unwrap();
    println!("logs of the programs: {}", folder.display());
    let mut series = Series::start(&ground, &folder, seed).await;
    for number in 0..RELEASES {
        series.say(&format!("staying-{number}"), 0).await;
    }
    series.converged().await;
    let lives = Arc::new(Mutex::new(Lives::default()));
    let watch = follow(series.objects.clone(), lives.clone());

    for round in 1..=kills {
        series.act(round).await;
        series.kill().await;
        // Every other time the next kill meets what the last one left behind.
        if series.random.random_bool(0.5) {
            series.converged().await;
        }
    }
    series.converged().await;

    // What was let go before its plane heard of it never was there.
    let let_go: BTreeSet<_> = series.removed.iter().flat_map(|release| names(release)).collect();
    let look = || async {
        let lives = lives.lock().unwrap();
        let were: BTreeSet<_> = let_go
            .iter()
            .filter(|name| lives.uids.contains_key(*name))
            .collect();
        let deleted: BTreeSet<_> = lives.deleted.iter().collect();
        ensure!(deleted == were, "deleted {deleted:?}, let go {were:?}");
        Ok(())
    };
    poll::until(
        "what users let go was deleted, and nothing else",
        stage::PATIENCE,
        look,
    )
    .await
    .unwrap();
    assert!(!watch.is_finished(), "the watch ended");
    let mut uids = std::mem::take(&mut lives.lock().unwrap().uids);
    for name in series.wanted.keys().flat_map(|release| names(release)) {
        assert!(uids.contains_key(&name), "{name} was never seen");
    }
    uids.retain(|_, uids| uids.len() > 1);
    assert_eq!(uids, BTreeMap::new(), "objects were replaced");
    watch.abort();
    drop(series);
    fs::remove_dir_all(&folder).unwrap();
}

support::on_both_grounds!(kills_at_any_time_lose_nothing);
