//! What the plane has of one resource: its newest head, the objects it wants, and those on their way out.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use outhaul_protocol_session::agent::{Holding, Standing};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Head, HeadState, Key};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{self, Blocker, BlockerReason, Leftover, ObjectReport};
use outhaul_protocol_wire::spec::{Environment, SpecError};

use crate::blocker::blocker;
use crate::departing::{Departing, Permission, Step};
use crate::desired::{Desired, DesiredObject};
use crate::ensure::Ensure;
use crate::held::Held;
use crate::live::Shown;
use crate::number;
use crate::object::Object;
use crate::once::{Noted, Run};
use crate::pin::Pin;
use crate::policy::Policy;
use crate::record::{self, Record};
use crate::sweep::Sweep;

/// One resource.
#[derive(Debug)]
pub struct Item {
    /// Its newest head that is stored.
    pub holding: Holding,
    /// Whether the hub ever recorded it: only then anything of it is applied.
    pub in_force: bool,
    /// When it was settled, in Unix seconds.
    pub settled_at: Option<u64>,
    /// Where a Release belongs.
    pub environment: Option<Environment>,
    /// The objects that it wants, in spec order.
    pub objects: Vec<Object>,
    /// Objects that it wants no more.
    pub departing: Vec<Departing>,
    /// Objects that it needs and does not own.
    pub ensure: Ensure,
    /// Something of it ran here that nothing else tells of any more.
    pub ran: bool,
    /// Why what is on its way out waits to be confirmed.
    pub held: Option<Held>,
    /// The spec cannot be read: what is there stays there.
    pub unreadable: Option<Blocker>,
    /// What is said of `objects`, in the same order, and then of what has to be there first and cannot be created.
    pub reports: Vec<ObjectReport>,
    /// What is said of `departing`.
    pub leftovers: Vec<Leftover>,
    /// The hash over both, as of the last [`Item::refresh`]: computed when somebody asks, since of a hundred objects
    /// that are applied at once each changes it.
    observed: OnceLock<Digest>,
    /// Requests that wait or are under way.
    pub busy: usize,
    /// Read from the store, and its objects were not looked at since.
    pub unseen: bool,
    /// Read from the store as what was never in force, and its objects were not looked at since. Whoever ran before may have
    /// heard that the hub recorded it, and applied it, and not come to write that down.
    pub doubtful: bool,
    /// What is said of its objects is of an older head until they are applied: it is said then, all of it.
    pub withheld: bool,
    /// The search for objects that no inventory names.
    pub sweep: Sweep,
    /// Places in `objects`, by the objects' numbers.
    places: Vec<(u64, usize)>,
}

/// Where an object of a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among those wanted.
    Wanted(usize),
    /// Among those on their way out.
    Departing(usize),
}

/// What a head brings.
#[derive(Debug, Clone)]
pub enum Brought {
    /// A spec.
    Spec(Result<Desired, SpecError>),
    /// The spec that is there already, or none.
    Kept,
    /// A spec that was stored and cannot be read from there any more, and why.
    Lost(String),
}

impl Item {
    /// A resource that nothing is known of yet.
    pub fn new(head: Head) -> Self {
        Self {
            holding: Holding {
                head,
                standing: Standing::Unrecorded,
                whole: true,
            },
            in_force: false,
            settled_at: None,
            environment: None,
            objects: Vec::new(),
            departing: Vec::new(),
            ensure: Ensure::default(),
            ran: false,
            held: None,
            unreadable: None,
            reports: Vec::new(),
            leftovers: Vec::new(),
            observed: OnceLock::new(),
            busy: 0,
            unseen: false,
            doubtful: false,
            withheld: false,
            sweep: Sweep::default(),
            places: Vec::new(),
        }
    }

