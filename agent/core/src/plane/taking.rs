//! Heads and words of the hub.

use std::time::Instant;

use outhaul_protocol_session::agent::{Standing, Store, StoreContent};
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::message::Held;
use outhaul_protocol_wire::object::ObjectRef;

use super::storing::Incoming;
use super::{News, Plane};
use crate::content::{self, ContentError};
use crate::desired::Desired;
use crate::item::{Brought, Item, Place};
use crate::kinds::Watched;
use crate::live::Live;

impl Plane {
    /// Takes a head that is newer than what is held: it is written down, and then holds.
    ///
    /// # Errors
    /// Its content is not what it says. Nothing is taken; the connection it came from is not to be trusted further.
    pub fn take(&mut self, store: Store) -> Result<(), ContentError> {
        let Store {
            head,
            recorded,
            content,
        } = store;
        // What is to go was in force before, or there is nothing of it: neither needs the hub's word.
        let recorded = recorded || head.state != HeadState::Present;
        let (content, brought) = match content {
            StoreContent::Kept => (None, Brought::Kept),
            StoreContent::New(content) => {
                let spec = content::unpack(&content, &head.digest)?;
                let desired = Desired::read(&head.key, &spec);
                (Some(content), Brought::Spec(desired))
            }
        };
        let resumed =
            recorded && !self.items.contains_key(&head.key) && self.storing.head(&head.key).is_none();
        let incoming = Incoming {
            head,
            recorded,
            content,
            brought,
            recorded_in_store: false,
            resumed,
        };
        self.storing.incoming(incoming);
        Ok(())
    }

    /// The hub has recorded this version: it may be applied.
    pub fn recorded(&mut self, held: &Held, now: Instant) {
        if self.storing.recorded(held) {
            return;
        }
        let Some(item) = self.items.get_mut(&held.key) else {
            return;
        };
        let holding = &mut item.holding;
        if holding.standing == Standing::Unrecorded && holding.head.version == held.version {
            holding.standing = Standing::Recorded;
            item.comes_into_force();
            self.claim(&held.key);
            self.save(&held.key, now);
            self.tell_whole(&held.key);
        }
    }

    /// The hub knows nothing of these: they are kept as they are. What never was in force has nothing to keep; where that is
    /// in doubt, it is kept until it was looked for.
    pub fn orphaned(&mut self, keys: &[Key], now: Instant) {
        for key in keys {
            match self.items.get_mut(key) {
                Some(item) if item.in_force || item.doubtful => {
                    item.holding.standing = Standing::Orphaned;
                    self.save(key, now);
                }
                Some(_) => self.forget(key),
                None => {}
            }
        }
        self.news.push(News::Orphans);
    }

    /// The hub has let the resource go: only its version is remembered from now on.
    pub fn settled(&mut self, held: &Held, unix_time: u64, now: Instant) {
        let Some(item) = self.items.get_mut(&held.key) else {
            return;
        };
        item.settle(unix_time);
        self.save(&held.key, now);
        self.forget_old(unix_time);
    }

    /// A head is written down: it holds from now on.
    pub(super) fn install(&mut self, incoming: Incoming, now: Instant) {
        let Incoming {
            head,
            recorded,
            recorded_in_store,
            resumed,
            brought,
            content: _,
        } = incoming;
        let (key, version) = (head.key.clone(), head.version);
        let item = self
            .items
            .entry(key.clone())
            .or_insert_with(|| Item::new(head.clone()));
        let before: Vec<ObjectRef> = item.references().cloned().collect();
        let was_orphaned = item.holding.standing == Standing::Orphaned;
        item.take(head, brought);
        if recorded {
            item.comes_into_force();
        }
        item.sweep.resumed |= resumed;
        item.settled_at = None;
        item.unseen = false;
        item.holding.standing = match recorded {
            true => Standing::Recorded,
            false => Standing::Unrecorded,
        };
        self.enlist(&key);
        self.delist(&key, &before);
        if recorded != recorded_in_store {
            self.save(&key, now);
        }
        self.news.push(News::Stored(key.clone(), version));
        self.tell_whole(&key);
        if was_orphaned {
            self.news.push(News::Orphans);
        }
    }

    /// Forgets what an item had before its newest head, now that what it has since is known.
    pub(super) fn delist(&mut self, key: &Key, before: &[ObjectRef]) {
        let certain = self.pin.is_certain();
        for object in before.iter().filter(|object| !object.name.is_empty()) {
            let gone = self.items.get(key).is_none_or(|item| item.find(object).is_none());
            if gone && !certain {
                // Whoever wants it next has to look whose it is, and then to wait.
                self.kinds.named(&Watched::of(object, key.kind), object, true);
            }
            self.kinds.release(object);
            if gone {
                self.pass_on(object, key);
            }
        }
    }

    /// What was found under the name of a wanted object is of a resource that waits for that name: it need not wait.
    pub(super) fn hand_over(&mut self, key: &Key, index: usize, live: &Live) {
        let object = self.items[key].objects[index].desired.reference.clone();
        let Some(next) = self.claims.hand_over(&object, key, |waiting| live.is_of(waiting)) else {
            return;
        };
        self.items.get_mut(key).expect("it was just found").objects[index].taken_by = Some(next.clone());
        self.show(key, index, None);
        self.got(&object, next);
    }

    /// `key` has this object no more: whoever waited for it gets it.
    pub(super) fn pass_on(&mut self, object: &ObjectRef, key: &Key) {
        if let Some(next) = self.claims.release(object, key) {
            self.got(object, next);
        }
    }

    pub(super) fn got(&mut self, object: &ObjectRef, next: Key) {
        let place = self.items.get(&next).and_then(|item| item.find(object));
        if let (Some(item), Some(Place::Wanted(index))) = (self.items.get_mut(&next), place) {
            item.objects[index].taken_by = None;
            self.show(&next, index, None);
            self.dirty.insert(next);
        }
    }
}
