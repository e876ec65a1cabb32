//! The command line: one subcommand for each measurement, with defaults that take minutes.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use outhaul_scenarios::Ground;

use crate::course::Controllers;
use crate::outcome::Outcome;
use crate::worker::Role;
use crate::{burst, components, drift, feedback, fleet, latency, memory, restart, soak, throughput};

/// Measures Outhaul beside the least that could do the same, in one run on the same machine.
#[derive(Debug, Parser)]
#[command(name = "outhaul-bench", version, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure.
    #[command(flatten)]
    Measure(Measurement),
    /// Play a part in a measurement; started by it, never by hand.
    #[command(hide = true)]
    Worker {
        /// Which part.
        role: Role,
    },
}

/// A measurement.
#[derive(Debug, Subcommand)]
pub enum Measurement {
    /// One Release at a time: until its objects are in the plane, and until its status is back.
    Latency {
        /// How many of each.
        #[arg(long, default_value_t = 300, value_parser = number(1, 10_000))]
        samples: usize,
        /// On which clusters.
        #[command(flatten)]
        place: Place,
    },
    /// Many Releases at once, until the last status is back.
    Burst {
        /// How many at once.
        #[arg(long, default_value_t = 500, value_parser = number(1, 10_000))]
        releases: usize,
        /// How often.
        #[arg(long, default_value_t = 3, value_parser = number(1, 100))]
        rounds: usize,
        /// On which clusters.
        #[command(flatten)]
        place: Place,
    },
    /// How many objects a second one agent applies.
    Apply {
        /// Releases.
        #[arg(long, default_value_t = 20, value_parser = number(1, 1_000))]
        bundles: usize,
        /// Objects in each.
        #[arg(long, default_value_t = 100, value_parser = number(1, 1_000))]
        objects: usize,
        /// How often.
        #[arg(long, default_value_t = 3, value_parser = number(1, 100))]
        rounds: usize,
        /// On which clusters.
        #[command(flatten)]
        place: Place,
    },
    /// An object is changed by somebody else, until it is as it should be: one at a time, and many at once.
    Drift {
        /// How many one at a time.
        #[arg(long, default_value_t = 300, value_parser = number(1, 10_000))]
        samples: usize,
        /// How many at once.
        #[arg(long, default_value_t = 1_000, value_parser = number(1, 10_000))]
        storm: usize,
        /// How often many at once.
        #[arg(long, default_value_t = 3, value_parser = number(1, 8))]
        rounds: usize,
        /// On which clusters.
        #[command(flatten)]
        place: Place,
    },
    /// The status of an object changes in the plane, until REST says so.
    Feedback {
        /// How many changes of each.
        #[arg(long, default_value_t = 300, value_parser = number(1, 10_000))]
        samples: usize,
        /// On which clusters.
        #[command(flatten)]
        place: Place,
    },
    /// What the agent's memory grows by beside objects that it does not manage.
    Memory {
        /// How many of them.
        #[arg(long, default_value_t = 10_000, value_parser = number(1, 100_000))]
        objects: usize,
        /// On which clusters.
        #[command(flatten)]
        place: Place,
    },
    /// Many Components at once, until bindings and Releases are made and say how they are; then a restart of the hub.
    Components {
        /// How many.
        #[arg(long, default_value_t = 1_000, value_parser = number(1, 20_000))]
        components: usize,
        /// On which clusters; there are no controllers for workloads in any case.
        #[command(flatten)]
        place: Place,
    },
    /// What idle planes cost one hub.
    Fleet {
        /// How many.
        #[arg(long, default_value_t = 2_000, value_parser = number(1, 20_000))]
        planes: usize,
        /// Releases that each holds.
        #[arg(long, default_value_t = 0, value_parser = number(0, 100))]
        bundles: usize,
        /// Seconds to look at the idle hub.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
        window: u64,
        /// On an embedded control plane.
        #[command(flatten)]
        embedded: Embedded,
    },
    /// The hub ends and starts again, until all converged planes are back.
    Restart {
        /// How many planes.
        #[arg(long, default_value_t = 1_000, value_parser = number(1, 20_000))]
        planes: usize,
        /// Releases that each holds.
        #[arg(long, default_value_t = 1, value_parser = number(0, 100))]
        bundles: usize,
        /// How often after SIGTERM.
        #[arg(long, default_value_t = 3, value_parser = number(1, 100))]
        rounds: usize,
        /// On an embedded control plane.
        #[command(flatten)]
        embedded: Embedded,
    },
    /// Edits and reconnects without end, and what hub and agent have resident meanwhile.
    Soak {
        /// Edits of Releases in all.
        #[arg(long, default_value_t = 50_000, value_parser = number(1, 10_000_000))]
        edits: usize,
        /// Connections that planes leave and dial anew, in all.
        #[arg(long, default_value_t = 5_000, value_parser = number(1, 10_000_000))]
        reconnects: usize,
        /// Releases that are edited in turns, all on one plane with an agent.
        #[arg(long, default_value_t = 200, value_parser = number(1, 10_000))]
        releases: usize,
        /// Planes that dial anew, without clusters behind them.
        #[arg(long, default_value_t = 100, value_parser = number(1, 20_000))]
        planes: usize,
        /// On embedded clusters.
        #[command(flatten)]
        embedded: Embedded,
    },
}

