//! Quantities such as `1500m` and `1Gi`, in the one spelling that the server gives them.

use std::cmp::Ordering;

const MALFORMED: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Steps of a thousand, from a billionth on.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Steps of 1,024.
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
/// Billionths in one.
const ONE: i128 = 1_000_000_000;

/// How a quantity was written, which decides how it is written again.
enum Style {
    Decimal,
    Binary,
    Exponent,
}

/// The canonical spelling: no fraction, the largest suffix that allows that.
pub(super) fn canonical(text: &str) -> Result<String, String> {
    let (billionths, style) = parse(text.trim()).ok_or_else(|| MALFORMED.to_owned())?;
    let is_small = billionths.abs() < 1_024 * ONE;
    Ok(match style {
        Style::Binary if !is_small => binary(billionths),
        Style::Exponent => exponent(billionths),
        Style::Decimal | Style::Binary => decimal(billionths),
    })
}

/// Whether Go holds a quantity of this spelling otherwise than one of the canonical spelling.
///
/// It keeps the spelling beside the number, unless that is a multiple of eight with a binary suffix.
pub(super) fn is_respelled(text: &str) -> bool {
    let has_no_spelling = |text: &str| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: Option<i64> = digits.parse().ok();
        BINARY[1..].contains(&&text[digits.len()..]) && number.is_some_and(|number| number % 8 == 0)
    };
    canonical(text)
        .is_ok_and(|canonical| canonical != text && !(has_no_spelling(text) && has_no_spelling(&canonical)))
}

/// Which of two quantities is more, if both are some.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let billionths = |text: &str| Some(parse(text)?.0);
    Some(billionths(a)?.cmp(&billionths(b)?))
}

/// Whether a quantity is a whole number, when it is rounded up to thousandths.
pub(crate) fn is_whole(text: &str) -> bool {
    let thousandth = ONE / 1_000;
    parse(text).is_none_or(|(billionths, _)| {
        let is_cut = billionths % thousandth > 0;
        (billionths / thousandth + i128::from(is_cut)) % 1_000 == 0
    })
}

fn parse(text: &str) -> Option<(i128, Style)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    if number.is_empty() || number[1..].contains(['+', '-']) {
        return None;
    }
    let (numerator, style) = match suffix {
        _ if BINARY[1..].contains(&suffix) => {
            let power = BINARY.iter().position(|known| *known == suffix)?;
            (ONE << (10 * power), Style::Binary)
        }
        _ if DECIMAL.contains(&suffix) => {
            let power = DECIMAL.iter().position(|known| *known == suffix)?;
            (
                1_000_i128.checked_pow(u32::try_from(power).ok()?)?,
                Style::Decimal,
            )
        }
        _ => {
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = u32::try_from(power + 9).ok().filter(|power| *power < 30)?;
            (10_i128.pow(power), Style::Exponent)
        }
    };
    Some((scaled(number, numerator)?, style))
}

/// A decimal number times `unit`, rounded away from zero.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let part = |text: &str| {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse::<i128>().ok()
        }
    };
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let below = part(fraction)?.checked_mul(unit)?;
    let rounded = below / divisor + i128::from(below % divisor != 0);
    let value = part(whole)?.checked_mul(unit)?.checked_add(rounded)?;
    Some(if negative { -value } else { value })
}

fn decimal(mut value: i128) -> String {
    let mut step = 0;
    while value != 0 && value % 1_000 == 0 && step < DECIMAL.len() - 1 {
        value /= 1_000;
        step += 1;
    }
    if value == 0 {
        return "0".to_owned();
    }
    format!("{value}{}", DECIMAL[step])
}

fn binary(billionths: i128) -> String {
    let mut value = billionths / ONE + i128::from(billionths % ONE != 0);
    let mut step = 0;
    while value % 1_024 == 0 && step < BINARY.len() - 1 {
        value /= 1_024;
        step += 1;
    }
    format!("{value}{}", BINARY[step])
}

fn exponent(mut value: i128) -> String {
    let mut power = -9;
    while value != 0 && value % 1_000 == 0 {
        value /= 1_000;
        power += 3;
    }
    match (value, power) {
        (0, _) => "0".to_owned(),
        (value, 0) => value.to_string(),
        (value, power) => format!("{value}e{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{canonical, compare, is_respelled, is_whole};

    #[test]
    fn the_largest_suffix_without_a_fraction_is_chosen() {
        let check =
            |given: &str, expected: &str| assert_eq!(canonical(given).as_deref(), Ok(expected), "{given}");
        check("1", "1");
        check("1000m", "1");
        check("0.5", "500m");
        check("1.5", "1500m");
        check("1000", "1k");
        check("1024Mi", "1Gi");
        check("1.5Gi", "1536Mi");
        check("100Ki", "100Ki");
        check("0.5Ki", "512");
        check("0", "0");
        check("1e3", "1e3");
        check("-2", "-2");
    }

    #[test]
    fn quantities_compare_by_what_they_are() {
        assert_eq!(compare("1Gi", "1024Mi"), Some(std::cmp::Ordering::Equal));
        assert_eq!(compare("1G", "1Gi"), Some(std::cmp::Ordering::Less));
        assert_eq!(compare("1", "a"), None);
        assert!(is_whole("2") && is_whole("2000m") && is_whole("1Ki") && is_whole("-1"));
        assert!(!is_whole("1500m") && !is_whole("0.1") && !is_whole("1n"));
    }

    #[test]
    fn a_spelling_is_kept_beside_all_but_multiples_of_eight() {
        assert!(is_respelled("1024Mi") && is_respelled("1000m") && is_respelled("0.5Ki"));
        assert!(!is_respelled("1Gi") && !is_respelled("8192Mi") && !is_respelled("0") && !is_respelled("a"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "a", "1x", "1-2", "1..2", "Gi"] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }
}
