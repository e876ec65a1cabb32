//! Organizations: each is the namespace of its name. The hub makes and deletes none.

use outhaul_hub_resources::{Namespace, Organization};
use serde_json::{Map, json};

use super::{Verdict, say_and_set, unreadable};
use crate::controllers::Kind;
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::Former;

/// The namespace is there.
const NAMESPACE_CREATED: &str = "NamespaceCreated";
/// It is not.
const NAMESPACE_NOT_FOUND: &str = "NamespaceNotFound";
/// It is being deleted.
const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";

/// What is to be said of an Organization.
pub(in crate::controllers) fn plan(look: &Look<'_>, organization: &Organization) -> Plan {
    if organization.metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let name = look.key.name.as_str();
    let verdict = namespace(look, name);
    let status = organization.status.as_ref();
    let known = status.map_or("", |status| &status.namespace);
    let wanted = if verdict.is_ok() { name } else { "" };
    let mut fields = Map::new();
    if known != wanted {
        fields.insert(
            "namespace".to_owned(),
            json!(Some(wanted).filter(|name| !name.is_empty())),
        );
    }
    let former = Former {
        conditions: status.map_or(&[], |status| &status.conditions),
        observed_generation: status.and_then(|status| status.observed_generation),
    };
    say_and_set(look, former, Vec::new(), verdict, fields)
}

fn namespace(look: &Look<'_>, name: &str) -> Verdict {
    match look.stores.get::<Namespace>("", name) {
        None => {
            let message = format!(
                "Namespace {name:?} does not exist: create it with 'kubectl create namespace {name}'"
            );
            Err((NAMESPACE_NOT_FOUND, message))
        }
        Some(Err(why)) => Err(unreadable(Kind::Namespace, name, why.0)),
        Some(Ok(namespace)) if namespace.metadata.deletion_timestamp.is_some() => {
            let message = format!(
                "Namespace {name:?} is being deleted, and nothing can be created in it: create it again when it is gone, or \
                 see what holds it with 'kubectl get namespace {name} -o yaml'"
            );
            Err((NAMESPACE_TERMINATING, message))
        }
        Some(Ok(_)) => Ok((NAMESPACE_CREATED, format!("Namespace {name:?} exists"))),
    }
}
