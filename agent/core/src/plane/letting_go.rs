//! Whether what a resource wants no more may go: all of it or nothing, within the plane's budget or confirmed.

use std::time::Instant;

use outhaul_protocol_wire::head::{Confirmed, HeadState, Key};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Mode;

use super::Plane;
use crate::departing::{Departing, Permission};
use crate::held::Held;
use crate::item::{Item, Place};
use crate::kinds::Watched;
use crate::object::Object;

impl Plane {
    /// Decides about what has been found and nobody has allowed to go. Nothing of the resource is under way.
    pub(super) fn let_go(&mut self, key: &Key, now: Instant) {
        let Some(item) = self.items.get(key) else {
            return;
        };
        // What a control plane confirms counts as little as what it lets go.
        if !self.pin.is_certain() {
            return;
        }
        if self.policy.confirmed(&item.holding.head) == Some(Confirmed::Leave) {
            return self.leave(key, now);
        }
        if item.departing.is_empty() && item.held.is_some() {
            return self.hold(key, None, now);
        }
        if self.policy.mode() != Mode::Acts {
            return;
        }
        let asking = item.departing.iter().filter(|it| it.asks_for_permission());
        match asking.count() {
            0 => {}
            objects => match self.judge(item, objects, now) {
                Ok(()) => self.allow(key, objects, now),
                Err(held) => self.hold(key, Some(held), now),
            },
        }
    }

    /// What was allowed and is gone counts for a while longer.
    pub(super) fn end_letting_go(&mut self, key: &Key, now: Instant) {
        let open = |item: &Item| item.departing.iter().any(|it| it.permission != Permission::None);
        if !self.items.get(key).is_some_and(open) {
            self.budget.ended(key, now);
        }
    }

    /// What is held stays held until somebody confirms it: that the window has moved on is no reason.
    fn judge(&self, item: &Item, objects: usize, now: Instant) -> Result<(), Held> {
        if self.policy.confirmed(&item.holding.head) == Some(Confirmed::Remove) {
            return Ok(());
        }
        if item.departing.iter().any(Departing::waits_protected) {
            return Err(Held::Protected);
        }
        match item.held {
            Some(held) => Err(held),
            None if self.budget.allows(objects, now) => Ok(()),
            None => Err(Held::OverBudget),
        }
    }

    fn allow(&mut self, key: &Key, objects: usize, now: Instant) {
        self.budget.spend(key, objects, self.inventory(), now);
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        for departing in item.departing.iter_mut().filter(|it| it.asks_for_permission()) {
            departing.permission = Permission::Given;
        }
        let was_held = item.held.take().is_some();
        self.storing.save_at_once(key);
        if was_held {
            self.leftovers_changed(key);
        }
    }

    fn hold(&mut self, key: &Key, held: Option<Held>, now: Instant) {
        let Some(item) = self.items.get_mut(key).filter(|item| item.held != held) else {
            return;
        };
        item.held = held;
        self.leftovers_changed(key);
        self.storing.save(key, now);
    }

    /// What nobody has allowed to go stays where it is, and is this resource's no more.
    fn leave(&mut self, key: &Key, now: Instant) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let (stays, goes): (Vec<_>, Vec<_>) = core::mem::take(&mut item.departing)
            .into_iter()
            .partition(|it| it.permission == Permission::None && !it.left);
        item.departing = goes;
        item.held = None;
        if stays.is_empty() {
            return;
        }
        let mut left = Vec::new();
        for mut departing in stays {
            departing.leave();
            match departing.may_be_kept() {
                true => item.departing.push(departing),
                false => left.push(departing),
            }
        }
        for departing in left {
            self.let_be(key, &departing.reference);
        }
        self.leftovers_changed(key);
        self.save(key, now);
    }

    /// What a head leaves here is this resource's no more, once the control plane is one that may say so.
    pub(super) fn abandon(&mut self, key: &Key, now: Instant) {
        let leaves = |item: &&mut Item| item.holding.head.state == HeadState::Left;
        if !self.pin.is_certain() {
            return self.say_what_waits_for(key);
        }
        let Some(item) = self.items.get_mut(key).filter(leaves) else {
            return;
        };
        let left = item
            .departing
            .extract_if(.., |it| it.left && !it.busy && !it.may_be_kept());
        let left: Vec<_> = left.map(|it| it.reference).collect();
        for object in &left {
            self.let_be(key, object);
        }
        if !left.is_empty() {
            self.leftovers_changed(key);
            self.save(key, now);
        }
    }

    /// What stays here may have the labels of a resource that does not hold it any more. The resource of that name comes
    /// first, and whoever has it next has to look whose it is.
    pub(super) fn let_be(&mut self, key: &Key, object: &ObjectRef) {
        let wants = |item: &&Item| matches!(item.find(object), Some(Place::Wanted(_)));
        let successor = self.namesakes(key).find(wants).map(Item::key).cloned();
        if let Some(successor) = successor
            && self
                .claims
                .hand_over(object, key, |waiting| *waiting == successor)
                .is_some()
        {
            self.got(object, successor);
        }
        self.kinds.named(&Watched::of(object, key.kind), object, true);
        self.kinds.release(object);
        self.pass_on(object, key);
    }

    /// Successors of a resource that is to be left here wait until the control plane is confirmed.
    fn say_what_waits_for(&mut self, key: &Key) {
        let mut waiting = Vec::new();
        for item in self.namesakes(key) {
            let objects = item.objects.iter().enumerate();
            let taken = objects.filter(|(_, object)| object.taken_by.as_ref() == Some(key));
            waiting.extend(taken.map(|(index, _)| (item.key().clone(), index)));
        }
        for (successor, index) in waiting {
            self.show(&successor, index, None);
        }
    }

    /// Objects that there are because of resources.
    fn inventory(&self) -> usize {
        let there = |item: &Item| {
            let gone = |it: &&Object| it.has_ended() && it.live.is_none();
            let wanted = item.objects.iter().filter(|it| it.uid.is_some() && !gone(it));
            wanted.count() + item.departing.iter().filter(|it| it.uid.is_some()).count()
        };
        self.items.values().map(there).sum()
    }
}
