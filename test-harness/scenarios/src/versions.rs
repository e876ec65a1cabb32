//! Every object of a cluster with its version: two looks tell what was written in between.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::discovery::{Discovery, verbs};
use kube::{Client, ResourceExt as _};

use crate::poll;

/// How long a kind may take to be served after its definition was accepted.
const PATIENCE: Duration = Duration::from_secs(60);

/// The resourceVersion of each object, by kind, namespace and name.
pub type Versions = BTreeMap<String, Option<String>>;

/// Every kind that an API server keeps objects of: but Leases, which are renewed all the time.
///
/// # Errors
/// It does not say.
pub async fn kinds(cluster: &Client) -> Result<Vec<ApiResource>> {
    let discovery = Discovery::new(cluster.clone()).run_aggregated().await?;
    let kinds = discovery.groups().flat_map(|group| group.recommended_resources());
    let kept = kinds.filter(|(kind, can)| {
        can.supports_operation(verbs::LIST) && !["Lease", "ComponentStatus"].contains(&&*kind.kind)
    });
    Ok(kept.map(|(kind, _)| kind).collect())
}

/// Every object of these kinds.
///
/// # Errors
/// The API server refuses.
pub async fn of(cluster: &Client, kinds: &[ApiResource]) -> Result<Versions> {
    let mut versions = Versions::new();
    for kind in kinds {
        let all: Api<DynamicObject> = Api::all_with(cluster.clone(), kind);
        // A kind whose definition is new is not listed before the API server has begun to keep it.
        let what = format!("objects of kind {} are listed", kind.kind);
        let listed = poll::until(&what, PATIENCE, || async {
            Ok(all.list_metadata(&ListParams::default()).await?)
        });
        for object in listed.await? {
            let namespace = object.namespace().unwrap_or_default();
            versions.insert(
                format!("{} {namespace}/{}", kind.kind, object.name_any()),
                object.resource_version(),
            );
        }
    }
    Ok(versions)
}

/// What was made, changed or deleted in between. An Event that is gone was deleted by nobody: API servers let them expire.
pub fn written<'a>(before: &'a Versions, after: &'a Versions) -> Vec<&'a str> {
    let changed = after
        .iter()
        .filter(|(name, version)| before.get(*name) != Some(version));
    let expires = |name: &str| name.starts_with("Event ");
    let gone = before
        .iter()
        .filter(|(name, _)| !after.contains_key(*name) && !expires(name));
    changed.chain(gone).map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_changed_or_gone_was_written_and_nothing_else() {
        let versions = |all: &[(&str, &str)]| -> Versions {
            let entry = |(name, version): &(&str, &str)| ((*name).to_owned(), Some((*version).to_owned()));
            all.iter().map(entry).collect()
        };
        let before = versions(&[
            ("Event a/expired", "1"),
            ("Pod a/kept", "1"),
            ("Pod a/changed", "2"),
            ("Pod a/gone", "3"),
        ]);
        let after = versions(&[("Pod a/kept", "1"), ("Pod a/changed", "4"), ("Pod a/new", "5")]);
        assert_eq!(
            written(&before, &after),
            ["Pod a/changed", "Pod a/new", "Pod a/gone"]
        );
        assert_eq!(written(&after, &after), Vec::<&str>::new());
    }
}
