//! What a peer may not do. The driver closes the connection with the text.

use outhaul_protocol_wire::head::Key;

/// The peer broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A message that has no place at this point of the conversation.
    #[error("{message} came {when}")]
    OutOfOrder {
        /// Which message.
        message: &'static str,
        /// Where the conversation stands.
        when: &'static str,
    },
    /// A list with more entries than its limit.
    #[error("{list} has {count} entries, at most {limit} are allowed")]
    TooMany {
        /// Which list.
        list: &'static str,
        /// Its entries.
        count: usize,
        /// Its limit.
        limit: usize,
    },
    /// More than one report was under way at once.
    #[error("a report of {started} was not finished before one of {other} began")]
    InterleavedReport {
        /// The report under way.
        started: Box<Key>,
        /// The one that came between.
        other: Box<Key>,
    },
    /// A whole report does not have the observed hash that came with it.
    #[error("the whole report of {0} does not have the hash it claims")]
    WrongHash(Box<Key>),
}

/// Refuses a list that is longer than its limit.
pub(crate) fn at_most(list: &'static str, count: usize, limit: usize) -> Result<(), Violation> {
    match count <= limit {
        true => Ok(()),
        false => Err(Violation::TooMany { list, count, limit }),
    }
}
