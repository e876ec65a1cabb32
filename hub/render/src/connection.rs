//! Connections: variables that tell a workload where other components are.

use std::collections::BTreeMap;

use outhaul_hub_resources::{Connection, ConnectionType, EndpointAccess, ServiceBinding};

use crate::{
    AsOpenChoreo, binding::Binding, container::Variable, endpoints, name, problem::RenderError, template,
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
    /// Of several the one of the project that is named, else of the same project, else the first by name: OpenChoreo
    /// takes any.
    fn get(&self, key: TargetKey<'_>, named: Option<&str>, own: &str) -> Option<&'a ServiceBinding> {
        let rank = |binding: &&&ServiceBinding| {
            let project = binding.spec.owner.project_name.as_str();
            (
                Some(project) != named,
                project != own,
                binding.metadata.name.clone(),
            )
        };
        self.0.get(&key)?.iter().min_by_key(rank).copied()
    }
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

/// The variables of all connections, in the order of the connections' names.
///
/// Where a target is follows from its spec, so nobody waits for its status, and two components may name each other.
pub(crate) fn variables(
    binding: &Binding<'_>,
    targets: &Targets<'_>,
    as_openchoreo: AsOpenChoreo,
) -> Result<Vec<Variable>, RenderError> {
    let mut variables = Vec::new();
    for (name, connection) in &binding.workload.connections {
        match connection.r#type {
            ConnectionType::Api => {
                let values = values(&resolved(binding, name, connection, targets, as_openchoreo)?);
                for variable in &connection.inject.env {
                    let value = template::render(&variable.value, &values);
                    let value = value.map_err(|source| RenderError::Template {
                        connection: name.clone(),
                        variable: variable.name.clone(),
                        source,
                    })?;
                    variables.push((variable.name.clone(), value));
                }
            }
        }
    }
    Ok(variables)
}

fn resolved(
    binding: &Binding<'_>,
    name: &str,
    connection: &Connection,
    targets: &Targets<'_>,
    as_openchoreo: AsOpenChoreo,
) -> Result<EndpointAccess, RenderError> {
    let parameter = |parameter: &'static str| {
        let value = connection.params.get(parameter).filter(|value| !value.is_empty());
        value.ok_or_else(|| RenderError::NoParameter {
            connection: name.to_owned(),
            parameter,
        })
    };
    let (component, endpoint) = (parameter("componentName")?, parameter("endpoint")?);
    let key = TargetKey {
        component,
        environment: binding.environment,
    };
    let project = connection.params.get("projectName").map(String::as_str);
    let target = targets.get(key, project, &binding.owner.project_name);
    let target = target.ok_or_else(|| RenderError::NoTarget {
        connection: name.to_owned(),
        component: component.clone(),
        environment: binding.environment.to_owned(),
    })?;
    let found = target.spec.workload_spec.endpoints.get(endpoint);
    let found = found.ok_or_else(|| RenderError::NoTargetEndpoint {
        connection: name.to_owned(),
        endpoint: endpoint.clone(),
        component: component.clone(),
    })?;
    let access = endpoints::project(target.metadata.name.as_deref().unwrap_or_default(), found);
    let project = &target.spec.owner.project_name;
    if *project == binding.owner.project_name || as_openchoreo.connection_hosts {
        return Ok(access);
    }
    let namespace = name::namespace(binding.organization, project, binding.environment);
    let host = format!("{}.{namespace}", access.host);
    Ok(endpoints::at_host(&access, host))
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
