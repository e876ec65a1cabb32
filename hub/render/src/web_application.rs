//! From a WebApplication and its Workload to its binding.

use kube::ResourceExt as _;
use outhaul_hub_resources::{WebApplication, WebApplicationBinding, WebApplicationBindingSpec, Workload};

use crate::{
    change::{self, Change},
    component, labels,
    problem::RenderError,
};

/// What is to be done about the binding, which has the name of the WebApplication.
///
/// Its spec is replaced as a whole, the release state apart: that is for whoever operates it.
///
/// # Errors
/// Another resource controls the binding, or the owner has a name that cannot be a label of it.
pub fn binding(
    parent: &WebApplication,
    workload: &Workload,
    existing: Option<&WebApplicationBinding>,
    first_environment: &str,
) -> Result<Change<WebApplicationBinding>, RenderError> {
    let spec = &parent.spec;
    component::check(&spec.owner)?;
    let there = existing.map(|existing| (&existing.metadata, existing.spec.environment.as_str()));
    let environment = component::environment(there, first_environment);
    let wanted = WebApplicationBindingSpec {
        owner: spec.owner.clone(),
        environment: environment.to_owned(),
        class_name: spec.class_name.clone(),
        workload_spec: workload.spec.template.clone(),
        overrides: spec.overrides.clone(),
        release_state: existing
            .map(|existing| existing.spec.release_state)
            .unwrap_or_default(),
    };
    let labels = labels::in_control_plane(&parent.metadata, &spec.owner, environment);
    let wanted = WebApplicationBinding::new(&parent.name_any(), wanted);
    Ok(change::of(parent, existing, Some(labels), wanted)?)
}
