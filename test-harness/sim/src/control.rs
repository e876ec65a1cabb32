//! What users do in the control plane, and the furniture that is there from the beginning.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use outhaul_hub_core::confirmation::ANNOTATION;
use outhaul_hub_resources::names;
use outhaul_protocol_wire::confirmation::Confirmation;
use outhaul_protocol_wire::head::Confirmed;
use outhaul_protocol_wire::ids::Generation;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Place};
use crate::hub::key_of;
use crate::model::{Wish, at};
use crate::schedule::{Action, ENVIRONMENTS, Flaw, Kind, PLANES, Thing, Verdict};
use crate::world::{Event, World, plane_index};

/// The namespace of everything in the control plane.
pub(crate) const NAMESPACE: &str = "acme";

/// The id that two objects of a spec have which cannot be delivered.
const TWICE: &str = "twice";

/// Namespaces that every plane admits.
pub(crate) const ADMITTED: &str = "shop*";

impl World {
    /// Environments, DataPlanes and Planes; the namespaces that every cluster has.
    pub(crate) fn furnish(&mut self) {
        let control = &mut self.control;
        let namespace = Place::new("Namespace", "", NAMESPACE);
        create(
            control,
            &namespace,
            &json!({"apiVersion": "v1", "kind": "Namespace"}),
        );
        for (number, plane) in PLANES.into_iter().enumerate() {
            create(control, &Place::new("Plane", "", plane), &plane_resource(number));
            let data_plane = json!({
                "apiVersion": "openchoreo.dev/v1alpha1", "kind": "DataPlane",
                "spec": {
                    "planeID": plane, "registry": {"prefix": "r"},
                    "gateway": {"publicVirtualHost": "p", "organizationVirtualHost": "o"},
                },
            });
            create(control, &data_plane_of(plane), &data_plane);
            create(
                control,
                &environment(ENVIRONMENTS[number]),
                &environment_resource(plane),
            );
        }
        for plane in &mut self.planes {
            let shop = json!({"apiVersion": "v1", "kind": "Namespace"});
            create(&mut plane.cluster, &Place::new("Namespace", "", "shop"), &shop);
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.coverage.note(format!("action {}", name(&action)));
        match action {
            Action::Put {
                resource,
                target,
                things,
                flaw,
            } => self.put(&resource, &target, &things, flaw),
            Action::Delete { resource } => self.delete(&resource),
            Action::Run {
                resource,
                plane,
                things,
                ensure,
            } => self.run(&resource, &plane, &things, &ensure),
            Action::Cancel { plane, pick, force } => self.cancel(plane_index(&plane), pick, force),
            Action::Point {
                environment: of,
                plane,
            } => {
                let edit = |object: &mut Value| object["spec"]["dataPlaneRef"] = format!("dp-{plane}").into();
                self.user_edits(&environment(&of), edit);
            }
            Action::Enrol { plane } => {
                let number = plane_index(&plane);
                self.planes[number].enrolled = true;
                self.start_agent(number);
            }
            Action::Confirm {
                resource,
                verdict,
                stale,
            } => self.confirm_newest(&place_of(&resource), verdict, stale),
            Action::Forget { plane } => self.forget_plane(plane_index(&plane)),
            Action::Return { plane } => self.plane_returns(plane_index(&plane)),
            Action::Remember { plane } => self.remember_plane(plane_index(&plane)),
            Action::Decide { plane, pick, adopt } => self.decide(plane_index(&plane), pick, adopt),
            Action::DeletePlane { plane } => self.delete_plane(plane_index(&plane)),
            Action::Govern { plane, policy } => self.write_policy(plane_index(&plane), policy),
            Action::Define { plane, served } => {
                let number = plane_index(&plane);
                self.planes[number].cluster.serve(Kind::Widget.as_str(), served);
                self.definitions_changed(number);
            }
        }
    }

    fn put(&mut self, resource: &str, target: &str, things: &[Thing], flaw: Option<Flaw>) {
        let place = place_of(resource);
        let spec = spec(resource, target, things, flaw);
        let before = self.control.find(&place).cloned();
        let after = match &before {
            None => {
                let body = json!({"apiVersion": api_version(resource), "kind": place.kind, "spec": spec});
                self.control.create(&place, &body)
            }
            Some(_) => self
                .control
                .update(&place, "user", |object| object["spec"] = spec.clone()),
        };
        let after = after.expect("users only do what the API server takes");
        let uid = after["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let generation = generation(&after);
        match after["metadata"]["deletionTimestamp"].is_string() {
            // Whatever is edited of what is being deleted, nothing of it is wanted.
            true => self.model.deleted(&uid, generation),
            false => {
                let delivered = flaw.is_none_or(|flaw| flaw == Flaw::Malformed) && target != "nowhere";
                self.model
                    .wished(&uid, resource, wish(things, spec, delivered, generation));
            }
        }
        self.check_control_write(&place, before.as_deref(), Some(&after));
        self.control_changed();
    }

    fn run(&mut self, resource: &str, plane: &str, things: &[Thing], ensure: &[String]) {
        let place = place_of(resource);
        if self.control.find(&place).is_some() {
            return;
        }
        let mut spec = spec(resource, plane, things, None);
        spec["lifecycle"] = "Once".into();
        spec["ensure"] = ensure.iter().map(|name| manifest(&ensured(name))).collect();
        let body = json!({"apiVersion": api_version(resource), "kind": place.kind, "spec": spec});
        let after = self.control.create(&place, &body).expect("its name is new");
        let uid = after["metadata"]["uid"].as_str().unwrap_or_default();
        let wish = Wish {
            ensured: ensure.iter().map(|name| thing_place(&ensured(name))).collect(),
            ..wish(things, spec, true, generation(&after))
        };
        self.model.wished(uid, resource, wish);
        self.check_control_write(&place, None, Some(&after));
        self.control_changed();
    }

    fn delete(&mut self, resource: &str) {
        let place = place_of(resource);
        let Some(before) = self.control.find(&place).cloned() else {
            return;
        };
        let uid = before["metadata"]["uid"].as_str().unwrap_or_default();
        self.control.delete(&place, None).expect("it is there");
        let after = self.control.find(&place).cloned();
        self.model
            .deleted(uid, after.as_ref().and_then(|after| generation(after)));
        self.check_control_write(&place, Some(&before), after.as_deref());
        self.control_changed();
    }

    /// Somebody confirms what is held of the newest generation, or of the one before.
    fn confirm_newest(&mut self, place: &Place, verdict: Verdict, stale: bool) {
        let newest = self.control.find(place).and_then(|resource| generation(resource));
        if let Some(newest) = newest {
            self.confirm(place, verdict, newest.saturating_sub(u64::from(stale)));
        }
    }

    fn confirm(&mut self, place: &Place, verdict: Verdict, generation: u64) {
        let Some(before) = self.control.find(place).cloned() else {
            return;
        };
        let confirmed = match verdict {
            Verdict::Remove => Confirmed::Remove,
            Verdict::Leave => Confirmed::Leave,
        };
        let uid = before["metadata"]["uid"].as_str().unwrap_or_default();
        self.model.letting_go.confirmed(uid, generation, confirmed);
        let confirmation = Confirmation {
            confirmed,
            generation: Generation(generation),
        };
        let annotate = |object: &mut Value| {
            object["metadata"]["annotations"][ANNOTATION] = confirmation.to_string().into()
        };
        let after = self
            .control
            .update(place, "user", annotate)
            .expect("it was just seen");
        self.check_control_write(place, Some(&before), Some(&after));
        self.control_changed();
    }

    /// Somebody confirms everything that resources say is held.
    pub(crate) fn confirm_what_is_held(&mut self) {
        let resources = ["Release", "Bundle"]
            .into_iter()
            .flat_map(|kind| self.control.of_kind(kind));
        let held: Vec<(Place, u64)> = resources
            .filter_map(|(place, resource)| Some((place.clone(), held_generation(resource)?)))
            .collect();
        for (place, generation) in held {
            self.coverage.note("held at the end");
            self.confirm(&place, Verdict::Remove, generation);
        }
    }

    /// Somebody corrects the specs of deleted resources whose status says that it waits for that.
    pub(crate) fn correct_what_waits_for_it(&mut self) {
        let resources = ["Release", "Bundle"]
            .into_iter()
            .flat_map(|kind| self.control.of_kind(kind));
        let waiting: Vec<Place> = resources
            .filter(|(_, resource)| waits_for_its_spec(resource))
            .map(|(place, _)| place.clone())
            .collect();
        for place in waiting {
            self.coverage.note("corrected at the end");
            let before = self.control.find(&place).cloned();
            let after = self
                .control
                .update(&place, "user", correct)
                .expect("it was just seen");
            let uid = after["metadata"]["uid"].as_str().unwrap_or_default();
            self.model.deleted(uid, generation(&after));
            self.check_control_write(&place, before.as_deref(), Some(&after));
            self.control_changed();
        }
    }

    pub(crate) fn user_edits(&mut self, place: &Place, edit: impl FnOnce(&mut Value)) {
        // Of the furniture only Planes may be gone: then there is nothing to edit.
        if self.control.update(place, "user", edit).is_ok() {
            self.control_changed();
        }
    }

    /// A cluster's own controllers have something to do soon.
    pub(crate) fn stand_in(&mut self, plane: usize) {
        let cluster = &self.planes[plane].cluster;
        let behind = cluster.of_kind("Deployment").any(|(_, object)| is_behind(object));
        if behind {
            self.agenda
                .after(Duration::from_millis(300), Event::Controllers(plane));
        }
        if self.has_jobs_to_do(plane) {
            self.wake_controllers(plane);
        }
    }

    /// Deployments become available.
    pub(crate) fn controllers(&mut self, plane: usize) {
        let worked = self.work_on_jobs(plane);
        let cluster = &mut self.planes[plane].cluster;
        let behind: Vec<Place> = cluster
            .of_kind("Deployment")
            .filter(|(_, object)| is_behind(object))
            .map(|(place, _)| place.clone())
            .collect();
        if behind.is_empty() && !worked {
            return;
        }
        for place in behind {
            let generation = cluster
                .find(&place)
                .map(|object| object["metadata"]["generation"].clone());
            let status = json!({"status": {
                "observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                "availableReplicas": 1,
            }});
            let patch = crate::cluster::Patch::Merge(status);
            cluster.patch(&place, true, patch).expect("it was just seen");
        }
        self.plane_changed(plane);
    }
}

/// Its plane lost what it held, and its spec is none that says what to look for there.
fn waits_for_its_spec(resource: &Value) -> bool {
    let conditions = resource["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let failed = conditions.any(|it| it["type"] == "Finalizing" && it["reason"] == "CleanupFailed");
    failed
        && entries(&resource["spec"])
            .iter()
            .any(|entry| entry["id"] == TWICE)
}

fn correct(resource: &mut Value) {
    let mut entries = entries(&resource["spec"]).to_vec();
    entries.retain(|entry| entry["id"] != TWICE);
    let field = match resource["kind"] == "Release" {
        true => "resources",
        false => "objects",
    };
    resource["spec"][field] = entries.into();
}

/// The entries of a spec, whatever its kind.
pub(crate) fn entries(spec: &Value) -> &[Value] {
    let entries = spec.get("resources").or_else(|| spec.get("objects"));
    entries.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The generation of what a resource says is held, where nobody confirmed that.
fn held_generation(resource: &Value) -> Option<u64> {
    let conditions = resource["status"]["conditions"].as_array()?;
    let held = conditions
        .iter()
        .find(|it| it["type"] == "Held" && it["status"] == "True")?;
    let generation = held["observedGeneration"].as_u64()?;
    let confirmed = &resource["metadata"]["annotations"][ANNOTATION];
    (*confirmed != format!("remove@{generation}")).then_some(generation)
}

fn generation(resource: &Value) -> Option<u64> {
    resource["metadata"]["generation"].as_u64()
}

fn wish(things: &[Thing], spec: Value, delivered: bool, generation: Option<u64>) -> Wish {
    let protected = things.iter().filter(|thing| thing.protected);
    Wish {
        things: things
            .iter()
            .map(|thing| (thing_place(thing), thing.value.clone()))
            .collect(),
        delivered,
        spec,
        generation,
        protected: protected.map(thing_place).collect::<BTreeSet<_>>(),
        ensured: Vec::new(),
    }
}

fn is_behind(object: &Value) -> bool {
    object["status"]["observedGeneration"] != object["metadata"]["generation"]
}

pub(crate) fn create(cluster: &mut Cluster, place: &Place, body: &Value) {
    cluster.create(place, body).expect("the furniture is new");
}

pub(crate) fn plane_resource(number: usize) -> Value {
    let admission = json!({
        "kind": "DataPlane", "namespace": NAMESPACE, "name": format!("dp-{}", PLANES[number]),
        "targetNamespaces": [ADMITTED], "clusterScopedKinds": ["Namespace"],
    });
    let mut plane = json!({
        "apiVersion": "outhaul.dev/v1alpha1", "kind": "Plane", "spec": {"admits": [admission]},
        "metadata": {"finalizers": [names::FINALIZER]},
    });
    // One plane names its key; the others take the first that comes.
    if number == 0 {
        plane["spec"]["keys"] = json!([key_of(number).to_string()]);
    }
    plane
}

fn environment_resource(plane: &str) -> Value {
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Environment",
        "spec": {"dataPlaneRef": format!("dp-{plane}")},
    })
}

pub(crate) fn environment(name: &str) -> Place {
    Place::new("Environment", NAMESPACE, name)
}

fn data_plane_of(plane: &str) -> Place {
    Place::new("DataPlane", NAMESPACE, &format!("dp-{plane}"))
}

/// Where a resource is in the control plane.
pub(crate) fn place_of(resource: &str) -> Place {
    let kind = if resource.starts_with('r') {
        "Release"
    } else {
        "Bundle"
    };
    Place::new(kind, NAMESPACE, resource)
}

fn api_version(resource: &str) -> &'static str {
    match resource.starts_with('r') {
        true => "openchoreo.dev/v1alpha1",
        false => "outhaul.dev/v1alpha1",
    }
}

fn spec(resource: &str, target: &str, things: &[Thing], flaw: Option<Flaw>) -> Value {
    let mut objects: Vec<Value> = things
        .iter()
        .map(|thing| json!({"id": format!("{:?}-{}", thing.kind, thing.name), "object": manifest(thing)}))
        .collect();
    let stray = |namespace: &str| {
        manifest(&Thing {
            kind: Kind::ConfigMap,
            namespace: namespace.to_owned(),
            name: "stray".to_owned(),
            value: "stray".to_owned(),
            protected: false,
        })
    };
    match flaw {
        None => {}
        Some(Flaw::DuplicateId) => {
            objects.push(json!({"id": TWICE, "object": stray("shop")}));
            objects.push(json!({"id": TWICE, "object": stray("shop-two")}));
        }
        Some(Flaw::NotAdmitted) => objects.push(json!({"id": "stray", "object": stray("kube-system")})),
        Some(Flaw::Malformed) => objects.push(json!({"id": "odd", "object": {"apiVersion": "v1"}})),
    }
    match resource.starts_with('r') {
        true => json!({
            "environmentName": target, "owner": {"projectName": "shop", "componentName": resource},
            "resources": objects,
        }),
        false => json!({"plane": target, "objects": objects}),
    }
}

fn manifest(thing: &Thing) -> Value {
    let mut metadata = json!({"name": thing.name, "namespace": thing.namespace});
    if thing.protected {
        metadata["annotations"] = json!({"outhaul.dev/protect": "true"});
    }
    let value = &thing.value;
    match thing.kind {
        Kind::ConfigMap => {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}})
        }
        Kind::PersistentVolumeClaim => json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {"value": value},
        }),
        Kind::Deployment => json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"replicas": 1, "value": value},
        }),
        Kind::Widget => json!({
            "apiVersion": "example.dev/v1", "kind": "Widget", "metadata": metadata, "spec": {"value": value},
        }),
        Kind::Job => json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"value": value},
        }),
    }
}

