//! An object as the store keeps it: immutable, shared by store, history and every watch, encoded once.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::Value;

use crate::meta;

/// A stored object. Changing one means storing another.
#[derive(Debug)]
pub struct Object {
    value: Value,
    version: u64,
    is_unsettled: bool,
    json: OnceLock<Bytes>,
    item: OnceLock<Bytes>,
}

impl Object {
    /// The object as it was at the resourceVersion `version`, which is written into it.
    pub fn new(mut value: Value, version: u64) -> Self {
        meta::set(&mut value, "resourceVersion", version.to_string());
        Self {
            value,
            version,
            is_unsettled: false,
            json: OnceLock::new(),
            item: OnceLock::new(),
        }
    }

    /// The object as it would be if it had never been written: with the version that somebody sent, if any.
    pub fn never_written(mut self, sent: Option<String>) -> Self {
        meta::remove(&mut self.value, "resourceVersion");
        if let Some(sent) = sent {
            meta::set(&mut self.value, "resourceVersion", sent);
        }
        Self {
            value: self.value,
            version: 0,
            is_unsettled: self.is_unsettled,
            json: OnceLock::new(),
            item: OnceLock::new(),
        }
    }

    /// The object, whose next write counts also if it changes nothing.
    #[must_use]
    pub fn unsettled(mut self) -> Self {
        self.is_unsettled = true;
        self
    }

    /// Whether the real server would store something else than this when it stores it again.
    pub fn is_unsettled(&self) -> bool {
        self.is_unsettled
    }

    /// The whole object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The resourceVersion that wrote it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The object as JSON; encoded at the first call, shared afterwards.
    pub fn json(&self) -> &Bytes {
        self.json.get_or_init(|| encode(&self.value))
    }

    /// The object as an item of a typed list, which says the kind once for all.
    pub fn item(&self) -> &Bytes {
        self.item.get_or_init(|| encode(&without_kind(&self.value)))
    }
}

/// An object without `kind` and `apiVersion`.
pub fn without_kind(object: &Value) -> Value {
    let mut fields = object.as_object().cloned().unwrap_or_default();
    fields.remove("kind");
    fields.remove("apiVersion");
    Value::Object(fields)
}

/// JSON of a value. Values always encode: their keys are strings and their numbers finite.
pub fn encode(value: &Value) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("a JSON value encodes"))
}
