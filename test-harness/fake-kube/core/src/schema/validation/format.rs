//! Formats of text. Those that the API server does not know are ignored by it, and here.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use crate::schema::duration;

/// Whether `text` has the format `name`.
pub(super) fn is_valid(name: &str, text: &str) -> bool {
    match name {
        "byte" => STANDARD.decode(text).is_ok(),
        "cidr" => is_range(text),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "date-time" | "datetime" => is_time(text),
        "duration" => duration::parse(text).is_some() || is_spelled_duration(text),
        "email" => is_email(text),
        "hexcolor" => matches(&HEX_COLOR, text),
        "hostname" => text.len() <= 255 && matches(&HOST_NAME, text),
        "ipv4" => text.contains('.') && is_address(text),
        "ipv6" => text.contains(':') && is_address(text),
        "k8s-long-name" => text.len() <= 253 && text.split('.').all(is_label),
        "k8s-short-name" => is_label(text),
        "mac" => matches(&MAC, text),
        "uri" => is_uri(text),
        "uuid" => matches(&UUID, text),
        "uuid3" => matches(&UUID, text) && version_of_uuid(text) == Some('3'),
        "uuid4" => matches(&UUID, text) && version_of_uuid(text) == Some('4') && has_usual_variant(text),
        "uuid5" => matches(&UUID, text) && version_of_uuid(text) == Some('5') && has_usual_variant(text),
        _ => true,
    }
}

type Form = LazyLock<Regex>;

static HEX_COLOR: Form = Form::new(|| form("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$"));
static UUID: Form =
    Form::new(|| form("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$"));
static TIME_OF_DAY: Form =
    Form::new(|| form(r"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})$"));
static SPELLED_DURATION: Form =
    Form::new(|| form(r"(?i)[0-9]+\s*(?:ns|nano|us|µs|micro|ms|milli|s|m|h|d|w)"));
static LABEL: Form = Form::new(|| form("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"));
static MAC: Form = Form::new(|| {
    let pairs = |sign| format!("([0-9a-f]{{2}}{sign}){{5}}([0-9a-f]{{2}}{sign}){{0,14}}[0-9a-f]{{2}}");
    let fours = r"([0-9a-f]{4}\.){2,9}[0-9a-f]{4}";
    form(&format!("(?i)^({}|{}|{fours})$", pairs(":"), pairs("-")))
});
/// One label, or several and a name of letters.
static HOST_NAME: Form = Form::new(|| {
    let letter = r"[a-zA-Z0-9\p{S}\p{L}]";
    let inner = r"[-a-zA-Z0-9\p{S}\p{L}]";
    form(&format!(
        r"^({letter}(-?{letter}{{0,62}})?|({letter}({inner}{{0,61}}{letter})?\.)+[a-zA-Z\p{{L}}]{{2,63}})$"
    ))
});

fn form(source: &str) -> Regex {
    Regex::new(source).expect("a form that compiles")
}

fn matches(form: &Form, text: &str) -> bool {
    form.is_match(text)
}

fn is_label(text: &str) -> bool {
    matches(&LABEL, text)
}

/// A date, a T, and a time with its distance to UTC.
fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return false;
    };
    date.len() == 10 && matches(&TIME_OF_DAY, time) && text.parse::<jiff::Timestamp>().is_ok()
}

/// Numbers with words for units somewhere.
fn is_spelled_duration(text: &str) -> bool {
    matches(&SPELLED_DURATION, text)
}

/// Of either family; the numbers of one may begin with zeros.
fn is_address(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok() || is_loose_ipv4(text)
}

fn is_loose_ipv4(text: &str) -> bool {
    let plain: Vec<_> = text
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            rest => rest,
        })
        .collect();
    plain.join(".").parse::<Ipv4Addr>().is_ok()
}

fn is_range(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let most = if address.contains(':') { 128 } else { 32 };
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    is_address(address) && is_number && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
}

/// As Go's parser of requests takes it: with a scheme, or a path from the root.
fn is_uri(text: &str) -> bool {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
        Some((before, _)) if !before.contains(['/', '?']) => return false,
        _ => ("", text),
    };
    let rest = rest.split('?').next().unwrap_or_default();
    let Some(hierarchy) = rest.strip_prefix('/') else {
        return !scheme.is_empty();
    };
    let path = match hierarchy.strip_prefix('/') {
        Some(authority) if !(scheme.is_empty() && authority.starts_with('/')) => {
            let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            if !is_host(host) {
                return false;
            }
            path
        }
        _ => hierarchy,
    };
    has_whole_escapes(path)
}

fn is_scheme(text: &str) -> bool {
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_of_scheme)
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((name, port)) => (name, port),
            None => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    let is_of_name =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:[]<>\"%".contains(c);
    is_port && name.chars().all(is_of_name) && has_whole_escapes(name)
}

fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// An address alone, or in angle brackets behind a name.
fn is_email(text: &str) -> bool {
    let text = text.trim();
    let address = match text.strip_suffix('>') {
        Some(rest) => match rest.rsplit_once('<') {
            Some((_, address)) => address,
            None => return false,
        },
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    (is_quoted || is_atoms(local)) && is_atoms(domain)
}

/// Words with points between them.
fn is_atoms(text: &str) -> bool {
    let is_of_atom =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_of_atom))
}

fn digits_of_uuid(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|each| *each != '-')
}

fn version_of_uuid(text: &str) -> Option<char> {
    digits_of_uuid(text).nth(12)
}

fn has_usual_variant(text: &str) -> bool {
    digits_of_uuid(text)
        .nth(16)
        .is_some_and(|digit| "89abAB".contains(digit))
}
