//! One object of a resource: what is wanted, what was applied, what is there, and what it needs next.

use std::time::Instant;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::policy::Mode;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use serde_json::Value;

use crate::blocker::blocker;
use crate::desired::DesiredObject;
use crate::drift;
use crate::fight::Fight;
use crate::guards::Guarded;
use crate::kinds::Sight;
use crate::live::{Live, Shown};
use crate::manifest::Body;
use crate::once::{Noted, Run};
use crate::policy::Policy;
use crate::record::Applied;
use crate::retry::Retry;

/// An object that is wanted.
#[derive(Debug)]
pub struct Object {
    /// What is wanted.
    pub desired: DesiredObject,
    /// Its uid, as far as the inventory knows.
    pub uid: Option<Uid>,
    /// What was applied last.
    pub applied: Option<Applied>,
    /// What is there, as it was seen last.
    pub live: Option<Live>,
    /// The other resource of this plane that has the object.
    pub taken_by: Option<Key>,
    /// Somebody changed it.
    pub drifted: bool,
    /// When a repair may happen, in a fight.
    pub repair_at: Option<Instant>,
    /// It was looked up, and nothing speaks against applying it.
    pub cleared: bool,
    /// What was written of it by update is ours, or is not to become so.
    pub adopted: bool,
    /// It was ours, and somebody else took it.
    pub contested: bool,
    /// A request for it waits or is under way.
    pub busy: bool,
    /// What keeps it from being as wanted, apart from what its kind and its manifest say.
    pub blocker: Option<Blocker>,
    /// Failures in a row.
    pub retry: Retry,
    /// Repairs.
    pub fight: Fight,
    /// In which listing of its kind an answer told of it last, see [`crate::kinds`].
    pub answered_in: u64,
    /// Whether those are in place that ask whoever calls by it.
    pub guarded: Guarded,
    /// Why the policy of the plane's owner excludes it.
    pub excluded: Option<Blocker>,
    /// What an apply would change, where a policy lets nothing be changed.
    pub foreseen: Option<String>,
    /// It runs once: it is created, and not applied.
    pub run: Option<Run>,
    /// How far its end has come into the store.
    pub noted: Noted,
    /// Something with its name was there when it was to be created.
    pub collided: bool,
    /// Another object under its name that has our labels and our finalizer, and is being deleted.
    pub copy: Option<Uid>,
    /// Something of its resource ran here, and it may have been this: it is not created.
    pub ran: bool,
}

/// What an object needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is as wanted, or something outside has to happen first.
    Nothing,
    /// A request is under way.
    Busy,
    /// Time to pass.
    Time(Instant),
    /// A look, since it may belong to somebody else or may have gone.
    Look,
    /// An apply.
    Apply,
    /// The fields that were written by update, before what is applied is all that there is.
    Adopt,
    /// A create.
    Create,
    /// Our finalizer to be taken off.
    Release,
}

impl Object {
    /// An object that nothing is known of yet.
    pub fn new(desired: DesiredObject) -> Self {
        Self {
            desired,
            uid: None,
            applied: None,
            live: None,
            taken_by: None,
            drifted: false,
            repair_at: None,
            cleared: false,
            adopted: false,
            contested: false,
            busy: false,
            blocker: None,
            retry: Retry::default(),
            fight: Fight::default(),
            answered_in: 0,
            guarded: Guarded::Yes,
            excluded: None,
            foreseen: None,
            run: None,
            noted: Noted::No,
            collided: false,
            copy: None,
            ran: false,
        }
    }

    /// Whether what is wanted was applied and nobody changed it since; of what runs once, whether it began.
    pub fn is_applied(&self) -> bool {
        !self.drifted && self.has_what_is_wanted()
    }

