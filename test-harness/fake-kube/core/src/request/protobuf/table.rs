//! The checked-in table of messages: field numbers, names and types.
//!
//! Written by the example `reduce-protobuf`. A line `= NAME` begins a message; below it each field is a line
//! `NUMBER NAME TYPE FLAGS`, with `*` for repeated, `?` for a pointer and `^` for a field that JSON inlines.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::meta;

const TEXT: &str = include_str!("../../../schemas/protobuf-1.37.txt");

/// Fields of all messages, by message and number; parsed at the first protobuf body.
pub(super) static TABLE: LazyLock<HashMap<&'static str, BTreeMap<u32, Field>>> = LazyLock::new(parse);

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// A scalar, a message, or `map:` and the type of its values.
    pub(super) kind: &'static str,
    pub(super) repeated: bool,
    pub(super) pointer: bool,
    pub(super) inline: bool,
}

fn parse() -> HashMap<&'static str, BTreeMap<u32, Field>> {
    let mut table: HashMap<&str, BTreeMap<u32, Field>> = HashMap::new();
    let mut message = "";
    for line in TEXT.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["=", name] => {
                message = name;
                table.entry(name).or_default();
            }
            [number, name, kind, flags @ ..] => {
                let flags = flags.concat();
                let field = Field {
                    name,
                    kind,
                    repeated: flags.contains('*'),
                    pointer: flags.contains('?'),
                    inline: flags.contains('^'),
                };
                if let Ok(number) = number.parse() {
                    table.entry(message).or_default().insert(number, field);
                }
            }
            _ => {}
        }
    }
    table
}

/// The message of a kind. Packages are the group's first word, but for the core group.
pub(super) fn message_of(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, version) = meta::split_api_version(api_version);
    let package = match group.split('.').next().unwrap_or_default() {
        "" => "core",
        first => first,
    };
    let machinery = format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}");
    let own = format!("io.k8s.api.{package}.{version}.{kind}");
    let found = TABLE
        .get_key_value(own.as_str())
        .or_else(|| TABLE.get_key_value(machinery.as_str()));
    found.map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_a_field_names_is_there() {
        let scalar = |kind: &str| !kind.contains('.');
        for field in TABLE.values().flat_map(BTreeMap::values) {
            let kind = field.kind.trim_start_matches("map:");
            assert!(scalar(kind) || TABLE.contains_key(kind), "{kind}");
        }
    }

    #[test]
    fn built_in_kinds_have_messages() {
        for (api_version, kind) in [
            ("v1", "Secret"),
            ("apps/v1", "StatefulSet"),
            ("rbac.authorization.k8s.io/v1", "ClusterRole"),
            ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
            ("v1", "DeleteOptions"),
        ] {
            assert!(message_of(api_version, kind).is_some(), "{api_version} {kind}");
        }
    }
}
