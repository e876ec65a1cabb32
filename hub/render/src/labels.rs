//! Labels that rendered resources carry.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use outhaul_hub_resources::ComponentOwner;

/// The longest label value.
pub(crate) const VALUE: usize = 63;

/// The label of bindings and Releases that says their environment.
pub(crate) const ENVIRONMENT: &str = "openchoreo.dev/environment";

/// Labels of one object.
pub(crate) type Labels = BTreeMap<String, String>;

/// Of resources in the control plane: those of their parent, and whose they are.
pub(crate) fn in_control_plane(parent: &ObjectMeta, owner: &ComponentOwner, environment: &str) -> Labels {
    let mut labels = parent.labels.clone().unwrap_or_default();
    labels.extend([
        (
            "openchoreo.dev/organization".to_owned(),
            parent.namespace.clone().unwrap_or_default(),
        ),
        ("openchoreo.dev/project".to_owned(), owner.project_name.clone()),
        (
            "openchoreo.dev/component".to_owned(),
            owner.component_name.clone(),
        ),
        (ENVIRONMENT.to_owned(), environment.to_owned()),
    ]);
    labels
}

/// Of objects in a plane: whose they are. Selectors have the same.
pub(crate) fn in_plane(organization: &str, owner: &ComponentOwner, environment: &str) -> Labels {
    [
        ("organization-name", organization),
        ("project-name", &owner.project_name),
        ("component-name", &owner.component_name),
        ("environment-name", environment),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Whether Kubernetes takes `text` as the value of a label.
pub(crate) fn is_value(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    text.is_empty() || (text.len() <= VALUE && text.bytes().all(inner) && ends(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_as_kubernetes_judges_them() {
        for good in ["", "a", "A.b_c-9", &"x".repeat(63)] {
            assert!(is_value(good), "{good}");
        }
        for bad in ["-a", "a-", "a b", "ü", "a/b", &"x".repeat(64)] {
            assert!(!is_value(bad), "{bad}");
        }
    }

    #[test]
    fn labels_of_a_parent_give_way_to_whose_it_is() {
        let owner = ComponentOwner {
            project_name: "shop".to_owned(),
            component_name: "books".to_owned(),
        };
        let inherited = Labels::from([
            ("team".to_owned(), "a".to_owned()),
            ("openchoreo.dev/project".to_owned(), "other".to_owned()),
        ]);
        let parent = ObjectMeta {
            namespace: Some("default".to_owned()),
            labels: Some(inherited),
            ..ObjectMeta::default()
        };
        let labels = in_control_plane(&parent, &owner, "development");
        let labels: Vec<_> = labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            labels,
            [
                ("openchoreo.dev/component", "books"),
                ("openchoreo.dev/environment", "development"),
                ("openchoreo.dev/organization", "default"),
                ("openchoreo.dev/project", "shop"),
                ("team", "a"),
            ]
        );
    }
}
