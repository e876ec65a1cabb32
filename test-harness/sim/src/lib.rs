//! The whole of Outhaul in virtual time: hubs, agents and clusters in one thread, without a runtime, where one seed is
//! one schedule.
//!
//! What decides is the product itself: `outhaul-hub-core`, `outhaul-agent-core` and both ends of the session. What
//! carries (`outhaul-hub`, `outhaul-agent`) is modelled by thin drivers with the same order of effects. Every message,
//! write and request is an event, which may be late, overtaken where the real one can be, lost, or cut by a crash.
//!
//! A schedule is a list of [`Step`](schedule::Step)s: what users do, and what goes wrong. While it runs, the
//! invariants are checked at the moment something becomes durable or visible. Then everything heals, and everything
//! must come to be as the control plane says, statuses included. A schedule that fails is written to a file that
//! replays, and is shortened first.
//!
//! What is left out on purpose is in `docs/simulation.md`.

mod agenda;
mod agent;
mod api;
mod broken;
pub mod cluster;
mod control;
mod converge;
mod coverage;
pub mod dice;
mod faults;
mod fleet;
mod governing;
mod hub;
mod link;
mod model;
mod running;
pub mod schedule;
mod shrink;
mod world;

use core::any::Any;
use core::time::Duration;
use std::panic::catch_unwind;

pub use broken::Broken;
pub use coverage::Coverage;
pub use shrink::shrink;
pub use world::Violation;

use schedule::Schedule;
use world::World;

/// How a schedule went.
#[derive(Debug)]
pub struct Outcome {
    /// What must never be and was.
    pub violation: Option<Violation>,
    /// What happened, counted.
    pub coverage: Coverage,
    /// Events that happened.
    pub events: u64,
    /// Virtual time that passed.
    pub time: Duration,
    /// What happened, for people; empty unless it was asked for.
    pub lines: Vec<String>,
}

/// Runs a schedule on the product, or on a variant of it that is broken on purpose. A panic is a failure like any other.
pub fn run(schedule: &Schedule, broken: Option<Broken>) -> Outcome {
    catch_unwind(|| carry_out(schedule, broken, false)).unwrap_or_else(|panic| Outcome {
        violation: Some(Violation {
            invariant: "nobody panics",
            text: said(panic.as_ref()).to_owned(),
            at: Duration::ZERO,
        }),
        coverage: Coverage::default(),
        events: 0,
        time: Duration::ZERO,
        lines: Vec::new(),
    })
}

/// The same, and tells what happened.
pub fn narrate(schedule: &Schedule, broken: Option<Broken>) -> Outcome {
    carry_out(schedule, broken, true)
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}

fn carry_out(schedule: &Schedule, broken: Option<Broken>, tell: bool) -> Outcome {
    let mut world = World::new(schedule.clone(), broken, tell);
    let last = world.last_step();
    let result = world
        .run_until(last)
        .and_then(|()| converge::converge(&mut world));
    Outcome {
        violation: result.err(),
        events: world.events,
        time: world.agenda.now(),
        lines: world.take_lines(),
        coverage: world.coverage,
    }
}
