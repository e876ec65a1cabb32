//! The container of a workload, as the overlay of a class.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_hub_resources::{Container, EndpointType, EnvVar, WorkloadTemplate};
use serde_json::{Map, Value, json};

use crate::{
    name,
    problem::{Problem, Warning},
};

/// A variable with its value.
pub(crate) type Variable = (String, String);

/// A port of the workload: one, however many endpoints have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Port {
    pub(crate) number: i32,
    pub(crate) protocol: &'static str,
}

impl Port {
    pub(crate) fn name(self) -> String {
        format!("ep-{}-{}", self.number, self.protocol.to_lowercase())
    }
}

/// The container that is run. Of several it is the first by name: OpenChoreo draws one by lot.
pub(crate) fn chosen(workload: &WorkloadTemplate) -> Option<(&str, &Container)> {
    workload
        .containers
        .first_key_value()
        .map(|(name, container)| (name.as_str(), container))
}

/// The container as an overlay: what comes from the workload, ports and variables of connections apart.
pub(crate) fn overlay(workload: &WorkloadTemplate, connected: &[Variable]) -> Option<Map<String, Value>> {
    let (name, container) = chosen(workload)?;
    let mut overlay = Map::new();
    overlay.insert("name".to_owned(), name.into());
    overlay.insert("image".to_owned(), container.image.as_str().into());
    overlay.insert("resources".to_owned(), json!({}));
    for (field, words) in [("command", &container.command), ("args", &container.args)] {
        if !words.is_empty() {
            overlay.insert(field.to_owned(), words.as_slice().into());
        }
    }
    let env: Vec<_> = variables(container, connected).map(variable).collect();
    if !env.is_empty() {
        overlay.insert("env".to_owned(), env.into());
    }
    Some(overlay)
}

/// Its own variables that have a value, then those of connections. Of one that is given more than once the last value
/// counts, in the place of the first: API servers take a name once. An empty one takes no value away, as where Go lays
/// the one entry over the other.
fn variables<'a>(
    container: &'a Container,
    connected: &'a [Variable],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut values = BTreeMap::new();
    let mut names = Vec::new();
    for (name, value) in given(container, connected) {
        let known = values.entry(name).or_insert_with(|| {
            names.push(name);
            value
        });
        if !value.is_empty() {
            *known = value;
        }
    }
    names.into_iter().map(move |name| (name, values[name]))
}

fn given<'a>(
    container: &'a Container,
    connected: &'a [Variable],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let own = container
        .env
        .iter()
        .filter(|variable| !variable.key.is_empty() && !variable.value.is_empty());
    let own = own.map(|variable| (variable.key.as_str(), variable.value.as_str()));
    own.chain(
        connected
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

/// An empty value is none.
fn variable((name, value): (&str, &str)) -> Value {
    match value {
        "" => json!({"name": name}),
        value => json!({"name": name, "value": value}),
    }
}

/// The ports of all endpoints, in the order of the endpoints' names: OpenChoreo has them in random order.
pub(crate) fn ports(workload: &WorkloadTemplate) -> Vec<Port> {
    let mut known = BTreeSet::new();
    let ports = workload.endpoints.values().map(|endpoint| Port {
        number: endpoint.port,
        protocol: match endpoint.r#type {
            EndpointType::Udp => "UDP",
            EndpointType::Http
            | EndpointType::Rest
            | EndpointType::Grpc
            | EndpointType::GraphQl
            | EndpointType::Websocket
            | EndpointType::Tcp => "TCP",
        },
    });
    ports.filter(|port| known.insert(*port)).collect()
}

/// What the container cannot say of the workload.
pub(crate) fn warnings(workload: &WorkloadTemplate, connected: &[Variable]) -> Vec<Warning> {
    let Some((name, container)) = chosen(workload) else {
        return Vec::new();
    };
    let several = (workload.containers.len() > 1).then(|| Warning::SeveralContainers(name.to_owned()));
    let left_out = container.env.iter().filter_map(left_out);
    let mut known = BTreeSet::new();
    let repeated: BTreeSet<_> = given(container, connected)
        .map(|(name, _)| name)
        .filter(|name| !known.insert(*name))
        .collect();
    several
        .into_iter()
        .chain(left_out)
        .chain(
            repeated
                .into_iter()
                .map(|name| Warning::Repeated(name.to_owned())),
        )
        .collect()
}

/// That ports of the workload are not in `list`, which is what came of them: over a list of the class one number is one
/// port, whatever its protocol.
pub(crate) fn lost_ports(
    what: &'static str,
    workload: &WorkloadTemplate,
    list: Option<&Value>,
    number: &str,
) -> Vec<Warning> {
    let lost = |port: Port| {
        let same: Vec<_> = self::list(list)
            .iter()
            .filter(|entry| entry[number] == port.number)
            .map(|entry| entry["protocol"].as_str().unwrap_or_default())
            .collect();
        let stays = same.first().filter(|_| !same.contains(&port.protocol))?;
        Some(Warning::PortLost {
            what,
            port: port.number,
            lost: port.protocol,
            stays: (*stays).to_owned(),
        })
    };
    ports(workload).into_iter().filter_map(lost).collect()
}

/// That a variable of the workload is not there.
fn left_out(variable: &EnvVar) -> Option<Warning> {
    match (variable.key.as_str(), variable.value.as_str()) {
        ("", _) => Some(Warning::NoKey),
        (key, "") if variable.value_from.is_some() => Some(Warning::ValueFrom(key.to_owned())),
        (key, "") => Some(Warning::EmptyValue(key.to_owned())),
        _ => None,
    }
}

/// The container of the workload in a merged pod spec.
pub(crate) fn in_pod<'a>(workload: &WorkloadTemplate, pod: Option<&'a Value>) -> Option<&'a Value> {
    let (chosen, _) = chosen(workload)?;
    let containers = list(pod.and_then(|pod| pod.get("containers")));
    containers.iter().find(|container| container["name"] == chosen)
}

/// What Kubernetes would refuse in the containers of a merged pod spec.
pub(crate) fn check(object: &str, workload: &WorkloadTemplate, pod: Option<&Value>) -> Result<(), Problem> {
    let Some((chosen, _)) = chosen(workload) else {
        return Err(Problem::NoContainer {
            object: object.to_owned(),
        });
    };
    for container in list(pod.and_then(|pod| pod.get("containers"))) {
        if container["image"].as_str().is_none_or(str::is_empty) {
            return Err(Problem::NoImage {
                object: object.to_owned(),
                container: name_of(container),
                workload: chosen.to_owned(),
            });
        }
        if !name::is_label(&name_of(container)) {
            return Err(Problem::ContainerName {
                object: object.to_owned(),
                container: name_of(container),
            });
        }
        let names = list(container.get("env")).iter().map(name_of);
        if let Some(variable) = names.into_iter().find(|name| !is_variable(name)) {
            return Err(Problem::VariableName {
                object: object.to_owned(),
                variable,
            });
        }
        let two = |variable: &&Value| variable.get("value").is_some() && variable.get("valueFrom").is_some();
        if let Some(variable) = list(container.get("env")).iter().find(two) {
            return Err(Problem::TwoValues {
                object: object.to_owned(),
                variable: name_of(variable),
            });
        }
    }
    Ok(())
}

/// What newer versions of Kubernetes take as the name of a variable; older ones take less.
fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

fn name_of(value: &Value) -> String {
    value["name"].as_str().unwrap_or_default().to_owned()
}

fn list(value: Option<&Value>) -> &[Value] {
    value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
