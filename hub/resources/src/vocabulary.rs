//! Words that several kinds use, and which of them an API server checks.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A word of the vocabulary `T` in a field that takes any: what is not known is kept as it is written.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(untagged)]
pub enum Open<T> {
    /// A word that something is done about.
    Known(T),
    /// Any other.
    Other(String),
}

impl<T: Copy> Open<T> {
    /// The word, where it is a known one.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Other(_) => None,
        }
    }
}

impl<T> Default for Open<T> {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T> JsonSchema for Open<T> {
    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// What is spoken at an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointType {
    /// Plain HTTP.
    #[serde(rename = "HTTP")]
    Http,
    /// A REST API over HTTP.
    #[serde(rename = "REST")]
    Rest,
    /// gRPC.
    #[serde(rename = "gRPC")]
    Grpc,
    /// GraphQL over HTTP.
    #[serde(rename = "GraphQL")]
    GraphQl,
    /// WebSocket.
    Websocket,
    /// Any protocol over TCP.
    #[serde(rename = "TCP")]
    Tcp,
    /// Any protocol over UDP.
    #[serde(rename = "UDP")]
    Udp,
}

/// What should become of the objects of a binding.
#[derive(
    JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum ReleaseState {
    /// They run. An empty word, which older definitions let through, means this too.
    #[default]
    #[serde(alias = "")]
    Active,
    /// They stay, and nothing runs.
    Suspend,
    /// They are removed from the plane.
    Undeploy,
}

/// The class of a resource, by name, in its own namespace.
///
/// Where the name is left out or null it is `default`; an empty one is kept.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(from = "Option<String>")]
pub struct ClassName(pub String);

impl ClassName {
    const DEFAULT: &'static str = "default";

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ClassName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl From<Option<String>> for ClassName {
    fn from(name: Option<String>) -> Self {
        name.map(Self).unwrap_or_default()
    }
}

/// Required, and with a default: so OpenChoreo's definitions have it. API servers fill in defaults first.
impl JsonSchema for ClassName {
    fn schema_name() -> Cow<'static, str> {
        "ClassName".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = String::json_schema(generator);
        schema.insert("default".to_owned(), Self::DEFAULT.into());
        schema
    }

    fn inline_schema() -> bool {
        true
    }
}
