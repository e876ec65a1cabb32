//! The three patches that are no apply.

mod error;
mod json;
mod merge;
mod strategic;

pub use error::PatchError;
pub use json::json;
pub use merge::merge;
pub use strategic::strategic;
