//! In which order objects of one resource go in: what others need comes first. They go out the other way round.

use outhaul_protocol_wire::object::ObjectRef;

/// A step of the order. Objects of one stage are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Namespaces: everything else is in them.
    Namespaces,
    /// Definitions of kinds, and what decides about requests.
    Definitions,
    /// Identities and rights, which workloads start with.
    Rights,
    /// What workloads read when they start.
    Config,
    /// Workloads, Services, and every kind that is not named here.
    Workloads,
    /// Who may call, before anything sends calls: not for a moment is a route open to others, see [`crate::guards`].
    Guards,
    /// What sends traffic to workloads.
    Routes,
}

/// The stage of an object, by its group and kind.
pub fn stage(object: &ObjectRef) -> Stage {
    match (object.group.as_str(), object.kind.as_str()) {
        ("", "Namespace") => Stage::Namespaces,
        ("apiextensions.k8s.io", _) | ("scheduling.k8s.io" | "storage.k8s.io" | "node.k8s.io", _) => {
            Stage::Definitions
        }
        ("rbac.authorization.k8s.io", _) | ("", "ServiceAccount") => Stage::Rights,
        ("", "ConfigMap" | "Secret" | "LimitRange" | "ResourceQuota")
        | ("", "PersistentVolume" | "PersistentVolumeClaim")
        | ("secrets-store.csi.x-k8s.io" | "external-secrets.io", _)
        | ("networking.k8s.io", "NetworkPolicy")
        | ("cilium.io", _) => Stage::Config,
        ("gateway.envoyproxy.io", "SecurityPolicy" | "BackendTrafficPolicy") => Stage::Guards,
        ("networking.k8s.io", "Ingress")
        | ("gateway.networking.k8s.io" | "gateway.envoyproxy.io" | "apiregistration.k8s.io", _)
        | ("admissionregistration.k8s.io", _) => Stage::Routes,
        _ => Stage::Workloads,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_comes_first() {
        let of = |group: &str, kind: &str| {
            stage(&ObjectRef {
                group: group.into(),
                version: "v1".into(),
                kind: kind.into(),
                namespace: String::new(),
                name: "x".into(),
            })
        };
        let ordered = [
            of("", "Namespace"),
            of("apiextensions.k8s.io", "CustomResourceDefinition"),
            of("rbac.authorization.k8s.io", "Role"),
            of("", "Secret"),
            of("apps", "Deployment"),
            of("gateway.envoyproxy.io", "SecurityPolicy"),
            of("gateway.networking.k8s.io", "HTTPRoute"),
        ];
        assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]), "{ordered:?}");
        assert_eq!(of("", "ServiceAccount"), Stage::Rights);
        assert_eq!(of("networking.k8s.io", "NetworkPolicy"), Stage::Config);
        assert_eq!(of("example.dev", "Widget"), Stage::Workloads);
    }
}
