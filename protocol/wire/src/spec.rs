//! The `spec` of a Release or Bundle, as both ends read it.
//!
//! The hub reads it to refuse what cannot work before it is queued; the agent reads it to know what to apply. It
//! is read from the bytes that the API server stored, never through a type that could drop a field. An entry that
//! is no Kubernetes object is an error of that entry alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::canonical;
use crate::depth;
use crate::head::BundleKind;
use crate::limits;
use crate::object::ObjectRef;

/// A readable spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its objects, in spec order, with unique ids.
    pub entries: Vec<Entry>,
    /// For a Bundle: objects that are created where they are absent, and no more than that.
    pub ensure: Vec<Entry>,
    /// How long it is worked on.
    pub lifecycle: Lifecycle,
    /// For a Release: labels that namespaces created for it get.
    pub environment: Option<Environment>,
}

/// How long a resource is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// Until it is deleted: its objects are kept as they are in the spec.
    Continuous,
    /// Until its objects have run to completion, one time.
    Once,
}

/// One object of a spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id, unique within the spec. One of `ensure` has its place there: `ensure[0]`.
    pub id: String,
    /// The object, or why it is none.
    pub manifest: Result<Manifest, ManifestError>,
}

/// A Kubernetes object to apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Which object.
    pub object: ObjectRef,
    /// All of it.
    pub body: Map<String, Value>,
}

/// Where a Release belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `spec.environmentName`.
    pub name: String,
    /// `spec.owner.projectName`.
    pub project: String,
}

/// Why a spec as a whole cannot be delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The spec is not a JSON object of the expected form.
    #[error("spec.{field} {problem}")]
    Form {
        /// Which field.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Too many objects.
    #[error(
        "spec has {count} objects, at most {} fit in one resource: split it",
        limits::OBJECTS
    )]
    TooManyObjects {
        /// How many it has.
        count: usize,
    },
    /// Too many bytes.
    #[error(
        "spec is {bytes} bytes long, at most {} fit in one resource: split it",
        limits::SPEC_BYTES
    )]
    TooLong {
        /// Its length as Go writes JSON.
        bytes: usize,
    },
    /// Too many lists and maps in each other.
    #[error(
        "spec nests {depth} lists and maps in each other, at most {} can be delivered: make it flatter",
        limits::SPEC_DEPTH
    )]
    TooDeep {
        /// How many.
        depth: usize,
    },
    /// Two entries have one id.
    #[error("spec has two objects with id {id:?}: give each its own")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// Two entries are one object.
    #[error("{object} is in the spec as {first:?} and as {second:?}: keep one")]
    DuplicateObject {
        /// The object.
        object: Box<ObjectRef>,
        /// Id of the first.
        first: String,
        /// Id of the second.
        second: String,
    },
}

/// Why one entry is no Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("object {id:?} {problem}")]
pub struct ManifestError {
    /// Id of the entry.
    pub id: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Checks the length of a spec whose canonical form is `canonical`.
///
/// # Errors
/// It is longer than [`limits::SPEC_BYTES`] as Go writes it.
pub fn check_length(canonical: &[u8]) -> Result<(), SpecError> {
    match canonical::go_length(canonical) {
        bytes if bytes > limits::SPEC_BYTES => Err(SpecError::TooLong { bytes }),
        _ => Ok(()),
    }
}

/// Checks the depth of a spec as it is written, before anything reads it.
///
/// # Errors
/// It is deeper than [`limits::SPEC_DEPTH`].
pub fn check_depth(json: &str) -> Result<(), SpecError> {
    match depth::of(json) {
        depth if depth > limits::SPEC_DEPTH => Err(SpecError::TooDeep { depth }),
        _ => Ok(()),
    }
}

impl Spec {
    /// Reads the spec of a resource of `kind`.
    ///
    /// # Errors
    /// The spec as a whole cannot be delivered.
    pub fn read(kind: BundleKind, spec: &Value) -> Result<Self, SpecError> {
        let list = match kind {
            BundleKind::Release => "resources",
            BundleKind::Bundle => "objects",
        };
        let entries = entries(list, spec.get(list))?;
        let (environment, ensure, lifecycle) = match kind {
            BundleKind::Release => (Some(environment(spec)), Vec::new(), Lifecycle::Continuous),
            BundleKind::Bundle => (None, ensure(spec.get("ensure"))?, lifecycle(spec)?),
        };
        refuse_too_many(entries.len() + ensure.len())?;
        refuse_duplicates(entries.iter().chain(&ensure))?;
        Ok(Self {
            entries,
            ensure,
            lifecycle,
            environment,
        })
    }

