//! The fleet's task, without a control plane behind it.

use std::time::Duration;

use outhaul_hub_core::Settings;
use outhaul_protocol_wire::ids::Epoch;
use tokio::time::timeout;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn signals_without_end_hold_up_no_question() {
    let nowhere = kube::Config::new("http://127.0.0.1:9/".parse().unwrap());
    let (signals, signals_receiver) = mpsc::channel(SIGNALS);
    let (requests, requests_receiver) = mpsc::channel(REQUESTS);
    let (readiness, _checks) = Reporter::new();
    let task = FleetTask {
        fleet: Fleet::new(Settings {
            epoch: Epoch(1),
            fallback: false,
        }),
        client: kube::Client::try_from(nowhere).unwrap(),
        signals: signals_receiver,
        requests: requests_receiver,
        events: broadcast::channel(1).0,
        readiness,
        synced: CancellationToken::new(),
    };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(task.run(shutdown.clone()));
    let floods = [(); 2].map(|()| {
        let signals = signals.clone();
        tokio::spawn(async move { while signals.send(Signal::Room(SessionId(1))).await.is_ok() {} })
    });
    for _ in 0..20 {
        let (answer, answered) = oneshot::channel();
        requests.send(Request::Planes(answer)).await.unwrap();
        let planes = timeout(Duration::from_secs(10), answered).await;
        assert!(planes.expect("answered in time").unwrap().is_empty());
    }
    shutdown.cancel();
    running.await.unwrap();
    for flood in floods {
        timeout(Duration::from_secs(10), flood)
            .await
            .expect("who sends learns that nobody listens")
            .unwrap();
    }
}
