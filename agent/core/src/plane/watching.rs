//! What watches show.

use std::time::Instant;

use outhaul_protocol_session::agent::Standing;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::Move;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::BlockerReason;
use serde_json::Value;

use super::{News, Plane};
use crate::blocker::Failure;
use crate::field::at;
use crate::item::Place;
use crate::kinds::{Sight, Watched};
use crate::labels;
use crate::live::{self, Live, Shown};
use crate::object::Object;

impl Plane {
    /// A list of these objects begins.
    pub fn listing(&mut self, watched: &Watched) {
        self.kinds.restarted(watched);
    }

    /// A list or a change shows this object.
    pub fn seen(&mut self, watched: &Watched, value: &Value, now: Instant) {
        let Some(object) = live::reference(value) else {
            return;
        };
        let held = self.place(watched, &object);
        if let Some((key, Place::Wanted(index))) = &held
            && let Some(known) = &self.items[key].objects[*index].live
            && known.covers(value)
        {
            // Most events: an answer has told of it already.
            self.kinds.named(watched, &object, !known.is_of(key));
            return;
        }
        let Some(live) = Live::of(value, labels::field_manager(watched.owner)) else {
            return;
        };
        self.namespaces.exists(&object.namespace);
        let held = held
            .filter(|held| live.is_of(&held.0) || self.is_run(held))
            .or_else(|| self.proven(watched, &object, &live, now));
        if let Some(held @ (key, Place::Wanted(index))) = &held
            && self.is_run(held)
        {
            self.kinds.named(watched, &object, !live.is_of(key));
            return self.run_seen(key, *index, live, value, now);
        }
        self.kinds.named(watched, &object, held.is_none());
        match held {
            Some((key, Place::Wanted(index))) => self.wanted_seen(&key, index, live, value, now),
            Some((key, Place::Departing(index))) => self.departing_seen(&key, index, &live),
            None => self.taken_over(watched, &object, &live, now),
        }
    }

    /// This object is gone, or has lost its labels.
    pub fn vanished(&mut self, watched: &Watched, value: &Value, now: Instant) {
        let Some(object) = live::reference(value) else {
            return;
        };
        self.kinds.vanished(watched, &object);
        let uid = at(value, "metadata/uid").and_then(Value::as_str);
        match self.place(watched, &object) {
            Some((key, Place::Wanted(index))) => {
                let known = self.items[&key].objects[index].live.as_ref();
                if known.is_some_and(|live| Some(live.uid.as_str()) == uid) {
                    self.lost(&key, index, now);
                }
            }
            Some((key, Place::Departing(index))) => self.look_again(key, index),
            None => {}
        }
        let waits_for_it = [BlockerReason::OwnedByAnother, BlockerReason::NameTaken];
        self.hurry(|it| {
            it.desired.reference.same_object(&object)
                && waits_for_it.iter().any(|reason| it.is_blocked(*reason))
        });
    }

    /// The list is complete: what it did not name is not there.
    pub fn listed(&mut self, watched: &Watched, now: Instant) {
        let named = self.kinds.synced(watched);
        let mut lost = Vec::new();
        for (key, item) in &mut self.items {
            let mut concerned = false;
            for (index, object) in item.objects.iter().enumerate() {
                let reference = &object.desired.reference;
                if !watched.shows(reference) {
                    continue;
                }
                concerned = true;
                let fresh = object.answered_in == self.kinds.listing(reference, watched.owner);
                let unnamed = key.kind == watched.owner && !named(reference) && !object.busy && !fresh;
                if unnamed && object.live.is_some() {
                    lost.push((key.clone(), index));
                }
            }
            for departing in &mut item.departing {
                if watched.shows(&departing.reference) {
                    concerned = true;
                    departing.retry.hurry();
                }
            }
            if concerned {
                self.dirty.insert(key.clone());
            }
        }
        for (key, index) in lost {
            self.lost(&key, index, now);
        }
        self.show_all(watched);
        self.end_doubts();
        self.look();
    }

    /// The watch does not work; it is tried again by whoever watches.
    pub fn unwatched(&mut self, watched: &Watched, failure: Failure) {
        if self.kinds.refused(watched, failure) {
            self.show_all(watched);
            self.hurry(|object| watched.shows(&object.desired.reference));
            self.look();
        }
    }

    /// Kinds of this group appeared or changed.
    pub fn kinds_changed(&mut self, group: &str) {
        let concerned = [
            BlockerReason::KindUnknown,
            BlockerReason::Invalid,
            BlockerReason::Immutable,
        ];
        self.hurry(|it| {
            it.desired.reference.group == group && concerned.iter().any(|reason| it.is_blocked(*reason))
        });
        for (key, item) in &mut self.items {
            item.sweep.kinds_changed();
            let missing = item.ensure.missing.iter_mut();
            for missing in missing.filter(|it| it.desired.reference.group == group) {
                missing.retry.hurry();
                self.dirty.insert(key.clone());
            }
            for departing in item.departing.iter_mut().filter(|it| it.reference.group == group) {
                departing.retry.hurry();
                self.dirty.insert(key.clone());
            }
        }
    }

    /// The resource that has `object`, if objects of its kind are what `watched` shows.
    fn place(&self, watched: &Watched, object: &ObjectRef) -> Option<(Key, Place)> {
        let key = self.claims.holder(object)?;
        let place = self.items.get(key)?.find(object)?;
        (key.kind == watched.owner).then(|| (key.clone(), place))
    }

