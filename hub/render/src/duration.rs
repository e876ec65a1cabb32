//! Durations as Go reads and writes them.
//!
//! Fields hold them as text in that form, and the limits are those of Go: nanoseconds in 64 bits, about 292 years.

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The units, with their nanoseconds. Both letters that look like mu are taken.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
];

/// Text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration: write numbers with the unit h, m, s or ms, such as 1m30s")]
pub struct NotADuration(pub String);

/// The nanoseconds that `text` means: `1h30m`, `-1.5s`, `.5ms`, `0`. Days do not exist.
///
/// # Errors
/// It has no number, no unit or an unknown one, or is longer than 292 years.
pub(crate) fn parse(text: &str) -> Result<i64, NotADuration> {
    read(text).ok_or_else(|| NotADuration(text.to_owned()))
}

/// Writes whole seconds: `1h0m0s`, `24h0m0s`, `59s`, `0s`.
pub(crate) fn of_seconds(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, _) => format!("{sign}{minutes}m{rest}s"),
        _ => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}

fn read(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Some(0);
    }
    let mut rest = unsigned;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let whole = digits(&mut rest);
        let fraction = rest.strip_prefix('.').map(|after| {
            rest = after;
            digits(&mut rest)
        });
        if whole.is_empty() && fraction.is_none_or(str::is_empty) {
            return None;
        }
        let unit = unit(&mut rest)?;
        let nanoseconds = number(whole)?.checked_mul(unit)?;
        let nanoseconds = nanoseconds.checked_add(part(fraction.unwrap_or_default(), unit))?;
        total = total.checked_add(nanoseconds)?;
    }
    let longest = i64::MAX.unsigned_abs() + u64::from(negative);
    match unsigned.is_empty() || total > longest {
        true => None,
        false if negative => Some(0_i64.wrapping_sub_unsigned(total)),
        false => i64::try_from(total).ok(),
    }
}

fn digits<'a>(rest: &mut &'a str) -> &'a str {
    let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    *rest = after;
    digits
}

fn number(digits: &str) -> Option<u64> {
    match digits {
        "" => Some(0),
        _ => digits.parse().ok(),
    }
}

/// Goes up to the next number, so `1day` has an unknown unit and not an hour less.
fn unit(rest: &mut &str) -> Option<u64> {
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    UNITS
        .iter()
        .find(|(unit, _)| *unit == name)
        .map(|(_, nanoseconds)| *nanoseconds)
}

/// The digits behind a point, in nanoseconds, by the floating-point arithmetic of Go: what that loses is lost here too,
/// so that a third of an hour is 20 minutes.
fn part(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0);
    for digit in digits.bytes() {
        if value > i64::MAX.unsigned_abs() / 10 {
            break;
        }
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        const MINUTE: i64 = 60_000_000_000;
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("+5s", Some(5_000_000_000)),
            ("1s", Some(1_000_000_000)),
            ("30s", Some(30_000_000_000)),
            ("1m", Some(MINUTE)),
            ("2h", Some(120 * MINUTE)),
            ("1h30m", Some(90 * MINUTE)),
            ("-1.5s", Some(-1_500_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("100ms", Some(100_000_000)),
            ("3us", Some(3_000)),
            ("3\u{b5}s", Some(3_000)),
            ("3\u{3bc}s", Some(3_000)),
            ("0.3333333333333333333h", Some(20 * MINUTE)),
            ("9223372036854775807ns", Some(i64::MAX)),
            ("-9223372036854775808ns", Some(i64::MIN)),
            ("9223372036854775808ns", None),
            ("3000000h", None),
            ("1d", None),
            ("1h1", None),
            ("1", None),
            ("", None),
            ("-", None),
            (".s", None),
            ("1 s", None),
            ("--1s", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn who_wrote_something_else_is_told_what_to_write() {
        let error = parse("1d").unwrap_err().to_string();
        assert_eq!(
            error,
            r#""1d" is not a duration: write numbers with the unit h, m, s or ms, such as 1m30s"#
        );
    }

    #[test]
    fn seconds_are_written_as_go_writes_them() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (3_600, "1h0m0s"),
            (86_400, "24h0m0s"),
            (3_661, "1h1m1s"),
            (-90, "-1m30s"),
        ] {
            assert_eq!(of_seconds(seconds), expected);
        }
    }
}
