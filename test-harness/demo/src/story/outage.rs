//! The outage: production is cut off, hub and plane both change meanwhile, and the network heals.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use outhaul_scenarios::stage::PATIENCE;
use outhaul_scenarios::{Stage, poll};

use super::watching::Watching;
use super::{FIRST, PRODUCTION, count, promote, release};
use crate::census::Comparison;
use crate::fleet::{Fleet, State};
use crate::plane::Access;
use crate::screen::Screen;
use crate::shop::{self, COMPONENTS, Component};
use crate::summary::time;

/// Released to production while it cannot hear of it.
const SECOND: &str = "v1.1.0";

/// The component that gets it, and that somebody edits in the plane.
const EDITED: Component = COMPONENTS[3];

/// The callee whose address somebody edits, and what it becomes.
const SETTING: (&str, &str) = ("payment", "elsewhere.example:443");

/// The component whose Service somebody deletes in the plane.
const DELETED: &str = "cart";

/// Long enough to see that nothing comes through.
const SILENCE: Duration = Duration::from_secs(3);

/// What was seen.
pub(super) struct Outage {
    pub(super) edit_repaired: Duration,
    pub(super) deletion_repaired: Duration,
    pub(super) cut: Duration,
    pub(super) in_step: Duration,
    pub(super) objects: Comparison,
}

pub(super) async fn play(stage: &mut Stage, screen: &mut Screen) -> Result<Outage> {
    let plane = Access::new(stage.plane(PRODUCTION.name)?.client().await?);
    let before = count(stage).await?;

    screen.act("Production's network is cut; hub and plane both go on")?;
    stage.plane(PRODUCTION.name)?.network.cut();
    let since = Instant::now();
    screen.say("Nothing passes between production and the hub any more.")?;
    release_next_version(stage, screen).await?;
    let edit_repaired = edit(&plane, screen).await?;
    let deletion_repaired = delete(&plane, screen).await?;
    nothing_arrives(stage, screen, &plane).await?;

    screen.act("The network heals")?;
    stage.plane(PRODUCTION.name)?.network.heal();
    let (cut, begin) = (since.elapsed(), Instant::now());
    in_step(stage, screen, &plane).await?;
    let in_step = begin.elapsed();
    screen.say(&format!(
        "Production runs {} {SECOND}, and the hub knows it, after {}.",
        EDITED.name,
        time(in_step)
    ))?;

    let objects = count(stage).await?.compare(&before);
    judge(&objects)?;
    screen.say(&format!("Outhaul has deleted nothing: {objects}."))?;
    Ok(Outage {
        edit_repaired,
        deletion_repaired,
        cut,
        in_step,
        objects,
    })
}

async fn release_next_version(stage: &Stage, screen: &mut Screen) -> Result<()> {
    release(stage, &EDITED, SECOND).await?;
    promote(stage, &EDITED, SECOND).await?;
    screen.say(&format!(
        "On the hub, {} {SECOND} goes to development and is promoted to production.",
        EDITED.name
    ))
}

async fn edit(plane: &Access, screen: &mut Screen) -> Result<Duration> {
    let (callee, value) = SETTING;
    let variable = shop::variable(callee);
    let desired = plane.variable(EDITED.name, &variable).await?;
    plane.edit(EDITED.name, &variable, value).await?;
    let begin = Instant::now();
    let repaired = || async {
        let now = plane.variable(EDITED.name, &variable).await?;
        ensure!(now == desired, "it is {now}");
        Ok(())
    };
    let what = format!("{variable} of {} is repaired", EDITED.name);
    poll::until(&what, PATIENCE, repaired).await?;
    let took = begin.elapsed();
    screen.say(&format!(
        "In the plane, somebody edits {variable} of {}: repaired within {}.",
        EDITED.name,
        time(took)
    ))?;
    Ok(took)
}

async fn delete(plane: &Access, screen: &mut Screen) -> Result<Duration> {
    let old = plane.delete(DELETED).await?;
    let begin = Instant::now();
    let repaired = || async {
        ensure!(plane.uid(DELETED).await? != old, "it is still there");
        Ok(())
    };
    let what = format!("the Service of {DELETED} is made again");
    poll::until(&what, PATIENCE, repaired).await?;
    let took = begin.elapsed();
    screen.say(&format!(
        "Somebody deletes the Service of {DELETED}: it is back within {}.",
        time(took)
    ))?;
    Ok(took)
}

/// The hub says how long production has not heard of the new version, and production runs the old one.
async fn nothing_arrives(stage: &Stage, screen: &mut Screen, plane: &Access) -> Result<()> {
    let waits = |fleet: &Fleet| {
        let production = fleet.plane(PRODUCTION.name)?;
        (production.waiting == 1 && production.lag >= SILENCE).then_some(())
    };
    Watching::new(stage, screen)
        .cut(PRODUCTION.name)
        .until("the new version waits on the hub", waits)
        .await?;
    let image = plane.image(EDITED.name).await?;
    ensure!(
        image.ends_with(FIRST),
        "something came through a cut network: {} runs {image}",
        EDITED.name
    );
    screen.say(&format!(
        "Production still runs {} {FIRST}; the hub holds {SECOND} for it.",
        EDITED.name
    ))
}

/// The plane runs the new version, REST says so, and so does the binding itself.
async fn in_step(stage: &Stage, screen: &mut Screen, plane: &Access) -> Result<()> {
    let ready = |fleet: &Fleet| {
        let production = fleet.plane(PRODUCTION.name)?;
        let all = production
            .bundles
            .iter()
            .all(|bundle| bundle.state == State::Ready);
        (production.waiting == 0 && all).then_some(())
    };
    Watching::new(stage, screen)
        .until("production is in step again", ready)
        .await?;
    let image = plane.image(EDITED.name).await?;
    ensure!(
        image.ends_with(SECOND),
        "the hub says that production is in step, and {} runs {image}",
        EDITED.name
    );
    stage
        .operator()
        .said(
            EDITED.binding_kind(),
            &EDITED.binding_name(&PRODUCTION),
            "ResourcesActive",
        )
        .await
        .context("the binding does not say what REST says")?;
    Ok(())
}

/// Every object is the same one, but for the one that somebody deleted.
fn judge(objects: &Comparison) -> Result<()> {
    let expected = [format!("Service {DELETED} in {}", PRODUCTION.name)];
    ensure!(
        objects.missing.is_empty() && objects.replaced == expected,
        "objects were deleted: {objects}"
    );
    let all = shop::ENVIRONMENTS.len() * shop::objects();
    ensure!(
        objects.kept + 1 == all,
        "{} of {all} objects were counted",
        objects.kept + 1
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(kept: usize, replaced: &[&str], missing: &[&str]) -> Comparison {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Comparison {
            kept,
            replaced: owned(replaced),
            missing: owned(missing),
        }
    }

    #[test]
    fn only_what_somebody_deleted_may_be_another_object() {
        let cart = "Service cart in production";
        judge(&comparison(45, &[cart], &[])).unwrap();
        for wrong in [
            comparison(46, &[], &[]),
            comparison(44, &[cart], &["Service ads in production"]),
            comparison(44, &[cart, "Service ads in production"], &[]),
            comparison(22, &[cart], &[]),
        ] {
            assert!(judge(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn edited_setting_is_one_that_the_component_has() {
        assert!(EDITED.calls.contains(&SETTING.0));
    }
}