    /// The entries that are objects.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &Manifest)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.id.as_str(), entry.manifest.as_ref().ok()?)))
    }
}

fn entries(list: &str, value: Option<&Value>) -> Result<Vec<Entry>, SpecError> {
    let items = items(list, value)?;
    refuse_too_many(items.len())?;
    let entry = |(index, item): (usize, &Value)| match item.get("id").and_then(Value::as_str) {
        Some(id) if id.len() > limits::ID_BYTES => {
            Err(form(format!("{list}[{index}].id"), "is longer than 512 bytes"))
        }
        Some(id) if !id.is_empty() => Ok(Entry {
            id: id.to_owned(),
            manifest: manifest(id, item.get("object")),
        }),
        _ => Err(form(format!("{list}[{index}].id"), "is missing or empty")),
    };
    items.iter().enumerate().map(entry).collect()
}

/// Objects that nothing is reported of once they are there, so they need no ids of their own.
fn ensure(value: Option<&Value>) -> Result<Vec<Entry>, SpecError> {
    let entry = |(index, object): (usize, &Value)| {
        let id = format!("ensure[{index}]");
        Entry {
            manifest: manifest(&id, Some(object)),
            id,
        }
    };
    Ok(items("ensure", value)?.iter().enumerate().map(entry).collect())
}

fn lifecycle(spec: &Value) -> Result<Lifecycle, SpecError> {
    match spec.get("lifecycle") {
        None | Some(Value::Null) => Ok(Lifecycle::Continuous),
        Some(Value::String(text)) if text == "Continuous" => Ok(Lifecycle::Continuous),
        Some(Value::String(text)) if text == "Once" => Ok(Lifecycle::Once),
        Some(_) => Err(form("lifecycle".to_owned(), "is neither Continuous nor Once")),
    }
}

fn items<'a>(list: &str, value: Option<&'a Value>) -> Result<&'a [Value], SpecError> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(form(list.to_owned(), "is not a list")),
    }
}

fn refuse_too_many(count: usize) -> Result<(), SpecError> {
    match count > limits::OBJECTS {
        true => Err(SpecError::TooManyObjects { count }),
        false => Ok(()),
    }
}

fn form(field: String, problem: &'static str) -> SpecError {
    SpecError::Form { field, problem }
}

