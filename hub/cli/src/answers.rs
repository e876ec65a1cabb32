//! The hub's answers, as much of them as is shown. Fields that a newer hub adds are ignored.

use core::fmt;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Plane {
    pub(crate) name: String,
    pub(crate) enrolled: bool,
    pub(crate) revoked: bool,
    /// Hubs of version 0.1.0 do not say it.
    #[serde(default)]
    pub(crate) forgotten: bool,
    pub(crate) connection: Option<Connection>,
    pub(crate) queue: Queue,
    pub(crate) orphans: Orphans,
    pub(crate) policy: Option<Policy>,
}

/// What the policy of a plane's owner lets the hub do.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Policy {
    pub(crate) mode: String,
    pub(crate) confirmations: String,
    pub(crate) problem: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    pub(crate) since: String,
    pub(crate) remote: String,
    pub(crate) term: Term,
    pub(crate) agent_version: String,
    pub(crate) kubernetes_version: String,
    pub(crate) certificate_expires: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Term {
    pub(crate) boot: u64,
    pub(crate) dial: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queue {
    pub(crate) bundles: u64,
    pub(crate) unacknowledged: u64,
    pub(crate) lag_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Orphans {
    pub(crate) total: u64,
    /// The first of them.
    pub(crate) bundles: Vec<BundleRef>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Bundle {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) plane: String,
    pub(crate) version: Version,
    pub(crate) state: String,
    pub(crate) blocker: Option<Blocker>,
    pub(crate) objects: Vec<Object>,
    pub(crate) leftovers: Vec<Leftover>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Version {
    pub(crate) generation: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Object {
    #[serde(flatten)]
    pub(crate) object: ObjectName,
    pub(crate) health: String,
    pub(crate) blocker: Option<Blocker>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Leftover {
    #[serde(flatten)]
    pub(crate) object: ObjectName,
    pub(crate) blocker: Option<Blocker>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ObjectName {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Blocker {
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// A plane that will never return.
#[derive(Deserialize)]
pub(crate) struct Forgotten {
    pub(crate) plane: String,
    pub(crate) bundles: Vec<BundleRef>,
}

/// A Release or Bundle by name.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BundleRef {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a plane holds and the hub does not know.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Orphan {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) successor: Option<String>,
    pub(crate) elsewhere: Option<String>,
    #[serde(default)]
    pub(crate) stands: bool,
}

/// Why something is stuck.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) what: String,
    pub(crate) plane: Option<String>,
    pub(crate) bundle: Option<BundleRef>,
    pub(crate) object: Option<ObjectName>,
    pub(crate) stuck: String,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) since: Option<String>,
    pub(crate) remedies: Vec<Remedy>,
}

/// What resolves it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Remedy {
    pub(crate) effect: String,
    pub(crate) command: String,
}

/// A raised epoch.
#[derive(Deserialize)]
pub(crate) struct Restored {
    pub(crate) epoch: u64,
}

/// A new enrolment token.
#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) plane: String,
    pub(crate) token: String,
    pub(crate) expires: String,
}

impl Object {
    pub(crate) fn is_done(&self) -> bool {
        self.blocker.is_none() && matches!(self.health.as_str(), "Healthy" | "Suspended")
    }
}

impl fmt::Display for ObjectName {
    /// As kubectl takes it: `Deployment.apps shop/cart`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match self.namespace.as_str() {
            "" => write!(f, " {}", self.name),
            namespace => write!(f, " {namespace}/{}", self.name),
        }
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}
