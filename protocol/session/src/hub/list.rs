//! What the hub knows about the objects of one resource on one plane.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Version;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::report::{self, Leftover, ObjectReport, Report};

/// The list as the plane last said it. It outlives sessions; the hub keeps one per resource and plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The version that the plane works on.
    pub version: Version,
    /// Every object, in spec order.
    pub objects: Vec<ObjectReport>,
    /// Objects on their way out.
    pub leftovers: Vec<Leftover>,
    /// The hash over both.
    pub observed: Digest,
}

/// What a report did to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Merge {
    /// The list says something new.
    Changed,
    /// The list says what it said before.
    Unchanged,
    /// The report is about an older version than the list, and was ignored.
    Stale,
    /// The report does not fit the list: ask for a whole one with [`Session::want_report`](super::Session::want_report).
    Mismatch,
}

impl Reported {
    /// Merges a complete report, as [`Event::Reported`](super::Event::Reported) gives it, into the list.
    pub fn merge(list: &mut Option<Self>, report: Report) -> Merge {
        if list.as_ref().is_some_and(|list| report.version < list.version) {
            return Merge::Stale;
        }
        match report.whole {
            true => replace(list, report),
            false => change(list, report),
        }
    }
}

fn replace(list: &mut Option<Reported>, report: Report) -> Merge {
    let observed = report::observed(&report.objects, &report.leftovers);
    let known = list.as_ref().map(|list| (list.version, list.observed));
    *list = Some(Reported {
        version: report.version,
        objects: report.objects,
        leftovers: report.leftovers,
        observed,
    });
    match known == Some((report.version, observed)) {
        true => Merge::Unchanged,
        false => Merge::Changed,
    }
}

/// Applies changes to a copy of what they touch, so that a report that does not fit leaves the list as it was.
fn change(list: &mut Option<Reported>, report: Report) -> Merge {
    let Some(list) = list.as_mut().filter(|list| list.version == report.version) else {
        return Merge::Mismatch;
    };
    let mut replaced = Vec::with_capacity(report.objects.len());
    for object in report.objects {
        let Some(place) = list.objects.iter().position(|known| known.id == object.id) else {
            undo(&mut list.objects, replaced);
            return Merge::Mismatch;
        };
        replaced.push((place, core::mem::replace(&mut list.objects[place], object)));
    }
    let observed = report::observed(&list.objects, &report.leftovers);
    if report.observed != Some(observed) {
        undo(&mut list.objects, replaced);
        return Merge::Mismatch;
    }
    list.leftovers = report.leftovers;
    summarise_excess(&mut list.objects);
    match core::mem::replace(&mut list.observed, observed) == observed {
        true => Merge::Unchanged,
        false => Merge::Changed,
    }
}

fn undo(objects: &mut [ObjectReport], replaced: Vec<(usize, ObjectReport)>) {
    for (place, object) in replaced.into_iter().rev() {
        objects[place] = object;
    }
}

/// Keeps the raw statuses of a list within [`limits::LIST_STATUS`]. A summary has the digest of the whole, so the
/// hash stays the same.
fn summarise_excess(objects: &mut [ObjectReport]) {
    let mut room = limits::LIST_STATUS;
    for object in objects {
        room = object.status.within(room);
    }
}
