//! An object that is let go: deleted under its own uid, and gone only when the API server says that it is not there.

use std::time::Instant;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Mode;
use outhaul_protocol_wire::report::{Blocker, BlockerReason, Leftover};

use crate::blocker::Failure;
use crate::held;
use crate::live::Live;
use crate::object::{Need, terminating};
use crate::once::Run;
use crate::record::{Applied, Item};
use crate::retry::Retry;
use crate::stage::{Stage, stage};
use crate::sweep;

/// An object on its way out.
#[derive(Debug)]
pub struct Departing {
    /// Which object.
    pub reference: ObjectRef,
    /// When it is its turn; the other way round than it came.
    pub stage: Stage,
    /// Its uid, as far as the inventory knows.
    pub uid: Option<Uid>,
    /// What was applied last, for the case that it is wanted again.
    pub applied: Option<Applied>,
    /// What is known of it.
    pub step: Step,
    /// A request for it waits or is under way.
    pub busy: bool,
    /// Why it is still there.
    pub blocker: Option<Blocker>,
    /// Failures in a row.
    pub retry: Retry,
    /// Found by its labels, and not by an inventory: only that one object goes, and only while it shows that it is ours.
    pub stray: bool,
    /// It goes only confirmed: its kind says so, or an annotation that it has or had.
    pub protected: bool,
    /// It was ours, and somebody else took it.
    pub contested: bool,
    /// Whether the one with this uid may go.
    pub permission: Permission,
    /// Why the policy of the plane's owner keeps it.
    pub excluded: Option<Blocker>,
    /// It runs once, or ran.
    pub run: Option<Run>,
    /// It stays there: only the finalizer that it may have of us goes.
    pub left: bool,
    /// It was being deleted when it was found.
    pub deleting: bool,
    /// A successor has what is known of how it runs. It stays here until that is written down there.
    pub inherited: bool,
}

/// How far the permission to let an object go has come. It is written down before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// There is none.
    None,
    /// It is to be written down.
    Given,
    /// It is being written down.
    Writing,
    /// It is written down.
    Stored,
}

/// What is done next about an object on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Find out whether it is there, and whether it is ours.
    Look,
    /// Delete the one with this uid.
    Delete(Uid),
    /// Take our finalizer off the one with this uid.
    Release(Uid),
    /// Nothing any more.
    Gone,
}

impl Departing {
    /// What the inventory has of an object that is wanted no more. A look comes first: it may be somebody else's since.
    pub fn new(item: Item) -> Self {
        Self {
            stage: stage(&item.object),
            protected: item.protected || held::is_protected_kind(&item.object),
            permission: match item.allowed {
                true => Permission::Stored,
                false => Permission::None,
            },
            reference: item.object,
            uid: item.uid,
            applied: item.applied,
            step: Step::Look,
            busy: false,
            blocker: None,
            retry: Retry::default(),
            stray: item.stray,
            contested: item.contested,
            excluded: None,
            run: item.run,
            left: false,
            deleting: false,
            inherited: false,
        }
    }

    /// It is to stay.
    pub fn leave(&mut self) {
        self.left = true;
        if !matches!(self.step, Step::Release(_)) {
            self.step = Step::Look;
        }
    }

    /// Whether there may be a finalizer of ours on it, which goes first.
    pub fn may_be_kept(&self) -> bool {
        self.run.is_some() || self.stray
    }

    /// It is watched, and as far as that shows it is still ours: no look is needed.
    pub fn is_in_sight(&mut self, live: &Live, key: &Key) {
        if live.deleting.is_none() && live.is_of(key) {
            self.step = Step::Delete(live.uid.clone());
            self.is(live);
        }
    }

    /// What was found under its name. Only what carries the labels of `key` is deleted; anything else is not the
    /// object that was let go, which therefore is gone.
    pub fn found(&mut self, live: &Live, key: &Key, now: Instant) {
        let known = self.uid.as_ref() == Some(&live.uid);
        let ours = match self.stray {
            true => known && sweep::is_provably_of(live, key),
            // Without any labels it may still be the object that we know. What ran for a former resource of our name keeps
            // that one's.
            false => live.is_of(key) || (known && (live.owners.is_empty() || self.was_inherited(live, key))),
        };
        if !ours {
            self.step = Step::Gone;
            return;
        }
        self.is(live);
        self.blocker = terminating(live);
        self.deleting = live.deleting.is_some();
        if live.observed && (self.left || live.deleting.is_some()) {
            // Nobody asks any more how it ends.
            self.step = Step::Release(live.uid.clone());
        } else if self.left {
            self.step = Step::Gone;
        } else if live.deleting.is_some() {
            // Its deletion was accepted; what it waits for takes as long as it takes.
            self.step = Step::Look;
            self.retry.failed(now);
        } else {
            self.step = Step::Delete(live.uid.clone());
        }
    }

