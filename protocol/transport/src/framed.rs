//! Typed frames over one QUIC stream, each direction on its own.

use core::marker::PhantomData;
use core::time::Duration;

use bincode::{Decode, Encode};
use outhaul_protocol_wire::frame::{self, FrameError, HEADER};
use quinn::{RecvStream, SendStream};
use tokio::time::timeout;

use crate::close::Lost;

/// How long a peer may take none of the bytes that wait for it.
pub const STALL: Duration = Duration::from_secs(30);

/// Bytes written at a time: what counts as progress on a slow link.
const PIECE: usize = 16 * 1024;

/// A frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The link is lost.
    #[error("link lost")]
    Lost(#[from] Lost),
    /// The peer gave the stream up.
    #[error("the peer gave up the stream")]
    Abandoned,
    /// The stream ended within a frame.
    #[error("the stream ended within a frame")]
    Cut,
    /// The frame is too long or damaged.
    #[error("the peer broke the protocol")]
    Frame(#[from] FrameError),
}

/// A frame could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The link is lost.
    #[error("link lost")]
    Lost(#[from] Lost),
    /// The peer gave the stream up.
    #[error("the peer gave up the stream")]
    Abandoned,
    /// The peer reads nothing.
    #[error("the peer has read nothing for {} s", STALL.as_secs())]
    Stalled,
    /// The message is longer than its frame may be: a bug of this end.
    #[error("the message is too long")]
    Frame(#[from] FrameError),
}

/// Reads frames of at most `LIMIT` bytes.
pub struct FrameReader<M, const LIMIT: usize> {
    stream: RecvStream,
    /// Header and body of the frame under way, as far as they have come.
    partial: Vec<u8>,
    message: PhantomData<fn() -> M>,
}

impl<M: Decode<()>, const LIMIT: usize> FrameReader<M, LIMIT> {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            partial: Vec::new(),
            message: PhantomData,
        }
    }

    /// The next message; none when the peer has finished the stream.
    ///
    /// Memory grows with what has come, not with what the header claims.
    ///
    /// # Cancel safety
    /// What was read stays for the next call.
    ///
    /// # Errors
    /// The link is lost, or the peer broke the protocol. The reader is of no use then.
    pub async fn read(&mut self) -> Result<Option<M>, ReadError> {
        loop {
            let missing = self.missing()?;
            if missing == 0 {
                let message = frame::decode::<M, LIMIT>(&self.partial[HEADER..])?;
                // An idle link keeps no buffer.
                self.partial = Vec::new();
                return Ok(Some(message));
            }
            match self.stream.read_chunk(missing, true).await.map_err(reading)? {
                Some(chunk) => self.partial.extend_from_slice(&chunk.bytes),
                None if self.partial.is_empty() => return Ok(None),
                None => return Err(ReadError::Cut),
            }
        }
    }

    /// Bytes to the end of the header, then to the end of the frame. The header is checked as soon as it is there.
    fn missing(&self) -> Result<usize, FrameError> {
        match self.partial.first_chunk::<HEADER>() {
            None => Ok(HEADER - self.partial.len()),
            Some(header) => Ok(HEADER + frame::body_length::<LIMIT>(*header)? - self.partial.len()),
        }
    }
}

/// Writes frames of at most `LIMIT` bytes.
pub struct FrameWriter<M, const LIMIT: usize> {
    stream: SendStream,
    message: PhantomData<fn(M)>,
}

impl<M: Encode, const LIMIT: usize> FrameWriter<M, LIMIT> {
    pub(crate) fn new(stream: SendStream) -> Self {
        Self {
            stream,
            message: PhantomData,
        }
    }

    /// Writes a message; returns when it is on its way, within the peer's flow control. So at most one message waits
    /// here, and a peer that does not read ends the wait after [`STALL`].
    ///
    /// # Cancel safety
    /// None: a frame may be cut. Let it end, or close the link.
    ///
    /// # Errors
    /// The link is lost or the peer reads nothing.
    pub async fn write(&mut self, message: &M) -> Result<(), WriteError> {
        let frame = frame::encode::<LIMIT>(message)?;
        for piece in frame.chunks(PIECE) {
            match timeout(STALL, self.stream.write_all(piece)).await {
                Ok(written) => written.map_err(writing)?,
                Err(_elapsed) => return Err(WriteError::Stalled),
            }
        }
        Ok(())
    }

    /// Says that nothing more comes.
    pub fn finish(&mut self) {
        // Closed already means that nobody is left to tell.
        self.stream.finish().ok();
    }

    /// Waits until the peer has everything, or is gone.
    pub async fn delivered(&mut self) {
        self.stream.stopped().await.ok();
    }
}

pub(crate) fn reading(error: quinn::ReadError) -> ReadError {
    match error {
        quinn::ReadError::ConnectionLost(lost) => ReadError::Lost(lost.into()),
        quinn::ReadError::Reset(_)
        | quinn::ReadError::ClosedStream
        | quinn::ReadError::IllegalOrderedRead
        | quinn::ReadError::ZeroRttRejected => ReadError::Abandoned,
    }
}

pub(crate) fn writing(error: quinn::WriteError) -> WriteError {
    match error {
        quinn::WriteError::ConnectionLost(lost) => WriteError::Lost(lost.into()),
        quinn::WriteError::Stopped(_)
        | quinn::WriteError::ClosedStream
        | quinn::WriteError::ZeroRttRejected => WriteError::Abandoned,
    }
}

#[cfg(test)]
mod tests;
