//! What is common to the components of all types.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use outhaul_hub_resources::ComponentOwner;

use crate::{labels, problem::RenderError};

/// The environment of a component's first binding, where nobody says otherwise. Bindings for others are made by promotion.
pub const FIRST_ENVIRONMENT: &str = "development";

/// Whether Kubernetes takes the names of the owner as labels, which every binding has.
pub(crate) fn check(owner: &ComponentOwner) -> Result<(), RenderError> {
    for (what, name) in [
        ("spec.owner.projectName", &owner.project_name),
        ("spec.owner.componentName", &owner.component_name),
    ] {
        if !labels::is_value(name) {
            return Err(RenderError::Label {
                what,
                value: name.clone(),
            });
        }
    }
    Ok(())
}

/// The environment of a component's first binding, which may be there already, with this metadata and environment.
///
/// It stays where it is, as long as its label agrees: a hub that is started with another first environment, by mistake or
/// not, moves nothing that runs. Where the two do not agree, one was edited by hand.
pub(crate) fn environment<'a>(existing: Option<(&'a ObjectMeta, &'a str)>, first: &'a str) -> &'a str {
    let Some((metadata, environment)) = existing else {
        return first;
    };
    let labels = metadata.labels.as_ref();
    let label = labels.and_then(|labels| labels.get(labels::ENVIRONMENT));
    match label.map(String::as_str) {
        Some(label) if label == environment || environment == first => environment,
        Some(label) if label != first && !label.is_empty() => label,
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_stays_where_it_is_whatever_the_first_environment_is_now() {
        for (label, environment, first, expected) in [
            (Some("development"), "development", "development", "development"),
            (Some("development"), "development", "dev", "development"),
            // Edited by hand.
            (Some("development"), "other", "development", "development"),
            (Some("other"), "development", "development", "development"),
            (Some("development"), "other", "dev", "development"),
            (None, "other", "development", "development"),
        ] {
            let labels = label.map(|label| [(labels::ENVIRONMENT.to_owned(), label.to_owned())].into());
            let metadata = ObjectMeta {
                labels,
                ..ObjectMeta::default()
            };
            let existing = Some((&metadata, environment));
            assert_eq!(
                super::environment(existing, first),
                expected,
                "{label:?} {environment} {first}"
            );
        }
        assert_eq!(super::environment(None, "dev"), "dev");
    }
}
