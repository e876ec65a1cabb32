//! Components: each belongs to a Project. What is run of one is said by the Service, WebApplication or ScheduledTask that
//! names it.

use outhaul_hub_render::reason::INVALID_CONFIGURATION;
use outhaul_hub_resources::{Component, ComponentSpec, Open};

use super::{Verdict, say};
use crate::controllers::Kind;
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::Former;

/// The Project is there.
const PROJECT_FOUND: &str = "ProjectFound";
/// It is not.
const PROJECT_NOT_FOUND: &str = "ProjectNotFound";

/// What is to be said of a Component.
pub(in crate::controllers) fn plan(look: &Look<'_>, component: &Component) -> Plan {
    if component.metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let former = Former::of(component.status.as_ref());
    say(look, former, Vec::new(), verdict(look, &component.spec))
}

fn verdict(look: &Look<'_>, spec: &ComponentSpec) -> Verdict {
    if let Open::Other(kind) = &spec.r#type {
        let message =
            format!("spec.type {kind:?} leads to nothing: say Service, WebApplication or ScheduledTask");
        return Err((INVALID_CONFIGURATION, message));
    }
    let name = spec.owner.project_name.as_str();
    match look.stores.sight(&look.key.near(Kind::Project, name)) {
        Some(_) => Ok((PROJECT_FOUND, format!("Project {name:?} exists"))),
        None => {
            let namespace = &look.key.namespace;
            let message = format!(
                "Project {name:?} does not exist in namespace {namespace:?}: create it, or correct spec.owner.projectName"
            );
            Err((PROJECT_NOT_FOUND, message))
        }
    }
}
