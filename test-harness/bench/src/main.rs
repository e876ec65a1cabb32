//! `outhaul-bench`: reads its arguments, measures, prints.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use outhaul_bench::arguments::{Arguments, Command, Measurement};
use outhaul_bench::{machine, table};
use tokio::runtime::Builder;
use tracing_subscriber::EnvFilter;

/// What is logged unless RUST_LOG says otherwise: trouble of ours, and how far a long measurement is. Others log an error
/// for every try that a wait expects to fail.
const LOGGED: &str = "outhaul=error,outhaul_bench=info";

fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_not_set| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let done = match Arguments::parse().command {
        Command::Measure(measurement) => runtime.block_on(measure(&measurement)),
        Command::Worker { role } => runtime.block_on(role.play()),
    };
    // A worker may still be reading its input, which no runtime can interrupt.
    runtime.shutdown_background();
    done
}

async fn measure(measurement: &Measurement) -> Result<()> {
    say(&format!("{}\n{}\n", measurement.title()?, machine::line()))?;
    let outcome = measurement.run().await?;
    say(&table::text(&outcome))?;
    if let Some(file) = measurement.json() {
        let json = serde_json::to_vec_pretty(&outcome.measures)?;
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("cannot print")
}
