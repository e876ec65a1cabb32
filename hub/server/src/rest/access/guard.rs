//! The gate as a layer around one route.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::MethodRouter;
use http::request::Parts;
use outhaul_protocol_wire::ids::PlaneName;

use super::review::Question;
use super::{Credential, Gate, Needs, Right, Scope};
use crate::rest::error::ApiError;
use crate::rest::extract::{OnePlane, PlaneQuery};

/// The right to go on: whoever answers for longer than a moment asks it again from time to time.
#[derive(Clone)]
pub(in crate::rest) struct Pass {
    gate: Arc<Gate>,
    credential: Credential,
    questions: Arc<[Question]>,
}

impl Pass {
    /// # Errors
    /// The caller lost the right, or nobody can tell.
    pub(in crate::rest) async fn check(&self) -> Result<(), ApiError> {
        self.gate.admit(&self.credential, &self.questions).await
    }
}

/// `handler`, behind the gate where its route asks for rights. Other methods on the same path stay outside.
pub(in crate::rest) fn guarded<S>(handler: MethodRouter<S>, needs: Needs, gate: Arc<Gate>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    match needs {
        Needs::Nothing => handler,
        Needs::Rights { rights, scope } => {
            let guard = Guard { gate, rights, scope };
            handler.route_layer(middleware::from_fn_with_state(guard, pass))
        }
    }
}

#[derive(Clone)]
struct Guard {
    gate: Arc<Gate>,
    rights: &'static [Right],
    scope: Scope,
}

/// First who, then what: a stranger learns nothing, not even which names are valid.
async fn pass(State(guard): State<Guard>, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let credential = guard.gate.credential(&parts.method, &parts.headers)?;
    guard.gate.admit(&credential, &[]).await?;
    let plane = guard.scope.plane(&mut parts).await?;
    let question = |right: &Right| Question {
        right: *right,
        plane: plane.clone(),
    };
    let pass = Pass {
        gate: Arc::clone(&guard.gate),
        credential,
        questions: guard.rights.iter().map(question).collect(),
    };
    pass.check().await?;
    parts.extensions.insert(pass);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

impl Scope {
    /// Read by the same extractors as the handlers use, so that what is checked is what is answered.
    async fn plane(self, parts: &mut Parts) -> Result<Option<PlaneName>, ApiError> {
        match self {
            Self::Fleet => Ok(None),
            Self::Path => {
                let OnePlane(plane) = OnePlane::from_request_parts(parts, &()).await?;
                Ok(Some(plane))
            }
            Self::Query => Ok(PlaneQuery::from_request_parts(parts, &()).await?.plane),
        }
    }
}
