//! The control plane that the hub speaks for: what one that changed lets go, or takes over, waits for a confirmation.

use std::time::Instant;

use outhaul_protocol_wire::report::BlockerReason;
use outhaul_protocol_wire::witness::{Vouched, Witness};

use super::{News, Plane};
use crate::item::Item;
use crate::object::Object;
use crate::pin::Pin;

impl Plane {
    /// What was written down of the control plane by an earlier process.
    pub fn know_control_plane(&mut self, witness: Option<Witness>) {
        self.pin = Pin::of(witness);
    }

    /// What the hub says of its control plane.
    pub fn vouched(&mut self, vouched: Vouched) {
        self.change_pin(|pin| pin.hear(vouched));
        if self.pin.unconfirmed().is_some() {
            // Each session has to hear it.
            self.news.push(News::Unconfirmed);
        }
    }

    /// The witness to write down now; then [`Plane::pin_written`].
    pub fn poll_pin(&mut self, now: Instant) -> Option<Witness> {
        self.pin.poll_write(&self.policy, now)
    }

    /// It was written down, or could not be.
    pub fn pin_written(&mut self, done: bool, now: Instant) {
        self.change_pin(|pin| pin.written(done, now));
    }

    pub(super) fn pin_deadline(&self) -> Option<(Instant, &'static str)> {
        let at = self.pin.deadline(self.clock.now)?;
        Some((at, "writing down the control plane"))
    }

    fn change_pin(&mut self, change: impl FnOnce(&mut Pin)) {
        let (unconfirmed, certain) = (self.pin.unconfirmed(), self.pin.is_certain());
        change(&mut self.pin);
        if self.pin.unconfirmed() != unconfirmed {
            self.news.push(News::Unconfirmed);
        }
        if (self.pin.unconfirmed(), self.pin.is_certain()) == (unconfirmed, certain) {
            return;
        }
        let concerned = self.items.values().filter(|item| concerns(item));
        for key in concerned.map(Item::key).cloned().collect::<Vec<_>>() {
            self.look_anew(&key);
        }
    }
}

/// Whether a resource has something to let go, or may be about to take something over.
fn concerns(item: &Item) -> bool {
    let taking =
        |object: &Object| object.is_blocked(BlockerReason::ControlPlaneChanged) || !object.is_applied();
    !item.departing.is_empty() || item.objects.iter().any(taking)
}
