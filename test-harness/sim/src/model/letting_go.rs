//! What may go unasked, from what users said and what clusters did alone: no part of the product is asked.
//!
//! It is more lenient than a plane is. A plane counts from the moment that it allows something, here an object counts
//! when it goes; and a resource that let go before any other may go on with whatever it has.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use outhaul_protocol_wire::head::{Confirmed, Key};
use serde_json::Value;

use super::{owner, text};
use crate::cluster::Place;
use crate::control::value_of;
use crate::schedule::PLANES;
use crate::world::World;

const WINDOW: Duration = Duration::from_secs(10 * 60);
const LEAST: usize = 25;
const SHARE: usize = 10;

/// What was confirmed may overtake what was allowed before it: so long a way to its store and back a plane may have.
const OVERTAKES: Duration = Duration::from_secs(2 * 60);

/// What was confirmed, and what went.
#[derive(Debug, Default)]
pub(crate) struct LettingGo {
    /// By uid of a resource and generation: what somebody confirmed.
    confirmed: BTreeSet<(String, u64, Confirmed)>,
    /// By plane and uid: orphans that somebody said are to be removed there, whatever their generation, and how much had
    /// been wanted of them by then.
    removed: BTreeMap<(usize, String), usize>,
    /// By plane: what went lately, in order.
    gone: BTreeMap<usize, Vec<Gone>>,
    /// The generation that a plane stored last of a resource, and the one before.
    stored: BTreeMap<(usize, String), (u64, Option<u64>)>,
}

#[derive(Debug)]
struct Gone {
    at: Duration,
    object: String,
    of: String,
    confirmed: bool,
}

impl Gone {
    fn counts(&self, now: Duration) -> bool {
        let overtakes = self.confirmed && self.at + OVERTAKES > now;
        self.at + WINDOW > now && !overtakes
    }
}

impl LettingGo {
    pub(crate) fn confirmed(&mut self, uid: &str, generation: u64, confirmed: Confirmed) {
        self.confirmed.insert((uid.to_owned(), generation, confirmed));
    }

    pub(super) fn removed(&mut self, plane: usize, orphan: &str, wishes: usize) {
        self.removed.insert((plane, orphan.to_owned()), wishes);
    }

    /// How much had been wanted of an orphan when somebody said that it is to be removed from a plane.
    pub(super) fn removed_after(&self, plane: usize, orphan: &str) -> Option<usize> {
        self.removed.get(&(plane, orphan.to_owned())).copied()
    }

    /// Whether somebody confirmed that objects of a resource stay where they are.
    pub(crate) fn is_left(&self, uid: &str) -> bool {
        let left =
            |(of, _, confirmed): &(String, u64, Confirmed)| of == uid && *confirmed == Confirmed::Leave;
        self.confirmed.iter().any(left)
    }

    pub(super) fn is_confirmed(
        &self,
        plane: usize,
        uid: &str,
        generation: u64,
        confirmed: Confirmed,
    ) -> bool {
        let removed = confirmed == Confirmed::Remove && self.removed_after(plane, uid).is_some();
        removed || self.confirmed.contains(&(uid.to_owned(), generation, confirmed))
    }

    pub(super) fn stored(&mut self, plane: usize, key: &Key, generation: u64) {
        let known = self
            .stored
            .entry((plane, key.uid.to_string()))
            .or_insert((generation, None));
        if known.0 != generation {
            *known = (generation, Some(known.0));
        }
    }

    /// A plane lost what it knew of a resource.
    pub(super) fn lost(&mut self, plane: usize, key: &Key) {
        self.stored.remove(&(plane, key.uid.to_string()));
        if let Some(gone) = self.gone.get_mut(&plane) {
            gone.retain(|it| it.of != key.uid.as_str());
        }
    }
}

impl World {
    /// An object of ours is about to go because an agent asked for it.
    pub(super) fn check_letting_go(&mut self, plane: usize, uid: &str, place: &Place, there: &Value) {
        let object = text(there, "/metadata/uid").to_owned();
        let gone = self.model.letting_go.gone.get(&plane);
        let again = gone.is_some_and(|gone| gone.iter().any(|it| it.object == object));
        if again || there["metadata"]["deletionTimestamp"].is_string() {
            return;
        }
        let confirmed = self.goes_confirmed(plane, uid, place);
        if !confirmed {
            self.check_protected(plane, uid, place, there);
            self.check_budget(plane, uid, place);
        }
        let at = self.agenda.now();
        let of = uid.to_owned();
        let gone = self.model.letting_go.gone.entry(plane).or_default();
        gone.push(Gone {
            at,
            object,
            of,
            confirmed,
        });
    }

