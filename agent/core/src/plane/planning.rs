//! What a resource needs next: one stage of its objects after the other, and what it lets go once all are in place.

use std::collections::BTreeSet;
use std::time::Instant;

use outhaul_protocol_session::agent::Standing;
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::message::Held;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::Mode;

use super::requests::{About, SentKind};
use super::{Action, News, Plane, Request};
use crate::blocker::Failure;
use crate::departing::{Departing, Step};
use crate::item::{Item, Place};
use crate::kinds::Kinds;
use crate::labels;
use crate::namespaces::Entry;
use crate::object::{Need, Object};
use crate::stage::{Stage, stage};

/// What one look at a resource found to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Objects whose turn it is.
    pub(super) due: Vec<ObjectRef>,
    /// Requests under way that the rest waits for.
    pub(super) waits: bool,
    /// When to look again.
    pub(super) again: Option<Instant>,
}

impl Plane {
    /// Plans a resource: what is due joins the queue of requests.
    pub(super) fn plan(&mut self, key: &Key, now: Instant) {
        self.end_fights(key, now);
        self.look_at_guards(key);
        self.speak_up(key);
        self.hand_down(key, now);
        self.look_back(key);
        self.abandon(key, now);
        let Some(item) = self.items.get(key).filter(|item| item.acts()) else {
            return;
        };
        let mode = self.policy.mode();
        let lacks = mode == Mode::Acts && !item.ensure.missing.is_empty();
        let which = match lacks {
            // What is as the newest head wants it is kept so.
            true => Object::has_what_is_wanted,
            false => |_: &Object| true,
        };
        let mut plan = plan_wanted(item, which, &self.kinds, mode, now);
        if lacks {
            self.plan_missing(key, now);
        }
        // Where nothing may be changed, what is due are looks.
        let enters = mode == Mode::Acts && !plan.due.is_empty();
        if enters && self.waits_for_namespaces(key, &plan.due) {
            return;
        }
        let Some(item) = self.items.get(key) else {
            return;
        };
        let in_place = !lacks && plan.due.is_empty() && !plan.waits && plan.again.is_none();
        let begun = item.objects.iter().any(Object::is_applied);
        // What a control plane leaves that changed waits as what it lets go.
        let leaves = item.holding.head.state == HeadState::Left;
        let may_go = in_place && lets_go(item) && (!leaves || self.pin.is_certain());
        if may_go {
            plan = plan_departing(&item.departing, mode, now);
        } else if in_place && item.unreadable.is_some() {
            // Nothing of it goes. What is not there keeps its name from nobody who wants it; but of what runs once is
            // known here how it ended.
            let others = item.departing.iter().filter(|it| it.run.is_none());
            plan = plan_departing(others, only_looking(mode), now);
        }
        if may_go && plan.due.is_empty() && !plan.waits {
            self.let_go(key, now);
        }
        self.end_letting_go(key, now);
        if let Some(again) = plan.again {
            self.timers.insert((again, key.clone()));
        }
        for object in plan.due {
            self.queue(key, object, begun);
        }
        self.check_gone(key, now);
    }

    /// The next request to send now.
    pub fn poll_request(&mut self, now: Instant) -> Option<Request> {
        while self.pace.may_send(now) {
            let about = self.requests.next_waiting()?;
            let Some((action, kind)) = self.action(&about, now) else {
                self.idle(&about);
                continue;
            };
            self.pace.sent();
            let id = self.requests.send(about, kind);
            return Some(Request { id, action });
        }
        None
    }

