//! Schedules of five fields: minute, hour, day of month, month, day of week.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Longer than from one 29th of February to the next across a year that is none.
const LOOK_AHEAD: i64 = 9 * 366;

/// When something is due. Each field is a set of bits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// A day must fit the month's and the week's field where one of them is `*`, and either of them else.
    both: bool,
}

impl Schedule {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts[..] else {
            return Err(format!(
                "expected exactly 5 fields, found {}: {parts:?}",
                parts.len()
            ));
        };
        let weekday_bits = field(weekdays, 0, 7, &DAYS)?;
        Ok(Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            // Sunday is 0 and 7.
            weekdays: weekday_bits | weekday_bits >> 7 & 1,
            both: days.starts_with(['*', '?']) || weekdays.starts_with(['*', '?']),
        })
    }

    /// The first time after `at`; none for a day that never comes.
    pub(super) fn after(&self, at: Timestamp) -> Option<Timestamp> {
        let start = minute_of(at).checked_add(1.minute()).ok()?;
        let mut day = start.clone();
        for _ in 0..LOOK_AHEAD {
            if self.is_on(&day) {
                let same_day = day.date() == start.date();
                let from = if same_day { minute_of_day(&start) } else { 0 };
                if let Some(minute) = (from..1_440).find(|minute| self.is_at(*minute)) {
                    let midnight = day.start_of_day().ok()?.timestamp();
                    return Some(midnight + SignedDuration::from_mins(minute));
                }
            }
            day = day.checked_add(1.day()).ok()?;
        }
        None
    }

    /// The last time after `since`, up to `until`.
    pub(super) fn last_within(&self, since: Timestamp, until: Timestamp) -> Option<Timestamp> {
        // After a long silence only the last one counts; a year is long enough for any schedule to have had one.
        let mut last = self.after(since.max(until - SignedDuration::from_hours(24 * 366)))?;
        if last > until {
            return None;
        }
        // Whatever is older than an hour need not be walked through minute by minute, if there is something newer.
        let recent = self.after(until - SignedDuration::from_hours(1));
        if let Some(recent) = recent.filter(|recent| *recent <= until && *recent > last) {
            last = recent;
        }
        while let Some(next) = self.after(last).filter(|next| *next <= until) {
            last = next;
        }
        Some(last)
    }

    fn is_on(&self, day: &Zoned) -> bool {
        let in_month = has(self.days, i64::from(day.day()));
        let in_week = has(self.weekdays, i64::from(day.weekday().to_sunday_zero_offset()));
        let fits = if self.both {
            in_month && in_week
        } else {
            in_month || in_week
        };
        fits && has(self.months, i64::from(day.month()))
    }

    fn is_at(&self, minute: i64) -> bool {
        has(self.hours, minute / 60) && has(self.minutes, minute % 60)
    }
}

fn minute_of(at: Timestamp) -> Zoned {
    let seconds = at.as_second() - at.as_second().rem_euclid(60);
    let whole = Timestamp::from_second(seconds).unwrap_or(at);
    whole.to_zoned(TimeZone::UTC)
}

fn minute_of_day(at: &Zoned) -> i64 {
    i64::from(at.hour()) * 60 + i64::from(at.minute())
}

fn has(bits: u64, at: i64) -> bool {
    bits >> at & 1 == 1
}

/// `*`, `3`, `1-5`, `*/15`, `10-30/5`, `mon`, and lists of those.
fn field(text: &str, low: u64, high: u64, names: &[&str]) -> Result<u64, String> {
    let mut bits = 0;
    for part in text.split(',') {
        let wrong = || format!("failed to parse {part:?}: expected a number from {low} to {high}");
        let value = |text: &str| match names.iter().position(|name| text.eq_ignore_ascii_case(name)) {
            Some(at) => Ok(at as u64 + low),
            None => text.parse::<u64>().map_err(|_| wrong()),
        };
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u64>().map_err(|_| wrong())?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (value(from)?, value(to)?),
            None if range == "*" || range == "?" => (low, high),
            None if part.contains('/') => (value(range)?, high),
            None => (value(range)?, value(range)?),
        };
        if from < low || to > high || from > to || step == 0 {
            return Err(wrong());
        }
        let mut at = from;
        while at <= to {
            bits |= 1 << at;
            at += step;
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, at: &str) -> String {
        let schedule = Schedule::parse(schedule).unwrap();
        schedule.after(at.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn times_follow_from_fields() {
        let at = "2026-11-24T18:49:16Z"; // a Tuesday
        for (schedule, expected) in [
            ("* * * * *", "2026-11-24T18:50:00Z"),
            ("*/15 * * * *", "2026-11-24T19:00:00Z"),
            ("5,10-12 3 * * *", "2026-11-25T03:05:00Z"),
            ("0 0 1 * *", "2026-12-01T00:00:00Z"),
            ("30 9 * * mon-fri", "2026-11-25T09:30:00Z"),
            ("0 12 * * 7", "2026-11-29T12:00:00Z"),
            ("0 12 13 * fri", "2026-11-27T12:00:00Z"),
            ("0 0 29 feb *", "2028-02-29T00:00:00Z"),
            ("@hourly", "2026-11-24T19:00:00Z"),
            ("50/5 * * * *", "2026-11-24T18:50:00Z"),
        ] {
            assert_eq!(next(schedule, at), expected, "{schedule}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_impossible_days_never_come() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "a * * * *",
            "5-1 * * * *",
            "*/0 * * * *",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text:?}");
        }
        let never = Schedule::parse("0 0 31 feb *").unwrap();
        assert_eq!(never.after(Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn the_last_time_counts_after_a_silence() {
        let schedule = Schedule::parse("*/5 * * * *").unwrap();
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let since = time("2026-01-01T00:00:00Z");
        let last = |until| schedule.last_within(since, time(until)).map(|at| at.to_string());
        assert_eq!(last("2026-01-01T00:04:59Z"), None);
        assert_eq!(
            last("2026-01-01T00:05:00Z").as_deref(),
            Some("2026-01-01T00:05:00Z")
        );
        assert_eq!(
            last("2026-03-01T00:07:00Z").as_deref(),
            Some("2026-03-01T00:05:00Z")
        );
    }
}
