//! `outhaul-hub`: runs the hub, or prints what it is made of.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;
use cli::{Command, Options};
use outhaul_hub_server::{Config, run};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let options = Options::parse();
    match &options.command {
        Some(Command::Crds) => print(&outhaul_hub_resources::to_yaml(&outhaul_hub_resources::crds())),
        Some(Command::Openapi) => print(&openapi()),
        Some(Command::Reasons) => print(&outhaul_hub_core::explain::page()),
        None => serve(options),
    }
}

fn serve(options: Options) -> ExitCode {
    cli::log(options.log_format);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "Cannot start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run_until_told(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "Hub failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_until_told(options: Options) -> anyhow::Result<()> {
    let config: Config = options.config().await?;
    let shutdown = CancellationToken::new();
    let told = cli::told_to_stop()?;
    let stop = shutdown.clone();
    let running = run(config, shutdown);
    tokio::pin!(running);
    tokio::select! {
        result = &mut running => return result,
        () = told => stop.cancel(),
    }
    running.await
}

fn openapi() -> String {
    let mut text = outhaul_hub_server::rest::openapi()
        .to_pretty_json()
        .expect("the document is plain data");
    text.push('\n');
    text
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn print(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}
