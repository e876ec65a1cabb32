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
    /// An operation of it does not fit this object: 422, whichever it is.
    #[error("the server rejected our request due to an error in our request")]
    Unprocessable,
    /// It breaks off half-way: 500, as the API server answers.
    #[error("{0}")]
    Failed(String),
}
