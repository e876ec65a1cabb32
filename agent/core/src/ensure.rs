//! Objects that are created where they are absent, and then left to whoever cares for them.

use std::time::Instant;

use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, Health, ObjectReport, RawStatus};

use crate::desired::DesiredObject;
use crate::object::Need;
use crate::policy::Policy;
use crate::retry::Retry;

/// One of which nobody has said yet that it is there.
#[derive(Debug)]
pub struct Missing {
    /// What is created.
    pub desired: DesiredObject,
    /// A request for it waits or is under way.
    pub busy: bool,
    /// Why it could not be created.
    pub blocker: Option<Blocker>,
    /// Why the policy of the plane's owner excludes it.
    pub excluded: Option<Blocker>,
    /// It could not be created. It may be there all the same: admission refuses before anybody looks.
    pub refused: bool,
    /// Failures in a row.
    pub retry: Retry,
}

/// Those of one resource.
#[derive(Debug, Default)]
pub struct Ensure {
    /// Those of which nobody has said yet that they are there.
    pub missing: Vec<Missing>,
    /// Those that were there once. That is written down, and no request is made for them again.
    pub ensured: Vec<ObjectRef>,
}

impl Missing {
    fn new(desired: DesiredObject) -> Self {
        Self {
            desired,
            busy: false,
            blocker: None,
            excluded: None,
            refused: false,
            retry: Retry::default(),
        }
    }

    /// What it needs next.
    pub fn need(&self, now: Instant) -> Need {
        match self.retry.waits_until(now) {
            _ if self.desired.body.is_err() || self.excluded.is_some() => Need::Nothing,
            _ if self.busy => Need::Busy,
            Some(until) => Need::Time(until),
            None if self.refused => Need::Look,
            None => Need::Create,
        }
    }

    /// How it is reported while something keeps it from being created.
    pub fn report(&self, policy: &Policy) -> Option<ObjectReport> {
        let malformed = self.desired.body.as_ref().err();
        let blocker = malformed
            .or(self.excluded.as_ref())
            .or(self.blocker.as_ref())
            .cloned();
        Some(ObjectReport {
            id: self.desired.id.clone(),
            object: self.desired.reference.clone(),
            uid: None::<Uid>,
            health: Health::Unknown,
            status: RawStatus::Absent,
            blocker: Some(blocker.or_else(|| policy.keeps("it would be created"))?),
        })
    }
}

impl Ensure {
    /// A newer spec wants these.
    pub fn want(&mut self, wanted: Vec<DesiredObject>) {
        let mut known = core::mem::take(&mut self.missing);
        self.ensured
            .retain(|there| wanted.iter().any(|it| it.reference.same_object(there)));
        for desired in wanted {
            let same = |it: &ObjectRef| it.same_object(&desired.reference);
            if self.ensured.iter().any(same) {
                continue;
            }
            let mut missing = Missing::new(desired);
            let same = |it: &Missing| it.desired.reference.same_object(&missing.desired.reference);
            if let Some(at) = known.iter().position(same) {
                missing.busy = known.swap_remove(at).busy;
            }
            self.missing.push(missing);
        }
    }

    /// Nothing is wanted any more.
    pub fn want_nothing(&mut self) {
        *self = Self::default();
    }

    /// Whether something keeps one of them from being created, as far as is known.
    pub fn is_blocked(&self) -> bool {
        let blocked =
            |it: &Missing| it.desired.body.is_err() || it.excluded.is_some() || it.blocker.is_some();
        self.missing.iter().any(blocked)
    }

    /// One that is missing.
    pub fn find(&mut self, object: &ObjectRef) -> Option<&mut Missing> {
        self.missing
            .iter_mut()
            .find(|it| it.desired.reference.same_object(object))
    }

    /// It is there.
    pub fn there(&mut self, object: &ObjectRef) {
        let same = |it: &mut Missing| it.desired.reference.same_object(object);
        let there = self.missing.extract_if(.., same);
        self.ensured.extend(there.map(|it| it.desired.reference));
    }
}
