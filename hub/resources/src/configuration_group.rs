//! `ConfigurationGroup`: values that differ from environment to environment.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    status::ConditionStatus,
};

/// Keys, and their values by environment.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "ConfigurationGroup",
    namespaced,
    shortname = "configgrp",
    category = "choreo",
    category = "all",
    doc = "Values that differ from environment to environment.",
    status = "ConditionStatus",
    derive = "PartialEq",
    printcolumn(
        name = "DisplayName",
        type_ = "string",
        json_path = r".metadata.annotations.openchoreo\.dev/display-name"
    ),
    printcolumn(
        name = "Organization",
        type_ = "string",
        json_path = r".metadata.labels.openchoreo\.dev/organization"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationGroupSpec {
    /// Accepted, and without effect.
    #[serde(default, deserialize_with = "or_default")]
    pub scope: BTreeMap<String, String>,
    /// Names for sets of environments.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub environment_groups: Vec<EnvironmentGroup>,
    /// Keys and their values.
    pub configurations: Vec<Configuration>,
}

/// A name for a set of environments.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentGroup {
    /// The name.
    pub name: String,
    /// The Environments, by name.
    pub environments: Vec<String>,
}

/// One key of a group.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    /// The key.
    pub key: String,
    /// Its values: the first that is for an environment counts there.
    pub values: Vec<ConfigurationValue>,
}

/// One value, and where it counts.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationValue {
    /// The set of environments where it counts, by the name that this group gives it.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub environment_group_ref: String,
    /// The Environment where it counts, by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub environment: String,
    /// The value, in clear.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: String,
    /// Path of the value in a vault.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub vault_key: String,
}
