//! The simulator can fail: each variant of the product that is wrong on purpose is caught, by the invariant that it
//! breaks, within the number of schedules that stands here, in a schedule that the product itself passes.

use outhaul_sim::schedule::generate;
use outhaul_sim::{Broken, Violation, run};

/// Variant, schedules from seed 1 within which it is caught, and what catches it.
const TABLE: &[(Broken, u64, &str)] = &[
    (
        Broken::AbsenceRemoves,
        1,
        "an object leaves a plane only by a statement",
    ),
    (
        Broken::DamageIsEmpty,
        4,
        "an object leaves a plane only by a statement",
    ),
    (Broken::DeleteWithoutUid, 3, "what is not ours is never deleted"),
    (Broken::DyingIsGone, 11, "gone means gone"),
    (Broken::EpochIgnored, 14, "everything converges once faults heal"),
    (Broken::GenerationIgnored, 5, "versions never go back on a plane"),
    (Broken::HubTrustsItsWrites, 11, "recorded before applied"),
    (
        Broken::ObservedUntold,
        62,
        "everything converges once faults heal",
    ),
    (
        Broken::OldSessionHeard,
        49,
        "everything converges once faults heal",
    ),
    (Broken::StoreTrusted, 1, "stored before applied"),
];

#[test]
fn every_broken_variant_is_caught() {
    let missed: Vec<String> = TABLE
        .iter()
        .filter_map(|(broken, within, invariant)| missed(*broken, *within, invariant))
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn missed(broken: Broken, within: u64, invariant: &str) -> Option<String> {
    // The last is the first that catches it, unless something moved: then one before it does.
    let mut seeds = (1..=within).rev();
    let caught = seeds.find_map(|seed| Some((seed, run(&generate(seed), Some(broken)).violation?)));
    let Some((seed, violation)) = caught else {
        return Some(format!("{broken:?} was not caught within {within} schedules"));
    };
    if violation.invariant != invariant {
        let Violation { invariant, text, .. } = violation;
        return Some(format!("{broken:?} was caught by {invariant:?}: {text}"));
    }
    // What the product fails as well is no catch.
    let flaw = run(&generate(seed), None).violation?;
    Some(format!(
        "{broken:?}: seed {seed} fails without it too: {}",
        flaw.text
    ))
}
