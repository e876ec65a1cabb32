//! A shorter schedule that fails in the same way: steps are left out, first many at once and then single ones.

use crate::schedule::Schedule;
use crate::{Broken, run};

/// Leaves out of a failing schedule what does not matter for its failure.
pub fn shrink(schedule: &Schedule, broken: Option<Broken>) -> Schedule {
    let failure = |schedule: &Schedule| run(schedule, broken).violation.map(|it| it.invariant);
    let Some(invariant) = failure(schedule) else {
        return schedule.clone();
    };
    let mut best = schedule.clone();
    let mut size = best.steps.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < best.steps.len() {
            let mut shorter = best.clone();
            let to = (from + size).min(best.steps.len());
            shorter.steps.drain(from..to);
            match failure(&shorter) == Some(invariant) {
                true => best = shorter,
                false => from = to,
            }
        }
        size /= 2;
    }
    best
}
