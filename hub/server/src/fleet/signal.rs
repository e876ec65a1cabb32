//! What happens in the hub and the fleet is told about.

use outhaul_hub_core::{Dialer, SessionId, Sight};
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::Epoch;
use outhaul_protocol_wire::message::{AgentMessage, Hello, Refused};
use tokio::sync::oneshot;

use super::outbox::Outbox;

/// Something happened.
pub(crate) enum Signal {
    /// A resource was seen in the control plane, or is gone from it.
    Seen(Sight),
    /// Every kind of resource has been listed once.
    Synced,
    /// The epoch was raised: what is seen from here on counts, and nothing before.
    StartOver(Epoch),
    /// An agent wants a session.
    Open(Box<Opening>),
    /// An agent said something.
    Message(SessionId, AgentMessage),
    /// A session that had no room for messages has some again.
    Room(SessionId),
    /// An agent asks for content.
    Fetch(SessionId, Digest, oneshot::Sender<Fetched>),
    /// The connection of a session ended.
    Closed(SessionId),
}

/// An agent wants a session.
pub(crate) struct Opening {
    /// What its connection proved.
    pub(crate) dialer: Dialer,
    /// Its first message.
    pub(crate) hello: Hello,
    /// Where messages to it go.
    pub(crate) outbox: Outbox,
    /// Where the decision goes.
    pub(crate) answer: oneshot::Sender<Result<SessionId, Refused>>,
}
