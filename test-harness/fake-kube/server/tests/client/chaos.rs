//! The runtime of kube under faults: its watcher, its store and its controller miss nothing.
//!
//! Lists mend what a watch left out, so the present is complete even where one event in many is lost. What each watch
//! delivers is told by the tests in which none expires: nothing is listed again there, and every version has to come by.
//!
//! Each seed is a run of its own and is printed; `OUTHAUL_SEED=N` runs that one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use outhaul_fake_kube_server::{FakeKube, Fault, Options, User, Who};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const SEEDS: std::ops::Range<u64> = 1..9;
/// Enough that each seed meets every kind of fault.
const WRITES: u64 = 400;
const OBJECTS: u64 = 25;
/// How long a client lets a watch live: that alone ends a mute one, which would otherwise take most of a run.
const WATCH_SECONDS: u32 = 20;
/// Virtual time, in which the whole test runs: no machine is too slow for it.
const LIMIT: Duration = Duration::from_secs(3_600);

fn seeds() -> Vec<u64> {
    match std::env::var("OUTHAUL_SEED").map(|text| text.parse()) {
        Ok(Ok(seed)) => vec![seed],
        _ => SEEDS.collect(),
    }
}

/// A client that meets the faults, and gives up on a request as a real one would.
fn client(kube: &FakeKube) -> Client {
    let service = tower::ServiceBuilder::new()
        .map_err(|error: tower::BoxError| error)
        .timeout(Duration::from_secs(30))
        .service(kube.service(Who::Trusted(User::admin())));
    Client::new(service, "default")
}

async fn in_process() -> Result<FakeKube> {
    let options = Options {
        in_process: true,
        ..Options::default()
    };
    Ok(FakeKube::start(options).await?)
}

/// A name and a version.
type Version = (String, String);

/// What was written, or came by.
#[derive(Debug, Default)]
struct Versions {
    all: BTreeSet<Version>,
    deletions: usize,
}

impl Versions {
    fn add(&mut self, map: &ConfigMap) {
        self.all.insert((map.name_any(), map.resource_version().unwrap()));
    }
}

/// Creates, changes and deletes objects past the faults; returns all that it did.
async fn write(kube: &FakeKube, seed: u64) -> Result<Versions> {
    // Faults are on reads and watches only, and kinds of requests are apart: writers always succeed.
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let mut written = Versions::default();
    for n in 0..WRITES {
        // Any mixture will do, if it is another one for each seed.
        let dice = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ seed << 32) >> 20;
        let name = format!("map-{}", dice % OBJECTS);
        if (dice / OBJECTS).is_multiple_of(4) {
            match maps.delete(&name, &DeleteParams::default()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                outcome => {
                    outcome?;
                    written.deletions += 1;
                }
            }
        } else {
            let map = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": n.to_string()},
            });
            let by = PatchParams::apply("writer").force();
            written.add(&maps.patch(&name, &by, &Patch::Apply(map)).await?);
        }
        sleep(Duration::from_millis(dice % 1_000)).await;
    }
    Ok(written)
}

/// The objects that there are, past the API.
fn present(kube: &FakeKube) -> BTreeMap<String, String> {
    kube.with_cluster(|cluster| {
        let resource = outhaul_fake_kube_server::GroupResource::new("", "configmaps");
        let all = cluster.objects(&resource, Some("default"));
        all.map(|map| {
            let text = |field: &str| map["metadata"][field].as_str().unwrap().to_owned();
            (text("name"), text("resourceVersion"))
        })
        .collect()
    })
}

fn versions(store: &Store<ConfigMap>) -> BTreeMap<String, String> {
    let all = store.state();
    all.iter()
        .map(|map| (map.name_any(), map.resource_version().unwrap()))
        .collect()
}

/// What a consumer has seen.
type Seen = Arc<Mutex<Versions>>;

fn saw(seen: &Seen, map: &ConfigMap) {
    seen.lock().unwrap().add(map);
}

/// Follows all maps with kube's watcher into a store of kube's, and notes each version that comes by.
async fn follow(
    client: Client,
    config: watcher::Config,
    writer: reflector::store::Writer<ConfigMap>,
    seen: Seen,
) {
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let config = config.timeout(WATCH_SECONDS);
    let events = watcher(maps, config).default_backoff().reflect(writer);
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        // What goes wrong on the way is what this is about; what matters is what comes out.
        match event {
            Ok(watcher::Event::Apply(map) | watcher::Event::InitApply(map)) => saw(&seen, &map),
            Ok(watcher::Event::Delete(_)) => seen.lock().unwrap().deletions += 1,
            Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => {}
        }
    }
}

/// Runs kube's controller, whose reconciler notes what it finds in the controller's own store.
async fn control(client: Client, seen: Seen) {
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let reconcile = async |map: Arc<ConfigMap>, seen: Arc<Seen>| {
        saw(&seen, &map);
        Ok::<_, std::convert::Infallible>(Action::await_change())
    };
    let again = |_: Arc<ConfigMap>, _: &std::convert::Infallible, _: Arc<Seen>| {
        Action::requeue(Duration::from_secs(1))
    };
    Controller::new(maps, watcher::Config::default().timeout(WATCH_SECONDS))
        .with_config(Config::default())
        .run(reconcile, again, Arc::new(seen))
        .for_each(|_| std::future::ready(()))
        .await;
}

