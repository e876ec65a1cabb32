//! Hub and agent while the API servers of both clusters misbehave in every way they can. Users create, edit, shrink and
//! delete, somebody changes objects of the plane by hand, the agent is killed; then the API servers are well again, and
//! everything has to be as users said: nothing else is gone, nothing was made twice, and nothing is written any more.
//!
//! Each seed is a run of its own, and is printed. `OUTHAUL_SEED=7` runs that one alone, `OUTHAUL_SEED=100..200` a hundred
//! others. The order of requests is the machine's, so a seed repeats what is done and what goes wrong, and not every race.
//! With `OUTHAUL_PATIENT=1` no connection is broken to heal: what hangs has to be given up by whoever waits for it, which
//! takes minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{self, TARGET, config_map, entry};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::ResourceExt as _;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    PostParams,
};
use kube::runtime::watcher::{self, Event};
use outhaul_fake_kube_server::{FakeKube, Fault, FaultRule, GroupResource, Verb};
use outhaul_scenarios::operator::{NAMESPACE, condition};
use outhaul_scenarios::{Ground, Stage, poll};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SEEDS: Range<u64> = 1..5;
/// Runs at once: most of a run is waiting for what is tried again later.
const AT_ONCE: usize = 4;
const PLANE: &str = "eu";
const HUB: &str = "system:serviceaccount:outhaul-system:outhaul-hub";
const AGENT: &str = "system:serviceaccount:outhaul-system:outhaul-agent";
/// What users do in one run.
const ACTIONS: u32 = 72;
/// After so many of these, other things go wrong.
const PHASE: u32 = 12;
/// The longest time between two of them.
const BREATH: Duration = Duration::from_millis(80);
/// Releases at once.
const RELEASES: usize = 30;
/// Bundles that run once.
const RUNS: usize = 5;
/// Objects that users let go at most: fewer than a plane lets go without being asked again.
const LET_GO: usize = 20;
/// What failed again and again is tried again after a minute at most.
const LIMIT: Duration = Duration::from_secs(150);
/// The same where a watch that has fallen silent has to end by itself, after five minutes.
const PATIENT_LIMIT: Duration = Duration::from_secs(600);
/// Between two looks at everything.
const PAUSE: Duration = Duration::from_millis(100);
/// Longer than anything that the hub or the agent merges before it writes it.
const QUIET: Duration = Duration::from_secs(4);

/// Kinds whose objects hub and agent write, but for Leases.
const WRITTEN: [(&str, &str); 11] = [
    ("", "secrets"),
    ("", "configmaps"),
    ("", "events"),
    ("", "namespaces"),
    ("apps", "deployments"),
    ("batch", "jobs"),
    ("outhaul.dev", "planes"),
    ("outhaul.dev", "bundles"),
    ("openchoreo.dev", "dataplanes"),
    ("openchoreo.dev", "environments"),
    ("openchoreo.dev", "releases"),
];

/// All that may go wrong, with the largest part of the requests that meet it.
fn faults() -> Vec<(f64, Fault)> {
    let ms = Duration::from_millis;
    vec![
        (0.5, Fault::Latency(ms(1), ms(120))),
        (0.5, Fault::SlowAdmission(ms(20), ms(300))),
        (0.5, Fault::LateAnswer(ms(20), ms(400))),
        (0.3, Fault::InternalError),
        (0.2, Fault::TooManyRequests { retry_after: 1 }),
        (0.3, Fault::Conflict),
        (0.3, Fault::LostAnswer),
        (0.1, Fault::NotServed),
        (0.5, Fault::StaleRead { versions: 10 }),
        (0.6, Fault::CutWatch { within: 3 }),
        (0.6, Fault::EndWatch { within: 3 }),
        (0.5, Fault::ExpireWatch { within: 3 }),
        (0.5, Fault::LoseWatch(ms(100), ms(1_500))),
        (0.6, Fault::DelayWatch(ms(0), ms(400))),
    ]
}

/// The same for what ends with the connection only, or with the patience of whoever waits.
fn lasting_faults() -> Vec<(f64, Fault)> {
    vec![(0.04, Fault::NoAnswer), (0.3, Fault::MuteWatch { within: 3 })]
}

/// Which requests a rule is about.
fn narrowed(rule: FaultRule, random: &mut StdRng) -> FaultRule {
    match random.random_range(0..20) {
        0 => rule.on_verb(Verb::Get),
        1 => rule.on_verb(Verb::Create),
        2 => rule.on_verb(Verb::Update),
        3 => rule.on_verb(Verb::Patch),
        4 => rule.on_verb(Verb::Delete),
        5 => rule.on_subresource("status"),
        6 => rule.on_resource("", "configmaps"),
        7 => rule.on_resource("", "secrets"),
        8 => rule.on_resource("openchoreo.dev", "releases"),
        9 => rule.in_namespace(TARGET),
        _ => rule,
    }
}

