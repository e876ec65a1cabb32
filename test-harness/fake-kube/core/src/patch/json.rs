//! JSON patch (RFC 6902).

use json_patch::Patch;
use serde::Deserialize;
use serde_json::Value;

use super::PatchError;
use crate::schema::go::json_type;

/// Operations in one patch; the API server refuses more.
const MAX_OPERATIONS: usize = 10_000;

/// What the API server says of an operation that does not fit, whichever it is.
const UNPROCESSABLE: &str = "the server rejected our request due to an error in our request";

/// `live` with the operations of `patch` applied, all of them or none.
///
/// # Errors
/// When `patch` is no list of operations, or one of them does not fit.
pub fn json(live: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Patch(operations) = decode(patch)?;
    if operations.len() > MAX_OPERATIONS {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(PatchError::TooLarge(message));
    }
    let mut patched = live.clone();
    json_patch::patch(&mut patched, &operations)
        .map_err(|_| PatchError::Unprocessable(UNPROCESSABLE.to_owned()))?;
    Ok(patched)
}

fn decode(patch: &Value) -> Result<Patch, PatchError> {
    let undecodable = |why: String| PatchError::BadRequest(format!("error decoding patch: {why}"));
    if !patch.is_array() {
        let found = json_type(patch);
        return Err(undecodable(format!(
            "json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
        )));
    }
    Patch::deserialize(patch).map_err(|error| undecodable(error.to_string()))
}