    /// It ran, or runs.
    pub fn has_begun(&self) -> bool {
        let ended = |run: &Run| run.end.is_some();
        self.run
            .as_ref()
            .is_some_and(|run| self.uid.is_some() || ended(run))
    }

    fn was_inherited(&self, live: &Live, key: &Key) -> bool {
        self.run.is_some() && live.owners.iter().all(|owner| owner.is_namesake(key))
    }

    /// The delete was accepted, or its uid is not there any more: a look tells what is.
    pub fn deleted(&mut self) {
        self.step = Step::Look;
        self.blocker = None;
        self.permission = Permission::None;
    }

    /// A request failed.
    pub fn failed(&mut self, failure: &Failure, now: Instant) {
        if failure.proves_absence() {
            self.step = Step::Gone;
        } else if failure.is_conflict() {
            self.deleted();
        } else {
            self.blocker = Some(failure.blocker());
            self.retry.failed(now);
            if self.stray {
                // It may have become somebody's until the next attempt.
                self.step = Step::Look;
            }
        }
    }

    /// Something happened to it: look at once.
    pub fn hurry(&mut self) {
        self.step = Step::Look;
        self.retry.hurry();
    }

    /// This is the object that is to go. What was allowed of another one under its name was not allowed of it.
    pub fn is(&mut self, live: &Live) {
        if self.uid.as_ref() != Some(&live.uid) {
            self.permission = Permission::None;
        }
        self.uid = Some(live.uid.clone());
        self.protected |= live.protected;
    }

    /// What it needs next.
    pub fn need(&self, mode: Mode, now: Instant) -> Need {
        match self.retry.waits_until(now) {
            _ if self.busy => Need::Busy,
            _ if self.inherited => Need::Nothing,
            Some(until) => Need::Time(until),
            None if self.may_be_asked_for(mode) => Need::Look,
            None => Need::Nothing,
        }
    }

    /// Whether the request that its step says may be sent.
    pub fn may_be_asked_for(&self, mode: Mode) -> bool {
        match (&self.step, mode) {
            _ if self.inherited => false,
            (Step::Gone, _) | (_, Mode::Pauses) | (Step::Delete(_) | Step::Release(_), Mode::Observes) => {
                false
            }
            (Step::Look, Mode::Acts | Mode::Observes) => true,
            // Whoever excludes an object and deletes it wants it to go.
            (Step::Release(_), Mode::Acts) => self.excluded.is_none() || self.deleting,
            (Step::Delete(_), Mode::Acts) => self.excluded.is_none() && self.permission == Permission::Stored,
        }
    }

    /// It was found, is ours, and nobody has allowed it to go.
    pub fn asks_for_permission(&self) -> bool {
        matches!(self.step, Step::Delete(_)) && self.permission == Permission::None && self.excluded.is_none()
    }

    /// It is protected, and neither may it go nor does it go already: found or not, what goes with it waits for it.
    pub fn waits_protected(&self) -> bool {
        let terminating = |blocker: &Blocker| blocker.reason == BlockerReason::Terminating;
        self.protected
            && !self.left
            && self.permission == Permission::None
            && self.excluded.is_none()
            && !self.blocker.as_ref().is_some_and(terminating)
    }

