//! A fleet small enough to write down, behind a real `HubHandle`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use outhaul_hub_core::view::{BundleName, BundleView, Found, PlaneView};
use outhaul_protocol_transport::authority::Authority;
use outhaul_protocol_wire::ids::{Epoch, HubId, PlaneName};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::samples;
use crate::epoch::Epochs;
use crate::fleet::Request;
use crate::handle::{FleetEvent, HubHandle};
use crate::readiness::{Check, Readiness};
use crate::tokens::Tokens;

pub(super) struct SmallFleet {
    handle: HubHandle,
    readiness: watch::Sender<Readiness>,
    state: Arc<Mutex<State>>,
    _answering: AbortOnDropHandle<()>,
}

/// Planes by name, and bundles by plane and name.
struct State {
    planes: BTreeMap<String, PlaneView>,
    bundles: BTreeMap<(String, BundleName), BundleView>,
}

impl SmallFleet {
    /// Planes `eu` and `us`, with the Releases `cart` and `checkout` on `eu`, and a hub that is ready.
    pub(super) fn start(client: kube::Client) -> Self {
        let (requests, mut inbox) = mpsc::channel(16);
        let (readiness, reader) = watch::channel(ready());
        let state = Arc::new(Mutex::new(State::sample()));
        let answering = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                while let Some(request) = inbox.recv().await {
                    state.lock().unwrap().answer(request);
                }
            }
        });
        let handle = HubHandle {
            requests,
            events: broadcast::Sender::new(64),
            readiness: reader,
            controllers: watch::channel(Default::default()).1,
            tokens: Arc::new(tokens(client.clone())),
            epochs: Epochs::new(client.clone(), "outhaul-system".to_owned(), Epoch(1)),
            client,
        };
        Self {
            handle,
            readiness,
            state,
            _answering: AbortOnDropHandle::new(answering),
        }
    }

    pub(super) fn handle(&self) -> HubHandle {
        self.handle.clone()
    }

    pub(super) fn lose(&self, check: Check, why: &str) {
        let why = Err(why.to_owned());
        self.readiness
            .send_modify(|readiness| drop(readiness.checks.insert(check, why)));
    }

    /// Changes what there is, and says so.
    pub(super) fn put_plane(&self, view: PlaneView) {
        let name = plane_name(&view.name);
        self.state.lock().unwrap().planes.insert(view.name.clone(), view);
        self.tell(FleetEvent::Plane(name));
    }

    pub(super) fn put_bundle(&self, view: BundleView) {
        let event = FleetEvent::Bundle(plane_name(&view.plane), view.bundle.clone());
        let key = (view.plane.clone(), view.bundle.clone());
        self.state.lock().unwrap().bundles.insert(key, view);
        self.tell(event);
    }

    pub(super) fn remove_bundle(&self, plane: &str, bundle: BundleName) {
        self.state
            .lock()
            .unwrap()
            .bundles
            .remove(&(plane.to_owned(), bundle.clone()));
        self.tell(FleetEvent::Bundle(plane_name(plane), bundle));
    }

    pub(super) fn tell(&self, event: FleetEvent) {
        self.handle.events.send(event).unwrap();
    }
}

impl State {
    fn sample() -> Self {
        let planes = ["eu", "us"].map(|name| (name.to_owned(), samples::plane(name)));
        let bundle = |name| {
            (
                ("eu".to_owned(), samples::bundle_name(name)),
                samples::bundle("eu", name),
            )
        };
        Self {
            planes: planes.into(),
            bundles: ["cart", "checkout"].map(bundle).into(),
        }
    }

    fn answer(&self, request: Request) {
        match request {
            Request::Planes(answer) => drop(answer.send(self.planes.values().cloned().collect())),
            Request::Plane(name, answer) => drop(answer.send(self.planes.get(name.as_str()).cloned())),
            Request::On(name, answer) => drop(answer.send(self.names_on(name.as_str()))),
            Request::Orphans(name, answer) => {
                let known = self.planes.contains_key(name.as_str());
                drop(answer.send(known.then(Vec::new)));
            }
            Request::Bundles(name, answer) => drop(answer.send(self.on(name.as_str()))),
            Request::Find(bundle, answer) => {
                let named = self.bundles.iter().find(|((_, name), _)| *name == bundle);
                drop(answer.send(named.map(|(_, view)| Found::On(Box::new(view.clone())))));
            }
            Request::Bundle(plane, bundle, answer) => {
                let key = (plane.as_str().to_owned(), bundle);
                drop(answer.send(self.bundles.get(&key).cloned()));
            }
        }
    }

    fn names_on(&self, plane: &str) -> Vec<BundleName> {
        let here = self.on(plane).unwrap_or_default();
        here.into_iter().map(|bundle| bundle.bundle).collect()
    }

    fn on(&self, plane: &str) -> Option<Vec<BundleView>> {
        self.planes.get(plane)?;
        let here = self.bundles.values().filter(|bundle| bundle.plane == plane);
        Some(here.cloned().collect())
    }
}

fn tokens(client: kube::Client) -> Tokens {
    let hub = HubId::from_bytes([7; 16]);
    let authority = Authority::generate(&hub, SystemTime::now()).unwrap();
    let (signals, _nobody) = mpsc::channel(1);
    Tokens::new(
        client,
        "outhaul-system".to_owned(),
        Arc::new(authority),
        None,
        signals,
    )
}

fn ready() -> Readiness {
    Readiness {
        checks: [Check::Resources, Check::Gateway]
            .map(|check| (check, Ok(())))
            .into(),
    }
}

fn plane_name(text: &str) -> PlaneName {
    PlaneName::new(text).unwrap()
}
