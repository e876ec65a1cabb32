//! REST: what people, scripts and the command line ask the hub, over HTTP/1.1.
//!
//! | path | answers |
//! |---|---|
//! | `/health`, `/ready` | text, for probes |
//! | `/api/v1/planes…` | the fleet: planes, what is meant for each, how far it is and what holds it; enrolment tokens, confirmations |
//! | `/api/v1/hub/restored` | that the control plane went back to a backup |
//! | `/api/v1/events` | the same as it changes, as server-sent events |
//! | `/openapi.json` | this interface, for programs |
//!
//! The hub starts [`serve`] and hands it a [`HubHandle`]; nothing here keeps state of the fleet. What it promises:
//! - **Every route names its rights** in one table (`routes`); a test walks the table and knocks without any.
//! - **No manifest content** leaves here: names, states and reasons only.
//! - **Everything is bounded**: connections, heads, bodies, time to answer, readers of events that do not read.

mod access;
mod blockers;
mod bundles;
mod confirmations;
mod envelope;
mod error;
mod events;
mod explanations;
mod extract;
mod layers;
mod openapi;
mod orphans;
mod paths;
mod planes;
mod probes;
mod restored;
mod routes;
mod serving;
#[cfg(test)]
mod tests;
mod tokens;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::handle::HubHandle;
use access::Gate;
use events::Feed;
use probes::ApiServer;

pub use openapi::openapi;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever shows a bearer token of the control plane, within the rights that it has there.
    Tokens,
    /// For development: questions need no token. Changes do. Only where the listener is on loopback.
    Anonymous,
}

/// What handlers share.
#[derive(Clone)]
struct Rest {
    hub: HubHandle,
    feed: Arc<Feed>,
    api_server: Arc<ApiServer>,
    closing: CancellationToken,
}

/// Answers until `shutdown`, then lets requests under way finish and returns.
///
/// # Errors
/// The listener is not on loopback although access is anonymous, or it cannot accept any more.
pub async fn serve(
    listener: TcpListener,
    hub: HubHandle,
    access: Access,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    check_listener(access, address)?;
    let changes = hub.subscribe();
    let gate = Arc::new(Gate::new(hub.client(), access == Access::Anonymous));
    let rest = Rest {
        api_server: Arc::new(ApiServer::new(hub.client())),
        feed: Arc::new(Feed::new(uuid::Uuid::new_v4())),
        closing: shutdown.clone(),
        hub,
    };
    let feed = Arc::clone(&rest.feed);
    let router = router(rest, &gate);
    tracing::info!(%address, ?access, "REST listens");
    // Recording ends only with the fleet, and then there is nothing to answer. Dropping it loses nothing: readers
    // have ended with `shutdown`.
    tokio::select! {
        served = serving::serve(listener, router, shutdown) => served,
        () = feed.record(changes) => Ok(()),
    }
}

fn router(rest: Rest, gate: &Arc<Gate>) -> Router {
    let mut router = Router::new();
    for route in routes::routes() {
        let handler = access::guarded(route.handler, route.needs, Arc::clone(gate));
        router = router.route(route.path, handler);
    }
    let router = router
        .fallback(paths::not_found)
        .method_not_allowed_fallback(paths::method_not_allowed)
        .with_state(rest);
    layers::around(router)
}

fn check_listener(access: Access, address: SocketAddr) -> io::Result<()> {
    match access {
        Access::Anonymous if !address.ip().is_loopback() => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("anonymous access is for loopback only, and {address} is not: listen on 127.0.0.1"),
        )),
        Access::Anonymous | Access::Tokens => Ok(()),
    }
}
