//! Paths of the Kubernetes API.

use core::fmt::Write as _;

use outhaul_agent_core::blocker::{Failure, Refusal, ScopeError};
use outhaul_protocol_wire::object::ObjectRef;

use super::discovery::Kind;

/// A path with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    has_query: bool,
}

impl Path {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            has_query: false,
        }
    }

    /// The path of one object.
    ///
    /// # Errors
    /// Its namespace does not fit its kind, or its name fits no path.
    pub(crate) fn of(object: &ObjectRef, kind: &Kind) -> Result<Self, Failure> {
        let around = Self::around(object, kind)?;
        Ok(around.segment(checked("name", &object.name)?))
    }

    /// The path under which one object is created.
    ///
    /// # Errors
    /// Its namespace does not fit its kind, or fits no path.
    pub(crate) fn around(object: &ObjectRef, kind: &Kind) -> Result<Self, Failure> {
        let namespace = match (kind.namespaced, object.namespace.as_str()) {
            (true, "") => return Err(Failure::Scope(ScopeError::NamespaceMissing)),
            (false, namespace) if !namespace.is_empty() => {
                return Err(Failure::Scope(ScopeError::NamespaceGiven));
            }
            (_, namespace) => namespace,
        };
        let namespace = checked("namespace", namespace)?;
        Ok(collection(
            &object.group,
            &object.version,
            &kind.plural,
            namespace,
        ))
    }

    pub(crate) fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        self.text.push_str(&encoded(segment));
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let separator = if self.has_query { '&' } else { '?' };
        self.has_query = true;
        write!(self.text, "{separator}{name}={}", encoded(value)).expect("writing to a String cannot fail");
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The path of all objects of a kind, in one namespace or, if that is empty, everywhere.
pub(crate) fn collection(group: &str, version: &str, plural: &str, namespace: &str) -> Path {
    let base = match group {
        "" => Path::new("/api"),
        group => Path::new("/apis").segment(group),
    };
    let base = base.segment(version);
    let base = match namespace {
        "" => base,
        namespace => base.segment("namespaces").segment(namespace),
    };
    base.segment(plural)
}

/// Kubernetes allows no such name, and a client that normalises paths would turn it into another request.
fn checked<'a>(field: &str, name: &'a str) -> Result<&'a str, Failure> {
    if matches!(name, "." | "..") || name.contains(['/', '%']) {
        return Err(Failure::from(Refusal {
            code: 422,
            message: format!("metadata.{field} {name:?} may not be \".\" or \"..\" or contain '/' or '%'"),
            ..Refusal::default()
        }));
    }
    Ok(name)
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                out.push(char::from(byte));
            }
            _ => write!(out, "%{byte:02X}").expect("writing to a String cannot fail"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(group: &str, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef {
            group: group.into(),
            version: "v1".into(),
            kind: "X".into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn kind(namespaced: bool) -> Kind {
        Kind {
            plural: "xs".into(),
            namespaced,
        }
    }

    #[test]
    fn objects_have_the_paths_that_kubernetes_gives_them() {
        let cases = [
            (
                object("", "shop", "cart"),
                true,
                "/api/v1/namespaces/shop/xs/cart",
            ),
            (
                object("apps", "shop", "cart"),
                true,
                "/apis/apps/v1/namespaces/shop/xs/cart",
            ),
            (
                object("a.dev", "", "system:x y"),
                false,
                "/apis/a.dev/v1/xs/system:x%20y",
            ),
        ];
        for (object, namespaced, expected) in cases {
            let path = Path::of(&object, &kind(namespaced)).unwrap();
            assert_eq!(path.as_str(), expected);
        }
        let query = Path::new("/x")
            .query("labelSelector", "a=b,c")
            .query("limit", "5");
        assert_eq!(query.as_str(), "/x?labelSelector=a%3Db%2Cc&limit=5");
    }

    #[test]
    fn an_object_that_does_not_fit_its_kind_is_not_sent() {
        for (object, namespaced) in [
            (object("", "", "cart"), true),
            (object("", "shop", "cart"), false),
            (object("", "shop", ".."), true),
            (object("", "shop", "a/b"), true),
        ] {
            assert!(Path::of(&object, &kind(namespaced)).is_err(), "{object:?}");
        }
    }
}
