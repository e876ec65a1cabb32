//! The Plane that a token is for.

use kube::api::{Api, Patch, PatchParams, PostParams};
use outhaul_hub_resources::{Admission, Plane, PlaneSpec};
use serde_json::json;

use super::{AdmitRequest, TokenError, TokenRequest, Tokens};

/// Others may write the Plane at the same time; more often than this in a row is a fault.
const ATTEMPTS: usize = 5;

impl Tokens {
    /// Makes the Plane where there is none, and admits what was asked for.
    pub(super) async fn prepare_plane(&self, request: &TokenRequest) -> Result<(), TokenError> {
        let wanted = request.admits.as_ref().map(admission).transpose()?;
        let planes: Api<Plane> = Api::all(self.client.clone());
        let name = request.plane.as_str();
        for _ in 0..ATTEMPTS {
            let attempt = match planes
                .get_opt(name)
                .await
                .map_err(TokenError::api("read the Plane"))?
            {
                None => create(&planes, name, wanted.clone()).await,
                Some(plane) if plane.spec.revoked => {
                    return Err(TokenError::PlaneRevoked(request.plane.clone()));
                }
                Some(plane) if plane.spec.forgotten => {
                    return Err(TokenError::PlaneForgotten(request.plane.clone()));
                }
                Some(plane) => admit(&planes, plane, wanted.clone()).await,
            };
            match attempt {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                result => return result.map_err(TokenError::api("write the Plane")),
            }
        }
        let conflict =
            kube::core::Status::failure("the Plane changed again and again", "Conflict").with_code(409);
        Err(TokenError::api("write the Plane")(kube::Error::Api(Box::new(
            conflict,
        ))))
    }
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
