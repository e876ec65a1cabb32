//! The demo as whoever runs it sees it: the whole story on embedded clusters, and Ctrl-C.
#![expect(clippy::unwrap_used, reason = "a test that unwraps says enough when it fails")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Longer than a story on busy cores; a test that waits longer is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running demo, killed with its test.
struct Demo {
    process: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outhaul-demo"));
        let piped = command
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = piped.spawn().unwrap();
        let lines = lines_of(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// Reads on until a line contains `words`, and returns it.
    fn line_with(&self, words: &str) -> String {
        let mut seen = String::new();
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no {words:?} in:\n{seen}")
            };
            if line.contains(words) {
                return line;
            }
            seen.push_str(&line);
            seen.push('\n');
        }
    }

    fn interrupt(&self) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Its exit code, and what it said on standard error.
    fn end(mut self) -> (Option<i32>, String) {
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        let mut errors = String::new();
        self.process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut errors)
            .unwrap();
        (self.process.wait().unwrap().code(), errors)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone when the test went well.
        let _ = self.process.kill();
    }
}

/// Lines as they come. The thread ends with the process whose output it reads.
fn lines_of(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = sync_channel(1_000);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[test]
fn story_is_told_to_its_end_in_plain_lines() {
    let demo = Demo::start(&[]);
    demo.line_with("development: 11 of 11 Releases ready, 23 of 23 objects healthy");
    demo.line_with("production: 11 of 11 Releases ready, 23 of 23 objects healthy");
    demo.line_with("network cut, 1 for 3 s waiting");
    demo.line_with("Outhaul has deleted nothing: 45 objects kept their uid");
    demo.line_with("Undeployed: its 3 objects are gone, and nothing else is");
    let deleted = demo.line_with("objects deleted that nobody let go");
    assert!(deleted.ends_with(" 0"), "{deleted}");
    assert_eq!(demo.end(), (Some(0), String::new()));
}

#[test]
fn kept_demo_ends_cleanly_and_removes_its_files() {
    let demo = Demo::start(&["--keep"]);
    let folder = demo.line_with("demo=/");
    let folder = PathBuf::from(folder.trim().trim_start_matches("demo="));
    let kubeconfig = std::fs::read_to_string(folder.join("production")).unwrap();
    assert!(kubeconfig.contains("https://127.0.0.1:"), "{kubeconfig}");
    demo.line_with("Ctrl-C here ends everything");
    demo.interrupt();
    assert_eq!(demo.end(), (Some(0), String::new()));
    assert!(!folder.exists());
}

#[test]
fn interrupted_story_ends_cleanly() {
    let demo = Demo::start(&[]);
    demo.line_with("The shop goes to development");
    demo.interrupt();
    demo.line_with("Interrupted.");
    assert_eq!(demo.end(), (Some(130), String::new()));
}

#[test]
fn failure_says_what_to_do_and_has_its_exit_code() {
    let nowhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_outhaul-demo"));
    command
        .arg("--kubernetes")
        .env("KUBEBUILDER_ASSETS", nowhere.path());
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("there is no etcd in") && errors.contains("-- build"),
        "{errors}"
    );
}
