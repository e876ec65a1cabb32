//! Durations as people write them, ages as people read them, and text that is safe to print.

use std::time::Duration;

use jiff::Timestamp;

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// `90s`, `30m`, `1h`, `2d`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m, h or d, like 30m".to_owned();
    let unit = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = unit.ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_not_a_number| wrong())?;
    number
        .checked_mul(*seconds)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// How long ago a time was, or how far ahead it is: in the largest unit of which there are two, as kubectl does.
/// What is no time is shown as it is.
pub(crate) fn distance(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => short(time.duration_since(now).unsigned_abs()),
        Err(_not_a_time) => time.to_owned(),
    }
}

/// `250ms`, `45s`, `10m`, `3h`, `20d`.
pub(crate) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 && duration.subsec_millis() > 0 {
        return format!("{}ms", duration.subsec_millis());
    }
    let fitting = UNITS.iter().find(|(_, unit)| seconds >= 2 * unit);
    let (unit, size) = fitting.unwrap_or(&("s", 1));
    format!("{}{unit}", seconds / size)
}

/// Without control characters: some text comes from planes, and a terminal obeys escape sequences.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_written() {
        let cases = [
            ("45s", Some(45)),
            ("30m", Some(1_800)),
            ("1h", Some(3_600)),
            ("2d", Some(172_800)),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_duration(text).ok(), seconds.map(Duration::from_secs));
        }
        for wrong in ["", "h", "1", "1w", "-1h", "1.5h", "999999999999999999d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn distances_are_short() {
        let cases = [
            (0, "0s"),
            (90, "90s"),
            (120, "2m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_800, "2d"),
        ];
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for (seconds, expected) in cases {
            let then = now - jiff::SignedDuration::from_secs(seconds);
            assert_eq!(distance(&then.to_string(), now), expected);
        }
        assert_eq!(distance("2026-01-05T03:04:05Z", now), "3d");
        assert_eq!(distance("unknown", now), "unknown");
        assert_eq!(short(Duration::from_millis(250)), "250ms");
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}d"), "a [2Jb c d");
    }
}
