//! What is rarely done: to whole planes. Drawn apart from everything else, so that the rest of a schedule is the same with
//! it and without.

use crate::dice::Dice;
use crate::schedule::{Action, PLANES, Step, What};

/// Actions in such a schedule.
const ACTIONS: u64 = 4;

/// Decisions about orphans.
const DECISIONS: u64 = 12;

/// How long a plane that was forgotten is away at most, and then how long it is refused, in milliseconds.
const AWAY: u64 = 120_000;

/// Steps until `end`, in no order.
pub(super) fn steps(seed: u64, end: u64) -> Vec<Step> {
    let mut dice = Dice::of(seed, "fleet");
    let mut steps = Vec::new();
    for _ in 0..ACTIONS {
        let at = dice.between(0, end);
        let plane = (*dice.pick(&PLANES)).to_owned();
        let step = |at, action| Step {
            at,
            what: What::Action(action),
        };
        match dice.chance(60) {
            true => {
                let back = at + dice.between(1_000, AWAY);
                let noticed = back + dice.between(1_000, AWAY);
                steps.push(step(at, Action::Forget { plane: plane.clone() }));
                steps.push(step(back, Action::Return { plane: plane.clone() }));
                steps.push(step(noticed, Action::Remember { plane }));
            }
            false => steps.push(step(at, Action::DeletePlane { plane })),
        }
    }
    for _ in 0..DECISIONS {
        let action = Action::Decide {
            plane: (*dice.pick(&PLANES)).to_owned(),
            pick: dice.below(1_000),
            adopt: dice.chance(50),
        };
        steps.push(Step {
            at: dice.between(0, end),
            what: What::Action(action),
        });
    }
    steps
}
