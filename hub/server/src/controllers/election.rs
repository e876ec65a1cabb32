//! Holds the Lease under which the controllers write, as long as it can.
//!
//! Others read until when it is held; what they read there is never later than what is so.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, PostParams};
use outhaul_protocol_lease::{Candidate, Move, Timing};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::conflicts::is_conflict;

/// Name of the Lease, in the hub's namespace.
pub(super) const NAME: &str = "outhaul-hub-controllers";

/// This and the interval below are what the leader election of Kubernetes' own controllers uses.
pub(super) const TIMING: Timing = Timing {
    duration: Duration::from_secs(15),
    belief: Duration::from_secs(10),
};

/// How often it is looked at and renewed.
const INTERVAL: Duration = Duration::from_secs(2);

/// A request that takes longer has failed: the next look is then late, not lost.
const REQUEST_TIME: Duration = Duration::from_secs(2);

/// Until when the Lease is held, by the uptime of [`Clock`].
pub(super) type Held = Option<Duration>;

pub(super) struct Election {
    leases: Api<Lease>,
    candidate: Candidate,
    clock: Arc<Clock>,
    held: watch::Sender<Held>,
    /// Whether the last look failed.
    fails: bool,
}

impl Election {
    /// One in which nothing is held yet, and where to read that.
    pub(super) fn new(
        client: kube::Client,
        namespace: &str,
        clock: Arc<Clock>,
    ) -> (Self, watch::Receiver<Held>) {
        let identity = uuid::Builder::from_random_bytes(crate::random::bytes()).into_uuid();
        let (held, receiver) = watch::channel(None);
        let election = Self {
            leases: Api::namespaced(client, namespace),
            candidate: Candidate::new(NAME, format!("outhaul-hub-{identity}"), TIMING),
            clock,
            held,
            fails: false,
        };
        (election, receiver)
    }

    /// Takes part until `stop`, then gives the Lease back.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut looks = interval(INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Both arms only wait: dropping one loses nothing.
            tokio::select! {
                () = stop.cancelled() => break,
                _ = looks.tick() => {}
            }
            // Never dropped in mid request: what was written without our knowing cannot be given back.
            self.look().await;
        }
        self.give_back().await;
    }

    async fn look(&mut self) {
        let looked = timeout(REQUEST_TIME, self.try_to_hold()).await;
        match looked {
            Ok(Ok(())) => self.fails = false,
            Ok(Err(error)) => self.complain(&error),
            Err(elapsed) => self.complain(&elapsed),
        }
        self.tell();
    }

    /// Says once that it fails, not every two seconds.
    fn complain(&mut self, error: &(dyn std::error::Error + 'static)) {
        if !std::mem::replace(&mut self.fails, true) {
            warn!(
                lease = NAME,
                error, "Cannot read, take or renew the Lease of the controllers; trying again"
            );
        }
    }

    async fn try_to_hold(&mut self) -> kube::Result<()> {
        let begun = self.clock.now();
        let stored = self.leases.get_opt(NAME).await?;
        let params = PostParams::default();
        let written = match self.candidate.look(stored, begun.uptime, begun.wall) {
            Move::Create(lease) => self.leases.create(&params, &lease).await,
            Move::Replace(lease) => self.leases.replace(NAME, &params, &lease).await,
            Move::Wait => return Ok(()),
        };
        match written {
            Ok(lease) => self.candidate.written(lease, begun.uptime),
            // Another was faster; the next look tells who.
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn tell(&self) {
        let until = self.candidate.held_until(self.clock.now().uptime);
        self.held.send_if_modified(|held| {
            if held.is_some() != until.is_some() {
                info!(lease = NAME, held = until.is_some(), "Lease of the controllers");
            }
            let changed = *held != until;
            *held = until;
            changed
        });
    }

    async fn give_back(mut self) {
        let now = self.clock.now();
        let Some(lease) = self.candidate.release(now.uptime, now.wall) else {
            return;
        };
        self.tell();
        let params = PostParams::default();
        let released = timeout(REQUEST_TIME, self.leases.replace(NAME, &params, &lease));
        if !matches!(released.await, Ok(Ok(_))) {
            warn!(
                lease = NAME,
                "The Lease of the controllers was not given back: the next hub waits until it has run out"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, Request, Response};
    use http_body_util::BodyExt as _;
    use kube::client::Body;
    use serde_json::{Value, json};
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    /// A request, and where its answer goes.
    type Asked = (Request<Body>, oneshot::Sender<Response<Body>>);

    /// A client whose requests the test answers.
    fn client() -> (kube::Client, mpsc::Receiver<Asked>) {
        let (asked, requests) = mpsc::channel(1);
        let service = tower::service_fn(move |request| {
            let asked = asked.clone();
            async move {
                let (answer, answered) = oneshot::channel();
                asked
                    .send((request, answer))
                    .await
                    .map_err(|_| "nobody answers")?;
                answered.await.map_err(|_| "no answer")
            }
        });
        (kube::Client::new(service, "default"), requests)
    }

    fn answer(code: u16, body: &Value) -> Response<Body> {
        let body = Body::from(body.to_string().into_bytes());
        Response::builder().status(code).body(body).unwrap()
    }

    async fn read(request: Request<Body>) -> Value {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_taken_while_the_hub_stops_is_given_back() {
        let (client, mut requests) = client();
        let (election, _held) = Election::new(client, "outhaul", Arc::new(Clock::start()));
        let stop = CancellationToken::new();
        let running = tokio::spawn(election.run(stop.clone()));

        let (_get, nothing) = requests.recv().await.unwrap();
        let missing =
            json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": ""});
        nothing.send(answer(404, &missing)).unwrap();
        let (create, taken) = requests.recv().await.unwrap();
        let mut lease = read(create).await;
        stop.cancel();
        tokio::task::yield_now().await;
        lease["metadata"]["resourceVersion"] = json!("1");
        taken.send(answer(201, &lease)).expect("the answer is waited for");

        let (release, released) = requests.recv().await.expect("it is given back");
        assert_eq!(release.method(), Method::PUT);
        let lease = read(release).await;
        assert_eq!(lease["spec"]["holderIdentity"], "");
        released.send(answer(200, &lease)).unwrap();
        running.await.unwrap();
    }
}