    /// A resource as its record and content tell.
    pub fn restored(record: Record, brought: Brought) -> Self {
        let mut item = Self::new(record.head.clone());
        item.in_force = record.in_force;
        item.settled_at = record.settled_at;
        item.sweep.resumed = record.resumed;
        item.held = record.held;
        item.departing = record.inventory.into_iter().map(Departing::new).collect();
        item.ensure.ensured = record.ensured;
        item.ran = record.ran;
        item.take(record.head, brought);
        item.holding.standing = record.standing;
        item.holding.whole &= item.in_force && !item.is_settled_by_a_search();
        item.unseen = true;
        item.doubtful = match record.standing {
            Standing::Unrecorded | Standing::Orphaned => !record.in_force,
            Standing::Recorded | Standing::Gone | Standing::Settled => false,
        };
        item
    }

    /// The hub has let it go, at this time in Unix seconds.
    pub fn settle(&mut self, unix_time: u64) {
        self.holding.standing = Standing::Settled;
        self.settled_at = Some(unix_time);
        self.holding.whole &= !self.is_settled_by_a_search();
        self.sweep.done = false;
    }

    /// Whether it was called gone since a search found nothing. What was not served then may be there.
    fn is_settled_by_a_search(&self) -> bool {
        self.holding.standing == Standing::Settled && self.sweep.resumed
    }

    /// The resource it is of.
    pub fn key(&self) -> &Key {
        &self.holding.head.key
    }

    /// Whether anything may be applied or deleted because of it.
    pub fn acts(&self) -> bool {
        match self.holding.standing {
            Standing::Recorded | Standing::Orphaned => self.in_force,
            Standing::Unrecorded | Standing::Gone | Standing::Settled => false,
        }
    }

    /// Whether an object still is what an older head wanted, and nothing is known to keep it so. Its health then says
    /// nothing of the newest head.
    pub fn is_behind(&self) -> bool {
        if self.ensure.is_blocked() {
            return false;
        }
        let behind = |object: &Object| object.applied.is_some() && !object.has_what_is_wanted();
        let mut objects = self.objects.iter().zip(&self.reports);
        objects.any(|(object, report)| behind(object) && report.blocker.is_none())
    }

    /// The hub recorded it, so anything of it may be applied, and what is there is its own. No list that shows nothing takes
    /// that back.
    pub fn comes_into_force(&mut self) {
        self.in_force = true;
        self.doubtful = false;
    }

    /// Takes a newer head. What was wanted and is not any more is on its way out; what is wanted again is not.
    pub fn take(&mut self, head: Head, brought: Brought) {
        if self.is_only_confirmed(&head, &brought) {
            self.holding.head = head;
            return;
        }
        self.holding.whole = match (head.state, &brought) {
            (HeadState::Present, Brought::Lost(_)) => false,
            (HeadState::Present, Brought::Kept) => self.holding.whole,
            (HeadState::Present, Brought::Spec(_)) | (HeadState::Removed | HeadState::Left, _) => true,
        };
        match (head.state, brought) {
            (HeadState::Present, Brought::Kept) => {}
            (HeadState::Present, Brought::Lost(problem)) => self.unreadable = Some(lost(&problem)),
            (HeadState::Present, Brought::Spec(Ok(desired))) => self.want(desired),
            (HeadState::Present, Brought::Spec(Err(error))) => {
                self.unreadable = Some(blocker(BlockerReason::Malformed, error.to_string()));
            }
            (HeadState::Removed, brought) => self.remove(brought),
            (HeadState::Left, _) => {
                self.want_nothing();
                for departing in &mut self.departing {
                    departing.leave();
                }
            }
        }
        self.holding.head = head;
        self.held = self.held.filter(|_| !self.departing.is_empty());
        self.withheld = self.is_behind();
        self.busy = self.objects.iter().filter(|it| it.busy).count()
            + self.departing.iter().filter(|it| it.busy).count()
            + self.ensure.missing.iter().filter(|it| it.busy).count();
    }

    /// Whether a head says the same as the one that is held, but for what was confirmed. What only a search called gone is
    /// taken anew in any case.
    fn is_only_confirmed(&self, head: &Head, brought: &Brought) -> bool {
        let known = &self.holding.head;
        let same = (head.version, head.state, head.digest) == (known.version, known.state, known.digest);
        same && self.holding.whole && head.confirmed != known.confirmed && matches!(brought, Brought::Kept)
    }

