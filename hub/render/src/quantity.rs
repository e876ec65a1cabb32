//! Quantities such as `500m` and `1Gi` in their canonical form.
//!
//! What passes through a Kubernetes type comes out so: no fraction, and the largest suffix that loses nothing. Text that
//! is as good as canonical is kept as it is written, by the same test that Kubernetes' own library has.

use serde_json::Value;

/// The finest that a quantity can be: a billionth.
const NANO: u32 = 9;

/// One, in billionths.
const ONE: u128 = 10_u128.pow(NANO);

/// The largest that one with a binary suffix is taken for.
const LARGEST: u128 = i64::MAX as u128;

/// Digits that fit into the library's fast form, behind which it no longer keeps the text.
const FAST_DIGITS: usize = 18;

const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The value of a field that is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a quantity: write a number, with a suffix such as m, k, M, Ki, Mi, Gi where it needs one"
)]
pub struct NotAQuantity(pub String);

/// The canonical form of a quantity, which may be written as a number too.
///
/// # Errors
/// It is none, or has more digits than fit into 128 bits.
pub(crate) fn canonical(value: &Value) -> Result<String, NotAQuantity> {
    let refused = || NotAQuantity(value.to_string());
    match value {
        Value::String(text) => read(text.trim()).ok_or_else(refused),
        Value::Number(number) => read(&number.to_string()).ok_or_else(refused),
        _ => Err(refused()),
    }
}

/// How a quantity was written, and is written again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With a suffix for a power of 1,000, or none.
    Decimal,
    /// `12e6`.
    Exponent,
    /// With a suffix for a power of 1,024.
    Binary,
}

struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

fn read(text: &str) -> Option<String> {
    let (number, suffix) = split(text)?;
    let (form, power) = interpret(suffix)?;
    if is_kept(&number, form, power) {
        return Some(text.to_owned());
    }
    let billionths = billionths(&number, form, power)?;
    let sign = if number.negative && billionths > 0 {
        "-"
    } else {
        ""
    };
    Some(format!("{sign}{}", write(billionths, form)))
}

/// Number and suffix; leading zeros are no part of the number.
fn split(text: &str) -> Option<(Number<'_>, &str)> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = unsigned.split_at(end(unsigned));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(end(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let number = Number {
        negative,
        whole: whole.trim_start_matches('0'),
        fraction,
    };
    Some((number, suffix))
}

