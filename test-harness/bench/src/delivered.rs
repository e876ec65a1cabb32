//! Whether samples are delivered, for measures of what comes after that.

use std::collections::BTreeSet;

use anyhow::Result;
use kube::ResourceExt as _;
use kube::api::{DynamicObject, WatchEvent};

use crate::course::Course;
use crate::sample::{self, Carrier};
use crate::watching::Watches;

/// A watch over the statuses of one carrier's samples.
pub struct Delivered(Watches<String>);

impl Delivered {
    /// Starts the watch.
    ///
    /// # Errors
    /// The control plane refuses.
    pub async fn start(course: &Course, carrier: Carrier) -> Result<Self> {
        let mut watches = Watches::new();
        watches.add(carrier.api(&course.control), told).await?;
        Ok(Self(watches))
    }

    /// Waits until the status of each of `samples` tells of all its objects.
    ///
    /// # Errors
    /// One is not delivered.
    pub async fn all(&mut self, samples: impl IntoIterator<Item = String>) -> Result<()> {
        let mut awaited: BTreeSet<String> = samples.into_iter().collect();
        while let Some(next) = awaited.first() {
            let (name, _) = self.0.next(next).await?;
            awaited.remove(&name);
        }
        Ok(())
    }
}

/// The name of a sample whose status tells of all its objects.
pub(crate) fn told(event: WatchEvent<DynamicObject>) -> Option<String> {
    match event {
        WatchEvent::Added(sample) | WatchEvent::Modified(sample) if sample::has_status(&sample) => {
            Some(sample.name_any())
        }
        _ => None,
    }
}
