//! The one-time token that brings a new agent to its hub.
//!
//! It says where the hub is, which certificate authority to expect there, and which secret to show. The hub
//! stores only a hash of the secret. Its text form is `outhaul1.` and base64url without padding.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bincode::{Decode, Encode};

use crate::codec;
use crate::digest::Digest;

const PREFIX: &str = "outhaul1.";

/// More than any token that we make: an address is at most 253 bytes and a port.
const LIMIT: usize = 1024;

/// A parsed token.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Token {
    /// Address of the hub, `host:port`.
    pub hub: String,
    /// SHA-256 of the SubjectPublicKeyInfo (RFC 5280) of the hub's certificate authority.
    pub authority: Digest,
    /// Public part; names the token on the hub.
    pub id: String,
    /// Secret part.
    pub secret: [u8; 32],
}

/// Text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an enrolment token; copy the whole line that `outhaul plane token` printed")]
pub struct InvalidToken;

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let body = text.trim().strip_prefix(PREFIX).ok_or(InvalidToken)?;
        if body.len() > LIMIT * 2 {
            return Err(InvalidToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_not_base64| InvalidToken)?;
        codec::decode::<Self, LIMIT>(&bytes).map_err(|_damaged| InvalidToken)
    }
}

impl fmt::Display for Token {
    /// The text form, secret included: print it only where the operator asked for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(codec::encode(self)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("hub", &self.hub)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            hub: "hub.example:7443".into(),
            authority: Digest::of(b"authority"),
            id: "0123456789abcdef".into(),
            secret: [7; 32],
        }
    }

    #[test]
    fn a_token_reads_back_from_its_text_with_space_around_it() {
        let text = format!("  {}\n", token());
        assert_eq!(text.parse::<Token>(), Ok(token()));
    }

    #[test]
    fn a_cut_or_changed_token_is_refused() {
        let text = token().to_string();
        for end in 0..text.len() {
            assert_eq!(text[..end].parse::<Token>(), Err(InvalidToken));
        }
        assert_eq!(format!("{text}AAAA").parse::<Token>(), Err(InvalidToken));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", token()).contains("secret"));
    }
}
