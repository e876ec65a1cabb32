//! What the simulator knows of the truth, from what users did alone: which objects somebody wanted, and when somebody
//! said that one may go. The checks here are made at the moment something becomes durable or visible: when a cluster
//! does what it was asked, when a record is stored, when the control plane changes.

mod letting_go;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use outhaul_agent_core::labels;
use outhaul_agent_core::plane::{Action, Change, Write};
use outhaul_protocol_wire::head::{BundleKind, Key, Version};
use serde_json::Value;

use self::letting_go::LettingGo;
use crate::agent::place_of;
use crate::broken::Broken;
use crate::cluster::{Cluster, Object, Place};
use crate::control::{entries, is_ensured, value_of};
use crate::running::Runs;
use crate::schedule::PLANES;
use crate::world::{World, plane_index};

/// What somebody wanted of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Its objects, and what they say.
    pub(crate) things: BTreeMap<Place, String>,
    /// Whether any plane may ever hear of it.
    pub(crate) delivered: bool,
    /// Its whole spec.
    pub(crate) spec: Value,
    /// The generation that it is; none where nobody can see it any more.
    pub(crate) generation: Option<u64>,
    /// Those of its objects that never go unasked.
    pub(crate) protected: BTreeSet<Place>,
    /// What has to be there first.
    pub(crate) ensured: Vec<Place>,
}

/// What is known of the truth.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// By uid of a resource: what was wanted, one after the other. Deleted is to want nothing.
    wishes: BTreeMap<String, Vec<Wish>>,
    /// Names of resources, by uid.
    pub(crate) names: BTreeMap<String, String>,
    /// The plane was written into the resource, with our finalizer.
    recorded: BTreeSet<(String, usize)>,
    /// The version that a plane stored last.
    versions: BTreeMap<(usize, Key), Version>,
    /// What was stored on a plane, whenever: resource and what an object says.
    stored: BTreeSet<(usize, String, String)>,
    /// By uid of an object: the resource that it was applied for.
    applied_for: BTreeMap<String, String>,
    /// Planes that lost what they knew of a resource. What its spec no longer names then stays while the resource does:
    /// under one that is wanted labels alone delete nothing. Gone it may be called only once they have searched, though
    /// what is not served just then cannot be found.
    forgotten: BTreeSet<(usize, String)>,
    /// What such a plane could not find when it last searched for a resource's objects: of these kinds.
    unfound: BTreeMap<(usize, String), BTreeSet<String>>,
    /// What may go unasked.
    pub(crate) letting_go: LettingGo,
    /// Planes that somebody took for lost.
    given_up: BTreeSet<usize>,
    /// By uid of a resource: the plane that it was on last.
    on: BTreeMap<String, usize>,
    /// Uids of orphans whose objects a resource of their name may take over.
    adopted: BTreeSet<String>,
    /// What runs once.
    pub(crate) runs: Runs,
}

impl Model {
    pub(crate) fn wished(&mut self, uid: &str, name: &str, wish: Wish) {
        self.names.insert(uid.to_owned(), name.to_owned());
        self.wishes.entry(uid.to_owned()).or_default().push(wish);
    }

    pub(crate) fn deleted(&mut self, uid: &str, generation: Option<u64>) {
        let nothing = Wish {
            things: BTreeMap::new(),
            delivered: true,
            spec: Value::Null,
            generation,
            protected: BTreeSet::new(),
            ensured: Vec::new(),
        };
        self.wishes.entry(uid.to_owned()).or_default().push(nothing);
    }

    /// Somebody said that an orphan is to be removed from a plane. It may be wanted on another one.
    pub(crate) fn removed_from(&mut self, plane: usize, orphan: &str) {
        let wishes = self.wishes.get(orphan).map_or(0, Vec::len);
        self.letting_go.removed(plane, orphan, wishes);
    }

