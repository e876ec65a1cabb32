//! Connections: variables that tell a workload where other components are.

use std::collections::BTreeMap;

use outhaul_hub_resources::{Connection, ConnectionType, EndpointAccess, ReleaseState, ServiceBinding};

use crate::{
    AsOpenChoreo,
    binding::Binding,
    container::Variable,
    endpoints, name,
    problem::{RenderError, Warning},
    template,
};

/// What a connection names its target by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetKey<'a> {
    /// The component, by name.
    pub component: &'a str,
    /// The environment, which is that of the binding.
    pub environment: &'a str,
}

impl<'a> TargetKey<'a> {
    /// What connections name `binding` by.
    pub fn of(binding: &'a ServiceBinding) -> Self {
        Self {
            component: &binding.spec.owner.component_name,
            environment: &binding.spec.environment,
        }
    }
}

/// The ServiceBindings of one namespace that connections may lead to.
///
/// Those that a binding names are enough, and a change of one of them is a change for that binding: see `targets` of
/// each controller.
#[derive(Debug, Clone, Default)]
pub struct Targets<'a>(BTreeMap<TargetKey<'a>, Vec<&'a ServiceBinding>>);

impl<'a> FromIterator<&'a ServiceBinding> for Targets<'a> {
    fn from_iter<I: IntoIterator<Item = &'a ServiceBinding>>(bindings: I) -> Self {
        let mut targets = BTreeMap::<_, Vec<_>>::new();
        for binding in bindings {
            targets.entry(TargetKey::of(binding)).or_default().push(binding);
        }
        Self(targets)
    }
}

impl<'a> Targets<'a> {
    /// Of several the one of the project that is named, else of the same project; of these one that runs, else the first by
    /// name: OpenChoreo takes any.
    fn get(&self, key: TargetKey<'_>, named: Option<&str>, own: &str) -> Option<&'a ServiceBinding> {
        let rank = |binding: &&&ServiceBinding| {
            let project = binding.spec.owner.project_name.as_str();
            (
                Some(project) != named,
                project != own,
                is_undeployed(binding),
                binding.metadata.name.clone(),
            )
        };
        self.0.get(&key)?.iter().min_by_key(rank).copied()
    }
}

/// What comes of the connections of a binding.
#[derive(Default)]
pub(crate) struct Connected {
    /// The variables of all of them, in the order of the connections' names.
    pub(crate) variables: Vec<Variable>,
    /// What is otherwise than one may expect.
    pub(crate) warnings: Vec<Warning>,
}

/// What the connections of a binding name their targets by.
pub(crate) fn wanted<'a>(binding: &Binding<'a>) -> Vec<TargetKey<'a>> {
    let component = |connection: &'a Connection| connection.params.get("componentName");
    let components = binding.workload.connections.values().filter_map(component);
    components
        .map(|component| TargetKey {
            component,
            environment: binding.environment,
        })
        .collect()
}

/// What comes of all connections.
///
/// Where a target is, its status says: it may stay at an address while it cannot follow its spec. Of what that does not tell
/// yet, the spec does, so nobody waits, and two components may name each other.
pub(crate) fn connected(
    binding: &Binding<'_>,
    targets: &Targets<'_>,
    as_openchoreo: AsOpenChoreo,
) -> Result<Connected, RenderError> {
    let mut connected = Connected::default();
    for (name, connection) in &binding.workload.connections {
        match connection.r#type {
            ConnectionType::Api => {
                let target = target(binding, name, connection, targets)?;
                let values = values(&resolved(binding, name, connection, target, as_openchoreo)?);
                connected
                    .warnings
                    .extend(warnings(binding, name, connection, target));
                for variable in &connection.inject.env {
                    let value = template::render(&variable.value, &values);
                    let value = value.map_err(|source| RenderError::Template {
                        connection: name.clone(),
                        variable: variable.name.clone(),
                        source,
                    })?;
                    if !variable.name.is_empty() {
                        connected.variables.push((variable.name.clone(), value));
                    }
                }
            }
        }
    }
    Ok(connected)
}

