//! What can be asked of an object below its own path, and by which verbs: what discovery lists and requests are held to.

use super::{Kind, Version};

/// A path below an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subresource {
    /// How it is.
    Status,
    /// How many there are to be.
    Scale,
    /// What a pod has said.
    Log,
    /// A token for a ServiceAccount.
    Token,
    /// What holds a namespace.
    Finalize,
}

impl Subresource {
    /// Those that a kind has in a version, in the order of discovery.
    pub fn of(kind: &Kind, version: &Version) -> Vec<Self> {
        let status = version.status.then_some(Self::Status);
        let scale = version.scale.is_some().then_some(Self::Scale);
        // Custom kinds have their status first.
        let (first, second) = match kind.custom {
            Some(_) => (status, scale),
            None => (scale, status),
        };
        let own = match (&*kind.id.group, &*kind.name) {
            ("", "Pod") => Some(Self::Log),
            ("", "Namespace") => Some(Self::Finalize),
            ("", "ServiceAccount") => Some(Self::Token),
            _ => None,
        };
        [first, second, own].into_iter().flatten().collect()
    }

    /// As in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Log => "log",
            Self::Token => "token",
            Self::Finalize => "finalize",
        }
    }

    /// What can be done with it, in the words and the order of discovery.
    pub fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Status | Self::Scale => &["get", "patch", "update"],
            Self::Log => &["get"],
            Self::Token => &["create"],
            Self::Finalize => &["update"],
        }
    }

    /// What it shows, unless that is the object.
    pub fn shows(self) -> Option<Shown<'static>> {
        let (group, version, kind) = match self {
            Self::Scale => ("autoscaling", "v1", "Scale"),
            Self::Token => ("authentication.k8s.io", "v1", "TokenRequest"),
            Self::Status | Self::Log | Self::Finalize => return None,
        };
        Some(Shown { group, version, kind })
    }
}

/// The kind of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// API version without the group.
    pub version: &'a str,
    /// Kind.
    pub kind: &'a str,
}
