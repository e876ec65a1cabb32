//! Environment variables of a container.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::{is_default, or_default};

/// One variable. Its name is `key` here, unlike in Kubernetes.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EnvVar {
    /// Name of the variable.
    pub key: String,
    /// Its value, literally.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub value: String,
    /// Where else its value is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueSource>,
}

/// Where a value is, if it is not given literally.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ValueSource {
    /// In a ConfigurationGroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_group_ref: Option<KeyReference>,
    /// In a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KeyReference>,
}

/// One key of a named ConfigurationGroup or Secret.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeyReference {
    /// Name of the ConfigurationGroup or Secret.
    pub name: String,
    /// The key in it.
    pub key: String,
}
