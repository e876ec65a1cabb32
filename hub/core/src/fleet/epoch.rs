//! The hub's epoch, which an operator raises after the control plane went back to a backup.

use outhaul_protocol_wire::ids::Epoch;
use outhaul_protocol_wire::message::{ClosingReason, Refused, RefusedReason};

use super::connecting::{SOON_MS, refused};
use super::{Fleet, Settings};
use crate::now::Now;
use crate::output::Output;

/// What is known of epochs beside our own.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    /// Whether the stored one is being read.
    reading: bool,
    /// The highest that a plane named while the stored one was found not to be higher than ours.
    checked: Epoch,
}

impl Fleet {
    /// The epoch was raised: what was read before may be of the time before the restore, so nothing of it counts any more.
    /// As after a restart nobody is served until everything was read again and [`Fleet::synced`] says so.
    pub fn start_over(&mut self, epoch: Epoch, now: Now) {
        if epoch <= self.settings.epoch {
            return;
        }
        for plane in self.live.keys().cloned().collect::<Vec<_>>() {
            self.end(&plane, ClosingReason::Restarting, 0, now);
        }
        let settings = Settings {
            epoch,
            ..self.settings.clone()
        };
        let words = |output: &Output| match output {
            Output::Goodbye(..) | Output::Note(_) | Output::Changed(..) => true,
            Output::Write(_) | Output::Read(_) | Output::ReadEpoch(_) | Output::LookAround(_) => false,
        };
        self.outputs.retain(words);
        // Writes that are under way are answered under ids that nobody waits for.
        *self = Self {
            outputs: core::mem::take(&mut self.outputs),
            last_id: self.last_id,
            ..Self::new(settings)
        };
    }

    /// The stored epoch was read, as [`Output::ReadEpoch`] asked; none where that came to no answer. Where it is higher
    /// than ours, [`Fleet::start_over`] follows.
    pub fn epoch_read(&mut self, asked: Epoch, read: Option<Epoch>) {
        self.epochs.reading = false;
        if read.is_some_and(|read| read <= self.settings.epoch) {
            self.epochs.checked = self.epochs.checked.max(asked);
        }
    }

    /// A plane that has taken heads of a higher epoch heard of it from another replica, or from this control plane before
    /// it was restored. Nothing is announced until the stored epoch says which.
    pub(super) fn check_epoch(&mut self, theirs: Epoch) -> Result<(), Refused> {
        if theirs <= self.settings.epoch.max(self.epochs.checked) {
            return Ok(());
        }
        if !core::mem::replace(&mut self.epochs.reading, true) {
            self.outputs.push_back(Output::ReadEpoch(theirs));
        }
        Err(refused(
            RefusedReason::NotReady,
            "the plane knows a higher epoch than this hub, which reads its own again",
            SOON_MS,
        ))
    }
}