/// Lets other things go wrong than before. Returns how many requests what went wrong before has met.
fn misbehave(kube: &FakeKube, user: &str, lasting: bool, random: &mut StdRng) -> u64 {
    let met = kube.faults_met();
    kube.seed_faults(random.random());
    let mut all = faults();
    if lasting {
        all.extend(lasting_faults());
    }
    for _ in 0..random.random_range(5..=8) {
        let (most, fault) = all.choose(random).unwrap().clone();
        let rule = FaultRule::sometimes(most * random.random_range(0.3..1.0), fault);
        kube.inject(narrowed(rule, random).of_user(user));
    }
    met
}

/// What the objects of a plane came to.
#[derive(Debug, Default)]
struct Lives {
    /// Uids of each object, in the order in which they were first seen.
    uids: BTreeMap<String, Vec<String>>,
    /// Names and uids.
    deleted: Vec<(String, String)>,
}

fn plane_kinds() -> [ApiResource; 3] {
    let kind = |group, kind| ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    [
        kind("", "ConfigMap"),
        kind("apps", "Deployment"),
        kind("batch", "Job"),
    ]
}

async fn follow(objects: Api<DynamicObject>, lives: Arc<Mutex<Lives>>) {
    let mut events = std::pin::pin!(watcher::watcher(objects, watcher::Config::default()));
    loop {
        match events.try_next().await {
            Ok(Some(Event::Apply(object) | Event::InitApply(object))) => {
                let mut lives = lives.lock().unwrap();
                let uids = lives.uids.entry(object.name_any()).or_default();
                let uid = object.uid().unwrap();
                if !uids.contains(&uid) {
                    uids.push(uid);
                }
            }
            Ok(Some(Event::Delete(object))) => {
                let gone = (object.name_any(), object.uid().unwrap());
                lives.lock().unwrap().deleted.push(gone);
            }
            Ok(Some(Event::Init | Event::InitDone)) => {}
            // The API server is away for a moment when it heals.
            Err(_) => {}
            Ok(None) => return,
        }
    }
}

/// An object of a Release, by its name.
type Objects = BTreeMap<String, u32>;

fn is_deployment(name: &str) -> bool {
    name.ends_with("-web")
}

fn deployment(name: &str, value: u32) -> Value {
    let labels = json!({"app": name});
    let template = json!({
        "metadata": {"labels": labels, "annotations": {"value": value.to_string()}},
        "spec": {"containers": [{"name": "web", "image": "registry.example/web"}]},
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": TARGET},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    })
}

fn entries(objects: &Objects) -> Value {
    let entry = |(name, value): (&String, &u32)| match is_deployment(name) {
        true => entry(name, &deployment(name, *value)),
        false => config_map(name, &value.to_string()),
    };
    objects.iter().map(entry).collect()
}

/// The value that an object of the plane has.
fn value_of(object: &DynamicObject) -> String {
    let place = match is_deployment(&object.name_any()) {
        true => "/spec/template/metadata/annotations/value",
        false => "/data/value",
    };
    let value = object.data.pointer(place).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

fn run_once(name: &str) -> Value {
    let container = json!({"name": "main", "image": "registry.example/task:1"});
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": TARGET},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    });
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TARGET}});
    json!({"plane": PLANE, "lifecycle": "Once", "objects": [entry("run", &job)], "ensure": [namespace]})
}

