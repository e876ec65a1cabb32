//! From an APIBinding to its Release, which has no objects yet.

use outhaul_hub_resources::{API, APIBinding, APIClass, Release, ReleaseState};

use crate::{
    problem::{RenderError, Warning},
    release::{self, Rendered, Wanted},
};

/// What an APIBinding is rendered from, beside itself. All of it is of the binding's namespace.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// The API that `spec.apiName` names.
    pub api: Option<&'a API>,
    /// The class that `spec.apiClassName` names. It must exist; nothing is taken from it.
    pub class: Option<&'a APIClass>,
    /// The Release of the binding's name.
    pub existing: Option<&'a Release>,
}

/// What the binding wants of its Release, whose labels are left alone. There is nothing in it to suspend.
///
/// # Errors
/// Something that the binding names does not exist, or the Release is another's.
pub fn release(binding: &APIBinding, inputs: &Inputs<'_>) -> Result<Wanted, RenderError> {
    let spec = &binding.spec;
    if spec.release_state == ReleaseState::Undeploy {
        return Ok(Wanted::NoRelease);
    }
    let namespace = || binding.metadata.namespace.clone().unwrap_or_default();
    inputs.class.ok_or_else(|| RenderError::ApiClassNotFound {
        class: spec.api_class_name.clone(),
        api: spec.api_name.clone(),
        namespace: namespace(),
        field: "spec.apiClassName".to_owned(),
    })?;
    let api = inputs.api.ok_or_else(|| RenderError::ApiNotFound {
        name: spec.api_name.clone(),
        namespace: namespace(),
    })?;
    Ok(Wanted::Release(Rendered {
        change: release::empty(binding, &api.spec.owner, &spec.environment_name, inputs.existing)?,
        problems: Vec::new(),
        unrendered: None,
        keeps_addresses: false,
        warnings: vec![Warning::NotExposed(spec.api_name.clone())],
        class: None,
    }))
}

#[cfg(test)]
mod tests {
    use outhaul_hub_resources::{APIBindingSpec, APIClassSpec, APISpec, ComponentOwner, ReleaseSpec};

    use super::*;
    use crate::Change;

    fn change(wanted: Wanted) -> Change<Release> {
        match wanted {
            Wanted::Release(rendered) => rendered.change,
            Wanted::NoRelease => panic!("it wants a Release"),
        }
    }

    fn binding() -> APIBinding {
        let spec = APIBindingSpec {
            api_name: "books".to_owned(),
            api_class_name: "open".to_owned(),
            environment_name: "staging".to_owned(),
            ..APIBindingSpec::default()
        };
        let mut binding = APIBinding::new("books", spec);
        binding.metadata.namespace = Some("acme".to_owned());
        binding.metadata.uid = Some("uid-1".to_owned());
        binding.metadata.labels = Some([("team".to_owned(), "a".to_owned())].into());
        binding
    }

    #[test]
    fn its_release_has_no_objects_and_no_labels() {
        let owner = ComponentOwner {
            project_name: "shop".to_owned(),
            component_name: "books".to_owned(),
        };
        let api = API::new(
            "books",
            APISpec {
                owner: owner.clone(),
                ..APISpec::default()
            },
        );
        let class = APIClass::new("open", APIClassSpec::default());
        let mut inputs = Inputs {
            api: Some(&api),
            class: Some(&class),
            existing: None,
        };
        let Change::Create(release) = change(super::release(&binding(), &inputs).unwrap()) else {
            panic!("there was none before")
        };
        let spec = ReleaseSpec {
            owner,
            environment_name: "staging".to_owned(),
            ..ReleaseSpec::default()
        };
        assert_eq!(release.spec, spec);
        assert_eq!(release.metadata.labels, None);
        assert_eq!(
            release.metadata.owner_references.as_ref().unwrap()[0].kind,
            "APIBinding"
        );
        let mut stored = release;
        stored.metadata.labels = Some([("hand".to_owned(), "made".to_owned())].into());
        inputs.existing = Some(&stored);
        assert_eq!(change(super::release(&binding(), &inputs).unwrap()), Change::Keep);
    }

    #[test]
    fn undeployed_it_needs_no_release_and_nothing_that_it_names() {
        let mut binding = binding();
        binding.spec.release_state = ReleaseState::Undeploy;
        assert_eq!(
            super::release(&binding, &Inputs::default()).unwrap(),
            Wanted::NoRelease
        );
    }

    #[test]
    fn what_it_names_must_exist() {
        let class = APIClass::new("open", APIClassSpec::default());
        let error = |inputs: &Inputs<'_>| super::release(&binding(), inputs).unwrap_err().to_string();
        assert_eq!(
            error(&Inputs::default()),
            r#"APIClass "open" not found for API "books": create it in namespace "acme", or correct spec.apiClassName"#
        );
        let inputs = Inputs {
            class: Some(&class),
            ..Inputs::default()
        };
        assert_eq!(
            error(&inputs),
            r#"API "books" not found: create it in namespace "acme", or correct spec.apiName"#
        );
    }
}
