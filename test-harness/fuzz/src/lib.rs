//! Everything of ours that reads bytes of somebody else, as functions of bytes that must neither panic nor break what
//! they promise.
//!
//! The tests replay the corpus. To search for more, with a nightly toolchain and cargo-fuzz:
//!
//! ```sh
//! cargo +nightly fuzz run --fuzz-dir test-harness/fuzz --features libfuzzer agent_session -- -max_total_time=600
//! cargo +nightly fuzz cmin --fuzz-dir test-harness/fuzz --features libfuzzer agent_session
//! ```
//!
//! What it finds goes into the corpus with the mend.

mod agent_session;
mod hub_session;
pub mod seeds;
mod text;
mod wire;

/// A function of bytes.
pub struct Target {
    /// As cargo-fuzz and the folders of the corpus call it.
    pub name: &'static str,
    /// Panics where a promise is broken. Returns whether the bytes said something, rather than being refused at once.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target {
        name: "frames",
        run: wire::frames,
    },
    Target {
        name: "messages",
        run: wire::messages,
    },
    Target {
        name: "agent_session",
        run: agent_session::run,
    },
    Target {
        name: "hub_session",
        run: hub_session::run,
    },
    Target {
        name: "record",
        run: text::record,
    },
    Target {
        name: "token",
        run: text::token,
    },
    Target {
        name: "spec",
        run: text::spec,
    },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Runs the target of a name over `bytes`.
///
/// # Panics
/// There is no such target, or a promise is broken.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    let target = target(name).unwrap_or_else(|| panic!("there is no target {name}"));
    (target.run)(bytes)
}
