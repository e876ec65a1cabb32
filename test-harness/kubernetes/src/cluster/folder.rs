//! The folder of one cluster, removed with its owner.
//!
//! A folder holds etcd's preallocated log, 64 MiB or more, and a cluster in a `static` is never dropped. So
//! the folder is removed by a small shell that waits for the end of a pipe: it closes when this value is
//! dropped, and when the process ends in any way.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// Programs that are being killed at that moment may still write into it, so more than one try.
const SWEEP: &str = r#"
read -r _
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$1" 2>/dev/null && exit 0
    sleep 0.2
done
exit 1
"#;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    sweeper: Child,
    lifeline: Option<ChildStdin>,
}

impl Folder {
    pub(super) fn create() -> io::Result<Self> {
        // Its mode is 0700: there are private keys in it.
        let temporary = tempfile::Builder::new().prefix("outhaul-kubernetes-").tempdir()?;
        let mut sweeper = Command::new("/bin/sh")
            .args(["-c", SWEEP, "sweep"])
            .arg(temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal is for the owner; the sweeper has to outlive it.
            .process_group(0)
            .spawn()?;
        let lifeline = sweeper.stdin.take();
        Ok(Self {
            path: temporary.keep(),
            sweeper,
            lifeline,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        if let Err(error) = self.sweeper.wait() {
            tracing::warn!(%error, folder = %self.path.display(), "The folder of a cluster may be left behind");
        }
    }
}
