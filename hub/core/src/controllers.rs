//! From Components to Releases, and what is said of the platform that they run on: what is read of the control plane's
//! kinds, what must be looked at again, and what is to be written.
//!
//! [`Controllers`] is one state. One task drives it: what watches tell goes in as [`News`], [`Job`]s come out, and what
//! came of each goes in again. There is no clock, socket or task here; the time is an argument.
//!
//! Promises:
//! - **Level-triggered.** What is done about a key follows from the objects as they are, not from the news that led to
//!   it. News may be repeated, merged or come in any order.
//! - **One at a time.** A key is there once, and one request at most is under way for it.
//! - **Silent when done.** A key that is as it should be asks for nothing, and nothing is written that says what is
//!   written already. What the API server keeps otherwise than it was written is not written again.
//! - **An error takes nothing away.** What cannot be rendered stays as it is stored, and the condition says why.
//! - **One odd object is that object's.** It stops nothing but what is made of it, and that says so.

pub mod answer;
mod binding;
mod commit;
mod compared;
mod component;
mod credentials;
mod dependencies;
mod id;
mod index;
mod kind;
mod look;
mod memory;
mod owner;
mod platform;
mod queue;
mod saying;
mod sight;
mod status;
mod step;
mod stores;
mod under_way;

#[cfg(test)]
mod tests;

use core::mem;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use outhaul_hub_render::{AsOpenChoreo, FIRST_ENVIRONMENT, reason};
use outhaul_hub_resources::conditions::WARNINGS;
use outhaul_hub_resources::{AdmittedKind, Release};
use outhaul_protocol_wire::ids::PlaneName;

pub use commit::{Commit, NotPushed, Pushed, Stage};
pub use id::Id;
pub use kind::{Kind, Object, Watched};
pub use sight::{Reader, Sight, Unread};
pub use step::{Job, Note, Outcome, Step};

use crate::routing::Routing;
use crate::{Now, condition};
use commit::Tried;
use index::{Dependency, Index};
use look::{Look, Plan};
use memory::{Attempt, Memory, Refused, Unsaid, Written};
use queue::Queue;
use saying::{Former, Saying};
use status::Words;
use stores::Stores;
use under_way::UnderWay;

/// Failures of one key that nobody is told of: over 25 seconds, in which an API server or a webhook starts again.
const UNTOLD: u32 = 8;

/// So many requests under way that are not answered take an API server as long as people notice. Whoever carries them out
/// has twice as many at once.
const BUSY: usize = 16;

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A list of this kind begins.
    Begin(Kind),
    /// The list under way names this object.
    Listed(Box<Sight>),
    /// The list of this kind is complete.
    Complete(Kind),
    /// An object is new or was changed.
    Seen(Box<Sight>),
    /// An object is gone.
    Gone {
        /// Which.
        id: Id,
        /// Its uid.
        uid: String,
    },
}

/// What one call of [`Controllers::next`] came to.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Nothing waits.
    Idle,
    /// One key was looked at, and nothing is to be done about it now.
    Looked,
    /// This is to be done.
    Job(Box<Job>),
}

/// What an operator decides for all resources.
#[derive(Debug, Clone)]
pub struct Settings {
    /// An Environment or DataPlane that a namespace lacks is looked for in `default`.
    pub fallback: bool,
    /// What stays as OpenChoreo makes it.
    pub as_openchoreo: AsOpenChoreo,
    /// The environment of first bindings.
    pub first_environment: String,
    /// Hosts of gateways are those that Environments and DataPlanes say.
    pub plane_hosts: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fallback: false,
            as_openchoreo: AsOpenChoreo::default(),
            first_environment: FIRST_ENVIRONMENT.to_owned(),
            plane_hosts: false,
        }
    }
}