/// Which clusters, and where the result goes.
#[derive(Debug, Args)]
pub struct Place {
    /// Real API servers only: fail where the programs are missing. Without it and without --fake they are used if
    /// they are there.
    #[arg(long, conflicts_with = "fake")]
    kubernetes: bool,

    /// Embedded clusters.
    #[arg(long)]
    fake: bool,

    /// Clusters with controllers for workloads, which take a share of the cores from ours and floor alike.
    #[arg(long)]
    workloads: bool,

    /// Write the result there as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// For what stands on an embedded control plane in any case.
#[derive(Debug, Args)]
pub struct Embedded {
    /// Refused: the hub alone is measured, and a real API server would take the cores from it and its planes.
    #[arg(long, conflicts_with = "fake")]
    kubernetes: bool,

    /// Embedded control plane; it is always one here.
    #[arg(long)]
    fake: bool,

    /// Write the result there as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Measurement {
    /// What it is about, for the head of the output.
    ///
    /// # Errors
    /// Real API servers are wanted, and not there.
    pub fn title(&self) -> Result<String> {
        let (name, clusters) = match self {
            Self::Latency { place, .. } => ("latency", place.title()?),
            Self::Burst { place, .. } => ("burst", place.title()?),
            Self::Apply { place, .. } => ("apply", place.title()?),
            Self::Drift { place, .. } => ("drift", place.title()?),
            Self::Feedback { place, .. } => ("feedback", place.title()?),
            Self::Memory { place, .. } => ("memory", place.title()?),
            Self::Components { place, .. } => ("components", place.title()?),
            Self::Fleet { embedded, .. } => ("fleet", embedded.title()?),
            Self::Restart { embedded, .. } => ("restart", embedded.title()?),
            Self::Soak { embedded, .. } => ("soak", embedded.title()?),
        };
        Ok(format!("{name} on {clusters}"))
    }

    /// Where to write the result as JSON.
    pub fn json(&self) -> Option<&PathBuf> {
        match self {
            Self::Latency { place, .. }
            | Self::Burst { place, .. }
            | Self::Apply { place, .. }
            | Self::Drift { place, .. }
            | Self::Feedback { place, .. }
            | Self::Memory { place, .. }
            | Self::Components { place, .. } => place.json.as_ref(),
            Self::Fleet { embedded, .. } | Self::Restart { embedded, .. } | Self::Soak { embedded, .. } => {
                embedded.json.as_ref()
            }
        }
    }

