//! Carries out one step of the controllers: one request.

use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{Request, Resource as _};
use outhaul_hub_core::controllers::{Id, Outcome, Sight, Step, answer};
use outhaul_hub_resources::{Release, Stored, parse};
use serde_json::Value;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::election::TIMING;
use crate::git;

/// A request that takes longer has failed for us; what it did is seen by the watch. One that was begun while we held the
/// Lease has ended before another hub may take it.
const REQUEST_TIME: Duration = TIMING.duration.saturating_sub(TIMING.belief);

/// Name of our field manager in `metadata.managedFields`.
const MANAGER: &str = "outhaul-hub";

/// Why a request could not be made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Kube(#[from] kube::Error),
    #[error("the request cannot be written")]
    Request(#[from] kube::core::request::Error),
    #[error("the object cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Answer(#[from] outhaul_hub_resources::InvalidObject),
}

/// Carries it out.
pub(super) async fn carry_out(client: kube::Client, step: &Step) -> Outcome {
    let time = match step {
        // It has its own end, and may go on while another hub takes over: a commit is found, and not made twice.
        Step::Commit(_) => git::TIME + REQUEST_TIME,
        _ => REQUEST_TIME,
    };
    match timeout(time, send(client, step)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(failure)) => of_failure(step, &failure),
        Err(_elapsed) => {
            warn!(id = %step.id(), ?time, "Request was not answered in time; trying again");
            answer::unanswered(step, time)
        }
    }
}

async fn send(client: kube::Client, step: &Step) -> Result<Outcome, Failure> {
    match step {
        Step::Commit(commit) => Ok(git::push(client, commit).await),
        Step::Read(id) => {
            let request = request(id).get(&id.name, &Default::default())?;
            let stored: Stored = client.request(request).await?;
            let mut release: Release = parse(&stored)?;
            release.metadata.managed_fields = None;
            Ok(Outcome::Read(Box::new(release)))
        }
        Step::Create { id, object, .. } => {
            let params = PostParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PostParams::default()
            };
            let request = request(id).create(&params, serde_json::to_vec(object)?)?;
            written(client, id, request).await
        }
        Step::Replace { id, object, .. } => {
            let params = PostParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PostParams::default()
            };
            let request = request(id).replace(&id.name, &params, serde_json::to_vec(object)?)?;
            written(client, id, request).await
        }
        Step::Status { id, patch, .. } => {
            let params = PatchParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let request = request(id).patch_subresource("status", &id.name, &params, &Patch::Merge(patch))?;
            written(client, id, request).await
        }
        Step::Delete { id, uid, version } => {
            let params = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: Some(uid.clone()),
                    resource_version: Some(version.to_string()),
                }),
                ..DeleteParams::default()
            };
            // The answer is the object, or a word about it.
            let _deleted: Value = client.request(request(id).delete(&id.name, &params)?).await?;
            Ok(Outcome::Deleted)
        }
    }
}

async fn written(client: kube::Client, id: &Id, request: http::Request<Vec<u8>>) -> Result<Outcome, Failure> {
    let stored: Stored = client.request(request).await?;
    Ok(Outcome::Written(Box::new(Sight::read(id.kind, &stored))))
}

fn request(id: &Id) -> Request {
    let namespace = Some(id.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    Request::new(Stored::url_path(&id.kind.resource(), namespace))
}

fn of_failure(step: &Step, failure: &Failure) -> Outcome {
    let status = match failure {
        Failure::Kube(kube::Error::Api(status)) => Some(&**status),
        _ => None,
    };
    let outcome = answer::outcome(status);
    let error = failure as &dyn std::error::Error;
    let id = step.id();
    match outcome {
        Outcome::Outdated(_) => debug!(%id, error, "Request was outdated"),
        _ => warn!(%id, error, "Request failed"),
    }
    outcome
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use kube::client::Body;
    use outhaul_hub_core::controllers::Kind;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_webhook_that_hangs_is_told() {
        let hangs = tower::service_fn(|_: http::Request<Body>| {
            std::future::pending::<Result<http::Response<Body>, Infallible>>()
        });
        let step = Step::Delete {
            id: Id {
                kind: Kind::Release,
                namespace: "shop".to_owned(),
                name: "cart".to_owned(),
            },
            uid: "u".to_owned(),
            version: 1,
        };
        let outcome = carry_out(kube::Client::new(hangs, "default"), &step).await;
        let Outcome::Failed { said: Some(said), .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(
            said.contains("within 5 s") && said.contains("asked about releases.openchoreo.dev"),
            "{said}"
        );
    }
}
