//! `outhaul-demo`: reads its arguments, performs, and ends with an exit code.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use outhaul_demo::screen::Screen;
use outhaul_demo::{Arguments, Ended};

/// What shells say of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::from_default_env();
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
