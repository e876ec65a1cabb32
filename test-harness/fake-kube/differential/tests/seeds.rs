//! A short run with seeds that are known to be clean: what was the same stays the same. It finds nothing new; that is
//! what the program is for, whose seeds are fresh.

use anyhow::Result;
use clap::Parser as _;
use outhaul_fake_kube_differential::arguments::Arguments;
use outhaul_fake_kube_differential::compare::Difference;
use outhaul_fake_kube_differential::pair::Excuse;
use outhaul_fake_kube_differential::run::{self, Finding, Listener, Tally};
use outhaul_kubernetes::require_or_skip;

/// A time limit for slow machines: on two busy cores it takes some 20 s.
const BOUNDS: [&str; 3] = ["differential", "--minutes", "0.7"];

/// Seeds whose answers were the same, or excused, when they were chosen.
fn seeds() -> impl Iterator<Item = u64> {
    20_005..20_047
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Listener for Findings {
    fn progress(&mut self, _: &Tally) {}

    fn excused(&mut self, _: u64, _: &Excuse) -> Result<()> {
        Ok(())
    }

    fn momentary(&mut self, _: u64, _: &Difference) {}

    fn lost(&mut self, seed: u64, error: &anyhow::Error) {
        self.0
            .push(format!("the sequence of seed {seed} was lost: {error:#}"));
    }

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
    let tally = run::run(&programs, &Arguments::parse_from(BOUNDS), seeds(), &mut findings).await?;
    assert!(tally.requests > 100, "{tally:?}");
    assert!(findings.0.is_empty(), "{}", findings.0.join("\n"));
    Ok(())
}