    /// What is written down about it, but for what it was allowed to let go.
    pub fn record(&self) -> Record {
        Record {
            head: self.holding.head.clone(),
            standing: self.holding.standing,
            in_force: self.in_force,
            settled_at: self.settled_at,
            resumed: self.sweep.resumed,
            held: self.held,
            spent: Vec::new(),
            inventory: self.inventory(),
            ensured: self.ensure.ensured.clone(),
            ran: self.has_run(),
        }
    }

    /// Whether something of it ran here, once and for all.
    pub fn has_run(&self) -> bool {
        let wanted = self.objects.iter().any(|it| it.run.is_some() && it.is_applied());
        let departing = self
            .departing
            .iter()
            .any(|it| it.run.is_some() && it.uid.is_some());
        self.ran || wanted || departing
    }

    /// Every object that may be in the cluster because of it.
    pub fn inventory(&self) -> Vec<record::Item> {
        let readable = |object: &&Object| !object.desired.reference.name.is_empty();
        let wanted = self.objects.iter().filter(readable).map(inventory_item);
        let departing = self.departing.iter().map(|departing| record::Item {
            object: departing.reference.clone(),
            uid: departing.uid.clone(),
            applied: departing.applied,
            stray: departing.stray,
            allowed: departing.permission != Permission::None,
            protected: departing.protected,
            contested: departing.contested,
            run: departing.run.clone(),
        });
        wanted.chain(departing).collect()
    }

    /// Where an object of it is.
    pub fn find(&self, object: &ObjectRef) -> Option<Place> {
        let number = number::of(object);
        let first = self.places.partition_point(|(other, _)| *other < number);
        let same = self.places[first..]
            .iter()
            .take_while(|(other, _)| *other == number);
        let mut same = same.map(|(_, index)| *index);
        let wanted = same.find(|index| self.objects[*index].desired.reference.same_object(object));
        wanted.map(Place::Wanted).or_else(|| {
            let departing = self
                .departing
                .iter()
                .position(|it| it.reference.same_object(object));
            departing.map(Place::Departing)
        })
    }

    /// Every object of it.
    pub fn references(&self) -> impl Iterator<Item = &ObjectRef> {
        let wanted = self.objects.iter().map(|object| &object.desired.reference);
        wanted.chain(self.departing.iter().map(|departing| &departing.reference))
    }

    /// Says the uid and blocker of a wanted object, and what was seen of it if that is new. Returns whether it changed.
    pub fn show(&mut self, index: usize, shown: Option<Shown>, blocker: Option<Blocker>) -> bool {
        let report = &mut self.reports[index];
        let object = &self.objects[index];
        let uid = match &object.run {
            Some(_) => object.uid.clone(),
            None => object.live.as_ref().map(|live| live.uid.clone()),
        };
        let mut changed = report.uid != uid || report.blocker != blocker;
        report.uid = uid;
        report.blocker = blocker;
        if let Some(Shown { health, status }) = shown {
            changed |= report.health != health || report.status != status;
            report.health = health;
            report.status = status;
        }
        changed
    }

    /// The hash over all that is said.
    pub fn observed(&self) -> &Digest {
        self.observed
            .get_or_init(|| report::observed(&self.reports, &self.leftovers))
    }

    /// Brings `leftovers` and the hash up to date.
    pub fn refresh(&mut self, policy: &Policy, pin: &Pin) {
        let changed = pin.unconfirmed().is_some().then(|| pin.keeps(policy, "held: it"));
        let held = changed.flatten().or_else(|| self.held_blocker(policy));
        let kept = policy.keeps("it would be let go");
        let leftover = |departing: &Departing| {
            let mut leftover = departing.leftover();
            let held = held.as_ref().filter(|_| departing.permission == Permission::None);
            leftover.blocker = leftover
                .blocker
                .or_else(|| self.unreadable.clone())
                .or_else(|| kept.clone())
                .or_else(|| held.cloned());
            leftover
        };
        let most = outhaul_protocol_wire::limits::LEFTOVERS;
        self.leftovers = self.departing.iter().take(most).map(leftover).collect();
        self.observed = OnceLock::new();
    }

