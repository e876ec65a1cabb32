//! Clocks that somebody sets, drawn apart from everything else.
//!
//! An agent's clock is only set back: what a plane let go counts for as long as its clock says, so one that is set forward
//! while the agent is away ends that early, and nothing can be said against it.

use crate::dice::Dice;
use crate::schedule::{Fault, HUBS, Machine, Moment, PLANES, Step, What};

/// Clocks that are set in such a schedule.
const SETTINGS: u64 = 6;

/// How far at most, in seconds: further than anything is remembered that counts here.
const FAR: u64 = 7_200;

/// How long after its clock was set an agent is started anew, at most, in milliseconds: clocks are often set by a reboot.
const REBOOT: u64 = 60_000;

/// Steps until `end`, in no order.
pub(super) fn steps(seed: u64, end: u64) -> Vec<Step> {
    let mut dice = Dice::of(seed, "clocks");
    let mut steps = Vec::new();
    for _ in 0..SETTINGS {
        let at = dice.between(0, end);
        let far = i64::try_from(dice.between(1, FAR)).unwrap_or_default();
        let step = |at, fault| Step {
            at,
            what: What::Fault(fault),
        };
        if dice.chance(30) {
            let hub = usize::from(dice.chance(50)) % HUBS;
            let by_s = if dice.chance(50) { far } else { -far };
            let machine = Machine::Hub(hub);
            steps.push(step(at, Fault::SetClock { machine, by_s }));
            continue;
        }
        let plane = (*dice.pick(&PLANES)).to_owned();
        let machine = Machine::Agent(plane.clone());
        steps.push(step(at, Fault::SetClock { machine, by_s: -far }));
        let reboot = Fault::KillAgent {
            plane,
            moment: Moment::Now,
            ms: dice.between(1_000, 8_000),
        };
        steps.push(step(at + dice.between(0, REBOOT), reboot));
    }
    steps
}
