//! `Organization`: a tenant. It equals a namespace.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parse::{is_default, or_default};

/// Nothing is asked of an organization.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "Organization",
    shortname = "org",
    shortname = "orgs",
    doc = "A tenant: the resources of its namespace.",
    status = "OrganizationStatus",
    derive = "PartialEq"
)]
pub struct OrganizationSpec {}

/// What is said of an organization.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationStatus {
    /// What is said of the organization.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// Its namespace.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub namespace: String,
    /// metadata.generation last handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
