//! Identities that somebody copies, drawn apart from everything else.

use crate::dice::Dice;
use crate::schedule::{Fault, PLANES, Step, What};

/// Copies in such a schedule.
const COPIES: u64 = 5;

/// For how long they are there at most, in milliseconds.
const LONGEST: u64 = 90_000;

/// Steps until `end`, in no order.
pub(super) fn steps(seed: u64, end: u64) -> Vec<Step> {
    let mut dice = Dice::of(seed, "copies");
    let mut step = |_| Step {
        at: dice.between(0, end),
        what: What::Fault(Fault::CopyIdentity {
            plane: (*dice.pick(&PLANES)).to_owned(),
            ms: dice.between(1_000, LONGEST),
        }),
    };
    (0..COPIES).map(&mut step).collect()
}
