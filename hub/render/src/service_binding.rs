//! From a ServiceBinding to its Release.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use outhaul_hub_resources::{
    APIClass, EndpointStatus, ExposedApi, Release, ReleaseState, RestApi, RestBackend, ServiceBinding,
    ServiceClass,
};

use crate::{
    AsOpenChoreo,
    binding::{Binding, NamedClass},
    class,
    connection::{self, TargetKey, Targets},
    deployment,
    draft::Draft,
    endpoints,
    exposure::{self, Level},
    http_route,
    policies::{self, Exposed},
    problem::{ClassKind, Problem, RenderError, Warning},
    readiness,
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
    match draft(binding, &view, inputs) {
        Ok(draft) => release::of(binding, &view, draft, inputs.existing),
        Err(error) => {
            let why = readiness::of_error(&error);
            release::unrendered(binding, view.state, inputs.existing, why).ok_or(error)
        }
    }
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
    let deployment = class::deployment(class.spec.deployment_template.as_ref())
        .map_err(view.class.malformed("spec.deploymentTemplate"))?;
    let service = class::service(class.spec.service_template.as_ref())
        .map_err(view.class.malformed("spec.serviceTemplate"))?;
    let connected = connection::variables(view, &inputs.targets, inputs.as_openchoreo)?;
    let mut draft = Draft::new(inputs.existing, view.state);
    deployment::add(&mut draft, view, deployment, &connected);
    let ports = service_object::add(&mut draft, view, service);
    add_apis(&mut draft, view, binding, inputs, &ports);
    draft
        .warnings
        .extend(inputs.api_classes.values().filter_map(|class| {
            let fields = policies::without_effect(class);
            let class = class.name_any();
            (!fields.is_empty()).then_some(Warning::WithoutEffect { class, fields })
        }));
    Ok(draft)
}

/// Where the binding's endpoints are reached: what its status is to say. One that is undeployed is reached nowhere.
pub fn endpoints(binding: &ServiceBinding) -> Vec<EndpointStatus> {
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
                wanted.host(view.environment),
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

/// A REST API, or that it says nothing about itself: then both levels may have been routed.
fn exposed<'a>(name: &'a str, api: &'a ExposedApi) -> Option<(Vec<Level<'a>>, Result<&'a RestApi, Problem>)> {
    match &api.rest {
        _ if !exposure::is_rest(api) => None,
        Some(rest) => Some((exposure::levels(rest), Ok(rest))),
        None => Some((
            vec![Level::ORGANIZATION, Level::PUBLIC],
            Err(Problem::NoRest { api: name.to_owned() }),
        )),
    }
}

fn add_apis(
    draft: &mut Draft<'_>,
    view: &Binding<'_>,
    binding: &ServiceBinding,
    inputs: &Inputs<'_>,
    ports: &[i64],
) {
    let none = RestBackend::default();
    let apis = binding.spec.apis.iter();
    let others = apis.clone().filter(|(_, api)| !exposure::is_rest(api));
    draft
        .warnings
        .extend(others.map(|(name, api)| Warning::NotRouted {
            api: name.clone(),
            kind: exposure::kind(api),
        }));
    let apis: Vec<_> = apis
        .filter_map(|(name, api)| Some((name.as_str(), api, exposed(name, api)?)))
        .collect();
    for (name, _, (levels, rest)) in &apis {
        let backend = rest.clone().map(|rest| rest.backend.as_ref().unwrap_or(&none));
        let backend = backend.and_then(|backend| checked(name, backend));
        match &backend {
            Ok(backend) if !levels.is_empty() => say_where(draft, name, backend.port, ports),
            _ => {}
        }
        draft.warnings.extend(unknown(name, levels));
        for level in levels {
            http_route::add_api(draft, view, name, *level, backend.clone());
        }
    }
    let policies = apis.iter().filter_map(|(name, api, (levels, rest))| {
        let class = api.class_name.as_str();
        let found = inputs.api_classes.get(class)?;
        let policy = rest
            .clone()
            .and_then(|_| policies::rest_policy(name, class, found));
        let unguarded = rest
            .as_ref()
            .is_ok_and(|rest| inputs.as_openchoreo.level_policies && rest.expose_levels.is_empty());
        let levels = match unguarded {
            true => vec![Level::ORGANIZATION],
            false => levels.clone(),
        };
        if unguarded {
            draft.warnings.push(Warning::Unguarded((*name).to_owned()));
        }
        Some(levels.into_iter().filter_map(move |level| {
            let exposed = Exposed {
                api: name,
                class,
                level,
            };
            let policy = policy.clone().map(|policy| policies::at_level(policy, level));
            Some((exposed, policy.transpose()?))
        }))
    });
    let policies: Vec<_> = policies.flatten().collect();
    for (exposed, policy) in &policies {
        let policy = policy.as_ref().map_err(Problem::clone);
        policies::add_security(draft, view, *exposed, policy, inputs.as_openchoreo);
    }
    for (exposed, policy) in &policies {
        policies::add_traffic(draft, view, *exposed, policy.as_ref().map_err(Problem::clone));
    }
}

/// Says it where nothing listens at the port that an API leads to.
fn say_where(draft: &mut Draft<'_>, api: &str, port: i32, ports: &[i64]) {
    let api = api.to_owned();
    if ports.is_empty() {
        draft.say(Problem::NoService { api, port });
    } else if !ports.contains(&port.into()) {
        draft.warnings.push(Warning::NoSuchPort { api, port });
    }
}

/// The levels of an API that are none of those there are.
fn unknown(api: &str, levels: &[Level<'_>]) -> Vec<Warning> {
    let unknown = levels
        .iter()
        .filter(|level| ![Level::PUBLIC, Level::ORGANIZATION].contains(level));
    unknown
        .map(|level| Warning::UnknownLevel {
            api: api.to_owned(),
            level: level.name().to_owned(),
        })
        .collect()
}

fn checked<'a>(api: &str, backend: &'a RestBackend) -> Result<&'a RestBackend, Problem> {
    match backend.port {
        1..=65535 => Ok(backend),
        port => Err(Problem::Port {
            api: api.to_owned(),
            port,
        }),
    }
}
