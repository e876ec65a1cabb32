//! `ScheduledTask`, `ScheduledTaskClass`, `ScheduledTaskBinding`: components that run on a schedule.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    owner::ComponentOwner,
    parse::{is_default, or_default},
    status::{ConditionStatus, NoStatus},
    vocabulary::{ClassName, ReleaseState},
    workload::WorkloadTemplate,
};

/// The component and its workload. The schedule is the class's.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "ScheduledTask",
    namespaced,
    doc = "A component that runs on a schedule.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledTaskSpec {
    /// Who the ScheduledTask belongs to.
    pub owner: ComponentOwner,
    /// The Workload, by name.
    pub workload_name: String,
    /// The ScheduledTaskClass, by name.
    pub class_name: ClassName,
    /// Accepted, copied, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub overrides: BTreeMap<String, bool>,
}

/// What a platform gives to all scheduled tasks of the class.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "ScheduledTaskClass",
    namespaced,
    doc = "A platform's template for scheduled tasks.",
    status = "NoStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledTaskClassSpec {
    /// The spec of a CronJob, schedule included, over which the workload is laid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::raw_json")]
    pub cron_job_template: Option<Value>,
}

/// A copy of the ScheduledTask and its workload, and the environment.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "ScheduledTaskBinding",
    namespaced,
    doc = "A scheduled task in one environment.",
    status = "ConditionStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledTaskBindingSpec {
    /// Who the binding belongs to.
    pub owner: ComponentOwner,
    /// The Environment, by name.
    #[schemars(length(min = 1))]
    pub environment: String,
    /// The ScheduledTaskClass, by name.
    pub class_name: ClassName,
    /// How the component is run. Its endpoints and connections count for nothing.
    pub workload_spec: WorkloadTemplate,
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub overrides: BTreeMap<String, bool>,
    /// What should become of the objects in the plane.
    #[serde(default, deserialize_with = "or_default")]
    pub release_state: ReleaseState,
}
