//! Recorded answers, and how others differ from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::folder;
use crate::theme::Theme;

/// The answers to each case, step by step.
pub(crate) type Answers = BTreeMap<String, Vec<Value>>;

/// Answers of a real API server, by theme.
pub(crate) struct Records {
    /// Its version.
    pub(crate) kubernetes: String,
    pub(crate) answers: BTreeMap<String, Answers>,
}

impl Records {
    pub(crate) fn read(themes: &[Theme]) -> Result<Self> {
        let mut records = Self {
            kubernetes: String::new(),
            answers: BTreeMap::new(),
        };
        for theme in themes {
            let file = folder().join(format!("answers/{}.json", theme.name));
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} is recorded by OUTHAUL_RECORD=1", file.display()))?;
            let mut record: Value = serde_json::from_str(&text)?;
            let version = record["kubernetes"]
                .as_str()
                .context("a record names its version")?;
            if !records.kubernetes.is_empty() && records.kubernetes != version {
                bail!("records of two versions: {version} and {}", records.kubernetes);
            }
            records.kubernetes = version.to_owned();
            let answers = serde_json::from_value(record["answers"].take())?;
            records.answers.insert(theme.name.clone(), answers);
        }
        Ok(records)
    }

    /// Writes a file for each theme, one line for each answer, so that changes show as lines.
    pub(crate) fn write(&self) -> Result<()> {
        for (theme, answers) in &self.answers {
            let mut text = format!("{{\n\"kubernetes\": {:?},\n\"answers\": {{\n", self.kubernetes);
            for (index, (case, given)) in answers.iter().enumerate() {
                let lines: Vec<String> = given.iter().map(Value::to_string).collect();
                let comma = if index == 0 { "" } else { ",\n" };
                write!(
                    text,
                    "{comma}{}: [\n{}\n]",
                    Value::from(case.as_str()),
                    lines.join(",\n")
                )?;
            }
            text.push_str("\n}\n}\n");
            std::fs::write(folder().join(format!("answers/{theme}.json")), text)?;
        }
        Ok(())
    }
}

/// Fails with all that differs.
pub(crate) fn compare(
    recorded: &BTreeMap<String, Answers>,
    answers: &BTreeMap<String, Answers>,
) -> Result<()> {
    let mut differences = Vec::new();
    for (theme, played) in answers {
        let known = recorded.get(theme).context("a theme without a record")?;
        let cases: std::collections::BTreeSet<_> = known.keys().chain(played.keys()).collect();
        for case in cases {
            let steps = |answers: &Answers| answers.get(case).cloned().unwrap_or_default();
            let found = differences_of_case(&steps(known), &steps(played));
            differences.extend(found.iter().map(|each| format!("{theme}: {case}, {each}")));
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    bail!("{} answers differ\n{}", differences.len(), differences.join("\n"))
}

fn differences_of_case(expected: &[Value], found: &[Value]) -> Vec<String> {
    let show = |value: Option<&Value>| value.map(|v| format!("{v:#}")).unwrap_or_default();
    (0..expected.len().max(found.len()))
        .filter(|&step| expected.get(step) != found.get(step))
        .map(|step| {
            let lines = lines_that_differ(&show(expected.get(step)), &show(found.get(step)));
            format!("step {step}:\n{lines}")
        })
        .collect()
}

fn lines_that_differ(expected: &str, found: &str) -> String {
    let missing = expected
        .lines()
        .filter(|line| !found.lines().any(|other| other == *line));
    let extra = found
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line));
    missing
        .map(|line| format!("- {line}\n"))
        .chain(extra.map(|line| format!("+ {line}\n")))
        .collect()
}
