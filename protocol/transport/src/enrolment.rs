//! The hub's side of the one thing that a connection without a certificate may do.
//!
//! One stream, one request, one answer, each at most [`ENROLMENT_FRAME`] long, all within [`ENROLMENT_TIME`].

use std::net::SocketAddr;

use outhaul_protocol_wire::enrolment::{Answer, Request};
use outhaul_protocol_wire::limits::{ENROLMENT_FRAME, ENROLMENT_TIME};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::close::{self, Close, Lost};
use crate::framed::{FrameReader, FrameWriter, ReadError, WriteError};

/// An enrolment ended without an answer. The connection is closed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// The stranger is lost.
    #[error("connection lost")]
    Lost(#[from] Lost),
    /// It took too long.
    #[error("not finished within {} s", ENROLMENT_TIME.as_secs())]
    TooSlow,
    /// Its request cannot be read.
    #[error("the request cannot be read")]
    Read(#[from] ReadError),
    /// The answer could not be sent.
    #[error("the answer could not be sent")]
    Write(#[from] WriteError),
}

/// A connection without a certificate. It counts against the few that may exist until it is dropped.
#[derive(Debug)]
pub struct Stranger {
    connection: quinn::Connection,
    deadline: Instant,
    _place: OwnedSemaphorePermit,
}

/// A request that waits for its answer.
pub struct Enrolling {
    /// What the stranger asks for.
    pub request: Request,
    stranger: Stranger,
    writer: FrameWriter<Answer, ENROLMENT_FRAME>,
}

impl Stranger {
    pub(crate) fn new(connection: quinn::Connection, place: OwnedSemaphorePermit) -> Self {
        // Its one stream is all it gets, and no more bytes than a request has.
        connection.set_max_concurrent_bi_streams(1_u32.into());
        Self {
            connection,
            deadline: Instant::now() + ENROLMENT_TIME,
            _place: place,
        }
    }

    /// Where its datagrams come from.
    pub fn remote_address(&self) -> SocketAddr {
        self.connection.remote_address()
    }

    /// Reads its request.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn request(self) -> Result<Enrolling, EnrolmentError> {
        let reading = async {
            let (send, receive) = self.connection.accept_bi().await.map_err(Lost::from)?;
            let mut reader = FrameReader::<Request, ENROLMENT_FRAME>::new(receive);
            let request = reader.read().await?.ok_or(ReadError::Abandoned)?;
            Ok((request, FrameWriter::new(send)))
        };
        let result = timeout_at(self.deadline, reading)
            .await
            .unwrap_or(Err(EnrolmentError::TooSlow));
        match result {
            Ok((request, writer)) => Ok(Enrolling {
                request,
                stranger: self,
                writer,
            }),
            Err(error) => Err(self.close(error)),
        }
    }

    fn close(&self, error: EnrolmentError) -> EnrolmentError {
        let why = match error {
            EnrolmentError::TooSlow => Close::TooSlow,
            EnrolmentError::Lost(_) | EnrolmentError::Read(_) | EnrolmentError::Write(_) => {
                Close::EnrolmentOnly
            }
        };
        let text = "without a certificate this connection may only enrol";
        close::close(&self.connection, why, &format!("{text}: {error}"));
        error
    }
}

impl Enrolling {
    /// Where its datagrams come from.
    pub fn remote_address(&self) -> SocketAddr {
        self.stranger.remote_address()
    }

    /// Answers, waits until the answer has arrived, and closes the connection.
    ///
    /// # Errors
    /// The answer could not be delivered in time. The same key may ask again.
    pub async fn answer(mut self, answer: &Answer) -> Result<(), EnrolmentError> {
        let answering = async {
            self.writer.write(answer).await?;
            self.writer.finish();
            self.writer.delivered().await;
            Ok(())
        };
        let result = timeout_at(self.stranger.deadline, answering)
            .await
            .unwrap_or(Err(EnrolmentError::TooSlow));
        match result {
            Ok(()) => {
                close::close(&self.stranger.connection, Close::Finished, "enrolment answered");
                Ok(())
            }
            Err(error) => Err(self.stranger.close(error)),
        }
    }
}
