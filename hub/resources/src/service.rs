//! `Service`, `ServiceClass`, `ServiceBinding`: components that serve requests.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    endpoint_access::EndpointBindingStatus,
    exposed_api::ExposedApi,
    owner::ComponentOwner,
    parse::{is_default, or_default},
    status::{ConditionStatus, NoStatus},
    vocabulary::{ClassName, ReleaseState},
    workload::WorkloadTemplate,
};

/// The component, its workload and its APIs.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Service",
    namespaced,
    doc = "A component that serves requests.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Who the Service belongs to.
    pub owner: ComponentOwner,
    /// The Workload, by name.
    pub workload_name: String,
    /// The ServiceClass, by name.
    pub class_name: ClassName,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub overrides: BTreeMap<String, bool>,
    /// APIs by name. One that is named as an endpoint of the workload tells where that endpoint is reached.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub apis: BTreeMap<String, ExposedApi>,
}

/// What a platform gives to all services of the class.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "ServiceClass",
    namespaced,
    doc = "A platform's templates for services.",
    status = "NoStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ServiceClassSpec {
    /// The spec of a Deployment, over which the workload is laid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub deployment_template: Option<Value>,
    /// The spec of a Kubernetes Service, over which the ports of the workload are laid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub service_template: Option<Value>,
}

/// A copy of the Service and its workload, and the environment.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "ServiceBinding",
    namespaced,
    doc = "A service in one environment.",
    status = "EndpointBindingStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ServiceBindingSpec {
    /// Who the binding belongs to.
    pub owner: ComponentOwner,
    /// The Environment, by name.
    #[schemars(length(min = 1))]
    pub environment: String,
    /// The ServiceClass, by name.
    pub class_name: ClassName,
    /// How the component is run.
    pub workload_spec: WorkloadTemplate,
    /// APIs by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub apis: BTreeMap<String, ExposedApi>,
    /// What should become of the objects in the plane.
    #[serde(default, deserialize_with = "or_default")]
    pub release_state: ReleaseState,
}
