//! An agent in miniature: what its store and its cluster hold, and what survives its restart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use outhaul_protocol_session::agent::{
    Dial, Event, Holding, Plane, ReportView, Session, Standing, Store, StoreContent,
};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::Term;
use outhaul_protocol_wire::message::{Held, HubMessage};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{self, Health, ObjectReport, RawStatus};
use outhaul_protocol_wire::root::{self, Root};

/// Objects of each resource.
const OBJECTS: u64 = 3;

#[derive(Debug, Clone)]
struct Known {
    version: Version,
    objects: Vec<ObjectReport>,
    observed: Digest,
}

/// What a session reads.
#[derive(Debug, Default)]
pub(crate) struct State {
    holdings: BTreeMap<Key, Holding>,
    /// How often an object of the cluster has changed. The cluster outlives the agent.
    ticks: BTreeMap<(Key, u64), u64>,
    /// Writes under way to the store.
    writes: VecDeque<Write>,
    known: BTreeMap<Key, Known>,
    observed: BTreeMap<Key, Digest>,
    looked: bool,
}

#[derive(Debug)]
pub(crate) struct SimPlane {
    pub(crate) state: State,
    pub(crate) session: Option<Session>,
    term: Term,
    pub(crate) fetching: BTreeSet<Digest>,
}

#[derive(Debug)]
enum Write {
    Head(Store),
    Recorded(Held),
}

impl Plane for State {
    fn holding(&self, key: &Key) -> Option<&Holding> {
        self.holdings.get(key)
    }

    fn storing(&self, key: &Key) -> Option<&Head> {
        self.writes.iter().rev().find_map(|write| match write {
            Write::Head(store) if store.head.key == *key => Some(&store.head),
            Write::Head(_) | Write::Recorded(_) => None,
        })
    }

    fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.values()
    }

    fn report(&self, key: &Key) -> Option<ReportView<'_>> {
        self.known.get(key).map(|known| ReportView {
            version: known.version,
            objects: &known.objects,
            leftovers: &[],
            observed: known.observed,
        })
    }

    fn observed(&self) -> Option<impl Iterator<Item = (&Key, &Digest)>> {
        self.looked.then(|| self.observed.iter())
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn is_unconfirmed(&self) -> bool {
        false
    }
}

impl SimPlane {
    pub(crate) fn new() -> Self {
        Self {
            state: State {
                looked: true,
                ..State::default()
            },
            session: None,
            term: Term { boot: 1, dial: 0 },
            fetching: BTreeSet::new(),
        }
    }

    pub(crate) fn dial(&mut self, now: Instant) {
        self.disconnect();
        self.term.dial += 1;
        let dial = Dial {
            agent_version: "0".into(),
            kubernetes_version: "v1".into(),
            instance: [1; 16],
            term: self.term,
        };
        self.session = Some(Session::open(dial, &self.state, now));
    }

    /// Writes under way go on; fetches end with the link.
    pub(crate) fn disconnect(&mut self) {
        self.session = None;
        self.fetching.clear();
    }

    /// The process dies: only the store and the cluster are left.
    pub(crate) fn restart(&mut self) {
        self.disconnect();
        self.state.writes.clear();
        self.term = Term {
            boot: self.term.boot + 1,
            dial: 0,
        };
        self.state.known.clear();
        self.state.observed.clear();
        self.state.looked = false;
    }

    /// Looks at the cluster after a restart.
    pub(crate) fn look(&mut self) {
        if self.state.looked {
            return;
        }
        let keys: Vec<Key> = self.state.holdings.keys().cloned().collect();
        keys.iter().for_each(|key| self.state.look_at(key));
        self.state.looked = true;
        if let Some(session) = &mut self.session {
            session.observed_known();
        }
    }

    /// An object changes by itself.
    pub(crate) fn tick(&mut self, key: &Key, object: u64) {
        let object = object % OBJECTS;
        *self.state.ticks.entry((key.clone(), object)).or_default() += 1;
        if self.state.known.contains_key(key) {
            self.state.look_at(key);
            if let Some(session) = &mut self.session {
                session.changed(key, &object.to_string());
            }
        }
    }

    pub(crate) fn handle(&mut self, message: HubMessage) {
        let session = self.session.as_mut().expect("messages come on a session");
        let events = session
            .handle(message, &self.state)
            .expect("an honest hub breaks no rule");
        self.act(events);
    }

