//! Programs that run against the embedded API.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_kubernetes::{Program, Programs};
use tokio::process::Command;
use tokio::time::timeout;

/// No command here takes a second; one that hangs must not hang the suite.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// A cluster, and the programs that look at it.
pub(crate) struct Shell {
    _kube: FakeKube,
    folder: tempfile::TempDir,
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

    /// Plays a script: `$ COMMAND` succeeds, `! COMMAND` fails, and what is below it is among what it prints, with any
    /// white space between words. Commands are kubectl's unless they begin with `helm`; `{dir}` is the shell's folder.
    pub(crate) async fn plays(&self, script: &str) -> Result<()> {
        let script = script.replace("{dir}", &self.folder.path().to_string_lossy());
        for step in steps(&script) {
            let line = step.line;
            let (well, text) = self.run(line).await?;
            ensure!(well != step.fails, "{line} ends otherwise than it should: {text}");
            ensure!(!step.prints.is_empty(), "what {line} prints is not looked at");
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in step.prints {
                ensure!(words.contains(part), "{line} does not print {part:?}: {text}");
            }
        }
        Ok(())
    }

    async fn run(&self, line: &str) -> Result<(bool, String)> {
        let (program, arguments) = match line.strip_prefix("helm ") {
            Some(arguments) => (Program::Helm, arguments),
            None => (Program::Kubectl, line),
        };
        let output = timeout(TIMEOUT, self.command(program, arguments)?.output());
        let output = output.await.with_context(|| format!("{line} hangs"))??;
        let text = [output.stdout, output.stderr].concat();
        Ok((
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        ))
    }
}

/// One command of a script.
struct Step<'a> {
    line: &'a str,
    fails: bool,
    prints: Vec<&'a str>,
}

fn steps(script: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for text in script.lines().map(str::trim).filter(|text| !text.is_empty()) {
        let command = text.strip_prefix("$ ").or(text.strip_prefix("! "));
        match command {
            Some(line) => steps.push(Step {
                line,
                fails: text.starts_with('!'),
                prints: Vec::new(),
            }),
            None => {
                let step = steps.last_mut().expect("a script begins with a command");
                step.prints.push(text);
            }
        }
    }
    steps
}