    /// Why everything waits that is on its way out and that nobody has allowed to go.
    fn held_blocker(&self, policy: &Policy) -> Option<Blocker> {
        let held = self.held?;
        let waiting = || {
            self.departing
                .iter()
                .filter(|it| it.permission == Permission::None)
        };
        let protected = waiting().find(|it| it.protected);
        let said = held.blocker(
            waiting().count(),
            protected.map(|it| &it.reference),
            policy.budget(),
        );
        Some(match policy.advice(&self.holding.head) {
            None => said,
            Some(advice) => blocker(
                BlockerReason::OwnerConfirms,
                format!("{}; {advice}", said.message),
            ),
        })
    }

    /// A record begins to be written that has the permissions and the ends there are.
    pub fn writes_record(&mut self) {
        self.turn_permissions(Permission::Given, Permission::Writing);
        self.turn_ends(Noted::No, Noted::Writing);
    }

    /// That record was written. Returns whether anything may go now.
    pub fn wrote_record(&mut self) -> bool {
        let permitted = self.turn_permissions(Permission::Writing, Permission::Stored);
        self.turn_ends(Noted::Writing, Noted::Yes) || permitted
    }

    /// It could not be written. Returns whether anything waits for it.
    pub fn could_not_write_record(&mut self) -> bool {
        let permitted = self.turn_permissions(Permission::Writing, Permission::Given);
        self.turn_ends(Noted::Writing, Noted::No) || permitted
    }

    fn turn_ends(&mut self, from: Noted, to: Noted) -> bool {
        let mut turned = false;
        let ended = self.objects.iter_mut().filter(|it| it.has_ended());
        for object in ended.filter(|it| it.noted == from) {
            object.noted = to;
            turned = true;
        }
        turned
    }

    fn turn_permissions(&mut self, from: Permission, to: Permission) -> bool {
        let mut turned = false;
        for departing in self.departing.iter_mut().filter(|it| it.permission == from) {
            departing.permission = to;
            turned = true;
        }
        turned
    }

    fn want(&mut self, desired: Desired) {
        self.unreadable = None;
        self.environment = desired.environment;
        self.ran = self.has_run();
        let mut known = Known::of(self);
        self.objects = desired
            .objects
            .into_iter()
            .map(|object| known.object(object))
            .collect();
        self.reports = self.objects.iter().map(|object| known.report(object)).collect();
        self.ensure.want(desired.ensure);
        self.departing = known.into_departing(&self.holding.head.key);
        let objects = self.objects.iter().enumerate();
        self.places = objects
            .map(|(index, object)| (number::of(&object.desired.reference), index))
            .collect();
        self.places.sort_unstable();
    }

    /// Lets everything go. A plane that lost its store learns from the spec what to look for; without it, what is there
    /// is not known, and nothing is called gone.
    fn remove(&mut self, brought: Brought) {
        let was_read = self.holding.head.state == HeadState::Present && self.unreadable.is_none();
        let known = self.in_force || was_read || self.references().next().is_some();
        let problem = match brought {
            Brought::Spec(Ok(desired)) => {
                self.want(desired);
                None
            }
            Brought::Kept | Brought::Lost(_) | Brought::Spec(Err(_)) if known => None,
            Brought::Kept | Brought::Lost(_) => Some("what it has on this plane is not known".to_owned()),
            Brought::Spec(Err(error)) => Some(error.to_string()),
        };
        self.want_nothing();
        self.unreadable = problem.map(|problem| blocker(BlockerReason::Malformed, problem));
    }

    fn want_nothing(&mut self) {
        self.unreadable = None;
        self.ran = self.has_run();
        self.departing = Known::of(self).into_departing(&self.holding.head.key);
        self.ensure.want_nothing();
        self.reports.clear();
        self.places.clear();
    }
}

/// What was known of a resource's objects before its newest head, by identity.
struct Known {
    objects: BTreeMap<(String, String, String, String), (Object, ObjectReport)>,
    departing: Vec<Departing>,
    ran: bool,
}

