//! Which control plane this plane lets its hub speak for. The first that it hears of is written down. Where it hears of
//! another one later, with the same hub id, somebody rebuilt the control plane, or made a clone of it: what that one lets
//! go nobody may have meant, so it waits until somebody confirms the newcomer. After a start it waits for the word of a
//! hub: heads that are stored may be of a control plane that nobody has confirmed.

use std::time::Instant;

use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use outhaul_protocol_wire::witness::{Vouched, Witness};

use crate::blocker::blocker;
use crate::policy::Policy;
use crate::retry::Retry;

/// What is known of it.
#[derive(Debug, Default)]
pub struct Pin {
    /// The one that is written down.
    known: Option<Witness>,
    /// What the hub said since the start.
    heard: Option<Vouched>,
    /// The one that is being written down.
    writing: Option<Witness>,
    retry: Retry,
}

impl Pin {
    /// With what was written down.
    pub fn of(known: Option<Witness>) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// What the hub says.
    pub fn hear(&mut self, vouched: Vouched) {
        self.heard = Some(vouched);
    }

    /// The witness that waits to be confirmed.
    pub fn unconfirmed(&self) -> Option<Witness> {
        let heard = self.heard?.witness;
        (self.known? != heard).then_some(heard)
    }

    /// Whether anything may be let go that was not allowed before, or taken over.
    pub fn is_certain(&self) -> bool {
        match (self.known, self.heard) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(known), Some(vouched)) => known == vouched.witness,
        }
    }

    /// The witness to write down now. It counts once that is done.
    pub fn poll_write(&mut self, policy: &Policy, now: Instant) -> Option<Witness> {
        let heard = self.heard?;
        let takes = match self.known {
            None => true,
            Some(known) => known != heard.witness && policy.confirms(&heard),
        };
        if !takes || self.writing.is_some() || self.retry.waits_until(now).is_some() {
            return None;
        }
        self.writing = Some(heard.witness);
        self.writing
    }

    /// What was to be written down is, or could not be.
    pub fn written(&mut self, done: bool, now: Instant) {
        let witness = self.writing.take();
        match done {
            true => {
                self.known = witness.or(self.known);
                self.retry.clear();
            }
            false => self.retry.failed(now),
        }
    }

    /// When to try again what could not be written down.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.retry.waits_until(now)
    }

    /// Why something is kept that would go, or be taken from its owner.
    pub fn keeps(&self, policy: &Policy, what: &str) -> Option<Blocker> {
        if self.is_certain() {
            return None;
        }
        let waits = match self.unconfirmed() {
            None => "for the hub to say which control plane it speaks for".to_owned(),
            Some(witness) => {
                let advice = policy.advice_on(witness).map(|advice| format!("; {advice}"));
                format!(
                    "until somebody confirms the control plane, which was rebuilt or cloned, or has another Plane{}",
                    advice.unwrap_or_default()
                )
            }
        };
        let message = format!("{what} waits {waits}");
        Some(blocker(BlockerReason::ControlPlaneChanged, message))
    }
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::digest::Digest;

    use super::*;

    fn vouched(byte: u8, confirmed: bool) -> Vouched {
        Vouched {
            witness: witness(byte),
            confirmed,
            asks: false,
        }
    }

    fn witness(byte: u8) -> Witness {
        Witness(Digest([byte; 32]))
    }

    #[test]
    fn the_first_is_taken_and_another_one_only_confirmed() {
        let (policy, now) = (Policy::open("outhaul-system"), Instant::now());
        let mut pin = Pin::default();
        assert_eq!(pin.poll_write(&policy, now), None, "nothing was heard");
        pin.hear(vouched(1, false));
        assert_eq!(
            (pin.unconfirmed(), pin.poll_write(&policy, now)),
            (None, Some(witness(1)))
        );
        pin.written(true, now);

        pin.hear(vouched(2, false));
        assert_eq!(
            (pin.unconfirmed(), pin.poll_write(&policy, now)),
            (Some(witness(2)), None)
        );
        pin.hear(vouched(2, true));
        assert_eq!(pin.poll_write(&policy, now), Some(witness(2)));
        assert_eq!(
            pin.unconfirmed(),
            Some(witness(2)),
            "it counts once it is written down"
        );
        pin.written(true, now);
        assert_eq!((pin.unconfirmed(), pin.poll_write(&policy, now)), (None, None));
        pin.hear(vouched(1, false));
        assert_eq!(
            pin.unconfirmed(),
            Some(witness(1)),
            "the former one is another one by now"
        );
    }

    #[test]
    fn after_a_start_nothing_is_certain_before_a_hub_has_spoken() {
        assert!(Pin::default().is_certain(), "nothing is known yet");
        let mut pin = Pin::of(Some(witness(1)));
        assert!(!pin.is_certain());
        pin.hear(vouched(1, false));
        assert!(pin.is_certain());
        pin.hear(vouched(2, false));
        assert!(!pin.is_certain());
    }

    #[test]
    fn what_could_not_be_written_down_is_tried_again_and_does_not_count() {
        let (policy, now) = (Policy::open("outhaul-system"), Instant::now());
        let mut pin = Pin::of(Some(witness(1)));
        pin.hear(vouched(2, true));
        assert_eq!(pin.poll_write(&policy, now), Some(witness(2)));
        assert_eq!(pin.poll_write(&policy, now), None, "one write at a time");
        pin.written(false, now);
        let again = pin.deadline(now).unwrap();
        assert_eq!(
            (pin.poll_write(&policy, now), pin.unconfirmed()),
            (None, Some(witness(2)))
        );
        assert_eq!(pin.poll_write(&policy, again), Some(witness(2)));
    }
}
