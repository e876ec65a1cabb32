//! Environments: each names the DataPlane that serves it.

use outhaul_hub_resources::conditions::{READY, status};
use outhaul_hub_resources::{DataPlane, Environment};

use super::{Verdict, find, say, unreadable};
use crate::condition;
use crate::controllers::Kind;
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::Former;

/// As OpenChoreo says it.
const ENVIRONMENT_READY: &str = "EnvironmentReady";
/// It names no DataPlane.
const NO_DATA_PLANE: &str = "NoDataPlane";
/// The DataPlane that it names is not there.
const DATA_PLANE_NOT_FOUND: &str = "DataPlaneNotFound";
/// The DataPlane is there and not ready.
pub(in crate::controllers) const DATA_PLANE_NOT_READY: &str = "DataPlaneNotReady";

/// What is to be said of an Environment.
pub(in crate::controllers) fn plan(look: &Look<'_>, environment: &Environment) -> Plan {
    if environment.metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let name = environment.spec.data_plane_ref.as_deref().unwrap_or_default();
    match verdict(look, name) {
        Some(verdict) => say(look, Former::of(environment.status.as_ref()), Vec::new(), verdict),
        None => Plan::Nothing,
    }
}

/// None until something is said of the DataPlane as it is now.
fn verdict(look: &Look<'_>, name: &str) -> Option<Verdict> {
    if name.is_empty() {
        let message =
            "spec.dataPlaneRef is empty: name the DataPlane that serves this Environment".to_owned();
        return Some(Err((NO_DATA_PLANE, message)));
    }
    let Some(found) = find(look, Kind::DataPlane, name) else {
        let namespace = &look.key.namespace;
        let message = format!(
            "DataPlane {name:?} does not exist in namespace {namespace:?}: create it, or correct spec.dataPlaneRef"
        );
        return Some(Err((DATA_PLANE_NOT_FOUND, message)));
    };
    match look.stores.get::<DataPlane>(&found.namespace, name)? {
        Err(why) => Some(Err(unreadable(Kind::DataPlane, name, why.0))),
        Ok(plane) => served(plane, name),
    }
}

fn served(plane: &DataPlane, name: &str) -> Option<Verdict> {
    let ready = condition::get(&plane.status.as_ref()?.conditions, READY)?;
    if ready.observed_generation != plane.metadata.generation {
        return None;
    }
    Some(match ready.status == status::TRUE {
        true => Ok((ENVIRONMENT_READY, format!("DataPlane {name:?} is ready"))),
        false => Err((
            DATA_PLANE_NOT_READY,
            format!("DataPlane {name:?} is not ready: {}", ready.message),
        )),
    })
}
