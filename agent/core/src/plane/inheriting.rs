//! What ran for a resource that was left here, in the hands of its successor: the resource of its name in the control
//! plane that was rebuilt. That one is the same attempt, so nothing of it runs again.
//!
//! Each object that the former one knows of is handed down with its uid and its end, and the former one forgets it once
//! the successor has that written down. Where the successor comes too late for that, it is known that something ran, and
//! a look tells the rest.

use std::time::Instant;

use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::ids::Uid;
use outhaul_protocol_wire::object::ObjectRef;

use super::Plane;
use crate::item::{Item, Place};
use crate::live::Live;
use crate::once::{Noted, Run};

/// What a former resource knows of an object that runs, or ran.
struct Estate {
    object: ObjectRef,
    uid: Option<Uid>,
    run: Run,
    contested: bool,
}

impl Plane {
    /// Hands down what ran for a resource that was left here, once the control plane is one that may leave anything.
    pub(super) fn hand_down(&mut self, key: &Key, now: Instant) {
        let Some(former) = self.items.get(key).filter(|item| leaves_runs(item)) else {
            return;
        };
        if !self.pin.is_certain() {
            return;
        }
        let Some(heir) = self.namesakes(key).find(|item| is_heir(item)) else {
            return;
        };
        let (estates, heir) = (estates(former), heir.key().clone());
        for estate in estates {
            self.inherit(key, &heir, estate);
        }
        if self.storing.has_saved(&heir) {
            self.forget_inherited(key, now);
        }
    }

    /// Has a resource that begins know whether a former one of its name ran here, of which nothing else tells any more.
    pub(super) fn look_back(&mut self, key: &Key) {
        let begins =
            |item: &&Item| is_heir(item) && !item.has_run() && item.objects.iter().any(|it| it.is_open());
        if self.items.get(key).filter(begins).is_none() {
            return;
        }
        let left = |item: &Item| item.holding.head.state == HeadState::Left;
        let ran: Vec<&Item> = self.namesakes(key).filter(|item| item.has_run()).collect();
        // One that was not left is no former one of this: what had the name before that ended with it.
        let is_first = !ran.is_empty() && ran.iter().all(|item| left(item));
        let handed_down = ran.iter().any(|item| leaves_runs(item));
        let Some(item) = self.items.get_mut(key).filter(|_| is_first && !handed_down) else {
            return;
        };
        item.ran = true;
        for object in item.objects.iter_mut().filter(|it| it.is_open()) {
            object.ran = true;
        }
        self.storing.save_at_once(key);
    }

    /// Whether an object that runs, of which no uid is known, is of the resource `key`: it says so, or it was left for it.
    pub(super) fn runs_for(&self, key: &Key, live: &Live) -> bool {
        let left = || live.owners.iter().all(|owner| self.left(key, owner));
        live.is_of(key) || (!live.owners.is_empty() && self.pin.is_certain() && left())
    }

    /// Those who have left something to the resource `key` may forget it now.
    pub(super) fn plan_formers(&mut self, key: &Key) {
        if self.items.get(key).is_some_and(Item::has_run) {
            let formers = self.namesakes(key).filter(|item| leaves_runs(item));
            let formers: Vec<Key> = formers.map(Item::key).cloned().collect();
            self.dirty.extend(formers);
        }
    }

    fn inherit(&mut self, former: &Key, heir: &Key, estate: Estate) {
        let Some(item) = self.items.get_mut(heir) else {
            return;
        };
        let Some(Place::Wanted(index)) = item.find(&estate.object) else {
            return;
        };
        let object = &mut item.objects[index];
        let is_open = object.is_open();
        let Some(run) = &mut object.run else {
            return;
        };
        let has_it = object.uid.is_some() && object.uid == estate.uid;
        if !is_open && !has_it {
            return;
        }
        if is_open {
            run.end = estate.run.end;
            object.uid = estate.uid;
            object.contested |= estate.contested;
            object.noted = Noted::No;
            object.collided = object.uid.is_none();
        }
        let shown = object
            .run
            .as_ref()
            .and_then(|run| Some(run.end.as_ref()?.shown()));
        let next = self
            .claims
            .hand_over(&estate.object, former, |waiting| waiting == heir);
        if next.is_some() {
            self.got(&estate.object, heir.clone());
        }
        self.show(heir, index, shown);
        self.storing.save_at_once(heir);
        self.dirty.insert(heir.clone());
        if let Some(item) = self.items.get_mut(former)
            && let Some(Place::Departing(index)) = item.find(&estate.object)
        {
            item.departing[index].inherited = true;
        }
    }

    fn forget_inherited(&mut self, key: &Key, now: Instant) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let inherited: Vec<ObjectRef> = item
            .departing
            .extract_if(.., |it| it.inherited && !it.busy)
            .map(|it| it.reference)
            .collect();
        for object in &inherited {
            self.kinds.release(object);
            self.pass_on(object, key);
        }
        if !inherited.is_empty() {
            self.leftovers_changed(key);
            self.save(key, now);
        }
    }

    /// The other resources that have, or had, the name of `key`.
    pub(super) fn namesakes<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = &'a Item> {
        let first = Key {
            uid: Uid::new("\0").expect("it has one byte"),
            ..key.clone()
        };
        let same =
            move |it: &Key| (it.kind, &it.namespace, &it.name) == (key.kind, &key.namespace, &key.name);
        let all = self.items.range(first..).take_while(move |(it, _)| same(it));
        all.filter(move |(it, _)| *it != key).map(|(_, item)| item)
    }
}

/// Whether something ran for it that is left here, and that nobody has from it yet.
fn leaves_runs(item: &Item) -> bool {
    item.holding.head.state == HeadState::Left && item.departing.iter().any(|it| it.left && it.run.is_some())
}

fn is_heir(item: &Item) -> bool {
    item.acts() && item.holding.head.state == HeadState::Present && item.unreadable.is_none()
}

/// What is not handed down yet.
fn estates(item: &Item) -> Vec<Estate> {
    let departing = item
        .departing
        .iter()
        .filter(|it| it.left && !it.inherited && !it.busy);
    departing
        .filter_map(|it| {
            Some(Estate {
                object: it.reference.clone(),
                uid: it.uid.clone(),
                run: it.run.clone()?,
                contested: it.contested,
            })
        })
        .collect()
}
