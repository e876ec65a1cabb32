//! Names and counters, one type each, so that two of them never change places in a signature.

use core::fmt;

use bincode::{Decode, Encode};

use crate::limits;

/// A text that is no name: empty, too long, or with bytes that the name may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} is not valid: {rule}")]
pub struct InvalidName {
    what: &'static str,
    text: String,
    rule: &'static str,
}

/// The name of a `Plane`: an RFC 1123 DNS subdomain, at most 253 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PlaneName(String);

impl PlaneName {
    /// # Errors
    /// The text is not an RFC 1123 DNS subdomain.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if is_dns_subdomain(&text) {
            return Ok(Self(text));
        }
        let rule =
            "use lower-case letters, digits, '-' and '.', at most 253, first and last a letter or digit";
        Err(InvalidName {
            what: "plane name",
            text: truncated(&text),
            rule,
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who the hub is: minted with its certificate authority and never changed. Lower-case hex, 32 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct HubId(String);

impl HubId {
    /// A hub id from 16 random bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(crate::digest::hex(&bytes))
    }

    /// # Errors
    /// The text is not 32 lower-case hex digits.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(hex) {
            return Ok(Self(text));
        }
        Err(InvalidName {
            what: "hub id",
            text: truncated(&text),
            rule: "it is 32 lower-case hex digits",
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The uid that an API server gave to an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Uid(String);

impl Uid {
    /// # Errors
    /// The text is empty or longer than [`limits::UID_BYTES`].
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if !text.is_empty() && text.len() <= limits::UID_BYTES {
            return Ok(Self(text));
        }
        Err(InvalidName {
            what: "uid",
            text: truncated(&text),
            rule: "it has 1 to 128 bytes",
        })
    }

    /// The uid as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Raised by an operator after the control plane was restored from a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch that follows a restore at this time, in Unix seconds. A backup may be older than the epochs that were
    /// set since: the time is beyond them all.
    pub fn after_restore(self, unix_time: u64) -> Self {
        Self(self.0.saturating_add(1).max(unix_time))
    }
}

/// `metadata.generation` of a resource in the control plane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Generation(pub u64);

/// How often a resource has been sent to another plane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Move(pub u64);

/// Which session of a plane is the newer one: the agent's boot, then the dial within it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Term {
    /// Counts starts of the agent; kept in its store.
    pub boot: u64,
    /// Counts connections since that start.
    pub dial: u64,
}

macro_rules! display_as_text {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

macro_rules! display_as_number {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

display_as_text!(PlaneName, HubId, Uid);
display_as_number!(Epoch, Generation, Move);

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.boot, self.dial)
    }
}

fn is_dns_subdomain(text: &str) -> bool {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        bytes.first().is_some_and(alphanumeric)
            && bytes.last().is_some_and(alphanumeric)
            && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
    };
    text.len() <= limits::NAME_BYTES && text.split('.').all(label)
}

/// Enough of a wrong text to recognise it.
fn truncated(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_after_a_restore_is_beyond_every_former_one() {
        let cases = [
            (1, 1_800_000_000, 1_800_000_000),
            (7, 0, 8),
            (1_900_000_000, 1_800_000_000, 1_900_000_001),
        ];
        for (stored, time, expected) in cases {
            assert_eq!(Epoch(stored).after_restore(time), Epoch(expected));
        }
    }

    #[test]
    fn plane_names_are_dns_subdomains() {
        for good in ["a", "prod-eu-1", "eu.prod", "0"] {
            assert_eq!(PlaneName::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(254);
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a..b",
            ".a",
            "a_b",
            "a/b",
            "ä",
            long.as_str(),
        ] {
            assert!(PlaneName::new(bad).is_err(), "{bad:?} was taken for a plane name");
        }
    }

    #[test]
    fn terms_order_by_boot_then_dial() {
        let newer = Term { boot: 2, dial: 1 };
        assert!(newer > Term { boot: 1, dial: 9 });
        assert!(newer < Term { boot: 2, dial: 2 });
        assert_eq!(newer.to_string(), "2.1");
    }
}
