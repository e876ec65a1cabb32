//! The port for agents: handshakes, enrolment, sessions.
//!
//! One task per connection, all in one set that this module owns: none outlives it. What a peer can make the hub hold
//! is bounded by the transport's limits per stream, and by the queues of its session.

mod enrolling;
mod fetching;
mod session;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outhaul_protocol_transport::close::Close;
use outhaul_protocol_transport::listener::{Arrival, Arriving, Listener};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info_span};

use crate::fleet::Signal;
use crate::tokens::Tokens;

/// How long connections may take to say goodbye when the hub stops.
const GOODBYE_TIME: Duration = Duration::from_secs(3);

/// What a connection needs.
#[derive(Clone)]
struct Context {
    signals: mpsc::Sender<Signal>,
    tokens: Arc<Tokens>,
}

/// Serves agents until `shutdown`. Connections then end by themselves once the fleet has said goodbye.
pub(crate) async fn run(
    listener: Listener,
    signals: mpsc::Sender<Signal>,
    tokens: Arc<Tokens>,
    shutdown: CancellationToken,
) {
    let context = Context { signals, tokens };
    let mut connections = JoinSet::new();
    loop {
        // Each arm only receives: dropping it loses nothing.
        tokio::select! {
            arriving = listener.accept() => match arriving {
                Some(arriving) => {
                    connections.spawn(serve(Box::new(arriving), context.clone()));
                }
                None => break,
            },
            Some(ended) = connections.join_next() => forward_panic(ended),
            () = shutdown.cancelled() => break,
        }
    }
    let ending = async {
        while !connections.is_empty() {
            // Both arms only receive: dropping one loses nothing.
            tokio::select! {
                Some(ended) = connections.join_next() => forward_panic(ended),
                // An agent that is back already: the next hub answers it.
                Some(arriving) = listener.accept() => arriving.ignore(),
            }
        }
    };
    if timeout(GOODBYE_TIME, ending).await.is_err() {
        debug!("Some agents did not end their connection in time");
    }
    listener.close(Close::Restarting, "the hub restarts").await;
}

/// What comes before a session, or instead of one, is boxed: a fleet of sessions would keep room for it.
async fn serve(arriving: Box<Arriving>, context: Context) {
    let remote = arriving.remote_address();
    match Box::pin(arriving.complete(SystemTime::now())).await {
        Ok(Arrival::Plane(link)) => {
            let span = info_span!("agent", plane = %link.peer().plane, %remote);
            session::serve(link, context).instrument(span).await;
        }
        Ok(Arrival::Stranger(stranger)) => {
            let span = info_span!("stranger", %remote);
            let enrolling = enrolling::serve(stranger, &context.tokens);
            Box::pin(enrolling.instrument(span)).await;
        }
        Err(error) => debug!(%remote, error = &error as &dyn std::error::Error, "No connection"),
    }
}

fn forward_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