    /// Whether what was applied last is what is wanted, whatever became of it since.
    pub fn has_what_is_wanted(&self) -> bool {
        if let Some(run) = &self.run {
            return self.uid.is_some() || run.end.is_some();
        }
        let wanted = self.desired.body.as_ref().ok().map(|body| body.digest);
        wanted.is_some() && self.applied.map(|applied| applied.body) == wanted
    }

    /// What it needs, given how well its kind can be seen. What is applied and there costs no request.
    pub fn need(&self, sight: &Sight, mode: Mode, now: Instant) -> Need {
        self.need_if(self.busy, sight, mode, now)
    }

    /// The same for an object with, or without, a request under way.
    pub fn need_if(&self, busy: bool, sight: &Sight, mode: Mode, now: Instant) -> Need {
        let is_barred = self.desired.body.is_err() || self.excluded.is_some();
        if self.taken_by.is_some() || (is_barred && !self.is_held_back()) {
            return Need::Nothing;
        }
        if busy {
            return Need::Busy;
        }
        match (self.wants(sight, now), mode) {
            (Need::Apply | Need::Create, Mode::Acts) if self.would_open() => match self.cleared {
                true => Need::Nothing,
                false => Need::Look,
            },
            (need, Mode::Acts) => need,
            (Need::Apply | Need::Adopt | Need::Create, Mode::Observes) if self.foreseen.is_none() => {
                Need::Look
            }
            (Need::Apply | Need::Adopt | Need::Create | Need::Release, Mode::Observes)
            | (_, Mode::Pauses) => Need::Nothing,
            (need, Mode::Observes) => need,
        }
    }

    fn wants(&self, sight: &Sight, now: Instant) -> Need {
        let repair = self.repair_at.filter(|at| *at > now);
        if let Some(until) = self.retry.waits_until(now).max(repair) {
            return Need::Time(until);
        }
        if let Some(run) = &self.run {
            return self.wants_once(run, sight);
        }
        if let Some(live) = &self.live
            && live.deleting.is_some()
        {
            return Need::Nothing;
        }
        match (self.is_applied(), &self.live) {
            (true, Some(_)) => Need::Nothing,
            (true, None) => self.need_unseen(sight),
            (false, _) if self.may_be_anothers(sight) => Need::Look,
            (false, Some(live)) if self.inherits(live) => Need::Adopt,
            (false, _) => Need::Apply,
        }
    }

    /// Whether its guards are not in place, and it is not known to be there already.
    fn would_open(&self) -> bool {
        self.guarded != Guarded::Yes && self.live.is_none()
    }

    /// Whether it is being deleted and waits for our finalizer, which goes whatever else is wanted.
    fn is_held_back(&self) -> bool {
        let waits = |live: &Live| live.observed && live.deleting.is_some();
        self.run.is_some() && (self.copy.is_some() || self.live.as_ref().is_some_and(waits))
    }

    /// Of what runs once. It is created while it never was; after that it is only looked at.
    fn wants_once(&self, run: &Run, sight: &Sight) -> Need {
        let is_kept = self.live.as_ref().is_some_and(|live| live.observed);
        match (&run.end, &self.uid, &self.live) {
            _ if self.copy.is_some() => Need::Release,
            // No watch shows what has lost our labels.
            (None, Some(_), Some(live)) if live.owners.is_empty() => Need::Look,
            (Some(_), ..) if is_kept && self.noted == Noted::Yes => Need::Release,
            (Some(_), ..) | (None, Some(_), Some(_)) => Need::Nothing,
            (None, Some(_), None) => match sight {
                Sight::Listing => Need::Nothing,
                // It may be gone. That counts once it was not found.
                Sight::Clear { .. } | Sight::Refused(_) => Need::Look,
            },
            // A create changes nothing of what may be there.
            (None, None, _) if !self.collided && !self.ran => Need::Create,
            (None, None, _) => Need::Look,
        }
    }

    /// What is reported of it as `value` shows it.
    pub fn shown(&self, value: &Value) -> Shown {
        match &self.run {
            Some(run) => run.shown(value),
            None => Shown::of(&self.desired.reference, value),
        }
    }

