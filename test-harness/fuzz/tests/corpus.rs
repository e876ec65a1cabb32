//! Every file that a search has found or began with, through its target.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use outhaul_fuzz::{TARGETS, seeds};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn every_file_of_the_corpus_keeps_the_promises() {
    for target in &TARGETS {
        let mut files: Vec<_> = fs::read_dir(corpus().join(target.name))
            .unwrap_or_else(|error| panic!("no corpus for {}: {error}", target.name))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in &files {
            let bytes = fs::read(file).unwrap();
            let kept = catch_unwind(|| (target.run)(&bytes));
            assert!(kept.is_ok(), "{}", file.display());
        }
    }
}

#[test]
fn what_our_own_ends_write_is_in_the_corpus_and_says_something() {
    for seed in seeds::all() {
        let target = TARGETS.iter().find(|target| target.name == seed.target).unwrap();
        assert!((target.run)(&seed.bytes), "{} {}", seed.target, seed.name);
        let stored = fs::read(corpus().join(seed.target).join(seed.name)).unwrap();
        assert!(
            stored == seed.bytes,
            "{} {}: `cargo run -p outhaul-fuzz -- seeds test-harness/fuzz/corpus` writes it",
            seed.target,
            seed.name
        );
    }
}

#[test]
fn each_target_has_a_program_for_cargo_fuzz() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let programs: BTreeSet<_> = fs::read_dir(programs)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        programs,
        TARGETS.iter().map(|target| target.name.to_owned()).collect()
    );
}
