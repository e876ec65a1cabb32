//! When samples had arrived: all their objects in the plane, and their status in the control plane.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Result;

use crate::course::{Course, TARGET};
use crate::delivered;
use crate::sample::{self, Carrier};
use crate::watching::{self, Watches};

/// When a sample had arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The last of its objects was in the plane.
    pub applied: Instant,
    /// Its status told of all objects, in the control plane.
    pub status: Instant,
}

/// Watches over the samples of both carriers and over their objects.
pub struct Arrivals(Watches<Seen>);

enum Seen {
    Object(String),
    Status(String),
}

#[derive(Default)]
struct Underway {
    objects: Vec<Instant>,
    status: Option<Instant>,
}

impl Arrivals {
    /// Starts the watches. The samples are components, whose objects have the sample's name.
    ///
    /// # Errors
    /// An API server refuses.
    pub async fn start(course: &Course) -> Result<Self> {
        let mut watches = Watches::new();
        for carrier in Carrier::TURNS {
            let told = |event| delivered::told(event).map(Seen::Status);
            watches.add(carrier.api(&course.control), told).await?;
        }
        for objects in sample::target_kinds(&course.plane, TARGET) {
            let appeared = |event| watching::appeared(event).map(Seen::Object);
            watches.add(objects, appeared).await?;
        }
        Ok(Self(watches))
    }

    /// Waits until all of `samples` have arrived.
    ///
    /// # Errors
    /// A watch failed, or they do not arrive.
    pub async fn of(
        &mut self,
        samples: impl IntoIterator<Item = String>,
    ) -> Result<BTreeMap<String, Arrival>> {
        let mut awaited: BTreeSet<String> = samples.into_iter().collect();
        let mut underway: BTreeMap<String, Underway> = BTreeMap::new();
        let mut arrived = BTreeMap::new();
        while let Some(next) = awaited.first() {
            let (seen, at) = self.0.next(next).await?;
            let (Seen::Object(name) | Seen::Status(name)) = &seen;
            if !awaited.contains(name) {
                continue;
            }
            let (name, known) = (name.clone(), underway.entry(name.clone()).or_default());
            match seen {
                Seen::Object(_) => known.objects.push(at),
                Seen::Status(_) => known.status = known.status.or(Some(at)),
            }
            if let Some(arrival) = known.arrival() {
                awaited.remove(&name);
                arrived.insert(name, arrival);
            }
        }
        Ok(arrived)
    }
}

impl Underway {
    fn arrival(&self) -> Option<Arrival> {
        let all = self.objects.len() == sample::OBJECTS;
        Some(Arrival {
            applied: *self.objects.iter().max().filter(|_| all)?,
            status: self.status?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sample_has_arrived_with_its_last_object_and_its_status() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut underway = Underway::default();
        underway.objects.extend([at(3), at(1)]);
        underway.status = Some(at(9));
        assert!(underway.arrival().is_none());
        underway.objects.push(at(2));
        let arrival = underway.arrival().unwrap();
        assert_eq!((arrival.applied, arrival.status), (at(3), at(9)));
        underway.status = None;
        assert!(underway.arrival().is_none());
    }
}
