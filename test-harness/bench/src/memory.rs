//! `memory`: what the agent keeps of a cluster that it does not manage.
//!
//! The agent first holds one Release, so that it watches the kinds of its objects. Then somebody else makes many
//! objects of one of these kinds. What the agent has grown by is what it keeps of them; there is no floor but none.
//!
//! Most of what an idle program has resident is pages of the program itself. So the agent that is shipped is measured
//! where it was built beside this program, which is several times as large.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use outhaul_scenarios::Ground;

use crate::course::{CREATES, Controllers, Course, TARGET};
use crate::delivered::Delivered;
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::process::Usage;
use crate::sample::{self, Carrier};
use crate::verdict::{Bar, Verdict};

/// MiB.
const IDLE: Bar = Bar::AtMost(20.0);

/// MiB.
const GROWTH: Bar = Bar::AtMost(1.0);

/// What starts with a connection, a watch or a write has ended by then.
const CALM: Duration = Duration::from_secs(5);

/// Measures the agent before and after `objects` objects of others.
///
/// # Errors
/// Something is refused or does not arrive.
pub async fn run(ground: &Ground, controllers: Controllers, objects: usize) -> Result<Outcome> {
    let shipped = beside_this_program()?;
    let course = Course::start_with(ground, controllers, shipped.as_deref()).await?;
    let mut delivered = Delivered::start(&course, Carrier::Release).await?;
    course
        .create(Carrier::Release, "held", &sample::component("held", TARGET))
        .await?;
    delivered.all(["held".to_owned()]).await?;
    let idle = calm(&course).await?;
    let of_others = sample::manifests(sample::config_maps("unmanaged", TARGET, objects));
    futures::stream::iter(of_others)
        .map(|manifest| {
            let plane = course.plane.clone();
            async move { sample::apply(&plane, &manifest, "somebody").await.map(drop) }
        })
        .buffer_unordered(CREATES)
        .try_collect::<()>()
        .await?;
    let after = calm(&course).await?;

    let mut outcome = Outcome::new(course.processes(&[])?);
    outcome.notes.push(format!(
        "memory: rss_kib is the agent's beside {objects} objects of others; it was {:.0} before them",
        idle.rss_kib
    ));
    outcome.notes.push(match &shipped {
        Some(program) => format!("memory: the agent is {}", program.display()),
        None => "memory: the agent is this program; `cargo build --release -p outhaul-agent-runner` makes the one that \
                 is shipped, which is smaller"
            .to_owned(),
    });
    outcome.measures.push(Measure {
        name: "agent_memory",
        ours: Figures::default().used(after),
        floor: Figures::default(),
        samples: objects,
        cluster: course.cluster,
    });
    outcome.verdicts = vec![
        Verdict {
            what: "resident memory of an idle agent".to_owned(),
            value: idle.rss_kib / 1_024.0,
            unit: " MiB",
            bar: IDLE,
        },
        Verdict {
            what: format!("its growth by {objects} objects of others"),
            value: (after.rss_kib - idle.rss_kib) / 1_024.0,
            unit: " MiB",
            bar: GROWTH,
        },
    ];
    course.end().await?;
    Ok(outcome)
}

/// `outhaul-agent`, where there is one.
pub(crate) fn beside_this_program() -> Result<Option<PathBuf>> {
    let program = std::env::current_exe()
        .context("cannot find this program")?
        .with_file_name("outhaul-agent");
    Ok(program.is_file().then_some(program))
}

async fn calm(course: &Course) -> Result<Usage> {
    tokio::time::sleep(CALM).await;
    course.agent.usage()
}