impl Known {
    fn of(item: &mut Item) -> Self {
        let objects = item.objects.drain(..).zip(item.reports.drain(..));
        let readable = objects.filter(|(object, _)| !object.desired.reference.name.is_empty());
        Self {
            ran: item.ran,
            objects: readable
                .map(|(object, report)| (identity(&object.desired.reference), (object, report)))
                .collect(),
            departing: item.departing.drain(..).collect(),
        }
    }

    fn object(&mut self, desired: DesiredObject) -> Object {
        let mut object = Object::new(desired);
        let reference = &object.desired.reference;
        let mut run = None;
        if let Some((known, _)) = self.objects.get(&identity(reference)) {
            object.uid = known.uid.clone();
            object.contested = known.contested;
            object.applied = known.applied;
            object.live = known.live.clone();
            object.busy = known.busy;
            object.drifted = known.drifted;
            object.fight = known.fight.clone();
            object.answered_in = known.answered_in;
            object.noted = known.noted;
            object.collided = known.collided;
            object.ran = known.ran;
            run = known.run.clone();
        } else if let Some(at) = self
            .departing
            .iter()
            .position(|it| it.reference.same_object(reference))
        {
            // The others keep their order: it is part of what is reported.
            let departing = self.departing.remove(at);
            object.uid = departing.uid;
            object.contested = departing.contested;
            object.applied = departing.applied;
            object.busy = departing.busy;
            run = departing.run;
            if run.as_ref().is_some_and(|run| run.end.is_some()) {
                // It is in the record that the newest head was written with.
                object.noted = Noted::Yes;
            }
        }
        // What began is not begun again, whatever a newer spec says; nor is what nothing else tells of any more.
        object.ran |= self.ran && run.is_none();
        object.run = run;
        if object.run.is_none()
            && object.desired.once
            && let Ok(body) = &object.desired.body
        {
            object.run = Some(Run::new(body.digest));
            // What is there was not asked whether it has ended.
            object.live = None;
        }
        object
    }

    /// What is said of an object until more is known. Takes it out of what was known.
    fn report(&mut self, object: &Object) -> ObjectReport {
        let desired = &object.desired;
        let known = self.objects.remove(&identity(&desired.reference));
        let end = object.run.as_ref().and_then(|run| run.end.as_ref());
        let (uid, shown) = match known {
            None if let Some(end) = end => (object.uid.clone(), end.shown()),
            Some((_, report)) => (
                report.uid,
                Shown {
                    health: report.health,
                    status: report.status,
                },
            ),
            None => (None, Shown::ABSENT),
        };
        ObjectReport {
            id: desired.id.clone(),
            object: desired.reference.clone(),
            uid,
            health: shown.health,
            status: shown.status,
            blocker: desired.body.as_ref().err().cloned(),
        }
    }

    fn into_departing(mut self, key: &Key) -> Vec<Departing> {
        // What was kept although it is gone: a look tells that again.
        for departing in self.departing.iter_mut().filter(|it| it.step == Step::Gone) {
            departing.hurry();
        }
        let unwanted = self.objects.into_values().map(|(object, _)| {
            let mut departing = Departing::new(inventory_item(&object));
            departing.busy = object.busy;
            if let Some(live) = &object.live {
                departing.is_in_sight(live, key);
            }
            departing
        });
        self.departing.into_iter().chain(unwanted).collect()
    }
}

/// What keeps the objects of a resource whose content is lost: what it wants is not known.
fn lost(problem: &str) -> Blocker {
    let message =
        format!("what the agent stored of it is damaged, and is pulled again from the hub: {problem}");
    blocker(BlockerReason::Malformed, message)
}

fn inventory_item(object: &Object) -> record::Item {
    record::Item {
        object: object.desired.reference.clone(),
        uid: object.uid.clone(),
        applied: object.applied,
        stray: false,
        allowed: false,
        protected: object.desired.protected,
        contested: object.contested,
        // Written down, it would say that nothing but this attempt may have made it.
        run: object.run.clone().filter(|_| !(object.ran && object.is_open())),
    }
}

