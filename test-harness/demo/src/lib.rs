//! The first run: three clusters, the real hub, two real agents, and a web shop that reaches them.
//!
//! [`perform`] is the whole demo; the binary only reads its arguments. The [`story`] acts on the stage that the
//! scenarios use, and everything it shows of the fleet it asks the hub for, over REST, as any user would. Whatever
//! happens, a failure or Ctrl-C, what was started is ended before `perform` returns.

pub mod arguments;
pub mod census;
pub mod fleet;
mod interrupt;
mod keep;
mod plane;
pub mod screen;
pub mod shop;
pub mod story;
pub mod summary;
pub mod table;

use anyhow::{Context as _, Result};
use outhaul_scenarios::{Ground, Stage};

pub use arguments::Arguments;
use interrupt::Interrupts;
use screen::Screen;
use story::Opening;

/// How a performance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The story was told to its end.
    Told,
    /// Somebody stopped it before.
    Interrupted,
}

/// Tells the story on `ground`; with `keep`, leaves everything running until Ctrl-C.
///
/// # Errors
/// A step of the story failed, or what was started does not end.
pub async fn perform(ground: &Ground, keep: bool, screen: &mut Screen) -> Result<Ended> {
    let mut interrupts = Interrupts::listen()?;
    // Dropped half-way, what it has started ends with it.
    let set = tokio::select! {
        set = story::set_the_stage(ground, screen) => Some(set?),
        () = interrupts.next() => None,
    };
    let Some((mut stage, opening)) = set else {
        screen.say("Interrupted.")?;
        return Ok(Ended::Interrupted);
    };
    let outcome = play(&mut stage, opening, screen, &mut interrupts).await;
    let outcome = match outcome {
        Ok(Ended::Told) if keep => keep::until(&stage, ground, screen, interrupts.next())
            .await
            .map(|()| Ended::Told),
        outcome => outcome,
    };
    let stopped = stop(stage, &mut interrupts).await;
    // A failed step explains a failed end better than the other way round.
    outcome.and_then(|outcome| stopped.map(|()| outcome))
}

async fn play(
    stage: &mut Stage,
    opening: Opening,
    screen: &mut Screen,
    interrupts: &mut Interrupts,
) -> Result<Ended> {
    // The story only asks and edits: dropped half-way, it leaves nothing behind that the stage does not own.
    let summary = tokio::select! {
        summary = story::tell(stage, opening, screen) => Some(summary?),
        () = interrupts.next() => None,
    };
    match summary {
        Some(summary) => screen.conclude(&format!("\n{summary}")).map(|()| Ended::Told),
        None => screen.say("Interrupted.").map(|()| Ended::Interrupted),
    }
}

/// Ends agents, hub and clusters in order, or at once when asked again.
async fn stop(stage: Stage, interrupts: &mut Interrupts) -> Result<()> {
    tokio::select! {
        stopped = stage.end() => stopped.context("cannot stop what was started"),
        () = interrupts.next() => Ok(()),
    }
}
