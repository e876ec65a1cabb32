//! Runs a target over files, or writes what a search begins with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use outhaul_fuzz::{TARGETS, seeds, target};

/// Runs what reads bytes of others over files. cargo-fuzz searches for more of them.
#[derive(Debug, Parser)]
#[command(version)]
enum Arguments {
    /// Write what a search begins with, as our own ends write it.
    Seeds {
        /// The folder with a folder for each target.
        corpus: PathBuf,
    },
    /// Run a target over files; it panics where a promise is broken.
    Run {
        /// Which.
        #[arg(value_parser = TARGETS.map(|target| target.name))]
        target: String,
        /// Over what.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse() {
        Arguments::Seeds { corpus } => write_seeds(&corpus),
        Arguments::Run { target, files } => run(&target, &files),
    }
}

fn write_seeds(corpus: &Path) -> Result<()> {
    for seed in seeds::all() {
        let folder = corpus.join(seed.target);
        let file = folder.join(seed.name);
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&file, seed.bytes))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a person asked to see")]
fn run(name: &str, files: &[PathBuf]) -> Result<()> {
    let target = target(name).with_context(|| format!("there is no target {name}"))?;
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let said = if (target.run)(&bytes) {
            "says something"
        } else {
            "refused"
        };
        println!("{}: {said}", file.display());
    }
    Ok(())
}
