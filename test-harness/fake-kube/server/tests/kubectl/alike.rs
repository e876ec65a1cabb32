//! The same commands print the same lines on the embedded and on a real cluster.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_kubernetes::{Cluster, Program, Programs, require_or_skip};
use tokio::process::Command;
use tokio::time::timeout;

use crate::normal;
use crate::shell::TIMEOUT;

/// One cluster, and where its programs run.
struct Side {
    programs: Programs,
    folder: tempfile::TempDir,
}

impl Side {
    fn new(programs: &Programs, kubeconfig: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig)?;
        Ok(Self {
            programs: programs.clone(),
            folder,
        })
    }

    /// How a command ends, and what it prints.
    async fn run(&self, step: &Step<'_>) -> Result<Vec<String>> {
        let mut command = Command::new(self.programs.path(step.program)?);
        let here = self.folder.path().to_string_lossy().into_owned();
        command
            .args(step.arguments.iter().map(|argument| filled(argument, &here)))
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = timeout(TIMEOUT * 2, command.output())
            .await
            .context("it hangs")??;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).replace(&here, "{dir}");
        let mut lines = normal::lines(&text);
        match step.compare {
            Compare::All => {}
            Compare::Sorted => lines.sort(),
            Compare::Last => drop(lines.drain(..lines.len().saturating_sub(1))),
            Compare::Nothing => lines.clear(),
        }
        lines.push(format!("exit code {}", output.status.code().unwrap_or(-1)));
        Ok(lines)
    }
}

/// One line of the script.
struct Step<'a> {
    line: &'a str,
    compare: Compare,
    program: Program,
    arguments: Vec<&'a str>,
}

#[derive(Clone, Copy)]
enum Compare {
    All,
    Sorted,
    Last,
    Nothing,
}

fn steps(script: &str) -> Vec<Step<'_>> {
    let lines = script.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split_whitespace().peekable();
            let compare = match words.peek() {
                Some(&"sorted") => Compare::Sorted,
                Some(&"last") => Compare::Last,
                Some(&"quiet") => Compare::Nothing,
                _ => Compare::All,
            };
            if !matches!(compare, Compare::All) {
                words.next();
            }
            let program = match words.next() {
                Some("helm") => Program::Helm,
                _ => Program::Kubectl,
            };
            Step {
                line,
                compare,
                program,
                arguments: words.collect(),
            }
        })
        .collect()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubectl")
}

/// `{dir}/x` is in the folder of the run, `{x.yaml}` beside the script.
fn filled(argument: &str, folder: &str) -> String {
    let name = argument.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match name.filter(|name| name.ends_with(".yaml")) {
        Some(name) => here().join(name).to_string_lossy().into_owned(),
        None => argument.replace("{dir}", folder),
    }
}

#[tokio::test]
async fn the_same_commands_print_the_same_lines_on_a_real_cluster() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let real = Cluster::start(&programs, outhaul_kubernetes::Options::workloads()).await?;
    let fake = FakeKube::start(Options {
        standins: true,
        ..Options::default()
    })
    .await?;
    let real_side = Side::new(&programs, &std::fs::read_to_string(real.kubeconfig_path())?)?;
    let fake_side = Side::new(&programs, &fake.admin_kubeconfig())?;
    let script = std::fs::read_to_string(here().join("script.txt"))?;
    let mut differences = Vec::new();
    let steps = steps(&script);
    for step in &steps {
        let (expected, found) = tokio::try_join!(real_side.run(step), fake_side.run(step))
            .with_context(|| step.line.to_owned())?;
        if expected != found {
            differences.push(format!("$ {}\n{}", step.line, difference(&expected, &found)));
        }
    }
    ensure!(
        differences.is_empty(),
        "{} of {} commands print something else\n{}",
        differences.len(),
        steps.len(),
        differences.join("\n")
    );
    Ok(())
}

/// Lines of a real cluster that are missing, and lines that it does not print.
fn difference(expected: &[String], found: &[String]) -> String {
    let only = |all: &[String], others: &[String], mark: &str| {
        let lines = all.iter().filter(|line| !others.contains(line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    let differing = only(expected, found, "-") + &only(found, expected, "+");
    if differing.is_empty() {
        return format!("the same lines in another order or number:\n{expected:#?}\n{found:#?}");
    }
    differing
}
