//! What a NetworkPolicy lets through: ports, and peers by selectors or addresses.

use std::net::IpAddr;

use serde_json::Value;

use super::fields::complaints_of_port;
use super::names::without_zeros;
use super::places::{self, Place};
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
const TYPES: [&str; 2] = ["Ingress", "Egress"];

/// What is wrong with the rules of a policy, which replaces `old` or is new, beside their selectors.
pub(super) fn check(kind: &Kind, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    if !kind.is("networking.k8s.io", "NetworkPolicy") {
        return Vec::new();
    }
    let spec = FieldPath::root().field("spec");
    let place = |field: &str| (spec.field(field), Some(&object["spec"][field]));
    let known = old.map(addresses).unwrap_or_default();
    let mut errors = Vec::new();
    for (rules, peers) in [("ingress", "from[]"), ("egress", "to[]")] {
        for rule in places::items(place(rules)) {
            let ports = places::all(rule.clone(), "ports[]");
            errors.extend(ports.iter().flat_map(check_port));
            let peers = places::all(rule, peers);
            errors.extend(peers.iter().flat_map(|peer| check_peer(peer, &known)));
        }
    }
    let types = places::items(place("policyTypes"));
    if types.len() > TYPES.len() {
        let detail = "may not specify more than two policyTypes";
        let value = object["spec"]["policyTypes"].clone();
        errors.push(FieldError::invalid(spec.field("policyTypes"), value, detail));
        return errors;
    }
    let unknown = types.into_iter().filter_map(|(path, value)| {
        let given = value?.as_str()?;
        (!TYPES.contains(&given)).then(|| FieldError::unsupported(path, given, &TYPES))
    });
    errors.extend(unknown);
    errors
}

/// The blocks of addresses that a policy has: they stay allowed, whatever they look like.
fn addresses(policy: &Value) -> Vec<&str> {
    let start = (FieldPath::root(), Some(policy));
    let paths = ["spec.ingress[].from[].ipBlock", "spec.egress[].to[].ipBlock"];
    let blocks = paths.iter().flat_map(|path| places::all(start.clone(), path));
    let texts = blocks.filter_map(|(_, block)| block).flat_map(|block| {
        let except = block["except"].as_array().into_iter().flatten();
        except.chain([&block["cidr"]])
    });
    texts.filter_map(Value::as_str).collect()
}

fn check_port((path, port): &Place<'_>) -> Vec<FieldError> {
    let Some(port) = port else { return Vec::new() };
    let mut errors = Vec::new();
    if let Some(given) = port["protocol"]
        .as_str()
        .filter(|given| !PROTOCOLS.contains(given))
    {
        errors.push(FieldError::unsupported(path.field("protocol"), given, &PROTOCOLS));
    }
    let end = port["endPort"].as_i64();
    let invalid_end = |end: i64, detail: &str| FieldError::invalid(path.field("endPort"), end, detail);
    match &port["port"] {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            errors.extend(check_number(path.field("port"), number));
            if let Some(end) = end {
                let is_before = end < number;
                errors.extend(is_before.then(|| invalid_end(end, "must be greater than or equal to `port`")));
                errors.extend(check_number(path.field("endPort"), end));
            }
        }
        Value::String(name) => {
            errors.extend(end.map(|end| invalid_end(end, "may not be specified when `port` is non-numeric")));
            let complaints = complaints_of_port(name).into_iter();
            errors.extend(complaints.map(|why| FieldError::invalid(path.field("port"), &**name, why)));
        }
        _ => errors
            .extend(end.map(|end| invalid_end(end, "may not be specified when `port` is not specified"))),
    }
    errors
}

fn check_number(path: FieldPath, number: i64) -> Option<FieldError> {
    let detail = "must be between 1 and 65535, inclusive";
    (!(1..=65_535).contains(&number)).then(|| FieldError::invalid(path, number, detail))
}

fn check_peer((path, peer): &Place<'_>, known: &[&str]) -> Vec<FieldError> {
    let Some(peer) = peer else { return Vec::new() };
    let is_given = |field: &str| peer[field].is_object();
    let selects = is_given("podSelector") || is_given("namespaceSelector");
    let mut errors = Vec::new();
    if is_given("ipBlock") {
        errors.extend(check_block(&path.field("ipBlock"), &peer["ipBlock"], known));
        let detail = "may not specify both ipBlock and another peer";
        errors.extend(selects.then(|| FieldError::forbidden(path.clone(), detail)));
    } else if !selects {
        errors.push(FieldError::required(path.clone(), "must specify a peer"));
    }
    errors
}

