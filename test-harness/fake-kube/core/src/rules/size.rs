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
        return Err(Refusal::internal("etcdserver: request is too large"));
    }
    Ok(())
}

/// What is wrong with the amount of data of a ConfigMap or Secret.
pub(crate) fn check_data(kind: &Kind, object: &Value) -> Option<FieldError> {
    let path = match (&*kind.id.group, &*kind.name) {
        ("", "Secret") => FieldPath::root().field("data"),
        ("", "ConfigMap") => FieldPath::root(),
        _ => return None,
    };
    let plain: usize = sizes(&object["data"]).sum();
    let encoded: usize = sizes(&object["binaryData"]).map(decoded_size).sum();
    let total = if &*kind.name == "Secret" {
        sizes(&object["data"]).map(decoded_size).sum()
    } else {
        plain + encoded
    };
    (total as u64 > MAX_DATA_BYTES).then_some(FieldError {
        path,
        problem: Problem::TooLong { max: MAX_DATA_BYTES },
    })
}

fn sizes(data: &Value) -> impl Iterator<Item = usize> {
    data.as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, value)| value.as_str())
        .map(str::len)
}

/// Bytes behind base64 text, to within the padding.
fn decoded_size(encoded: usize) -> usize {
    encoded / 4 * 3
}
