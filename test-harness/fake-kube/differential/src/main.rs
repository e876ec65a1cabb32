//! `outhaul-fake-kube-differential`: runs the fuzzer and tells how it goes.
#![expect(clippy::print_stdout, reason = "a program that talks to people")]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use outhaul_fake_kube_differential::arguments::Arguments;
use outhaul_fake_kube_differential::run::{self, Finding, Listener, Tally};
use outhaul_kubernetes::Programs;

/// How often progress is shown.
const PACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seed = arguments
        .seed
        .unwrap_or_else(|| jiff::Timestamp::now().as_millisecond().unsigned_abs());
    let programs = Programs::find()
        .context("no Kubernetes programs: `cargo run -p outhaul-kubernetes -- build` makes them")?;
    println!("seed {seed}");
    let mut screen = Screen {
        begun: Instant::now(),
        shown: Instant::now(),
        out: arguments.out.clone(),
    };
    let tally = run::run(&programs, &arguments, seed.., &mut screen).await?;
    screen.show(&tally);
    for (signature, times) in &tally.differences {
        println!("{times:>6}  {signature}");
    }
    for (name, times) in &tally.excused {
        println!("{times:>6}  excused, not compared further: {name}");
    }
    Ok(if tally.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Screen {
    begun: Instant,
    shown: Instant,
    out: PathBuf,
}

impl Screen {
    fn show(&mut self, tally: &Tally) {
        self.shown = Instant::now();
        let seconds = self.begun.elapsed().as_secs_f64();
        println!(
            "{seconds:>6.0} s: {} sequences ({:.1}/s; {} ended early), {} requests, {} differences in {}, {} excused, {} lost",
            tally.sequences,
            tally.sequences as f64 / seconds,
            tally.parted,
            tally.requests,
            tally.differences.len(),
            tally.differences.values().sum::<u64>(),
            tally.excused.values().sum::<u64>(),
            tally.lost,
        );
    }
}

impl Listener for Screen {
    fn progress(&mut self, tally: &Tally) {
        if self.shown.elapsed() >= PACE {
            self.show(tally);
        }
    }

    fn lost(&mut self, seed: u64, error: &anyhow::Error) {
        println!("LOST the sequence of seed {seed}: {error:#}");
    }

    fn found(&mut self, finding: &Finding) -> Result<()> {
        fs::create_dir_all(&self.out)?;
        let file = self.out.join(format!("seed-{}.yaml", finding.seed));
        fs::write(&file, serde_yaml_ng::to_string(&finding.as_case())?)?;
        println!(
            "\nDIFFERENCE {}\n  seed {}, in {}",
            finding.difference.signature(),
            finding.seed,
            file.display()
        );
        for step in &finding.steps {
            println!("  {}", step.as_case());
        }
        println!("{}", finding.difference);
        Ok(())
    }
}