/// The state of all controllers.
#[derive(Debug, Default)]
pub struct Controllers {
    as_openchoreo: AsOpenChoreo,
    first_environment: String,
    plane_hosts: bool,
    stores: Stores,
    /// Which Plane a DataPlane or BuildPlane uses.
    routing: Routing,
    index: Index,
    /// Which component each binding is of.
    runs: Index,
    queue: Queue,
    /// Kinds that have been listed.
    complete: BTreeSet<Kind>,
    /// Keys that are due, or have more to say, once more is listed: what is not known may exist.
    early: BTreeSet<Id>,
    /// Keys that were looked at while it was not known who else runs their component.
    unsure: BTreeSet<Id>,
    memories: BTreeMap<Id, Memory>,
    under_way: UnderWay,
    /// Commits that are being made.
    commits: usize,
    /// Requests for commits that wait for one of those to end.
    waiting: BTreeSet<Id>,
    /// Releases that were read for the look that follows.
    reads: BTreeMap<Id, Release>,
}

impl Controllers {
    /// Nothing is known yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            as_openchoreo: settings.as_openchoreo,
            first_environment: settings.first_environment,
            plane_hosts: settings.plane_hosts,
            routing: Routing::new(settings.fallback),
            ..Self::default()
        }
    }

    /// Takes what a watch tells.
    pub fn tell(&mut self, news: News) {
        match news {
            News::Begin(kind) => self.stores.begin(kind),
            News::Listed(sight) => {
                self.stores.listed(&sight.id);
                self.seen(*sight);
            }
            News::Complete(kind) => {
                self.complete.insert(kind);
                for key in mem::take(&mut self.early) {
                    self.queue.add(key);
                }
                for key in self.unsure.extract_if(.., |key| key.kind.twins().contains(&kind)) {
                    self.queue.add(key);
                }
                for gone in self.stores.end(kind) {
                    self.gone(&gone);
                }
            }
            News::Seen(sight) => self.seen(*sight),
            News::Gone { id, uid } => {
                if let Some(gone) = self.stores.remove(&id, &uid) {
                    self.gone(&gone);
                }
            }
        }
    }

    /// Whether every kind has been listed once.
    pub fn is_complete(&self) -> bool {
        self.complete.len() == Kind::ALL.len()
    }

    /// Looks at the next key.
    pub fn next(&mut self, now: Now) -> Next {
        if self.commits < commit::AT_ONCE
            && let Some(waiting) = self.waiting.pop_first()
        {
            self.queue.add(waiting);
        }
        let Some(key) = self.queue.take(now.uptime) else {
            return Next::Idle;
        };
        if !self.can_decide(key.kind) {
            self.queue.done(&key);
            self.early.insert(key);
            return Next::Looked;
        }
        if !self.knows_twins(&key) {
            self.unsure.insert(key.clone());
        }
        let plan = self.plan(&key, now);
        if self.memories.get(&key).is_some_and(|memory| memory.awaits_owner) {
            self.early.insert(key.clone());
        }
        match plan {
            Plan::Nothing => self.queue.done(&key),
            Plan::Rest(until) => self.queue.rest(&key, until),
            Plan::Step(step, _) if matches!(*step, Step::Commit(_)) && self.commits == commit::AT_ONCE => {
                self.queue.done(&key);
                self.waiting.insert(key);
            }
            Plan::Step(step, notes) => {
                let step = *step;
                self.commits += usize::from(matches!(step, Step::Commit(_)));
                self.under_way.begin(&key, step.id());
                return Next::Job(Box::new(Job { key, step, notes }));
            }
        }
        Next::Looked
    }

    fn knows_twins(&self, key: &Id) -> bool {
        key.kind.twins().iter().all(|kind| self.complete.contains(kind))
    }

    /// When something is looked at again without news.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.queue.next_deadline()
    }

    /// Whether nothing waits, is under way or rests.
    pub fn is_settled(&self) -> bool {
        self.is_complete() && self.queue.is_empty() && self.waiting.is_empty()
    }

    /// Takes what came of a job. Where nothing could be written down, returns what people are told instead.
    pub fn finished(&mut self, job: &Job, outcome: Outcome, now: Now) -> Option<Note> {
        let key = &job.key;
        let gone = self.under_way.end(key);
        if matches!(job.step, Step::Commit(_)) {
            self.commits -= 1;
        }
        match outcome {
            Outcome::Written(sight) => {
                self.written(job, &sight);
                if !gone.contains(&sight.uid) {
                    self.seen(*sight);
                }
                self.queue.again(key);
            }
            Outcome::Read(release) => {
                self.reads.insert(key.clone(), *release);
                self.queue.again(key);
            }
            Outcome::Committed(result) => {
                if let (Step::Commit(commit), Some(memory)) = (&job.step, self.memories.get_mut(key)) {
                    let before = memory.tried.as_ref();
                    memory.tried = Some(Tried::now(result, before, commit, now.uptime));
                }
                self.queue.again(key);
            }
            Outcome::Deleted => {
                if let Some(memory) = self.memories.get_mut(key) {
                    memory.refused = None;
                }
                self.queue.done(key);
            }
            Outcome::Refused(message) => {
                let until = self.queue.failed(key, None, now.uptime);
                return self.refused(job, message, until);
            }
            // Again and again, it is no watch that is late: a webhook or a proxy answers so.
            Outcome::Outdated(said) => return self.failed(job, Some(said), None, now),
            Outcome::Failed { said, retry_after } => return self.failed(job, said, retry_after, now),
        }
        None
    }

    /// A request failed. What lasts longer than a start takes is told.
    fn failed(
        &mut self,
        job: &Job,
        said: Option<String>,
        retry_after: Option<Duration>,
        now: Now,
    ) -> Option<Note> {
        let until = self.queue.failed(&job.key, retry_after, now.uptime);
        let message = said.filter(|_| self.queue.failures(&job.key) > UNTOLD)?;
        // Later words may differ in nothing but a time.
        let message = self.told(job).unwrap_or(message);
        self.refused(job, message, until)
    }

    /// What was said of this write when it was not taken before.
    fn told(&self, job: &Job) -> Option<String> {
        let refused = self.memories.get(&job.key)?.refused.as_ref()?;
        (Some(&refused.attempt) == attempted(&job.step).as_ref()).then(|| refused.message.clone())
    }

    /// Remembers that a write is not taken, and has it said: in the status, or by what is returned where that is what was
    /// not taken.
    fn refused(&mut self, job: &Job, message: String, until: Duration) -> Option<Note> {
        let memory = self.memories.get_mut(&job.key)?;
        if let Step::Status { patch, content, .. } = &job.step {
            let generation = self.stores.generation(&job.key);
            let unsaid = memory.unsaid.replace(Unsaid {
                content: *content,
                generation,
                until,
            });
            let is_news = unsaid.is_none_or(|unsaid| unsaid.generation != generation);
            let uid = &self.stores.sight(&job.key)?.uid;
            return is_news.then(|| saying::unsaid(&job.key, uid, patch, &message));
        }
        memory.refused = Some(Refused {
            attempt: attempted(&job.step)?,
            message,
            until,
        });
        // To say so.
        self.queue.add(job.key.clone());
        None
    }

    /// Whether all is listed that keys of this kind are decided from.
    fn can_decide(&self, kind: Kind) -> bool {
        let hosts = match kind {
            Kind::ServiceBinding | Kind::WebApplicationBinding if self.plane_hosts => dependencies::HOSTS,
            _ => &[],
        };
        let mut needs = kind.needs().iter().chain(hosts);
        needs.all(|kind| self.complete.contains(kind))
    }

    /// Whether an owner that is not known is missing. What is made of a resource does not wait for that.
    fn owners_listed(&self) -> bool {
        owner::KINDS.iter().all(|kind| self.complete.contains(kind))
    }

    fn seen(&mut self, sight: Sight) {
        let id = sight.id.clone();
        let Some(before) = self.stores.put(sight) else {
            return;
        };
        let after = self.stores.object(&id);
        route(&mut self.routing, &id, after);
        if is_key(&id, after) {
            let mut dependencies = after
                .map(|object| dependencies::of(&id, object, &self.routing))
                .unwrap_or_default();
            if let (Some(object), true) = (after, self.plane_hosts) {
                dependencies.extend(dependencies::hosts(&id, object, &self.routing));
            }
            self.index.set(&id, dependencies);
            self.runs.set(
                &id,
                after
                    .and_then(|object| dependencies::runs(&id, object))
                    .into_iter()
                    .collect(),
            );
            self.queue.add(id.clone());
        } else if id.kind.is_key() {
            self.index.set(&id, BTreeSet::new());
            self.memories.remove(&id);
        }
        let before = before.as_ref().and_then(|before| before.object.as_ref().ok());
        let moved = dependencies::moved(before, after);
        let admitted = dependencies::admitted(before).chain(dependencies::admitted(after));
        for key in admitted {
            self.queue.add(key);
        }
        self.wake(&id, moved);
    }

    fn gone(&mut self, gone: &Sight) {
        let id = &gone.id;
        self.under_way.gone(gone);
        if id.kind.is_key() {
            self.index.set(id, BTreeSet::new());
            self.runs.set(id, BTreeSet::new());
            self.memories.remove(id);
            self.reads.remove(id);
        }
        forget(&mut self.routing, id);
        let object = gone.object.as_ref().ok();
        for key in dependencies::admitted(object) {
            self.queue.add(key);
        }
        let moved = dependencies::moved(object, None);
        self.wake(id, moved);
    }

    /// Has everything looked at that depends on this object, or on where these components are reached.
    fn wake(&mut self, id: &Id, moved: BTreeSet<String>) {
        let components = moved.into_iter().map(|name| Dependency::Component {
            namespace: id.namespace.clone(),
            name,
        });
        for dependency in components.chain([Dependency::Object(id.clone())]) {
            for key in self.index.dependents(&dependency) {
                self.queue.add(key.clone());
                // What a DataPlane says of hosts is said for all of its Environments.
                if self.plane_hosts && key.kind == Kind::Environment && id.kind == Kind::DataPlane {
                    let environment = Dependency::Object(key.clone());
                    for key in self.index.dependents(&environment) {
                        self.queue.add(key.clone());
                    }
                }
            }
        }
    }

    fn written(&mut self, job: &Job, sight: &Sight) {
        let (Step::Create { content, .. } | Step::Replace { content, .. } | Step::Status { content, .. }) =
            &job.step
        else {
            return;
        };
        let Some(memory) = self.memories.get_mut(&job.key) else {
            return;
        };
        let written = Some(Written {
            id: sight.id.clone(),
            content: *content,
            version: sight.version,
        });
        if matches!(job.step, Step::Status { .. }) {
            memory.unsaid = None;
            memory.said = written;
        } else {
            memory.refused = None;
            memory.written = written;
        }
    }

    fn plan(&mut self, key: &Id, now: Now) -> Plan {
        let read = self.reads.remove(key);
        let Some(sight) = self.stores.sight(key) else {
            return Plan::Nothing;
        };
        let mut look = Look {
            key,
            stores: &self.stores,
            routing: &self.routing,
            runs: &self.runs,
            knows_twins: self.knows_twins(key),
            as_openchoreo: self.as_openchoreo,
            first_environment: &self.first_environment,
            plane_hosts: self.plane_hosts,
            is_busy: self.under_way.len() >= BUSY,
            owners_listed: self.owners_listed(),
            read: read.as_ref(),
            memory: self.memories.entry(key.clone()).or_default(),
            now,
        };
        let object = match &sight.object {
            Ok(object) => object,
            Err(unread) => return unreadable(&look, unread),
        };
        let plan = match object {
            Object::Service(service) => component::plan(&mut look, &**service),
            Object::WebApplication(application) => component::plan(&mut look, &**application),
            Object::ScheduledTask(task) => component::plan(&mut look, &**task),
            Object::ServiceBinding(found) => binding::plan(&mut look, &**found),
            Object::WebApplicationBinding(found) => binding::plan(&mut look, &**found),
            Object::ScheduledTaskBinding(found) => binding::plan(&mut look, &**found),
            Object::ApiBinding(found) => binding::plan(&mut look, &**found),
            Object::DataPlane(plane) => platform::plane::plan(&look, &**plane),
            Object::BuildPlane(plane) => platform::plane::plan(&look, &**plane),
            Object::Environment(environment) => platform::environment::plan(&look, environment),
            Object::DeploymentPipeline(pipeline) => platform::pipeline::plan(&look, pipeline),
            Object::Project(project) => platform::project::plan(&look, project),
            Object::Component(component) => platform::component::plan(&look, component),
            Object::ConfigurationGroup(group) => platform::configuration_group::plan(&look, group),
            Object::Organization(organization) => platform::organization::plan(&look, organization),
            Object::GitCommitRequest(request) => commit::plan(&look, request),
            Object::Api(api) => {
                let status = api.status.as_ref();
                let conditions = status.map_or(&[][..], |status| &status.conditions);
                owner::plan(&mut look, &api.metadata, &api.spec.owner, conditions)
            }
            Object::Release(release) => {
                let status = release.status.as_ref();
                let conditions = status.map_or(&[][..], |status| &status.conditions);
                owner::plan(&mut look, &release.metadata, &release.spec.owner, conditions)
            }
            Object::Namespace(_)
            | Object::Plane(_)
            | Object::ApiClass(_)
            | Object::ServiceClass(_)
            | Object::WebApplicationClass(_)
            | Object::ScheduledTaskClass(_)
            | Object::Workload(_) => Plan::Nothing,
        };
        let until = look.memory.refused.as_ref().map(|refused| refused.until);
        match (plan, until) {
            (Plan::Nothing, Some(until)) if now.uptime < until => Plan::Rest(until),
            (plan, _) => plan,
        }
    }
}

