//! The simulator can fail: each variant of the product that is wrong on purpose is caught, by the invariant that it
//! breaks, within the number of schedules that stands here.

use outhaul_sim::schedule::generate;
use outhaul_sim::{Broken, run};

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
    (Broken::GenerationIgnored, 5, "versions never go back on a plane"),
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
    let caught = (1..=within).find_map(|seed| run(&generate(seed), Some(broken)).violation);
    match caught {
        Some(violation) if violation.invariant == invariant => None,
        Some(violation) => Some(format!(
            "{broken:?} was caught by {:?}: {}",
            violation.invariant, violation.text
        )),
        None => Some(format!("{broken:?} was not caught within {within} schedules")),
    }
}
