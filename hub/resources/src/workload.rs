//! `Workload`: image, ports and connections of a component, and the part of it that bindings copy.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    env_var::EnvVar,
    owner::ComponentOwner,
    parse::{is_default, or_default},
    status::NoStatus,
    vocabulary::EndpointType,
};

/// The component, and how it is run.
#[derive(CustomResource, JsonSchema, Serialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Workload",
    namespaced,
    doc = "Image, ports and connections of a component.",
    status = "NoStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSpec {
    /// Who the Workload belongs to.
    pub owner: ComponentOwner,
    /// How it is run.
    #[serde(flatten)]
    pub template: WorkloadTemplate,
}

/// Field by field: through `flatten` an error would not know where it is.
impl<'de> Deserialize<'de> for WorkloadSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            owner: ComponentOwner,
            #[serde(default, deserialize_with = "or_default")]
            containers: BTreeMap<String, Container>,
            #[serde(default, deserialize_with = "or_default")]
            endpoints: BTreeMap<String, WorkloadEndpoint>,
            #[serde(default, deserialize_with = "or_default")]
            connections: BTreeMap<String, Connection>,
        }
        let Fields {
            owner,
            containers,
            endpoints,
            connections,
        } = Fields::deserialize(deserializer)?;
        Ok(Self {
            owner,
            template: WorkloadTemplate {
                containers,
                endpoints,
                connections,
            },
        })
    }
}

/// How a component is run: a Workload has it beside its owner, a binding has a copy of it.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadTemplate {
    /// Containers, by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub containers: BTreeMap<String, Container>,
    /// Ports, by name of the endpoint.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub endpoints: BTreeMap<String, WorkloadEndpoint>,
    /// What it calls, by name of the connection.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub connections: BTreeMap<String, Connection>,
}

/// One container of a workload.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Image with tag or digest.
    #[schemars(length(min = 1))]
    pub image: String,
    /// Entrypoint, in place of the image's.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub command: Vec<String>,
    /// Arguments, in place of the image's.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub env: Vec<EnvVar>,
}

/// One port of a workload.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadEndpoint {
    /// What is spoken there.
    pub r#type: EndpointType,
    /// Port of the container, and of the Service.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// Description of the API, carried along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<EndpointSchema>,
}

/// Description of an API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSchema {
    /// What kind of description it is.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub r#type: String,
    /// The description itself.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub content: String,
}

/// One other component that a workload calls.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// What is called.
    pub r#type: ConnectionType,
    /// Which one: `componentName`, `endpoint` and, where it is another, `projectName`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub params: BTreeMap<String, String>,
    /// How the workload is told where it is.
    pub inject: ConnectionInjection,
}

/// What a connection leads to.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionType {
    /// An endpoint of another component.
    Api,
}

/// What a workload is told about a connection.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionInjection {
    /// Environment variables of its container.
    pub env: Vec<InjectedVariable>,
}

/// One variable that tells where a connection leads.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct InjectedVariable {
    /// Name of the variable.
    pub name: String,
    /// Its value: a template over `.host`, `.port`, `.scheme`, `.basePath`, `.uri` and `.url`.
    pub value: String,
}