/// Something that has to be there, and that nobody owns.
fn ensured(name: &str) -> Thing {
    Thing {
        kind: Kind::ConfigMap,
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        value: name.to_owned(),
        protected: false,
    }
}

/// Whether an object is one of those.
pub(crate) fn is_ensured(place: &Place) -> bool {
    place.name.starts_with("ensured-")
}

/// What an object of ours says, as [`manifest`] put it there.
pub(crate) fn value_of(object: &Value) -> &str {
    let value = at(object, "/data/value").or_else(|| at(object, "/spec/value"));
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Where a thing is in its plane.
pub(crate) fn thing_place(thing: &Thing) -> Place {
    Place::new(thing.kind.as_str(), &thing.namespace, &thing.name)
}

/// The plane that each environment is on.
pub(crate) fn environments(control: &Cluster) -> BTreeMap<String, String> {
    let of = |object: &Value| {
        object["spec"]["dataPlaneRef"]
            .as_str()
            .map(|name| name.trim_start_matches("dp-").to_owned())
    };
    control
        .of_kind("Environment")
        .filter_map(|(place, object)| Some((place.name.clone(), of(object)?)))
        .collect()
}

fn name(action: &Action) -> String {
    match action {
        Action::Put { flaw: Some(flaw), .. } => format!("put {flaw:?}"),
        Action::Put { .. } => "put".to_owned(),
        Action::Delete { .. } => "delete".to_owned(),
        Action::Run { .. } => "run".to_owned(),
        Action::Cancel { force, .. } => format!("cancel, by force: {force}"),
        Action::Point { .. } => "point".to_owned(),
        Action::Enrol { .. } => "enrol".to_owned(),
        Action::Confirm { stale: true, .. } => "confirm of another generation".to_owned(),
        Action::Confirm { verdict, .. } => format!("confirm {verdict:?}"),
        Action::Forget { .. } => "forget".to_owned(),
        Action::Return { .. } => "return".to_owned(),
        Action::Remember { .. } => "remember".to_owned(),
        Action::Decide { adopt: true, .. } => "decide: adopt".to_owned(),
        Action::Decide { .. } => "decide: remove".to_owned(),
        Action::DeletePlane { .. } => "delete plane".to_owned(),
        Action::Govern { policy, .. } => format!("govern: {policy:?}"),
        Action::Define { served: true, .. } => "define".to_owned(),
        Action::Define { served: false, .. } => "undefine".to_owned(),
    }
}
