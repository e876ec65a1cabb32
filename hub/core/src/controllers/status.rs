//! What the condition `Ready` of a key says.

use outhaul_hub_render::readiness::Readiness;
use outhaul_hub_render::reason;
use outhaul_hub_resources::conditions;

use super::platform::{environment, plane};
use crate::condition::Said;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) ready: bool,
    pub(super) reason: String,
    pub(super) message: String,
    /// Whether somebody has to do something though the reason is one of those that pass.
    pub(super) is_stuck: bool,
}

/// Reasons that come and go by themselves: nobody has to do anything.
const IN_PASSING: [&str; 6] = [
    reason::HEALTH_PROGRESSING,
    reason::HEALTH_DEGRADED,
    reason::RESOURCES_SUSPENDED,
    reason::RESOURCES_UNDEPLOYED,
    plane::NOT_CONNECTED,
    environment::DATA_PLANE_NOT_READY,
];

/// The longest message that the definitions of conditions take.
const MESSAGE: usize = 32_768;

impl Words {
    pub(super) fn said(&self, generation: Option<u64>) -> Said {
        Said {
            r#type: conditions::READY,
            status: match self.ready {
                true => conditions::status::TRUE,
                false => conditions::status::FALSE,
            },
            reason: self.reason.clone(),
            message: cut(&self.message).to_owned(),
            generation,
        }
    }

    /// Whether somebody has to do something.
    pub(super) fn is_complaint(&self) -> bool {
        !self.ready && (self.is_stuck || !IN_PASSING.contains(&self.reason.as_str()))
    }
}

/// As much of a message as a condition takes.
pub(super) fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE)]
}

impl From<Readiness> for Words {
    fn from(readiness: Readiness) -> Self {
        Self {
            ready: readiness.ready,
            reason: readiness.reason.to_owned(),
            message: readiness.message,
            is_stuck: readiness.is_stuck,
        }
    }
}