/// The binding that a connection leads to.
fn target<'a>(
    binding: &Binding<'_>,
    name: &str,
    connection: &Connection,
    targets: &Targets<'a>,
) -> Result<&'a ServiceBinding, RenderError> {
    let component = parameter(name, connection, "componentName")?;
    parameter(name, connection, "endpoint")?;
    let key = TargetKey {
        component,
        environment: binding.environment,
    };
    let found = targets.get(key, project(connection), &binding.owner.project_name);
    found.ok_or_else(|| RenderError::NoTarget {
        connection: name.to_owned(),
        component: component.to_owned(),
        environment: binding.environment.to_owned(),
    })
}

/// What one may not expect of a connection that leads here.
fn warnings(
    binding: &Binding<'_>,
    name: &str,
    connection: &Connection,
    target: &ServiceBinding,
) -> Vec<Warning> {
    let instead = &target.spec.owner.project_name;
    let other = project(connection).filter(|project| project != instead);
    let other = other.map(|project| Warning::OtherProject {
        connection: name.to_owned(),
        component: target.spec.owner.component_name.clone(),
        project: project.to_owned(),
        environment: binding.environment.to_owned(),
        instead: instead.clone(),
    });
    let undeployed = is_undeployed(target).then(|| Warning::TargetUndeployed {
        connection: name.to_owned(),
        target: target.metadata.name.clone().unwrap_or_default(),
    });
    let unnamed = connection
        .inject
        .env
        .iter()
        .any(|variable| variable.name.is_empty());
    let unnamed = unnamed.then(|| Warning::NoVariableName(name.to_owned()));
    other.into_iter().chain(undeployed).chain(unnamed).collect()
}

fn is_undeployed(binding: &ServiceBinding) -> bool {
    binding.spec.release_state == ReleaseState::Undeploy
}

/// The project that a connection names.
fn project(connection: &Connection) -> Option<&str> {
    let project = connection.params.get("projectName").map(String::as_str);
    project.filter(|project| !project.is_empty())
}

fn parameter<'a>(
    name: &str,
    connection: &'a Connection,
    parameter: &'static str,
) -> Result<&'a str, RenderError> {
    let value = connection.params.get(parameter).map(String::as_str);
    let value = value.filter(|value| !value.is_empty());
    value.ok_or_else(|| RenderError::NoParameter {
        connection: name.to_owned(),
        parameter,
    })
}

fn resolved(
    binding: &Binding<'_>,
    name: &str,
    connection: &Connection,
    target: &ServiceBinding,
    as_openchoreo: AsOpenChoreo,
) -> Result<EndpointAccess, RenderError> {
    let endpoint = parameter(name, connection, "endpoint")?;
    let access = said(target, endpoint).or_else(|| to_be(target, endpoint));
    let access = access.ok_or_else(|| RenderError::NoTargetEndpoint {
        connection: name.to_owned(),
        endpoint: endpoint.to_owned(),
        component: target.spec.owner.component_name.clone(),
    })?;
    let project = &target.spec.owner.project_name;
    if *project == binding.owner.project_name || as_openchoreo.connection_hosts {
        return Ok(access);
    }
    let namespace = name::namespace(binding.organization, project, binding.environment);
    let host = format!("{}.{namespace}", access.host);
    Ok(endpoints::at_host(&access, host))
}

/// Where an endpoint is, as the status of its binding says.
fn said(target: &ServiceBinding, endpoint: &str) -> Option<EndpointAccess> {
    let mut endpoints = target.status.as_ref()?.endpoints.iter();
    endpoints.find(|said| said.name == endpoint)?.project.clone()
}

/// Where it will be.
fn to_be(target: &ServiceBinding, endpoint: &str) -> Option<EndpointAccess> {
    let found = target.spec.workload_spec.endpoints.get(endpoint)?;
    let name = target.metadata.name.as_deref().unwrap_or_default();
    Some(endpoints::project(name, found))
}

fn values(access: &EndpointAccess) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("host", access.host.clone()),
        ("port", access.port.to_string()),
        ("scheme", access.scheme.clone()),
        ("basePath", access.base_path.clone()),
        ("uri", access.uri.clone()),
        ("url", access.uri.clone()),
    ])
}
