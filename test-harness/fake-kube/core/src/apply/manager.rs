//! Who writes, and how.

use jiff::Timestamp;

/// One writer, as an entry of managedFields names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// `fieldManager` of the request, or the first part of its user agent.
    pub name: String,
    /// Apply, or any other write.
    pub operation: Operation,
    /// Of the object as the request has it, such as `apps/v1`.
    pub api_version: String,
    /// The subresource written through, if any.
    pub subresource: Option<String>,
    /// When.
    pub time: Timestamp,
    /// What a write through this endpoint never touches, and so never owns.
    pub ignores: Ignored,
}

/// How a manager writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Create, update, and the other patches.
    Update,
}

impl Operation {
    /// As in managedFields.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Parts of an object that an endpoint resets to their stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Nothing: kinds without a status subresource.
    Nothing,
    /// `status`: the main endpoint of kinds that have a status subresource.
    Status,
    /// All but `status`: the status subresource. (Labels and annotations sent there are reset as well.)
    AllButStatus,
}
