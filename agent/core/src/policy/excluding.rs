//! What the hub may not manage here: what the owner's policy does not name, and what no policy lets it have.

use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::pattern;
use outhaul_protocol_wire::report::{Blocker, BlockerReason};
use serde_json::Value;

use super::Policy;
use super::document::Kind;
use crate::blocker::blocker;
use crate::manifest::Body;

/// The agent's own roles, where they are of the whole cluster: by their names, since the rest is in its namespace.
const OWN_ROLES: [&str; 3] = ["outhaul-agent", "outhaul-agent-*", "outhaul-tunnel"];

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

impl Policy {
    /// Why an object of a resource is not managed, where the policy excludes it. `body` is what is sent of it, where
    /// anything is.
    pub fn excludes(&self, key: &Key, object: &ObjectRef, body: Option<&Body>) -> Option<Blocker> {
        let why = self
            .refuses(object, body)
            .or_else(|| self.leaves_out(key, object))?;
        let message = format!("the plane's policy forbids it: {why}");
        Some(blocker(BlockerReason::PolicyForbids, message))
    }

    /// Why a namespace is not made for the objects of a resource.
    pub fn excludes_namespace(&self, key: &Key, name: &str) -> Option<Blocker> {
        let namespace = ObjectRef {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
        };
        self.excludes(key, &namespace, None)
    }

    /// What is refused whatever the policy says: whoever can change the agent or its rights can do anything here.
    fn refuses(&self, object: &ObjectRef, body: Option<&Body>) -> Option<String> {
        let home = &self.home;
        let kind = (object.group.as_str(), object.kind.as_str());
        if object.namespace == *home || (kind == ("", "Namespace") && object.name == *home) {
            return Some(format!(
                "{home} is the agent's own namespace, and no policy allows that"
            ));
        }
        let own_role = || OWN_ROLES.iter().any(|own| pattern::matches(own, &object.name));
        if matches!(kind, (RBAC, "ClusterRole" | "ClusterRoleBinding")) && own_role() {
            return Some("it has the name of a role of the agent, and no policy allows that".to_owned());
        }
        if matches!(kind, (RBAC, "RoleBinding" | "ClusterRoleBinding"))
            && body.is_some_and(|body| binds_into(&body.value(), home))
        {
            return Some(format!(
                "it gives rights to somebody in the agent's own namespace {home}, and no policy allows that"
            ));
        }
        let name = kind_of(object);
        let named = |kinds: &Vec<Kind>| kinds.iter().any(|kind| kind.0 == name);
        (object.group == ADMISSION && !self.document.kinds.as_ref().is_some_and(named)).then(|| {
            format!("what decides about admission has to be named in full, and kinds does not name {name}")
        })
    }

    /// What the policy does not name.
    fn leaves_out(&self, key: &Key, object: &ObjectRef) -> Option<String> {
        let document = &self.document;
        let kind = kind_of(object);
        let namespace = match (object.group.as_str(), object.kind.as_str()) {
            ("", "Namespace") => object.name.as_str(),
            _ => object.namespace.as_str(),
        };
        if let Some(organizations) = &document.organizations
            && !organizations
                .iter()
                .any(|it| pattern::matches(&it.0, &key.namespace))
        {
            return Some(format!("organizations does not name {:?}", key.namespace));
        }
        match (&document.namespaces, &document.kinds) {
            (Some(namespaces), _)
                if !namespace.is_empty()
                    && !namespaces.iter().any(|it| pattern::matches(&it.0, namespace)) =>
            {
                Some(format!("namespaces does not name {namespace:?}"))
            }
            (_, Some(kinds)) if !kinds.iter().any(|it| pattern::matches(&it.0, &kind)) => {
                Some(format!("kinds does not name {kind}"))
            }
            // Whoever names namespaces does not mean what is in none.
            (Some(_), None) if namespace.is_empty() => Some(format!(
                "namespaces is given and it is in none: kinds would have to name {kind}"
            )),
            _ => None,
        }
    }
}

fn kind_of(object: &ObjectRef) -> String {
    match object.group.as_str() {
        "" => object.kind.clone(),
        group => format!("{group}/{}", object.kind),
    }
}

