//! A hub in miniature: what its resources say, and what survives its restart.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_session::hub::{Event, Hub, Merge, Queue, Queued, Reported, Session};
use outhaul_protocol_wire::content::{Content, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{AgentMessage, Held, Hello};
use outhaul_protocol_wire::root::{self, Root};

/// One resource, as its API server has it.
#[derive(Debug, Clone)]
struct Resource {
    head: Head,
    recorded: bool,
    /// When it was edited last.
    place: u64,
}

/// Everything that the API server keeps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stored {
    epoch: Epoch,
    resources: BTreeMap<Key, Resource>,
    edits: u64,
    observed: BTreeMap<Key, Digest>,
}

#[derive(Debug, Default)]
pub(crate) struct SimHub {
    pub(crate) stored: Stored,
    backup: Option<Stored>,
    lists: BTreeMap<Key, Option<Reported>>,
    pub(crate) session: Option<Session>,
    /// Finalizers to take off, after which the resource is gone.
    letting_go: BTreeSet<Held>,
    pub(crate) behind: bool,
}

impl Resource {
    fn queued(&self) -> Queued<'_> {
        Queued {
            head: &self.head,
            recorded: self.recorded,
        }
    }
}

impl Queue for Stored {
    fn heads(&self) -> impl Iterator<Item = Queued<'_>> {
        let mut resources: Vec<&Resource> = self.resources.values().collect();
        resources.sort_unstable_by_key(|resource| resource.place);
        resources.into_iter().map(Resource::queued)
    }

    fn head(&self, key: &Key) -> Option<Queued<'_>> {
        self.resources.get(key).map(Resource::queued)
    }

    fn observed(&self) -> impl Iterator<Item = (&Key, &Digest)> {
        self.observed.iter()
    }

    /// Every other content is small.
    fn inline(&self, digest: &Digest) -> Option<Content> {
        digest.0[0].is_multiple_of(2).then(|| content(digest))
    }
}

impl SimHub {
    pub(crate) fn create(&mut self, key: &Key) {
        if self.stored.resources.contains_key(key) {
            return self.edit(key);
        }
        let version = Version {
            epoch: self.stored.epoch,
            generation: Generation(1),
            ..Version::default()
        };
        let head = head(key, version, HeadState::Present);
        let resource = Resource {
            head,
            recorded: false,
            place: 0,
        };
        self.stored.resources.insert(key.clone(), resource);
        self.touched(key);
    }

    pub(crate) fn edit(&mut self, key: &Key) {
        self.change(key, HeadState::Present);
    }

    /// Deletes a resource: with our finalizer it stays until it is let go, without it is gone at once.
    pub(crate) fn remove(&mut self, key: &Key) {
        match self.stored.resources.get(key) {
            Some(resource) if resource.recorded => self.change(key, HeadState::Removed),
            Some(_) => self.forget(key),
            None => {}
        }
    }

