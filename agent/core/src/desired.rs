//! What one resource wants in the plane: its objects, ready to be sent.

use std::collections::BTreeSet;

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use outhaul_protocol_wire::spec::{Entry, Environment, Lifecycle, Manifest, Spec, SpecError};
use serde_json::Value;

use crate::blocker::blocker;
use crate::guards::Guards;
use crate::held;
use crate::manifest::{self, Body};
use crate::shallow;
use crate::stage::{Stage, stage};

/// All that one spec wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// Its objects, in spec order.
    pub objects: Vec<DesiredObject>,
    /// Objects that have to be there first, and are not its own.
    pub ensure: Vec<DesiredObject>,
    /// For a Release: where it belongs.
    pub environment: Option<Environment>,
}

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredObject {
    /// Its id within the spec.
    pub id: String,
    /// Which object; empty if its manifest cannot be read.
    pub reference: ObjectRef,
    /// When it is its turn.
    pub stage: Stage,
    /// What to send, or why it cannot be.
    pub body: Result<Body, Blocker>,
    /// Whether it has the annotation that protects it.
    pub protected: bool,
    /// Whether it is created one time, and runs to its end.
    pub once: bool,
    /// Objects of the same spec that ask whoever calls by it.
    pub guards: Vec<ObjectRef>,
}

impl Desired {
    /// What the `spec` of the resource `key` wants.
    ///
    /// # Errors
    /// The spec as a whole cannot be read. That is never the same as wanting nothing.
    pub fn read(key: &Key, spec: &Value) -> Result<Self, SpecError> {
        let Spec {
            entries,
            ensure,
            lifecycle,
            environment,
        } = Spec::read(key.kind, spec)?;
        let role = match lifecycle {
            Lifecycle::Continuous => Role::Kept,
            Lifecycle::Once => Role::Once,
        };
        let guards = Guards::of(&entries);
        let read = |entries: Vec<Entry>, role| {
            let objects = entries.into_iter();
            objects
                .map(|entry| DesiredObject::read(key, entry, role, &guards))
                .collect()
        };
        Ok(Self {
            objects: read(entries, role),
            ensure: read(ensure, Role::Ensured),
            environment,
        })
    }

    /// The namespaces that must exist first and are no object of the spec themselves.
    pub fn namespaces(&self) -> BTreeSet<&str> {
        let applied = |object: &&DesiredObject| object.stage == Stage::Namespaces;
        let own: BTreeSet<_> = self
            .objects
            .iter()
            .filter(applied)
            .map(|it| it.reference.name.as_str())
            .collect();
        let used = self
            .objects
            .iter()
            .map(|object| object.reference.namespace.as_str());
        used.filter(|namespace| !namespace.is_empty() && !own.contains(namespace))
            .collect()
    }
}

/// What an object of a spec is to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is kept as it is there.
    Kept,
    /// It is created one time.
    Once,
    /// It is created where it is absent, and not the resource's own.
    Ensured,
}

impl DesiredObject {
    fn read(key: &Key, entry: Entry, role: Role, guards: &Guards) -> Self {
        let Entry { id, manifest } = entry;
        let (reference, body, protected) = match manifest {
            Ok(manifest) => {
                let protected = manifest.body.get("metadata").is_some_and(held::is_annotated);
                let body = match deepest(&manifest) {
                    0..=shallow::OBJECT_LEVELS => match role {
                        Role::Kept => manifest::body(key, &id, &manifest),
                        Role::Once => manifest::body_once(key, &id, &manifest),
                        Role::Ensured => Ok(manifest::body_unowned(&manifest)),
                    }
                    .map_err(|error| blocker(BlockerReason::Invalid, error.to_string())),
                    _ => Err(too_deep()),
                };
                (manifest.object, body, protected)
            }
            Err(error) => (
                nothing(),
                Err(blocker(BlockerReason::Malformed, error.to_string())),
                false,
            ),
        };
        Self {
            id,
            stage: stage(&reference),
            guards: guards.for_object(&reference),
            reference,
            body,
            protected,
            once: role == Role::Once,
        }
    }
}

fn deepest(manifest: &Manifest) -> usize {
    1 + manifest
        .body
        .values()
        .map(shallow::levels)
        .max()
        .unwrap_or_default()
}

fn too_deep() -> Blocker {
    let most = shallow::OBJECT_LEVELS;
    blocker(
        BlockerReason::Invalid,
        format!("it nests more than {most} levels deep: keep what lies deeper in a string"),
    )
}

fn nothing() -> ObjectRef {
    ObjectRef {
        group: String::new(),
        version: String::new(),
        kind: String::new(),
        namespace: String::new(),
        name: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{config_map, release_key};

    #[test]
    fn an_object_that_cannot_be_sent_has_a_blocker_and_the_others_a_body() {
        let spec = json!({"resources": [
            {"id": "good", "object": config_map("one", "1")},
            {"id": "no kind", "object": {"apiVersion": "v1", "metadata": {"name": "x"}}},
            {"id": "a bad label", "object": config_map("two", "1")},
        ]});
        let desired = Desired::read(&release_key("cart"), &spec).unwrap();
        let reasons: Vec<_> = desired
            .objects
            .iter()
            .map(|it| it.body.as_ref().err().map(|it| it.reason))
            .collect();
        assert_eq!(
            reasons,
            [None, Some(BlockerReason::Malformed), Some(BlockerReason::Invalid)]
        );
    }

    #[test]
    fn namespaces_that_the_spec_brings_along_are_not_made_beforehand() {
        let namespace =
            |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let mut elsewhere = config_map("two", "1");
        elsewhere["metadata"]["namespace"] = "other".into();
        let spec = json!({"resources": [
            {"id": "a", "object": config_map("one", "1")},
            {"id": "b", "object": elsewhere},
            {"id": "c", "object": namespace("other")},
        ]});
        let desired = Desired::read(&release_key("cart"), &spec).unwrap();
        assert_eq!(desired.namespaces(), BTreeSet::from(["shop"]));
    }
}
