//! Looking through the whole cluster: objects of all kinds that a label selector finds, up to a bound.

use std::collections::BTreeSet;

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::sweep::MOST;
use serde_json::Value;
use tracing::warn;

use super::{Cluster, Path, collection};

/// Objects per page.
const PAGE: &str = "250";

/// A kind, in one version of its group.
struct Listed {
    group: String,
    version: String,
    kind: String,
    plural: String,
}

/// The objects that `selector` finds. What the agent may not list, it never applied; a group whose own server is away
/// is left out, since it may be away for ever: both are said in the log.
///
/// # Errors
/// The API server does not answer.
pub(super) async fn sweep(cluster: &Cluster, selector: &str) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (group, version) in versions(cluster).await? {
        let Some(kinds) = unless_closed(kinds(cluster, &group, &version).await, &group)? else {
            continue;
        };
        for listed in kinds {
            // Every object of a kind is served in all of its versions.
            if !seen.insert((group.clone(), listed.kind.clone())) {
                continue;
            }
            let room = MOST - found.len();
            let objects = list(cluster, &listed, selector, room).await;
            found.extend(unless_closed(objects, &listed.kind)?.into_iter().flatten());
            if found.len() >= MOST {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

fn unless_closed<T>(result: Result<T, Failure>, what: &str) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if is_closed(&failure) => {
            warn!(
                what,
                problem = failure.blocker().message,
                "Cannot look for objects of a removed resource here"
            );
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn is_closed(failure: &Failure) -> bool {
    let closed = |code| matches!(code, 403 | 404 | 405 | 503);
    failure.is_unserved() || matches!(failure, Failure::Refused(refusal) if closed(refusal.code))
}

/// Groups and versions, those first that the API server prefers.
async fn versions(cluster: &Cluster) -> Result<Vec<(String, String)>, Failure> {
    let answer = cluster.get(&Path::new("/apis")).await?;
    let mut versions = vec![(String::new(), "v1".to_owned())];
    for group in items(&answer, "groups") {
        let preferred = text(&group["preferredVersion"], "version");
        let others = items(group, "versions").iter().map(|it| text(it, "version"));
        let others = others.filter(|version| *version != preferred);
        let name = text(group, "name");
        versions.extend(
            [preferred]
                .into_iter()
                .chain(others)
                .map(|it| (name.to_owned(), it.to_owned())),
        );
    }
    Ok(versions)
}

/// Kinds whose objects can be listed and deleted.
async fn kinds(cluster: &Cluster, group: &str, version: &str) -> Result<Vec<Listed>, Failure> {
    let path = match group {
        "" => Path::new("/api"),
        group => Path::new("/apis").segment(group),
    };
    let answer = cluster.get(&path.segment(version)).await?;
    let can = |resource: &Value, verb: &str| items(resource, "verbs").iter().any(|it| it == verb);
    let resources = items(&answer, "resources").iter();
    let kinds =
        resources.filter(|it| !text(it, "name").contains('/') && can(it, "list") && can(it, "delete"));
    Ok(kinds
        .map(|it| Listed {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: text(it, "kind").to_owned(),
            plural: text(it, "name").to_owned(),
        })
        .collect())
}

/// At most as many as there is room for.
async fn list(
    cluster: &Cluster,
    listed: &Listed,
    selector: &str,
    room: usize,
) -> Result<Vec<Value>, Failure> {
    let path = collection(&listed.group, &listed.version, &listed.plural, "");
    let path = path.query("labelSelector", selector).query("limit", PAGE);
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page_path = match next.as_str() {
            "" => path.clone(),
            next => path.clone().query("continue", next),
        };
        let mut page = cluster.get(&page_path).await?;
        let objects = page.get_mut("items").and_then(Value::as_array_mut);
        found.extend(
            objects
                .map(core::mem::take)
                .into_iter()
                .flatten()
                .map(|it| listed.complete(it))
                .take(room - found.len()),
        );
        text(&page["metadata"], "continue").clone_into(&mut next);
        if next.is_empty() || found.len() >= room {
            return Ok(found);
        }
    }
}

impl Listed {
    /// Items of lists leave out what the list says once.
    fn complete(&self, mut object: Value) -> Value {
        let api_version = match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        };
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), api_version.into());
            fields.insert("kind".to_owned(), self.kind.clone().into());
        }
        object
    }
}

fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    let items = value.get(field).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
