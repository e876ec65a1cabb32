//! A run: sequences one after the other, until time, number or patience ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use outhaul_kubernetes::Programs;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::compare::Difference;
use crate::kinds::Kinds;
use crate::pair::{End, Excuse, Pair};
use crate::plan::Plan;
use crate::shrink::shrink;
use crate::step::Step;

/// Sequences to one pair of servers: what they leave behind makes the real one slower.
const SEQUENCES_PER_PAIR: usize = 1500;

/// Sequences that may be lost in one run: real servers close connections now and then, and two of them do so more often
/// on a busy machine. More than that is a server that does not work.
const LOST: u64 = 10;

/// How often a sequence is played again whose answers differed in versions only.
const AGAIN: usize = 3;

/// What one sequence counts for at most: whoever stops the process for a while did not ask meanwhile.
const SEQUENCE: Duration = Duration::from_secs(10);

/// What a run has found so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Sequences played.
    pub sequences: u64,
    /// Requests in them.
    pub requests: u64,
    /// Differences by signature: how often each was met.
    pub differences: BTreeMap<String, u64>,
    /// Sequences whose answers differed in versions, and not when they were played again: the real server looks first at
    /// what its cache holds, and a busy one's is behind.
    pub momentary: u64,
    /// Answers that a deliberate difference excused, by its name.
    pub excused: BTreeMap<&'static str, u64>,
    /// Sequences that ended early at such an answer, since the two held different objects after it.
    pub parted: u64,
    /// Sequences that a server did not answer to the end: what they showed does not count.
    pub lost: u64,
    /// Time spent asking.
    pub asking: Duration,
}

/// A difference, as small as it could be made.
#[derive(Debug)]
pub struct Finding {
    /// The seed of the sequence that showed it.
    pub seed: u64,
    /// The requests; the last makes the difference.
    pub steps: Vec<Step>,
    /// How the answers to it differ.
    pub difference: Difference,
}

/// Who wants to hear of it.
pub trait Listener {
    /// A sequence ended.
    fn progress(&mut self, tally: &Tally);
    /// Answers differ as they are meant to.
    ///
    /// # Errors
    /// When it cannot be told.
    fn excused(&mut self, seed: u64, excuse: &Excuse) -> Result<()>;
    /// Versions differed, and did not when the sequence was played again.
    fn momentary(&mut self, seed: u64, difference: &Difference);
    /// A sequence was lost.
    fn lost(&mut self, seed: u64, error: &anyhow::Error);
    /// A new difference.
    ///
    /// # Errors
    /// When it cannot be told.
    fn found(&mut self, finding: &Finding) -> Result<()>;
}

/// Plays the sequences of `seeds`, as far as time, number and patience of `arguments` go.
///
/// # Errors
/// When a server does not start or does not answer.
pub async fn run(
    programs: &Programs,
    arguments: &Arguments,
    seeds: impl IntoIterator<Item = u64>,
    listener: &mut impl Listener,
) -> Result<Tally> {
    let kinds = Kinds::load(arguments.kind.as_deref())?;
    let mut pair = Pair::start(programs, &kinds).await?;
    let mut tally = Tally::default();
    for seed in seeds {
        let is_over = tally.asking >= arguments.time()
            || arguments.sequences.is_some_and(|count| tally.sequences >= count)
            || tally.differences.len() >= arguments.differences;
        if is_over {
            break;
        }
        if pair.used() >= SEQUENCES_PER_PAIR {
            pair = Pair::start(programs, &kinds).await?;
        }
        if let Err(error) = play(&mut pair, &kinds, seed, arguments, &mut tally, listener).await {
            tally.lost += 1;
            listener.lost(seed, &error);
            if tally.lost > LOST {
                return Err(error.context(format!("the sequence of seed {seed}")));
            }
            pair = Pair::start(programs, &kinds).await?;
        }
        listener.progress(&tally);
    }
    Ok(tally)
}

async fn play(
    pair: &mut Pair,
    kinds: &Kinds,
    seed: u64,
    arguments: &Arguments,
    tally: &mut Tally,
    listener: &mut impl Listener,
) -> Result<()> {
    let begun = Instant::now();
    let outcome = pair
        .explore(&mut Plan::new(kinds, seed), arguments.length)
        .await?;
    tally.asking += begun.elapsed().min(SEQUENCE);
    tally.sequences += 1;
    tally.requests += outcome.steps.len() as u64;
    for excuse in &outcome.excused {
        *tally.excused.entry(excuse.name).or_default() += 1;
        listener.excused(seed, excuse)?;
    }
    match outcome.end {
        End::Same => {}
        End::Parted => tally.parted += 1,
        End::Differs(difference)
            if difference.is_of_versions() && !comes_again(pair, &outcome.steps).await? =>
        {
            tally.momentary += 1;
            listener.momentary(seed, &difference);
        }
        End::Differs(difference) => {
            let signature = difference.signature();
            let times = tally.differences.entry(signature.clone()).or_default();
            *times += 1;
            if *times == 1 {
                let steps = shrink(pair, outcome.steps, &signature, arguments.tries).await?;
                let difference = pair.replay(&steps).await?.map_or(difference, |(_, found)| found);
                listener.found(&Finding {
                    seed,
                    steps,
                    difference,
                })?;
            }
        }
    }
    Ok(())
}

/// Whether answers to these requests differ once more.
async fn comes_again(pair: &mut Pair, steps: &[Step]) -> Result<bool> {
    for _ in 0..AGAIN {
        if pair.replay(steps).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Finding {
    /// The finding as a contract case.
    pub fn as_case(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::as_case).collect();
        json!({"cases": [{"case": format!("found by seed {}", self.seed), "steps": steps}]})
    }
}
