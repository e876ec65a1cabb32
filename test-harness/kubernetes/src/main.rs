//! The command that builds the Kubernetes programs, and runs a cluster of them for people.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use outhaul_kubernetes::{Cluster, Definitions, Options, Programs, build};

/// Real Kubernetes control planes as plain processes on this machine.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds the programs from their Go modules, unless they are there: about 8 minutes with nothing cached.
    Build,
    /// Runs a cluster in the foreground until Ctrl-C, and removes it.
    Up {
        /// What runs besides etcd and the API server.
        #[arg(long, value_enum, default_value_t = With::Kcm)]
        with: With,
        /// Installs the definitions of Gateway API and Envoy Gateway.
        #[arg(long)]
        crds: bool,
        /// Installs the definitions in this file or folder, too. May be given several times.
        #[arg(long, value_name = "PATH")]
        install: Vec<PathBuf>,
    },
    /// Prints the folder of the programs: kubectl and helm are there.
    Path,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum With {
    /// Nothing: the API alone.
    None,
    /// The controllers.
    Kcm,
    /// Controllers, scheduler and kwok: pods become ready.
    All,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Build => build_programs(),
        Command::Up { with, crds, install } => up(with, crds, &install).await,
        Command::Path => say(&Programs::find()?.folder().display().to_string()),
    }
}

fn build_programs() -> anyhow::Result<()> {
    let start = Instant::now();
    let seconds = || start.elapsed().as_secs();
    let built = build::build(|line| {
        // A closed pipe must not end a build of minutes.
        let _ = say(&format!("{:4} s  {line}", seconds()));
    })?;
    say(&format!(
        "{:4} s  Kubernetes {} is in {}",
        seconds(),
        build::kubernetes_version(),
        built.programs().display()
    ))
}

async fn up(with: With, crds: bool, install: &[PathBuf]) -> anyhow::Result<()> {
    let programs = Programs::find()?;
    let options = match with {
        With::None => Options::api_only(),
        With::Kcm => Options::controllers(),
        With::All => Options::workloads(),
    };
    let start = Instant::now();
    let cluster = Cluster::start(&programs, options).await?;
    say(&format!(
        "{} is usable after {} ms",
        cluster.server_url(),
        start.elapsed().as_millis()
    ))?;

    let mut paths = install.to_vec();
    if crds {
        paths.push(programs.definitions(Definitions::GatewayApi)?);
        paths.push(programs.definitions(Definitions::EnvoyGateway)?);
    }
    for path in &paths {
        let count = cluster
            .install(path)
            .await
            .with_context(|| format!("installing {}", path.display()))?;
        say(&format!("{count} definitions from {}", path.display()))?;
    }
    say(&format!(
        "export KUBECONFIG={}",
        cluster.kubeconfig_path().display()
    ))?;
    say(&format!("export PATH={}:$PATH", programs.folder().display()))?;
    say("Ctrl-C stops it")?;
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("writing to standard output")
}
