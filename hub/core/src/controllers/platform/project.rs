//! Projects: each names its DeploymentPipeline.

use outhaul_hub_resources::conditions::CREATED;
use outhaul_hub_resources::{Project, ProjectSpec};

use super::{Verdict, say, there};
use crate::controllers::Kind;
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::Former;

/// The pipeline of a Project that names none, as OpenChoreo's REST has it.
const DEFAULT_PIPELINE: &str = "default";

/// As OpenChoreo says it.
const PROJECT_CREATED: &str = "ProjectCreated";
/// The pipeline is there.
const PIPELINE_FOUND: &str = "DeploymentPipelineFound";
/// It is not.
const PIPELINE_NOT_FOUND: &str = "DeploymentPipelineNotFound";

/// What is to be said of a Project.
pub(in crate::controllers) fn plan(look: &Look<'_>, project: &Project) -> Plan {
    if project.metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let created = there(CREATED, PROJECT_CREATED, "Project is created");
    let former = Former::of(project.status.as_ref());
    say(
        look,
        former,
        vec![created],
        verdict(look, pipeline(&project.spec)),
    )
}

/// The pipeline of a Project, by name.
pub(in crate::controllers) fn pipeline(spec: &ProjectSpec) -> &str {
    match spec.deployment_pipeline_ref.as_str() {
        "" => DEFAULT_PIPELINE,
        name => name,
    }
}

fn verdict(look: &Look<'_>, name: &str) -> Verdict {
    let pipeline = look.key.near(Kind::DeploymentPipeline, name);
    match look.stores.sight(&pipeline) {
        Some(_) => Ok((PIPELINE_FOUND, format!("DeploymentPipeline {name:?} exists"))),
        None => {
            let namespace = &look.key.namespace;
            let message = format!(
                "DeploymentPipeline {name:?} does not exist in namespace {namespace:?}: create it, or correct \
                 spec.deploymentPipelineRef"
            );
            Err((PIPELINE_NOT_FOUND, message))
        }
    }
}