    /// The control plane went back: what it says now is what is wanted now.
    pub(crate) fn restored(&mut self, control: &Cluster) {
        for kind in ["Release", "Bundle"] {
            for (_, object) in control.of_kind(kind) {
                let uid = text(object, "/metadata/uid");
                let Some(wishes) = self.wishes.get_mut(uid) else {
                    continue;
                };
                let said = |wish: &&Wish| wish.spec == object["spec"];
                let again = match object["metadata"]["deletionTimestamp"].is_string() {
                    true => None,
                    false => wishes.iter().rev().find(said).cloned(),
                };
                wishes.extend(again);
                // Where it went after the backup nobody knows any more; that plane keeps it as an orphan.
                let plane = text(object, "/status/plane");
                match PLANES.iter().position(|name| *name == plane) {
                    Some(plane) => drop(self.on.insert(uid.to_owned(), plane)),
                    None => drop(self.on.remove(uid)),
                }
            }
        }
    }

    /// What a plane knew of a resource is lost: its versions may start anew.
    pub(crate) fn store_lost(&mut self, plane: usize, key: &Key) {
        self.versions.remove(&(plane, key.clone()));
        self.letting_go.lost(plane, key);
        self.forgotten.insert((plane, key.uid.to_string()));
    }

    /// Somebody said that an orphan is left to what has its name now.
    pub(crate) fn adopted(&mut self, orphan: &str) {
        self.adopted.insert(orphan.to_owned());
    }

    /// Somebody said that a plane will never return.
    pub(crate) fn plane_forgotten(&mut self, plane: usize) {
        self.given_up.insert(plane);
    }

    /// Whether a resource ever recorded a plane, with our finalizer.
    pub(crate) fn is_recorded(&self, uid: &str, plane: usize) -> bool {
        self.recorded.contains(&(uid.to_owned(), plane))
    }

    /// Whether a plane may have forgotten objects of a resource.
    pub(crate) fn is_forgotten(&self, plane: usize, uid: &str) -> bool {
        self.forgotten.contains(&(plane, uid.to_owned()))
    }

    /// Whether a resource was ever deleted: it may be back since.
    pub(crate) fn was_deleted(&self, uid: &str) -> bool {
        let wishes = self.wishes.get(uid).map_or(&[][..], Vec::as_slice);
        let removed = (0..PLANES.len()).any(|plane| self.letting_go.removed_after(plane, uid).is_some());
        removed || wishes.iter().any(|wish| wish.spec.is_null())
    }

    /// Whether another resource may take over what a resource has.
    pub(crate) fn is_adopted(&self, uid: &str) -> bool {
        self.adopted.contains(uid)
    }

    /// Whether somebody took a plane for lost.
    pub(crate) fn is_given_up(&self, plane: usize) -> bool {
        self.given_up.contains(&plane)
    }

    /// The resource that an object was applied for last.
    pub(crate) fn was_applied_for(&self, object: &Value) -> Option<&String> {
        self.applied_for.get(text(object, "/metadata/uid"))
    }

    /// What is wanted of a resource, if it was ever to be delivered.
    pub(crate) fn last_wish(&self, uid: &str) -> Option<&Wish> {
        self.wishes.get(uid)?.last()
    }

    /// Whether a generation of a resource wants an object. Of one that nobody remembers, nobody can say that it does not.
    fn wants(&self, uid: &str, generation: u64, place: &Place) -> bool {
        let wishes = self.wishes.get(uid).map_or(&[][..], Vec::as_slice);
        let mut of_it = wishes
            .iter()
            .rev()
            .filter(|wish| wish.generation == Some(generation));
        of_it.next().is_none_or(|wish| wish.things.contains_key(place))
    }

    /// Whether a generation was given twice, for different things: after a restore nobody can say which of them a plane holds.
    fn is_ambiguous(&self, uid: &str, generation: u64) -> bool {
        let wishes = self.wishes.get(uid).map_or(&[][..], Vec::as_slice);
        let mut of_it = wishes.iter().filter(|wish| wish.generation == Some(generation));
        let first = of_it.next();
        of_it.any(|wish| first.is_some_and(|first| !wish.things.keys().eq(first.things.keys())))
    }

