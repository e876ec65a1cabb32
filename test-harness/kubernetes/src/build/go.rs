//! Runs the Go toolchain in the module beside this crate.

use std::collections::VecDeque;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::BuildError;

/// One line for each that many packages: a line every ten to thirty seconds.
const PACKAGES_PER_REPORT: usize = 200;

/// Enough for a compiler error with its package; a whole log helps nobody.
const LINES_KEPT: usize = 40;

fn go() -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("programs"))
        // Static programs, from exactly what go.sum names, by the toolchain that is there.
        .envs([
            ("CGO_ENABLED", "0"),
            ("GOFLAGS", "-buildvcs=false -mod=readonly"),
            ("GOTOOLCHAIN", "local"),
        ])
        .stdin(Stdio::null());
    command
}

/// Compiles one main package to `output`.
pub(super) fn compile(
    package: &str,
    link_flags: &str,
    output: &Path,
    report: &mut dyn FnMut(&str),
) -> Result<(), BuildError> {
    let mut command = go();
    command.args([
        "build",
        "-v",
        "-trimpath",
        "-ldflags",
        &format!("-s -w {link_flags}"),
        "-o",
    ]);
    command
        .arg(output)
        .arg(package)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let name = format!("go build {package}");
    let start = |source| BuildError::Go {
        command: name.clone(),
        source,
    };

    let mut child = command.spawn().map_err(start)?;
    let mut last = VecDeque::with_capacity(LINES_KEPT);
    if let Some(stderr) = child.stderr.take() {
        follow(BufReader::new(stderr), &mut last, report).map_err(start)?;
    }
    if child.wait().map_err(start)?.success() {
        Ok(())
    } else {
        Err(BuildError::Failed {
            command: name,
            output: last.make_contiguous().join("\n"),
        })
    }
}

/// With `-v`, Go writes one line for each module it downloads and each package it compiles.
fn follow(
    lines: impl io::BufRead,
    last: &mut VecDeque<String>,
    report: &mut dyn FnMut(&str),
) -> io::Result<()> {
    let mut packages = 0;
    for line in lines.lines() {
        let line = line?;
        if !line.starts_with("go: downloading") {
            packages += 1;
            if packages % PACKAGES_PER_REPORT == 0 {
                report(&format!("  {packages} packages"));
            }
        }
        if last.len() == LINES_KEPT {
            last.pop_front();
        }
        last.push_back(line);
    }
    Ok(())
}

/// A module in Go's cache.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Module {
    pub(super) dir: PathBuf,
    pub(super) sum: String,
}

/// Downloads a module, unless it is in the cache, and says where it is.
pub(super) fn download(module: &str, version: &str) -> Result<Module, BuildError> {
    let name = format!("go mod download -json {module}@{version}");
    let output = go()
        .args(["mod", "download", "-json", &format!("{module}@{version}")])
        .output()
        .map_err(|source| BuildError::Go {
            command: name.clone(),
            source,
        })?;
    serde_json::from_slice(&output.stdout).map_err(|_| BuildError::Failed {
        command: name,
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_packages_not_downloads_and_keeps_the_last_lines() {
        let mut text = "go: downloading example.com/a v1.0.0\n".repeat(150);
        text += &"example.com/a/b\n".repeat(PACKAGES_PER_REPORT);
        text += "a/b.go:1:1: undefined: c\n";
        let (mut last, mut reported) = (VecDeque::new(), Vec::new());
        follow(text.as_bytes(), &mut last, &mut |line| {
            reported.push(line.to_owned())
        })
        .unwrap();
        assert_eq!(reported, ["  200 packages"]);
        assert_eq!(last.len(), LINES_KEPT);
        assert_eq!(last.back().unwrap(), "a/b.go:1:1: undefined: c");
    }
}
