//! The target `messages` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    outhaul_fuzz::run("messages", bytes);
});