    /// Whether an object was protected when it was wanted like this.
    fn is_protected(&self, uid: &str, place: &Place, value: &str) -> bool {
        let wishes = self.wishes.get(uid).map_or(&[][..], Vec::as_slice);
        let like_this = |wish: &&Wish| wish.things.get(place).is_some_and(|wanted| wanted == value);
        let mut wishes = wishes.iter().rev().filter(like_this);
        wishes.next().is_some_and(|wish| wish.protected.contains(place))
    }

    /// Whether somebody said, after an object was last wanted like this, that it is not wanted.
    fn may_go(&self, plane: usize, uid: &str, place: &Place, value: &str) -> bool {
        let wishes = self.wishes.get(uid).map_or(&[][..], Vec::as_slice);
        let with = |wish: &Wish| wish.things.contains_key(place);
        let like_this = |wish: &Wish| wish.things.get(place).is_some_and(|wanted| wanted == value);
        let since = wishes
            .iter()
            .position(like_this)
            .or_else(|| wishes.iter().position(with));
        let since = since.unwrap_or_default();
        let removed = self.letting_go.removed_after(plane, uid);
        removed.is_some_and(|wishes| since < wishes)
            || wishes[since..].iter().any(|wish| wish.delivered && !with(wish))
    }
}

impl World {
    /// A cluster is about to do what an agent asked.
    pub(crate) fn check_request(&mut self, plane: usize, action: &Action, body: &Value, sent_at: u64) {
        match action {
            Action::Create { object, .. } if is_ensured(&place_of(action)) => {
                if !object.namespace.starts_with("shop") {
                    self.violate("a plane manages admitted namespaces only", object.to_string());
                }
            }
            Action::Apply { object, .. } | Action::Create { object, .. } => {
                let place = place_of(action);
                if matches!(action, Action::Create { .. }) {
                    self.check_create(plane, &place, body);
                }
                if !object.namespace.starts_with("shop") {
                    let text = format!("{place} on {}", PLANES[plane]);
                    self.violate("a plane manages admitted namespaces only", text);
                }
                self.check_apply(plane, &place, body, sent_at);
            }
            Action::Delete { uid, .. } => {
                let place = place_of(action);
                let there = self.planes[plane].cluster.find(&place).cloned();
                let same = |there: &Value| text(there, "/metadata/uid") == uid.as_str();
                // A precondition that does not hold leaves everything as it is.
                let holds = self.broken == Some(Broken::DeleteWithoutUid);
                if let Some(there) = there.filter(|there| holds || same(there)) {
                    self.check_delete(plane, &place, &there);
                }
            }
            Action::CreateNamespace { name, .. } => {
                if !name.starts_with("shop") {
                    self.violate("a plane manages admitted namespaces only", name.clone());
                }
            }
            Action::Sweep(selector) => self.note_search(plane, selector),
            Action::Release { .. } | Action::Adopt { .. } | Action::Look(_) => {}
        }
    }

    fn check_apply(&mut self, plane: usize, place: &Place, body: &Value, sent_at: u64) {
        let Some(uid) = owner(body) else {
            return self.violate("what is applied says whose it is", place.to_string());
        };
        let of = self.name_of(&uid);
        if !self.model.recorded.contains(&(uid.clone(), plane)) {
            let text = format!("{place} of {of} on {}", PLANES[plane]);
            self.violate("recorded before applied", text);
        }
        let value = value_of(body).to_owned();
        if !self.model.stored.contains(&(plane, uid.clone(), value.clone())) {
            let text = format!("{place} of {of} on {}, saying {value}", PLANES[plane]);
            self.violate("stored before applied", text);
        }
        let there = self.planes[plane].cluster.find(place).cloned();
        let Some(there) = there else { return };
        // Whoever changed it since the request was sent could not be seen.
        let version: u64 = text(&there, "/metadata/resourceVersion")
            .parse()
            .unwrap_or_default();
        let served = self.planes[plane].cluster.serves(&place.kind);
        let another = owner(&there).filter(|other| served && *other != uid && version <= sent_at);
        // What was left for its successor, and that one did not want, is for the next one of the name.
        let is_namesake = |other: &String| self.model.names.get(other) == self.model.names.get(&uid);
        let adopted = |other: &String| self.model.is_adopted(other) && is_namesake(other);
        // What a plane knows nothing of, of a Release of this name, looks to it like what OpenChoreo left.
        let unknown = |other: &String| {
            let name = release_name(&there);
            self.model.is_forgotten(plane, other) && name.is_some() && name == release_name(body)
        };
        if let Some(other) = another.filter(|other| !adopted(other) && !unknown(other)) {
            let text = format!("{place} on {}: {of} over {}", PLANES[plane], self.name_of(&other));
            self.violate("objects of another owner are left alone", text);
        }
    }

