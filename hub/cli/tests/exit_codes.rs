//! What the shell sees of the command.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic like the test")]

use std::process::{Command, Output};

fn outhaul(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outhaul"));
    command.env_remove("OUTHAUL_HUB").env_remove("OUTHAUL_TOKEN");
    command.args(arguments).output().unwrap()
}

#[test]
fn help_is_no_error() {
    let output = outhaul(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn an_error_is_one_and_stands_on_standard_error() {
    let output = outhaul(&["--hub", "http://127.0.0.1:1", "status"]);
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(1), &b""[..])
    );
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.starts_with("error: cannot reach the hub at http://127.0.0.1:1/"),
        "{text}"
    );
}

#[test]
fn wrong_usage_is_two() {
    for arguments in [&["status", "eu", "cart"][..], &["statsu"], &[]] {
        assert_eq!(outhaul(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
