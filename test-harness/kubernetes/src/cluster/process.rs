//! One program, killed with its owner.
//!
//! The kernel can kill a child when its parent dies, but only for the thread that started it, and only with
//! code that this workspace forbids. So each program runs under a small shell that waits for two things: the
//! program's end, and the end of a pipe whose other side is here. The pipe closes when the [`Process`] is
//! dropped and when our own process ends in any way; then the shell kills the program.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};

use super::{Command, Error};
use crate::Program;

/// Ends with the program's exit code, after the program and never before it: whoever waits for the shell
/// knows that the program's ports are free.
const SUPERVISE: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
{ read -r _ <&3; kill -9 "$program"; } 2>/dev/null &
watch=$!
exec 3<&-
wait "$program"
code=$?
kill -9 "$watch" 2>/dev/null
exit "$code"
"#;

/// Half the default: an eighth less memory for each cluster, 0.3 s more CPU during its start.
const GOGC: (&str, &str) = ("GOGC", "50");

/// Enough for the reason; programs of Kubernetes say it in their last lines.
const LOG_LINES_SHOWN: usize = 15;

#[derive(Debug)]
pub(super) struct Process {
    program: Program,
    supervisor: Child,
    lifeline: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts a program; what it writes goes to `NAME.log` in the folder, after what is there.
    pub(super) fn spawn(program: Program, command: &Command, folder: &Path) -> Result<Self, Error> {
        let log = folder.join(format!("{program}.log"));
        Self::start(program, command, log).map_err(|source| Error::Spawn { program, source })
    }

    fn start(program: Program, command: &Command, log: PathBuf) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(&log)?;
        let mut supervisor = std::process::Command::new("/bin/sh")
            .args(["-c", SUPERVISE, "supervise"])
            .arg(&command.path)
            .args(&command.flags)
            .envs([GOGC])
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C in a terminal is for the owner, who ends this in its own time.
            .process_group(0)
            .spawn()?;
        let lifeline = supervisor.stdin.take();
        Ok(Self {
            program,
            supervisor,
            lifeline,
            log,
        })
    }

    /// How it ended, if it did.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.supervisor.try_wait().ok().flatten()
    }

    pub(super) fn check(&mut self) -> Result<(), Error> {
        let Some(status) = self.exited() else {
            return Ok(());
        };
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let log = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
        Err(Error::Ended {
            program: self.program,
            status,
            log,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        if let Err(error) = self.supervisor.wait() {
            tracing::warn!(%error, program = %self.program, "A program may be left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn shell(script: &str, folder: &Path) -> Process {
        let command = Command {
            path: "/bin/sh".into(),
            flags: vec!["-c".into(), script.into()],
        };
        Process::spawn(Program::Etcd, &command, folder).unwrap()
    }

    /// Polls for at most ten seconds.
    fn eventually(mut condition: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(Instant::now() < deadline, "nothing happened within 10 s");
            std::thread::yield_now();
        }
    }

    #[test]
    fn program_that_ignores_every_polite_signal_is_gone_after_drop() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!(
            "trap '' TERM INT HUP; echo $$ > {}; while :; do sleep 60; done",
            pid_file.display()
        );
        let process = shell(&script, folder.path());
        eventually(|| fs::read_to_string(&pid_file).is_ok_and(|pid| pid.ends_with('\n')));
        let pid = fs::read_to_string(&pid_file).unwrap();
        let running = Path::new("/proc").join(pid.trim());
        assert!(running.exists());
        drop(process);
        assert!(!running.exists());
    }

    #[test]
    fn program_that_ends_by_itself_is_noticed_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo no such flag >&2; exit 7", folder.path());
        eventually(|| process.exited().is_some());
        let error = process.check().unwrap_err().to_string();
        assert!(error.contains("no such flag") && error.contains('7'), "{error}");
    }
}
