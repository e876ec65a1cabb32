//! Paths: `/api/v1/namespaces/N/pods/P/log`, `/apis/apps/v1/deployments`, and the few that are no resource.

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// A resource or one object of it.
    Resource(Target),
    /// Discovery, health, documents.
    Other(String),
}

/// A resource, or one object, or a subresource of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// API group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Plural name.
    pub resource: String,
    /// The namespace in the path.
    pub namespace: Option<String>,
    /// The object.
    pub name: Option<String>,
    /// Such as `status`.
    pub subresource: Option<String>,
    /// The old form `/watch/` in the path.
    pub watch: bool,
}

impl Path {
    /// Parses a path that may be percent-encoded.
    pub fn parse(path: &str) -> Self {
        let decoded = percent_decode(path);
        let segments: Vec<&str> = decoded.split('/').filter(|s| !s.is_empty()).collect();
        let target = match segments.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => Target::parse("", version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => Target::parse(group, version, rest),
            _ => None,
        };
        target.map_or(Self::Other(decoded), Self::Resource)
    }
}

impl Target {
    fn parse(group: &str, version: &str, rest: &[&str]) -> Option<Self> {
        let (watch, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let own = |s: &str| Some(s.to_owned());
        let base = Self {
            group: group.to_owned(),
            version: version.to_owned(),
            watch,
            ..Self::default()
        };
        // `namespaces/N/status` and `namespaces/N/finalize` are about the namespace; all else below one is inside it.
        let (namespace, resource, name, subresource) = match rest {
            [namespaces @ "namespaces", name, sub @ ("status" | "finalize")] => {
                (None, *namespaces, own(name), own(sub))
            }
            ["namespaces", namespace, resource] => (own(namespace), *resource, None, None),
            ["namespaces", namespace, resource, name] => (own(namespace), *resource, own(name), None),
            ["namespaces", namespace, resource, name, sub] => {
                (own(namespace), *resource, own(name), own(sub))
            }
            [resource] => (None, *resource, None, None),
            [resource, name] => (None, *resource, own(name), None),
            [resource, name, sub] => (None, *resource, own(name), own(sub)),
            _ => return None,
        };
        Some(Self {
            namespace,
            resource: resource.to_owned(),
            name,
            subresource,
            ..base
        })
    }
}

/// Decodes `%XX`; what is not valid UTF-8 afterwards is replaced, which no valid name survives.
pub fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Target {
        match Path::parse(path) {
            Path::Resource(target) => target,
            Path::Other(path) => panic!("{path} is no resource"),
        }
    }

    #[test]
    fn resources_are_found_in_all_forms_of_path() {
        let pod = target("/api/v1/namespaces/shop/pods/web%2D1/log");
        assert_eq!(
            (
                &*pod.resource,
                pod.namespace.as_deref(),
                pod.name.as_deref(),
                pod.subresource.as_deref()
            ),
            ("pods", Some("shop"), Some("web-1"), Some("log"))
        );
        let all = target("/apis/apps/v1/deployments");
        assert_eq!(
            (&*all.group, &*all.version, &*all.resource),
            ("apps", "v1", "deployments")
        );
        let namespace = target("/api/v1/namespaces/shop/status");
        assert_eq!(
            (&*namespace.resource, namespace.name.as_deref()),
            ("namespaces", Some("shop"))
        );
        assert!(target("/api/v1/watch/namespaces/shop/pods").watch);
    }

    #[test]
    fn discovery_is_no_resource() {
        for path in [
            "/",
            "/api",
            "/api/v1",
            "/apis/apps/v1",
            "/healthz",
            "/openapi/v3/apis/apps/v1",
        ] {
            assert_eq!(Path::parse(path), Path::Other(path.to_owned()));
        }
    }
}
