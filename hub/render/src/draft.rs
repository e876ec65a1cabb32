//! A Release in the making.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_hub_resources::{BundleObject, Release, ReleaseState};
use serde_json::Value;

use crate::{
    binding::Binding,
    labels,
    name::{self, CRON_JOB, LABEL, RESOURCE},
    order,
    problem::{Problem, Warning},
};

/// Objects, and what became of those that could not be rendered.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    /// What the Release has now, by id.
    stored: BTreeMap<&'a str, &'a BundleObject>,
    /// The namespace of all objects: the one of the binding, unless what runs stays in another.
    namespace: String,
    ids: BTreeSet<String>,
    /// Nothing is to run, also of what is stored.
    is_suspended: bool,
    /// The stored Deployment stays, so what leads to it does too.
    keeps_deployment: bool,
    pub(crate) resources: Vec<BundleObject>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
}

/// The kind whose pods a Service and its routes lead to.
pub(crate) const DEPLOYMENT: &str = "Deployment";

/// The kind that leads from a gateway to a Service.
pub(crate) const HTTP_ROUTE: &str = "HTTPRoute";

/// What an object is called in messages, and in its Release.
pub(crate) struct Identity {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Identity {
    /// Where the name is the id too.
    pub(crate) fn of(kind: &'static str, name: String) -> Self {
        Self {
            kind,
            id: name.clone(),
            name,
        }
    }

    pub(crate) fn object(&self) -> String {
        format!("{} {:?}", self.kind, self.name)
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn new(existing: Option<&'a Release>, binding: &Binding<'_>) -> Self {
        let stored = existing
            .map(|release| release.spec.resources.as_slice())
            .unwrap_or_default();
        Self {
            stored: stored
                .iter()
                .map(|resource| (resource.id.as_str(), resource))
                .collect(),
            namespace: binding.namespace.clone(),
            is_suspended: binding.state == ReleaseState::Suspend,
            ..Self::default()
        }
    }

    /// Adds an object; where it has a problem, what is stored in its place.
    pub(crate) fn add(&mut self, identity: Identity, object: Result<Value, Problem>) {
        if self.ids.contains(&identity.id) {
            let object = identity.object();
            return self.problems.push(Problem::SameId {
                object,
                id: identity.id,
            });
        }
        let stored = self.stored(&identity);
        match object.and_then(|object| check(&identity).map_or(Ok(object), Err)) {
            Ok(mut object) => match self.kept(&identity) {
                Some(stored) => self.keep(stored),
                None => {
                    object["metadata"]["namespace"] = self.namespace.as_str().into();
                    if let Some(stored) = stored {
                        order::keep(&mut object, &stored.object);
                    }
                    self.push(BundleObject {
                        id: identity.id,
                        object,
                    });
                }
            },
            Err(problem) => {
                if let Some(stored) = stored {
                    // All that leads to it, or guards that, is where it is.
                    if let Some(namespace) = namespace(stored) {
                        namespace.clone_into(&mut self.namespace);
                    }
                    self.keep(stored);
                    self.keeps_deployment |= identity.kind == DEPLOYMENT;
                }
                self.say(problem);
            }
        }
    }

    /// The spec of the object as it is stored.
    pub(crate) fn stored_spec(&self, identity: &Identity) -> Option<&'a Value> {
        self.stored_here(identity)?.object.get("spec")
    }

    /// Whether the object is stored.
    pub(crate) fn is_stored(&self, identity: &Identity) -> bool {
        self.stored_here(identity).is_some()
    }

    /// What stays where the object cannot be made: its stored form. What runs goes on where it does, until it can be made
    /// where the binding wants it.
    fn stored(&self, identity: &Identity) -> Option<&'a BundleObject> {
        let runs = matches!(identity.kind, DEPLOYMENT | "CronJob");
        self.stored_anywhere(identity)
            .filter(|stored| runs || self.is_here(stored))
    }

    /// The object as it is stored. One in another namespace is another: an edit of the project moves the binding.
    fn stored_here(&self, identity: &Identity) -> Option<&'a BundleObject> {
        self.stored_anywhere(identity)
            .filter(|stored| self.is_here(stored))
    }

    fn stored_anywhere(&self, identity: &Identity) -> Option<&'a BundleObject> {
        let stored = *self.stored.get(identity.id.as_str())?;
        let object = &stored.object;
        let is_it = object["kind"] == identity.kind && object["metadata"]["name"] == identity.name.as_str();
        is_it.then_some(stored)
    }

    fn is_here(&self, stored: &BundleObject) -> bool {
        namespace(stored) == Some(self.namespace.as_str())
    }

    /// Whether what leads to the Deployment stays as it is stored, since that does.
    pub(crate) fn keeps_deployment(&self) -> bool {
        self.keeps_deployment
    }

    /// The stored form of what leads to the Deployment, where that is what stays, whatever is wanted now.
    pub(crate) fn kept(&self, identity: &Identity) -> Option<&'a BundleObject> {
        let leads_to_it = matches!(identity.kind, "Service" | HTTP_ROUTE);
        self.stored(identity)
            .filter(|_| self.keeps_deployment && leads_to_it)
    }

    /// Keeps all stored routes, those too that nobody asks for any more.
    pub(crate) fn keep_routes(&mut self) {
        let stored: Vec<_> = self.stored.values().copied().collect();
        for route in stored {
            if route.object["kind"] == HTTP_ROUTE && self.is_here(route) {
                self.keep(route);
            }
        }
    }

    /// Adds an object as it is stored.
    pub(crate) fn keep(&mut self, stored: &BundleObject) {
        let mut stored = stored.clone();
        if self.is_suspended {
            suspend(&mut stored.object);
        }
        self.push(stored);
    }

    /// Says something once, though several objects have it.
    pub(crate) fn say(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn push(&mut self, object: BundleObject) {
        self.ids.insert(object.id.clone());
        self.resources.push(object);
    }
}

fn namespace(stored: &BundleObject) -> Option<&str> {
    stored.object["metadata"]["namespace"].as_str()
}

/// Nothing of the object runs any more: a Deployment has no replicas, a CronJob starts no Jobs.
pub(crate) fn suspend(object: &mut Value) {
    let (field, value) = match object["kind"].as_str() {
        Some("Deployment") => ("replicas", 0.into()),
        Some("CronJob") => ("suspend", true.into()),
        _ => return,
    };
    if let Some(Value::Object(spec)) = object.get_mut("spec") {
        spec.insert(field.to_owned(), value);
    }
}

/// Names that Kubernetes would refuse for ever are refused here: the formulas that make them are not ours to change.
pub(crate) fn check(identity: &Identity) -> Option<Problem> {
    let (name, object) = (identity.name.as_str(), identity.object());
    let (limit, fits) = match identity.kind {
        "Service" => (LABEL, name::is_label(name)),
        "CronJob" => (CRON_JOB, name.len() <= CRON_JOB && name::is_subdomain(name)),
        _ => (RESOURCE, name::is_subdomain(name)),
    };
    if !labels::is_value(&identity.id) {
        return Some(Problem::Id {
            object,
            id: identity.id.clone(),
        });
    }
    (!fits).then(|| Problem::Name {
        object,
        name: name.to_owned(),
        limit,
    })
}
