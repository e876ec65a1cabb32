//! Who asks those that call by a route, and that no route is opened before whoever asks is in place.
//!
//! A SecurityPolicy of Envoy Gateway names what it is for in `targetRefs`. One that its plane refuses, for whatever
//! reason, would leave its route open to everybody: so a route that is not there yet waits for it. One that is there
//! stays as it is reached, and follows its spec.

use std::collections::BTreeMap;

use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use outhaul_protocol_wire::spec::{Entry, Manifest};
use serde_json::Value;

use crate::blocker::blocker;

/// Fields of a SecurityPolicy's spec that ask nobody: what it is for, and what browsers may do.
const ASKS_NOBODY: [&str; 4] = ["targetRef", "targetRefs", "targetSelectors", "cors"];

/// Whether those are in place that ask whoever calls by an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Guarded {
    /// All of them, or nobody is to be asked.
    #[default]
    Yes,
    /// One of them is on its way.
    NotYet,
    /// One of them is kept from being in place, and this is what keeps whom it guards.
    Blocked(Blocker),
}

impl Guarded {
    /// What is said of an object while its guard is kept from being in place by `why`.
    pub fn blocked(guard: &ObjectRef, why: &Blocker) -> Self {
        let message = format!(
            "anybody could call, since {} {}, which asks them, is not in place: {}",
            guard.kind, guard.name, why.message
        );
        Self::Blocked(blocker(BlockerReason::Unguarded, message))
    }
}

/// The guards among the objects of one spec, by what they guard.
#[derive(Debug, Default)]
pub struct Guards(BTreeMap<Identity, Vec<ObjectRef>>);

/// Group, kind, namespace and name.
type Identity = (String, String, String, String);

impl Guards {
    /// Those of a spec with these entries.
    pub fn of(entries: &[Entry]) -> Self {
        let mut guards = Self::default();
        let manifests = entries.iter().filter_map(|entry| entry.manifest.as_ref().ok());
        for policy in manifests.filter(|manifest| asks(manifest)) {
            for guarded in targets(policy) {
                let posted = guards.0.entry(guarded).or_default();
                posted.push(policy.object.clone());
            }
        }
        guards
    }

    /// Who guards this object.
    pub fn for_object(&self, object: &ObjectRef) -> Vec<ObjectRef> {
        let (group, kind, namespace, name) = object.identity();
        let identity = (group.into(), kind.into(), namespace.into(), name.into());
        self.0.get(&identity).cloned().unwrap_or_default()
    }
}

/// Whether it is a SecurityPolicy that asks anybody for anything.
fn asks(manifest: &Manifest) -> bool {
    let object = &manifest.object;
    let is_policy =
        (object.group.as_str(), object.kind.as_str()) == ("gateway.envoyproxy.io", "SecurityPolicy");
    let fields = manifest.body.get("spec").and_then(Value::as_object);
    let mut fields = fields.into_iter().flatten().filter(|(_, value)| !value.is_null());
    is_policy && fields.any(|(field, _)| !ASKS_NOBODY.contains(&field.as_str()))
}

/// What a policy is for, which is in its own namespace.
fn targets(policy: &Manifest) -> impl Iterator<Item = Identity> {
    let spec = policy.body.get("spec");
    let many = spec.and_then(|spec| spec.get("targetRefs")?.as_array());
    let one = spec.and_then(|spec| spec.get("targetRef"));
    let references = many.into_iter().flatten().chain(one);
    references.filter_map(|reference| {
        let field = |name: &str| Some(reference.get(name)?.as_str()?.to_owned());
        let namespace = policy.object.namespace.clone();
        Some((field("group")?, field("kind")?, namespace, field("name")?))
    })
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::BundleKind;
    use outhaul_protocol_wire::spec::Spec;
    use serde_json::json;

    use super::*;

    /// The guards of the HTTPRoute `shop/api` in a spec with one policy of this namespace and spec.
    fn guards(namespace: &str, spec: &Value) -> usize {
        let policy = json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "SecurityPolicy",
            "metadata": {"name": "api", "namespace": namespace}, "spec": spec,
        });
        let spec = json!({"resources": [{"id": "policy", "object": policy}]});
        let spec = Spec::read(BundleKind::Release, &spec).unwrap();
        let route = ObjectRef {
            group: "gateway.networking.k8s.io".into(),
            version: "v1".into(),
            kind: "HTTPRoute".into(),
            namespace: "shop".into(),
            name: "api".into(),
        };
        Guards::of(&spec.entries).for_object(&route).len()
    }

    #[test]
    fn a_policy_guards_what_it_is_for_and_only_where_it_asks_anybody() {
        let route =
            |name: &str| json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name});
        let jwt = json!({"providers": []});
        let cases = [
            (json!({"targetRefs": [route("api")], "jwt": jwt}), 1),
            (json!({"targetRefs": [route("web"), route("api")], "jwt": jwt}), 1),
            (json!({"targetRef": route("api"), "authorization": {}}), 1),
            (json!({"targetRefs": [route("web")], "jwt": jwt}), 0),
            (json!({"targetRefs": [route("api")]}), 0),
            (json!({"targetRefs": [route("api")], "cors": {}, "jwt": null}), 0),
            (json!({"targetRefs": "api", "jwt": jwt}), 0),
            (json!({"jwt": jwt}), 0),
            (json!([]), 0),
        ];
        for (spec, expected) in cases {
            assert_eq!(guards("shop", &spec), expected, "{spec}");
            assert_eq!(guards("elsewhere", &spec), 0, "{spec}");
        }
    }
}
