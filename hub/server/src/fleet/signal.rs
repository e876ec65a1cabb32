//! What happens in the hub and the fleet is told about.

use outhaul_hub_core::resource::Resource;
use outhaul_hub_core::routing::Name;
use outhaul_hub_core::{Dialer, Fleet, Now, Origin, PlaneRecord, SessionId};
use outhaul_hub_resources::AdmittedKind;
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::ids::PlaneName;
use outhaul_protocol_wire::message::{AgentMessage, Hello, Refused};
use tokio::sync::oneshot;

use super::outbox::Outbox;

/// Something happened.
pub(crate) enum Signal {
    /// A resource was seen in the control plane, or is gone from it.
    Seen(Sight),
    /// Every kind of resource has been listed once.
    Synced,
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

/// What was seen in the control plane.
pub(crate) enum Sight {
    /// A Release or Bundle.
    Resource(Resource, Origin),
    /// A Release or Bundle that is gone.
    ResourceGone(Key),
    /// An Environment and the DataPlane that it names, or that it is gone.
    Environment(Name, Option<Option<String>>),
    /// A DataPlane or BuildPlane and the Plane that it names, or that it is gone.
    User(AdmittedKind, Name, Option<Option<String>>),
    /// A Plane.
    Plane(Box<PlaneRecord>, Origin),
    /// A Plane that is gone.
    PlaneGone(PlaneName),
}

impl Sight {
    /// Tells the fleet.
    pub(super) fn tell(self, fleet: &mut Fleet, now: Now) {
        match self {
            Self::Resource(resource, origin) => fleet.seen(resource, origin, now),
            Self::ResourceGone(key) => fleet.vanished(&key),
            Self::Environment(name, data_plane) => fleet.environment(name, data_plane, now),
            Self::User(kind, name, plane) => fleet.user(kind, name, plane, now),
            Self::Plane(record, origin) => fleet.plane(*record, origin, now),
            Self::PlaneGone(name) => fleet.plane_vanished(&name, now),
        }
    }
}
