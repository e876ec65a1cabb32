//! Bundles that run once, drawn apart from everything else.

use crate::dice::Dice;
use crate::schedule::{Action, Fault, Kind, Moment, PLANES, Step, Thing, What};

/// Bundles in such a schedule.
const RUNS: u64 = 10;

/// How long after it was wanted somebody does something to what runs at most, in milliseconds.
const SOON: u64 = 2_000;

/// Steps until `end`, in no order.
pub(super) fn steps(seed: u64, end: u64) -> Vec<Step> {
    let mut dice = Dice::of(seed, "runs");
    let mut steps = Vec::new();
    for number in 0..RUNS {
        let at = dice.between(0, end);
        let plane = (*dice.pick(&PLANES)).to_owned();
        let things = (0..dice.between(1, 2)).map(|object| thing(&mut dice, number, object));
        let run = Action::Run {
            resource: format!("o{number}"),
            plane: plane.clone(),
            things: things.collect(),
            ensure: (0..dice.below(3))
                .map(|shared| format!("ensured-{shared}"))
                .collect(),
        };
        steps.push(step(at, What::Action(run)));
        let soon = at + dice.between(1, SOON);
        match dice.below(10) {
            0..=5 => steps.push(step(soon, What::Fault(kill(&mut dice, plane)))),
            6 => {
                let cancel = Action::Cancel {
                    plane,
                    pick: dice.below(1_000),
                    force: dice.chance(40),
                };
                steps.push(step(soon, What::Action(cancel)));
            }
            7 => {
                let resource = format!("o{number}");
                let later = soon + dice.between(0, 30_000);
                steps.push(step(later, What::Action(Action::Delete { resource })));
            }
            _ => {}
        }
    }
    steps
}

fn step(at: u64, what: What) -> Step {
    Step { at, what }
}

fn thing(dice: &mut Dice, number: u64, object: u64) -> Thing {
    Thing {
        kind: Kind::Job,
        namespace: if dice.chance(15) { "shop-two" } else { "shop" }.to_owned(),
        name: format!("run-{number}-{object}"),
        value: format!("run-{number}-{}", dice.below(6)),
        protected: false,
    }
}

fn kill(dice: &mut Dice, plane: String) -> Fault {
    let moments = [Moment::Sent, Moment::Made, Moment::Answered, Moment::Now];
    Fault::KillAgent {
        plane,
        moment: *dice.pick(&moments),
        ms: dice.between(1_000, 8_000),
    }
}