    /// The resource vanishes without a word, as in an emptied or mistyped control plane.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.stored.resources.remove(key);
        self.stored.observed.remove(key);
        self.lists.remove(key);
        if let Some(session) = &mut self.session {
            session.forget(key);
        }
    }

    /// The finalizer and the plane are written in the resource.
    pub(crate) fn record(&mut self, key: &Key) {
        if let Some(resource) = self.stored.resources.get_mut(key) {
            resource.recorded = true;
            if let Some(session) = &mut self.session {
                session.recorded(key);
            }
        }
    }

    pub(crate) fn record_all(&mut self) {
        let keys: Vec<Key> = self.stored.resources.keys().cloned().collect();
        keys.iter().for_each(|key| self.record(key));
    }

    pub(crate) fn back_up(&mut self) {
        self.backup = Some(self.stored.clone());
    }

    /// Restores the last backup; the process starts anew.
    pub(crate) fn restore(&mut self) {
        if let Some(backup) = self.backup.clone() {
            let epoch = self.stored.epoch;
            self.stored = Stored { epoch, ..backup };
            self.restart();
        }
    }

    /// `outhaul hub restored`: everything becomes newer than any plane can have.
    pub(crate) fn raise_epoch(&mut self) {
        self.stored.epoch.0 += 1;
        for resource in self.stored.resources.values_mut() {
            resource.head.version.epoch = self.stored.epoch;
        }
        self.restart();
    }

    pub(crate) fn restart(&mut self) {
        self.session = None;
        self.lists.clear();
        self.letting_go.clear();
        self.behind = false;
    }

    pub(crate) fn open(&mut self, hello: &Hello) {
        let hub = Hub {
            epoch: self.stored.epoch,
            fleet: 1,
            vouched: None,
        };
        self.behind = false;
        self.session = Some(Session::open(hello, &self.stored, hub).expect("an honest hello is accepted"));
    }

    pub(crate) fn handle(&mut self, message: AgentMessage) {
        let session = self.session.as_mut().expect("messages come on a session");
        let event = session
            .handle(message, &self.stored)
            .expect("an honest agent breaks no rule");
        match event {
            Some(Event::Reported(report)) => {
                let key = report.key.clone();
                if !self.stored.resources.contains_key(&key) {
                    return;
                }
                let list = self.lists.entry(key.clone()).or_default();
                match Reported::merge(list, report) {
                    Merge::Changed | Merge::Unchanged => {
                        let observed = list.as_ref().expect("a merged list is there").observed;
                        self.stored.observed.insert(key, observed);
                    }
                    Merge::Mismatch => session.want_report(key),
                    Merge::Stale => {}
                }
            }
            Some(Event::Gone(held)) => {
                self.letting_go.insert(held);
            }
            Some(Event::HubBehind { .. }) => self.behind = true,
            Some(Event::Acknowledged(_) | Event::Orphans(_) | Event::Policy(_) | Event::Unconfirmed(_))
            | None => {}
        }
    }

    /// Takes finalizers off. Only what the API server itself says is being removed is let go.
    pub(crate) fn let_go(&mut self) {
        for held in core::mem::take(&mut self.letting_go) {
            let state = self.stored.head(&held.key).map(|queued| queued.head.state);
            if state == Some(HeadState::Removed) || state.is_none() {
                self.forget(&held.key);
                if let Some(session) = &mut self.session {
                    session.settle(held);
                }
            }
        }
    }

    pub(crate) fn fetch(&self, digest: &Digest) -> Fetched {
        let queued = self
            .stored
            .resources
            .values()
            .any(|resource| resource.head.digest == *digest);
        match queued {
            true => Fetched::Content(content(digest)),
            false => Fetched::NotQueued,
        }
    }

    pub(crate) fn check(&self) {
        if let Some(session) = &self.session {
            assert!(
                session.unacknowledged() <= limits::UNACKNOWLEDGED,
                "the window was exceeded"
            );
        }
    }

    pub(crate) fn desired(&self) -> Root {
        root::desired(
            self.stored
                .resources
                .values()
                .filter(|resource| resource.recorded)
                .map(|resource| &resource.head),
        )
    }

    pub(crate) fn observed(&self) -> Root {
        root::observed(&self.stored.observed)
    }

    /// Lists that the hub has in memory: after a restart it knows only hashes.
    pub(crate) fn lists(&self) -> impl Iterator<Item = (&Key, &Reported)> {
        self.lists
            .iter()
            .filter_map(|(key, list)| Some((key, list.as_ref()?)))
    }

    fn change(&mut self, key: &Key, state: HeadState) {
        let Some(resource) = self.stored.resources.get_mut(key) else {
            return;
        };
        // Nothing is edited back into life.
        if resource.head.state == HeadState::Removed {
            return;
        }
        let mut version = resource.head.version;
        version.generation.0 += 1;
        resource.head = head(key, version, state);
        self.touched(key);
    }

    fn touched(&mut self, key: &Key) {
        self.stored.edits += 1;
        if let Some(resource) = self.stored.resources.get_mut(key) {
            resource.place = self.stored.edits;
        }
        if let Some(session) = &mut self.session {
            session.announce(key.clone());
        }
    }
}

/// A few generations share content, as reverted edits do.
fn head(key: &Key, version: Version, state: HeadState) -> Head {
    let text = format!("{key} {}", version.generation.0 % 5);
    Head {
        key: key.clone(),
        version,
        digest: Digest::of(text.as_bytes()),
        state,
        confirmed: None,
    }
}

fn content(digest: &Digest) -> Content {
    Content {
        length: 32,
        zstd: digest.0.to_vec(),
    }
}