    /// How it is reported.
    pub fn leftover(&self) -> Leftover {
        Leftover {
            object: self.reference.clone(),
            uid: self.uid.clone(),
            blocker: self.excluded.clone().or_else(|| self.blocker.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::blocker::{Refusal, ScopeError};
    use crate::testing::{live_config_map, object, release_key};

    fn departing(uid: Option<&str>) -> Departing {
        Departing::new(Item {
            object: object("one"),
            uid: uid.map(|uid| Uid::new(uid).unwrap()),
            applied: None,
            stray: false,
            allowed: false,
            protected: false,
            contested: false,
            run: None,
        })
    }

    fn found(departing: &mut Departing, owner: &str, change: fn(&mut Value)) {
        let mut value = live_config_map(&release_key(owner), "one", "1");
        change(&mut value);
        let live = Live::of(&value, "release-controller").unwrap();
        departing.found(&live, &release_key("cart"), Instant::now());
    }

    fn refused(code: u16) -> Failure {
        Failure::from(Refusal {
            code,
            ..Refusal::default()
        })
    }

    #[test]
    fn a_delete_that_was_accepted_is_not_gone_before_it_is_not_found() {
        let mut departing = departing(Some("uid-one"));
        found(&mut departing, "cart", |_| {});
        assert_eq!(departing.step, Step::Delete(Uid::new("uid-one").unwrap()));
        departing.deleted();
        assert_eq!(departing.step, Step::Look);
        found(&mut departing, "cart", |value| {
            value["metadata"]["deletionTimestamp"] = "now".into();
            value["metadata"]["finalizers"] = serde_json::json!(["example.dev/keep"]);
        });
        assert_eq!(departing.step, Step::Look);
        assert!(departing.blocker.is_some());
        departing.failed(&refused(404), Instant::now());
        assert_eq!(departing.step, Step::Gone);
    }

    #[test]
    fn an_object_of_another_owner_is_never_deleted() {
        // Not even under the uid that was ours: somebody took it over since.
        for uid in [None, Some("uid-one")] {
            let mut departing = departing(uid);
            assert_eq!(departing.step, Step::Look);
            found(&mut departing, "somebody", |_| {});
            assert_eq!(departing.step, Step::Gone, "{uid:?}");
        }
    }

    #[test]
    fn the_object_that_we_know_goes_even_if_it_lost_its_labels() {
        let strip = |value: &mut Value| value["metadata"]["labels"] = Value::Null;
        let mut known = departing(Some("uid-one"));
        found(&mut known, "cart", strip);
        assert_eq!(known.step, Step::Delete(Uid::new("uid-one").unwrap()));
        let mut unknown = departing(None);
        found(&mut unknown, "cart", strip);
        assert_eq!(unknown.step, Step::Gone);
    }

    #[test]
    fn a_kind_that_is_not_served_says_nothing_about_its_objects() {
        let mut departing = departing(Some("uid-one"));
        departing.failed(&Failure::KindUnknown("Widget".into()), Instant::now());
        assert_eq!(departing.step, Step::Look);
        assert!(departing.leftover().blocker.is_some());
        departing.failed(&Failure::KindAbsent("Widget".into()), Instant::now());
        assert_eq!(departing.step, Step::Gone);
    }

    #[test]
    fn one_that_came_again_with_our_labels_goes_under_its_own_uid() {
        let mut departing = departing(Some("older"));
        departing.failed(&refused(409), Instant::now());
        assert_eq!(departing.step, Step::Look);
        found(&mut departing, "cart", |_| {});
        assert_eq!(departing.step, Step::Delete(Uid::new("uid-one").unwrap()));
    }

    #[test]
    fn the_finalizer_of_what_runs_goes_once_it_is_being_deleted_and_at_once_where_it_is_to_stay() {
        let observed = |value: &mut Value| {
            value["metadata"]["finalizers"] = serde_json::json!([crate::once::FINALIZER]);
        };
        let release = Step::Release(Uid::new("uid-one").unwrap());
        let mut going = departing(Some("uid-one"));
        found(&mut going, "cart", observed);
        assert_eq!(going.step, Step::Delete(Uid::new("uid-one").unwrap()));
        found(&mut going, "cart", |value| {
            value["metadata"]["finalizers"] = serde_json::json!([crate::once::FINALIZER]);
            value["metadata"]["deletionTimestamp"] = "now".into();
        });
        assert_eq!(going.step, release);
        let mut staying = departing(Some("uid-one"));
        staying.run = Some(Run::new(outhaul_protocol_wire::digest::Digest::of(b"")));
        staying.leave();
        assert!(staying.may_be_kept());
        found(&mut staying, "cart", observed);
        assert_eq!(staying.step, release);
        found(&mut staying, "cart", |_| {});
        assert_eq!(staying.step, Step::Gone);
        assert!(!departing(None).may_be_kept(), "it never had one");
    }

    #[test]
    fn what_no_api_server_can_have_is_gone() {
        let mut departing = departing(None);
        departing.failed(&Failure::Scope(ScopeError::NamespaceGiven), Instant::now());
        assert_eq!(departing.step, Step::Gone);
    }

    #[test]
    fn what_may_not_be_deleted_is_shown_and_tried_again() {
        let mut departing = departing(Some("uid-one"));
        found(&mut departing, "cart", |_| {});
        departing.failed(&refused(403), Instant::now());
        assert_eq!(departing.step, Step::Delete(Uid::new("uid-one").unwrap()));
        assert!(departing.leftover().blocker.is_some());
        assert!(departing.retry.waits_until(Instant::now()).is_some());
    }
}
