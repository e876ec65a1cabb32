//! What a session, and whoever looks in from outside, reads of the plane.

use outhaul_protocol_session::agent::{self, Holding, ReportView, Standing};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, HeadState, Key};
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::Blocker;

use super::Plane;
use crate::item::Item;
use crate::live::Shown;
use crate::object::Object;

impl agent::Plane for Plane {
    fn holding(&self, key: &Key) -> Option<&Holding> {
        self.items.get(key).map(|item| &item.holding)
    }

    fn storing(&self, key: &Key) -> Option<&Head> {
        self.storing.head(key)
    }

    fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.items.values().map(|item| &item.holding)
    }

    fn report(&self, key: &Key) -> Option<ReportView<'_>> {
        let item = self.items.get(key).filter(|item| reports(item))?;
        Some(ReportView {
            version: item.holding.head.version,
            objects: &item.reports,
            leftovers: &item.leftovers,
            observed: *item.observed(),
        })
    }

    fn observed(&self) -> Option<impl Iterator<Item = (&Key, &Digest)>> {
        let counts = |item: &&Item| item.holding.counts();
        let counting = self.items.values().filter(counts);
        self.looked
            .then(|| counting.map(|item| (item.key(), item.observed())))
    }

    fn policy(&self) -> Policy {
        self.policy.summary()
    }

    fn is_unconfirmed(&self) -> bool {
        self.pin.unconfirmed().is_some()
    }
}

impl Plane {
    /// The resources that it holds.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// A wanted object, and the count of its kind's lists.
    ///
    /// Only for places that were just found: they are valid as long as the item takes no newer head.
    pub(super) fn wanted(&mut self, key: &Key, index: usize) -> (&mut Object, u64) {
        let item = self.items.get_mut(key).expect("its place was just found");
        let object = &mut item.objects[index];
        let listing = self.kinds.listing(&object.desired.reference, key.kind);
        (object, listing)
    }

    /// What another resource leaves here is had by nobody else before the control plane is confirmed.
    fn waits_for_what_is_left(&self, object: &Object) -> Option<Blocker> {
        let former = self.items.get(object.taken_by.as_ref()?)?;
        let leaves = former.holding.head.state == HeadState::Left;
        let what = format!("it belongs to {}: taking it over", former.key());
        leaves.then(|| self.pin.keeps(&self.policy, &what))?
    }

    /// Brings what is said of a wanted object up to date; `shown` is what was seen of it, if that is new.
    pub(super) fn show(&mut self, key: &Key, index: usize, shown: Option<Shown>) {
        let Some(item) = self.items.get(key) else {
            return;
        };
        let object = &item.objects[index];
        let sight = self.kinds.sight(&object.desired.reference);
        let blocker = self
            .waits_for_what_is_left(object)
            .or_else(|| object.shown_blocker(&sight, &self.policy));
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        if item.show(index, shown, blocker) {
            self.changes.object(key, &item.objects[index].desired.id);
            self.stale.insert(key.clone());
        }
    }
}

/// Whether there is something to say: it is in force, was looked at, and is what its newest head wants, which is known.
fn reports(item: &Item) -> bool {
    match item.holding.standing {
        Standing::Recorded | Standing::Gone | Standing::Orphaned => {
            item.holding.whole && !item.unseen && !item.withheld
        }
        Standing::Unrecorded | Standing::Settled => false,
    }
}
