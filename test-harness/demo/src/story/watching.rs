//! Waiting for something that the hub says, with the table going on meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use outhaul_scenarios::Stage;
use outhaul_scenarios::stage::PATIENCE;

use crate::fleet::Fleet;
use crate::screen::Screen;
use crate::shop::{self, COMPONENTS, ENVIRONMENTS};
use crate::table::{self, Row};

/// Between two questions: what is timed by asking is at most this much late.
const PAUSE: Duration = Duration::from_millis(10);

/// Between two questions when nothing is timed.
const LEISURE: Duration = Duration::from_millis(250);

/// The audience: looks at the fleet and shows it.
pub(crate) struct Watching<'a> {
    stage: &'a Stage,
    screen: &'a mut Screen,
    cut: Option<&'a str>,
}

impl<'a> Watching<'a> {
    pub(crate) fn new(stage: &'a Stage, screen: &'a mut Screen) -> Self {
        Self {
            stage,
            screen,
            cut: None,
        }
    }

    /// While the network of `plane` is cut.
    pub(crate) fn cut(self, plane: &'a str) -> Self {
        Self {
            cut: Some(plane),
            ..self
        }
    }

    /// Asks the hub until `met` finds what it looks for.
    pub(crate) async fn until<T>(self, what: &str, met: impl Fn(&Fleet) -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        loop {
            let fleet = Fleet::read(self.stage.operator()).await?;
            let rows = self.rows(&fleet);
            if let Some(found) = met(&fleet) {
                self.screen.settle(&rows)?;
                return Ok(found);
            }
            if begin.elapsed() > PATIENCE {
                let state: Vec<_> = rows.iter().map(table::line).collect();
                bail!(
                    "{what}: not within {} s. {}",
                    PATIENCE.as_secs(),
                    state.join(". ")
                );
            }
            self.screen.show(&rows)?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks the hub until it does not answer.
    pub(crate) async fn for_ever(self) -> Result<()> {
        loop {
            let fleet = Fleet::read(self.stage.operator()).await?;
            let rows = fleet.planes.iter().map(|plane| Row::new(plane, false, 0, 0));
            self.screen.show(&rows.collect::<Vec<_>>())?;
            tokio::time::sleep(LEISURE).await;
        }
    }

    fn rows(&self, fleet: &Fleet) -> Vec<Row> {
        // In the order of the story, whatever order the hub has.
        let planes = ENVIRONMENTS.iter().filter_map(|environment| {
            let plane = fleet.plane(environment.name)?;
            let cut = self.cut == Some(environment.name);
            Some(Row::new(plane, cut, COMPONENTS.len(), shop::objects()))
        });
        planes.collect()
    }
}
