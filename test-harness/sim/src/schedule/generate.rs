//! Schedules from seeds. Actions keep to what is there, so that most of them mean something.

mod clocks;
mod copies;
mod fleet;
mod policy;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, ENVIRONMENTS, Fault, Flaw, HUBS, Kind, Moment, PLANES, Schedule, Site, Step, Tampering, Thing,
    Verdict, What,
};
use crate::dice::Dice;

/// Actions of a schedule, and faults among them.
const ACTIONS: usize = 100;
const FAULTS: usize = 24;

/// One schedule of so many has actions on whole planes among the others, and another one has policies of planes.
const RARELY: u64 = 8;
const GOVERNED: u64 = 4;

/// In another one of so many somebody copies identities.
const COPIED: u64 = 5;

/// In one of so many, and not in the first, Bundles run once.
const SELDOM: u64 = 16;
const RUNNING: u64 = 9;

/// In one of so many somebody sets clocks.
const SOMETIMES: u64 = 3;

/// Releases and Bundles that actions play with.
const RELEASES: u64 = 6;
const BUNDLES: u64 = 3;

/// Objects of most resources at most, and of a large one: three of those are more than a plane lets go unasked.
const THINGS: u64 = 5;
const MANY_THINGS: u64 = 16;

/// The schedule of a seed.
pub fn generate(seed: u64) -> Schedule {
    let mut writer = Writer {
        dice: Dice::of(seed, "schedule"),
        resources: BTreeMap::new(),
        enrolled: BTreeSet::new(),
        values: 0,
        at: 0,
        backed_up: false,
    };
    let mut steps = Vec::new();
    let (mut actions, mut faults) = (ACTIONS, FAULTS);
    while actions + faults > 0 {
        writer.at += writer.pause();
        let left = (actions + faults) as u64;
        let what = match writer.dice.below(left) < actions as u64 {
            true => {
                actions -= 1;
                What::Action(writer.action())
            }
            false => {
                faults -= 1;
                What::Fault(writer.fault())
            }
        };
        steps.push(Step { at: writer.at, what });
    }
    if seed.is_multiple_of(RARELY) {
        steps.extend(fleet::steps(seed, writer.at));
    }
    if seed % RARELY == GOVERNED {
        steps.extend(policy::steps(seed, writer.at));
    }
    if seed % RARELY == COPIED {
        steps.extend(copies::steps(seed, writer.at));
    }
    if seed % SELDOM == RUNNING {
        steps.extend(runs::steps(seed, writer.at));
    }
    if seed.is_multiple_of(SOMETIMES) {
        steps.extend(clocks::steps(seed, writer.at));
    }
    steps.sort_by_key(|step| step.at);
    Schedule { seed, steps }
}

struct Writer {
    dice: Dice,
    resources: BTreeMap<String, (String, Vec<Thing>)>,
    enrolled: BTreeSet<String>,
    values: u64,
    at: u64,
    backed_up: bool,
}

impl Writer {
    fn pause(&mut self) -> u64 {
        match self.dice.below(10) {
            0..=5 => self.dice.between(0, 300),
            6..=8 => self.dice.between(300, 4_000),
            _ => self.dice.between(4_000, 40_000),
        }
    }

    fn action(&mut self) -> Action {
        let unenrolled: Vec<&str> = PLANES
            .into_iter()
            .filter(|plane| !self.enrolled.contains(*plane))
            .collect();
        if !unenrolled.is_empty() && self.dice.chance(15) {
            let plane = (*self.dice.pick(&unenrolled)).to_owned();
            self.enrolled.insert(plane.clone());
            return Action::Enrol { plane };
        }
        let resource = self.resource();
        match (self.dice.below(26), self.resources.contains_key(&resource)) {
            (0..=1, _) => Action::Point {
                environment: (*self.dice.pick(&ENVIRONMENTS)).to_owned(),
                plane: self.plane(),
            },
            (2, _) => Action::Define {
                plane: self.plane(),
                served: self.dice.chance(50),
            },
            (3..=6, true) => {
                self.resources.remove(&resource);
                Action::Delete { resource }
            }
            (7..=9, true) => self.put(resource, Writer::shrink),
            (10, true) => self.retarget(resource),
            (11..=12, true) => self.spoil(resource),
            (13..=14, true) => self.put(resource, |_, things| things.clear()),
            (15..=17, _) => self.confirm(resource),
            (18, true) => self.put(resource, |writer, things| writer.protect(things)),
            (_, true) => self.put(resource, Writer::edit),
            (_, false) => self.create(resource),
        }
    }