/// A block must be written cleanly, and what it excepts lie inside.
fn check_block(path: &FieldPath, block: &Value, known: &[&str]) -> Vec<FieldError> {
    let place = path.field("cidr");
    let cidr = block["cidr"].as_str().unwrap_or_default();
    if cidr.is_empty() {
        return vec![FieldError::required(place, "")];
    }
    let mut errors: Vec<FieldError> = check_cidr(place, cidr, known).into_iter().collect();
    let Some(outer) = Block::parse(cidr) else {
        return errors;
    };
    for (path, except) in places::items((path.field("except"), Some(&block["except"]))) {
        let except = except.and_then(Value::as_str).unwrap_or_default();
        errors.extend(check_cidr(path.clone(), except, known));
        let Some(inner) = Block::parse(except) else {
            continue;
        };
        if !outer.contains(&inner) {
            errors.push(FieldError::invalid(
                path,
                except,
                "must be a strict subset of `cidr`",
            ));
        }
    }
    errors
}

fn check_cidr(path: FieldPath, text: &str, known: &[&str]) -> Option<FieldError> {
    if known.contains(&text) {
        return None;
    }
    let detail = match Block::parse(text) {
        None => "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        Some(block) if block.has_leading_zeros => "must not have leading 0s in IP or prefix length",
        Some(block) if block.is_mapped => "must not have an IPv4-mapped IPv6 address",
        Some(block) if block.bits != block.masked() => "must not have bits set beyond the prefix length",
        Some(_) => return None,
    };
    Some(FieldError::invalid(path, text, detail))
}

/// Addresses with a common beginning.
#[derive(Debug)]
struct Block {
    bits: u128,
    /// Bits of an address.
    size: u32,
    /// Bits that all its addresses have in common.
    prefix: u32,
    has_leading_zeros: bool,
    /// It is of the older kind, written as of the newer one.
    is_mapped: bool,
}

impl Block {
    /// Reads also what is written sloppily, with zeros in front.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let parts: Vec<&str> = address.split('.').map(without_zeros).collect();
        let clean = parts.join(".");
        let (bits, size, is_mapped) = match clean.parse().ok()? {
            IpAddr::V4(v4) => (v4.to_bits().into(), 32, false),
            IpAddr::V6(v6) => (v6.to_bits(), 128, v6.to_ipv4_mapped().is_some()),
        };
        let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = length
            .parse()
            .ok()
            .filter(|prefix| is_number && *prefix <= size)?;
        Some(Self {
            bits,
            size,
            prefix,
            has_leading_zeros: clean != address || without_zeros(length) != length,
            is_mapped,
        })
    }

    fn masked(&self) -> u128 {
        let rest = self.size - self.prefix;
        self.bits
            .checked_shr(rest)
            .unwrap_or(0)
            .checked_shl(rest)
            .unwrap_or(0)
    }

    /// Whether all of the other are among these, and not all of these among the other.
    fn contains(&self, other: &Self) -> bool {
        let rest = self.size - self.prefix;
        let common = |block: &Self| block.bits.checked_shr(rest).unwrap_or(0);
        self.size == other.size && self.prefix < other.prefix && common(self) == common(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_as_they_are_meant() {
        let complaint = |text: &str| {
            let error = check_cidr(FieldPath::root(), text, &["1"])?;
            Some(error.message().rsplit_once(": ")?.1.to_owned())
        };
        for (text, expected) in [
            ("192.0.2.0/24", None),
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("2001:db8::/64", None),
            ("1", None),
            (
                "192.0.2.0/33",
                Some("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"),
            ),
            (
                "192.0.2.1/24",
                Some("must not have bits set beyond the prefix length"),
            ),
            (
                "192.0.02.0/24",
                Some("must not have leading 0s in IP or prefix length"),
            ),
            (
                "192.0.2.0/024",
                Some("must not have leading 0s in IP or prefix length"),
            ),
            (
                "::ffff:192.0.2.0/120",
                Some("must not have an IPv4-mapped IPv6 address"),
            ),
        ] {
            assert_eq!(complaint(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_smaller_blocks_are_exceptions() {
        let contains = |outer, inner| {
            let parse = |text| Block::parse(text).expect("a block");
            parse(outer).contains(&parse(inner))
        };
        assert!(contains("192.0.2.0/24", "192.0.2.128/25"));
        assert!(contains("0.0.0.0/0", "192.0.2.0/24"));
        assert!(!contains("192.0.2.0/24", "192.0.2.0/24"));
        assert!(!contains("192.0.2.0/24", "198.51.100.0/25"));
        assert!(!contains("::/0", "192.0.2.0/24"));
    }
}
