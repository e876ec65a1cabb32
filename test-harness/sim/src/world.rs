//! All that there is in a schedule: one control plane, hubs, planes with their agents, the links between them, and
//! what is going to happen next. One event after the other; each part is in a module of its own.

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;
use outhaul_protocol_wire::ids::Epoch;

use crate::agenda::Agenda;
use crate::agent::{AgentEvent, Plane};
use crate::api::Api;
use crate::broken::Broken;
use crate::cluster::Cluster;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::hub::{Hub, HubEvent};
use crate::link::{Link, LinkEvent, LinkId};
use crate::model::Model;
use crate::schedule::{HUBS, PLANES, Schedule, What};

/// Lines of what happened that are kept for whoever asks why.
const LINES: usize = 100_000;

/// Events of one schedule: twenty times what is usual. More means that somebody does something without end.
const MANY: u64 = 250_000;

/// Something happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A step of the schedule.
    Step(usize),
    /// To a hub.
    Hub(usize, HubEvent),
    /// To an agent.
    Agent(usize, AgentEvent),
    /// On a link.
    Link(LinkId, LinkEvent),
    /// A cluster's own controllers do their work.
    Controllers(usize),
    /// Nothing more is held by a finalizer.
    Release(usize),
}

/// What must never be was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant, in a few words that stay the same.
    pub invariant: &'static str,
    /// What happened.
    pub text: String,
    /// When.
    pub at: Duration,
}

/// Everything.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) control: Cluster,
    pub(crate) control_api: Api,
    /// The last backup, and the epoch then: both are backed up together.
    pub(crate) backup: Option<(Cluster, Epoch)>,
    /// The hubs' epoch as it is stored.
    pub(crate) epoch: Epoch,
    pub(crate) restored: bool,
    pub(crate) hubs: Vec<Hub>,
    pub(crate) planes: Vec<Plane>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) last_link: u64,
    pub(crate) model: Model,
    pub(crate) coverage: Coverage,
    pub(crate) broken: Option<Broken>,
    pub(crate) events: u64,
    /// Writes to Releases and Bundles.
    pub(crate) resource_writes: u64,
    schedule: Schedule,
    violation: Option<Violation>,
    lines: Option<std::collections::VecDeque<String>>,
    /// Zero of virtual time as the agent's clock has it: only differences count.
    began: Instant,
    dawn: Timestamp,
}

impl World {
    pub(crate) fn new(schedule: Schedule, broken: Option<Broken>, tell: bool) -> Self {
        let seed = schedule.seed;
        let mut world = Self {
            seed,
            agenda: Agenda::new(),
            control: Cluster::new("cp").without_managers_of(&["Release", "Bundle"]),
            control_api: Api::new(seed, "control"),
            backup: None,
            epoch: Epoch(1),
            restored: false,
            hubs: (0..HUBS).map(|number| Hub::new(seed, number)).collect(),
            planes: PLANES.iter().map(|name| Plane::new(seed, name)).collect(),
            links: BTreeMap::new(),
            last_link: 0,
            model: Model::default(),
            coverage: Coverage::default(),
            broken,
            events: 0,
            resource_writes: 0,
            schedule,
            violation: None,
            lines: tell.then(std::collections::VecDeque::new),
            began: Instant::now(),
            dawn: Timestamp::from_second(1_800_000_000).expect("it is a time"),
        };
        world.furnish();
        for hub in 0..HUBS {
            world.start_hub(hub);
        }
        for index in 0..world.schedule.steps.len() {
            let at = Duration::from_millis(world.schedule.steps[index].at);
            world.agenda.at(at, Event::Step(index));
        }
        world
    }

    /// Lets things happen until a time, or until something happened that must not.
    pub(crate) fn run_until(&mut self, end: Duration) -> Result<(), Violation> {
        while let Some(event) = self.agenda.next(end) {
            self.events += 1;
            self.happen(event);
            if self.events == MANY {
                let last = self.agenda.now();
                self.violate("everything comes to rest", format!("{MANY} events by {last:?}"));
            }
            if self.violation.is_some() {
                break;
            }
        }
        self.violation.clone().map_or(Ok(()), Err)
    }

    /// When the last step is.
    pub(crate) fn last_step(&self) -> Duration {
        let last = self.schedule.steps.iter().map(|step| step.at).max();
        Duration::from_millis(last.unwrap_or_default())
    }

    /// Something must never be, and was. The first counts.
    pub(crate) fn violate(&mut self, invariant: &'static str, text: String) {
        self.tell(|| format!("VIOLATION {invariant}: {text}"));
        let at = self.agenda.now();
        self.violation.get_or_insert(Violation { invariant, text, at });
    }

    /// Notes what happens, if somebody wants to read it.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        let now = self.agenda.now();
        if let Some(lines) = &mut self.lines {
            if lines.len() >= LINES {
                lines.pop_front();
            }
            lines.push_back(format!("{:>9.3} {}", now.as_secs_f64(), line()));
        }
    }

    /// What happened, as far as it was kept.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().into_iter().flatten().collect()
    }

    /// The time as an agent's clock has it.
    pub(crate) fn instant(&self) -> Instant {
        self.began + self.agenda.now()
    }

    /// What an agent's clock says, as virtual time.
    pub(crate) fn virtual_time(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.began)
    }

    /// What a clock says that is so far ahead.
    pub(crate) fn wall(&self, ahead_s: i64) -> Timestamp {
        let passed = jiff::SignedDuration::try_from(self.agenda.now()).expect("a schedule ends within ages");
        self.dawn + passed + jiff::SignedDuration::from_secs(ahead_s)
    }

    pub(crate) fn dice(&self, thing: &str) -> Dice {
        Dice::of(self.seed, thing)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Step(index) => {
                let step = self.schedule.steps[index].clone();
                self.tell(|| format!("{:?}", step.what));
                match step.what {
                    What::Action(action) => self.act(action),
                    What::Fault(fault) => self.afflict(fault),
                }
            }
            Event::Hub(hub, event) => self.hub_event(hub, event),
            Event::Agent(plane, event) => self.agent_event(plane, event),
            Event::Link(link, event) => self.link_event(link, event),
            Event::Controllers(plane) => self.controllers(plane),
            Event::Release(plane) => self.release_held(plane),
        }
    }
}

/// A plane's place among all.
pub(crate) fn plane_index(name: &str) -> usize {
    PLANES.iter().position(|plane| *plane == name).unwrap_or_default()
}
