//! Tracking labels: how an object in the plane says which resource it belongs to.
//!
//! They are a pure function of key and spec. Those of a Release are the ones that OpenChoreo's release controller
//! writes, so objects move between the two without a change; those of a Bundle are our own. Kubernetes limits
//! label values, and names can be longer: [`check`] says so before anything is sent.

use outhaul_protocol_wire::head::{BundleKind, Key};
use outhaul_protocol_wire::spec::Environment;
use serde_json::{Map, Value};

/// Kubernetes' limit for a label value.
const VALUE_BYTES: usize = 63;

/// The labels of one kind of resource.
struct Scheme {
    managed_by: (&'static str, &'static str),
    id: &'static str,
    uid: &'static str,
    name: &'static str,
    namespace: &'static str,
    created_by: &'static str,
}

const RELEASE: Scheme = Scheme {
    managed_by: ("openchoreo.dev/managed-by", "release-controller"),
    id: "openchoreo.dev/release-resource-id",
    uid: "openchoreo.dev/release-uid",
    name: "openchoreo.dev/release-name",
    namespace: "openchoreo.dev/release-namespace",
    created_by: "openchoreo.dev/created-by",
};

const BUNDLE: Scheme = Scheme {
    managed_by: ("outhaul.dev/managed-by", "outhaul"),
    id: "outhaul.dev/bundle-id",
    uid: "outhaul.dev/bundle-uid",
    name: "outhaul.dev/bundle-name",
    namespace: "outhaul.dev/bundle-namespace",
    created_by: "outhaul.dev/created-by",
};

/// Which resource an object says it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The kind of resource.
    pub kind: BundleKind,
    /// Its namespace in the control plane.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A label that Kubernetes would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the tracking label {label} would be {value:?}, which is no label value: use at most {VALUE_BYTES} letters, \
     digits, '-', '_' and '.', first and last a letter or digit"
)]
pub struct BadLabel {
    label: &'static str,
    value: String,
}

/// The field manager that objects of a resource of this kind are applied with.
pub fn field_manager(kind: BundleKind) -> &'static str {
    scheme(kind).managed_by.1
}

/// The label without which an object is of no resource of this kind.
pub fn marker(kind: BundleKind) -> &'static str {
    scheme(kind).managed_by.0
}

/// The label selector that finds all objects of resources of this kind.
pub fn selector(kind: BundleKind) -> String {
    let (label, value) = scheme(kind).managed_by;
    format!("{label}={value}")
}

/// The label selector that finds all objects of the resource `key`.
pub fn selector_of(key: &Key) -> String {
    format!("{},{}={}", selector(key.kind), scheme(key.kind).uid, key.uid)
}