    /// A cluster did it: this object is of that resource from now on.
    pub(crate) fn applied(&mut self, object: &Value) {
        if let Some(uid) = owner(object) {
            let object = text(object, "/metadata/uid").to_owned();
            self.model.applied_for.insert(object, uid);
        }
    }

    fn check_delete(&mut self, plane: usize, place: &Place, there: &Value) {
        let known = self.model.was_applied_for(there);
        let Some(uid) = owner(there).or_else(|| known.cloned()) else {
            let text = format!("{place} on {}", PLANES[plane]);
            return self.violate("what is not ours is never deleted", text);
        };
        if !self.model.may_go(plane, &uid, place, value_of(there)) {
            let text = format!("{place} of {} on {}", self.name_of(&uid), PLANES[plane]);
            self.violate("an object leaves a plane only by a statement", text);
        }
        self.check_letting_go(plane, &uid, place, there);
    }

    /// A record is about to be stored.
    pub(crate) fn check_store_write(&mut self, plane: usize, write: &Write) {
        let (record, content) = match &write.change {
            Change::Replace(record, content) => (record, Some(content)),
            Change::Update(record) | Change::Empty(record) => (record, None),
            // What was never in force has no version to keep.
            Change::Forget => {
                self.model.versions.remove(&(plane, write.key.clone()));
                return;
            }
        };
        self.runs_stored(plane, record);
        let version = record.head.version;
        let known = self.model.versions.insert((plane, write.key.clone()), version);
        if let Some(known) = known.filter(|known| *known > version) {
            let text = format!("{} on {}: {known} to {version}", write.key, PLANES[plane]);
            self.violate("versions never go back on a plane", text);
        }
        let generation = version.generation.0;
        self.model.letting_go.stored(plane, &write.key, generation);
        let uid = write.key.uid.as_str();
        let confirmed = record.head.confirmed;
        if confirmed.is_some_and(|it| !self.model.letting_go.is_confirmed(plane, uid, generation, it)) {
            let text = format!("{} on {} at {version}: {confirmed:?}", write.key, PLANES[plane]);
            self.violate("a confirmation counts for its generation only", text);
        }
        if let Some(content) = content {
            let spec = outhaul_agent_core::content::unpack(content, &record.head.digest);
            let Ok(spec) = spec else {
                return self.violate("what is stored can be read", write.key.to_string());
            };
            for value in values(&spec) {
                let stored = (plane, write.key.uid.to_string(), value);
                self.model.stored.insert(stored);
            }
        }
    }

    /// The control plane has changed.
    pub(crate) fn check_control_write(
        &mut self,
        place: &Place,
        before: Option<&Object>,
        after: Option<&Object>,
    ) {
        if place.kind == "Plane" && after.is_none() {
            self.check_plane_gone(plane_index(&place.name));
        }
        if !matches!(place.kind.as_str(), "Release" | "Bundle") {
            return;
        }
        self.resource_writes += 1;
        if let Some(after) = after {
            let plane = text(after, "/status/plane");
            let plane = PLANES.iter().position(|name| *name == plane);
            if let Some(plane) = plane.filter(|_| has_finalizer(after)) {
                let uid = text(after, "/metadata/uid").to_owned();
                self.model.on.insert(uid.clone(), plane);
                self.model.recorded.insert((uid, plane));
            }
        }
        if let Some(before) = before.filter(|before| has_finalizer(before))
            && after.is_none_or(|after| !has_finalizer(after))
        {
            self.check_let_go(before);
        }
    }

