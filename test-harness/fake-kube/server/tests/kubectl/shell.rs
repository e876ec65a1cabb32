//! Programs that run against the embedded API.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_kubernetes::{Program, Programs};
use tokio::process::Command;

/// No command here takes a second; one that hangs must not hang the suite.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// A cluster, and the programs that look at it.
pub(crate) struct Shell {
    _kube: FakeKube,
    pub(crate) folder: tempfile::TempDir,
    programs: Programs,
}

impl Shell {
    pub(crate) async fn start(programs: Programs) -> Result<Self> {
        let kube = FakeKube::start(Options {
            standins: true,
            ..Options::default()
        })
        .await?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("kubeconfig"), kube.admin_kubeconfig())?;
        Ok(Self {
            _kube: kube,
            folder,
            programs,
        })
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }

    pub(crate) fn command(&self, program: Program, line: &str) -> Result<Command> {
        let mut command = Command::new(self.programs.path(program)?);
        command
            .args(line.split_whitespace())
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(command)
    }

    pub(crate) async fn run(&self, program: Program, line: &str) -> Result<(bool, String)> {
        let output = tokio::time::timeout(TIMEOUT, self.command(program, line)?.output());
        let output = output
            .await
            .with_context(|| format!("{program} {line} hangs"))??;
        let text = [output.stdout, output.stderr].concat();
        Ok((
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        ))
    }

    /// The command succeeds and prints all of these.
    pub(crate) async fn shows(&self, line: &str, expected: &[&str]) -> Result<()> {
        let (well, text) = self.run(Program::Kubectl, line).await?;
        ensure!(well, "kubectl {line} failed: {text}");
        // Columns are as wide as their widest cell: compare words.
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in expected {
            ensure!(
                words.contains(part),
                "kubectl {line} does not show {part:?}: {text}"
            );
        }
        Ok(())
    }

    /// The command fails and says this.
    pub(crate) async fn refuses(&self, line: &str, expected: &str) -> Result<()> {
        let (well, text) = self.run(Program::Kubectl, line).await?;
        ensure!(
            !well && text.contains(expected),
            "kubectl {line} does not say {expected:?}: {text}"
        );
        Ok(())
    }

    pub(crate) async fn helm(&self, line: &str, expected: &str) -> Result<()> {
        let (well, text) = self.run(Program::Helm, line).await?;
        ensure!(
            well && text.contains(expected),
            "helm {line} does not say {expected:?}: {text}"
        );
        Ok(())
    }
}