/// Whether a binding has a subject in this namespace.
fn binds_into(binding: &Value, namespace: &str) -> bool {
    let subjects = binding.get("subjects").and_then(Value::as_array);
    let service_accounts = format!("system:serviceaccounts:{namespace}");
    let service_account = format!("system:serviceaccount:{namespace}:");
    let concerns = |subject: &Value| {
        let text = |field| subject.get(field).and_then(Value::as_str).unwrap_or_default();
        let name = text("name");
        text("namespace") == namespace || name == service_accounts || name.starts_with(&service_account)
    };
    subjects.into_iter().flatten().any(concerns)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::release_key;

    /// `apps/Deployment shop/cart`, or `Namespace shop`.
    fn object(text: &str) -> ObjectRef {
        let (kind, name) = text.split_once(' ').unwrap();
        let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        ObjectRef {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn policy(text: &str) -> Policy {
        Policy::read(
            "outhaul-system",
            Some(&json!({"data": {"policy.yaml": text}})),
            None,
        )
    }

    /// Why the Release `acme/cart` may not have an object.
    fn why(policy: &Policy, what: &str) -> Option<String> {
        let blocker = policy.excludes(&release_key("cart"), &object(what), None)?;
        assert_eq!(blocker.reason, BlockerReason::PolicyForbids);
        let why = blocker.message.strip_prefix("the plane's policy forbids it: ");
        Some(why.unwrap().to_owned())
    }

    #[test]
    fn what_a_field_leaves_out_is_excluded_in_its_name() {
        let cases = [
            ("{}", "ConfigMap shop/one", None),
            ("organizations: [acme]", "ConfigMap shop/one", None),
            ("organizations: [ac*]", "Namespace shop", None),
            (
                "organizations: [other]",
                "ConfigMap shop/one",
                Some("organizations does not name \"acme\""),
            ),
            (
                "organizations: []",
                "Namespace shop",
                Some("organizations does not name \"acme\""),
            ),
            ("namespaces: [shop-*]", "ConfigMap shop-dev/one", None),
            (
                "namespaces: [shop-*]",
                "ConfigMap shop/one",
                Some("namespaces does not name \"shop\""),
            ),
            ("namespaces: [shop-*]", "Namespace shop-dev", None),
            (
                "namespaces: [shop-*]",
                "Namespace kube-system",
                Some("namespaces does not name \"kube-system\""),
            ),
            (
                "namespaces: [shop-*]",
                "storage.k8s.io/StorageClass fast",
                Some(
                    "namespaces is given and it is in none: kinds would have to name storage.k8s.io/StorageClass",
                ),
            ),
            (
                "{namespaces: [shop], kinds: ['*']}",
                "storage.k8s.io/StorageClass fast",
                None,
            ),
            ("kinds: [apps/*, ConfigMap]", "apps/Deployment shop/cart", None),
            ("kinds: [apps/*, ConfigMap]", "ConfigMap shop/one", None),
            (
                "kinds: [Deployment]",
                "apps/Deployment shop/cart",
                Some("kinds does not name apps/Deployment"),
            ),
            (
                "kinds: [ConfigMap]",
                "Namespace shop",
                Some("kinds does not name Namespace"),
            ),
        ];
        for (text, what, expected) in cases {
            let policy = policy(text);
            assert_eq!(policy.problem(), None, "{text}");
            assert_eq!(why(&policy, what).as_deref(), expected, "{text} {what}");
        }
    }

    #[test]
    fn no_policy_gives_the_agent_away() {
        let open = ["{}", "kinds: ['*']", "namespaces: ['*']"].map(policy);
        for policy in open.iter().chain([&Policy::open("outhaul-system")]) {
            for what in [
                "Namespace outhaul-system",
                "ConfigMap outhaul-system/outhaul-policy",
                "ServiceAccount outhaul-system/outhaul-agent",
                "rbac.authorization.k8s.io/Role outhaul-system/anything",
                "rbac.authorization.k8s.io/ClusterRole outhaul-agent",
                "rbac.authorization.k8s.io/ClusterRoleBinding outhaul-agent-view",
                "rbac.authorization.k8s.io/ClusterRole outhaul-tunnel",
                "admissionregistration.k8s.io/ValidatingWebhookConfiguration gate",
                "admissionregistration.k8s.io/MutatingWebhookConfiguration gate",
            ] {
                assert!(why(policy, what).is_some(), "{policy:?} {what}");
            }
        }
        let named = policy("kinds: ['*', admissionregistration.k8s.io/ValidatingWebhookConfiguration]");
        let gate = |kind: &str| why(&named, &format!("admissionregistration.k8s.io/{kind} gate"));
        assert_eq!(gate("ValidatingWebhookConfiguration"), None);
        assert!(gate("ValidatingAdmissionPolicy").is_some());
        assert_eq!(
            gate("MutatingWebhookConfiguration").as_deref(),
            Some(
                "what decides about admission has to be named in full, and kinds does not name \
                 admissionregistration.k8s.io/MutatingWebhookConfiguration"
            )
        );
    }

    #[test]
    fn nobody_in_the_agents_namespace_is_given_rights() {
        let policy = Policy::open("outhaul-system");
        let given = |kind: &str, subject: Value| {
            let body = Body::of(&json!({"subjects": [{"kind": "User", "name": "ann"}, subject]}));
            let object = object(&format!("rbac.authorization.k8s.io/{kind} view"));
            policy
                .excludes(&release_key("cart"), &object, Some(&body))
                .is_some()
        };
        let account =
            |namespace: &str| json!({"kind": "ServiceAccount", "namespace": namespace, "name": "x"});
        assert!(given("ClusterRoleBinding", account("outhaul-system")));
        assert!(given("RoleBinding", account("outhaul-system")));
        assert!(!given("RoleBinding", account("shop")));
        for (kind, name) in [
            ("Group", "system:serviceaccounts:outhaul-system"),
            ("User", "system:serviceaccount:outhaul-system:outhaul-agent"),
        ] {
            assert!(
                given("ClusterRoleBinding", json!({"kind": kind, "name": name})),
                "{name}"
            );
        }
        assert!(!given(
            "ClusterRoleBinding",
            json!({"kind": "Group", "name": "ops"})
        ));
    }
}
