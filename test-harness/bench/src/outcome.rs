//! All that one run found: rows, verdicts, and what each process used.

use crate::measure::Measure;
use crate::process::Usage;
use crate::verdict::Verdict;

/// All that one run found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Ours beside the floor.
    pub measures: Vec<Measure>,
    /// A line for each bar.
    pub verdicts: Vec<Verdict>,
    /// What each process used in the whole run.
    pub processes: Vec<(String, Usage)>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

impl Outcome {
    /// Nothing but what processes used, yet.
    pub fn new(processes: Vec<(String, Usage)>) -> Self {
        Self {
            processes,
            ..Self::default()
        }
    }
}
