//! Routes that are not opened yet, see [`crate::guards`].

use outhaul_protocol_wire::head::Key;

use super::Plane;
use crate::guards::Guarded;
use crate::item::{Item, Place};
use crate::object::Object;

impl Plane {
    /// Brings it up to date which objects of a resource have their guards in place.
    pub(super) fn look_at_guards(&mut self, key: &Key) {
        let Some(item) = self.items.get(key) else {
            return;
        };
        let objects = item.objects.iter().enumerate();
        let changed: Vec<(usize, Guarded)> = objects
            .filter(|(_, object)| !object.desired.guards.is_empty())
            .map(|(index, object)| (index, self.guarded(item, object)))
            .filter(|(index, guarded)| item.objects[*index].guarded != *guarded)
            .collect();
        for (index, guarded) in changed {
            self.wanted(key, index).0.guarded = guarded;
            self.show(key, index, None);
        }
    }

    fn guarded(&self, item: &Item, object: &Object) -> Guarded {
        let guards = object.desired.guards.iter();
        let guards = guards.filter_map(|guard| match item.find(guard)? {
            Place::Wanted(index) => Some(&item.objects[index]),
            Place::Departing(_) => None,
        });
        let mut guarded = Guarded::Yes;
        for guard in guards.filter(|guard| !guard.is_applied()) {
            let reference = &guard.desired.reference;
            let sight = self.kinds.sight(reference);
            match guard.shown_blocker(&sight, &self.policy) {
                Some(why) => return Guarded::blocked(reference, &why),
                None => guarded = Guarded::NotYet,
            }
        }
        guarded
    }
}
