//! The options of a request for a pod's log, which only such a request looks at.

use jiff::Timestamp;

use super::options::{boolean, number};
use crate::refusal::Refusal;

/// Parameters that no other request knows, as they came.
#[derive(Debug, Clone, Default)]
pub struct LogParameters(Vec<(String, String)>);

impl LogParameters {
    pub(super) fn take(&mut self, key: &str, value: &str) {
        self.0.push((key.to_owned(), value.to_owned()));
    }
}

/// Which log is wanted, and which part of it. What is there is shown, also to those who want to follow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Of which container; of the only one if none is named.
    pub container: Option<String>,
    /// What it said before it was last restarted.
    pub previous: bool,
    /// Each line with its time.
    pub timestamps: bool,
    /// So many lines from the end.
    pub tail_lines: Option<i64>,
    /// So many bytes.
    pub limit_bytes: Option<i64>,
    /// What is not older than so many seconds.
    pub since_seconds: Option<i64>,
    /// What is not older than this.
    pub since_time: Option<Timestamp>,
    /// One of its streams is named.
    pub has_stream: bool,
}

impl LogOptions {
    /// What the parameters say.
    ///
    /// # Errors
    /// When one does not parse.
    pub fn parse(parameters: &LogParameters) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (key, value) in &parameters.0 {
            match key.as_str() {
                "container" => options.container = Some(value.clone()),
                "previous" => options.previous = boolean(value),
                "timestamps" => options.timestamps = boolean(value),
                "tailLines" => options.tail_lines = Some(number(value)?),
                "limitBytes" => options.limit_bytes = Some(number(value)?),
                "sinceSeconds" => options.since_seconds = Some(number(value)?),
                "sinceTime" => options.since_time = Some(time(value)?),
                "stream" => options.has_stream = true,
                _ => {}
            }
        }
        Ok(options)
    }
}

fn time(value: &str) -> Result<Timestamp, Refusal> {
    value.parse().map_err(|_| {
        Refusal::bad_request(format!(
            "parsing time {value:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {value:?} as \"2006\""
        ))
    })
}
