//! DeploymentPipelines: each names the Environments that components are promoted through.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_hub_resources::conditions::AVAILABLE;
use outhaul_hub_resources::{DeploymentPipeline, DeploymentPipelineSpec};

use super::{Verdict, find, say, there};
use crate::controllers::Kind;
use crate::controllers::look::{Look, Plan};
use crate::controllers::saying::Former;

/// As OpenChoreo says it.
const PIPELINE_AVAILABLE: &str = "DeploymentPipelineAvailable";
/// Every Environment is there.
const ENVIRONMENTS_FOUND: &str = "EnvironmentsFound";
/// Some Environment is not there.
const ENVIRONMENT_NOT_FOUND: &str = "EnvironmentNotFound";
/// A way leads back to where it began.
const PROMOTION_CYCLE: &str = "PromotionCycle";

/// What is to be said of a DeploymentPipeline.
pub(in crate::controllers) fn plan(look: &Look<'_>, pipeline: &DeploymentPipeline) -> Plan {
    if pipeline.metadata.deletion_timestamp.is_some() {
        return Plan::Nothing;
    }
    let available = there(AVAILABLE, PIPELINE_AVAILABLE, "DeploymentPipeline is available");
    let former = Former::of(pipeline.status.as_ref());
    say(look, former, vec![available], verdict(look, &pipeline.spec))
}

/// The Environments of a pipeline, by name.
pub(in crate::controllers) fn environments(spec: &DeploymentPipelineSpec) -> BTreeSet<&str> {
    let paths = spec.promotion_paths.iter();
    paths
        .flat_map(|path| {
            let targets = path.target_environment_refs.iter().map(|target| &*target.name);
            targets.chain([&*path.source_environment_ref])
        })
        .collect()
}

fn verdict(look: &Look<'_>, spec: &DeploymentPipelineSpec) -> Verdict {
    let environments = environments(spec);
    let missing = environments
        .iter()
        .filter(|name| find(look, Kind::Environment, name).is_none());
    let missing: Vec<_> = missing.map(|name| format!("{name:?}")).collect();
    if !missing.is_empty() {
        let message = format!(
            "no Environment of namespace {:?} is called {}: create it, or correct spec.promotionPaths",
            look.key.namespace,
            missing.join(", ")
        );
        return Err((ENVIRONMENT_NOT_FOUND, message));
    }
    if let Some(name) = cycle(spec) {
        let message = format!(
            "spec.promotionPaths lead from Environment {name:?} back to it: take out one of the steps, since there is \
             no first Environment"
        );
        return Err((PROMOTION_CYCLE, message));
    }
    let approvals = match asks_for_approval(spec) {
        true => "; nobody is asked for the approvals of spec.promotionPaths",
        false => "",
    };
    Ok((
        ENVIRONMENTS_FOUND,
        format!("all {} Environments exist{approvals}", environments.len()),
    ))
}

fn asks_for_approval(spec: &DeploymentPipelineSpec) -> bool {
    let mut targets = spec
        .promotion_paths
        .iter()
        .flat_map(|path| &path.target_environment_refs);
    targets.any(|target| target.requires_approval || target.is_manual_approval_required)
}

/// An Environment from which promotions lead back to it.
fn cycle(spec: &DeploymentPipelineSpec) -> Option<&str> {
    let mut steps: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in &spec.promotion_paths {
        let targets = path.target_environment_refs.iter().map(|target| &*target.name);
        steps
            .entry(&path.source_environment_ref)
            .or_default()
            .extend(targets);
    }
    // What is left when everything was taken away that leads nowhere leads on for ever.
    loop {
        let sources: BTreeSet<&str> = steps.keys().copied().collect();
        for targets in steps.values_mut() {
            targets.retain(|target| sources.contains(target));
        }
        steps.retain(|_, targets| !targets.is_empty());
        if steps.len() == sources.len() {
            break;
        }
    }
    let first = steps.keys().next().copied()?;
    (0..steps.len()).try_fold(first, |name, _| steps.get(name)?.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn spec(paths: &[(&str, &[&str])]) -> DeploymentPipelineSpec {
        let target = |name: &&str| json!({"name": name});
        let path = |(source, targets): &(&str, &[&str])| {
            let targets: Vec<Value> = targets.iter().map(target).collect();
            json!({"sourceEnvironmentRef": source, "targetEnvironmentRefs": targets})
        };
        let paths: Vec<_> = paths.iter().map(path).collect();
        serde_json::from_value(json!({"promotionPaths": paths})).unwrap()
    }

    #[test]
    fn an_environment_that_promotions_come_back_to_is_named() {
        let check = |paths: &[(&str, &[&str])]| cycle(&spec(paths)).map(str::to_owned);
        assert_eq!(check(&[]), None);
        assert_eq!(
            check(&[
                ("dev", &["staging", "qa"]),
                ("staging", &["prod"]),
                ("qa", &["prod"])
            ]),
            None
        );
        assert_eq!(check(&[("dev", &["dev"])]), Some("dev".into()));
        // What leads to a cycle and what a cycle leads to are not on it.
        let around = [
            ("a", &["staging"][..]),
            ("staging", &["b", "prod"]),
            ("b", &["c"]),
            ("prod", &["staging"]),
        ];
        let found = check(&around).unwrap();
        assert!(["staging", "prod"].contains(&found.as_str()), "{found}");
    }
}
