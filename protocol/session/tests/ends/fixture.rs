//! Small worlds for one end: a queue for the hub, a plane for the agent, and values to fill them.

use std::collections::BTreeMap;
use std::time::Instant;

use outhaul_protocol_session::agent::{Dial, Holding, Plane, ReportView, Standing};
use outhaul_protocol_session::hub::{Hub, Queue, Queued};
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{BundleKind, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation, Term, Uid};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{Announce, Announced, Held, Hello, Orphans, Welcome};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{
    self, Blocker, BlockerReason, Health, Leftover, ObjectReport, RawStatus,
};
use outhaul_protocol_wire::root;

pub(crate) const HUB: Hub = Hub {
    epoch: Epoch(1),
    fleet: 3,
    vouched: None,
};

pub(crate) fn key(name: impl ToString) -> Key {
    Key {
        kind: BundleKind::Release,
        namespace: "shop".into(),
        name: name.to_string(),
        uid: Uid::new(format!("uid-{}", name.to_string())).unwrap(),
    }
}

pub(crate) fn version(generation: u64) -> Version {
    Version {
        epoch: Epoch(1),
        generation: Generation(generation),
        ..Version::default()
    }
}

pub(crate) fn head(name: impl ToString, generation: u64) -> Head {
    Head {
        digest: Digest::of(format!("{} {generation}", name.to_string()).as_bytes()),
        key: key(name),
        version: version(generation),
        state: HeadState::Present,
        confirmed: None,
    }
}

pub(crate) fn removed(name: impl ToString, generation: u64) -> Head {
    Head {
        state: HeadState::Removed,
        ..head(name, generation)
    }
}

pub(crate) fn held(head: &Head) -> Held {
    Held {
        key: head.key.clone(),
        version: head.version,
    }
}

pub(crate) fn content(bytes: usize) -> Content {
    Content {
        length: 1,
        zstd: vec![7; bytes],
    }
}

pub(crate) fn announced(head: &Head, recorded: bool, content: Option<Content>) -> Announced {
    Announced {
        head: head.clone(),
        recorded,
        content,
    }
}

pub(crate) fn announce(heads: Vec<Announced>, complete: bool) -> Announce {
    Announce { heads, complete }
}

pub(crate) fn welcome(converged: bool) -> Welcome {
    Welcome {
        epoch: Epoch(1),
        fleet: 1,
        converged,
    }
}

pub(crate) fn hello<'a>(heads: impl IntoIterator<Item = &'a Head>) -> Hello {
    Hello {
        agent_version: "0.1.0".into(),
        kubernetes_version: "v1.33.0".into(),
        instance: [1; 16],
        term: Term { boot: 1, dial: 1 },
        epoch: Epoch(1),
        desired: root::desired(heads),
        observed: Some(root::observed([])),
        orphans: Orphans::default(),
        policy: Policy::default(),
    }
}

pub(crate) fn dial() -> Dial {
    Dial {
        agent_version: "0.1.0".into(),
        kubernetes_version: "v1.33.0".into(),
        instance: [1; 16],
        term: Term { boot: 1, dial: 1 },
    }
}

pub(crate) fn object(id: impl ToString, status_bytes: usize) -> ObjectReport {
    ObjectReport {
        id: id.to_string(),
        object: object_ref(id),
        uid: None,
        health: Health::Healthy,
        status: RawStatus::Json(vec![b'1'; status_bytes]),
        blocker: None,
    }
}

/// As large as it may get.
pub(crate) fn leftover(name: impl ToString) -> Leftover {
    Leftover {
        object: object_ref(name),
        uid: None,
        blocker: Some(Blocker {
            reason: BlockerReason::Terminating,
            message: "x".repeat(limits::MESSAGE_BYTES),
        }),
    }
}

fn object_ref(name: impl ToString) -> ObjectRef {
    ObjectRef {
        group: String::new(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: "shop".into(),
        name: name.to_string(),
    }
}

/// Whether the peer can decode the message within the limit of its frame.
pub(crate) fn fits<M: bincode::Encode + bincode::Decode<()>>(message: &M) -> bool {
    let frame = frame::encode::<{ limits::CONTROL_FRAME }>(message).unwrap();
    frame::decode::<M, { limits::CONTROL_FRAME }>(&frame[frame::HEADER..]).is_ok()
}

/// The hub's view of a plane.
#[derive(Default)]
pub(crate) struct TestQueue {
    pub(crate) heads: Vec<(Head, bool)>,
    pub(crate) observed: BTreeMap<Key, Digest>,
    pub(crate) inline: Option<Content>,
}

impl TestQueue {
    pub(crate) fn of(heads: impl IntoIterator<Item = Head>) -> Self {
        Self {
            heads: heads.into_iter().map(|head| (head, true)).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn put(&mut self, head: Head, recorded: bool) {
        self.heads.retain(|(known, _)| known.key != head.key);
        self.heads.push((head, recorded));
    }
}

impl Queue for TestQueue {
    fn heads(&self) -> impl Iterator<Item = Queued<'_>> {
        self.heads.iter().map(|(head, recorded)| Queued {
            head,
            recorded: *recorded,
        })
    }

    fn head(&self, key: &Key) -> Option<Queued<'_>> {
        self.heads().find(|queued| queued.head.key == *key)
    }

    fn observed(&self) -> impl Iterator<Item = (&Key, &Digest)> {
        self.observed.iter()
    }

    fn inline(&self, _digest: &Digest) -> Option<Content> {
        self.inline.clone()
    }
}

/// An agent's state.
#[derive(Default)]
pub(crate) struct TestPlane {
    pub(crate) holdings: BTreeMap<Key, Holding>,
    pub(crate) storing: BTreeMap<Key, Head>,
    pub(crate) reports: BTreeMap<Key, Known>,
    pub(crate) observed: BTreeMap<Key, Digest>,
    pub(crate) policy: Policy,
    pub(crate) unconfirmed: bool,
}

pub(crate) struct Known {
    pub(crate) version: Version,
    pub(crate) objects: Vec<ObjectReport>,
    pub(crate) leftovers: Vec<Leftover>,
}

impl TestPlane {
    pub(crate) fn hold(&mut self, head: Head, standing: Standing) {
        self.holdings.insert(
            head.key.clone(),
            Holding {
                head,
                standing,
                whole: true,
            },
        );
    }

    pub(crate) fn know(&mut self, name: &str, objects: Vec<ObjectReport>, leftovers: Vec<Leftover>) {
        let observed = report::observed(&objects, &leftovers);
        let known = Known {
            version: version(1),
            objects,
            leftovers,
        };
        self.reports.insert(key(name), known);
        self.observed.insert(key(name), observed);
    }
}

impl Plane for TestPlane {
    fn holding(&self, key: &Key) -> Option<&Holding> {
        self.holdings.get(key)
    }

    fn storing(&self, key: &Key) -> Option<&Head> {
        self.storing.get(key)
    }

    fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.values()
    }

    fn report(&self, key: &Key) -> Option<ReportView<'_>> {
        self.reports.get(key).map(|known| ReportView {
            version: known.version,
            objects: &known.objects,
            leftovers: &known.leftovers,
            observed: self.observed[key],
        })
    }

    fn observed(&self) -> Option<impl Iterator<Item = (&Key, &Digest)>> {
        Some(self.observed.iter())
    }

    fn policy(&self) -> Policy {
        self.policy.clone()
    }

    fn is_unconfirmed(&self) -> bool {
        self.unconfirmed
    }
}

pub(crate) fn now() -> Instant {
    Instant::now()
}