    /// Our finalizer is off a resource.
    fn check_let_go(&mut self, resource: &Value) {
        let uid = text(resource, "/metadata/uid");
        let plane = PLANES
            .iter()
            .position(|name| *name == text(resource, "/status/plane"));
        let Some(plane) = plane else {
            return self.check_let_go_of_nowhere(uid);
        };
        let cluster = &self.planes[plane].cluster;
        // A plane that forgot what it had searches every kind that its API server serves.
        let forgotten = self.model.is_forgotten(plane, uid);
        if self.model.letting_go.is_left(uid) {
            return;
        }
        let unfound = self.model.unfound.get(&(plane, uid.to_owned()));
        let unfound = |kind: &str| unfound.is_some_and(|kinds| kinds.contains(kind));
        let hidden = |place: &Place| forgotten && (!cluster.serves(&place.kind) || unfound(&place.kind));
        let left: Vec<String> = cluster
            .objects()
            .filter(|(place, object)| place.kind != "Namespace" && owner(object).as_deref() == Some(uid))
            .filter(|(place, _)| !hidden(place))
            .map(|(place, _)| place.to_string())
            .collect();
        if !left.is_empty() {
            let text = format!("{} on {}: {left:?}", self.name_of(uid), PLANES[plane]);
            self.violate("gone means gone", text);
        }
    }

    /// An agent searches for the objects of a resource, by its labels.
    fn note_search(&mut self, plane: usize, selector: &str) {
        let cluster = &self.planes[plane].cluster;
        let hidden = cluster
            .objects()
            .filter(|(place, _)| !cluster.serves(&place.kind));
        let kinds = hidden.map(|(place, _)| place.kind.clone()).collect();
        let uid = selector.rsplit_once('=').map_or("", |(_, uid)| uid).to_owned();
        self.model.unfound.insert((plane, uid), kinds);
    }

    /// It names no plane. Where the one that it was on still has objects of it, somebody must have said that this plane
    /// will never return.
    fn check_let_go_of_nowhere(&mut self, uid: &str) {
        let Some(plane) = self.model.on.get(uid).copied() else {
            return;
        };
        let ours = |(_, object): (_, &Arc<Object>)| owner(object).as_deref() == Some(uid);
        let some = self.planes[plane].cluster.objects().any(ours);
        if some && !self.model.given_up.contains(&plane) {
            let text = format!(
                "{} names no plane, and {} has some of it",
                self.name_of(uid),
                PLANES[plane]
            );
            self.violate("gone means gone", text);
        }
    }

    pub(crate) fn name_of(&self, uid: &str) -> String {
        let name = self.model.names.get(uid).map_or("nobody", String::as_str);
        format!("{name} ({uid})")
    }
}

/// The resource whose labels an object carries.
pub(crate) fn owner(object: &Value) -> Option<String> {
    let labels = object["metadata"]["labels"].as_object();
    let owners = labels::owners(labels);
    owners.first().map(|owner| owner.uid.clone())
}

/// The name of the Release whose labels an object carries.
fn release_name(object: &Value) -> Option<(String, String)> {
    let owners = labels::owners(object["metadata"]["labels"].as_object());
    let release = owners
        .into_iter()
        .find(|owner| owner.kind == BundleKind::Release)?;
    Some((release.namespace, release.name))
}

/// Whether a resource has our finalizer.
fn has_finalizer(resource: &Value) -> bool {
    let ours = match text(resource, "/kind") {
        "Release" => outhaul_hub_core::resource::finalizer(BundleKind::Release),
        _ => outhaul_hub_core::resource::finalizer(BundleKind::Bundle),
    };
    let finalizers = resource["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|list| list.iter().any(|finalizer| finalizer == ours))
}

/// What the objects of a spec say.
fn values(spec: &Value) -> Vec<String> {
    entries(spec)
        .iter()
        .map(|entry| value_of(&entry["object"]).to_owned())
        .collect()
}

pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    let field = at(object, pointer).and_then(Value::as_str);
    field.unwrap_or_default()
}

/// What a pointer without escapes points at.
pub(crate) fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut names = pointer.split('/').skip(1);
    names.try_fold(object, |value, name| value.get(name))
}
