//! The Plane that a token is for.

use kube::api::{Api, Patch, PatchParams, PostParams};
use outhaul_hub_resources::{Admission, Plane, PlaneSpec};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;

use super::{AdmitRequest, TokenError, TokenRequest, Tokens};
use crate::conflicts::retry;

impl Tokens {
    /// Makes the Plane where there is none, and admits what was asked for.
    pub(super) async fn prepare_plane(&self, request: &TokenRequest) -> Result<(), TokenError> {
        let wanted = request.admits.as_ref().map(admission).transpose()?;
        let planes: Api<Plane> = Api::all(self.client.clone());
        retry(
            || prepare(&planes, &request.plane, wanted.as_ref()),
            TokenError::is_conflict,
        )
        .await
    }
}

async fn prepare(
    planes: &Api<Plane>,
    name: &PlaneName,
    wanted: Option<&Admission>,
) -> Result<(), TokenError> {
    let found = planes.get_opt(name.as_str()).await;
    let written = match found.map_err(TokenError::api("read the Plane"))? {
        None => create(planes, name.as_str(), wanted.cloned()).await,
        Some(plane) if plane.spec.revoked => return Err(TokenError::PlaneRevoked(name.clone())),
        Some(plane) if plane.spec.forgotten => return Err(TokenError::PlaneForgotten(name.clone())),
        Some(plane) => admit(planes, plane, wanted.cloned()).await,
    };
    written.map_err(TokenError::api("write the Plane"))
}

async fn create(planes: &Api<Plane>, name: &str, admission: Option<Admission>) -> kube::Result<()> {
    let spec = PlaneSpec {
        admits: admission.into_iter().collect(),
        ..PlaneSpec::default()
    };
    planes
        .create(&PostParams::default(), &Plane::new(name, spec))
        .await
        .map(drop)
}

/// Adds an admission that the Plane does not have. One that it has for the same resource stays as its owner wrote it.
async fn admit(planes: &Api<Plane>, plane: Plane, admission: Option<Admission>) -> kube::Result<()> {
    let Some(admission) = admission else { return Ok(()) };
    let mut admits = plane.spec.admits;
    let same = |known: &Admission| {
        (known.kind, &known.namespace, &known.name) == (admission.kind, &admission.namespace, &admission.name)
    };
    if admits.iter().any(same) {
        return Ok(());
    }
    admits.push(admission);
    let patch = json!({
        "metadata": {"resourceVersion": plane.metadata.resource_version},
        "spec": {"admits": admits},
    });
    let name = plane.metadata.name.unwrap_or_default();
    planes
        .patch(&name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
}

fn admission(request: &AdmitRequest) -> Result<Admission, TokenError> {
    if request.namespace.is_empty() || request.name.is_empty() {
        return Err(TokenError::Admission);
    }
    Ok(Admission {
        kind: request.kind,
        namespace: request.namespace.clone(),
        name: request.name.clone(),
        target_namespaces: vec!["*".to_owned()],
        cluster_scoped_kinds: vec!["Namespace".to_owned()],
    })
}
