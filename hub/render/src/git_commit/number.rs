//! Numbers of JSON that would be written otherwise than they were read.

use serde_json::Number;

/// The first number in a text, which is JSON, that would have another value when it is read and written again.
pub(super) fn that_changes(json: &[u8]) -> Option<String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let mut rest = json;
    while let Some((&first, behind)) = rest.split_first() {
        rest = match first {
            b'"' => behind_string(behind),
            b'-' | b'0'..=b'9' => {
                let end = rest.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
                let (number, behind) = rest.split_at(end);
                let number = String::from_utf8_lossy(number);
                if !stays(&number) {
                    return Some(number.into_owned());
                }
                behind
            }
            _ => behind,
        };
    }
    None
}

fn behind_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return behind,
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
            [] => return rest,
        };
    }
}

fn stays(number: &str) -> bool {
    serde_json::from_str::<Number>(number).is_ok_and(|read| value(&read.to_string()) == value(number))
}

/// Sign, digits without zeros around them, and what ten is to the power of, so that equal numbers are equal.
fn value(number: &str) -> (bool, String, i64) {
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (digits, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let power: i64 = power.parse().unwrap_or(i64::MAX / 2);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let trimmed = significant.trim_end_matches('0');
    if trimmed.is_empty() {
        return (is_negative, String::new(), 0);
    }
    let trailing = i64::try_from(significant.len() - trimmed.len()).unwrap_or(i64::MAX);
    let fraction = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    (
        is_negative,
        trimmed.to_owned(),
        power.saturating_sub(fraction).saturating_add(trailing),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_or_are_found() {
        for json in [
            "0",
            "-0",
            "-0.0",
            "1.50",
            "1e3",
            "1E+3",
            "15.0e-1",
            "0.1",
            "1e-7",
            "18446744073709551615",
            "-9223372036854775808",
            "1e308",
            "2.2250738585072014e-308",
            "[1, {\"a\": -2.5}]",
            "\"12345678901234567890123\"",
            "{\"a\\\"99999999999999999999999\": 1}",
            "\"\\\\\"",
            "true",
        ] {
            assert_eq!(that_changes(json.as_bytes()), None, "{json}");
        }
        for (json, number) in [
            ("12345678901234567890123", "12345678901234567890123"),
            ("[1, 18446744073709551617]", "18446744073709551617"),
            (
                "{\"a\": \"x\", \"b\": 0.12345678901234567890}",
                "0.12345678901234567890",
            ),
            ("[\"\\\\\", 1e-400]", "1e-400"),
        ] {
            assert_eq!(that_changes(json.as_bytes()).as_deref(), Some(number), "{json}");
        }
    }
}
