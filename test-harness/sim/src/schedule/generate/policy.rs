//! What the owners of planes write into their policies. Drawn apart from everything else, so that the rest of a schedule is
//! the same with it and without.

use crate::dice::Dice;
use crate::schedule::{Action, Governing, PLANES, Step, What};

/// Policies in such a schedule.
const POLICIES: u64 = 18;

/// Steps until `end`, in no order.
pub(super) fn steps(seed: u64, end: u64) -> Vec<Step> {
    use Governing as G;
    let mut dice = Dice::of(seed, "policy");
    let all = [
        G::Open,
        G::Loose,
        G::Tight,
        G::Tight,
        G::Observing,
        G::Paused,
        G::Malformed,
    ];
    let mut step = |_| Step {
        at: dice.between(0, end),
        what: What::Action(Action::Govern {
            plane: (*dice.pick(&PLANES)).to_owned(),
            policy: *dice.pick(&all),
        }),
    };
    (0..POLICIES).map(&mut step).collect()
}
