//! The agent's end of a session, with a hub that says anything.

use std::collections::BTreeMap;
use std::time::Instant;

use outhaul_protocol_session::agent::{Dial, Event, Holding, Plane, ReportView, Session, Standing, Store};
use outhaul_protocol_wire::content::{Content, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{Head, Key};
use outhaul_protocol_wire::ids::Term;
use outhaul_protocol_wire::limits::CONTROL_FRAME;
use outhaul_protocol_wire::message::HubMessage;
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::ObjectReport;

use crate::seeds;
use crate::wire::read;

/// More than one message of a hub can make an agent say: it holds a few resources, and a hub names a few in a frame.
const ANSWERS: usize = 10_000;

/// A plane that stores what it is told at once.
struct Obedient {
    holdings: BTreeMap<Key, Holding>,
    objects: Vec<ObjectReport>,
    observed: Digest,
}

/// Frames of a hub.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let mut plane = Obedient {
        holdings: seeds::holdings(),
        objects: vec![seeds::object_report()],
        observed: Digest([1; 32]),
    };
    let dial = Dial {
        agent_version: "0.1.0".to_owned(),
        kubernetes_version: "v1.37.2".to_owned(),
        instance: [1; 16],
        term: Term { boot: 1, dial: 1 },
    };
    let mut session = Session::open(dial, &plane, Instant::now());
    speak(&mut session, &plane);
    let mut said = false;
    for message in read::<HubMessage, CONTROL_FRAME>(bytes) {
        let Ok(events) = session.handle(message, &plane) else {
            return said;
        };
        said = true;
        for event in events {
            if !plane.obey(event, &mut session) {
                return said;
            }
        }
        while let Some(digest) = session.poll_fetch() {
            let answer = answer(&digest);
            for event in session.fetched(&digest, answer) {
                plane.obey(event, &mut session);
            }
        }
        speak(&mut session, &plane);
    }
    said
}

/// Some content can be had, some cannot.
fn answer(digest: &Digest) -> Fetched {
    match digest.0[0] % 2 {
        0 => Fetched::NotQueued,
        _ => Fetched::Content(Content {
            length: 2,
            zstd: Vec::new(),
        }),
    }
}

/// Whatever the session says fits its frame, and comes to an end.
fn speak(session: &mut Session, plane: &Obedient) {
    for _ in 0..ANSWERS {
        let Some(message) = session.poll_transmit(plane) else {
            return;
        };
        frame::encode::<CONTROL_FRAME>(&message).expect("an agent's message fits its frame");
    }
    panic!("the agent does not stop to talk");
}

impl Obedient {
    /// Does what the session wants. Returns whether the session goes on.
    fn obey(&mut self, event: Event, session: &mut Session) -> bool {
        match event {
            Event::Welcomed(_) | Event::Vouched(_) => {}
            Event::Store(Store { head, recorded, .. }) => {
                let key = head.key.clone();
                let version = head.version;
                let held = self.holdings.get(&key).map(|holding| holding.head.version);
                assert!(
                    held.is_none_or(|held| held <= version),
                    "{key:?} went back to {version:?}"
                );
                let standing = match recorded {
                    true => Standing::Recorded,
                    false => Standing::Unrecorded,
                };
                let holding = Holding {
                    head,
                    standing,
                    whole: true,
                };
                self.holdings.insert(key.clone(), holding);
                session.stored(&key, version);
            }
            Event::Recorded(held) => self.stands(&held.key, Standing::Recorded),
            Event::Settled(held) => self.stands(&held.key, Standing::Settled),
            Event::Orphaned(keys) => {
                for key in keys {
                    assert!(
                        self.holdings.contains_key(&key),
                        "an orphan that nobody has: {key:?}"
                    );
                    self.stands(&key, Standing::Orphaned);
                }
                session.orphans_changed();
            }
            Event::Refused(_) | Event::Closing(_) => return false,
        }
        true
    }

    fn stands(&mut self, key: &Key, standing: Standing) {
        if let Some(holding) = self.holdings.get_mut(key) {
            holding.standing = standing;
        }
    }
}

impl Plane for Obedient {
    fn holding(&self, key: &Key) -> Option<&Holding> {
        self.holdings.get(key)
    }

    fn storing(&self, _key: &Key) -> Option<&Head> {
        None
    }

    fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.values()
    }

    fn report(&self, key: &Key) -> Option<ReportView<'_>> {
        let holding = self.holdings.get(key)?;
        Some(ReportView {
            version: holding.head.version,
            objects: &self.objects,
            leftovers: &[],
            observed: self.observed,
        })
    }

    fn observed(&self) -> Option<impl Iterator<Item = (&Key, &Digest)>> {
        let counted = self.holdings.iter().filter(|(_, holding)| holding.counts());
        Some(counted.map(|(key, _)| (key, &self.observed)))
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn is_unconfirmed(&self) -> bool {
        false
    }
}