fn manifest(id: &str, object: Option<&Value>) -> Result<Manifest, ManifestError> {
    let error = |problem| ManifestError {
        id: id.to_owned(),
        problem,
    };
    let Some(Value::Object(body)) = object else {
        return Err(error("is not a JSON object"));
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let metadata = |field| text(body.get("metadata").and_then(|metadata| metadata.get(field)));
    let (api_version, kind) = (text(body.get("apiVersion")), text(body.get("kind")));
    let (name, namespace) = (metadata("name"), metadata("namespace"));
    let too_long = |text: &str| text.len() > limits::NAME_BYTES;
    match () {
        () if api_version.is_empty() => Err(error("has no apiVersion")),
        () if kind.is_empty() => Err(error("has no kind")),
        () if name.is_empty() => Err(error("has no metadata.name")),
        () if [&api_version, &kind, &name, &namespace]
            .iter()
            .any(|text| too_long(text)) =>
        {
            Err(error("has an apiVersion, kind, name or namespace over 253 bytes"))
        }
        // An owner that is not there: the garbage collector would delete the object, which nobody said and no budget counts.
        () if is_owned(body) => Err(error(
            "names owners in metadata.ownerReferences, with which its cluster would delete it; leave them out",
        )),
        () => {
            let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
            let (group, version) = (group.to_owned(), version.to_owned());
            let object = ObjectRef {
                group,
                version,
                kind,
                namespace,
                name,
            };
            Ok(Manifest {
                object,
                body: body.clone(),
            })
        }
    }
}

fn is_owned(body: &Map<String, Value>) -> bool {
    match body
        .get("metadata")
        .and_then(|metadata| metadata.get("ownerReferences"))
    {
        None | Some(Value::Null) => false,
        Some(Value::Array(owners)) => !owners.is_empty(),
        Some(_) => true,
    }
}

fn refuse_duplicates<'a>(entries: impl Iterator<Item = &'a Entry>) -> Result<(), SpecError> {
    let mut ids = BTreeMap::new();
    let mut objects = BTreeMap::new();
    for entry in entries {
        if ids.insert(&entry.id, ()).is_some() {
            return Err(SpecError::DuplicateId { id: entry.id.clone() });
        }
        let Ok(manifest) = &entry.manifest else { continue };
        if let Some(first) = objects.insert(manifest.object.identity(), &entry.id) {
            let (object, first, second) =
                (Box::new(manifest.object.clone()), first.clone(), entry.id.clone());
            return Err(SpecError::DuplicateObject {
                object,
                first,
                second,
            });
        }
    }
    Ok(())
}

