//! The report under way: its frames, put together before any of it counts.

use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::report::{self, RawStatus, Report};

use crate::violation::{Violation, at_most};

/// At most one report is under way on a session, and it is bounded like the list it becomes.
#[derive(Debug, Default)]
pub(super) struct Staging {
    report: Option<Report>,
    raw_status: usize,
}

impl Staging {
    /// Adds a frame; the last one gives the report.
    ///
    /// # Errors
    /// The frames do not make a report within its limits.
    pub(super) fn frame(&mut self, frame: Report) -> Result<Option<Report>, Violation> {
        self.raw_status += raw_status(&frame);
        let report = match self.report.take() {
            None => frame,
            Some(started) => joined(started, frame)?,
        };
        at_most("report", report.objects.len(), limits::OBJECTS)?;
        at_most("list of leftovers", report.leftovers.len(), limits::LEFTOVERS)?;
        at_most("raw status of a report", self.raw_status, limits::LIST_STATUS)?;
        let Some(claimed) = report.observed else {
            self.report = Some(report);
            return Ok(None);
        };
        self.raw_status = 0;
        checked(report, claimed).map(Some)
    }
}

fn joined(mut started: Report, frame: Report) -> Result<Report, Violation> {
    if (&started.key, started.version) != (&frame.key, frame.version) {
        return Err(Violation::InterleavedReport {
            started: Box::new(started.key),
            other: Box::new(frame.key),
        });
    }
    started.objects.extend(frame.objects);
    started.leftovers.extend(frame.leftovers);
    started.observed = frame.observed;
    Ok(started)
}

/// A whole report stands for itself, so its hash is known here. Asking again would only bring the same one.
fn checked(report: Report, claimed: Digest) -> Result<Report, Violation> {
    match report.whole && report::observed(&report.objects, &report.leftovers) != claimed {
        true => Err(Violation::WrongHash(Box::new(report.key))),
        false => Ok(report),
    }
}

fn raw_status(report: &Report) -> usize {
    let length = |status: &RawStatus| match status {
        RawStatus::Json(json) => json.len(),
        RawStatus::Absent | RawStatus::Summary { .. } => 0,
    };
    report.objects.iter().map(|object| length(&object.status)).sum()
}
