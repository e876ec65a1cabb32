//! The part of Go's `text/template` that connections need: values, conditions, variables, the standard functions.
//!
//! Connections say with it how a workload is told where its target is: `{{ .url }}/v1`. A text that Go would not take
//! as a template is used as it is, since that is what workloads have been getting. What Go would take and this program
//! does not know is an error with a name: never another value.
//!
//! Every template ends: there are no loops, and text, nesting, values and result have bounds.

mod format;
mod function;
mod lex;
mod parse;
mod run;

use std::collections::BTreeMap;

/// Bytes of a template. The longest in use have a hundred; an environment has room for a few of this size.
const TEXT: usize = 16 * 1024;

/// Bytes of what comes out: Linux takes no longer variable than 128 KiB.
const RESULT: usize = 64 * 1024;

/// Bytes of all values that are worked out on the way: many times what a result may have.
const VALUES: usize = 1024 * 1024;

/// Blocks and parentheses in each other.
const DEPTH: usize = 32;

/// A template that does something which only Go does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the template {template:?} has {what}, which is not supported here: use fields such as {{{{ .url }}}}"
)]
pub struct Unsupported {
    /// The text, or as much of it as a message should have.
    pub template: String,
    /// What is not known.
    pub what: &'static str,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Go has none either: it finds an error, in the text or while it runs.
    Wrong,
    /// Go may have one.
    Unsupported(&'static str),
}

/// What `template` says of `values`. A value that does not exist reads `<no value>`.
///
/// # Errors
/// The template needs something of Go that is not supported here.
pub(crate) fn render(template: &str, values: &BTreeMap<&str, String>) -> Result<String, Unsupported> {
    let result = match template.len() {
        ..=TEXT => parse::parse(template).and_then(|nodes| run::run(&nodes, values)),
        _ => Err(Failure::Unsupported("more than 16 KiB")),
    };
    match result {
        Ok(text) => Ok(text),
        Err(Failure::Wrong) => Ok(template.to_owned()),
        Err(Failure::Unsupported(what)) => Err(Unsupported {
            template: template.chars().take(80).collect(),
            what,
        }),
    }
}

#[cfg(test)]
mod tests;
