//! Words of a rule.

use serde_json::Value;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'s> {
    Name(&'s str),
    Literal(Value),
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "+",
    "-", "*", "/", "%", ";",
];

/// The next word and what follows it; no word at the end.
///
/// None is what cannot be read at all.
pub(super) fn next(text: &str) -> Option<(Option<Token<'_>>, &str)> {
    let text = text.trim_start();
    let Some(first) = text.chars().next() else {
        return Some((None, text));
    };
    if let Some((literal, rest)) = quoted(text) {
        return Some((Some(Token::Literal(literal?.into())), rest));
    }
    if first.is_ascii_digit() {
        let (number, rest) = number(text)?;
        return Some((Some(Token::Literal(number)), rest));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let (name, rest) = text.split_at(end_of_name(text));
        return Some((Some(Token::Name(name)), rest));
    }
    SIGNS
        .into_iter()
        .find_map(|sign| Some((Some(Token::Sign(sign)), text.strip_prefix(sign)?)))
}

fn end_of_name(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

fn number(text: &str) -> Option<(Value, &str)> {
    if let Some(digits) = text.strip_prefix("0x") {
        let (digits, rest) = digits.split_at(end_of_name(digits));
        return Some((i64::from_str_radix(digits, 16).ok()?.into(), rest));
    }
    let mut end = 0;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(end) {
        let is_of_exponent = matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E');
        let is_point = *byte == b'.' && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_digit() || matches!(byte, b'e' | b'E') || is_of_exponent || is_point) {
            break;
        }
        end += 1;
    }
    let (digits, rest) = text.split_at(end);
    let rest = rest.strip_prefix(['u', 'U']).unwrap_or(rest);
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = match is_whole {
        true => digits.parse::<i64>().ok()?.into(),
        false => serde_json::Number::from_f64(digits.parse().ok()?)?.into(),
    };
    Some((number, rest))
}

/// A text in quotes, if one begins here: none inside where it is not closed, or holds an escape that is none.
fn quoted(text: &str) -> Option<(Option<String>, &str)> {
    let (is_raw, inner) = match text.strip_prefix(['r', 'R']) {
        Some(inner) if inner.starts_with(['\'', '"']) => (true, inner),
        _ => (false, text),
    };
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let quote = quotes.into_iter().find(|quote| inner.starts_with(quote))?;
    let mut rest = &inner[quote.len()..];
    let mut found = String::new();
    while !rest.starts_with(quote) {
        let Some(next) = rest.chars().next() else {
            return Some((None, ""));
        };
        if next == '\\' && !is_raw {
            let Some((escaped, after)) = escape(&rest[1..]) else {
                return Some((None, ""));
            };
            found.push(escaped);
            rest = after;
        } else {
            found.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Some((Some(found), &rest[quote.len()..]))
}

/// What stands for another character, after its backslash.
fn escape(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    let coded = |skip: usize, digits: usize, radix| {
        let code = text.get(skip..skip + digits)?;
        let character = char::from_u32(u32::from_str_radix(code, radix).ok()?)?;
        Some((character, &text[skip + digits..]))
    };
    let plain = match first {
        'x' | 'X' => return coded(1, 2, 16),
        'u' => return coded(1, 4, 16),
        'U' => return coded(1, 8, 16),
        '0'..='3' => return coded(0, 3, 8),
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' | '?' | '"' | '\'' | '`' => first,
        _ => return None,
    };
    Some((plain, &text[1..]))
}
