//! Why a connection ends: a code for programs and a text for operators, both in the QUIC close frame.

use core::fmt;

use quinn::{ConnectionError, VarInt};

/// Longest text that is sent or kept; it has to fit one datagram.
const TEXT: usize = 512;

/// Why a peer closed a connection. The numbers are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// It is finished, as announced on the control stream.
    Finished,
    /// It restarts or stops.
    Restarting,
    /// Its certificate was not accepted.
    CertificateRejected,
    /// Without a certificate, a connection may only enrol, within its limits.
    EnrolmentOnly,
    /// Too many enrolments at once.
    EnrolmentBusy,
    /// It took too long over the handshake or its first words.
    TooSlow,
    /// The ends share no version of the protocol.
    VersionMismatch,
    /// It broke the protocol.
    Violation,
    /// It did not read what was sent to it.
    Stalled,
    /// Another session of its plane is newer.
    Superseded,
    /// It is refused or was revoked, as said on the control stream.
    Refused,
    /// A code that this version does not know.
    Unknown(u64),
}

/// How a link was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The peer closed it.
    #[error("closed by the peer ({close}): {text}")]
    Closed {
        /// Its code.
        close: Close,
        /// Its text.
        text: String,
    },
    /// This end closed it.
    #[error("closed by this end")]
    Here,
    /// The peer lost its memory of the connection: its process was restarted.
    #[error("the peer restarted")]
    Reset,
    /// Nothing was heard of the peer for too long.
    #[error("nothing heard from the peer: is the address right, does UDP get through?")]
    TimedOut,
    /// Below the protocol, most often TLS.
    #[error("connection failed: {0}")]
    Transport(String),
}

impl Close {
    /// The code on the wire.
    pub fn code(self) -> u64 {
        match self {
            Self::Finished => 0,
            Self::Restarting => 1,
            Self::CertificateRejected => 2,
            Self::EnrolmentOnly => 3,
            Self::EnrolmentBusy => 4,
            Self::TooSlow => 5,
            Self::VersionMismatch => 6,
            Self::Violation => 7,
            Self::Stalled => 8,
            Self::Superseded => 9,
            Self::Refused => 10,
            Self::Unknown(code) => code,
        }
    }

    /// What a code on the wire means.
    pub fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Finished,
            1 => Self::Restarting,
            2 => Self::CertificateRejected,
            3 => Self::EnrolmentOnly,
            4 => Self::EnrolmentBusy,
            5 => Self::TooSlow,
            6 => Self::VersionMismatch,
            7 => Self::Violation,
            8 => Self::Stalled,
            9 => Self::Superseded,
            10 => Self::Refused,
            code => Self::Unknown(code),
        }
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Finished => "finished",
            Self::Restarting => "restarting",
            Self::CertificateRejected => "certificate rejected",
            Self::EnrolmentOnly => "enrolment only",
            Self::EnrolmentBusy => "too many enrolments",
            Self::TooSlow => "too slow",
            Self::VersionMismatch => "version mismatch",
            Self::Violation => "protocol violation",
            Self::Stalled => "stalled",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
            Self::Unknown(code) => return write!(f, "code {code}"),
        };
        f.write_str(text)
    }
}

impl Lost {
    /// Whether the peer itself said or showed that its process restarts: then its whole fleet dials again now.
    pub fn is_restart(&self) -> bool {
        match self {
            Self::Reset => true,
            Self::Closed { close, .. } => *close == Close::Restarting,
            Self::Here | Self::TimedOut | Self::Transport(_) => false,
        }
    }
}

impl From<ConnectionError> for Lost {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(closed) => Self::Closed {
                close: Close::from_code(closed.error_code.into_inner()),
                text: readable(&closed.reason),
            },
            ConnectionError::LocallyClosed => Self::Here,
            ConnectionError::Reset => Self::Reset,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::VersionMismatch
            | ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::CidsExhausted => Self::Transport(error.to_string()),
        }
    }
}

/// Closes `connection` with a code and a text.
pub(crate) fn close(connection: &quinn::Connection, why: Close, text: &str) {
    let code = VarInt::from_u64(why.code()).unwrap_or(VarInt::MAX);
    let end = text.floor_char_boundary(TEXT);
    connection.close(code, &text.as_bytes()[..end]);
}

/// Text of a stranger, fit for a log line.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT)])
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_pinned_and_read_back() {
        for (code, close) in [
            (0, Close::Finished),
            (1, Close::Restarting),
            (2, Close::CertificateRejected),
            (3, Close::EnrolmentOnly),
            (4, Close::EnrolmentBusy),
            (5, Close::TooSlow),
            (6, Close::VersionMismatch),
            (7, Close::Violation),
            (8, Close::Stalled),
            (9, Close::Superseded),
            (10, Close::Refused),
            (11, Close::Unknown(11)),
        ] {
            assert_eq!((close.code(), Close::from_code(code)), (code, close));
        }
    }

    #[test]
    fn a_strangers_text_stays_on_one_line() {
        assert_eq!(readable(b"a\nb\x1b[31m\xff"), "a b [31m\u{fffd}");
        assert_eq!(readable(&[b'x'; 2000]).len(), TEXT);
    }
}
