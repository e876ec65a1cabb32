//! The `outhaul` binary: arguments in, text out, an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use jiff::Timestamp;
use outhaul_hub_cli::{Arguments, run};

/// 0: done. 1: an error, said on standard error. 2: clap found the usage wrong.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments, Timestamp::now(), &mut std::io::stdout().lock()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "errors are what standard error is for")]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
