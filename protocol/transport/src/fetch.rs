//! One stream per content, so that a large bundle never delays a small one.

use outhaul_protocol_wire::content::{Fetch, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::limits::{FETCH_FRAME, HANDSHAKE_TIME};
use tokio::time::timeout;

use crate::close::Lost;
use crate::framed::{FrameReader, FrameWriter, ReadError, WriteError};
use crate::link::{HubLink, PlaneLink};

/// Bytes of a request: a digest, and what the encoding may add to it.
const REQUEST: usize = 64;

/// A fetch that came to no answer. Trying it again on the same link makes sense only for [`FetchError::Read`] with
/// an abandoned stream.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The request could not be sent.
    #[error("cannot ask for content")]
    Write(#[from] WriteError),
    /// The answer could not be read.
    #[error("cannot read content")]
    Read(#[from] ReadError),
    /// The peer took too long to say its part.
    #[error("the peer did not go on within {} s", HANDSHAKE_TIME.as_secs())]
    TooSlow,
}

impl HubLink {
    /// Asks the hub for the content with this digest. At most a handful run at once: the hub allows no more streams,
    /// and a further call waits.
    ///
    /// # Errors
    /// No answer.
    pub async fn fetch(&self, digest: Digest) -> Result<Fetched, FetchError> {
        let (send, receive) = self
            .connection
            .open_bi()
            .await
            .map_err(|error| WriteError::Lost(error.into()))?;
        let mut writer = FrameWriter::<Fetch, REQUEST>::new(send);
        writer.write(&Fetch { digest }).await?;
        writer.finish();
        let mut reader = FrameReader::<Fetched, FETCH_FRAME>::new(receive);
        match reader.read().await? {
            Some(fetched) => Ok(fetched),
            None => Err(ReadError::Abandoned.into()),
        }
    }
}

/// An agent's request for content, on a stream of its own.
pub struct IncomingFetch {
    reader: FrameReader<Fetch, REQUEST>,
    writer: FrameWriter<Fetched, FETCH_FRAME>,
}

impl PlaneLink {
    /// Waits for the next request. Call it only after [`PlaneLink::accept_control`]: that is the first stream.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Errors
    /// The link is lost.
    pub async fn accept_fetch(&self) -> Result<IncomingFetch, Lost> {
        let (send, receive) = self.connection.accept_bi().await?;
        Ok(IncomingFetch {
            reader: FrameReader::new(receive),
            writer: FrameWriter::new(send),
        })
    }
}

impl IncomingFetch {
    /// What the agent asks for.
    ///
    /// # Errors
    /// The agent did not say it, or not in time.
    pub async fn digest(&mut self) -> Result<Digest, FetchError> {
        let request = timeout(HANDSHAKE_TIME, self.reader.read())
            .await
            .map_err(|_elapsed| FetchError::TooSlow)??;
        request
            .map(|fetch| fetch.digest)
            .ok_or(FetchError::Read(ReadError::Abandoned))
    }

    /// Answers, and ends the stream.
    ///
    /// # Errors
    /// The agent is lost or does not read.
    pub async fn answer(mut self, fetched: &Fetched) -> Result<(), FetchError> {
        self.writer.write(fetched).await?;
        self.writer.finish();
        Ok(())
    }
}
