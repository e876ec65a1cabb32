//! Which object in a cluster is meant.

use core::fmt;

use bincode::{Decode, Encode};

/// An object's identity in one cluster: what it is, where it is, what it is called.
///
/// The version is carried for requests but is not identity: `apps/v1` and `apps/v1beta1` name the same object,
/// see [`ObjectRef::same_object`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ObjectRef {
    /// API group; empty for the core group.
    pub group: String,
    /// API version without the group.
    pub version: String,
    /// Kind, in CamelCase.
    pub kind: String,
    /// Namespace; empty for cluster-scoped objects, and for objects that leave it to the default.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// The `apiVersion` field as manifests have it.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether both name one object, whatever version they use to reach it.
    pub fn same_object(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// What tells objects of a cluster apart: group, kind, namespace and name.
    pub fn identity(&self) -> (&str, &str, &str, &str) {
        (&self.group, &self.kind, &self.namespace, &self.name)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match self.namespace.as_str() {
            "" => write!(f, " {}", self.name),
            namespace => write!(f, " {namespace}/{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(version: &str) -> ObjectRef {
        ObjectRef {
            group: "apps".into(),
            version: version.into(),
            kind: "Deployment".into(),
            namespace: "shop".into(),
            name: "cart".into(),
        }
    }

    #[test]
    fn version_is_not_identity() {
        assert!(deployment("v1").same_object(&deployment("v1beta1")));
        assert_eq!(deployment("v1").to_string(), "Deployment.apps shop/cart");
        assert_eq!(deployment("v1").api_version(), "apps/v1");
    }
}
