//! Fields of objects by their way through them.

use serde_json::Value;

/// The field at the end of a way like `metadata/uid`. Unlike a JSON pointer it names no items of lists and has no escapes,
/// so that finding a field allocates nothing.
pub(crate) fn at<'a>(object: &'a Value, way: &str) -> Option<&'a Value> {
    way.split('/').try_fold(object, |value, name| value.get(name))
}
