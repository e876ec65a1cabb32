//! Messages on their way from the fleet to one connection: a short queue, and a word beside it that ends it.
//!
//! The fleet never waits for a slow agent. Where the queue is full it stops asking the session for messages, and the
//! connection says when there is room again; the session builds them from what is newest then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use outhaul_protocol_wire::message::{Closing, HubMessage};
use tokio::sync::{mpsc, oneshot};

/// Messages in the queue. Each is at most 256 KiB, so a slow agent holds 2 MiB at most.
const MESSAGES: usize = 8;

/// The fleet's end.
pub(crate) struct Outbox {
    messages: mpsc::Sender<Box<HubMessage>>,
    starved: Arc<AtomicBool>,
    ending: oneshot::Sender<Ending>,
}

/// The connection's end.
pub(crate) struct Receiving {
    /// Messages to send. Boxed: a channel reserves 32 places, whatever its length, and most sessions are idle.
    pub(crate) messages: mpsc::Receiver<Box<HubMessage>>,
    /// Why nothing more is sent.
    pub(crate) ending: oneshot::Receiver<Ending>,
    starved: Arc<AtomicBool>,
}

/// Why a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// After this word.
    Goodbye(Closing),
    /// The agent broke the protocol.
    Violation(String),
}

/// A new queue.
pub(crate) fn outbox() -> (Outbox, Receiving) {
    let (sender, messages) = mpsc::channel(MESSAGES);
    let (ending_sender, ending) = oneshot::channel();
    let starved = Arc::new(AtomicBool::new(false));
    let outbox = Outbox {
        messages: sender,
        starved: Arc::clone(&starved),
        ending: ending_sender,
    };
    let receiving = Receiving {
        messages,
        ending,
        starved,
    };
    (outbox, receiving)
}

impl Outbox {
    /// Takes messages from `next` while there is room.
    pub(super) fn fill(&self, mut next: impl FnMut() -> Option<HubMessage>) {
        loop {
            let Some(room) = self.room() else { return };
            let Some(message) = next() else { return };
            room.send(Box::new(message));
        }
    }

    /// Ends the session. A connection that is gone needs no word.
    pub(super) fn end(self, ending: Ending) {
        let _gone = self.ending.send(ending);
    }

    /// Room for one message; if there is none, the connection will say when there is.
    fn room(&self) -> Option<mpsc::Permit<'_, Box<HubMessage>>> {
        if let Ok(permit) = self.messages.try_reserve() {
            return Some(permit);
        }
        self.starved.store(true, Ordering::SeqCst);
        // The connection may have made room before it could see that it has to say so.
        self.messages.try_reserve().ok()
    }
}

impl Receiving {
    /// Whether the fleet waits to be told that there is room. True once.
    pub(crate) fn was_starved(&self) -> bool {
        self.starved.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::{BundleKind, Key};
    use outhaul_protocol_wire::ids::Uid;

    use super::*;

    fn message() -> HubMessage {
        HubMessage::ReportWanted(Key {
            kind: BundleKind::Release,
            namespace: "shop".into(),
            name: "cart".into(),
            uid: Uid::new("u").unwrap(),
        })
    }

    #[test]
    fn a_full_queue_takes_no_more_and_asks_for_a_word_once_there_is_room() {
        let (outbox, mut receiving) = outbox();
        let mut built = 0;
        outbox.fill(|| {
            built += 1;
            Some(message())
        });
        assert_eq!(built, MESSAGES);
        assert!(receiving.messages.try_recv().is_ok());
        assert!(receiving.was_starved());
        assert!(!receiving.was_starved());
        outbox.fill(|| {
            built += 1;
            Some(message())
        });
        assert_eq!(built, MESSAGES + 1);
    }
}
