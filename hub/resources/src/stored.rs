//! An object as the API server returned it, whatever is in it.
//!
//! API servers take nested JSON up to 10,000 levels deep, and readers do not. A type that reads all of an object fails
//! with it, and with it fails the list or watch that the object came in. [`Stored`] reads the names and numbers of its
//! metadata and keeps the rest as text, so an odd object is the error of whoever looks into that object.

use core::ops::Range;
use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::core::{ApiResource, DynamicResourceScope, Resource};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An object of which only the metadata has been read: names, uid, versions, annotations, deletion and finalizers.
#[derive(Debug, Clone)]
pub struct Stored {
    kind: String,
    metadata: ObjectMeta,
    json: Box<RawValue>,
    /// Where in `json` its `spec` is.
    spec: Option<Range<usize>>,
    /// Where in `json` its `status` is.
    status: Option<Range<usize>>,
}

/// The fields of the metadata that anybody here asks for. What is not named is passed over at any depth.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    deletion_timestamp: Option<Time>,
    finalizers: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline<'a> {
    kind: String,
    metadata: Metadata,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

/// What is left of an object whose metadata nobody can read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parts<'a> {
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

impl<'a> Outline<'a> {
    /// An object whose metadata has another form than the API promises has none here.
    fn read(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|_malformed| {
            let Parts { spec, status } = serde_json::from_str(json).unwrap_or_default();
            Self {
                spec,
                status,
                ..Self::default()
            }
        })
    }
}

impl Stored {
    /// Its kind, as it says itself.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// All of it, as the API server wrote it.
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// Its `spec` as it is written; none where that is null.
    pub fn spec(&self) -> Option<&str> {
        Some(&self.json()[self.spec.clone()?])
    }

    /// Its `status` as it is written; none where that is null.
    pub fn status(&self) -> Option<&str> {
        Some(&self.json()[self.status.clone()?])
    }
}

impl<'de> Deserialize<'de> for Stored {
    /// Fails only where there is no JSON at all.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

impl From<Box<RawValue>> for Stored {
    fn from(json: Box<RawValue>) -> Self {
        let Outline {
            kind,
            metadata,
            spec,
            status,
        } = Outline::read(json.get());
        let (spec, status) = (place(spec, &json), place(status, &json));
        let metadata = ObjectMeta {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            generation: metadata.generation,
            deletion_timestamp: metadata.deletion_timestamp,
            finalizers: metadata.finalizers,
            annotations: metadata.annotations,
            ..ObjectMeta::default()
        };
        Self {
            kind,
            metadata,
            json,
            spec,
            status,
        }
    }
}

/// Where in `whole` a part of it is.
fn place(part: Option<&RawValue>, whole: &RawValue) -> Option<Range<usize>> {
    let part = part?.get();
    let start = part.as_ptr().addr() - whole.get().as_ptr().addr();
    Some(start..start + part.len())
}

impl Resource for Stored {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use kube::core::{ObjectList, WatchEvent};

    use super::*;

    /// A Release as text, whose spec and managed fields nest this many maps.
    fn release(name: &str, depth: usize) -> String {
        let nested = format!("{}7{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        format!(
            r#"{{"apiVersion":"openchoreo.dev/v1alpha1","kind":"Release","metadata":{{"name":"{name}","uid":"u-1",
            "resourceVersion":"7","managedFields":[{{"fieldsV1":{nested}}}]}},"spec":{nested},"status":null}}"#
        )
    }

    #[test]
    fn a_list_is_read_however_deep_one_of_its_items_is() {
        let (good, deep) = (release("good", 1), release("deep", 10_000));
        let list = format!(
            r#"{{"kind":"ReleaseList","metadata":{{"resourceVersion":"9"}},"items":[{good},{deep}]}}"#
        );
        let list: ObjectList<Stored> = serde_json::from_str(&list).unwrap();
        let names: Vec<_> = list.iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, ["good", "deep"]);
        assert_eq!(list.items[1].spec().unwrap().len(), 10_000 * 6 + 1);
        assert!(list.items[1].status().is_none());
    }

    #[test]
    fn parts_are_found_whatever_the_metadata_is() {
        for metadata in [r#"{"name": "a"}"#, "[]"] {
            let text = format!(r#" {{ "spec" : {{"a": "ä"}} , "metadata": {metadata}, "status": [ 1 ] }} "#);
            let stored: Stored = serde_json::from_str(&text).unwrap();
            assert_eq!(stored.spec(), Some(r#"{"a": "ä"}"#), "{metadata}");
            assert_eq!(stored.status(), Some("[ 1 ]"), "{metadata}");
        }
        let stored: Stored = serde_json::from_str(r#"{"spec": null}"#).unwrap();
        assert_eq!((stored.spec(), stored.status()), (None, None));
    }

    #[test]
    fn so_is_the_event_of_a_watch() {
        let event = format!(r#"{{"type":"ADDED","object":{}}}"#, release("deep", 10_000));
        let WatchEvent::Added(stored) = serde_json::from_str::<WatchEvent<Stored>>(&event).unwrap() else {
            panic!("no such event");
        };
        assert_eq!(
            (stored.kind(), stored.resource_version().as_deref()),
            ("Release", Some("7"))
        );
    }
}
