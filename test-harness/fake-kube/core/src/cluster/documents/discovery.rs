//! Which groups, versions and resources there are: one document each, or all in one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::kind::{Kind, Shown, Subresource, Version};
use crate::meta;
use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::reply::Reply;

const STORED_VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// Served kinds by group and version; versions in order of preference.
type Versions<'a> = Vec<(&'a str, Vec<(&'a Arc<Kind>, &'a Version)>)>;

fn by_group(registry: &Registry) -> BTreeMap<&str, Versions<'_>> {
    let mut groups: BTreeMap<&str, Versions<'_>> = BTreeMap::new();
    for kind in registry.kinds() {
        let versions = groups.entry(&kind.id.group).or_default();
        for version in kind.versions.iter().filter(|version| version.served) {
            match versions.iter_mut().find(|(name, _)| *name == &*version.name) {
                Some((_, kinds)) => kinds.push((kind, version)),
                None => versions.push((&version.name, vec![(kind, version)])),
            }
        }
    }
    groups.retain(|_, versions| !versions.is_empty());
    groups
}

/// `/apis`
pub(super) fn groups(registry: &Registry) -> Value {
    let groups: Vec<Value> = by_group(registry)
        .iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, versions)| group_entry(group, versions))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`
pub(super) fn group(registry: &Registry, group: &str) -> Result<Reply, Refusal> {
    let groups = by_group(registry);
    let Some(versions) = groups.get(group) else {
        return Ok(Reply::no_such_path());
    };
    let mut document = group_entry(group, versions);
    document["kind"] = "APIGroup".into();
    document["apiVersion"] = "v1".into();
    Ok(Reply::value(document))
}

fn group_entry(group: &str, versions: &Versions<'_>) -> Value {
    let entry =
        |version: &str| json!({"groupVersion": meta::join_api_version(group, version), "version": version});
    let all: Vec<Value> = versions.iter().map(|(version, _)| entry(version)).collect();
    json!({"name": group, "versions": all, "preferredVersion": all[0]})
}

/// `/api/v1` and `/apis/GROUP/VERSION`
pub(super) fn resources(registry: &Registry, group: &str, version: &str) -> Result<Reply, Refusal> {
    let groups = by_group(registry);
    let Some(kinds) = groups
        .get(group)
        .and_then(|versions| versions.iter().find(|(name, _)| *name == version))
        .map(|(_, kinds)| kinds)
    else {
        return if groups.contains_key(group) {
            Err(Refusal::no_such_path())
        } else {
            Ok(Reply::no_such_path())
        };
    };
    let resources: Vec<Value> = kinds
        .iter()
        .flat_map(|(kind, version)| legacy_entries(kind, version))
        .collect();
    Ok(Reply::value(json!({
        "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": meta::join_api_version(group, version), "resources": resources,
    })))
}

fn legacy_entries(kind: &Kind, version: &Version) -> Vec<Value> {
    let mut main = json!({
        "name": &*kind.id.resource, "singularName": &*kind.singular, "namespaced": kind.is_namespaced(),
        "kind": &*kind.name, "verbs": verbs(kind),
    });
    add_names(kind, &mut main);
    let mut entries = vec![main];
    for below in Subresource::of(kind, version) {
        let mut entry = json!({
            "name": format!("{}/{}", kind.id.resource, below.as_str()), "singularName": "",
            "namespaced": kind.is_namespaced(), "kind": &*kind.name, "verbs": below.verbs(),
        });
        if let Some(shown) = below.shows() {
            entry["group"] = shown.group.into();
            entry["version"] = shown.version.into();
            entry["kind"] = shown.kind.into();
        }
        entries.push(entry);
    }
    entries
}

/// `/api` or `/apis` as one document.
pub(super) fn aggregated(registry: &Registry, core: bool) -> Reply {
    let items: Vec<Value> = by_group(registry)
        .iter()
        .filter(|(group, _)| group.is_empty() == core)
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|(version, kinds)| {
                    let resources: Vec<Value> = kinds
                        .iter()
                        .map(|(kind, at)| aggregated_entry(kind, at))
                        .collect();
                    json!({"version": version, "freshness": "Current", "resources": resources})
                })
                .collect();
            let metadata = if core { json!({}) } else { json!({"name": group}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    let document = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    Reply::value(document).aggregated_discovery()
}

fn aggregated_entry(kind: &Kind, version: &Version) -> Value {
    // Of built-in kinds, what is of the same version is said to be of none.
    let response = |of: &Shown| {
        let is_own = of.group == &*kind.id.group && of.version == &*version.name;
        match is_own && kind.custom.is_none() {
            true => json!({"group": "", "version": "", "kind": of.kind}),
            false => json!({"group": of.group, "version": of.version, "kind": of.kind}),
        }
    };
    let own = Shown {
        group: &kind.id.group,
        version: &version.name,
        kind: &kind.name,
    };
    let mut entry = json!({
        "resource": &*kind.id.resource, "responseKind": response(&own),
        "scope": if kind.is_namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": &*kind.singular, "verbs": verbs(kind),
    });
    add_names(kind, &mut entry);
    let subresources: Vec<Value> = Subresource::of(kind, version)
        .into_iter()
        .map(|below| {
            json!({
                "subresource": below.as_str(), "responseKind": response(&below.shows().unwrap_or(own)),
                "verbs": below.verbs(),
            })
        })
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

fn add_names(kind: &Kind, entry: &mut Value) {
    let list = |names: &[Arc<str>]| names.iter().map(|n| Value::from(&**n)).collect::<Vec<_>>();
    if !kind.short_names.is_empty() {
        entry["shortNames"] = list(&kind.short_names).into();
    }
    if !kind.categories.is_empty() {
        entry["categories"] = list(&kind.categories).into();
    }
}

fn verbs(kind: &Kind) -> &'static [&'static str] {
    if kind.traits.virtual_kind {
        &["create"]
    } else if kind.custom.is_some() {
        &CUSTOM_VERBS
    } else {
        &STORED_VERBS
    }
}

/// The same in the order in which custom kinds have them.
const CUSTOM_VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];
