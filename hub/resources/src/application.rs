//! How a component of the older path runs: settings of a [`DeployableArtifact`](crate::DeployableArtifact).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    env_var::{EnvVar, ValueSource},
    parse::{is_default, or_default},
};

/// How a component runs.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationConfiguration {
    /// Arguments: accepted, and without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub env: Vec<EnvVar>,
    /// Groups whose keys become environment variables.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub env_from: Vec<GroupSource>,
    /// Files.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub file_mounts: Vec<FileMount>,
    /// Groups whose keys become files.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub file_mounts_from: Vec<FolderSource>,
    /// When a scheduled task runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// How its health is asked for: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
    /// What it may use: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_limits: Option<ResourceLimits>,
    /// How many of it run: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

/// A ConfigurationGroup or a Secret, all of it.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GroupSource {
    /// A ConfigurationGroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_group_ref: Option<GroupReference>,
    /// A Secret: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<GroupReference>,
}

/// A ConfigurationGroup or a Secret, by name.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GroupReference {
    /// The name.
    pub name: String,
}

/// One file.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FileMount {
    /// Path of the file.
    pub mount_path: String,
    /// Its content, literally.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: String,
    /// Where else its content is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueSource>,
}

/// A ConfigurationGroup or a Secret whose keys become files.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FolderSource {
    /// A ConfigurationGroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_group_ref: Option<FolderReference>,
    /// A Secret: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<FolderReference>,
}

/// A ConfigurationGroup or a Secret by name, and the folder that it fills.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FolderReference {
    /// The name.
    pub name: String,
    /// The folder.
    pub mount_path: String,
}

/// When a scheduled task runs.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Whether it rests.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// When something runs.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Cron expression.
    pub cron: String,
    /// Time zone of the expression; empty means `Etc/UTC`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub timezone: String,
}

/// How the health of a component is asked for. They stay JSON: they are Kubernetes' own.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// Whether requests may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::probe")]
    pub readiness_probe: Option<Value>,
    /// Whether it must be started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "crate::schemas::probe")]
    pub liveness_probe: Option<Value>,
}

/// What a component may use.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLimits {
    /// Processors.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub cpu: String,
    /// Memory.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub memory: String,
}

/// How many instances of a component run.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Scaling {
    /// By load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hpa: Option<LoadScaling>,
    /// By requests, down to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s2z: Option<ScalingToZero>,
}

/// Scaling by load.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LoadScaling {
    /// At least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// One more above this use of processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_threshold: Option<i32>,
    /// One more above this use of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_threshold: Option<i32>,
}

/// Scaling by requests.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ScalingToZero {
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// One more for so many requests that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_length: Option<i32>,
}
