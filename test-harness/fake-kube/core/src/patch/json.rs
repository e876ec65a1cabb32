//! JSON patch (RFC 6902).

use json_patch::Patch;
use serde::Deserialize;
use serde_json::Value;

use super::PatchError;

/// Operations in one patch; the API server refuses more.
const MAX_OPERATIONS: usize = 10_000;

/// `live` with the operations of `patch` applied, all of them or none.
///
/// # Errors
/// When `patch` is no list of operations, or one of them does not fit.
pub fn json(live: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Patch(operations) = Patch::deserialize(patch)
        .map_err(|error| PatchError::BadRequest(format!("error decoding patch: {error}")))?;
    if operations.len() > MAX_OPERATIONS {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(PatchError::TooLarge(message));
    }
    let mut patched = live.clone();
    json_patch::patch(&mut patched, &operations)
        .map_err(|error| PatchError::Unprocessable(error.to_string()))?;
    Ok(patched)
}
