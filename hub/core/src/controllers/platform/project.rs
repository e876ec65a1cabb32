//! Projects: each names its DeploymentPipeline.

use kube::core::ObjectMeta;
use outhaul_hub_resources::conditions::CREATED;
use outhaul_hub_resources::{Project, ProjectSpec};

use super::{Verdict, say, there};
use crate::controllers::look::{Look, Plan};
use crate::controllers::owner::OWNER_NOT_FOUND;
use crate::controllers::saying::{self, Former};
use crate::controllers::{Id, Kind};

/// The pipeline of a Project that names none, as OpenChoreo's REST has it.
const DEFAULT_PIPELINE: &str = "default";

/// The label that says whose a Project is. Nothing else goes by it: an organization is its namespace.
pub(in crate::controllers) const ORGANIZATION: &str = "openchoreo.dev/organization";

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
    let missing = missing_organization(look, project);
    let warnings = saying::warnings(OWNER_NOT_FOUND, missing.as_slice());
    say(
        look,
        former,
        [created].into_iter().chain(warnings).collect(),
        verdict(look, pipeline(&project.spec)),
    )
}

/// That the Organization which the Project is labelled with is not there.
fn missing_organization(look: &Look<'_>, project: &Project) -> Option<String> {
    let name = organization(&project.metadata)?;
    let found = look.stores.sight(&Id::of_cluster(Kind::Organization, name));
    found.is_none().then(|| {
        format!("Organization {name:?} does not exist: create it, or correct the label {ORGANIZATION}")
    })
}

/// The Organization that a Project is labelled with, by name.
pub(in crate::controllers) fn organization(metadata: &ObjectMeta) -> Option<&str> {
    metadata.labels.as_ref()?.get(ORGANIZATION).map(String::as_str)
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
