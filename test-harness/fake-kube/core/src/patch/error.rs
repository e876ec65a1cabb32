//! Patches that cannot be used.

/// Why a patch cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It is no patch of its type: 400, reason `BadRequest`.
    #[error("{0}")]
    BadRequest(String),
    /// It does not fit this object: 422, reason `Invalid`.
    #[error("{0}")]
    Unprocessable(String),
}