fn environment(spec: &Value) -> Environment {
    let text = |pointer| {
        spec.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Environment {
        name: text("/environmentName"),
        project: text("/owner/projectName"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config_map(name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}})
    }

    fn release(resources: &Value) -> Result<Spec, SpecError> {
        let spec =
            json!({"environmentName": "dev", "owner": {"projectName": "shop"}, "resources": resources});
        Spec::read(BundleKind::Release, &spec)
    }

    #[test]
    fn a_release_and_a_bundle_name_their_objects_by_id() {
        let resources = json!([{"id": "a", "object": config_map("one")}]);
        let spec = release(&resources).unwrap();
        assert_eq!(
            spec.environment,
            Some(Environment {
                name: "dev".into(),
                project: "shop".into()
            })
        );
        let bundle = Spec::read(BundleKind::Bundle, &json!({"plane": "p", "objects": resources})).unwrap();
        assert_eq!(bundle.entries, spec.entries);
        let (id, manifest) = spec.manifests().next().unwrap();
        assert_eq!(
            (id, manifest.object.to_string()),
            ("a", "ConfigMap shop/one".to_owned())
        );
    }

    #[test]
    fn a_bundle_says_how_long_it_is_worked_on_and_what_has_to_be_there() {
        let bundle = |lifecycle: Value, ensure: Value| {
            let objects = json!([{"id": "a", "object": config_map("one")}]);
            let spec = json!({"objects": objects, "lifecycle": lifecycle, "ensure": ensure});
            Spec::read(BundleKind::Bundle, &spec).map_err(|error| error.to_string())
        };
        let spec = bundle(json!("Once"), json!([config_map("two"), {"kind": "ConfigMap"}])).unwrap();
        assert_eq!(spec.lifecycle, Lifecycle::Once);
        let ids: Vec<_> = spec.ensure.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["ensure[0]", "ensure[1]"]);
        assert!(spec.ensure[0].manifest.is_ok() && spec.ensure[1].manifest.is_err());
        for usual in [json!(null), json!("Continuous")] {
            let spec = bundle(usual, json!(null)).unwrap();
            assert_eq!((spec.lifecycle, spec.ensure), (Lifecycle::Continuous, vec![]));
        }
        for (lifecycle, ensure, error) in [
            (
                json!("Twice"),
                json!([]),
                "spec.lifecycle is neither Continuous nor Once",
            ),
            (json!("Once"), json!({}), "spec.ensure is not a list"),
            (
                json!("Once"),
                json!([config_map("one")]),
                r#"ConfigMap shop/one is in the spec as "a" and as "ensure[0]": keep one"#,
            ),
            (
                json!("Once"),
                json!(vec![json!({}); 1000]),
                "spec has 1001 objects, at most 1000 fit in one resource: split it",
            ),
        ] {
            assert_eq!(bundle(lifecycle, ensure).unwrap_err(), error);
        }
        let release = json!({"resources": [], "lifecycle": "Once", "ensure": 7});
        let release = Spec::read(BundleKind::Release, &release).unwrap();
        assert_eq!(
            (release.lifecycle, release.ensure),
            (Lifecycle::Continuous, vec![])
        );
    }

    #[test]
    fn an_entry_that_is_no_object_spoils_only_itself() {
        let no_kind = json!({"apiVersion": "v1", "metadata": {"name": "x"}});
        let resources =
            json!([{"id": "bad", "object": no_kind}, {"id": "good", "object": config_map("one")}]);
        let spec = release(&resources).unwrap();
        let error = spec.entries[0].manifest.as_ref().unwrap_err();
        assert_eq!(error.to_string(), r#"object "bad" has no kind"#);
        assert!(spec.entries[1].manifest.is_ok());
    }

    #[test]
    fn an_object_with_owners_is_refused_since_it_would_go_with_them() {
        let owned = |owners: Value| {
            let mut object = config_map("one");
            object["metadata"]["ownerReferences"] = owners;
            let spec = release(&json!([{"id": "a", "object": object}])).unwrap();
            spec.entries[0]
                .manifest
                .clone()
                .err()
                .map(|error| error.to_string())
        };
        assert_eq!(owned(json!([])), None);
        assert_eq!(owned(json!(null)), None);
        let error = owned(json!([{"kind": "ConfigMap", "name": "gone", "uid": "u-1"}])).unwrap();
        assert!(error.contains("ownerReferences"), "{error}");
    }

    #[test]
    fn names_that_would_not_fit_a_report_are_refused() {
        let spec = release(&json!([{"id": "a", "object": config_map(&"x".repeat(254))}])).unwrap();
        let error = spec.entries[0].manifest.as_ref().unwrap_err();
        assert!(error.to_string().ends_with("over 253 bytes"), "{error}");
    }

    #[test]
    fn what_cannot_be_delivered_as_a_whole_is_named() {
        let two = |first: &str, second: &str, names: [&str; 2]| json!([{"id": first, "object": config_map(names[0])}, {"id": second, "object": config_map(names[1])}]);
        let cases = [
            (json!({}), "spec.resources is not a list"),
            (
                json!([{"object": {}}]),
                "spec.resources[0].id is missing or empty",
            ),
            (
                json!([{"id": "a".repeat(513)}]),
                "spec.resources[0].id is longer than 512 bytes",
            ),
            (
                two("a", "a", ["x", "y"]),
                r#"spec has two objects with id "a": give each its own"#,
            ),
            (
                two("a", "b", ["x", "x"]),
                r#"ConfigMap shop/x is in the spec as "a" and as "b": keep one"#,
            ),
            (
                json!(vec![json!({}); 1001]),
                "spec has 1001 objects, at most 1000 fit in one resource: split it",
            ),
        ];
        for (resources, message) in cases {
            assert_eq!(release(&resources).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn length_is_what_the_api_server_stores() {
        let escaped = canonical::to_vec(&json!("<".repeat(limits::SPEC_BYTES / 6)));
        assert_eq!(check_length(&escaped), Ok(()));
        let more = canonical::to_vec(&json!("<".repeat(limits::SPEC_BYTES / 6 + 1)));
        assert!(matches!(check_length(&more), Err(SpecError::TooLong { .. })));
    }
}
