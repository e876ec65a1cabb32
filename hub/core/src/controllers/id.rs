//! Which object: its kind, namespace and name.

use std::fmt;

use super::Kind;

/// An object, by name. Who made it again under the same name made the same one, as far as names go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty where its kind has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Id {
    /// The object of this kind that has the namespace and the name of this one.
    pub fn beside(&self, kind: Kind) -> Self {
        Self { kind, ..self.clone() }
    }

    /// An object without namespace.
    pub fn of_cluster(kind: Kind, name: &str) -> Self {
        Self {
            kind,
            namespace: String::new(),
            name: name.to_owned(),
        }
    }

    /// An object of the same namespace.
    pub fn near(&self, kind: Kind, name: &str) -> Self {
        Self {
            kind,
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}
