//! Whose a resource is: the Component and the Project that it names. Nothing is made of either, so where one is missing it
//! is a warning, and what is made of the resource stays.

use core::time::Duration;

use kube::core::ObjectMeta;
use outhaul_hub_resources::{Component, ComponentOwner, Condition};

use super::look::{Look, Plan};
use super::{Kind, Watched, dependencies, saying};
use crate::condition::Said;

/// The Component or the Project that is named as the owner does not exist.
pub(super) const OWNER_NOT_FOUND: &str = "OwnerNotFound";

/// What is missing only once they have been listed.
pub(super) const KINDS: [Kind; 2] = [Kind::Component, Kind::Project];

/// How long something missing is waited for in silence: people apply all of a component in one go, in any order.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// What is known of an owner.
pub(super) enum Known {
    /// Nothing, so what was said of it stays. It is looked at again then, or once all is listed.
    NotYet(Option<Duration>),
    /// What is wrong with it, in words.
    Wrong(Vec<String>),
}

impl Known {
    /// What is said of it, and of what else is otherwise than one may expect, which alone is said for `reason`; and when there
    /// may be more to say.
    pub(super) fn said(
        self,
        reason: &str,
        others: impl IntoIterator<Item = String>,
    ) -> (Option<Vec<Said>>, Option<Duration>) {
        match self {
            Self::NotYet(until) => (None, until),
            Self::Wrong(wrong) => {
                let reason = match wrong.is_empty() {
                    true => reason,
                    false => OWNER_NOT_FOUND,
                };
                let all: Vec<_> = wrong.into_iter().chain(others).collect();
                (Some(saying::warnings(reason, &all)), None)
            }
        }
    }
}

/// What is to be done about what belongs to somebody, where nothing else is said of it here.
pub(super) fn plan(
    look: &mut Look<'_>,
    metadata: &ObjectMeta,
    owner: &ComponentOwner,
    conditions: &[Condition],
) -> Plan {
    if metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    // Who made it says whose it is.
    let known = match dependencies::is_made(metadata) {
        true => Known::Wrong(Vec::new()),
        false => look_for(look, owner),
    };
    saying::add(look, conditions, known.said(OWNER_NOT_FOUND, []))
}

/// Looks for an owner.
pub(super) fn look_for(look: &mut Look<'_>, owner: &ComponentOwner) -> Known {
    look.memory.awaits_owner = !look.owners_listed;
    if look.memory.awaits_owner {
        return Known::NotYet(None);
    }
    let wrong: Vec<_> = [component(look, owner), project(look, owner)]
        .into_iter()
        .flatten()
        .collect();
    if wrong.is_empty() {
        look.memory.ownerless = None;
        return Known::Wrong(wrong);
    }
    let until = *look.memory.ownerless.get_or_insert(look.now.uptime) + GRACE;
    match look.now.uptime < until {
        true => Known::NotYet(Some(until)),
        false => Known::Wrong(wrong),
    }
}

fn component(look: &Look<'_>, owner: &ComponentOwner) -> Option<String> {
    let (name, project) = (&owner.component_name, &owner.project_name);
    match look.stores.get::<Component>(&look.key.namespace, name) {
        None => Some(not_found(look, Component::KIND, name, "componentName")),
        Some(Ok(found)) if found.spec.owner.project_name != *project => Some(format!(
            "Component {name:?} belongs to project {:?}, and spec.owner names {project:?}: correct one of the two",
            found.spec.owner.project_name
        )),
        // One that cannot be read says so itself.
        Some(_) => None,
    }
}

fn project(look: &Look<'_>, owner: &ComponentOwner) -> Option<String> {
    let name = owner.project_name.as_str();
    let found = look.stores.sight(&look.key.near(Kind::Project, name));
    found
        .is_none()
        .then(|| not_found(look, Kind::Project, name, "projectName"))
}

fn not_found(look: &Look<'_>, kind: Kind, name: &str, field: &str) -> String {
    let namespace = &look.key.namespace;
    format!(
        "{kind} {name:?} does not exist in namespace {namespace:?}: create it, or correct spec.owner.{field}"
    )
}
