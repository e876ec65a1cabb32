//! What a stand-in wants done, and how it is done: by requests like anybody's.

use std::time::Duration;

use serde_json::{Value, json};

use super::condition;
use super::note::{Note, Notes};
use crate::access::{MASTERS, User};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::reply::{Body, Outcome};
use crate::request::{Form, Options, PatchKind, Path, Request, Target, Verb};
use crate::store::Key;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Create this object.
    Create {
        /// Of this kind.
        resource: GroupResource,
        /// With namespace and name or generateName.
        object: Value,
        /// Say so, with the new name at the end.
        note: Option<Note>,
    },
    /// Merge this into an object.
    Patch {
        /// Of this kind.
        resource: GroupResource,
        /// Which.
        key: Key,
        /// What to merge.
        patch: Value,
    },
    /// Merge annotations into an object beside its status: by the subresource, so that its owner alone has a say in the
    /// rest.
    Annotate {
        /// Of this kind.
        resource: GroupResource,
        /// Which.
        key: Key,
        /// An object with strings.
        annotations: Value,
    },
    /// Give an object this status.
    SetStatus {
        /// Of this kind.
        resource: GroupResource,
        /// Which.
        key: Key,
        /// The whole status; null removes what is not in it.
        status: Value,
    },
    /// Delete an object.
    Delete {
        /// Of this kind.
        resource: GroupResource,
        /// Which.
        key: Key,
    },
    /// Give a pod a node, which is no change of its spec in the server's eyes.
    Bind {
        /// Which.
        key: Key,
        /// The node.
        node: String,
    },
    /// Write an Event.
    Say(Note),
    /// Look at the object again when so much time has passed.
    LookAgain(Duration),
}

impl Action {
    /// Does it; whatever wants to be looked at again is the business of who planned it.
    ///
    /// # Errors
    /// With the API's answer when it is refused.
    pub(super) fn perform(
        self,
        cluster: &mut Cluster,
        notes: &mut Notes,
        moment: &mut Moment,
    ) -> Result<(), Refusal> {
        match self {
            Self::Create {
                resource,
                object,
                note,
            } => create(cluster, notes, &resource, object, note, moment),
            Self::Patch { resource, key, patch } => {
                send(cluster, Verb::Patch, &resource, &key, None, patch, moment).map(drop)
            }
            Self::Annotate {
                resource,
                key,
                annotations,
            } => {
                let patch = json!({"metadata": {"annotations": annotations}});
                let part = has_status(cluster, &resource).then_some("status");
                send(cluster, Verb::Patch, &resource, &key, part, patch, moment).map(drop)
            }
            Self::SetStatus {
                resource,
                key,
                status,
            } => set_status(cluster, &resource, &key, status, moment),
            Self::Delete { resource, key } => {
                send(cluster, Verb::Delete, &resource, &key, None, Value::Null, moment).map(drop)
            }
            Self::Bind { key, node } => {
                bind(cluster, &key, &node, moment);
                Ok(())
            }
            Self::Say(note) => notes.write(note, cluster, moment),
            Self::LookAgain(_) => Ok(()),
        }
    }
}

fn create(
    cluster: &mut Cluster,
    notes: &mut Notes,
    resource: &GroupResource,
    object: Value,
    note: Option<Note>,
    moment: &mut Moment,
) -> Result<(), Refusal> {
    let key = Key::new(meta::namespace(&object), "");
    let outcome = send(cluster, Verb::Create, resource, &key, None, object, moment);
    let Some(note) = note else {
        return outcome.map(drop);
    };
    match outcome {
        Ok(created) => notes.write(note.naming(&created), cluster, moment),
        Err(refusal) => {
            // In a namespace that goes nothing more can be said, either; the refusal is returned anyway.
            drop(notes.write(note.failed(&refusal.message), cluster, moment));
            Err(refusal)
        }
    }
}

fn set_status(
    cluster: &mut Cluster,
    resource: &GroupResource,
    key: &Key,
    status: Value,
    moment: &mut Moment,
) -> Result<(), Refusal> {
    let Some(object) = cluster.find(resource, &key.namespace, &key.name) else {
        return Ok(());
    };
    if object.value()["status"] == status {
        return Ok(());
    }
    let mut object = object.value().clone();
    object["status"] = status;
    let part = has_status(cluster, resource).then_some("status");
    send(cluster, Verb::Update, resource, key, part, object, moment).map(drop)
}

/// Some custom kinds keep their status among the rest.
fn has_status(cluster: &Cluster, resource: &GroupResource) -> bool {
    let kind = cluster.registry().get(resource);
    kind.is_some_and(|kind| kind.versions[0].status)
}

/// Sends a request as the controllers would; returns the name of what it was about.
pub(super) fn send(
    cluster: &mut Cluster,
    verb: Verb,
    resource: &GroupResource,
    key: &Key,
    subresource: Option<&str>,
    body: Value,
    moment: &mut Moment,
) -> Result<String, Refusal> {
    let Some(kind) = cluster.registry().get(resource) else {
        return Ok(String::new());
    };
    let manager = if &*resource.resource == "pods" && subresource.is_some() {
        "kubelet"
    } else {
        "kube-controller-manager"
    };
    let named = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let target = Target {
        group: resource.group.to_string(),
        version: kind.versions[0].name.to_string(),
        resource: resource.resource.to_string(),
        namespace: named(&key.namespace),
        name: named(&key.name),
        subresource: subresource.map(str::to_owned),
        watch: false,
    };
    let request = Request {
        verb,
        path: Path::Resource(target),
        options: Options {
            field_manager: manager.to_owned(),
            ..Options::default()
        },
        form: Form::Object,
        patch: (verb == Verb::Patch).then_some(PatchKind::Merge),
        body,
    };
    let user = User::new(&format!("system:{manager}"), &[MASTERS]);
    match cluster.handle(&request, &user, moment) {
        Outcome::Reply(reply) if reply.code >= 400 => Err(refusal(reply.code, reply.body)),
        Outcome::Reply(reply) => Ok(name_in(&reply.body)),
        Outcome::Watch(_) => Ok(String::new()),
    }
}

fn name_in(body: &Body) -> String {
    match body {
        Body::Object(object) => meta::name(object.value()).to_owned(),
        Body::Value(value) => meta::name(value).to_owned(),
        Body::List { .. } | Body::Text(_) | Body::Document(_) => String::new(),
    }
}

fn refusal(code: u16, body: Body) -> Refusal {
    let message = match &body {
        Body::Value(status) => status["message"].as_str().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Refusal::new(code, "", message)
}

fn bind(cluster: &mut Cluster, key: &Key, node: &str, moment: &Moment) {
    let pods = GroupResource::new("", "pods");
    if let Some(pod) = cluster.store.get(&pods, key) {
        let mut bound = pod.value().clone();
        bound["spec"]["nodeName"] = node.into();
        condition::put(
            &mut bound["status"],
            condition::of_pod("PodScheduled", true, "", "", moment),
        );
        cluster.store.put(&pods, bound);
    }
}

/// The key of an object, as actions name it.
pub(super) fn key(object: &Value) -> Key {
    Key::of(object)
}

/// An owner reference to the controller `owner`.
pub(super) fn controlled_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta::name(owner), "uid": meta::uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    }])
}