/// Nothing is made of a key that cannot be read; it says so itself. What was made of it before stays.
fn unreadable(look: &Look<'_>, unread: &Unread) -> Plan {
    let words = Words {
        ready: false,
        reason: reason::INVALID_CONFIGURATION.to_owned(),
        message: unread.why.clone(),
        is_stuck: false,
    };
    let former = Former {
        conditions: &unread.conditions,
        observed_generation: unread.observed_generation,
    };
    let saying = Saying {
        ready: Some(words),
        ..Saying::default()
    };
    saying::say(look, former, saying)
}

/// Whether this object is looked at. Of a Release that a binding made the binding speaks, and the fleet of one that nobody
/// can read.
fn is_key(id: &Id, object: Option<&Object>) -> bool {
    match (id.kind, object) {
        (Kind::Release, Some(Object::Release(release))) => {
            let status = release.status.as_ref();
            let warned = status.is_some_and(|status| condition::get(&status.conditions, WARNINGS).is_some());
            !dependencies::is_made(&release.metadata) || warned
        }
        (Kind::Release, _) => false,
        (kind, _) => kind.is_key(),
    }
}

/// Learns which Plane is whose. One that cannot be read counts as it was last read.
fn route(routing: &mut Routing, id: &Id, object: Option<&Object>) {
    let name = || (id.namespace.clone(), id.name.clone());
    match object {
        Some(Object::DataPlane(plane)) => {
            routing.set_user(AdmittedKind::DataPlane, name(), Some(plane.spec.plane_id.clone()));
        }
        Some(Object::BuildPlane(plane)) => {
            routing.set_user(
                AdmittedKind::BuildPlane,
                name(),
                Some(plane.spec.plane_id.clone()),
            );
        }
        Some(Object::Plane(plane)) => {
            if let Ok(name) = PlaneName::new(id.name.as_str()) {
                routing.set_plane(name, Some(plane.spec.admits.clone()));
            }
        }
        _ => {}
    }
}

fn forget(routing: &mut Routing, id: &Id) {
    let name = || (id.namespace.clone(), id.name.clone());
    match id.kind {
        Kind::DataPlane => {
            routing.set_user(AdmittedKind::DataPlane, name(), None);
        }
        Kind::BuildPlane => {
            routing.set_user(AdmittedKind::BuildPlane, name(), None);
        }
        Kind::Plane => {
            if let Ok(name) = PlaneName::new(id.name.as_str()) {
                routing.set_plane(name, None);
            }
        }
        _ => {}
    }
}

/// What a step tries to write, where a refusal is remembered.
fn attempted(step: &Step) -> Option<Attempt> {
    match step {
        Step::Create { content, .. } => Some(Attempt::Create(*content)),
        Step::Replace { content, .. } => Some(Attempt::Replace(*content)),
        Step::Delete { .. } => Some(Attempt::Delete),
        Step::Read(_) | Step::Status { .. } | Step::Commit(_) => None,
    }
}