async fn nothing_is_missed(seed: u64, config: watcher::Config) -> Result<()> {
    let kube = in_process().await?;
    kube.disturb_reads(seed, |_| true);
    let (store, writer) = reflector::store();
    let (watched, reconciled) = (Seen::default(), Seen::default());
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(client(&kube), config, writer, watched.clone()));
    tasks.spawn(control(client(&kube), reconciled.clone()));

    write(&kube, seed).await?;
    let truth = present(&kube);
    let complete = |seen: &Seen| {
        let seen = &seen.lock().unwrap().all;
        truth
            .iter()
            .all(|(name, version)| seen.contains(&(name.clone(), version.clone())))
    };
    // The faults go on: nothing has to heal for what was written last to arrive.
    let deadline = Instant::now() + LIMIT;
    while !(versions(&store) == truth && complete(&watched) && complete(&reconciled)) {
        ensure!(
            Instant::now() < deadline,
            "seed {seed}: not all has arrived\n in truth {truth:?}\n in store {:?}\n watched {} and reconciled {}",
            versions(&store),
            complete(&watched),
            complete(&reconciled),
        );
        sleep(Duration::from_millis(50)).await;
    }
    ensure!(
        kube.faults_met() > 100,
        "seed {seed}: only {} faults were met",
        kube.faults_met()
    );
    for name in truth.keys() {
        ensure!(
            store.get(&ObjectRef::new(name).within("default")).is_some(),
            "seed {seed}: {name} is not in the store"
        );
    }
    Ok(())
}

async fn every_version_comes_by(seed: u64, config: watcher::Config) -> Result<()> {
    let kube = in_process().await?;
    kube.disturb_reads(seed, |fault| !matches!(fault, Fault::ExpireWatch { .. }));
    let (store, writer) = reflector::store();
    let watched = Seen::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(client(&kube), config, writer, watched.clone()));
    store.wait_until_ready().await?;

    let written = write(&kube, seed).await?;
    let missing = || {
        let watched = watched.lock().unwrap();
        let missing: Vec<Version> = written.all.difference(&watched.all).cloned().collect();
        (missing, written.deletions.abs_diff(watched.deletions))
    };
    let deadline = Instant::now() + LIMIT;
    while missing() != (Vec::new(), 0) {
        ensure!(
            Instant::now() < deadline,
            "seed {seed}: these versions and so many deletions did not come by: {:?}",
            missing(),
        );
        sleep(Duration::from_millis(50)).await;
    }
    ensure!(
        kube.faults_met() > 50,
        "seed {seed}: only {} faults were met",
        kube.faults_met()
    );
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "a seed that fails has to be known to be run again"
)]
async fn with_every_seed(run: impl AsyncFn(u64) -> Result<()>) -> Result<()> {
    for seed in seeds() {
        println!("OUTHAUL_SEED={seed}");
        timeout(LIMIT * 2, run(seed)).await??;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn nothing_is_missed_by_lists_and_watches() -> Result<()> {
    with_every_seed(async |seed| nothing_is_missed(seed, watcher::Config::default()).await).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_missed_by_streaming_lists() -> Result<()> {
    let config = watcher::Config::default().streaming_lists();
    with_every_seed(async |seed| nothing_is_missed(seed, config.clone()).await).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_missed_by_lists_in_pages_from_any_version() -> Result<()> {
    let config = watcher::Config::default().any_semantic().page_size(7);
    with_every_seed(async |seed| nothing_is_missed(seed, config.clone()).await).await
}

#[tokio::test(start_paused = true)]
async fn every_version_comes_by_where_no_watch_expires() -> Result<()> {
    with_every_seed(async |seed| every_version_comes_by(seed, watcher::Config::default()).await).await
}

#[tokio::test(start_paused = true)]
async fn every_version_comes_by_after_streaming_lists() -> Result<()> {
    let config = watcher::Config::default().streaming_lists();
    with_every_seed(async |seed| every_version_comes_by(seed, config.clone()).await).await
}

/// The same seed and the same requests meet the same faults.
#[tokio::test(start_paused = true)]
async fn a_seed_can_be_run_again() -> Result<()> {
    let outcomes = async |seed| {
        let kube = in_process().await?;
        kube.disturb_reads(seed, |_| true);
        let maps: Api<ConfigMap> = Api::default_namespaced(client(&kube));
        let mut outcomes = Vec::new();
        for _ in 0..60 {
            let start = Instant::now();
            let ok = maps
                .list(&ListParams::default())
                .await
                .map_err(|error| error.to_string());
            outcomes.push((ok.map(|list| list.items.len()), start.elapsed().as_millis()));
        }
        Ok::<_, anyhow::Error>(outcomes)
    };
    ensure!(outcomes(3).await? == outcomes(3).await?, "one seed, two runs");
    ensure!(outcomes(3).await? != outcomes(4).await?, "two seeds, one run");
    Ok(())
}