/// Lets the agent manage whatever a Release names, as a plane's owner does beside its chart.
async fn allow_all(plane: &kube::Client) -> Result<()> {
    let bindings: Api<ClusterRoleBinding> = Api::all(plane.clone());
    let binding = serde_json::from_value(json!({
        "metadata": {"name": "manage"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": AGENT, "apiGroup": "rbac.authorization.k8s.io"}],
    }))?;
    bindings.create(&PostParams::default(), &binding).await?;
    Ok(())
}

/// A run under way: what users have said so far, and what was done by hand.
struct Run {
    stage: Stage,
    random: StdRng,
    lasting: bool,
    met: u64,
    /// Objects of the plane, by kind, past the faults.
    objects: Vec<Api<DynamicObject>>,
    bundles: Api<DynamicObject>,
    wanted: BTreeMap<String, Objects>,
    removed: BTreeSet<String>,
    runs: Vec<String>,
    let_go: BTreeSet<String>,
    /// Uids of what somebody deleted.
    by_hand: BTreeSet<String>,
    lives: Arc<Mutex<Lives>>,
    _watches: JoinSet<()>,
}

impl Run {
    async fn start(seed: u64, lasting: bool) -> Result<Self> {
        let stage = Stage::start_by_the_charts(&Ground::Embedded, &[PLANE]).await?;
        let plane = stage.planes[PLANE].client().await?;
        allow_all(&plane).await?;
        let objects: Vec<Api<DynamicObject>> = plane_kinds()
            .iter()
            .map(|kind| Api::namespaced_with(plane.clone(), TARGET, kind))
            .collect();
        let bundle = ApiResource::from_gvk(&GroupVersionKind::gvk("outhaul.dev", "v1alpha1", "Bundle"));
        let bundles = Api::namespaced_with(stage.control.client().await?, NAMESPACE, &bundle);
        let lives = Arc::default();
        let mut watches = JoinSet::new();
        for objects in &objects {
            watches.spawn(follow(objects.clone(), Arc::clone(&lives)));
        }
        Ok(Self {
            stage,
            random: StdRng::seed_from_u64(seed),
            lasting,
            met: 0,
            objects,
            bundles,
            wanted: BTreeMap::new(),
            removed: BTreeSet::new(),
            runs: Vec::new(),
            let_go: BTreeSet::new(),
            by_hand: BTreeSet::new(),
            lives,
            _watches: watches,
        })
    }

    /// Both clusters, and who meets faults there.
    fn clusters(&self) -> [(&FakeKube, &'static str); 2] {
        let plane = &self.stage.planes[PLANE].cluster;
        [(&self.stage.control, HUB), (plane, AGENT)]
            .map(|(cluster, user)| (cluster.embedded().unwrap(), user))
    }

    fn misbehave(&mut self) {
        let mut random = StdRng::seed_from_u64(self.random.random());
        let met = self
            .clusters()
            .map(|(kube, user)| misbehave(kube, user, self.lasting, &mut random));
        self.met += met.iter().sum::<u64>();
    }

    /// Nothing goes wrong any more.
    async fn heal(&mut self, patient: bool) -> Result<()> {
        for (kube, _) in self.clusters() {
            kube.clear_faults();
            if self.lasting && !patient {
                kube.stop_listening().await;
                kube.resume_listening().await?;
            }
        }
        Ok(())
    }

    async fn say(&self, release: &str) -> Result<()> {
        let resources = entries(&self.wanted[release]);
        self.stage.operator().release(release, PLANE, &resources).await
    }

    /// One thing that somebody does.
    async fn act(&mut self, number: u32) -> Result<()> {
        self.stage.plane(PLANE)?.revive_agent()?;
        let some = self.wanted.keys().choose(&mut self.random).cloned();
        match (self.random.random_range(0..20), some) {
            (0..7, _) if self.wanted.len() < RELEASES => self.create(number).await,
            (7..12, Some(release)) => {
                let objects = self.wanted.get_mut(&release).context("it is wanted")?;
                objects.values_mut().for_each(|value| *value = number);
                if self.random.random_bool(0.3) {
                    objects.insert(format!("{release}-{number}"), number);
                }
                self.say(&release).await
            }
            (12..14, Some(release)) => self.shrink(&release).await,
            (14, Some(release)) => self.delete(&release).await,
            (15..18, _) => self.drift().await,
            (18, _) if self.runs.len() < RUNS => self.run_once(number).await,
            (19, _) if number > PHASE => {
                let plane = self.stage.plane(PLANE)?;
                plane.kill_agent();
                plane.start_agent(None)
            }
            _ => self.create(number).await,
        }
    }

    async fn create(&mut self, number: u32) -> Result<()> {
        let release = format!("release-{number}");
        let count = self.random.random_range(1..=3);
        let mut objects: Objects = (0..count).map(|at| (format!("{release}-{at}"), number)).collect();
        if self.random.random_bool(0.2) {
            objects.insert(format!("{release}-web"), number);
        }
        self.wanted.insert(release.clone(), objects);
        self.say(&release).await
    }

    /// Lets an object go; sometimes one that was let go comes back.
    async fn shrink(&mut self, release: &str) -> Result<()> {
        if self.let_go.len() >= LET_GO {
            return Ok(());
        }
        let objects = self.wanted.get_mut(release).context("it is wanted")?;
        let own = format!("{release}-");
        let back = self.let_go.iter().find(|name| name.starts_with(&own));
        match back.filter(|_| self.random.random_bool(0.5)) {
            Some(name) => drop(objects.insert(name.clone(), 0)),
            None if objects.len() > 1 => {
                let name = objects
                    .keys()
                    .choose(&mut self.random)
                    .cloned()
                    .context("there is one")?;
                objects.remove(&name);
                self.let_go.insert(name);
            }
            None => return Ok(()),
        }
        self.say(release).await
    }

    async fn delete(&mut self, release: &str) -> Result<()> {
        let objects = &self.wanted[release];
        if self.let_go.len() + objects.len() > LET_GO {
            return Ok(());
        }
        self.let_go.extend(objects.keys().cloned());
        self.wanted.remove(release);
        self.removed.insert(release.to_owned());
        let releases = self.stage.operator().releases();
        releases.delete(release, &DeleteParams::default()).await?;
        Ok(())
    }

    /// Somebody changes or deletes a ConfigMap of the plane, if it is there by now.
    async fn drift(&mut self) -> Result<()> {
        let names = self.wanted.values().flat_map(BTreeMap::keys);
        let Some(name) = names
            .filter(|name| !is_deployment(name))
            .choose(&mut self.random)
            .cloned()
        else {
            return Ok(());
        };
        let maps = &self.objects[0];
        let Some(there) = maps.get_opt(&name).await? else {
            return Ok(());
        };
        let as_somebody = PatchParams {
            field_manager: Some("somebody".to_owned()),
            ..PatchParams::default()
        };
        let changed = match self.random.random_range(0..4) {
            0 => {
                let uid = there.uid().context("it has a uid")?;
                let this = kube::api::Preconditions {
                    uid: Some(uid.clone()),
                    resource_version: None,
                };
                self.by_hand.insert(uid);
                let params = DeleteParams::default().preconditions(this);
                maps.delete(&name, &params).await.map(drop)
            }
            1 => {
                let bare = json!({"metadata": {"labels": {"openchoreo.dev/managed-by": null}}});
                maps.patch(&name, &as_somebody, &Patch::Merge(bare))
                    .await
                    .map(drop)
            }
            _ => {
                let theirs = json!({"data": {"value": "theirs"}});
                maps.patch(&name, &as_somebody, &Patch::Merge(theirs))
                    .await
                    .map(drop)
            }
        };
        match changed {
            // It was let go meanwhile, or made anew.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            changed => Ok(changed?),
        }
    }

    async fn run_once(&mut self, number: u32) -> Result<()> {
        let name = format!("run-{number}");
        let bundle = json!({
            "apiVersion": "outhaul.dev/v1alpha1", "kind": "Bundle", "metadata": {"name": name}, "spec": run_once(&name),
        });
        let params = PatchParams::apply("somebody").force();
        self.bundles.patch(&name, &params, &Patch::Apply(&bundle)).await?;
        self.runs.push(name);
        Ok(())
    }

    /// What is not as it should be.
    async fn wrong(&self) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let releases = self
            .stage
            .operator()
            .releases()
            .list(&ListParams::default())
            .await?;
        let bundles = self.bundles.list(&ListParams::default()).await?;
        let mut said: BTreeMap<String, DynamicObject> = releases
            .into_iter()
            .chain(bundles)
            .map(|it| (it.name_any(), it))
            .collect();
        for name in self.wanted.keys().chain(&self.runs) {
            let object = said
                .remove(name)
                .with_context(|| format!("{name} is not there"))?;
            let ready = condition(&object, "Ready");
            let healthy = ready.is_some_and(|ready| {
                ready["observedGeneration"].as_i64() == object.metadata.generation
                    && (&ready["status"], &ready["reason"]) == (&json!("True"), &json!("AllHealthy"))
            });
            if !healthy {
                wrong.push(format!(
                    "{name} of generation {:?} says {ready:?}",
                    object.metadata.generation
                ));
            }
        }
        wrong.extend(said.keys().map(|name| format!("{name} is still there")));

        let wanted = self.wanted.values().flatten();
        let mut wanted: BTreeMap<String, String> = wanted
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        wanted.extend(self.runs.iter().map(|name| (name.clone(), String::new())));
        for objects in &self.objects {
            for object in objects.list(&ListParams::default()).await? {
                let name = object.name_any();
                let labels = object.labels();
                let ours = labels.contains_key("openchoreo.dev/managed-by")
                    || labels.contains_key("outhaul.dev/managed-by");
                match wanted.remove(&name) {
                    _ if name == "kube-root-ca.crt" => {}
                    Some(value) if value == value_of(&object) && ours => {}
                    Some(value) => wrong.push(format!("{name} is not {value} and ours: {}", json!(object))),
                    None => wrong.push(format!("object {name} is still there: {}", json!(object))),
                }
            }
        }
        wrong.extend(wanted.keys().map(|name| format!("object {name} is missing")));
        Ok(wrong)
    }

    /// Waits until all is as users said.
    async fn converged(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            self.stage.plane(PLANE)?.revive_agent()?;
            // The look itself meets the connection that was broken to heal.
            let wrong = self.wrong().await;
            let wrong = wrong.unwrap_or_else(|error| vec![format!("{error:#}")]);
            if wrong.is_empty() {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "not as users said after {limit:?}: {wrong:#?}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Every object that hub and agent write, with its version.
    fn written(&self) -> BTreeSet<String> {
        let version = |object: &Value| format!("{} {}", object["kind"], object["metadata"]);
        let of = |kube: &FakeKube| {
            kube.with_cluster(|cluster| {
                let kinds = WRITTEN.map(|(group, resource)| GroupResource::new(group, resource));
                let all = kinds
                    .iter()
                    .flat_map(|kind| cluster.objects(kind, None).map(version));
                all.collect::<Vec<_>>()
            })
        };
        self.clusters()
            .into_iter()
            .flat_map(|(kube, _)| of(kube))
            .collect()
    }

    /// Waits until nothing is written any more.
    async fn quiet(&self) -> Result<()> {
        let mut last = (Instant::now(), self.written());
        let look = || {
            let now = self.written();
            let news: Vec<String> = now.difference(&last.1).cloned().collect();
            if now != last.1 {
                last = (Instant::now(), now);
            }
            let since = last.0.elapsed();
            async move {
                ensure!(since > QUIET, "written in the last {QUIET:?}: {news:#?}");
                Ok(())
            }
        };
        poll::until("nothing is written any more", LIMIT, look).await
    }

    /// Nothing is gone or was made again but for a reason.
    fn lives_are_right(&self) -> Result<()> {
        let lives = self.lives.lock().unwrap();
        for (name, uid) in &lives.deleted {
            ensure!(
                self.by_hand.contains(uid) || self.let_go.contains(name),
                "{name} was deleted, and nobody let it go"
            );
        }
        for (name, uids) in &lives.uids {
            let reasons = uids.iter().filter(|uid| self.by_hand.contains(*uid)).count();
            ensure!(
                self.let_go.contains(name) || uids.len() <= 1 + reasons,
                "{name} was made again: {uids:?}"
            );
        }
        Ok(())
    }
}

/// Plays one seed. Returns how many requests met faults.
async fn run(seed: u64, patient: bool) -> Result<u64> {
    // Every other run heals without a connection that breaks.
    let lasting = patient || seed.is_multiple_of(2);
    let mut run = Run::start(seed, lasting).await?;
    for number in 0..ACTIONS {
        if number.is_multiple_of(PHASE) {
            run.misbehave();
        }
        run.act(number)
            .await
            .with_context(|| format!("action {number}"))?;
        tokio::time::sleep(run.random.random_range(Duration::ZERO..BREATH)).await;
    }
    run.misbehave();
    let met = run.met;
    run.heal(patient).await?;
    run.converged(if patient { PATIENT_LIMIT } else { LIMIT }).await?;
    run.quiet().await?;
    let still = run.wrong().await?;
    ensure!(still.is_empty(), "after all was well: {still:#?}");
    run.lives_are_right()?;
    ensure!(met > 20, "only {met} faults were met");
    run.stage.end().await?;
    Ok(met)
}

#[expect(
    clippy::print_stdout,
    reason = "a seed that fails has to be known to be run again"
)]
async fn with_every_seed() {
    let range = std::env::var("OUTHAUL_SEED")
        .ok()
        .map(|text| match text.split_once("..") {
            Some((first, end)) => first.parse().unwrap()..end.parse().unwrap(),
            None => text.parse().map(|seed: u64| seed..seed + 1).unwrap(),
        });
    let patient = std::env::var_os("OUTHAUL_PATIENT").is_some();
    let runs = futures::stream::iter(range.unwrap_or(SEEDS)).map(|seed| async move {
        let began = Instant::now();
        let ended = run(seed, patient).await;
        let took = began.elapsed();
        match &ended {
            Ok(met) => println!("OUTHAUL_SEED={seed}: all is well after {took:?}, {met} requests met faults"),
            Err(error) => println!("OUTHAUL_SEED={seed}: {error:#}"),
        }
        ended.is_err().then_some(seed)
    });
    let failed: Vec<Option<u64>> = runs.buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<u64> = failed.into_iter().flatten().collect();
    assert_eq!(failed, [0_u64; 0], "these seeds failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_api_servers_do_all_is_as_users_said_in_the_end() {
    support::log();
    with_every_seed().await;
}