    fn resource(&mut self) -> String {
        match self.dice.below(RELEASES + BUNDLES) {
            number if number < RELEASES => format!("r{number}"),
            number => format!("b{}", number - RELEASES),
        }
    }

    fn plane(&mut self) -> String {
        (*self.dice.pick(&PLANES)).to_owned()
    }

    fn target(&mut self, resource: &str) -> String {
        match (resource.starts_with('r'), self.dice.below(40)) {
            (true, 0) => "nowhere".to_owned(),
            (true, _) => (*self.dice.pick(&ENVIRONMENTS)).to_owned(),
            (false, _) => self.plane(),
        }
    }

    fn create(&mut self, resource: String) -> Action {
        let target = self.target(&resource);
        let mut things: Vec<Thing> = Vec::new();
        let most = match self.dice.chance(20) {
            true => MANY_THINGS,
            false => THINGS,
        };
        for number in 0..self.dice.between(most.div_ceil(2).min(most - THINGS + 1), most) {
            let thing = self.thing(&resource, number);
            // Names are used once in a resource; a flaw of a spec is a step of its own.
            if things.iter().all(|known| known.name != thing.name) {
                things.push(thing);
            }
        }
        self.resources.insert(resource.clone(), (target, things));
        self.put(resource, |_, _| {})
    }

    fn thing(&mut self, resource: &str, number: u64) -> Thing {
        let kind = match self.dice.below(60) {
            0..=5 => Kind::Widget,
            6..=23 => Kind::Deployment,
            24 => Kind::PersistentVolumeClaim,
            _ => Kind::ConfigMap,
        };
        // Now and then two resources want one object.
        let (owner, number) = match self.dice.chance(4) {
            true => ("shared", self.dice.below(2)),
            false => (resource, number),
        };
        Thing {
            kind,
            namespace: if self.dice.chance(15) { "shop-two" } else { "shop" }.to_owned(),
            name: format!("{owner}-{number}"),
            value: self.value(),
            protected: false,
        }
    }

    fn value(&mut self) -> String {
        self.values += 1;
        format!("v{}", self.values)
    }

    fn put(&mut self, resource: String, change: fn(&mut Self, &mut Vec<Thing>)) -> Action {
        let (target, mut things) = self.resources.get(&resource).cloned().unwrap_or_default();
        change(self, &mut things);
        self.resources
            .insert(resource.clone(), (target.clone(), things.clone()));
        Action::Put {
            resource,
            target,
            things,
            flaw: None,
        }
    }

    fn edit(&mut self, things: &mut Vec<Thing>) {
        for thing in things.iter_mut() {
            if self.dice.chance(60) {
                thing.value = self.value();
            }
        }
        if things.is_empty() || (things.len() < 5 && self.dice.chance(20)) {
            let (kind, value) = (
                *self.dice.pick(&[Kind::ConfigMap, Kind::Deployment]),
                self.value(),
            );
            things.push(Thing {
                kind,
                namespace: "shop".to_owned(),
                name: format!("more-{value}"),
                value,
                protected: false,
            });
        }
    }

    fn shrink(&mut self, things: &mut Vec<Thing>) {
        if !things.is_empty() {
            let index = self.dice.below(things.len() as u64);
            things.remove(usize::try_from(index).expect("an index fits"));
        }
    }

