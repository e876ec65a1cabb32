//! Answers, kept as parts until they are encoded, so that encoding needs no lock on the state.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::Value;

use crate::object::{self, Object};
use crate::refusal::Refusal;
use crate::watch::Watch;

/// What a request leads to.
#[derive(Debug)]
pub enum Outcome {
    /// One answer.
    Reply(Reply),
    /// A stream of events, to be polled from the cluster.
    Watch(Box<Watch>),
}

/// One answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status code.
    pub code: u16,
    /// Texts for `Warning` headers.
    pub warnings: Vec<String>,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u32>,
    /// The body.
    pub body: Body,
    content_type: Option<&'static str>,
}

const AGGREGATED_DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// A stored object as it is.
    Object(Arc<Object>),
    /// Anything made for this answer.
    Value(Value),
    /// A list of stored objects: `head`, the objects with commas between, `]}`.
    List {
        /// All of the list up to its opening bracket.
        head: String,
        /// The objects.
        items: Vec<Arc<Object>>,
        /// Whether each says its kind, as in lists of custom resources.
        kinds: bool,
    },
    /// Plain text.
    Text(String),
    /// A document that is JSON already.
    Document(Bytes),
}

impl Reply {
    /// With these warnings.
    #[must_use]
    pub(crate) fn with_warnings(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    /// 200 with a body.
    pub fn ok(body: Body) -> Self {
        Self {
            code: 200,
            warnings: Vec::new(),
            retry_after: None,
            body,
            content_type: None,
        }
    }

    /// What the real server says where it serves nothing: words, not a Status.
    pub(crate) fn no_such_path() -> Self {
        Self::text("404 page not found\n").with_code(404)
    }

    /// 200 with a value.
    pub fn value(value: Value) -> Self {
        Self::ok(Body::Value(value))
    }

    /// 200 with plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::ok(Body::Text(text.into()))
    }

    /// The same, declared as aggregated discovery: clients look for that in the media type.
    #[must_use]
    pub(crate) fn aggregated_discovery(self) -> Self {
        Self {
            content_type: Some(AGGREGATED_DISCOVERY),
            ..self
        }
    }

    /// 204: there is nothing to show.
    pub(crate) fn nothing() -> Self {
        Self::text("").with_code(204)
    }

    /// The media type of the body, if there is one.
    pub fn content_type(&self) -> Option<&'static str> {
        match (&self.body, self.content_type) {
            _ if self.code == 204 => None,
            (_, Some(given)) => Some(given),
            (Body::Text(_), None) => Some("text/plain; charset=utf-8"),
            (_, None) => Some("application/json"),
        }
    }

    /// The same with another code.
    #[must_use]
    pub fn with_code(self, code: u16) -> Self {
        Self { code, ..self }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code,
            body: Body::Value(refusal.status()),
            warnings: refusal.warnings,
            retry_after: refusal.retry_after,
            content_type: None,
        }
    }
}

impl Body {
    /// Its bytes.
    pub fn encode(self) -> Bytes {
        match self {
            Self::Object(object) => object.json().clone(),
            Self::Value(value) => object::encode(&value),
            Self::Text(text) => Bytes::from(text),
            Self::Document(bytes) => bytes,
            Self::List { head, items, kinds } => encode_list(&head, &items, kinds),
        }
    }
}

fn encode_list(head: &str, items: &[Arc<Object>], kinds: bool) -> Bytes {
    let shown = |item: &Arc<Object>| {
        if kinds {
            item.json().clone()
        } else {
            item.item().clone()
        }
    };
    let size: usize = items.iter().map(|item| shown(item).len() + 1).sum();
    let mut bytes = BytesMut::with_capacity(head.len() + size + 2);
    bytes.put_slice(head.as_bytes());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            bytes.put_u8(b',');
        }
        bytes.put_slice(&shown(item));
    }
    bytes.put_slice(b"]}");
    bytes.freeze()
}
