//! `outhaul-bench`: reads its arguments, sets the stage, measures, prints.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use kube::Client;
use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use outhaul_bench::latency::{self, Course};
use outhaul_bench::measure::{self, Measure};
use outhaul_bench::{relay, sample};
use outhaul_scenarios::{Ground, Stage, poll};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

/// The one plane of the stage.
const PLANE: &str = "plane";

/// Namespace of the measured objects in the plane.
const TARGET: &str = "bench";

/// Measures Outhaul beside the least that could do the same, in one run on the same API servers.
#[derive(Debug, Parser)]
#[command(name = "outhaul-bench", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    measure: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One Release at a time: until its objects are in the plane, and until its status is back.
    Latency(Latency),
}

#[derive(Debug, Args)]
struct Latency {
    /// How many of each.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    samples: u16,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Real API servers only: fail where the programs are missing. Without it and without --fake they are used if
    /// they are there.
    #[arg(long, conflicts_with = "fake")]
    kubernetes: bool,

    /// Embedded clusters.
    #[arg(long)]
    fake: bool,

    /// Write the result there as JSON, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What is logged unless RUST_LOG says otherwise. Others log an error for every try that a wait expects to fail.
const OURS_IN_TROUBLE: &str = "outhaul=error";

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_not_set| EnvFilter::new(OURS_IN_TROUBLE));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match Arguments::parse().measure {
        What::Latency(Latency { samples, common }) => {
            let ground = common.ground()?;
            say(&format!(
                "{samples} samples on {} clusters ({})",
                ground.name(),
                machine()
            ))?;
            let measures = measure_latency(&ground, usize::from(samples)).await?;
            common.tell(&measures)
        }
    }
}

impl Common {
    fn ground(&self) -> Result<Ground> {
        if self.fake {
            return Ok(Ground::Embedded);
        }
        match Ground::kubernetes() {
            Err(_missing) if !self.kubernetes => Ok(Ground::Embedded),
            ground => ground,
        }
    }

    fn tell(&self, measures: &[Measure]) -> Result<()> {
        say(&measure::table(measures))?;
        if let Some(file) = &self.json {
            let json = serde_json::to_vec_pretty(&measure::json(measures))?;
            std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

async fn measure_latency(ground: &Ground, samples: usize) -> Result<[Measure; 2]> {
    let mut stage = Stage::start(ground, &[PLANE]).await?;
    let course = Course {
        control: stage.control.client().await?,
        plane: stage.plane(PLANE)?.client().await?,
        target: TARGET.to_owned(),
        environment: PLANE.to_owned(),
    };
    prepare(&course).await?;
    let measures = tokio::select! {
        measures = latency::run(&course, samples, ground.name()) => measures?,
        failed = relay::run(course.control.clone(), course.plane.clone()) => match failed? {},
    };
    stage.end().await?;
    Ok(measures)
}

/// Makes what both need: the relay's kind, and the namespace of the objects.
async fn prepare(course: &Course) -> Result<()> {
    let definition = sample::relayed_definition();
    define(&course.control, &definition).await?;
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(course.plane.clone());
    let namespace = serde_json::from_value(json!({ "metadata": { "name": TARGET } }))?;
    namespaces.create(&PostParams::default(), &namespace).await?;
    let served = || async {
        sample::Carrier::Relayed
            .api(&course.control)
            .list(&ListParams::default())
            .await?;
        Ok(())
    };
    poll::until(
        "the relay's kind is served",
        outhaul_scenarios::stage::PATIENCE,
        served,
    )
    .await
}

async fn define(control: &Client, definition: &Value) -> Result<()> {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> = Api::all_with(control.clone(), &ApiResource::from_gvk(&kind));
    let name = definition
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .context("a definition has a name")?;
    definitions
        .patch(
            name,
            &PatchParams::apply("bench").force(),
            &Patch::Apply(definition),
        )
        .await?;
    Ok(())
}

/// The machine, as far as it matters to a time.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!("{cores} cores, load {load} at the start")
}

fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("cannot print")
}