    /// Whether somebody confirmed it, of a generation that does not want the object and that the plane has or had.
    fn goes_confirmed(&self, plane: usize, uid: &str, place: &Place) -> bool {
        let letting_go = &self.model.letting_go;
        let stored = letting_go.stored.get(&(plane, uid.to_owned()));
        let newest = stored.map_or(u64::MAX, |(newest, _)| *newest);
        letting_go.removed_after(plane, uid).is_some()
            || letting_go.confirmed.iter().any(|(of, generation, confirmed)| {
                of == uid
                    && *confirmed == Confirmed::Remove
                    && *generation <= newest
                    && !self.model.wants(uid, *generation, place)
            })
    }

    fn check_protected(&mut self, plane: usize, uid: &str, place: &Place, there: &Value) {
        let annotated = there
            .pointer("/metadata/annotations/outhaul.dev~1protect")
            .is_some();
        let said = self.model.is_protected(uid, place, value_of(there));
        if (annotated && said) || place.kind == "PersistentVolumeClaim" {
            let text = format!("{place} of {} on {}", self.name_of(uid), PLANES[plane]);
            self.violate("what is protected goes only confirmed", text);
        }
    }

    fn check_budget(&mut self, plane: usize, uid: &str, place: &Place) {
        let now = self.agenda.now();
        let cluster = &self.planes[plane].cluster;
        let inventory = cluster
            .objects()
            .filter(|(_, object)| owner(object).is_some())
            .count();
        let all = self
            .model
            .letting_go
            .gone
            .get(&plane)
            .map_or(&[][..], Vec::as_slice);
        let went = all.iter().filter(|it| it.counts(now)).count();
        let limit = LEAST.max((inventory + went) / SHARE);
        // When it began to let go: before its first object that no longer pause lies behind.
        let ours = all.iter().rev().filter(|it| it.of == uid);
        let begun = ours.fold(now, |begun, it| match it.at + WINDOW > begun {
            true => it.at,
            false => begun,
        });
        let others = all
            .iter()
            .any(|it| it.of != uid && it.at <= begun && it.counts(begun));
        if !others {
            return;
        }
        if went + 1 > limit {
            let text = format!(
                "{place} of {} on {}, after {went} objects of several resources",
                self.name_of(uid),
                PLANES[plane]
            );
            return self.violate("what goes unasked is within the budget", text);
        }
        let whole = if begun == now {
            self.all_that_goes(plane, uid, place)
        } else {
            0
        };
        if went + whole > limit {
            let text = format!(
                "{place} of {} on {}, of {whole} that go at once and after {went} of others",
                self.name_of(uid),
                PLANES[plane]
            );
            self.violate("what goes together goes whole or waits whole", text);
        }
    }

    /// How many objects of a resource its newest generation lets go in a plane, where that is what lets go this one.
    fn all_that_goes(&self, plane: usize, uid: &str, place: &Place) -> usize {
        let model = &self.model;
        let stored = model.letting_go.stored.get(&(plane, uid.to_owned()));
        let Some((newest, Some(before))) = stored else {
            return 0;
        };
        let by_the_newest = model.wants(uid, *before, place) && !model.wants(uid, *newest, place);
        if model.is_ambiguous(uid, *newest) || model.is_ambiguous(uid, *before) {
            return 0;
        }
        if !by_the_newest || model.is_forgotten(plane, uid) || model.letting_go.is_left(uid) {
            return 0;
        }
        let goes = |other: &Place, object: &Value| {
            owner(object).as_deref() == Some(uid)
                && model.wants(uid, *before, other)
                && !model.wants(uid, *newest, other)
                && object["metadata"]["deletionTimestamp"].is_null()
                // What is not served just then cannot be found, and joins later.
                && other.kind != "Widget"
                && !self.planes[plane].governed.keeps(other)
        };
        let objects = self.planes[plane].cluster.objects();
        objects.filter(|(place, object)| goes(place, object)).count()
    }
}
