//! From an object as the API server returned it to one of our types.

use std::error::Error;

use kube::ResourceExt as _;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::stored::Stored;

/// An object in the control plane that does not have the form of its kind.
#[derive(Debug, thiserror::Error)]
#[error("{kind} {name} cannot be read; correct it with kubectl edit")]
pub struct InvalidObject {
    /// Its kind, as it says itself.
    pub kind: String,
    /// `namespace/name`, or the name alone where it has no namespace.
    pub name: String,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

/// Reads an object as type `K`. An absent `spec` counts as an empty one, since the reference's definitions
/// require none.
///
/// # Errors
/// The object does not have the form of its kind; the others of a watch are not concerned.
pub fn parse<K: DeserializeOwned>(object: &Stored) -> Result<K, InvalidObject> {
    read(object).map_err(|source| InvalidObject {
        kind: match object.kind() {
            "" => "object".to_owned(),
            kind => kind.to_owned(),
        },
        name: match object.namespace() {
            Some(namespace) => format!("{namespace}/{}", object.name_any()),
            None => object.name_any(),
        },
        source,
    })
}

/// The error says which field it is. Following the way to it costs more than reading, so it is done only then.
fn read<K: DeserializeOwned>(object: &Stored) -> Result<K, Box<dyn Error + Send + Sync>> {
    serde_json::from_value(value(object)?).or_else(|_| Ok(serde_path_to_error::deserialize(value(object)?)?))
}

fn value(object: &Stored) -> serde_json::Result<Value> {
    let mut value: Value = serde_json::from_str(object.json())?;
    if let Value::Object(fields) = &mut value {
        let spec = fields.entry("spec").or_insert(Value::Null);
        if spec.is_null() {
            *spec = json!({});
        }
    }
    Ok(value)
}

/// Reads `null` as the empty value: Go clients write unset lists and structs so.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// For `skip_serializing_if`: what is empty is left out, as Go's `omitempty` does.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
