//! Who writes, and how.

use jiff::Timestamp;

use crate::fieldset::FieldSet;

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
    /// When, if that is recorded.
    pub time: Option<Timestamp>,
    /// What a write through this endpoint never touches, and so never owns.
    pub ignores: Ignored,
}

impl Manager {
    /// The time as managedFields have it, without fractions of a second.
    pub(super) fn written_at(&self) -> Option<String> {
        self.time
            .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
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
    /// `metadata` and `spec`: the status subresource of custom resources.
    AllButStatus,
    /// `spec` and these fields of `metadata`: the status subresource of most built-in kinds.
    Spec(&'static [&'static str]),
}

impl Ignored {
    pub(super) fn fields(self) -> FieldSet {
        match self {
            Self::Nothing => FieldSet::default(),
            Self::Status => FieldSet::of_fields(&[&["status"]]),
            Self::AllButStatus => FieldSet::of_fields(&[&["metadata"], &["spec"]]),
            Self::Spec(of_metadata) => {
                let more = of_metadata
                    .iter()
                    .map(|field| FieldSet::of_fields(&[&["metadata", field]]));
                more.fold(FieldSet::of_fields(&[&["spec"]]), |all, field| all.union(&field))
            }
        }
    }
}
