//! Patches that cannot be used.

/// Why a patch cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It is no patch of its type: 400, reason `BadRequest`.
    #[error("{0}")]
    BadRequest(String),
    /// It has more operations than the server takes: 413, reason `RequestEntityTooLarge`.
    #[error("{0}")]
    TooLarge(String),
    /// It does not fit this object: 422, with this message as the one cause.
    #[error("{0}")]
    Unprocessable(String),
    /// It breaks off half-way: 500, as the API server answers.
    #[error("{0}")]
    Failed(String),
}
