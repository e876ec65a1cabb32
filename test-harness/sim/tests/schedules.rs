//! Schedules from seeds, on the product as it is; those that failed once; and that a schedule is what its seed says.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says enough when it fails, its helpers too"
)]

use std::fs;
use std::path::{Path, PathBuf};

use outhaul_sim::schedule::{Schedule, generate};
use outhaul_sim::{Coverage, Outcome, narrate, run};

/// Schedules of a test run: half a minute unoptimised. `outhaul-sim` runs as many as one likes; `docs/simulation.md` says
/// which seeds are known to fail.
const SCHEDULES: u64 = if cfg!(debug_assertions) { 4 } else { 40 };

/// What so few schedules do at least. Whatever is not done is not tested.
const FLOOR: &[&str] = &[
    "action put",
    "action put DuplicateId",
    "action put Malformed",
    "action put NotAdmitted",
    "action delete",
    "action point",
    "action enrol",
    "action define",
    "action undefine",
    "fault partition",
    "fault cut",
    "fault stale hub",
    "fault back up",
    "fault damage",
    "fault set an agent's clock",
    "fault set a hub's clock",
    "hub started over",
    "agent killed Some(Made)",
    "agent killed Some(Sent)",
    "hub killed Some(Made)",
    "agent says Hello",
    "agent says Acknowledge",
    "agent says Report",
    "agent says Gone",
    "agent says Observed",
    "agent says Orphans",
    "hub says Welcome",
    "hub says Welcome, converged",
    "hub says Announce",
    "hub says Recorded",
    "hub says Settled",
    "hub says Observed",
    "hub says ReportWanted",
    "hub says Closing",
    "head: present, new",
    "head: present, kept",
    "head: removed",
    "head: recorded later",
    "head: settled",
    "heads orphaned",
    "hub wrote AddFinalizer",
    "hub wrote RemoveFinalizer",
    "hub wrote Status",
    "hub wrote PlaneKey",
    "hub wrote PlaneConditions",
    "stored Replace",
    "stored Update",
    "stored Empty",
    "request apply: object",
    "request look: object",
    "request delete: accepted",
    "request create namespace: accepted",
    "event Moved",
    "event Removed",
    "event Ready",
    "event InvalidSpec",
    "event NotAdmitted",
];

#[test]
fn schedules_break_no_invariant_and_converge() {
    let mut coverage = Coverage::default();
    for seed in 1..=SCHEDULES {
        let outcome = run(&generate(seed), None);
        check(
            &outcome,
            &format!("seed {seed} (outhaul-sim --seed {seed} --tell)"),
        );
        coverage.add(&outcome.coverage);
    }
    let missing: Vec<_> = FLOOR.iter().filter(|name| coverage.count(name) == 0).collect();
    assert!(missing.is_empty(), "{SCHEDULES} schedules never did: {missing:?}");
}

#[test]
fn what_failed_once_does_not_fail_again() {
    let files = files("corpus");
    assert!(!files.is_empty(), "there is no corpus");
    for file in files {
        let outcome = run(&read(&file), None);
        check(&outcome, &format!("{} (outhaul-sim --replay)", file.display()));
    }
}

/// Schedules in `corpus/open` show what is known and not mended yet. One that passes belongs among the others.
#[test]
fn what_is_known_to_fail_still_does() {
    for file in files("corpus/open") {
        let outcome = run(&read(&file), None);
        assert!(
            outcome.violation.is_some(),
            "{} passes: move it to corpus",
            file.display()
        );
    }
}

#[test]
fn a_seed_is_one_schedule_and_one_course_of_events() {
    let schedule = generate(7);
    assert_eq!(schedule, generate(7));
    let written = serde_json::to_string(&schedule).unwrap();
    assert_eq!(schedule, serde_json::from_str::<Schedule>(&written).unwrap());
    let (once, again) = (narrate(&schedule, None), narrate(&schedule, None));
    assert!(once.lines == again.lines, "the same schedule went two ways");
    assert_eq!(once.events, again.events);
}

fn check(outcome: &Outcome, what: &str) {
    if let Some(violation) = &outcome.violation {
        panic!(
            "{what}: {} at {:?}: {}",
            violation.invariant, violation.at, violation.text
        );
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    // Without files there is no folder either: git keeps none that is empty.
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|it| it == "json"))
        .collect();
    files.sort();
    files
}

fn read(file: &Path) -> Schedule {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}
