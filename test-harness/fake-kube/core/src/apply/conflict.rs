//! Refused applies, worded as the API server words them.

use std::fmt;

/// Why an apply is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Others own fields with other values: 409, reason `Conflict`.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// The request cannot be applied at all: 400, reason `BadRequest`.
    #[error("{0}")]
    BadRequest(String),
    /// The config does not fit the schema: 500, as the API server answers.
    #[error("{0}")]
    Mistyped(String),
}

/// One field with another value that somebody else owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The other manager as messages show it: `"kubectl" with subresource "scale" using apps/v1`.
    pub manager: String,
    /// The field: `.spec.containers[name="web"].image`.
    pub field: String,
}

impl Conflict {
    /// The message of this one among the causes of a Status, whose reason is `FieldManagerConflict`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

/// All conflicts of one apply, sorted by manager and field. At least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl std::error::Error for Conflicts {}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [Conflict { manager, field }] = self.0.as_slice() {
            return write!(
                f,
                "Apply failed with 1 conflict: conflict with {manager}: {field}"
            );
        }
        write!(f, "Apply failed with {} conflicts: ", self.0.len())?;
        let mut shown = None;
        for (index, Conflict { manager, field }) in self.0.iter().enumerate() {
            if shown != Some(manager) {
                let separator = if index == 0 { "" } else { "\n" };
                write!(f, "{separator}conflicts with {manager}:")?;
                shown = Some(manager);
            }
            write!(f, "\n- {field}")?;
        }
        Ok(())
    }
}
