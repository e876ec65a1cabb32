//! An object as one write left it.

use core::ops::Deref;
use std::sync::OnceLock;

use outhaul_hub_resources::Stored;
use serde_json::Value;
use serde_json::value::to_raw_value;

/// An object as one write left it. It never changes, so what clients read of it is read once.
#[derive(Debug)]
pub struct Object {
    value: Value,
    stored: OnceLock<Stored>,
}

impl Object {
    /// As clients of the control plane read it from what an API server sends.
    pub(crate) fn stored(&self) -> &Stored {
        self.stored.get_or_init(|| stored(&self.value))
    }
}

/// An object as clients of the control plane read it.
pub(crate) fn stored(object: &Value) -> Stored {
    to_raw_value(object).expect("a value is JSON").into()
}

impl From<Value> for Object {
    fn from(value: Value) -> Self {
        Self {
            value,
            stored: OnceLock::new(),
        }
    }
}

impl Deref for Object {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Object {}
