//! `GitCommitRequest`: one commit to push.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    vocabulary::Open,
};

/// What is committed, and where.
#[derive(CustomResource, JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[kube(
    group = "openchoreo.dev",
    version = "v1alpha1",
    kind = "GitCommitRequest",
    namespaced,
    doc = "One commit to push to a Git repository.",
    status = "GitCommitRequestStatus",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct GitCommitRequestSpec {
    /// Address of the repository, with https.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Branch to commit to.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub branch: String,
    /// Message of the commit.
    pub message: String,
    /// Author of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<CommitAuthor>,
    /// Secret of the same namespace with `username` and `password`, by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub auth_secret_ref: String,
    /// Files to change, in this order.
    pub files: Vec<FileEdit>,
}

/// Who a commit is from.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CommitAuthor {
    /// Name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub name: String,
    /// Address.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub email: String,
}

/// One file to change.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FileEdit {
    /// Path in the repository.
    pub path: String,
    /// The whole new content.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub content: String,
    /// A JSON patch of the present content; it wins over `content`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub patch: String,
}

/// What became of a commit.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GitCommitRequestStatus {
    /// Succeeded or Failed; Pending after a failure that is not the last; empty before.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub phase: Open<CommitPhase>,
    /// The commit that was pushed.
    #[serde(
        rename = "observedSHA",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub observed_sha: String,
    /// The branch that it was pushed to.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub observed_branch: String,
    /// What was done, or went wrong.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub message: String,
    /// What is said of the request.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    #[schemars(schema_with = "crate::schemas::conditions")]
    pub conditions: Vec<Condition>,
    /// metadata.generation last handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// How far a commit is.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommitPhase {
    /// It is in the repository.
    Succeeded,
    /// It is not, and nobody tries again before the request is edited.
    Failed,
    /// It is not yet: what failed is tried again.
    Pending,
}
