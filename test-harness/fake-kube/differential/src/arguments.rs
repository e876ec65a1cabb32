//! What can be asked on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Sends the same random requests to a real kube-apiserver and to the embedded one, and compares what they answer.
///
/// Sequences of creates, applies, patches, updates, deletes, gets and lists go to both, answer by answer, whole bodies
/// included. A sequence whose answers differ is shrunk, shown, and written to a file as a contract case.
///
/// Differences that are meant are excused by name, each by the field and the complaint, and counted. The most of them
/// are rules of built-in kinds that the embedded one lacks ("unchecked").
#[derive(Debug, Clone, Parser)]
#[command(
    name = "outhaul-fake-kube-differential",
    version,
    after_help = "Exit codes: 0 no difference but excused ones, 1 differences or no servers, 2 wrong usage.\n\
                  Every sequence has the seed of the run plus its own number: `--seed THAT --sequences 1` repeats it."
)]
pub struct Arguments {
    /// The seed of the first sequence; the others count on from there. Without it, one from the clock, which is shown.
    #[arg(long)]
    pub seed: Option<u64>,

    /// Stop after so many sequences.
    #[arg(long, value_name = "N")]
    pub sequences: Option<u64>,

    /// Stop after so many minutes of asking: starts of servers and shrinking come on top.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub minutes: f64,

    /// Requests in one sequence at most.
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub length: usize,

    /// Only sequences about this kind, by name: Deployment, Shape.
    #[arg(long)]
    pub kind: Option<String>,

    /// Stop when so many different differences were found.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub differences: usize,

    /// Replays at most to make a sequence that found something shorter.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub tries: usize,

    /// Where cases of differences are written.
    #[arg(long, value_name = "FOLDER", default_value = "target/differential")]
    pub out: PathBuf,

    /// A file for what was excused: a line for each answer, with the name, the request, and how the answers differ.
    #[arg(long, value_name = "FILE")]
    pub excused: Option<PathBuf>,
}

impl Arguments {
    /// How long it may run. A day at most: nobody means more.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64((self.minutes * 60.0).clamp(0.0, 86_400.0))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn help_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_run_is_bounded() {
        let arguments = Arguments::parse_from(["x", "--minutes", "1e300"]);
        assert_eq!(arguments.time(), Duration::from_secs(86_400));
    }
}