    pub(crate) fn act(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Store(store) => self.state.writes.push_back(Write::Head(store)),
                Event::Recorded(held) => self.state.writes.push_back(Write::Recorded(held)),
                Event::Orphaned(keys) => self.orphaned(&keys),
                Event::Settled(held) => self.state.settle(&held),
                Event::Welcomed(_) | Event::Vouched(_) => {}
                Event::Refused(_) | Event::Closing(_) => unreachable!("this hub neither refuses nor closes"),
            }
        }
    }

    pub(crate) fn start_fetches(&mut self) {
        if let Some(session) = &mut self.session {
            while let Some(digest) = session.poll_fetch() {
                assert!(self.fetching.insert(digest), "fetched twice at once");
            }
        }
    }

    /// One write to the store comes to its end, and what follows from it happens.
    pub(crate) fn finish_write(&mut self) -> bool {
        let Some(write) = self.state.writes.pop_front() else {
            return false;
        };
        let key = match write {
            Write::Head(store) => self.store(store),
            Write::Recorded(held) => {
                let holding = self.state.holdings.get_mut(&held.key);
                if let Some(holding) = holding.filter(|holding| holding.head.version == held.version) {
                    holding.standing = Standing::Recorded;
                }
                held.key
            }
        };
        self.apply(&key);
        true
    }

    fn store(&mut self, store: Store) -> Key {
        let Store {
            head,
            recorded,
            content,
        } = store;
        let (key, version) = (head.key.clone(), head.version);
        let before = self.state.holdings.get(&key);
        if let Some(before) = before {
            let adopted = before.standing == Standing::Orphaned && before.head == head;
            assert!(before.head.version < version || adopted, "{key} went back");
        }
        match content {
            StoreContent::New(content) => assert_eq!(content.zstd, head.digest.0, "content of another head"),
            StoreContent::Kept if head.state == HeadState::Present => {
                assert_eq!(
                    before.map(|before| before.head.digest),
                    Some(head.digest),
                    "nothing was kept"
                );
            }
            StoreContent::Kept => {}
        }
        let standing = match recorded {
            true => Standing::Recorded,
            false => Standing::Unrecorded,
        };
        self.state.holdings.insert(
            key.clone(),
            Holding {
                head,
                standing,
                whole: true,
            },
        );
        if let Some(session) = &mut self.session {
            session.stored(&key, version);
        }
        key
    }

    /// Applies or deletes, and reports.
    fn apply(&mut self, key: &Key) {
        let Some(holding) = self.state.holdings.get_mut(key) else {
            return;
        };
        if holding.standing != Standing::Recorded {
            return;
        }
        let held = Held {
            key: key.clone(),
            version: holding.head.version,
        };
        let removed = holding.head.state == HeadState::Removed;
        if removed {
            holding.standing = Standing::Gone;
        }
        self.state.look_at(key);
        if let Some(session) = &mut self.session {
            if removed {
                session.gone(held);
            }
            session.changed_whole(key.clone());
        }
    }

    fn orphaned(&mut self, keys: &[Key]) {
        for key in keys {
            let holding = self.state.holdings.get_mut(key).expect("an orphan is held");
            match holding.standing {
                // Never applied: there is nothing to keep.
                Standing::Unrecorded => {
                    self.state.holdings.remove(key);
                }
                Standing::Recorded => holding.standing = Standing::Orphaned,
                Standing::Gone | Standing::Orphaned | Standing::Settled => {
                    unreachable!("{key} cannot be orphaned")
                }
            }
            self.state.unlook(key);
        }
        if let Some(session) = &mut self.session {
            session.orphans_changed();
        }
    }

    pub(crate) fn desired(&self) -> Root {
        let counted = self
            .state
            .holdings
            .values()
            .filter(|holding| holding.standing.counts());
        root::desired(counted.map(|holding| &holding.head))
    }

    pub(crate) fn observed(&self) -> Root {
        root::observed(&self.state.observed)
    }

    pub(crate) fn objects(&self, key: &Key) -> Option<&[ObjectReport]> {
        self.state.known.get(key).map(|known| known.objects.as_slice())
    }

    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.state.holdings.contains_key(key)
    }
}

impl State {
    fn look_at(&mut self, key: &Key) {
        let Some(holding) = self.holdings.get(key).filter(|holding| holding.standing.counts()) else {
            return;
        };
        let version = holding.head.version;
        let objects: Vec<ObjectReport> = match holding.head.state {
            HeadState::Present => (0..OBJECTS).map(|object| self.object(key, object)).collect(),
            HeadState::Removed | HeadState::Left => Vec::new(),
        };
        let observed = report::observed(&objects, []);
        let known = Known {
            version,
            objects,
            observed,
        };
        self.known.insert(key.clone(), known);
        self.observed.insert(key.clone(), observed);
    }

    fn unlook(&mut self, key: &Key) {
        self.known.remove(key);
        self.observed.remove(key);
    }

    fn settle(&mut self, held: &Held) {
        let holding = self.holdings.get_mut(&held.key).expect("what is settled is held");
        assert_eq!(holding.standing, Standing::Gone, "settled without being gone");
        holding.standing = Standing::Settled;
        self.unlook(&held.key);
    }

    fn object(&self, key: &Key, object: u64) -> ObjectReport {
        let ticks = self
            .ticks
            .get(&(key.clone(), object))
            .copied()
            .unwrap_or_default();
        ObjectReport {
            id: object.to_string(),
            object: ObjectRef {
                group: String::new(),
                version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: key.namespace.clone(),
                name: format!("{}-{object}", key.name),
            },
            uid: None,
            health: Health::Healthy,
            status: RawStatus::Json(ticks.to_string().into_bytes()),
            blocker: None,
        }
    }
}