    /// Whether `live` has fields that become ours before it counts as applied: when we apply it for the first time.
    pub fn inherits(&self, live: &Live) -> bool {
        live.inherited && !self.adopted && self.applied.is_none()
    }

    /// Compares what is there, of which `value` is all, with what was applied. Returns whether it drifted.
    pub fn compare(&mut self, value: &Value, now: Instant) -> bool {
        let (Some(live), Ok(body)) = (&self.live, &self.desired.body) else {
            return false;
        };
        let Some(applied) = self.applied.as_mut().filter(|it| it.body == body.digest) else {
            // Something else is applied next anyway; but a newer head may want again what was applied last.
            self.suspect();
            return false;
        };
        if live.mark == applied.mark {
            return false;
        }
        if live.mark.owned == applied.mark.owned && drift::holds(value, &sent(body, live)) {
            applied.mark = live.mark;
            return false;
        }
        self.drift(now);
        true
    }

    /// Finds out what an apply would change of what is there.
    pub fn foresee(&mut self, there: Option<&Value>) {
        self.foreseen = match (&self.desired.body, &self.live, there) {
            (Ok(body), Some(live), Some(there)) => Some(drift::would_change(there, &sent(body, live))),
            (Ok(_), _, None) => Some("it would be created".to_owned()),
            (Ok(_), None, Some(_)) | (Err(_), ..) => None,
        };
    }

    /// What is there may not be what was applied; the next apply settles it.
    pub fn suspect(&mut self) {
        if self.run.is_some() {
            return;
        }
        let mark = self.live.as_ref().map(|live| live.mark);
        self.drifted |= self.applied.map(|applied| applied.mark) != mark;
    }

    /// Somebody changed or deleted it: it is repaired at once, unless that happens again and again.
    pub fn drift(&mut self, now: Instant) {
        if self.run.is_some() {
            return;
        }
        let manager = self.live.as_ref().and_then(|live| live.other_manager.as_deref());
        self.repair_at = Some(self.fight.drifted(manager, now)).filter(|at| *at > now);
        self.drifted = true;
    }

    /// The blocker that is shown: the most particular one.
    pub fn shown_blocker(&self, sight: &Sight, policy: &Policy) -> Option<Blocker> {
        let manifest = || self.desired.body.as_ref().err().cloned();
        let taken = || {
            let (reason, advice) = match self.run {
                Some(_) => (
                    BlockerReason::NameTaken,
                    ", or, where that one is an orphan of this name, let this one adopt it",
                ),
                None => (BlockerReason::OwnedByAnother, ""),
            };
            let owner = self.taken_by.as_ref()?;
            let message = format!("it belongs to {owner}: remove it there first{advice}");
            Some(blocker(reason, message))
        };
        let unguarded = || match &self.guarded {
            Guarded::Blocked(blocker) if self.would_open() => Some(blocker.clone()),
            Guarded::Blocked(_) | Guarded::NotYet | Guarded::Yes => None,
        };
        let end = || self.run.as_ref()?.end.as_ref()?.blocker();
        let deleting = || {
            let live = self.live.as_ref().filter(|_| self.run.is_none());
            live.and_then(terminating)
        };
        let kept = || {
            let would = self.foreseen.as_deref().unwrap_or("it would be applied");
            self.is_lacking(sight).then(|| policy.keeps(would))?
        };
        let fighting = || {
            let manager = self.fight.opponent()?;
            let message = format!(
                "{manager} keeps changing it back; it is repaired less and less often: let one of the two go"
            );
            Some(blocker(BlockerReason::Conflict, message))
        };
        manifest()
            .or_else(|| self.excluded.clone())
            .or_else(taken)
            .or_else(|| self.blocker.clone())
            .or_else(unguarded)
            .or_else(end)
            .or_else(|| self.edited())
            .or_else(deleting)
            .or_else(kept)
            .or_else(fighting)
            .or_else(|| sight.blocker().filter(|_| !self.has_ended()))
    }

