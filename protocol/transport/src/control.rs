//! The control stream: version handshake, then the session's messages in both directions.
//!
//! The agent opens it as the first stream of the connection and offers the versions it speaks; the hub chooses one.

use outhaul_protocol_wire::limits::{CONTROL_FRAME, HANDSHAKE_TIME};
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};
use outhaul_protocol_wire::version::{CHOICE, Choice, NotOurs, OFFER, Offer};
use quinn::{ReadExactError, RecvStream, SendStream};
use tokio::time::timeout;

use crate::close::{Close, Lost};
use crate::framed::{self, FrameReader, FrameWriter};
use crate::link::{HubLink, Link, PlaneLink};

/// An open control stream that reads `R` and writes `W`. The halves are independent.
pub struct Control<R, W> {
    /// Messages of the peer.
    pub reader: FrameReader<R, CONTROL_FRAME>,
    /// Messages to the peer.
    pub writer: FrameWriter<W, CONTROL_FRAME>,
    /// The version both speak.
    pub version: u16,
}

/// No control stream came about.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The link is lost; if the peer closed it, with its words.
    #[error("link lost before the session began")]
    Lost(#[source] Lost),
    /// The peer took too long.
    #[error("the peer did not open the session within {} s", HANDSHAKE_TIME.as_secs())]
    TooSlow,
    /// The peer speaks something else.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
    /// The ends share no version; the text says who has to be upgraded.
    #[error("{0}")]
    VersionMismatch(String),
}

impl From<Lost> for ControlError {
    /// The hub's words about versions come with its close, which may overtake its choice.
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Closed {
                close: Close::VersionMismatch,
                text,
            } => Self::VersionMismatch(text),
            Lost::Closed { .. } | Lost::Here | Lost::Reset | Lost::TimedOut | Lost::Transport(_) => {
                Self::Lost(lost)
            }
        }
    }
}

impl HubLink {
    /// Opens the control stream, as the agent.
    ///
    /// # Errors
    /// The hub shares no version, is lost, or takes too long. The link is closed then.
    pub async fn open_control(&self) -> Result<Control<HubMessage, AgentMessage>, ControlError> {
        self.open_control_with(Offer::OURS).await
    }

    async fn open_control_with(
        &self,
        offer: Offer,
    ) -> Result<Control<HubMessage, AgentMessage>, ControlError> {
        let opening = async {
            let (mut send, mut receive) = self.connection.open_bi().await.map_err(Lost::from)?;
            send.write_all(&offer.to_bytes())
                .await
                .map_err(|error| self.lost(error))?;
            let bytes = self.exactly::<CHOICE>(&mut receive).await?;
            match Choice::from_bytes(bytes)? {
                Choice::Speak(version) => Ok(control(send, receive, version)),
                Choice::None => Err(self.closed().await.into()),
            }
        };
        self.within_handshake_time(opening).await
    }
}

impl PlaneLink {
    /// Waits for the agent's control stream and agrees on a version, as the hub.
    ///
    /// # Errors
    /// The agent shares no version, is lost, or takes too long. The link is closed then.
    pub async fn accept_control(&self) -> Result<Control<AgentMessage, HubMessage>, ControlError> {
        let accepting = async {
            let (mut send, mut receive) = self.connection.accept_bi().await.map_err(Lost::from)?;
            let offer = Offer::from_bytes(self.exactly::<OFFER>(&mut receive).await?)?;
            let (choice, result) = match offer.choose() {
                Ok(version) => (Choice::Speak(version), Ok(version)),
                Err(mismatch) => (
                    Choice::None,
                    Err(ControlError::VersionMismatch(mismatch.to_string())),
                ),
            };
            send.write_all(&choice.to_bytes())
                .await
                .map_err(|error| self.lost(error))?;
            result.map(|version| control(send, receive, version))
        };
        self.within_handshake_time(accepting).await
    }
}

impl<P> Link<P> {
    /// Runs the opening of a session; if it fails, closes the link with words.
    async fn within_handshake_time<T>(
        &self,
        opening: impl Future<Output = Result<T, ControlError>>,
    ) -> Result<T, ControlError> {
        let result = timeout(HANDSHAKE_TIME, opening)
            .await
            .unwrap_or(Err(ControlError::TooSlow));
        if let Err(error) = &result {
            let close = match error {
                ControlError::VersionMismatch(_) => Close::VersionMismatch,
                ControlError::NotOurs(_) => Close::Violation,
                ControlError::TooSlow | ControlError::Lost(_) => Close::TooSlow,
            };
            self.close(close, &error.to_string());
        }
        result
    }

    async fn exactly<const N: usize>(&self, receive: &mut RecvStream) -> Result<[u8; N], ControlError> {
        let mut bytes = [0; N];
        match receive.read_exact(&mut bytes).await {
            Ok(()) => Ok(bytes),
            Err(ReadExactError::FinishedEarly(_)) => Err(NotOurs.into()),
            Err(ReadExactError::ReadError(error)) => match framed::reading(error) {
                framed::ReadError::Lost(lost) => Err(lost.into()),
                framed::ReadError::Abandoned | framed::ReadError::Cut | framed::ReadError::Frame(_) => {
                    Err(NotOurs.into())
                }
            },
        }
    }

    fn lost(&self, error: quinn::WriteError) -> ControlError {
        match framed::writing(error) {
            framed::WriteError::Lost(lost) => lost.into(),
            framed::WriteError::Abandoned | framed::WriteError::Stalled | framed::WriteError::Frame(_) => {
                NotOurs.into()
            }
        }
    }
}

fn control<R, W>(send: SendStream, receive: RecvStream, version: u16) -> Control<R, W>
where
    R: bincode::Decode<()>,
    W: bincode::Encode,
{
    Control {
        reader: FrameReader::new(receive),
        writer: FrameWriter::new(send),
        version,
    }
}

#[cfg(test)]
mod tests;