    /// Of what is protected each says something new: a value and its annotation go together.
    fn protect(&mut self, things: &mut [Thing]) {
        if !things.is_empty() {
            let index = self.dice.below(things.len() as u64);
            let thing = &mut things[usize::try_from(index).expect("an index fits")];
            thing.protected = !thing.protected;
            thing.value = self.value();
        }
    }

    fn confirm(&mut self, resource: String) -> Action {
        Action::Confirm {
            resource,
            verdict: match self.dice.chance(70) {
                true => Verdict::Remove,
                false => Verdict::Leave,
            },
            stale: self.dice.chance(30),
        }
    }

    fn retarget(&mut self, resource: String) -> Action {
        let target = self.target(&resource);
        if let Some(known) = self.resources.get_mut(&resource) {
            known.0 = target;
        }
        self.put(resource, |_, _| {})
    }

    fn spoil(&mut self, resource: String) -> Action {
        let (target, things) = self.resources.get(&resource).cloned().unwrap_or_default();
        let flaws = [Flaw::DuplicateId, Flaw::NotAdmitted, Flaw::Malformed];
        Action::Put {
            resource,
            target,
            things,
            flaw: Some(*self.dice.pick(&flaws)),
        }
    }

    fn fault(&mut self) -> Fault {
        let plane = self.plane();
        let ms = self.dice.between(200, 45_000);
        match self.dice.below(40) {
            0..=2 => Fault::Partition { plane, ms },
            3..=6 => Fault::Cut {
                plane,
                agent_ms: self.dice.between(0, 2_000),
                hub_ms: self.dice.between(0, 30_000),
            },
            7 => Fault::Latency {
                plane,
                by_ms: self.dice.between(50, 3_000),
                ms,
            },
            8..=12 => Fault::KillHub {
                hub: usize::from(self.dice.chance(50)) % HUBS,
                moment: self.moment(),
                ms: self.dice.between(100, 8_000),
            },
            13 => Fault::RestartHub {
                hub: usize::from(self.dice.chance(50)) % HUBS,
            },
            14..=19 => Fault::KillAgent {
                plane,
                moment: self.moment(),
                ms: self.dice.between(1_000, 8_000),
            },
            20..=21 => Fault::StaleHub {
                hub: usize::from(self.dice.chance(50)) % HUBS,
                ms: ms / 3,
            },
            22 => Fault::StaleAgent { plane, ms: ms / 3 },
            23 => Fault::Expire { site: self.site() },
            24..=25 => Fault::Refuse {
                site: self.site(),
                code: *self.dice.pick(&[0, 429, 500, 503, 403]),
                ms: ms / 4,
            },
            26 => Fault::Slow {
                site: self.site(),
                by_ms: self.dice.between(500, 40_000),
                ms: ms / 2,
            },
            27..=29 => self.history(),
            30..=36 => Fault::Foreign {
                plane,
                pick: self.dice.below(1_000),
                how: self.tampering(),
            },
            37..=38 => Fault::Damage {
                plane,
                pick: self.dice.below(1_000),
            },
            _ => Fault::LoseStore { plane },
        }
    }

    fn history(&mut self) -> Fault {
        match (self.backed_up, self.dice.below(8)) {
            (_, 0) => Fault::Empty,
            (true, 1..=3) => Fault::Restore {
                raised: self.dice.chance(50),
            },
            _ => {
                self.backed_up = true;
                Fault::BackUp
            }
        }
    }

    fn moment(&mut self) -> Moment {
        let moments = [
            Moment::Now,
            Moment::Sent,
            Moment::Made,
            Moment::Answered,
            Moment::Heard,
        ];
        *self.dice.pick(&moments)
    }

    fn site(&mut self) -> Site {
        match self.dice.chance(30) {
            true => Site::Control,
            false => Site::Plane(self.plane()),
        }
    }

    fn tampering(&mut self) -> Tampering {
        let all = [
            Tampering::Edit,
            Tampering::Annotate,
            Tampering::Delete,
            Tampering::Unlabel,
            Tampering::Usurp,
            Tampering::Hold,
            Tampering::Release,
        ];
        *self.dice.pick(&all)
    }
}
