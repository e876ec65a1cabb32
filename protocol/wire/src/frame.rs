//! Frames: a length of four bytes (big endian), then that many bytes of one encoded message.
//!
//! [`body_length`] checks the header before a byte is reserved for the body.

use bincode::{Decode, Encode};

use crate::codec::{self, DecodeError};

/// Bytes of the length in front of each frame.
pub const HEADER: usize = 4;

/// A frame that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The peer claims a frame that its stream does not allow.
    #[error("frame of {claimed} bytes, at most {limit} are allowed here")]
    TooLong {
        /// What the header says.
        claimed: usize,
        /// What the stream allows.
        limit: usize,
    },
    /// The frame is complete and no message.
    #[error("frame of {length} bytes cannot be decoded")]
    Message {
        /// Length of the frame.
        length: usize,
        /// Why not.
        #[source]
        source: DecodeError,
    },
}

/// The frame of `message`, header included.
///
/// # Errors
/// The message is longer than `LIMIT`: the caller put more into it than the limits of its lists allow.
pub fn encode<const LIMIT: usize>(message: &impl Encode) -> Result<Vec<u8>, FrameError> {
    let body = codec::encode(message);
    let length = checked::<LIMIT>(body.len())?;
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// The length of the body that follows `header`.
///
/// # Errors
/// It is more than `LIMIT`.
pub fn body_length<const LIMIT: usize>(header: [u8; HEADER]) -> Result<usize, FrameError> {
    let claimed = u32::from_be_bytes(header);
    let claimed = usize::try_from(claimed).unwrap_or(usize::MAX);
    checked::<LIMIT>(claimed)?;
    Ok(claimed)
}

/// The message in a frame's body.
///
/// # Errors
/// The body is damaged.
pub fn decode<T: Decode<()>, const LIMIT: usize>(body: &[u8]) -> Result<T, FrameError> {
    codec::decode::<T, LIMIT>(body).map_err(|source| FrameError::Message {
        length: body.len(),
        source,
    })
}

fn checked<const LIMIT: usize>(length: usize) -> Result<u32, FrameError> {
    let too_long = FrameError::TooLong {
        claimed: length,
        limit: LIMIT,
    };
    match u32::try_from(length) {
        Ok(fits) if length <= LIMIT => Ok(fits),
        _ => Err(too_long),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back() {
        let frame = encode::<64>(&"hello".to_owned()).unwrap();
        let (header, body) = frame.split_at(HEADER);
        let header = header.try_into().unwrap();
        assert_eq!(body_length::<64>(header).unwrap(), body.len());
        assert_eq!(decode::<String, 64>(body).unwrap(), "hello");
    }

    #[test]
    fn a_claim_of_four_gigabytes_is_refused_from_its_header() {
        let error = body_length::<1024>([0xff; 4]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "frame of 4294967295 bytes, at most 1024 are allowed here"
        );
    }

    #[test]
    fn an_oversized_message_is_refused_by_its_sender() {
        assert!(matches!(
            encode::<4>(&"hello".to_owned()),
            Err(FrameError::TooLong { .. })
        ));
    }
}
