//! The hub's end of a session, with an agent that says anything.

use std::collections::BTreeMap;

use outhaul_protocol_session::hub::{Event, Hub, Queue, Queued, Session};
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{Head, Key};
use outhaul_protocol_wire::ids::Epoch;
use outhaul_protocol_wire::limits::CONTROL_FRAME;
use outhaul_protocol_wire::message::AgentMessage;

use crate::seeds;
use crate::wire::read;

/// More than one message of an agent can make a hub say.
const ANSWERS: usize = 10_000;

/// What the hub wants of the plane, and what it has heard.
struct Wanted {
    heads: Vec<Head>,
    observed: BTreeMap<Key, Digest>,
}

/// Frames of an agent, the first of which is a hello.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let mut messages = read::<AgentMessage, CONTROL_FRAME>(bytes);
    let Some(AgentMessage::Hello(hello)) = messages.next() else {
        return false;
    };
    let mut queue = Wanted {
        heads: seeds::heads(),
        observed: BTreeMap::new(),
    };
    let hub = Hub {
        epoch: Epoch(1),
        fleet: 1,
        vouched: None,
    };
    let Ok(mut session) = Session::open(&hello, &queue, hub) else {
        return false;
    };
    speak(&mut session, &queue);
    for message in messages {
        let Ok(event) = session.handle(message, &queue) else {
            return true;
        };
        match event {
            Some(Event::Reported(report)) => {
                queue
                    .observed
                    .extend(report.observed.map(|observed| (report.key, observed)));
            }
            Some(Event::Gone(held)) => {
                queue.heads.retain(|head| head.key != held.key);
                session.settle(held);
            }
            Some(
                Event::Acknowledged(_)
                | Event::HubBehind { .. }
                | Event::Orphans(_)
                | Event::Policy(_)
                | Event::Unconfirmed(_),
            )
            | None => {}
        }
        speak(&mut session, &queue);
    }
    true
}

/// Whatever the session says fits its frame, and comes to an end.
fn speak(session: &mut Session, queue: &Wanted) {
    for _ in 0..ANSWERS {
        let Some(message) = session.poll_transmit(queue) else {
            return;
        };
        frame::encode::<CONTROL_FRAME>(&message).expect("a hub's message fits its frame");
    }
    panic!("the hub does not stop to talk");
}

impl Queue for Wanted {
    fn heads(&self) -> impl Iterator<Item = Queued<'_>> {
        self.heads.iter().map(queued)
    }

    fn head(&self, key: &Key) -> Option<Queued<'_>> {
        self.heads.iter().find(|head| head.key == *key).map(queued)
    }

    fn observed(&self) -> impl Iterator<Item = (&Key, &Digest)> {
        self.observed.iter()
    }

    fn inline(&self, digest: &Digest) -> Option<Content> {
        let small = is_even(digest);
        small.then(|| Content {
            length: 2,
            zstd: vec![0; 16],
        })
    }
}

/// Every other head waits to be recorded.
fn queued(head: &Head) -> Queued<'_> {
    Queued {
        head,
        recorded: is_even(&head.digest),
    }
}

fn is_even(digest: &Digest) -> bool {
    digest.0[0].is_multiple_of(2)
}