    /// Whether what stands there is wanted, and runs once.
    fn is_run(&self, (key, place): &(Key, Place)) -> bool {
        matches!(place, Place::Wanted(index) if self.items[key].objects[*index].run.is_some())
    }

    /// An object of what was never in force, as far as the store knows, shows that it was. So the hub had recorded it, unless
    /// that was before the resource moved here again. Returns where the object is in it.
    fn proven(
        &mut self,
        watched: &Watched,
        object: &ObjectRef,
        live: &Live,
        now: Instant,
    ) -> Option<(Key, Place)> {
        let (key, item) = self
            .items
            .iter_mut()
            .find(|(key, item)| item.doubtful && live.is_of(key))?;
        let key = key.clone();
        item.comes_into_force();
        let holding = &mut item.holding;
        if holding.standing == Standing::Unrecorded && holding.head.version.moved == Move(0) {
            holding.standing = Standing::Recorded;
        }
        self.claim(&key);
        self.save(&key, now);
        self.place(watched, object).filter(|(holder, _)| *holder == key)
    }

    /// What is in doubt and of which lists showed nothing was never in force. A kind that nobody lists tells nothing.
    fn end_doubts(&mut self) {
        let is_listed = |object: &Object| {
            object.desired.body.is_err()
                || matches!(self.kinds.sight(&object.desired.reference), Sight::Clear { .. })
        };
        let doubtful = self.items.iter().filter(|(_, item)| item.doubtful);
        let ended: Vec<Key> = doubtful
            .filter(|(_, item)| item.objects.iter().all(is_listed))
            .map(|(key, _)| key.clone())
            .collect();
        for key in ended {
            let item = self.items.get_mut(&key).expect("it was just found");
            item.doubtful = false;
            if item.holding.standing == Standing::Orphaned {
                self.forget(&key);
                self.news.push(News::Orphans);
            }
        }
    }

    fn wanted_seen(&mut self, key: &Key, index: usize, live: Live, value: &Value, now: Instant) {
        let (object, _) = self.wanted(key, index);
        let shown = Shown::of(&object.desired.reference, value);
        object.uid = Some(live.uid.clone());
        let known = object.live.replace(live);
        if known.map(|it| it.mark.content) != object.live.as_ref().map(|it| it.mark.content) {
            object.retry.hasten(now);
        }
        let drifted = match object.busy {
            // This may be the echo of the request under way: its answer decides, and a failure leaves it as drift.
            true => {
                object.suspect();
                false
            }
            false => object.compare(value, now),
        };
        if object.is_applied() {
            object.blocker = None;
        }
        if object.foreseen.is_some() {
            object.foresee(Some(value));
        }
        let item = &self.items[key];
        if drifted || item.objects[index].is_waiting() {
            self.dirty.insert(key.clone());
        }
        self.show(key, index, Some(shown));
        self.look();
    }

    fn departing_seen(&mut self, key: &Key, index: usize, live: &Live) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let departing = &mut item.departing[index];
        let before = departing.leftover();
        if !departing.stray {
            departing.is(live);
        }
        departing.blocker = crate::object::terminating(live).or_else(|| departing.blocker.take());
        if live.observed && live.deleting.is_some() {
            // It waits for our finalizer to go.
            departing.hurry();
            self.dirty.insert(key.clone());
        }
        if departing.leftover() != before {
            self.stale.insert(key.clone());
            self.news.push(News::Leftovers(key.clone()));
        }
    }

    /// Something happened to an object on its way out.
    fn look_again(&mut self, key: Key, index: usize) {
        if let Some(item) = self.items.get_mut(&key) {
            item.departing[index].hurry();
            self.dirty.insert(key);
        }
    }

    /// An object that we hold, or want, carries the labels of somebody else.
    fn taken_over(&mut self, watched: &Watched, object: &ObjectRef, live: &Live, now: Instant) {
        let (key, index) = match self.place(watched, object) {
            Some((key, Place::Wanted(index))) => (key, index),
            Some((key, Place::Departing(index))) => return self.look_again(key, index),
            None => return,
        };
        self.yields(&key, index, live, now);
        self.forget_live(&key, index);
    }

    /// A wanted object is not there any more, or not ours.
    fn lost(&mut self, key: &Key, index: usize, now: Instant) {
        let (object, _) = self.wanted(key, index);
        object.live = None;
        object.foreseen = None;
        object.retry.hurry();
        if object.is_applied() {
            object.drift(now);
        }
        // Of what runs once a look tells first.
        let shown = object.run.is_none().then_some(Shown::ABSENT);
        self.show(key, index, shown);
        self.dirty.insert(key.clone());
    }

    /// Tries objects again at once that something may have changed for.
    fn hurry(&mut self, which: impl Fn(&Object) -> bool) {
        for (key, item) in &mut self.items {
            for object in item.objects.iter_mut().filter(|object| which(object)) {
                object.retry.hurry();
                self.dirty.insert(key.clone());
            }
        }
    }

    fn show_all(&mut self, watched: &Watched) {
        let concerned = |object: &Object| watched.shows(&object.desired.reference);
        let places: Vec<(Key, usize)> = self
            .items
            .iter()
            .flat_map(|(key, item)| {
                let objects = item.objects.iter().enumerate();
                objects
                    .filter(|(_, object)| concerned(object))
                    .map(|(index, _)| (key.clone(), index))
            })
            .collect();
        for (key, index) in places {
            self.show(&key, index, None);
        }
    }
}
