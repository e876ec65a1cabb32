//! What a stand-in wants done, and how it is done: by requests like anybody's.

use serde_json::{Value, json};

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
}

impl Action {
    /// Does it.
    ///
    /// # Errors
    /// With the API's answer when it is refused.
    pub(super) fn perform(self, cluster: &mut Cluster, moment: &mut Moment) -> Result<(), Refusal> {
        match self {
            Self::Create { resource, object } => {
                let key = Key::new(meta::namespace(&object), "");
                send(cluster, Verb::Create, &resource, &key, None, object, moment)
            }
            Self::Patch { resource, key, patch } => {
                send(cluster, Verb::Patch, &resource, &key, None, patch, moment)
            }
            Self::SetStatus {
                resource,
                key,
                status,
            } => {
                let Some(object) = cluster.find(&resource, &key.namespace, &key.name) else {
                    return Ok(());
                };
                let mut object = object.value().clone();
                if object["status"] == status {
                    return Ok(());
                }
                object["status"] = status;
                send(
                    cluster,
                    Verb::Update,
                    &resource,
                    &key,
                    Some("status"),
                    object,
                    moment,
                )
            }
            Self::Delete { resource, key } => {
                send(cluster, Verb::Delete, &resource, &key, None, Value::Null, moment)
            }
            Self::Bind { key, node } => {
                bind(cluster, &key, &node);
                Ok(())
            }
        }
    }
}

fn send(
    cluster: &mut Cluster,
    verb: Verb,
    resource: &GroupResource,
    key: &Key,
    subresource: Option<&str>,
    body: Value,
    moment: &mut Moment,
) -> Result<(), Refusal> {
    let Some(kind) = cluster.registry().get(resource) else {
        return Ok(());
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
        _ => Ok(()),
    }
}

fn refusal(code: u16, body: Body) -> Refusal {
    let message = match &body {
        Body::Value(status) => status["message"].as_str().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Refusal::new(code, "", message)
}

fn bind(cluster: &mut Cluster, key: &Key, node: &str) {
    let pods = GroupResource::new("", "pods");
    if let Some(pod) = cluster.store.get(&pods, key) {
        let mut bound = pod.value().clone();
        bound["spec"]["nodeName"] = node.into();
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
