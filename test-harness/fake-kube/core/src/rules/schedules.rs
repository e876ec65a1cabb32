//! When a CronJob runs: schedules of five fields, and short ones.

use serde_json::Value;

use crate::kind::Kind;
use crate::meta;
use crate::schema::{self, FieldError, FieldPath};

/// So that the names of its Jobs, with the time behind them, fit.
const MAX_NAME: usize = 52;
const SHORT: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];
const NO_NAMES: &[&str] = &[];
const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What is wrong with when a CronJob runs, or with its name when it is new.
pub(super) fn check(kind: &Kind, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    if !kind.is("batch", "CronJob") {
        return Vec::new();
    }
    let spec = FieldPath::root().field("spec");
    let mut errors = Vec::new();
    match object["spec"]["schedule"].as_str() {
        Some("") => errors.push(FieldError::required(spec.field("schedule"), "")),
        Some(schedule) => {
            let complaint = complaint_of(schedule);
            errors.extend(complaint.map(|why| FieldError::invalid(spec.field("schedule"), schedule, why)));
        }
        None => {}
    }
    if let Some(zone) = object["spec"]["timeZone"].as_str() {
        let complaint = complaint_of_zone(zone);
        errors.extend(complaint.map(|why| FieldError::invalid(spec.field("timeZone"), zone, why)));
    }
    let name = meta::name(object);
    if old.is_none() && name.len() > MAX_NAME {
        let path = FieldPath::root().field("metadata").field("name");
        errors.push(FieldError::invalid(
            path,
            name,
            "must be no more than 52 characters",
        ));
    }
    errors
}

/// Whether there is such a zone is not known here.
fn complaint_of_zone(zone: &str) -> Option<&'static str> {
    if zone.is_empty() {
        Some("timeZone must be nil or non-empty string")
    } else if zone.eq_ignore_ascii_case("local") {
        Some("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
    } else {
        None
    }
}

fn complaint_of(schedule: &str) -> Option<String> {
    let prefixes = ["TZ=", "CRON_TZ="];
    let zoned = prefixes.iter().any(|prefix| schedule.starts_with(prefix));
    let fields = match schedule.split_once(' ') {
        Some((_, rest)) if zoned => rest.trim(),
        _ => schedule,
    };
    parse(fields).err().or_else(|| {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        schedule.contains("TZ").then(|| why.to_owned())
    })
}

fn parse(schedule: &str) -> Result<(), String> {
    if schedule.starts_with('@') {
        return parse_short(schedule);
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        let (count, found) = (fields.len(), fields.join(" "));
        return Err(format!("expected exactly 5 fields, found {count}: [{found}]"));
    };
    parse_field(minute, (0, 59), NO_NAMES)?;
    parse_field(hour, (0, 23), NO_NAMES)?;
    parse_field(day, (1, 31), NO_NAMES)?;
    parse_field(month, (1, 12), MONTHS)?;
    parse_field(weekday, (0, 6), DAYS)
}

fn parse_short(schedule: &str) -> Result<(), String> {
    match schedule.strip_prefix("@every ") {
        Some(every) if schema::is_duration(every) => Ok(()),
        Some(every) => Err(format!(
            "failed to parse duration {schedule}: time: invalid duration {every:?}"
        )),
        None if SHORT.contains(&schedule) => Ok(()),
        None => Err(format!("unrecognized descriptor: {schedule}")),
    }
}

fn parse_field(field: &str, limits: (u32, u32), names: &[&str]) -> Result<(), String> {
    let mut ranges = field.split(',').filter(|range| !range.is_empty());
    ranges.try_for_each(|range| parse_range(range, limits, names))
}

/// One value, two with a hyphen between them, or all; and perhaps how far to step.
fn parse_range(range: &str, (min, max): (u32, u32), names: &[&str]) -> Result<(), String> {
    let parts: Vec<&str> = range.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let (start, mut end) = match ends[..] {
        ["*" | "?", ..] => (min, max),
        [only] => {
            let value = value_of(only, min, names)?;
            (value, value)
        }
        [from, to] => (value_of(from, min, names)?, value_of(to, min, names)?),
        _ => return Err(format!("too many hyphens: {range}")),
    };
    let step = match parts[..] {
        [_] => 1,
        [_, step] => number(step)?,
        _ => return Err(format!("too many slashes: {range}")),
    };
    if parts.len() == 2 && ends.len() == 1 {
        end = max;
    }
    if start < min {
        Err(format!(
            "beginning of range ({start}) below minimum ({min}): {range}"
        ))
    } else if end > max {
        Err(format!("end of range ({end}) above maximum ({max}): {range}"))
    } else if start > end {
        Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {range}"
        ))
    } else if step == 0 {
        Err(format!("step of range should be a positive number: {range}"))
    } else {
        Ok(())
    }
}

/// A number, or a name: the first of them is the least value.
fn value_of(text: &str, least: u32, names: &[&str]) -> Result<u32, String> {
    let at = names.iter().zip(least..);
    let named = at.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map_or_else(|| number(text), |(_, value)| Ok(value))
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| {
        format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax")
    })
}
