//! What the server knows about one kind: its names, its versions, and how it departs from the common rules.

mod subresource;

pub use subresource::{Shown, Subresource};

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::meta;
use crate::schema::{self, Schema};
use crate::table::Column;

/// A resource of a group, whatever its version: what storage, events and most messages are about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// The API group, empty for the core group.
    pub group: Arc<str>,
    /// The plural resource name.
    pub resource: Arc<str>,
}

impl GroupResource {
    /// The resource `resource` of `group`.
    pub fn new(group: &str, resource: &str) -> Self {
        Self {
            group: group.into(),
            resource: resource.into(),
        }
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.group {
            "" => f.write_str(&self.resource),
            group => write!(f, "{}.{group}", self.resource),
        }
    }
}

/// Where objects of a kind live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In namespaces.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// How a custom or built-in kind differs from the rules that all kinds share.
#[derive(Debug, Clone, Default)]
pub struct Traits {
    /// The server counts `metadata.generation`.
    pub generation: bool,
    /// An update without resourceVersion overwrites whatever is there.
    pub unconditional_update: bool,
    /// An update of what does not exist creates it.
    pub creates_on_update: bool,
    /// A deletion answers with what was deleted.
    pub shows_deleted: bool,
    /// Labels, annotations and the rest of metadata may be written through the status.
    pub metadata_by_status: bool,
    /// The status that a new object has.
    pub initial_status: Option<Value>,
    /// Names need not be DNS-1123 subdomains, only path segments (RBAC does that).
    pub free_names: bool,
    /// Names must be DNS labels (namespaces, services).
    pub label_names: bool,
    /// What is created answers a question and is not stored (reviews).
    pub virtual_kind: bool,
}

/// One version under which a kind is served.
#[derive(Debug, Clone)]
pub struct Version {
    /// Such as `v1`.
    pub name: Arc<str>,
    /// Whether requests may name it.
    pub served: bool,
    /// The shape of its objects.
    pub schema: Schema,
    /// It has a status subresource.
    pub status: bool,
    /// It has a scale subresource.
    pub scale: Option<Scale>,
    /// What `kubectl get` prints.
    pub columns: Arc<[Column]>,
    /// Top-level fields under another name than in the stored version: (stored, here).
    pub renames: &'static [(&'static str, &'static str)],
    /// Fields that selectors may ask about, beside name and namespace.
    pub selectable: Vec<Arc<str>>,
    /// What a client is warned of that uses this version.
    pub deprecated: Option<Arc<str>>,
}

/// Where the scale subresource reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Path of the wanted number.
    pub spec_replicas: Vec<String>,
    /// Path of the actual number.
    pub status_replicas: Vec<String>,
    /// Path of the selector.
    pub selector: Option<Vec<String>>,
}

/// A kind.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Group and plural name.
    pub id: GroupResource,
    /// Under which name its objects are kept: its own, but that two groups share Events.
    pub shelf: GroupResource,
    /// The `apiVersion` in which they are kept.
    pub stored_as: Arc<str>,
    /// `Deployment`.
    pub name: Arc<str>,
    /// `DeploymentList`.
    pub list_name: Arc<str>,
    /// `deployment`.
    pub singular: Arc<str>,
    /// `deploy`.
    pub short_names: Vec<Arc<str>>,
    /// `all`.
    pub categories: Vec<Arc<str>>,
    /// Namespaced or not.
    pub scope: Scope,
    /// All versions, the preferred first.
    pub versions: Vec<Version>,
    /// Departures from the common rules.
    pub traits: Traits,
    /// The CustomResourceDefinition behind it, if any.
    pub custom: Option<Custom>,
}

/// What is special about a kind that a CustomResourceDefinition defined.
#[derive(Debug, Clone)]
pub struct Custom {
    /// The definition is being deleted: nothing new may be created.
    pub terminating: bool,
    /// The definition has changed since it was made: what is stored may fit another one.
    pub redefined: bool,
}

/// A kind as one request names it: at one of its versions.
#[derive(Debug, Clone)]
pub struct Served {
    /// The kind.
    pub kind: Arc<Kind>,
    /// Index into its versions.
    pub at: usize,
}

impl Kind {
    /// The version with this name, if it is served.
    pub fn served(self: &Arc<Self>, version: &str) -> Option<Served> {
        let at = self
            .versions
            .iter()
            .position(|v| v.served && &*v.name == version)?;
        Some(Served {
            kind: self.clone(),
            at,
        })
    }

    /// Whether this is the kind `name` of `group`.
    pub fn is(&self, group: &str, name: &str) -> bool {
        &*self.id.group == group && &*self.name == name
    }

    /// Whether what is stored may have been written under another definition.
    pub fn is_redefined(&self) -> bool {
        self.custom.as_ref().is_some_and(|custom| custom.redefined)
    }

    /// Fits an object that was stored under an earlier definition to the present one, in the version that it has.
    fn read_back(&self, object: &mut Value) {
        let (_, name) = meta::split_api_version(object["apiVersion"].as_str().unwrap_or_default());
        let stored = self.versions.iter().find(|version| *version.name == *name);
        if let Some(version) = stored.filter(|_| self.is_redefined()) {
            schema::prune(&version.schema, object);
            schema::default(&version.schema, object);
        }
    }

    /// Whether objects live in namespaces.
    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }
}

impl Served {
    /// The version that the request named.
    pub fn version(&self) -> &Version {
        &self.kind.versions[self.at]
    }

    /// `group/version` as the request named it.
    pub fn api_version(&self) -> String {
        meta::join_api_version(&self.kind.id.group, &self.version().name)
    }

    /// Whether what is stored is what this version shows, to the byte.
    pub fn is_storage(&self) -> bool {
        self.is_stored_version() && !self.kind.is_redefined()
    }

    fn is_stored_version(&self) -> bool {
        let (group, version) = meta::split_api_version(&self.kind.stored_as);
        *group == *self.kind.id.group && *version == *self.version().name
    }

    /// A stored object in the version of the request.
    pub fn present<'a>(&self, stored: &'a Value) -> Cow<'a, Value> {
        if self.is_storage() {
            return Cow::Borrowed(stored);
        }
        let mut object = stored.clone();
        self.kind.read_back(&mut object);
        rename(&mut object, self.version().renames.iter().copied());
        object["apiVersion"] = self.api_version().into();
        if self.kind.custom.is_some() {
            schema::prune(&self.version().schema, &mut object);
        }
        Cow::Owned(object)
    }

    /// Whether a stored object is what a write of the same would store.
    pub fn is_current(&self, stored: &Value) -> bool {
        if !self.kind.is_redefined() {
            return true;
        }
        let mut object = stored.clone();
        self.kind.read_back(&mut object);
        object == *stored && stored["apiVersion"] == *self.kind.stored_as
    }

    /// An object in the version of the request as it is to be stored.
    pub fn store_form(&self, mut object: Value) -> Value {
        if !self.is_stored_version() {
            rename(
                &mut object,
                self.version()
                    .renames
                    .iter()
                    .map(|(stored, here)| (*here, *stored)),
            );
            object["apiVersion"] = (*self.kind.stored_as).into();
        }
        object
    }
}

fn rename<'a>(object: &mut Value, names: impl Iterator<Item = (&'a str, &'a str)>) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    for (from, to) in names {
        if let Some(value) = fields.remove(from) {
            fields.insert(to.to_owned(), value);
        }
    }
}
