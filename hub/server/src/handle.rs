//! What the rest of the hub may ask of the fleet: requests to the task that owns it, and its events.

use std::sync::Arc;

use outhaul_hub_core::view::{BundleName, BundleView, Found, OrphanView, PlaneView};
use outhaul_hub_resources::OrphanDecision;
use outhaul_protocol_wire::ids::{Epoch, PlaneName};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::controllers::Progress;
use crate::deciding::{self, DecideError};
use crate::epoch::Epochs;
use crate::fleet::Request;
use crate::forgetting::{self, ForgetError};
use crate::identity::IdentityError;
use crate::readiness::Readiness;
use crate::tokens::{IssuedToken, TokenError, TokenRequest, Tokens};

/// A handle on the running hub. Cheap to clone.
#[derive(Clone)]
pub struct HubHandle {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) events: broadcast::Sender<FleetEvent>,
    pub(crate) readiness: watch::Receiver<Readiness>,
    pub(crate) controllers: watch::Receiver<Progress>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) epochs: Epochs,
    pub(crate) client: kube::Client,
}

/// Something changed: whoever shows it reads it again. A receiver that lags reads everything again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetEvent {
    /// The plane itself: its connection, counts or orphans.
    Plane(PlaneName),
    /// A resource on the plane, by name.
    Bundle(PlaneName, BundleName),
}

/// The hub is shutting down and answers no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hub is shutting down")]
pub struct HubStopped;

impl HubHandle {
    /// All planes, by name.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn planes(&self) -> Result<Vec<PlaneView>, HubStopped> {
        self.ask(Request::Planes).await
    }

    /// One plane; `None` where there is no such Plane.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn plane(&self, plane: PlaneName) -> Result<Option<PlaneView>, HubStopped> {
        self.ask(|answer| Request::Plane(plane, answer)).await
    }

    /// What is meant for a plane, by kind, namespace and name; `None` where there is no such Plane.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn bundles(&self, plane: PlaneName) -> Result<Option<Vec<BundleView>>, HubStopped> {
        self.ask(|answer| Request::Bundles(plane, answer)).await
    }

    /// One resource, wherever it is meant to go.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn find(&self, bundle: BundleName) -> Result<Option<Found>, HubStopped> {
        self.ask(|answer| Request::Find(bundle, answer)).await
    }

    /// One resource on a plane.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn bundle(
        &self,
        plane: PlaneName,
        bundle: BundleName,
    ) -> Result<Option<BundleView>, HubStopped> {
        self.ask(|answer| Request::Bundle(plane, bundle, answer)).await
    }

    /// Makes an enrolment token, and the Plane where there is none.
    ///
    /// # Errors
    /// The request is not valid, the Plane is revoked, or the control plane's API server refused.
    pub async fn create_token(&self, request: TokenRequest) -> Result<IssuedToken, TokenError> {
        self.tokens.create(request).await
    }

    /// Every Release and Bundle on a plane, whether or not there is a Plane of that name.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn on(&self, plane: PlaneName) -> Result<Vec<BundleName>, HubStopped> {
        self.ask(|answer| Request::On(plane, answer)).await
    }

    /// What a plane holds and the hub does not know; `None` where there is no such Plane.
    ///
    /// # Errors
    /// The hub is shutting down.
    pub async fn orphans(&self, plane: PlaneName) -> Result<Option<Vec<OrphanView>>, HubStopped> {
        self.ask(|answer| Request::Orphans(plane, answer)).await
    }

    /// Writes down what becomes of an orphan.
    ///
    /// # Errors
    /// There is no such Plane, it was decided otherwise before, or the control plane's API server refused.
    pub async fn decide(&self, plane: &PlaneName, decision: &OrphanDecision) -> Result<(), DecideError> {
        deciding::decide(self.client.clone(), plane, decision).await
    }

    /// Writes down that a plane will never return: what waits for it is let go, and nothing is removed there. `named` says
    /// whether something is [on](Self::on) it.
    ///
    /// # Errors
    /// Nobody knows the plane, its agent has a session, or the control plane's API server refused.
    pub async fn forget(&self, plane: &PlaneName, named: bool) -> Result<(), ForgetError> {
        forgetting::forget(self.client.clone(), plane, named).await
    }

    /// Raises the epoch, after the control plane went back to a backup: what it says from now on counts on every plane.
    /// Every replica notices, and reads everything again before it announces anything.
    ///
    /// # Errors
    /// The hub's Secret cannot be read or written.
    pub async fn restored(&self) -> Result<Epoch, IdentityError> {
        self.epochs.raise().await
    }

    /// Whether the hub can do its work now, and what is missing.
    pub fn ready(&self) -> Readiness {
        self.readiness.borrow().clone()
    }

    /// How the controllers are doing, and every change of that.
    pub fn controllers(&self) -> watch::Receiver<Progress> {
        self.controllers.clone()
    }

    /// Changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<FleetEvent> {
        self.events.subscribe()
    }

    /// A client of the control plane, for token and access reviews.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, HubStopped> {
        let (sender, answer) = oneshot::channel();
        self.requests
            .send(request(sender))
            .await
            .map_err(|_closed| HubStopped)?;
        answer.await.map_err(|_dropped| HubStopped)
    }
}
