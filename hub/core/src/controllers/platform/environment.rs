//! Environments: each names the DataPlane that serves it.

use outhaul_hub_resources::conditions::{READY, status};
use outhaul_hub_resources::{DataPlane, Environment, EnvironmentSpec};

use super::{Verdict, find, say, unreadable};
use crate::condition;
use crate::controllers::Kind;
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::{self, Former, WITHOUT_EFFECT};

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
        Some(verdict) => {
            let former = Former::of(environment.status.as_ref());
            let warnings = saying::warnings(WITHOUT_EFFECT, &without_effect(look, &environment.spec));
            say(look, former, warnings, verdict)
        }
        None => Plan::Nothing,
    }
}

/// Fields that change nothing, and why.
fn without_effect(look: &Look<'_>, spec: &EnvironmentSpec) -> Vec<&'static str> {
    let gateway = spec.gateway.as_ref();
    let prefix = gateway
        .and_then(|gateway| gateway.dns_prefix.as_deref())
        .unwrap_or_default();
    let keys = gateway.and_then(|gateway| gateway.security.as_ref()?.remote_jwks.as_ref());
    let fields = [
        (
            spec.is_production,
            "spec.isProduction: it is there for people to read",
        ),
        (
            !look.plane_hosts && !prefix.is_empty() && prefix != look.key.name,
            "spec.gateway.dnsPrefix: hosts begin with the name of the Environment",
        ),
        (
            keys.is_some_and(|keys| !keys.uri.is_empty()),
            "spec.gateway.security: an APIClass says where keys of tokens are",
        ),
    ];
    let set = fields.into_iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, field)| field).collect()
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
    if plane.metadata.deletion_timestamp.is_some() {
        let message = format!(
            "DataPlane {name:?} is being deleted: name another in spec.dataPlaneRef, or create it again when it is gone"
        );
        return Some(Err((DATA_PLANE_NOT_READY, message)));
    }
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
