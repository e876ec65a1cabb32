//! From a WebApplicationBinding to its Release.

use outhaul_hub_resources::{
    EndpointStatus, EndpointType, Release, ReleaseState, WebApplicationBinding, WebApplicationClass,
};

use crate::{
    AsOpenChoreo,
    binding::{Binding, NamedClass},
    class::{
        self,
        former::{Former, Root},
    },
    connection::{self, TargetKey, Targets},
    deployment,
    domain::Domains,
    draft::Draft,
    endpoints, exposure, http_route,
    problem::{ClassKind, RenderError},
    release::{self, Wanted},
    service_object,
};

/// What a WebApplicationBinding is rendered from, beside itself. All of it is of the binding's namespace.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// The class that `spec.className` names.
    pub class: Option<&'a WebApplicationClass>,
    /// The bindings that [`targets`] names.
    pub targets: Targets<'a>,
    /// The Release of the binding's name.
    pub existing: Option<&'a Release>,
    /// What stays as OpenChoreo makes it.
    pub as_openchoreo: AsOpenChoreo,
    /// What hosts begin with and end in where it runs.
    pub domains: Domains<'a>,
}

/// The bindings that a binding is rendered from, as its connections name them: a change of one is a change of the
/// binding.
pub fn targets(binding: &WebApplicationBinding) -> Vec<TargetKey<'_>> {
    connection::wanted(&view(binding))
}

/// What the binding wants of its Release: Deployment, Service, and one HTTPRoute per endpoint, by name.
///
/// # Errors
/// Nothing can be rendered; the Release stays as it is.
pub fn release(binding: &WebApplicationBinding, inputs: &Inputs<'_>) -> Result<Wanted, RenderError> {
    let view = view(binding);
    if view.state == ReleaseState::Undeploy {
        return Ok(Wanted::NoRelease);
    }
    release::of(binding, &view, draft(&view, inputs), inputs.existing)
}

fn draft<'a>(view: &Binding<'_>, inputs: &Inputs<'a>) -> Result<Draft<'a>, RenderError> {
    view.check()?;
    let class = view.found(inputs.class)?;
    let mut former = Former::new(inputs.as_openchoreo);
    let template = class.spec.deployment_template.as_ref();
    let template = former.template("spec.deploymentTemplate", template, Root::Deployment);
    let deployment =
        class::deployment(template.as_deref()).map_err(view.class.malformed("spec.deploymentTemplate"))?;
    let template = class.spec.service_template.as_ref();
    let template = former.template("spec.serviceTemplate", template, Root::Service);
    let service =
        class::service(template.as_deref()).map_err(view.class.malformed("spec.serviceTemplate"))?;
    let connected = connection::connected(view, &inputs.targets, inputs.as_openchoreo)?;
    let mut draft = Draft::new(inputs.existing, view);
    draft.warnings.extend(former.warning(view.class));
    draft.warnings.extend(connected.warnings);
    deployment::add(&mut draft, view, deployment, &connected.variables);
    service_object::add(&mut draft, view, service);
    http_route::add_web(&mut draft, view, inputs.domains);
    Ok(draft)
}

/// Where the binding's endpoints are reached: what its status is to say. One that is undeployed is reached nowhere.
pub fn endpoints(binding: &WebApplicationBinding, domains: Domains<'_>) -> Vec<EndpointStatus> {
    let view = view(binding);
    if view.state == ReleaseState::Undeploy {
        return Vec::new();
    }
    endpoints::of(&view, |_, endpoint| {
        let at = || exposure::web_host(view.owner, view.environment, domains);
        let public =
            (endpoint.r#type == EndpointType::Http).then(|| endpoints::gateway(at(), "/".to_owned()));
        (None, public)
    })
}

fn view(binding: &WebApplicationBinding) -> Binding<'_> {
    let spec = &binding.spec;
    Binding::new(
        &binding.metadata,
        &spec.owner,
        &spec.environment,
        NamedClass {
            kind: ClassKind::WebApplication,
            name: spec.class_name.as_str(),
        },
        &spec.workload_spec,
        spec.release_state,
    )
}
