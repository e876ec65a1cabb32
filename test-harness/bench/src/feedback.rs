//! `feedback`: the status of an object changes in the plane; until the hub's REST says so.
//!
//! Whoever reads REST follows its events, so the clock stops when the event that shows the object's new health has
//! arrived. The relay patches the status back, and its clock stops when a watch of the control plane shows it.

mod events;

use std::time::{Duration, Instant};

use anyhow::Result;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, WatchEvent};
use outhaul_scenarios::Ground;
use serde_json::{Value, json};

use self::events::Events;
use crate::course::{CREATES, Controllers, Course, PLANE, TARGET};
use crate::delivered::Delivered;
use crate::measure::{Figures, Measure};
use crate::outcome::Outcome;
use crate::sample::{self, Carrier};
use crate::stats::Samples;
use crate::verdict::{Bar, Verdict};
use crate::watching::Watches;

/// At most a quarter above the relay's tail.
const P99: Bar = Bar::AtMost(1.25);

/// Components whose Deployments change in turn.
const COMPONENTS: usize = 20;

/// Changes before the first that counts.
const WARM_UP: usize = COMPONENTS;

/// How a Deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All replicas serve.
    Healthy,
    /// None does yet.
    Progressing,
}

struct Feedback<'a> {
    course: &'a Course,
    deployments: Api<DynamicObject>,
    events: Events,
    relayed: Watches<Told>,
}

/// What the status of a relayed sample says of its Deployment.
struct Told {
    sample: String,
    available: i64,
}

/// Measures `samples` changes of each.
///
/// # Errors
/// Something is refused, or a change is not told.
pub async fn run(ground: &Ground, controllers: Controllers, samples: usize) -> Result<Outcome> {
    let course = Course::start(ground, controllers).await?;
    let relay = course.relay(CREATES, true).await?;
    let mut feedback = Feedback::start(&course).await?;
    for index in 0..WARM_UP {
        for carrier in Carrier::TURNS {
            feedback.one(carrier, index).await?;
        }
    }
    let before = [course.ours()?, relay.usage()?];
    let [written, _] = course.revisions().await?;
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for index in WARM_UP..WARM_UP + samples {
        for carrier in Carrier::turns(index) {
            let time = feedback.one(carrier, index).await?;
            match carrier {
                Carrier::Release => ours.push(time),
                Carrier::Relayed => floor.push(time),
            }
        }
    }
    let [writes, _] = course.revisions().await?.map(|now| now.saturating_sub(written));
    let mut outcome = Outcome::new(course.processes(&[("relay", &relay)])?);
    outcome.notes.push(format!(
        "writes to the control plane for each change: relay 1.0, outhaul {:.1}, which merges what comes within a second",
        writes.saturating_sub(samples as u64) as f64 / samples as f64,
    ));
    let [ours, floor] = [ours, floor].map(|times| Figures::of(&times.into_iter().collect::<Samples>()));
    let ours = ours.used(course.ours()?.since(before[0]));
    let floor = floor.used(relay.usage()?.since(before[1]));
    let verdict = Verdict::ratio(
        "object status to REST p99 over the relay's feedback",
        ours.p99,
        floor.p99,
        P99,
    );
    outcome.verdicts.extend(verdict);
    outcome.measures.push(Measure {
        name: "feedback",
        ours,
        floor,
        samples,
        cluster: course.cluster,
    });
    relay.finish().await?;
    course.end().await?;
    Ok(outcome)
}

impl<'a> Feedback<'a> {
    async fn start(course: &'a Course) -> Result<Self> {
        for carrier in Carrier::TURNS {
            let mut delivered = Delivered::start(course, carrier).await?;
            for index in 0..COMPONENTS {
                let name = component(carrier, index);
                course
                    .create(carrier, &name, &sample::component(&name, TARGET))
                    .await?;
            }
            delivered
                .all((0..COMPONENTS).map(|index| component(carrier, index)))
                .await?;
        }
        let mut relayed = Watches::new();
        relayed.add(Carrier::Relayed.api(&course.control), told).await?;
        let [_, _, deployments] = sample::target_kinds(&course.plane, TARGET);
        let path = format!("/api/v1/events?plane={PLANE}");
        Ok(Self {
            course,
            deployments,
            events: Events::follow(course.rest, &path, course.operator.bearer_token()).await?,
            relayed,
        })
    }

    /// From the request of the change until it is told.
    async fn one(&mut self, carrier: Carrier, index: usize) -> Result<Duration> {
        let name = component(carrier, index % COMPONENTS);
        let shape = match (index / COMPONENTS) % 2 {
            0 => Shape::Healthy,
            _ => Shape::Progressing,
        };
        let change = json!({ "status": shape.status() });
        let sent = Instant::now();
        self.course
            .meddle_with_status(&self.deployments, &name, &change)
            .await?;
        let at = match carrier {
            Carrier::Release => self.rest_says(&name, shape).await?,
            Carrier::Relayed => self.status_says(&name, shape).await?,
        };
        Ok(at - sent)
    }

    async fn rest_says(&mut self, sample: &str, shape: Shape) -> Result<Instant> {
        loop {
            let (bundle, at) = self.events.next().await?;
            let objects = bundle["objects"].as_array().into_iter().flatten();
            let health = objects
                .filter(|it| it["id"] == "deployment")
                .map(|it| &it["health"]);
            if bundle["name"] == sample && health.into_iter().any(|health| health == shape.health()) {
                return Ok(at);
            }
        }
    }

    async fn status_says(&mut self, sample: &str, shape: Shape) -> Result<Instant> {
        loop {
            let (told, at) = self.relayed.next(sample).await?;
            if told.sample == sample && told.available == shape.available() {
                return Ok(at);
            }
        }
    }
}

impl Shape {
    fn available(self) -> i64 {
        match self {
            Self::Healthy => 1,
            Self::Progressing => 0,
        }
    }

    fn health(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Progressing => "Progressing",
        }
    }

    fn status(self) -> Value {
        let available = self.available();
        json!({
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": available,
            "readyReplicas": available,
            "availableReplicas": available,
            "unavailableReplicas": 1 - available,
        })
    }
}

fn component(carrier: Carrier, index: usize) -> String {
    format!("{}-feedback-{index}", carrier.word())
}

fn told(event: WatchEvent<DynamicObject>) -> Option<Told> {
    let (WatchEvent::Added(sample) | WatchEvent::Modified(sample)) = event else {
        return None;
    };
    let resources = sample.data["status"]["resources"].as_array()?;
    let deployment = resources.iter().find(|entry| entry["kind"] == "Deployment")?;
    Some(Told {
        sample: sample.name_any(),
        // Zero is left out of a Deployment's status.
        available: deployment["status"]["availableReplicas"]
            .as_i64()
            .unwrap_or_default(),
    })
}
