//! The first bytes of a control stream, before any encoded message: which versions of this protocol a peer speaks.
//!
//! Their form never changes, so that peers who share no version can still tell each other so in words. The agent
//! sends an [`Offer`] of 8 bytes; the hub answers with a [`Choice`] of 4, and then speaks the chosen version or
//! closes the connection with a text for the operator.

/// The version that this build speaks.
pub const CURRENT: u16 = 2;

/// The oldest version that this build still speaks. No release spoke version 1; its agents would not know what runs once,
/// and would apply it again and again, and its hubs could not read why an object is stuck.
pub const OLDEST: u16 = 2;

/// Bytes of an offer: `OUTH`, oldest and newest version, both big endian.
pub const OFFER: usize = 8;

/// Bytes of a choice: `OH`, and the version, big endian; zero means none.
pub const CHOICE: usize = 4;

/// The versions that the agent speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Oldest.
    pub oldest: u16,
    /// Newest.
    pub newest: u16,
}

/// What the hub chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Both speak this version now.
    Speak(u16),
    /// No version in common.
    None,
}

/// Bytes that are no handshake of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer does not speak this protocol")]
pub struct NotOurs;

/// Why there is no common version, for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The agent is behind.
    #[error(
        "agent speaks protocol versions {} to {}, the hub needs {} or newer: upgrade the agent (its workloads run on)",
        .0.oldest, .0.newest, OLDEST
    )]
    AgentTooOld(Offer),
    /// The agent is ahead.
    #[error(
        "agent speaks protocol versions {} to {}, the hub at most {}: upgrade the hub (the plane's workloads run on)",
        .0.oldest, .0.newest, CURRENT
    )]
    AgentTooNew(Offer),
}

impl Offer {
    /// What this build offers.
    pub const OURS: Self = Self {
        oldest: OLDEST,
        newest: CURRENT,
    };

    /// The bytes of the offer.
    pub fn to_bytes(self) -> [u8; OFFER] {
        let [a, b] = self.oldest.to_be_bytes();
        let [c, d] = self.newest.to_be_bytes();
        [b'O', b'U', b'T', b'H', a, b, c, d]
    }

    /// # Errors
    /// The bytes are no offer.
    pub fn from_bytes(bytes: [u8; OFFER]) -> Result<Self, NotOurs> {
        match bytes {
            [b'O', b'U', b'T', b'H', a, b, c, d] => Ok(Self {
                oldest: u16::from_be_bytes([a, b]),
                newest: u16::from_be_bytes([c, d]),
            }),
            _ => Err(NotOurs),
        }
    }

    /// The newest version that both speak.
    ///
    /// # Errors
    /// There is none; the error says who has to be upgraded.
    pub fn choose(self) -> Result<u16, Mismatch> {
        if self.newest < OLDEST {
            return Err(Mismatch::AgentTooOld(self));
        }
        if self.oldest > CURRENT {
            return Err(Mismatch::AgentTooNew(self));
        }
        Ok(self.newest.min(CURRENT))
    }
}

impl Choice {
    /// The bytes of the choice.
    pub fn to_bytes(self) -> [u8; CHOICE] {
        let version = match self {
            Self::Speak(version) => version,
            Self::None => 0,
        };
        let [a, b] = version.to_be_bytes();
        [b'O', b'H', a, b]
    }

    /// # Errors
    /// The bytes are no choice.
    pub fn from_bytes(bytes: [u8; CHOICE]) -> Result<Self, NotOurs> {
        match bytes {
            [b'O', b'H', 0, 0] => Ok(Self::None),
            [b'O', b'H', a, b] => Ok(Self::Speak(u16::from_be_bytes([a, b]))),
            _ => Err(NotOurs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_chosen() {
        assert_eq!(Offer::OURS.choose(), Ok(CURRENT));
        assert_eq!(Offer { oldest: 1, newest: 9 }.choose(), Ok(CURRENT));
        assert_eq!(
            Offer {
                oldest: OLDEST,
                newest: OLDEST
            }
            .choose(),
            Ok(OLDEST)
        );
    }

    #[test]
    fn whoever_is_behind_is_told_to_upgrade() {
        let too_old = Offer { oldest: 1, newest: 1 }.choose().unwrap_err().to_string();
        assert!(too_old.contains("upgrade the agent"), "{too_old}");
        let too_new = Offer { oldest: 9, newest: 9 }.choose().unwrap_err().to_string();
        assert!(too_new.contains("upgrade the hub"), "{too_new}");
    }

    #[test]
    fn the_bytes_of_the_handshake_never_change() {
        assert_eq!(
            Offer { oldest: 1, newest: 2 }.to_bytes(),
            *b"OUTH\x00\x01\x00\x02"
        );
        assert_eq!(Choice::Speak(1).to_bytes(), *b"OH\x00\x01");
        assert_eq!(Choice::None.to_bytes(), *b"OH\x00\x00");
        assert_eq!(Offer::from_bytes(*b"GET / HT"), Err(NotOurs));
        assert_eq!(Choice::from_bytes(*b"HTTP"), Err(NotOurs));
    }
}
