//! `WebApplication`, `WebApplicationClass`, `WebApplicationBinding`: components that serve web pages.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    endpoint_access::EndpointBindingStatus,
    owner::ComponentOwner,
    parse::{is_default, or_default},
    status::{ConditionStatus, NoStatus},
    vocabulary::{ClassName, ReleaseState},
    workload::WorkloadTemplate,
};

/// The component and its workload.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "WebApplication",
    namespaced,
    doc = "A component that serves web pages.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct WebApplicationSpec {
    /// Who the WebApplication belongs to.
    pub owner: ComponentOwner,
    /// The Workload, by name.
    pub workload_name: String,
    /// The WebApplicationClass, by name.
    pub class_name: ClassName,
    /// Accepted, copied, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub overrides: BTreeMap<String, bool>,
}

/// What a platform gives to all web applications of the class.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "WebApplicationClass",
    namespaced,
    doc = "A platform's templates for web applications.",
    status = "NoStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct WebApplicationClassSpec {
    /// The spec of a Deployment, over which the workload is laid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub deployment_template: Option<Value>,
    /// The spec of a Kubernetes Service, over which the ports of the workload are laid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub service_template: Option<Value>,
}

/// A copy of the WebApplication and its workload, and the environment.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "WebApplicationBinding",
    namespaced,
    doc = "A web application in one environment.",
    status = "EndpointBindingStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct WebApplicationBindingSpec {
    /// Who the binding belongs to.
    pub owner: ComponentOwner,
    /// The Environment, by name.
    #[schemars(length(min = 1))]
    pub environment: String,
    /// The WebApplicationClass, by name.
    pub class_name: ClassName,
    /// How the component is run.
    pub workload_spec: WorkloadTemplate,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub overrides: BTreeMap<String, bool>,
    /// What should become of the objects in the plane.
    #[serde(default, deserialize_with = "or_default")]
    pub release_state: ReleaseState,
}
