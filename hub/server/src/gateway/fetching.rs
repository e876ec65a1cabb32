//! Content for one session, one stream each.

use outhaul_hub_core::SessionId;
use outhaul_protocol_transport::fetch::IncomingFetch;
use outhaul_protocol_transport::link::PlaneLink;
use outhaul_protocol_wire::content::Fetched;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tracing::debug;

use crate::fleet::Signal;

/// Answers at once. Each holds one content of at most 1 MiB, compressed; a further request waits in its stream.
const CONCURRENT: usize = 4;

/// Answers requests until the link is lost.
pub(super) async fn serve(link: &PlaneLink, session: SessionId, signals: &mpsc::Sender<Signal>) {
    let mut answering = JoinSet::new();
    loop {
        while answering.len() >= CONCURRENT {
            answering.join_next().await;
        }
        match link.accept_fetch().await {
            Ok(fetch) => {
                answering.spawn(answer(fetch, session, signals.clone()));
            }
            Err(_lost) => return,
        }
        while answering.try_join_next().is_some() {}
    }
}

async fn answer(mut fetch: IncomingFetch, session: SessionId, signals: mpsc::Sender<Signal>) {
    let digest = match fetch.digest().await {
        Ok(digest) => digest,
        Err(error) => {
            debug!(error = &error as &dyn std::error::Error, "Fetch not understood");
            return;
        }
    };
    let (sender, answered) = oneshot::channel();
    if signals
        .send(Signal::Fetch(session, digest, sender))
        .await
        .is_err()
    {
        return;
    }
    let fetched = answered.await.unwrap_or(Fetched::NotQueued);
    if let Err(error) = fetch.answer(&fetched).await {
        debug!(error = &error as &dyn std::error::Error, "Fetch not answered");
    }
}
