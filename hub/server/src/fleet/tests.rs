//! The fleet's task, without a control plane behind it.

use outhaul_hub_core::Settings;
use outhaul_protocol_wire::ids::{Epoch, Uid};

use super::*;

fn running() -> Running {
    let nowhere = kube::Config::new("http://127.0.0.1:9/".parse().unwrap());
    let client = kube::Client::try_from(nowhere).unwrap();
    let epochs = Epochs::new(client.clone(), "outhaul-system".to_owned(), Epoch(1));
    Running {
        fleet: Fleet::new(Settings {
            epoch: Epoch(1),
            kube_system: Uid::new("kube-system").unwrap(),
            fallback: false,
        }),
        clock: Clock::start(),
        writer: Writer::new(client.clone(), epochs),
        notes: Notes::new(client),
        sessions: BTreeMap::new(),
        events: broadcast::channel(1).0,
        readiness: Reporter::new().0,
        synced: CancellationToken::new(),
    }
}

#[tokio::test]
async fn signals_without_end_hold_up_no_question() {
    let mut running = running();
    let (signals, mut signals_receiver) = mpsc::channel(SIGNALS);
    let (requests, mut requests_receiver) = mpsc::channel(REQUESTS);
    for _ in 0..SIGNALS {
        assert!(signals.try_send(Signal::Room(SessionId(1))).is_ok());
    }
    let (answer, mut answered) = oneshot::channel();
    assert!(requests.try_send(Request::Planes(answer)).is_ok());
    running.round(&mut signals_receiver, &mut requests_receiver);
    assert!(answered.try_recv().is_ok(), "the question has to wait");
    assert_eq!(signals_receiver.len(), SIGNALS - BATCH);
}
