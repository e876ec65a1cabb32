//! The one place that knows `bincode`: values to bytes and back, with a limit before any allocation.
//!
//! Integers are variable-length, trailing bytes are an error, and a length prefix is checked against the limit
//! before memory is reserved for it.

use bincode::config::{self, Config};
use bincode::{Decode, Encode};

/// Bytes that are no message.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes do not follow the form of the type, or claim more than the limit.
    #[error("damaged or oversized message")]
    Damaged(#[source] bincode::error::DecodeError),
    /// The value ended before the bytes did.
    #[error("{0} bytes follow the message")]
    Trailing(usize),
}

/// The bytes of `value`.
pub fn encode(value: &impl Encode) -> Vec<u8> {
    bincode::encode_to_vec(value, config::standard()).expect("encoding to memory cannot fail")
}

/// The value in `bytes`, which may claim at most `LIMIT` bytes of memory.
///
/// # Errors
/// The bytes are damaged, claim more than `LIMIT`, or go on after the value.
pub fn decode<T: Decode<()>, const LIMIT: usize>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, read) =
        bincode::decode_from_slice(bytes, limited::<LIMIT>()).map_err(DecodeError::Damaged)?;
    match bytes.len() - read {
        0 => Ok(value),
        rest => Err(DecodeError::Trailing(rest)),
    }
}

fn limited<const LIMIT: usize>() -> impl Config {
    config::standard().with_limit::<LIMIT>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_length_beyond_the_limit_is_refused_before_it_is_reserved() {
        let mut bytes = vec![253]; // a u64 follows: the length of a byte vector
        bytes.extend((u64::MAX / 4).to_le_bytes());
        assert!(matches!(
            decode::<Vec<u8>, 1024>(&bytes),
            Err(DecodeError::Damaged(_))
        ));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = encode(&7_u32);
        bytes.push(0);
        assert!(matches!(decode::<u32, 16>(&bytes), Err(DecodeError::Trailing(1))));
    }
}