    /// A request for this object waits from now on. A resource that has `begun` does not wait for those that have not.
    fn queue(&mut self, key: &Key, object: ObjectRef, begun: bool) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        match item.find(&object) {
            Some(Place::Wanted(index)) => item.objects[index].busy = true,
            Some(Place::Departing(index)) => item.departing[index].busy = true,
            None => return,
        }
        item.busy += 1;
        let key = key.clone();
        let about = About::Object { key, object };
        match begun {
            true => self.requests.go_on(about),
            false => self.requests.wait(about),
        }
    }

    /// What was waiting needs no request any more.
    fn idle(&mut self, about: &About) {
        match about {
            About::Namespace { name, .. } => self.namespace_awaited(name),
            About::Object { key, object } => {
                if let Some(item) = self.items.get_mut(key) {
                    item.idle(object);
                    self.dirty.insert(key.clone());
                }
            }
            About::Ensure { key, object } => self.ensure_idle(key, object),
            About::Sweep(key) => self.sweep_idle(key),
        }
    }

    /// What to ask for, as things are now. Between the plan and now a newer head may have come.
    fn action(&self, about: &About, now: Instant) -> Option<(Action, SentKind)> {
        let (key, object) = match about {
            About::Namespace { name, key } => {
                if self.policy.mode() != Mode::Acts || self.policy.excludes_namespace(key, name).is_some() {
                    return None;
                }
                let environment = self.items.get(key).and_then(|item| item.environment.as_ref());
                let labels = labels::of_namespace(key, environment);
                let name = name.clone();
                return Some((Action::CreateNamespace { name, labels }, SentKind::Create));
            }
            About::Sweep(key) => return self.sweep_action(key),
            About::Ensure { key, object } => return self.ensure_action(key, object),
            About::Object { key, object } => (key, object),
        };
        let item = self.items.get(key).filter(|item| item.acts())?;
        match item.find(object)? {
            Place::Wanted(index) => self.action_for(item, index, now),
            Place::Departing(index) => {
                let departing = &item.departing[index];
                let object = departing.reference.clone();
                match &departing.step {
                    _ if !departing.may_be_asked_for(self.policy.mode()) => None,
                    Step::Look => Some((Action::Look(object), SentKind::Look)),
                    Step::Delete(uid) => {
                        let uid = uid.clone();
                        Some((Action::Delete { object, uid }, SentKind::Delete))
                    }
                    Step::Release(uid) => {
                        let uid = uid.clone();
                        Some((Action::Release { object, uid }, SentKind::Release))
                    }
                    Step::Gone => None,
                }
            }
        }
    }

    fn action_for(&self, item: &Item, index: usize, now: Instant) -> Option<(Action, SentKind)> {
        let object = &item.objects[index];
        let reference = &object.desired.reference;
        match object.need_if(false, &self.kinds.sight(reference), self.policy.mode(), now) {
            Need::Nothing | Need::Busy | Need::Time(_) => None,
            Need::Look => Some((Action::Look(reference.clone()), SentKind::Look)),
            Need::Adopt => {
                let action = Action::Adopt {
                    object: reference.clone(),
                    manager: labels::field_manager(item.key().kind),
                };
                Some((action, SentKind::Adopt))
            }
            Need::Create => {
                let action = Action::Create {
                    object: reference.clone(),
                    manager: labels::field_manager(item.key().kind),
                    body: object.desired.body.as_ref().ok()?.json.clone(),
                };
                Some((action, SentKind::Create))
            }
            Need::Release => {
                let action = Action::Release {
                    object: reference.clone(),
                    uid: object.copy.clone().or_else(|| object.uid.clone())?,
                };
                Some((action, SentKind::Release))
            }
            Need::Apply => {
                let body = object.desired.body.as_ref().ok()?;
                let scaled = object.live.as_ref().is_some_and(|live| live.scaled);
                let json = match scaled {
                    true => body.without_replicas(),
                    false => body.json.clone(),
                };
                let action = Action::Apply {
                    object: reference.clone(),
                    manager: labels::field_manager(item.key().kind),
                    body: json,
                };
                Some((action, SentKind::Apply(body.digest)))
            }
        }
    }

    /// Sees to the namespaces that objects are about to be applied in. Returns whether they have to be waited for.
    pub(super) fn waits_for_namespaces(&mut self, key: &Key, due: &[ObjectRef]) -> bool {
        let Some(item) = self.items.get(key) else {
            return false;
        };
        let own = |name: &str| {
            let mut namespaces = item
                .objects
                .iter()
                .filter(|it| it.desired.stage == Stage::Namespaces);
            let is_it = |object: &ObjectRef| object.name == name;
            // One that was there once is nobody's to make again but ours.
            let missing = item.ensure.missing.iter().map(|it| &it.desired.reference);
            let mut missing = missing.filter(|it| stage(it) == Stage::Namespaces);
            namespaces.any(|it| is_it(&it.desired.reference)) || missing.any(is_it)
        };
        let needed: BTreeSet<&str> = due.iter().map(|object| object.namespace.as_str()).collect();
        let mut waits = false;
        for name in needed {
            if name.is_empty() || own(name) {
                continue;
            }
            match self.namespaces.enter(name, key) {
                Entry::Enter => {}
                Entry::Wait => waits = true,
                Entry::Create if let Some(excluded) = self.policy.excludes_namespace(key, name) => {
                    // It may be there all the same.
                    let excluded = Failure::Excluded(Box::new(excluded));
                    self.namespaces.created(name, Err(excluded));
                }
                Entry::Create => {
                    waits = true;
                    let (name, key) = (name.to_owned(), key.clone());
                    self.requests.wait(About::Namespace { name, key });
                }
            }
        }
        waits
    }

    fn end_fights(&mut self, key: &Key, now: Instant) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let mut over = Vec::new();
        for (index, object) in item.objects.iter_mut().enumerate() {
            if object.fight.settle(now) {
                over.push(index);
            }
            if let Some(end) = object.fight.ends() {
                self.timers.insert((end, key.clone()));
            }
        }
        for index in over {
            self.show(key, index, None);
        }
    }

    /// What was withheld is said once every object has been applied, or is known to be blocked.
    fn speak_up(&mut self, key: &Key) {
        if let Some(item) = self.items.get_mut(key)
            && item.withheld
            && !item.is_behind()
        {
            item.withheld = false;
            self.tell_whole(key);
        }
    }

    /// A removed or left resource without objects is gone.
    fn check_gone(&mut self, key: &Key, now: Instant) {
        let Some(item) = self.items.get(key) else {
            return;
        };
        let ends = item.holding.head.state != HeadState::Present;
        if !ends || !item.departing.is_empty() || item.unreadable.is_some() || self.waits_for_sweep(key, now)
        {
            return;
        }
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        let was_orphaned =
            core::mem::replace(&mut item.holding.standing, Standing::Gone) == Standing::Orphaned;
        let held = Held {
            key: key.clone(),
            version: item.holding.head.version,
        };
        self.news.push(News::Gone(held));
        if was_orphaned {
            self.news.push(News::Orphans);
        }
        self.save(key, now);
    }
}