    /// It runs once, and neither is it known to have begun nor how it ended.
    pub fn is_open(&self) -> bool {
        self.uid.is_none() && self.run.as_ref().is_some_and(|run| run.end.is_none())
    }

    /// It runs once, and has come to its end.
    pub fn has_ended(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.end.is_some())
    }

    /// What runs, or ran, is not what is wanted now.
    fn edited(&self) -> Option<Blocker> {
        let run = self.run.as_ref().filter(|_| self.is_applied())?;
        let wanted = self.desired.body.as_ref().ok()?.digest;
        let message = "it runs once, as it was when its Bundle was created: an edit changes nothing, create another Bundle";
        (run.body != wanted).then(|| blocker(BlockerReason::Immutable, message))
    }

    /// Whether this is what keeps it.
    pub fn is_blocked(&self, reason: BlockerReason) -> bool {
        self.blocker
            .as_ref()
            .is_some_and(|blocker| blocker.reason == reason)
    }

    /// Whether something outside could let it go on: it is wanted, and neither applied nor under way.
    pub fn is_waiting(&self) -> bool {
        !self.busy && !self.is_applied()
    }

    /// Whether it is known not to be as wanted.
    fn is_lacking(&self, sight: &Sight) -> bool {
        let gone = self.run.is_none() && self.live.is_none() && matches!(sight, Sight::Clear { .. });
        gone || !self.is_applied()
    }

    /// Applied once, and not in sight.
    fn need_unseen(&self, sight: &Sight) -> Need {
        match sight {
            Sight::Listing => Need::Nothing,
            // It would be in sight if it were there.
            Sight::Clear { .. } => Need::Apply,
            Sight::Refused(_) => Need::Look,
        }
    }

    /// Server-side apply with force takes over whatever is there. So what we never applied ourselves is looked at
    /// first, unless the list of its kind shows that it is nobody's. That its kind is not served shows nothing: once it
    /// is, objects may be there that somebody else made.
    fn may_be_anothers(&self, sight: &Sight) -> bool {
        if self.uid.is_some() || self.cleared {
            return false;
        }
        match sight {
            Sight::Clear { stranger } => *stranger,
            Sight::Listing | Sight::Refused(_) => true,
        }
    }
}

/// What is sent of a body where this is there: replicas that others set are left to them.
fn sent(body: &Body, live: &Live) -> Value {
    match live.scaled {
        true => serde_json::from_slice(&body.without_replicas()).expect("a body is JSON"),
        false => body.value(),
    }
}

