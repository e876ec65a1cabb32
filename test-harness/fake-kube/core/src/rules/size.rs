//! How large objects may be.

use serde_json::Value;

use crate::kind::Kind;
use crate::refusal::Refusal;
use crate::schema::{FieldError, FieldPath, Problem};

/// What etcd takes in one request, which the API server does not check first.
const MAX_OBJECT_BYTES: usize = 1_572_864;
/// What the data of a ConfigMap or Secret may weigh in all.
const MAX_DATA_BYTES: u64 = 1_048_576;

/// Refuses an object that etcd would not take. `weight` is its size as JSON.
pub(crate) fn check_object(weight: usize) -> Result<(), Refusal> {
    if weight > MAX_OBJECT_BYTES {
        return Err(Refusal::new(500, "", "etcdserver: request is too large"));
    }
    Ok(())
}

/// What is wrong with the amount of data of a ConfigMap or Secret.
pub(crate) fn check_data(kind: &Kind, object: &Value) -> Option<FieldError> {
    let path = match (&*kind.id.group, &*kind.name) {
        ("", "Secret") => FieldPath::root().field("data"),
        // The server names a field without a name here, and shows it so.
        ("", "ConfigMap") => FieldPath::root().field("[]"),
        _ => return None,
    };
    let decoded = |data: &Value| texts(data).map(decoded_size).sum::<usize>();
    let total = if &*kind.name == "Secret" {
        decoded(&object["data"])
    } else {
        texts(&object["data"]).map(str::len).sum::<usize>() + decoded(&object["binaryData"])
    };
    (total as u64 > MAX_DATA_BYTES).then_some(FieldError {
        path,
        problem: Problem::TooLong { max: MAX_DATA_BYTES },
    })
}

fn texts(data: &Value) -> impl Iterator<Item = &str> {
    data.as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, value)| value.as_str())
}

/// Bytes behind base64 text.
fn decoded_size(encoded: &str) -> usize {
    let padding = encoded.bytes().rev().take_while(|byte| *byte == b'=').count();
    encoded.len() / 4 * 3 - padding.min(2)
}