/// The form, and the power of ten or of two.
fn interpret(suffix: &str) -> Option<(Form, i32)> {
    let place = |names: &[&str]| names.iter().position(|name| *name == suffix);
    if let Some(place) = place(&DECIMAL) {
        return Some((Form::Decimal, i32::try_from(place).ok()? * 3 - 9));
    }
    if let Some(place) = place(&BINARY) {
        return Some((Form::Binary, i32::try_from(place).ok()? * 10));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((Form::Exponent, exponent.parse().ok()?))
}

/// Whether the library keeps the text: it looks at the digits only, so `1.500` and `12.345k` stay.
fn is_kept(number: &Number<'_>, form: Form, power: i32) -> bool {
    let whole = if number.whole.is_empty() {
        "0"
    } else {
        number.whole
    };
    let digits = format!("{whole}{}", number.fraction);
    match form {
        Form::Binary => {
            let binary_digits = usize::try_from(power).unwrap_or(0) * 3 / 10;
            let fast = number.fraction.is_empty() && digits.len() + binary_digits < 15;
            fast && digits.parse::<u64>().is_ok_and(|value| value % 8 != 0)
        }
        Form::Decimal | Form::Exponent => {
            let scale = i64::from(power) - i64::try_from(number.fraction.len()).unwrap_or(i64::MAX);
            let fast = digits.len() <= FAST_DIGITS && scale >= -i64::from(NANO);
            fast && scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0')
        }
    }
}

/// The size in billionths, rounded up: whoever asks for something gets something.
fn billionths(number: &Number<'_>, form: Form, power: i32) -> Option<u128> {
    let digits = format!("{}{}", number.whole, number.fraction);
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let value: u128 = digits.parse().ok()?;
    let places = i32::try_from(number.fraction.len()).ok()?;
    match form {
        Form::Binary => {
            let size = scaled(value.saturating_mul(1 << power), NANO.cast_signed() - places);
            Some(size.unwrap_or(u128::MAX).min(LARGEST * ONE))
        }
        Form::Decimal | Form::Exponent => {
            scaled(value, power.checked_sub(places)?.checked_add(NANO.cast_signed())?)
        }
    }
}

fn scaled(value: u128, tens: i32) -> Option<u128> {
    match u32::try_from(tens) {
        Ok(up) => value.checked_mul(10_u128.checked_pow(up)?),
        Err(_) => {
            let down = 10_u128.checked_pow(tens.unsigned_abs());
            Some(down.map_or(1, |down| value.div_ceil(down)))
        }
    }
}

fn write(billionths: u128, form: Form) -> String {
    let units = billionths / ONE;
    match form {
        _ if billionths == 0 => "0".to_owned(),
        Form::Binary if units >= 1024 && billionths.is_multiple_of(ONE) => {
            let (number, place) = reduce(units, 1024, BINARY.len() - 1);
            format!("{number}{}", BINARY[place])
        }
        Form::Exponent => {
            let (number, place) = reduce(billionths, 1000, usize::MAX);
            match i64::try_from(place).unwrap_or(i64::MAX) * 3 - i64::from(NANO) {
                0 => number.to_string(),
                exponent => format!("{number}e{exponent}"),
            }
        }
        Form::Decimal | Form::Binary => {
            let (number, place) = reduce(billionths, 1000, DECIMAL.len() - 1);
            format!("{number}{}", DECIMAL[place])
        }
    }
}

/// Takes `base` out of a number that is not zero, at most `most` times.
fn reduce(mut number: u128, base: u128, most: usize) -> (u128, usize) {
    let mut times = 0;
    while times < most && number.is_multiple_of(base) {
        number /= base;
        times += 1;
    }
    (number, times)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_come_out_as_from_a_kubernetes_type() {
        for (written, expected) in [
            (json!("0.4"), "400m"),
            (json!("1000m"), "1"),
            (json!("1024Mi"), "1Gi"),
            (json!("1.5Gi"), "1536Mi"),
            (json!("128974848"), "128974848"),
            (json!(128_974_848), "128974848"),
            (json!("400m"), "400m"),
            (json!("256Mi"), "256Mi"),
            (json!("1028Mi"), "1028Mi"),
            (json!(1), "1"),
            (json!(0.5), "500m"),
            (json!("0"), "0"),
            (json!("0m"), "0"),
            (json!("-0.0"), "0"),
            (json!("512Ki"), "512Ki"),
            (json!("0.5Ki"), "512"),
            (json!("0.5Mi"), "512Ki"),
            (json!("1.3Ki"), "1331200m"),
            (json!("2000"), "2k"),
            (json!("1500"), "1500"),
            (json!("1500k"), "1500k"),
            (json!("10000k"), "10M"),
            (json!("1e3"), "1e3"),
            (json!("1E3"), "1E3"),
            (json!("1e4"), "10e3"),
            (json!("100e1"), "1e3"),
            (json!("1E"), "1E"),
            (json!("1Ei"), "1Ei"),
            (json!("16Ei"), "9223372036854775807"),
            (json!(" 1 "), "1"),
            (json!("-1500m"), "-1500m"),
            (json!("-1.5"), "-1500m"),
            (json!("0.0000000001"), "1n"),
            (json!("1.2345"), "1234500u"),
            (json!(".5"), "500m"),
        ] {
            assert_eq!(canonical(&written).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_is_as_good_as_canonical_is_kept_as_written() {
        for kept in ["5.", "1.500", "12.345k", "0100m", "+100m"] {
            assert_eq!(canonical(&json!(kept)).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for written in [
            json!(""),
            json!("m"),
            json!("1 Gi"),
            json!("1gi"),
            json!("1K"),
            json!("1e"),
            json!("1ee3"),
            json!("1e99999999999"),
            json!("one"),
            json!(true),
            json!({}),
        ] {
            assert!(canonical(&written).is_err(), "{written}");
        }
        let error = canonical(&json!("1gi")).unwrap_err().to_string();
        assert!(
            error.starts_with(r#""1gi" is not a quantity: write a number"#),
            "{error}"
        );
    }
}
