//! Formats of text. Those that the API server does not know are ignored by it, and here.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether `text` has the format `name`.
pub(super) fn is_valid(name: &str, text: &str) -> bool {
    match name {
        "byte" => STANDARD.decode(text).is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uuid" => is_uuid(text),
        _ => true,
    }
}

/// With or without dashes.
fn is_uuid(text: &str) -> bool {
    let digits: Vec<char> = text.chars().filter(|each| *each != '-').collect();
    let has_dashes = [8, 13, 18, 23]
        .iter()
        .all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    digits.len() == 32
        && digits.iter().all(char::is_ascii_hexdigit)
        && (text.len() == 32 || (text.len() == 36 && has_dashes))
}
