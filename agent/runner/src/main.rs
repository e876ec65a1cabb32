//! `outhaul-agent`: see `--help`.

use clap::Parser as _;
use outhaul_agent_runner::config::{Arguments, LogFormat};
use tokio_util::sync::CancellationToken;
use tracing::info;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    log_to_stderr(arguments.log_format);
    let config = arguments.config().await?;
    let shutdown = CancellationToken::new();
    let agent = outhaul_agent_runner::run(config, shutdown.clone());
    let signal = async {
        let stopped = shutdown.run_until_cancelled(stop_signal()).await;
        if stopped.is_some() {
            info!("Stopping");
            shutdown.cancel();
        }
    };
    let agent = async {
        let result = agent.await;
        shutdown.cancel();
        result
    };
    let (result, ()) = tokio::join!(agent, signal);
    result
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

/// Ctrl-C, or what Kubernetes sends before it kills a pod.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                // Signals are counted, not queued: dropping one arm loses nothing that the other needs.
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    tokio::signal::ctrl_c().await.ok();
}
