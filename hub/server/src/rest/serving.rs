//! The listener: accepts connections, bounds them, and closes them in order.
//!
//! One task per connection, all in one set that this function owns; none outlives it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Connections at once. Each costs a few tens of KiB; what comes beyond waits in the listener's backlog.
const CONNECTIONS: usize = 1_024;

/// For a whole request head, counted from the moment the connection waits for one: also how long an idle
/// connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Buffer of one connection, and so the largest head.
const HEAD_BYTES: usize = 64 * 1024;

/// Requests under way may take this long to finish after the hub was told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// After accept failed, say for want of file descriptors: long enough not to spin, short enough to recover.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // Each arm can be dropped: a permit not taken, an accept not done, and a finished task stay where they are.
        let (stream, slot) = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => {
                report_panic(ended);
                continue;
            }
            accepted = accept(&listener, &slots) => accepted,
        };
        connections.spawn(converse(stream, router.clone(), shutdown.clone(), slot));
    }
    drop(listener);
    finish(connections).await;
    Ok(())
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let slot = Arc::clone(slots).acquire_owned().await.expect("nobody closes it");
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => return (stream, slot),
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "Could not accept a connection to REST"
                );
                sleep(PAUSE).await;
            }
        }
    }
}

async fn converse(
    stream: TcpStream,
    router: Router,
    shutdown: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    // Events are small and urgent.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(
            error = &error as &dyn std::error::Error,
            "Could not set TCP_NODELAY"
        );
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    // The connection itself is pinned outside: the other arm only tells it to end.
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(
            error = &error as &dyn std::error::Error,
            "A connection to REST broke"
        );
    }
}

async fn finish(mut connections: JoinSet<()>) {
    let all = async {
        while let Some(ended) = connections.join_next().await {
            report_panic(ended);
        }
    };
    if timeout(GRACE, all).await.is_err() {
        warn!(
            unfinished = connections.len(),
            ?GRACE,
            "Requests did not finish; closing their connections"
        );
        connections.shutdown().await;
    }
}

/// A panic in one request is that request's: its connection is gone, and the hub goes on.
fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "A request to REST failed"
        );
    }
}