/// The blocker of an object that is being deleted.
pub fn terminating(live: &Live) -> Option<Blocker> {
    let finalizers = live.deleting.as_ref()?;
    let message = match finalizers.as_slice() {
        [] => "it is being deleted".to_owned(),
        held_by => format!(
            "it is being deleted and waits for finalizers: {}",
            held_by.join(", ")
        ),
    };
    Some(blocker(BlockerReason::Terminating, message))
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::blocker::Failure;
    use crate::desired::Desired;
    use crate::testing::{config_map, live_config_map, release_key};

    const CLEAR: Sight = Sight::Clear { stranger: false };

    fn object() -> Object {
        let spec = json!({"resources": [{"id": "one", "object": config_map("one", "1")}]});
        let desired = Desired::read(&release_key("cart"), &spec).unwrap();
        Object::new(desired.objects.into_iter().next().unwrap())
    }

    fn live(value: &Value) -> Live {
        Live::of(value, "release-controller").unwrap()
    }

    fn applied(mut object: Object) -> Object {
        let there = live(&live_config_map(&release_key("cart"), "one", "1"));
        object.applied = Some(Applied {
            body: object.desired.body.as_ref().unwrap().digest,
            mark: there.mark,
        });
        object.uid = Some(there.uid.clone());
        object.live = Some(there);
        object
    }

    fn need(object: &Object, sight: &Sight) -> Need {
        object.need(sight, Mode::Acts, Instant::now())
    }

    #[test]
    fn what_is_applied_and_there_needs_nothing() {
        let mut object = applied(object());
        for sight in [CLEAR, Sight::Listing] {
            assert_eq!(need(&object, &sight), Need::Nothing);
        }
        object.live = None;
        assert_eq!(need(&object, &CLEAR), Need::Apply, "it vanished");
        assert_eq!(
            need(&object, &Sight::Listing),
            Need::Nothing,
            "it is not known yet"
        );
        object.drifted = true;
        assert_eq!(need(&object, &Sight::Listing), Need::Apply);
    }

    #[test]
    fn what_was_never_ours_is_looked_at_unless_it_is_nobodys() {
        let mut object = object();
        assert_eq!(need(&object, &CLEAR), Need::Apply);
        assert_eq!(need(&object, &Sight::Clear { stranger: true }), Need::Look);
        assert_eq!(need(&object, &Sight::Listing), Need::Look);
        let forbidden = Failure::from(crate::blocker::Refusal {
            code: 403,
            ..Default::default()
        });
        assert_eq!(need(&object, &Sight::Refused(forbidden)), Need::Look);
        let unserved = Failure::KindUnknown("ConfigMap".into());
        assert_eq!(need(&object, &Sight::Refused(unserved)), Need::Look);
        object.cleared = true;
        assert_eq!(need(&object, &Sight::Listing), Need::Apply);
    }

    #[test]
    fn what_was_written_by_update_is_adopted_once_and_by_no_observer() {
        let mut object = object();
        let there = live(&live_config_map(&release_key("cart"), "one", "1"));
        object.uid = Some(there.uid.clone());
        object.live = Some(Live {
            inherited: true,
            ..there
        });
        assert_eq!(need(&object, &CLEAR), Need::Adopt);
        assert_eq!(object.need(&CLEAR, Mode::Observes, Instant::now()), Need::Look);
        assert_eq!(object.need(&CLEAR, Mode::Pauses, Instant::now()), Need::Nothing);
        object.adopted = true;
        assert_eq!(need(&object, &CLEAR), Need::Apply);
    }

    #[test]
    fn what_failed_waits_and_what_is_being_deleted_waits_for_that() {
        let now = Instant::now();
        let mut object = applied(object());
        object.drifted = true;
        object.retry.failed(now);
        let Need::Time(until) = object.need(&CLEAR, Mode::Acts, now) else {
            panic!("it does not wait");
        };
        assert!(until > now);
        object.live.as_mut().unwrap().deleting = Some(vec!["example.dev/keep".into()]);
        let later = until + Duration::from_secs(1);
        assert_eq!(object.need(&CLEAR, Mode::Acts, later), Need::Nothing);
        let shown = object
            .shown_blocker(&CLEAR, &Policy::open("outhaul-system"))
            .unwrap();
        assert!(shown.message.ends_with("example.dev/keep"), "{}", shown.message);
    }

    #[test]
    fn only_a_change_of_our_own_fields_is_drift() {
        type Change = fn(&mut Value);
        let changes: [(Change, bool); 4] = [
            (
                |value| value["metadata"]["annotations"] = json!({"theirs": "1"}),
                false,
            ),
            (|value| value["data"]["more"] = "theirs".into(), false),
            (|value| value["data"]["value"] = "theirs".into(), true),
            (|value| value["metadata"]["managedFields"] = json!([]), true),
        ];
        for (change, drifted) in changes {
            let mut object = applied(object());
            let mut value = live_config_map(&release_key("cart"), "one", "1");
            change(&mut value);
            object.live = Some(live(&value));
            assert_eq!(object.compare(&value, Instant::now()), drifted, "{value}");
            assert_eq!(object.drifted, drifted);
        }
    }
}
