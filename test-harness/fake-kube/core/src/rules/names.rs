//! What names may look like.

use std::net::IpAddr;

use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

pub(super) const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
     start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must \
     consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
     '*.example.com', regex used for validation is \
     '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// What is wrong with the name of an object of this kind.
pub(crate) fn check(kind: &Kind, name: &str) -> Option<FieldError> {
    let path = FieldPath::root().field("metadata").field("name");
    let invalid = |detail: String| Some(FieldError::invalid(path.clone(), name, detail));
    if name.is_empty() {
        return Some(FieldError::required(path, "name or generateName is required"));
    }
    if kind.traits.free_names {
        return complaint_of_segment(name).and_then(invalid);
    }
    if kind.traits.label_names && name.contains('.') {
        return invalid("must not contain dots".to_owned());
    }
    let (max, fits, rule) = if kind.traits.label_names {
        (63, is_label(name), LABEL)
    } else {
        (253, is_subdomain(name), SUBDOMAIN)
    };
    if name.len() > max {
        return invalid(format!("must be no more than {max} characters"));
    }
    if fits { None } else { invalid(rule.to_owned()) }
}

/// What is wrong with a name that only must fit into a path.
pub(crate) fn complaint_of_segment(name: &str) -> Option<String> {
    if matches!(name, "." | "..") {
        return Some(format!("may not be '{name}'"));
    }
    let at = name.find(['/', '%'])?;
    Some(format!("may not contain '{}'", &name[at..=at]))
}

/// What is wrong with the name of a host, which may stand for all below another.
pub(super) fn complaint_of_host(name: &str) -> Option<String> {
    if !name.contains('*') {
        return complaint_of_subdomain(name);
    }
    let is_wildcard = name.strip_prefix("*.").is_some_and(is_subdomain);
    (!is_wildcard).then(|| WILDCARD.to_owned())
}

/// What is wrong with an address.
pub(super) fn complaint_of_address(text: &str) -> Option<&'static str> {
    let clean: Vec<&str> = text.split('.').map(without_zeros).collect();
    let clean = clean.join(".");
    match clean.parse() {
        Ok(_) if clean != text => Some("must not have leading 0s"),
        Ok(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_some() => {
            Some("must not be an IPv4-mapped IPv6 address")
        }
        Ok(_) => None,
        Err(_) => Some("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
    }
}

/// A decimal number without zeros in front; anything else as it is.
pub(super) fn without_zeros(text: &str) -> &str {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let clean = text.trim_start_matches('0');
    match (is_number, clean) {
        (false, _) => text,
        (true, "") => &text[text.len() - 1..],
        (true, clean) => clean,
    }
}

/// What is wrong with a DNS label.
pub(super) fn complaint_of_label(name: &str) -> Option<String> {
    if name.len() > 63 {
        return Some("must be no more than 63 characters".to_owned());
    }
    if is_label(name) {
        return None;
    }
    Some(
        if is_subdomain(name) {
            "must not contain dots"
        } else {
            LABEL
        }
        .to_owned(),
    )
}

/// What is wrong with a DNS subdomain.
pub(super) fn complaint_of_subdomain(name: &str) -> Option<String> {
    if name.len() > 253 {
        return Some("must be no more than 253 characters".to_owned());
    }
    (!is_subdomain(name)).then(|| SUBDOMAIN.to_owned())
}

pub(crate) fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label_of_any_length)
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_label_of_any_length(text)
}

fn is_label_of_any_length(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|c| allowed(*c))
        && bytes.last().is_some_and(|c| allowed(*c))
        && bytes.iter().all(|c| allowed(*c) || *c == b'-')
}

#[cfg(test)]
mod tests {
    use crate::kind::GroupResource;
    use crate::registry::Registry;

    #[test]
    fn names_follow_the_rule_of_their_kind() {
        let registry = Registry::default();
        let check = |group: &str, resource: &str, name: &str, fits: bool| {
            let kind = registry.get(&GroupResource::new(group, resource)).unwrap();
            assert_eq!(super::check(kind, name).is_none(), fits, "{resource} {name}");
        };
        check("", "configmaps", "a.b-c.1", true);
        check("", "configmaps", "A", false);
        check("", "configmaps", "a..b", false);
        check("", "configmaps", &"a".repeat(254), false);
        check("", "namespaces", "a.b", false);
        check("rbac.authorization.k8s.io", "roles", "system:Node.x", true);
        check("rbac.authorization.k8s.io", "roles", "a/b", false);
    }
}
