//! Why a namespace that is deleted is still there, as its conditions say it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::standins::condition;

/// What a namespace still has in it.
#[derive(Debug)]
pub(super) enum Leftovers {
    /// Pods, before which nothing else goes. Conditions do not tell of them.
    Pods,
    /// These.
    Objects(Vec<(GroupResource, Arc<Object>)>),
}

impl Leftovers {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Pods => false,
            Self::Objects(left) => left.is_empty(),
        }
    }

    fn objects(&self) -> &[(GroupResource, Arc<Object>)] {
        match self {
            Self::Pods => &[],
            Self::Objects(left) => left,
        }
    }
}

/// Conditions that say the same of every namespace here, with their reasons.
const FINE: [(&str, &str, &str); 3] = [
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
];

/// Puts into the status of a namespace what is left in it.
pub(super) fn note(namespace: &mut Value, left: &Leftovers, moment: &Moment) {
    let status = &mut namespace["status"];
    let mut say = |kind, value, reason, message: &str| {
        condition::put(status, condition::new(kind, value, reason, message, moment));
    };
    for (kind, reason, message) in FINE {
        say(kind, false, reason, message);
    }
    let kinds = left
        .objects()
        .iter()
        .map(|(kind, _)| format!("{}.{}", kind.resource, kind.group));
    match counted(kinds, "has") {
        None => say(
            "NamespaceContentRemaining",
            false,
            "ContentRemoved",
            "All content successfully removed",
        ),
        Some(left) => say(
            "NamespaceContentRemaining",
            true,
            "SomeResourcesRemain",
            &format!("Some resources are remaining: {left}"),
        ),
    }
    let objects = left.objects().iter();
    let finalizers = objects.flat_map(|(_, object)| meta::finalizers(object.value()));
    match counted(finalizers.map(str::to_owned), "in") {
        None => say(
            "NamespaceFinalizersRemaining",
            false,
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
        Some(left) => say(
            "NamespaceFinalizersRemaining",
            true,
            "SomeFinalizersRemain",
            &format!("Some content in the namespace has finalizers remaining: {left}"),
        ),
    }
}

/// How often each name is there, if any is.
fn counted(names: impl Iterator<Item = String>, verb: &str) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let counts = counts.iter();
    let said: Vec<String> = counts
        .map(|(name, count)| format!("{name} {verb} {count} resource instances"))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}
