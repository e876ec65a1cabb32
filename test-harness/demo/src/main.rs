//! `outhaul-demo`: reads its arguments, performs, and ends with an exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use outhaul_demo::screen::Screen;
use outhaul_demo::{Arguments, Ended};
use tracing_subscriber::EnvFilter;

/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What is logged unless RUST_LOG says otherwise. Others log an error for every try that a wait expects to fail.
const OURS_IN_TROUBLE: &str = "outhaul=error";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_not_set| EnvFilter::new(OURS_IN_TROUBLE));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match perform(&arguments).await {
        Ok(Ended::Told) => ExitCode::SUCCESS,
        Ok(Ended::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            // Where even standard error is closed, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(arguments: &Arguments) -> anyhow::Result<Ended> {
    let ground = arguments.ground()?;
    outhaul_demo::perform(&ground, arguments.keep, &mut Screen::stdout()).await
}
