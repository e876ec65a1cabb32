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
        Broken::AdmissionUnchecked,
        1,
        "a plane manages admitted namespaces only",
    ),
    (
        Broken::AttemptNotRecorded,
        9,
        "what runs once is written down before it begins",
    ),
    (
        Broken::BudgetForgotten,
        7,
        "what goes unasked is within the budget",
    ),
    (Broken::BudgetOff, 2, "what goes unasked is within the budget"),
    (
        Broken::BudgetPerResource,
        2,
        "what goes unasked is within the budget",
    ),
    (
        Broken::ConfirmationOfAnyGeneration,
        1,
        "a confirmation counts for its generation only",
    ),
    (
        Broken::ClockSetBackRefills,
        63,
        "what goes together goes whole or waits whole",
    ),
    (Broken::ConfirmedBeforeGone, 1, "gone means gone"),
    (
        Broken::CopiesUnseen,
        5,
        "of two processes with one identity the first has the session",
    ),
    (
        Broken::DamageIsEmpty,
        11,
        "an object leaves a plane only by a statement",
    ),
    (Broken::DeleteWithoutUid, 3, "what is not ours is never deleted"),
    (Broken::DyingIsGone, 114, "gone means gone"),
    (Broken::EpochIgnored, 4, "everything converges once faults heal"),
    (
        Broken::FinalizerOffEarly,
        25,
        "what runs is kept until its end is written down",
    ),
    (
        Broken::ForgottenRemoves,
        16,
        "an object leaves a plane only by a statement",
    ),
    (Broken::GenerationIgnored, 1, "versions never go back on a plane"),
    (Broken::HubTrustsItsWrites, 50, "recorded before applied"),
    (
        Broken::LeaveIsRemove,
        1,
        "a confirmation counts for its generation only",
    ),
    (
        Broken::ObservedUntold,
        60,
        "everything converges once faults heal",
    ),
    (
        Broken::OldSessionHeard,
        322,
        "everything converges once faults heal",
    ),
    (Broken::OnceReapplied, 9, "a Once bundle runs once"),
    (
        Broken::OrphansRemovedUnasked,
        8,
        "a confirmation counts for its generation only",
    ),
    (
        Broken::OwnersUnseen,
        55,
        "objects of another owner are left alone",
    ),
    (Broken::PartGoes, 7, "what goes unasked is within the budget"),
    (
        Broken::PlaneLetGoEarly,
        8,
        "a Plane stays while something is on it",
    ),
    (
        Broken::ProtectionIgnored,
        3,
        "what is protected goes only confirmed",
    ),
    (
        Broken::PolicyUnheard,
        20,
        "what the policy of a plane excludes is neither written nor deleted",
    ),
    (Broken::RecordedAtOnce, 2, "recorded before applied"),
    (
        Broken::StatusWrittenBlindly,
        62,
        "everything converges once faults heal",
    ),
    (Broken::StoreTrusted, 1, "stored before applied"),
    (Broken::SweepSkipped, 22, "gone means gone"),
    (Broken::UnservedIsAbsent, 42, "gone means gone"),
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