    /// Measures.
    ///
    /// # Errors
    /// Something failed: then there is no result, rather than a wrong one.
    pub async fn run(&self) -> Result<Outcome> {
        match *self {
            Self::Latency { samples, ref place } => {
                latency::run(&place.ground()?, place.controllers(), samples).await
            }
            Self::Burst {
                releases,
                rounds,
                ref place,
            } => burst::run(&place.ground()?, place.controllers(), releases, rounds).await,
            Self::Apply {
                bundles,
                objects,
                rounds,
                ref place,
            } => {
                let load = throughput::Load { bundles, objects };
                throughput::run(&place.ground()?, place.controllers(), load, rounds).await
            }
            Self::Drift {
                samples,
                storm,
                rounds,
                ref place,
            } => {
                let load = drift::Load {
                    singles: samples,
                    storm,
                    rounds,
                };
                drift::run(&place.ground()?, place.controllers(), load).await
            }
            Self::Feedback { samples, ref place } => {
                feedback::run(&place.ground()?, place.controllers(), samples).await
            }
            Self::Memory { objects, ref place } => {
                memory::run(&place.ground()?, place.controllers(), objects).await
            }
            Self::Components {
                components,
                ref place,
            } => components::run(&place.ground()?, components).await,
            Self::Fleet {
                planes,
                bundles,
                window,
                ..
            } => {
                let load = fleet::Load {
                    planes,
                    bundles,
                    window: Duration::from_secs(window),
                };
                fleet::run(load).await
            }
            Self::Restart {
                planes,
                bundles,
                rounds,
                ..
            } => {
                let load = restart::Load {
                    planes,
                    bundles,
                    rounds,
                };
                restart::run(load).await
            }
            Self::Soak {
                edits,
                reconnects,
                releases,
                planes,
                ..
            } => {
                let load = soak::Load {
                    edits,
                    reconnects,
                    releases,
                    planes,
                };
                soak::run(load).await
            }
        }
    }
}

impl Place {
    fn ground(&self) -> Result<Ground> {
        if self.fake {
            return Ok(Ground::Embedded);
        }
        match Ground::kubernetes() {
            Err(_missing) if !self.kubernetes => Ok(Ground::Embedded),
            ground => ground,
        }
    }

    fn controllers(&self) -> Controllers {
        match self.workloads {
            true => Controllers::Workloads,
            false => Controllers::None,
        }
    }

    fn title(&self) -> Result<String> {
        let controllers = match self.controllers() {
            Controllers::None => "without controllers",
            Controllers::Workloads => "with controllers for workloads",
        };
        let fallback = match Ground::kubernetes() {
            Err(missing) if !self.fake => format!(", since there are no real API servers: {missing:#}"),
            _ => String::new(),
        };
        Ok(format!(
            "{} clusters {controllers}{fallback}",
            self.ground()?.name()
        ))
    }
}

impl Embedded {
    fn title(&self) -> Result<String> {
        ensure!(
            !self.kubernetes,
            "--kubernetes: this measures the hub alone, beside an embedded control plane, as a real API server would \
             take the cores from it and its planes; leave the option out"
        );
        Ok("fake control plane".to_owned())
    }
}

fn number(least: u64, most: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least..=most)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_measures_the_hub_alone_refuses_real_api_servers_with_a_reason() {
        for name in ["fleet", "restart", "soak"] {
            let arguments = Arguments::try_parse_from(["outhaul-bench", name, "--kubernetes"]);
            let Command::Measure(measurement) = arguments.unwrap().command else {
                panic!("{name} is no measurement");
            };
            let refusal = measurement.title().unwrap_err().to_string();
            assert!(refusal.contains("embedded control plane"), "{refusal}");
        }
    }

    #[test]
    fn a_result_can_be_written_by_every_measurement() {
        for name in [
            "latency",
            "burst",
            "apply",
            "drift",
            "feedback",
            "memory",
            "components",
            "fleet",
            "restart",
            "soak",
        ] {
            let arguments = Arguments::try_parse_from(["outhaul-bench", name, "--fake", "--json", "file"]);
            let Command::Measure(measurement) = arguments.unwrap().command else {
                panic!("{name} is no measurement");
            };
            assert_eq!(measurement.json(), Some(&PathBuf::from("file")));
            assert!(measurement.title().unwrap().starts_with(name));
        }
    }
}
