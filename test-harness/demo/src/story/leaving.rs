//! Letting go: development is done with the storefront, and says so twice, first to stop it and then to remove it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use kube::api::{Patch, PatchParams};
use outhaul_scenarios::stage::PATIENCE;
use outhaul_scenarios::{Stage, poll};
use serde_json::json;

use super::{DEVELOPMENT, count};
use crate::census::Comparison;
use crate::plane::Access;
use crate::screen::Screen;
use crate::shop::{COMPONENTS, Component};
use crate::summary::time;

/// The one that nobody else calls.
const LEAVING: Component = COMPONENTS[0];

/// What was seen.
pub(super) struct Leaving {
    pub(super) suspended: Duration,
    pub(super) undeployed: Duration,
    pub(super) let_go: usize,
}

pub(super) async fn play(stage: &mut Stage, screen: &mut Screen) -> Result<Leaving> {
    screen.act("Development is done with the storefront")?;
    let plane = Access::new(stage.plane(DEVELOPMENT.name)?.client().await?);
    let before = count(stage).await?;

    let suspended = say(stage, "Suspend", "ResourcesSuspended").await?;
    let replicas = plane.replicas(LEAVING.name).await?;
    ensure!(replicas == Some(0), "suspended, it has {replicas:?} replicas");
    let kept = count(stage).await?.compare(&before);
    ensure!(
        kept.replaced.is_empty() && kept.missing.is_empty(),
        "it was only suspended: {kept}"
    );
    screen.say(&format!(
        "Suspended: nothing of it runs and every object is there, after {}.",
        time(suspended)
    ))?;

    let begin = Instant::now();
    say(stage, "Undeploy", "ResourcesUndeployed").await?;
    let gone = || async {
        let objects = count(stage).await?.compare(&before);
        judge(&objects).map(|()| objects.missing.len())
    };
    let let_go = poll::until("its objects are gone", PATIENCE, gone).await?;
    let undeployed = begin.elapsed();
    screen.say(&format!(
        "Undeployed: its {let_go} objects are gone, and nothing else is, after {}.",
        time(undeployed)
    ))?;
    Ok(Leaving {
        suspended,
        undeployed,
        let_go,
    })
}

/// Says what is to become of it there, and waits for the answer.
async fn say(stage: &Stage, state: &str, answer: &str) -> Result<Duration> {
    let (kind, name) = (LEAVING.binding_kind(), LEAVING.binding_name(&DEVELOPMENT));
    let begin = Instant::now();
    let patch = Patch::Merge(json!({ "spec": { "releaseState": state } }));
    let bindings = stage.operator().api(kind);
    let patched = bindings.patch(&name, &PatchParams::default(), &patch).await;
    patched.with_context(|| format!("cannot edit {kind} {name}"))?;
    stage.operator().said(kind, &name, answer).await?;
    Ok(begin.elapsed())
}

/// What was named is gone, and nothing else.
fn judge(objects: &Comparison) -> Result<()> {
    let end = format!(" {} in {}", LEAVING.name, DEVELOPMENT.name);
    ensure!(
        objects.replaced.is_empty() && objects.missing.iter().all(|object| object.ends_with(&end)),
        "something else went: {objects}"
    );
    ensure!(
        objects.missing.len() == LEAVING.objects(),
        "not all of it is gone: {objects}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_named_may_be_gone() {
        let missing = |names: &[&str]| Comparison {
            missing: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Comparison::default()
        };
        let [deployment, service, route] =
            ["Deployment", "Service", "HTTPRoute"].map(|kind| format!("{kind} storefront in development"));
        judge(&missing(&[&deployment, &service, &route])).unwrap();
        for wrong in [
            missing(&[&deployment, &service]),
            missing(&[&deployment, &service, "HTTPRoute storefront in production"]),
        ] {
            assert!(judge(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn nobody_calls_who_leaves() {
        assert!(
            COMPONENTS
                .iter()
                .all(|component| !component.calls.contains(&LEAVING.name))
        );
    }
}