fn identity(object: &ObjectRef) -> (String, String, String, String) {
    let (group, kind, namespace, name) = object.identity();
    (group.into(), kind.into(), namespace.into(), name.into())
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::ids::Uid;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{config_map, head, release_key};

    fn brought(names: &[&str]) -> Brought {
        let resources: Vec<Value> = names
            .iter()
            .map(|name| json!({"id": name, "object": config_map(name, "1")}))
            .collect();
        Brought::Spec(Desired::read(
            &release_key("cart"),
            &json!({"resources": resources}),
        ))
    }

    fn item(names: &[&str]) -> Item {
        let mut item = Item::new(head("cart", 1));
        item.take(head("cart", 1), brought(names));
        item
    }

    fn wanted(item: &Item) -> Vec<&str> {
        item.objects.iter().map(|it| it.desired.id.as_str()).collect()
    }

    fn departing(item: &Item) -> Vec<&str> {
        item.departing
            .iter()
            .map(|it| it.reference.name.as_str())
            .collect()
    }

    #[test]
    fn what_a_newer_spec_does_not_name_is_on_its_way_out_and_comes_back_if_a_later_one_does() {
        let mut item = item(&["one", "two"]);
        item.objects[1].uid = Some(Uid::new("u-2").unwrap());
        item.take(head("cart", 2), brought(&["one"]));
        assert_eq!((wanted(&item), departing(&item)), (vec!["one"], vec!["two"]));
        item.take(head("cart", 3), brought(&["two", "three"]));
        assert_eq!(
            (wanted(&item), departing(&item)),
            (vec!["two", "three"], vec!["one"])
        );
        assert_eq!(item.objects[0].uid, Some(Uid::new("u-2").unwrap()));
    }

    #[test]
    fn a_removed_head_lets_everything_go_and_of_a_left_one_all_is_to_stay() {
        let mut removed = item(&["one", "two"]);
        let state = |state| Head {
            state,
            ..head("cart", 2)
        };
        removed.take(state(HeadState::Removed), Brought::Kept);
        assert_eq!(
            (wanted(&removed), departing(&removed)),
            (vec![], vec!["one", "two"])
        );
        let mut left = item(&["one", "two"]);
        left.take(state(HeadState::Left), Brought::Kept);
        assert_eq!((wanted(&left), departing(&left)), (vec![], vec!["one", "two"]));
        assert!(left.departing.iter().all(|it| it.left));
    }

    #[test]
    fn a_plane_that_lost_its_store_learns_from_the_spec_what_to_let_go() {
        let removed = Head {
            state: HeadState::Removed,
            ..head("cart", 2)
        };
        let mut learned = Item::new(removed.clone());
        learned.take(removed.clone(), brought(&["one", "two"]));
        assert_eq!(
            (wanted(&learned), departing(&learned)),
            (vec![], vec!["one", "two"])
        );
        let mut blind = Item::new(removed.clone());
        blind.take(removed, Brought::Kept);
        assert!(blind.unreadable.is_some(), "nothing is known of it");
    }

    #[test]
    fn a_spec_that_cannot_be_read_is_not_one_that_wants_nothing() {
        let mut item = item(&["one"]);
        let unreadable = Desired::read(&release_key("cart"), &json!({"resources": "x"}));
        item.take(head("cart", 2), Brought::Spec(unreadable));
        assert_eq!((wanted(&item), departing(&item)), (vec!["one"], vec![]));
        assert!(item.unreadable.is_some());
    }

    #[test]
    fn a_restored_item_reports_what_is_on_its_way_out_in_the_same_order() {
        let mut before = item(&["one", "two", "three", "four", "five"]);
        before.take(head("cart", 2), brought(&["one", "two"]));
        let after = Item::restored(before.record(), brought(&["one", "two"]));
        assert_eq!(departing(&after), departing(&before));
    }

    #[test]
    fn a_restored_item_knows_what_it_had() {
        let mut before = item(&["one", "two"]);
        before.objects[0].uid = Some(Uid::new("u-1").unwrap());
        before.take(head("cart", 2), brought(&["one"]));
        let after = Item::restored(before.record(), brought(&["one"]));
        assert_eq!(after.record(), before.record());
        assert_eq!(departing(&after), ["two"]);
    }
}
