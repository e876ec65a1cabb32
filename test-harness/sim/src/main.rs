//! `outhaul-sim`: runs schedules, and keeps those that fail.

#![expect(clippy::print_stdout, reason = "what it found is what this program is for")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use mimalloc::MiMalloc;
use outhaul_sim::schedule::{Schedule, generate};
use outhaul_sim::{Broken, Coverage, Outcome};

/// A third of a schedule's time went into the allocator of the C library.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// Runs schedules of hubs, agents and clusters in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many schedules; each has the next seed.
    #[arg(long, default_value_t = 100)]
    schedules: u64,
    /// How many run at once, each in a thread of its own.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Runs the schedule in this file instead, and tells what happens.
    #[arg(long)]
    replay: Option<PathBuf>,
    /// Tells what happens in the schedule of the first seed.
    #[arg(long)]
    tell: bool,
    /// Where failing schedules are written to.
    #[arg(long, default_value = "target/sim")]
    failures: PathBuf,
    /// Runs a variant of the product that is wrong on purpose.
    #[arg(long)]
    broken: Option<Broken>,
    /// Goes on after a failure.
    #[arg(long)]
    go_on: bool,
    /// Prints how often what happened.
    #[arg(long)]
    coverage: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let passed = match &arguments.replay {
        Some(file) => replay(file, arguments.broken)?,
        None if arguments.tell => tell(&generate(arguments.seed), arguments.broken),
        None => explore(&arguments)?,
    };
    Ok(match passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn replay(file: &Path, broken: Option<Broken>) -> anyhow::Result<bool> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let schedule: Schedule =
        serde_json::from_str(&text).with_context(|| format!("{} is no schedule", file.display()))?;
    Ok(tell(&schedule, broken))
}

fn tell(schedule: &Schedule, broken: Option<Broken>) -> bool {
    let outcome = outhaul_sim::narrate(schedule, broken);
    for line in &outcome.lines {
        println!("{line}");
    }
    judge(&outcome)
}

fn judge(outcome: &Outcome) -> bool {
    match &outcome.violation {
        None => println!(
            "passed: {} events, {:.0} s of virtual time",
            outcome.events,
            outcome.time.as_secs_f64()
        ),
        Some(violation) => println!(
            "FAILED at {:.3} s: {}: {}",
            violation.at.as_secs_f64(),
            violation.invariant,
            violation.text
        ),
    }
    outcome.violation.is_none()
}

fn explore(arguments: &Arguments) -> anyhow::Result<bool> {
    let tally = Mutex::new(Tally::new());
    let next = AtomicU64::new(arguments.seed);
    thread::scope(|scope| {
        let jobs: Vec<_> = (0..arguments.jobs)
            .map(|_| scope.spawn(|| explore_on(arguments, &next, &tally)))
            .collect();
        let mut results = jobs
            .into_iter()
            .map(|job| job.join().expect("a job does not panic"));
        results.try_for_each(|result| result)
    })?;
    let tally = tally.into_inner().expect("no job panicked");
    tally.finish(arguments.coverage);
    Ok(tally.failed == 0)
}

/// Takes one seed after the other until there are no more.
fn explore_on(arguments: &Arguments, next: &AtomicU64, tally: &Mutex<Tally>) -> anyhow::Result<()> {
    let end = arguments.seed + arguments.schedules;
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return Ok(());
        }
        let schedule = generate(seed);
        let outcome = outhaul_sim::run(&schedule, arguments.broken);
        tally.lock().expect("no job panicked").add(seed, &outcome);
        if outcome.violation.is_some() {
            if !arguments.go_on {
                next.store(end, Ordering::Relaxed);
            }
            let file = keep(arguments, &schedule)?;
            println!("seed {seed} is shortened and written to {}", file.display());
        }
    }
}

/// Shortens a failing schedule and writes it down.
fn keep(arguments: &Arguments, schedule: &Schedule) -> anyhow::Result<PathBuf> {
    let short = outhaul_sim::shrink(schedule, arguments.broken);
    let folder = &arguments.failures;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join(format!("{}.json", schedule.seed));
    let text = serde_json::to_string_pretty(&short)?;
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

struct Tally {
    began: Instant,
    said: Instant,
    schedules: u64,
    failed: u64,
    events: u64,
    time: Duration,
    coverage: Coverage,
}

impl Tally {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            said: Instant::now(),
            schedules: 0,
            failed: 0,
            events: 0,
            time: Duration::ZERO,
            coverage: Coverage::default(),
        }
    }

    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.schedules += 1;
        self.failed += u64::from(outcome.violation.is_some());
        self.events += outcome.events;
        self.time += outcome.time;
        self.coverage.add(&outcome.coverage);
        if outcome.violation.is_some() {
            println!("seed {seed}:");
            judge(outcome);
        }
        self.say(seed);
    }

    fn say(&mut self, seed: u64) {
        if self.said.elapsed() >= PROGRESS {
            self.said = Instant::now();
            println!("seed {seed}: {}", self.rates());
        }
    }

    fn rates(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        format!(
            "{} schedules, {} failed, {} events, {:.0} h of virtual time; {:.1} schedules/s, {:.0} events/s",
            self.schedules,
            self.failed,
            self.events,
            self.time.as_secs_f64() / 3600.0,
            self.schedules as f64 / seconds,
            self.events as f64 / seconds
        )
    }

    fn finish(&self, coverage: bool) {
        if coverage {
            for (name, count) in self.coverage.counts() {
                println!("{count:>10}  {name}");
            }
        }
        println!("{}", self.rates());
    }
}
