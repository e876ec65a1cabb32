//! A short run with seeds that stay the same: what the embedded API answers now, a real one answers too.

use anyhow::Result;
use clap::Parser as _;
use outhaul_fake_kube_differential::arguments::Arguments;
use outhaul_fake_kube_differential::run::{self, Finding, Listener, Tally};
use outhaul_kubernetes::require_or_skip;

/// Some 20 s on two busy cores; the time limit is for slower ones.
const BOUNDS: [&str; 5] = ["differential", "--sequences", "100", "--minutes", "0.7"];

#[derive(Default)]
struct Findings(Vec<String>);

impl Listener for Findings {
    fn progress(&mut self, _: &Tally) {}

    fn found(&mut self, finding: &Finding) -> Result<()> {
        self.0.push(format!(
            "{}\n{}",
            serde_yaml_ng::to_string(&finding.as_case())?,
            finding.difference
        ));
        Ok(())
    }
}

#[tokio::test]
async fn the_same_requests_get_the_same_answers() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let mut findings = Findings::default();
    let tally = run::run(&programs, &Arguments::parse_from(BOUNDS), 20_000, &mut findings).await?;
    assert!(tally.requests > 100, "{tally:?}");
    assert!(findings.0.is_empty(), "{}", findings.0.join("\n"));
    Ok(())
}
