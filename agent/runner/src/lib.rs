//! The agent: its link to the hub, its cluster, and the store in between.
//!
//! [`run`] is the whole agent; the binary only reads its arguments and waits for a signal. Several agents may run
//! in one process, each with its own [`Config`].

pub mod config;

pub use config::{Config, IdentityPlace};
use tokio_util::sync::CancellationToken;

/// Runs an agent until `shutdown` is cancelled. What it started has ended when it returns.
///
/// # Errors
/// The agent cannot go on by itself: it has neither identity nor token, or its token was refused. A hub or an API
/// server that is away is no error; the agent goes on trying.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    drop(config);
    shutdown.cancelled().await;
    Ok(())
}
