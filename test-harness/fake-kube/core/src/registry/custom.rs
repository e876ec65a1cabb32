//! From a CustomResourceDefinition to a kind.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Registry;
use crate::kind::{Custom, GroupResource, Kind, Scale, Scope, Traits, Version};
use crate::meta;
use crate::moment::Moment;
use crate::schema::{Schema, SchemaError};
use crate::table;

/// Why a definition cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// A field that must be there is not.
    #[error("spec.{0}: Required value")]
    Missing(&'static str),
    /// A version's schema cannot be used.
    #[error("spec.versions[{version}].schema.openAPIV3Schema cannot be used")]
    Schema {
        /// The version.
        version: String,
        /// Why not.
        #[source]
        source: SchemaError,
    },
    /// Not exactly one version is the stored one.
    #[error("spec.versions: Invalid value: must have exactly one version marked as storage version")]
    Storage,
}

/// The kind that a definition describes.
///
/// # Errors
/// When the definition lacks names or versions, or has a schema that is not structural.
pub fn kind_of_crd(crd: &Value) -> Result<Kind, CrdError> {
    let spec = &crd["spec"];
    let group = text(spec, "group").ok_or(CrdError::Missing("group"))?;
    let names = &spec["names"];
    let plural = text(names, "plural").ok_or(CrdError::Missing("names.plural"))?;
    let kind = text(names, "kind").ok_or(CrdError::Missing("names.kind"))?;
    let list = spec["versions"]
        .as_array()
        .filter(|v| !v.is_empty())
        .ok_or(CrdError::Missing("versions"))?;
    let mut versions = list
        .iter()
        .map(|each| version(group, kind, each))
        .collect::<Result<Vec<_>, _>>()?;
    let stored = stored_version(list)?;
    versions.sort_by_key(|version| core::cmp::Reverse(version_priority(&version.name)));
    let id = GroupResource::new(group, plural);
    Ok(Kind {
        shelf: id.clone(),
        stored_as: meta::join_api_version(group, stored).into(),
        id,
        name: kind.into(),
        list_name: text(names, "listKind").map_or_else(|| format!("{kind}List").into(), Arc::from),
        singular: text(names, "singular").map_or_else(|| kind.to_lowercase().into(), Arc::from),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        scope: if text(spec, "scope") == Some("Cluster") {
            Scope::Cluster
        } else {
            Scope::Namespaced
        },
        versions,
        traits: Traits {
            generation: true,
            ..Traits::default()
        },
        custom: Some(Custom {
            terminating: meta::is_terminating(crd),
            redefined: crd["metadata"]["generation"]
                .as_i64()
                .is_some_and(|generation| generation > 1),
        }),
    })
}

fn stored_version(versions: &[Value]) -> Result<&str, CrdError> {
    let mut stored = versions.iter().filter(|v| v["storage"].as_bool() == Some(true));
    match (stored.next().and_then(|v| text(v, "name")), stored.next()) {
        (Some(name), None) => Ok(name),
        _ => Err(CrdError::Storage),
    }
}

fn version(group: &str, kind: &str, version: &Value) -> Result<Version, CrdError> {
    let name = text(version, "name").ok_or(CrdError::Missing("versions[].name"))?;
    let schema = match version["schema"].get("openAPIV3Schema") {
        Some(schema) => Schema::from_crd(schema).map_err(|source| CrdError::Schema {
            version: name.to_owned(),
            source,
        })?,
        None => Schema::anything(),
    };
    let subresources = &version["subresources"];
    let deprecated = version["deprecated"].as_bool() == Some(true);
    Ok(Version {
        name: name.into(),
        served: version["served"].as_bool() == Some(true),
        schema,
        status: subresources.get("status").is_some_and(|s| !s.is_null()),
        scale: subresources.get("scale").filter(|s| !s.is_null()).map(scale),
        columns: table::custom_columns(&version["additionalPrinterColumns"]),
        renames: &[],
        selectable: selectable(&version["selectableFields"]),
        deprecated: deprecated.then(|| match text(version, "deprecationWarning") {
            Some(warning) => warning.into(),
            None => format!("{group}/{name} {kind} is deprecated").into(),
        }),
    })
}

