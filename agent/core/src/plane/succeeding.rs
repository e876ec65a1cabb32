//! Whose objects a resource takes over in place: those that somebody decided are for it, and those of a Release of its
//! name in a control plane that is no more, as OpenChoreo leaves them. See `docs/decisions/takeover.md`.

use std::time::Instant;

use outhaul_protocol_session::agent::Standing;
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};

use super::Plane;
use crate::blocker::blocker;
use crate::labels::{self, Owner};
use crate::live::{Live, Shown};

impl Plane {
    /// Whether the object `live`, which is under the name of one that the resource `key` wants, is left to whom it belongs:
    /// not where it is the resource's own, or nobody's, or to be taken over.
    pub(super) fn yields(&mut self, key: &Key, index: usize, live: &Live, now: Instant) -> bool {
        let (object, _) = self.wanted(key, index);
        let lost = object.uid.is_some() && !live.owners.is_empty() && !live.is_of(key);
        object.contested |= lost;
        let contested = object.contested;
        if lost {
            self.save(key, now);
        }
        let Some(anothers) = self.anothers(key, live, contested) else {
            return false;
        };
        let (object, _) = self.wanted(key, index);
        object.blocker = Some(anothers);
        true
    }

    /// What is there under the name of a wanted object is not known to be ours.
    pub(super) fn forget_live(&mut self, key: &Key, index: usize) {
        let (object, _) = self.wanted(key, index);
        object.uid = None;
        object.applied = None;
        object.cleared = false;
        object.live = None;
        object.foreseen = None;
        self.show(key, index, Some(Shown::ABSENT));
        self.dirty.insert(key.clone());
    }

    /// Why an object is not for this resource.
    fn anothers(&self, key: &Key, live: &Live, contested: bool) -> Option<Blocker> {
        let owner = live.owners.first().filter(|_| !live.is_of(key))?;
        let named = || {
            let Owner {
                kind,
                namespace,
                name,
                uid,
                ..
            } = owner;
            format!("it belongs to {} {namespace}/{name} (uid {uid}): ", kind.as_str())
        };
        let left = live.owners.iter().all(|owner| self.left(key, owner));
        let advice = (!left).then(|| self.keeps(key, live, owner, contested)).flatten();
        match advice {
            Some(advice) => Some(blocker(BlockerReason::OwnedByAnother, named() + &advice)),
            None => self.pin.keeps(&self.policy, &(named() + "taking it over")),
        }
    }

    /// Whether this is a predecessor of the resource, which was left here so that it may take its objects over.
    pub(super) fn left(&self, key: &Key, owner: &Owner) -> bool {
        let former = former(key, owner).and_then(|former| self.items.get(&former));
        former.is_some_and(|item| item.holding.head.state == HeadState::Left)
    }

    /// What is to be done before the resource gets an object of `owner`; nothing where it is what OpenChoreo left of a
    /// Release of this name, or cannot be told from that.
    fn keeps(&self, key: &Key, live: &Live, owner: &Owner, contested: bool) -> Option<String> {
        let label = labels::marker(owner.kind);
        let Some(former) = former(key, owner).filter(|_| live.owners.len() == 1) else {
            return Some("remove it there first, or choose another name".to_owned());
        };
        let held = self.items.get(&former).map(|item| item.holding.standing);
        if held == Some(Standing::Settled) && self.storing.head(&former).is_none() {
            return Some(format!(
                "that one was removed here; see that nobody needs it, then take the label {label} off it"
            ));
        }
        if held.is_some() || self.storing.head(&former).is_some() {
            return Some("this plane still holds that one; let this one adopt it, see orphans".to_owned());
        }
        if contested {
            return Some(format!(
                "who manages it there took it from this one; stop that, then take the label {label} off it"
            ));
        }
        (!live.managed).then(|| {
            format!("OpenChoreo did not leave it like this; see that nobody manages it, then take the label {label} off it")
        })
    }
}

/// The resource that an owner is, if it had the name of `key` before.
fn former(key: &Key, owner: &Owner) -> Option<Key> {
    let uid = Uid::new(owner.uid.clone())
        .ok()
        .filter(|_| owner.is_namesake(key))?;
    Some(Key { uid, ..key.clone() })
}