/// The first stage of wanted objects that has something to do.
fn plan_wanted(item: &Item, which: fn(&Object) -> bool, kinds: &Kinds, mode: Mode, now: Instant) -> Plan {
    let objects = item.objects.iter().filter(|object| which(object));
    let needs = objects.map(|object| {
        let need = object.need(&kinds.sight(&object.desired.reference), mode, now);
        (object.desired.stage, &object.desired.reference, need)
    });
    first_stage(needs, |stage| stage)
}

/// The first stage of objects on their way out, the other way round.
fn plan_departing<'a>(departing: impl IntoIterator<Item = &'a Departing>, mode: Mode, now: Instant) -> Plan {
    let needs = departing
        .into_iter()
        .map(|it| (it.stage, &it.reference, it.need(mode, now)));
    first_stage(needs, core::cmp::Reverse)
}

/// The same without any change.
fn only_looking(mode: Mode) -> Mode {
    match mode {
        Mode::Acts | Mode::Observes => Mode::Observes,
        Mode::Pauses => Mode::Pauses,
    }
}

/// Objects of one stage go together, and the next stage once they are answered. One that waits for its own reasons
/// holds nobody up.
pub(super) fn first_stage<'a, O: Ord + Copy>(
    needs: impl Iterator<Item = (Stage, &'a ObjectRef, Need)>,
    order: impl Fn(Stage) -> O,
) -> Plan {
    let mut plan = Plan::default();
    let mut first: Option<O> = None;
    let mut needs: Vec<_> = needs.collect();
    needs.sort_by_key(|(stage, ..)| order(*stage));
    for (stage, object, need) in needs {
        let stage = order(stage);
        if first.is_some_and(|first| first < stage) {
            break;
        }
        match need {
            Need::Nothing => {}
            Need::Busy => {
                plan.waits = true;
                first = Some(stage);
            }
            Need::Time(until) => plan.again = plan.again.into_iter().chain([until]).min(),
            Need::Look | Need::Apply | Need::Adopt | Need::Create | Need::Release => {
                plan.due.push(object.clone());
                first = Some(stage);
            }
        }
    }
    plan
}

/// Whether what is wanted no more may go: what is wanted is known, and all of it is in place that ever will be.
fn lets_go(item: &Item) -> bool {
    let settled = |object: &Object| object.excluded.is_some() || object.is_applied();
    item.unreadable.is_none() && item.objects.iter().all(settled)
}

impl Item {
    /// A request for one of its objects is no longer under way.
    pub(super) fn idle(&mut self, object: &ObjectRef) {
        let busy = match self.find(object) {
            Some(Place::Wanted(index)) => &mut self.objects[index].busy,
            Some(Place::Departing(index)) => &mut self.departing[index].busy,
            None => return,
        };
        if core::mem::take(busy) {
            self.busy -= 1;
        }
    }
}
