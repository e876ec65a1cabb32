//! `outhaul-fake-kube-differential`: runs the fuzzer and tells how it goes.
#![expect(clippy::print_stdout, reason = "a program that talks to people")]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use outhaul_fake_kube_differential::arguments::Arguments;
use outhaul_fake_kube_differential::compare::Difference;
use outhaul_fake_kube_differential::pair::Excuse;
use outhaul_fake_kube_differential::run::{self, Finding, Listener, Tally};
use outhaul_kubernetes::Programs;
use serde_json::json;

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
        excused: arguments
            .excused
            .as_ref()
            .map(File::create)
            .transpose()?
            .map(BufWriter::new),
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
    excused: Option<BufWriter<File>>,
}

impl Screen {
    fn show(&mut self, tally: &Tally) {
        self.shown = Instant::now();
        let seconds = tally.asking.as_secs_f64();
        println!(
            "{:>6.0} s, {seconds:.0} s of asking: {} sequences ({:.1}/s; {} ended early), {} requests, {} differences in {}, {} excused, {} momentary, {} lost",
            self.begun.elapsed().as_secs_f64(),
            tally.sequences,
            tally.sequences as f64 / seconds,
            tally.parted,
            tally.requests,
            tally.differences.len(),
            tally.differences.values().sum::<u64>(),
            tally.excused.values().sum::<u64>(),
            tally.momentary,
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

    fn excused(&mut self, seed: u64, excuse: &Excuse) -> Result<()> {
        let Some(file) = &mut self.excused else {
            return Ok(());
        };
        let Excuse { name, request, .. } = excuse;
        let lines = excuse.difference.lines.iter();
        let lines: Vec<_> = lines.map(|line| [&line.path, &line.real, &line.fake]).collect();
        writeln!(
            file,
            "{}",
            json!({"seed": seed, "name": name, "request": request, "lines": lines})
        )?;
        Ok(())
    }

    fn momentary(&mut self, seed: u64, difference: &Difference) {
        println!("MOMENTARY in the sequence of seed {seed}, not when played again:\n{difference}");
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
