//! A hub's watches: a list, then changes, and a list again where changes were missed.

use core::time::Duration;
use std::borrow::Cow;

use outhaul_hub_core::listing::{Kind, Listing};
use outhaul_hub_resources::Stored;
use outhaul_protocol_wire::head::BundleKind;
use serde_json::{Value, json};

use super::HubEvent;
use crate::broken::Broken;
use crate::cluster::{Object, Seen, stored};
use crate::world::{Event, World};

/// One kind.
#[derive(Debug)]
pub(crate) struct Watcher {
    kind: Kind,
    listing: Listing,
    /// The version that it has seen all changes up to; none before its list.
    position: Option<u64>,
    /// Whether a look at the changes, or a list, is planned.
    planned: bool,
}

impl Watcher {
    pub(super) fn all() -> Vec<Self> {
        let watcher = |kind| Self {
            kind,
            listing: Listing::new(kind),
            position: None,
            planned: false,
        };
        Kind::ALL.into_iter().map(watcher).collect()
    }
}

impl World {
    pub(super) fn list_everything(&mut self, number: usize) {
        for kind in 0..Kind::ALL.len() {
            self.plan_watch(number, kind, HubEvent::List);
        }
    }

    /// Every watch of every hub begins anew.
    pub(crate) fn hubs_list_again(&mut self) {
        for hub in 0..self.hubs.len() {
            if let Some(running) = &mut self.hubs[hub].running {
                running
                    .watchers
                    .iter_mut()
                    .for_each(|watcher| watcher.position = None);
            }
            self.list_everything(hub);
        }
    }

    /// The control plane changed: watches will bring it.
    pub(crate) fn control_changed(&mut self) {
        let running = self.hubs.iter().filter_map(|hub| hub.running.as_ref());
        let watchers = running.flat_map(|running| &running.watchers);
        let seen = watchers.filter_map(|watcher| watcher.position).min();
        self.control.forget_until(seen.unwrap_or(u64::MAX));
        for hub in 0..self.hubs.len() {
            for kind in 0..Kind::ALL.len() {
                self.plan_watch(hub, kind, HubEvent::Poll);
            }
        }
    }

    fn plan_watch(&mut self, number: usize, kind: usize, event: impl Fn(u64, usize) -> HubEvent) {
        let now = self.agenda.now();
        let hub = &mut self.hubs[number];
        let wait = Duration::from_micros(hub.dice.between(200, 6_000));
        let (run, at) = (hub.run, (now + wait).max(hub.stale_until));
        let Some(running) = &mut hub.running else { return };
        let watcher = &mut running.watchers[kind];
        if !core::mem::replace(&mut watcher.planned, true) {
            self.agenda.at(at, Event::Hub(number, event(run, kind)));
        }
    }

    /// A list is answered. While the API server does not answer, it is tried again.
    pub(super) fn hub_lists(&mut self, number: usize, kind: usize) {
        let now = self.agenda.now();
        let fare = self.control_api.fare(now);
        let run = self.hubs[number].run;
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        let watcher = &mut running.watchers[kind];
        if fare.instead.is_some() {
            let wait = Duration::from_millis(self.hubs[number].dice.between(200, 2_000));
            self.agenda
                .after(wait, Event::Hub(number, HubEvent::List(run, kind)));
            return;
        }
        watcher.planned = false;
        let (of, broken) = (watcher.kind, self.broken);
        watcher.position = Some(self.control.version());
        watcher.listing.begin();
        let objects = self.control.of_kind(resource(of));
        let mut sights: Vec<_> = objects
            .flat_map(|(_, object)| watcher.listing.listed(&read(object, broken)))
            .collect();
        sights.extend(watcher.listing.done());
        self.coverage.note(format!("hub listed {of:?}"));
        self.tell_sights(number, sights);
        self.sync(number);
        self.plan_watch(number, kind, HubEvent::Poll);
    }

    pub(super) fn hub_polls(&mut self, number: usize, kind: usize) {
        let (now, stale) = (self.agenda.now(), self.hubs[number].stale_until);
        let run = self.hubs[number].run;
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        let watcher = &mut running.watchers[kind];
        if stale > now {
            return self
                .agenda
                .at(stale, Event::Hub(number, HubEvent::Poll(run, kind)));
        }
        watcher.planned = false;
        let changes = watcher
            .position
            .and_then(|position| self.control.changes_since(position));
        let Some(changes) = changes else {
            return self.plan_watch(number, kind, HubEvent::List);
        };
        let (of, broken) = (watcher.kind, self.broken);
        let mut sights = Vec::new();
        for change in changes.iter().filter(|change| change.place.kind == resource(of)) {
            match change.seen(|_| true) {
                Some(Seen::There(object)) => sights.extend(watcher.listing.applied(&read(&object, broken))),
                Some(Seen::Gone(object)) => sights.extend(watcher.listing.deleted(&read(&object, broken))),
                None => {}
            }
        }
        watcher.position = Some(self.control.version());
        self.tell_sights(number, sights);
    }

    fn tell_sights(&mut self, number: usize, sights: Vec<outhaul_hub_core::Sight>) {
        let Some(now) = self.hub_time(number) else { return };
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        if sights.is_empty() {
            return;
        }
        for sight in sights {
            sight.tell(&mut running.fleet, now);
        }
        self.stir(number);
    }

    /// Planes are served once everything has been listed.
    fn sync(&mut self, number: usize) {
        let Some(now) = self.hub_time(number) else { return };
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        let complete = running
            .watchers
            .iter()
            .all(|watcher| watcher.listing.is_complete());
        if complete && !core::mem::replace(&mut running.synced, true) {
            running.fleet.synced(now);
            self.stir(number);
        }
    }
}

/// The name of a kind in the cluster.
fn resource(kind: Kind) -> &'static str {
    match kind {
        Kind::Bundle(BundleKind::Release) => "Release",
        Kind::Bundle(BundleKind::Bundle) => "Bundle",
        Kind::Environment => "Environment",
        Kind::User(outhaul_hub_resources::AdmittedKind::DataPlane) => "DataPlane",
        Kind::User(outhaul_hub_resources::AdmittedKind::BuildPlane) => "BuildPlane",
        Kind::Plane => "Plane",
    }
}

/// An object as a hub reads it.
fn read(object: &Object, broken: Option<Broken>) -> Cow<'_, Stored> {
    match broken {
        Some(Broken::ConfirmationOfAnyGeneration) => Cow::Owned(stored(&confirmed_now(object))),
        Some(Broken::AdmissionUnchecked) => Cow::Owned(stored(&admitting_all(object))),
        _ => Cow::Borrowed(object.stored()),
    }
}

/// What a broken hub reads: a Plane that admits everything.
fn admitting_all(object: &Value) -> Value {
    let mut object = object.clone();
    let admissions = object.pointer_mut("/spec/admits").and_then(Value::as_array_mut);
    for admission in admissions.into_iter().flatten() {
        admission["targetNamespaces"] = json!(["*"]);
    }
    object
}

/// What a broken hub reads: whatever was confirmed is confirmed of the generation there is.
fn confirmed_now(object: &Value) -> Value {
    let mut object = object.clone();
    let generation = object["metadata"]["generation"].clone();
    let said = object.pointer_mut("/metadata/annotations/outhaul.dev~1confirm");
    if let Some(said) = said {
        let word = said.as_str().and_then(|text| text.split('@').next());
        *said = format!("{}@{generation}", word.unwrap_or_default()).into();
    }
    object
}
