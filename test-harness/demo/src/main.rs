//! `outhaul-demo`: reads its arguments, performs, and ends with an exit code.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use outhaul_demo::screen::Screen;
use outhaul_demo::{Arguments, Ended};
use tracing_subscriber::EnvFilter;

/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// What is logged unless RUST_LOG says otherwise. Others log an error for every try that a wait expects to fail.
const OURS_IN_TROUBLE: &str = "outhaul=error";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_not_set| EnvFilter::new(OURS_IN_TROUBLE));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let ground = arguments.ground()?;
    let ended = outhaul_demo::perform(&ground, arguments.keep, &mut Screen::stdout()).await?;
    Ok(match ended {
        Ended::Told => ExitCode::SUCCESS,
        Ended::Interrupted => ExitCode::from(INTERRUPTED),
    })
}