fn selectable(fields: &Value) -> Vec<Arc<str>> {
    let paths = fields
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| text(field, "jsonPath"));
    paths.map(|path| path.trim_start_matches('.').into()).collect()
}

fn scale(scale: &Value) -> Scale {
    let path = |key| {
        text(scale, key).map(|p| {
            p.split('.')
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect()
        })
    };
    Scale {
        spec_replicas: path("specReplicasPath").unwrap_or_default(),
        status_replicas: path("statusReplicasPath").unwrap_or_default(),
        selector: path("labelSelectorPath"),
    }
}

/// Orders versions as Kubernetes prefers them: v2, v1, v1beta2, v1beta1, v1alpha1, then the rest.
fn version_priority(name: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = name.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major: u32 = rest[..digits].parse().ok()?;
        let stage = &rest[digits..];
        if stage.is_empty() {
            return Some((3, major, 0));
        }
        let beta = stage.strip_prefix("beta").map(|minor| (2, minor));
        let (rank, minor) = beta.or_else(|| stage.strip_prefix("alpha").map(|minor| (1, minor)))?;
        Some((rank, major, minor.parse().ok()?))
    };
    parse().unwrap_or((0, 0, 0))
}

/// The status that the server gives a definition: its names accepted, its versions served, or who has the name.
pub fn accept_names(registry: &Registry, kind: &Kind, crd: &Value, moment: &Moment) -> Value {
    let rival = registry.kinds().find(|other| {
        other.id.group == kind.id.group && other.id.resource != kind.id.resource && other.name == kind.name
    });
    let (accepted, reason, message) = match rival {
        None => ("True", "NoConflicts", "no conflicts found".to_owned()),
        Some(_) => (
            "False",
            "KindConflict",
            format!("\"{}\" is already in use", kind.name),
        ),
    };
    let established = match accepted {
        "True" => ("InitialNamesAccepted", "the initial names have been accepted"),
        _ => ("NotAccepted", "not all names are accepted"),
    };
    let since = moment.timestamp();
    let stored = kind.stored_as.rsplit('/').next().unwrap_or_default();
    let mut stored_versions = crd["status"]["storedVersions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if !stored_versions.iter().any(|v| v == stored) {
        stored_versions.push(stored.into());
    }
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
               "lastTransitionTime": previous_transition(crd, kind, status).unwrap_or(&since)})
    };
    json!({
        "acceptedNames": names(kind),
        "storedVersions": stored_versions,
        "conditions": [
            condition("NamesAccepted", accepted, reason, &message),
            condition("Established", accepted, established.0, established.1),
        ],
    })
}

fn previous_transition<'a>(crd: &'a Value, kind: &str, status: &str) -> Option<&'a str> {
    let conditions = crd["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|c| c["type"] == kind && c["status"] == status)?["lastTransitionTime"]
        .as_str()
}

fn names(kind: &Kind) -> Value {
    let mut names = json!({
        "plural": &*kind.id.resource, "singular": &*kind.singular,
        "kind": &*kind.name, "listKind": &*kind.list_name,
    });
    let list = |values: &[Arc<str>]| values.iter().map(|v| Value::from(&**v)).collect::<Vec<_>>();
    if !kind.short_names.is_empty() {
        names["shortNames"] = list(&kind.short_names).into();
    }
    if !kind.categories.is_empty() {
        names["categories"] = list(&kind.categories).into();
    }
    names
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

fn texts(value: &Value) -> Vec<Arc<str>> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(Arc::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_preferred_by_stability_then_number() {
        let mut names = ["v1alpha1", "v1", "v2beta1", "v10", "v1beta2", "foo"];
        names.sort_by_key(|name| std::cmp::Reverse(version_priority(name)));
        assert_eq!(names, ["v10", "v1", "v2beta1", "v1beta2", "v1alpha1", "foo"]);
    }
}
