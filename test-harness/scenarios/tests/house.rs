//! What each crate must not be able to reach.
//!
//! A crate exists because of what is out of its reach: whoever decides has no runtime, no sockets and no
//! clock; hub and agent know of each other only what travels between them; nothing that ships depends on
//! the harness. The rules look at normal dependencies, as each crate has them by itself: in a build of the
//! whole workspace features of one crate are switched on for all, which says nothing about a crate.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says enough when it fails, its helpers too"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A folder, and what no crate in it (or in a folder below) may reach: a word with a slash at its end is a
/// folder of ours, another word is a crate, and `IO` stands for all of [`IO`].
const RULES: &str = "
    protocol                      kube-core hub/ agent/ test-harness/
    protocol/wire                 IO rand protocol/session/ protocol/transport/ protocol/lease/
    protocol/session              IO rand protocol/transport/ protocol/lease/
    protocol/lease                IO rand protocol/wire/ protocol/session/ protocol/transport/
    hub                           agent/ test-harness/
    hub/resources                 IO
    hub/core                      IO protocol/transport/
    hub/render                    IO rand protocol/ hub/core/
    agent                         hub/ test-harness/
    agent/core                    IO protocol/transport/
    test-harness/fake-kube        hub/ agent/
    test-harness/fake-kube/core   IO
    test-harness/kubernetes       hub/ agent/
    test-harness/faults           hub/ agent/
    test-harness/fuzz             IO hub/ protocol/transport/
    test-harness/sim              IO rand hub/server/ agent/runner/ protocol/transport/ test-harness/fake-kube/server/
";

/// Whoever reaches none of these waits for nothing, listens to nothing and talks to nobody.
const IO: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "quinn",
    "hyper",
    "kube-client",
    "kube-runtime",
];

/// Crates that are told the time, their random numbers and their configuration.
const PURE: &[&str] = &[
    "protocol/wire",
    "protocol/session",
    "protocol/lease",
    "hub/resources",
    "hub/core",
    "hub/render",
    "agent/core",
    "test-harness/fake-kube/core",
];

/// How they would find out by themselves.
const IMPURE: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "thread::sleep",
    "thread::spawn",
    "rand::rng",
    "rand::random",
    "RandomState::new",
    "new_v4",
    "std::net::Tcp",
    "std::net::Udp",
    "env::var",
];

/// A crate of this workspace.
struct Member {
    name: String,
    /// From the root, `hub/core`.
    folder: String,
}

#[test]
fn no_crate_reaches_what_is_forbidden_to_it() {
    let members = members();
    let mut offences = Vec::new();
    for rule in RULES.trim().lines() {
        let (of, forbidden) = rule.trim().split_once(' ').unwrap();
        let bound: Vec<_> = members
            .iter()
            .filter(|member| is_within(&member.folder, of))
            .collect();
        assert!(
            !bound.is_empty(),
            "there is no crate in {of}: a rule without effect"
        );
        for member in bound {
            offences.extend(first_path(&tree(&member.name), |name| {
                forbidden
                    .split_whitespace()
                    .any(|word| forbids(word, name, &members))
            }));
        }
    }
    assert!(
        offences.is_empty(),
        "forbidden dependencies:\n{}",
        offences.join("\n")
    );
}

/// Whether a word of a rule speaks of the crate `name`.
fn forbids(word: &str, name: &str, members: &[Member]) -> bool {
    match word.strip_suffix('/') {
        Some(folder) => members
            .iter()
            .any(|m| m.name == name && is_within(&m.folder, folder)),
        None if word == "IO" => IO.contains(&name),
        None => word == name,
    }
}

#[test]
fn crate_names_are_their_paths() {
    for Member { name, folder } in members() {
        let path = folder.strip_prefix("test-harness/").unwrap_or(&folder);
        assert_eq!(
            name,
            format!("outhaul-{}", path.replace('/', "-")),
            "the crate in {folder}"
        );
    }
}

#[test]
fn pure_crates_are_told_the_time_and_their_randomness() {
    let mut offences = Vec::new();
    for folder in PURE {
        let production = |file: &PathBuf| !file.iter().any(|part| part == "tests" || part == "tests.rs");
        for file in rust_files(&root().join(folder).join("src"))
            .into_iter()
            .filter(production)
        {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (index, line) in lines {
                offences.extend(
                    IMPURE
                        .iter()
                        .filter(|word| line.contains(**word))
                        .map(|word| format!("{}:{}: {word}", file.display(), index + 1)),
                );
            }
        }
    }
    assert!(
        offences.is_empty(),
        "a pure crate helps itself:\n{}",
        offences.join("\n")
    );
}

#[test]
fn path_to_a_forbidden_crate_names_every_step() {
    let tree = [(0, "a"), (1, "b"), (2, "c"), (1, "d"), (2, "tokio")];
    let tree: Vec<_> = tree.map(|(depth, name)| (depth, name.to_owned())).into();
    assert_eq!(
        first_path(&tree, |name| name == "tokio").unwrap(),
        "a -> d -> tokio"
    );
    assert_eq!(first_path(&tree, |name| name == "quinn"), None);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// `hub/core` is within `hub`, `hubris` is not.
fn is_within(folder: &str, outer: &str) -> bool {
    folder
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn members() -> Vec<Member> {
    let metadata = cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let root = root();
    let member = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap().strip_prefix(&root).unwrap();
        Member {
            name: package["name"].as_str().unwrap().to_owned(),
            folder: folder.to_str().unwrap().to_owned(),
        }
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(member)
        .collect()
}

/// The normal dependencies of one crate by themselves: depth and name of each, a subtree only where it
/// comes first.
fn tree(package: &str) -> Vec<(usize, String)> {
    let lines = cargo(&[
        "tree",
        "--offline",
        "-p",
        package,
        "--edges",
        "normal",
        "--prefix",
        "depth",
        "--format",
        " {p}",
    ]);
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
    };
    lines
        .lines()
        .map(|line| parse(line).unwrap_or_else(|| panic!("cargo tree said: {line}")))
        .collect()
}

/// The way from the root to the first forbidden crate, below the root itself.
fn first_path(tree: &[(usize, String)], forbidden: impl Fn(&str) -> bool) -> Option<String> {
    let mut way: Vec<&str> = Vec::new();
    for (depth, name) in tree {
        way.truncate(*depth);
        way.push(name);
        if *depth > 0 && forbidden(name) {
            return Some(way.join(" -> "));
        }
    }
    None
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