/// The labels that the object `id` of the resource `key` gets. Others that it has are kept.
pub fn tracking(key: &Key, id: &str) -> [(&'static str, String); 5] {
    let scheme = scheme(key.kind);
    [
        (scheme.managed_by.0, scheme.managed_by.1.to_owned()),
        (scheme.id, id.to_owned()),
        (scheme.uid, key.uid.to_string()),
        (scheme.name, key.name.clone()),
        (scheme.namespace, key.namespace.clone()),
    ]
}

/// The labels of a namespace that is created for objects of the resource `key`. An existing namespace is never
/// touched, so the first resource in it wins.
pub fn of_namespace(key: &Key, environment: Option<&Environment>) -> Vec<(&'static str, String)> {
    let scheme = scheme(key.kind);
    let mut labels = vec![
        (scheme.created_by, scheme.managed_by.1.to_owned()),
        (scheme.name, key.name.clone()),
        (scheme.namespace, key.namespace.clone()),
        (scheme.uid, key.uid.to_string()),
    ];
    if let Some(environment) = environment {
        labels.push(("openchoreo.dev/environment", environment.name.clone()));
        labels.push(("openchoreo.dev/project", environment.project.clone()));
    }
    labels
}

/// # Errors
/// A value is none that Kubernetes takes.
pub fn check(labels: &[(&'static str, String)]) -> Result<(), BadLabel> {
    match labels.iter().find(|(_, value)| !is_label_value(value)) {
        None => Ok(()),
        Some((label, value)) => Err(BadLabel {
            label,
            value: value.clone(),
        }),
    }
}

/// The resources that an object's labels name; more than one if somebody mixed them.
pub fn owners(labels: Option<&Map<String, Value>>) -> Vec<Owner> {
    let Some(labels) = labels else {
        return Vec::new();
    };
    [BundleKind::Release, BundleKind::Bundle]
        .into_iter()
        .filter_map(|kind| owner(kind, labels))
        .collect()
}

impl Owner {
    /// Whether this is the resource `key`.
    pub fn is(&self, key: &Key) -> bool {
        // A hub that gives somebody else's uid to a key of its own does not get at what he has.
        self.kind == key.kind
            && self.uid == key.uid.as_str()
            && self.namespace == key.namespace
            && self.name == key.name
    }

    /// Whether this has the name of the resource `key`: it is that one, or what had its name in a control plane that was
    /// rebuilt, or before it was created again.
    pub fn is_namesake(&self, key: &Key) -> bool {
        (self.kind, &self.namespace, &self.name) == (key.kind, &key.namespace, &key.name)
    }
}

fn owner(kind: BundleKind, labels: &Map<String, Value>) -> Option<Owner> {
    let scheme = scheme(kind);
    let text = |label: &str| labels.get(label).and_then(Value::as_str);
    if text(scheme.managed_by.0) != Some(scheme.managed_by.1) {
        return None;
    }
    let owned = |label| text(label).unwrap_or_default().to_owned();
    Some(Owner {
        kind,
        namespace: owned(scheme.namespace),
        name: owned(scheme.name),
        uid: text(scheme.uid)?.to_owned(),
    })
}

fn scheme(kind: BundleKind) -> &'static Scheme {
    match kind {
        BundleKind::Release => &RELEASE,
        BundleKind::Bundle => &BUNDLE,
    }
}

fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return true;
    };
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    bytes.len() <= VALUE_BYTES
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bundle_key, release_key};

    fn as_map(labels: &[(&'static str, String)]) -> Map<String, Value> {
        labels
            .iter()
            .map(|(label, value)| ((*label).to_owned(), value.clone().into()))
            .collect()
    }

    #[test]
    fn a_release_labels_its_objects_as_openchoreo_does() {
        let labels = tracking(&release_key("cart"), "deployment");
        let expected = [
            ("openchoreo.dev/managed-by", "release-controller"),
            ("openchoreo.dev/release-resource-id", "deployment"),
            ("openchoreo.dev/release-uid", "uid-cart"),
            ("openchoreo.dev/release-name", "cart"),
            ("openchoreo.dev/release-namespace", "acme"),
        ];
        assert_eq!(
            labels.map(|(label, value)| (label, value)),
            expected.map(|(l, v)| (l, v.to_owned()))
        );
        assert_eq!(
            selector(BundleKind::Release),
            "openchoreo.dev/managed-by=release-controller"
        );
    }

    #[test]
    fn a_namespace_is_labelled_with_environment_and_project() {
        let environment = Environment {
            name: "development".into(),
            project: "shop".into(),
        };
        let labels = as_map(&of_namespace(&release_key("cart"), Some(&environment)));
        let expected = serde_json::json!({
            "openchoreo.dev/created-by": "release-controller",
            "openchoreo.dev/release-name": "cart",
            "openchoreo.dev/release-namespace": "acme",
            "openchoreo.dev/release-uid": "uid-cart",
            "openchoreo.dev/environment": "development",
            "openchoreo.dev/project": "shop",
        });
        assert_eq!(Value::Object(labels), expected);
    }

    #[test]
    fn an_owner_is_read_back_from_its_labels() {
        for key in [release_key("cart"), bundle_key("build")] {
            let owners = owners(Some(&as_map(&tracking(&key, "x"))));
            assert_eq!(owners.len(), 1);
            assert!(owners[0].is(&key), "{owners:?}");
            assert!(!owners[0].is(&release_key("other")));
            let renamed = Key {
                name: "other".to_owned(),
                ..key.clone()
            };
            assert!(!owners[0].is(&renamed), "the uid alone is no proof");
        }
        assert_eq!(owners(None), []);
    }

    #[test]
    fn values_that_kubernetes_refuses_are_named() {
        let cases = [
            ("a", true),
            ("A-b_c.9", true),
            ("", true),
            (&"a".repeat(63), true),
            (&"a".repeat(64), false),
            ("-a", false),
            ("a/b", false),
            ("é", false),
        ];
        for (value, valid) in cases {
            let checked = check(&tracking(&release_key("cart"), value));
            assert_eq!(checked.is_ok(), valid, "{value:?}: {checked:?}");
        }
    }
}
