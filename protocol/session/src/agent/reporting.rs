//! Which resources the hub does not know the newest state of, and the frames that tell it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use outhaul_protocol_wire::head::{Key, Version};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::report::{Leftover, ObjectReport, Report};

use super::plane::{Plane, ReportView};
use crate::pack::{self, Budget};

/// Reports to come. Only names are kept here; states are read when a report is built.
#[derive(Debug, Default)]
pub(super) struct Reporting {
    order: VecDeque<Key>,
    dirty: BTreeMap<Key, Extent>,
    /// Version of the last report per key in this session. A key's first report is whole, since the hub may have
    /// restarted and know only its hash; so is the first of each version.
    sent: BTreeMap<Key, Version>,
    /// Keys that the plane holds and could say nothing of when it was their turn, as it had not looked yet. What it sees
    /// then may be what the hub knows by its hash, so nothing else would bring them up again.
    owed: BTreeSet<Key>,
    /// Frames of the report under way.
    frames: VecDeque<Report>,
}

#[derive(Debug)]
enum Extent {
    Whole,
    /// Only the objects with these ids; with none, the leftovers alone.
    Objects(BTreeSet<String>),
}

impl Reporting {
    pub(super) fn whole(&mut self, key: Key) {
        self.queue(&key);
        self.dirty.insert(key, Extent::Whole);
    }

    pub(super) fn object(&mut self, key: &Key, id: &str) {
        self.leftovers(key);
        if let Some(Extent::Objects(ids)) = self.dirty.get_mut(key)
            && !ids.contains(id)
        {
            ids.insert(id.to_owned());
        }
    }

    /// Leftovers are in every report.
    pub(super) fn leftovers(&mut self, key: &Key) {
        self.queue(key);
        self.dirty
            .entry(key.clone())
            .or_insert_with(|| Extent::Objects(BTreeSet::new()));
    }

    /// The plane has looked: what it could not say before, it says now.
    pub(super) fn looked(&mut self) {
        for key in core::mem::take(&mut self.owed) {
            self.whole(key);
        }
    }

    /// The next frame.
    pub(super) fn next(&mut self, plane: &impl Plane) -> Option<Report> {
        while self.frames.is_empty() {
            let key = self.order.pop_front()?;
            let Some(extent) = self.dirty.remove(&key) else {
                continue;
            };
            if let Some(view) = plane.report(&key) {
                self.owed.remove(&key);
                self.frames = self.build(key, &extent, view);
            } else if plane.holding(&key).is_some() {
                self.owed.insert(key);
            }
        }
        self.frames.pop_front()
    }

    /// The key is settled: nothing more is said about it.
    pub(super) fn forget(&mut self, key: &Key) {
        self.dirty.remove(key);
        self.sent.remove(key);
        self.owed.remove(key);
    }

    fn queue(&mut self, key: &Key) {
        if !self.dirty.contains_key(key) {
            self.order.push_back(key.clone());
        }
    }

    fn build(&mut self, key: Key, extent: &Extent, view: ReportView<'_>) -> VecDeque<Report> {
        let first_of_version = self.sent.insert(key.clone(), view.version) != Some(view.version);
        let (whole, ids) = match extent {
            Extent::Objects(ids) if !first_of_version => (false, Some(ids)),
            Extent::Objects(_) | Extent::Whole => (true, None),
        };
        let chosen = |object: &&ObjectReport| ids.is_none_or(|ids| ids.contains(&object.id));
        let frame = Report {
            key,
            version: view.version,
            whole,
            objects: Vec::new(),
            leftovers: Vec::new(),
            observed: None,
        };
        let mut cutter = Cutter::new(frame);
        view.objects
            .iter()
            .filter(chosen)
            .for_each(|object| cutter.object(object));
        view.leftovers
            .iter()
            .for_each(|leftover| cutter.leftover(leftover));
        cutter.finish(view)
    }
}

/// Cuts one report into frames.
struct Cutter {
    done: VecDeque<Report>,
    frame: Report,
    budget: Budget,
    /// Room left for raw statuses in the whole report.
    report_status: usize,
}

impl Cutter {
    fn new(frame: Report) -> Self {
        Self {
            done: VecDeque::new(),
            frame,
            budget: Budget::new(),
            report_status: limits::LIST_STATUS,
        }
    }

    fn object(&mut self, object: &ObjectReport) {
        let mut object = object.clone();
        self.report_status = object.status.within(self.report_status);
        if !self.budget.take(pack::object(&object)) {
            self.cut();
            self.budget.take(pack::object(&object));
        }
        self.frame.objects.push(object);
    }

    fn leftover(&mut self, leftover: &Leftover) {
        if !self.budget.take(pack::leftover(leftover)) {
            self.cut();
            self.budget.take(pack::leftover(leftover));
        }
        self.frame.leftovers.push(leftover.clone());
    }

    fn cut(&mut self) {
        self.budget = Budget::new();
        self.done.push_back(Report {
            objects: core::mem::take(&mut self.frame.objects),
            leftovers: core::mem::take(&mut self.frame.leftovers),
            ..self.frame.clone()
        });
    }

    fn finish(mut self, view: ReportView<'_>) -> VecDeque<Report> {
        self.frame.observed = Some(view.observed);
        self.done.push_back(self.frame);
        self.done
    }
}
