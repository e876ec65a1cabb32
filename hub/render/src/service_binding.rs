//! From a ServiceBinding to its Release.

mod apis;

use std::collections::BTreeMap;

use outhaul_hub_resources::{APIClass, EndpointStatus, Release, ReleaseState, ServiceBinding, ServiceClass};

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
    endpoints,
    exposure::{self, Level},
    problem::{ClassKind, RenderError},
    release::{self, Wanted},
    service_object,
};

/// What a ServiceBinding is rendered from, beside itself. All of it is of the binding's namespace.
#[derive(Debug, Clone, Default)]
pub struct Inputs<'a> {
    /// The class that `spec.className` names.
    pub class: Option<&'a ServiceClass>,
    /// The classes that [`api_classes`] names, by name.
    pub api_classes: BTreeMap<&'a str, &'a APIClass>,
    /// The bindings that [`targets`] names.
    pub targets: Targets<'a>,
    /// The Release of the binding's name.
    pub existing: Option<&'a Release>,
    /// What stays as OpenChoreo makes it.
    pub as_openchoreo: AsOpenChoreo,
    /// What hosts begin with and end in where it runs.
    pub domains: Domains<'a>,
}

/// The APIClasses that a binding is rendered from, with the API that names each: a change of one is a change of the
/// binding.
pub fn api_classes(binding: &ServiceBinding) -> impl Iterator<Item = (&str, &str)> {
    let classes = binding.spec.apis.iter();
    classes
        .map(|(api, exposed)| (api.as_str(), exposed.class_name.as_str()))
        .filter(|(_, class)| !class.is_empty())
}

/// The bindings that a binding is rendered from, as its connections name them: a change of one is a change of the
/// binding.
pub fn targets(binding: &ServiceBinding) -> Vec<TargetKey<'_>> {
    connection::wanted(&view(binding))
}

/// What the binding wants of its Release.
///
/// Objects come in this order: Deployment, Service, HTTPRoutes, SecurityPolicies, BackendTrafficPolicies; those of
/// several APIs by name of the API, then in the order of its levels.
///
/// # Errors
/// Nothing can be rendered; the Release stays as it is.
pub fn release(binding: &ServiceBinding, inputs: &Inputs<'_>) -> Result<Wanted, RenderError> {
    let view = view(binding);
    if view.state == ReleaseState::Undeploy {
        return Ok(Wanted::NoRelease);
    }
    release::of(binding, &view, draft(binding, &view, inputs), inputs.existing)
}

fn draft<'a>(
    binding: &ServiceBinding,
    view: &Binding<'_>,
    inputs: &Inputs<'a>,
) -> Result<Draft<'a>, RenderError> {
    view.check()?;
    let class = view.found(inputs.class)?;
    if let Some((api, class)) =
        api_classes(binding).find(|(_, class)| !inputs.api_classes.contains_key(class))
    {
        return Err(RenderError::ApiClassNotFound {
            class: class.to_owned(),
            api: api.to_owned(),
            namespace: view.organization.to_owned(),
            field: format!("spec.apis.{api}.className"),
        });
    }
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
    let ports = service_object::add(&mut draft, view, service);
    apis::add(&mut draft, view, &binding.spec.apis, inputs, &ports);
    Ok(draft)
}

/// Where the binding's endpoints are reached: what its status is to say. One that is undeployed is reached nowhere.
pub fn endpoints(binding: &ServiceBinding, domains: Domains<'_>) -> Vec<EndpointStatus> {
    let view = view(binding);
    if view.state == ReleaseState::Undeploy {
        return Vec::new();
    }
    endpoints::of(&view, |name, _| {
        let rest = binding.spec.apis.get(name).and_then(exposure::rest);
        let at = |wanted: Level<'_>| {
            let rest = rest.filter(|rest| exposure::levels(rest).contains(&wanted))?;
            let base_path = rest
                .backend
                .as_ref()
                .map(|backend| backend.base_path.as_str())
                .unwrap_or_default();
            Some(endpoints::gateway(
                wanted.host(view.environment, domains),
                exposure::path(view.owner, base_path),
            ))
        };
        (at(Level::ORGANIZATION), at(Level::PUBLIC))
    })
}

fn view(binding: &ServiceBinding) -> Binding<'_> {
    let spec = &binding.spec;
    Binding::new(
        &binding.metadata,
        &spec.owner,
        &spec.environment,
        NamedClass {
            kind: ClassKind::Service,
            name: spec.class_name.as_str(),
        },
        &spec.workload_spec,
        spec.release_state,
    )
}
