//! What becomes of orphans: an operator decides, the decision is written down in the Plane, and only then the plane hears of
//! it, as a head like any other: *removed* deletes what the orphan has, *left* lets go of it as it is. The plane stores the
//! head with the orphan before it acts.
//!
//! Which version an orphan has only its plane knows: where the first head is not newer, it says so, and the next one is.

use outhaul_hub_resources::{OrphanDecision, OrphanKind, OrphanVerdict};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Move, PlaneName, Uid};
use outhaul_protocol_wire::message::Held;

use super::Fleet;
use crate::output::Change;
use crate::plane::{Plane, PlaneRecord};
use crate::resource::bundle_name;
use crate::view::OrphanView;

impl Fleet {
    /// The orphans that a plane has named, by key; `None` where there is no such Plane.
    pub fn orphans(&self, name: &PlaneName) -> Option<Vec<OrphanView>> {
        let state = self.planes.get(name)?;
        let decisions = &state.record.as_ref()?.decisions;
        let view = |orphan: &Key| OrphanView {
            bundle: bundle_name(orphan),
            uid: orphan.uid.to_string(),
            successor: state.successor(orphan).map(|key| key.uid.to_string()),
            elsewhere: self
                .deliveries
                .get(orphan)
                .and_then(|delivery| delivery.queued.as_ref())
                .map(|entry| entry.plane.to_string()),
            stands: self.deliveries.contains_key(orphan),
            decision: decisions
                .iter()
                .find(|decision| key(decision).as_ref() == Some(orphan))
                .map(|decision| decision.decision),
        };
        Some(state.orphans.keys.iter().map(view).collect())
    }

    /// Tells a plane what was decided about the orphans that it has named.
    pub(super) fn decide_orphans(&mut self, name: &PlaneName) {
        let epoch = self.settings.epoch;
        let Some(state) = self.planes.get(name) else {
            return;
        };
        let decisions = state.record.iter().flat_map(|record| &record.decisions);
        let news: Vec<Head> = decisions
            .filter_map(|decision| Some((key(decision)?, decision.decision)))
            // What stands for something again is none, whatever a plane says that has not heard of it yet.
            .filter(|(key, _)| !self.deliveries.contains_key(key))
            .filter(|(key, verdict)| state.may_decide(key, *verdict))
            .map(|(key, verdict)| Head {
                key,
                version: Version {
                    epoch,
                    ..Version::default()
                },
                digest: Digest::of(b""),
                state: match verdict {
                    OrphanVerdict::Adopt => HeadState::Left,
                    OrphanVerdict::Remove => HeadState::Removed,
                },
                // No resource is there that anybody could confirm it on: the decision about this one orphan does.
                confirmed: match verdict {
                    OrphanVerdict::Adopt => None,
                    OrphanVerdict::Remove => Some(Confirmed::Remove),
                },
            })
            .collect();
        for head in news {
            let key = head.key.clone();
            if let Some(state) = self.planes.get_mut(name) {
                state.decided.insert(key.clone(), head);
            }
            self.tell(name, |live| live.session.announce(key));
        }
    }

    /// The plane says which version its orphan has. Returns whether it is one that was decided about.
    pub(super) fn decided_behind(&mut self, name: &PlaneName, held: &Held, digest: Digest) -> bool {
        let ours = self.settings.epoch;
        let Some(head) = self
            .planes
            .get_mut(name)
            .and_then(|state| state.decided.get_mut(&held.key))
        else {
            return false;
        };
        // What a hub decided that knew a higher epoch is not decided anew by one that is behind.
        if held.version.epoch <= ours && held.version >= head.version {
            head.version = Version {
                epoch: ours,
                generation: held.version.generation,
                moved: Move(held.version.moved.0 + 1),
            };
            head.digest = digest;
            let key = held.key.clone();
            self.tell(name, |live| live.session.announce(key));
        }
        true
    }

    /// The plane has done what was decided.
    pub(super) fn decided_done(&mut self, name: &PlaneName, key: &Key) {
        let Some(state) = self.planes.get_mut(name) else {
            return;
        };
        state.decided.remove(key);
        if state.record.as_ref().is_some_and(|record| decides(record, key)) {
            state.done.insert(key.clone());
        }
    }
}

impl Plane {
    /// Whether the plane may hear of a decision now: it has named the orphan, and who is to take its objects over is there.
    fn may_decide(&self, orphan: &Key, verdict: OrphanVerdict) -> bool {
        let known = self.decided.contains_key(orphan) || self.done.contains(orphan);
        let named = self.orphans.keys.contains(orphan);
        let succeeded = match verdict {
            OrphanVerdict::Adopt => self.successor(orphan).is_some(),
            OrphanVerdict::Remove => true,
        };
        named && succeeded && !known
    }

    /// What is meant for this plane under the name of an orphan.
    pub(crate) fn successor(&self, orphan: &Key) -> Option<&Key> {
        let mut keys = self.keys();
        keys.find(|key| {
            (key.kind, &key.namespace, &key.name) == (orphan.kind, &orphan.namespace, &orphan.name)
                && key.uid != orphan.uid
        })
    }

    /// The write that takes decisions off which the plane has carried out, or which are about what `stands` for something: a
    /// later orphan of that key would be another one, and nobody decided about that.
    pub(crate) fn decisions_due(
        &self,
        record: &PlaneRecord,
        stands: impl Fn(&Key) -> bool,
    ) -> Option<Change> {
        let is_over = |key: &Key| self.done.contains(key) || (stands(key) && !self.decided.contains_key(key));
        let is_over = |decision: &&OrphanDecision| key(decision).is_some_and(|key| is_over(&key));
        record.decisions.iter().find(is_over)?;
        let left = record.decisions.iter().filter(|decision| !is_over(decision));
        Some(Change::PlaneDecisions {
            decisions: left.cloned().collect(),
            known: record.resource_version,
        })
    }
}

/// Whether something was decided about an orphan.
pub(crate) fn decides(record: &PlaneRecord, orphan: &Key) -> bool {
    let mut decisions = record.decisions.iter();
    decisions.any(|decision| key(decision).as_ref() == Some(orphan))
}

/// Which orphan a decision is about; none where its uid cannot be one.
pub(crate) fn key(decision: &OrphanDecision) -> Option<Key> {
    Some(Key {
        kind: match decision.kind {
            OrphanKind::Release => BundleKind::Release,
            OrphanKind::Bundle => BundleKind::Bundle,
        },
        namespace: decision.namespace.clone(),
        name: decision.name.clone(),
        uid: Uid::new(decision.uid.clone()).ok()?,
    })
}
