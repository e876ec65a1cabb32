//! JSON patch (RFC 6902), as the API server's library has it.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, CopyOperation, Patch, PatchOperation, ReplaceOperation, TestOperation};
use serde::Deserialize;
use serde_json::Value;

use super::PatchError;
use crate::schema::go::json_type;

/// Operations in one patch; the API server refuses more.
const MAX_OPERATIONS: usize = 10_000;

/// `live` with the operations of `patch` applied, all of them or none.
///
/// # Errors
/// When `patch` is no list of operations, or one of them does not fit.
pub fn json(live: &Value, patch: &Value) -> Result<Value, PatchError> {
    let operations = decode(patch)?;
    if operations.len() > MAX_OPERATIONS {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(PatchError::TooLarge(message));
    }
    let mut patched = live.clone();
    for operation in operations {
        if finds_nothing(&operation, &patched) {
            continue;
        }
        let operation = leniently(operation, &patched);
        json_patch::patch_unsafe(&mut patched, &[operation]).map_err(|_| PatchError::Unprocessable)?;
    }
    Ok(patched)
}

/// A field may be replaced that is not there yet, and nothing be copied from one that is not.
fn leniently(operation: PatchOperation, at: &Value) -> PatchOperation {
    match operation {
        PatchOperation::Replace(ReplaceOperation { path, value }) if is_in_object(&path, at) => {
            PatchOperation::Add(AddOperation { path, value })
        }
        PatchOperation::Copy(CopyOperation { from, path })
            if from.resolve(at).is_err() && is_in_object(&from, at) =>
        {
            PatchOperation::Add(AddOperation {
                path,
                value: Value::Null,
            })
        }
        other => other,
    }
}

/// Whether it tests for null what is not there, and so holds.
fn finds_nothing(operation: &PatchOperation, at: &Value) -> bool {
    match operation {
        PatchOperation::Test(TestOperation { path, value }) => {
            value.is_null() && path.resolve(at).is_err() && is_in_object(path, at)
        }
        _ => false,
    }
}

fn is_in_object(path: &PointerBuf, at: &Value) -> bool {
    let parent = path.parent().and_then(|parent| parent.resolve(at).ok());
    parent.is_some_and(Value::is_object)
}

fn decode(patch: &Value) -> Result<Vec<PatchOperation>, PatchError> {
    if !patch.is_array() {
        return Err(PatchError::BadRequest(format!(
            "error decoding patch: json: cannot unmarshal {} into Go value of type []handlers.jsonPatchOp",
            json_type(patch)
        )));
    }
    let Patch(operations) = Patch::deserialize(patch).map_err(|_| PatchError::Unprocessable)?;
    Ok(operations)
}
