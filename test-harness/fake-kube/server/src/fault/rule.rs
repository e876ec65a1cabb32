//! Which requests meet a fault.

use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::request::{Path, Request, Verb};

use super::Fault;

/// Which requests meet a fault.
#[derive(Debug, Clone)]
pub struct FaultRule {
    /// Only this verb; none means every verb.
    pub verb: Option<Verb>,
    /// Only this kind; none means every kind, and what is asked beside them, as discovery or whether the server is well.
    pub resource: Option<GroupResource>,
    /// So many requests, then the rule is spent; none means until cleared.
    pub times: Option<u32>,
    /// How likely each of them is to meet the fault.
    pub probability: f64,
    /// What goes wrong.
    pub fault: Fault,
}

impl FaultRule {
    /// Every request meets the fault.
    pub fn always(fault: Fault) -> Self {
        Self::sometimes(1.0, fault)
    }

    /// A request meets the fault with this probability.
    pub fn sometimes(probability: f64, fault: Fault) -> Self {
        Self {
            verb: None,
            resource: None,
            times: None,
            probability,
            fault,
        }
    }

    /// Only requests with this verb.
    #[must_use]
    pub fn on_verb(self, verb: Verb) -> Self {
        Self {
            verb: Some(verb),
            ..self
        }
    }

    /// Only requests for this kind.
    #[must_use]
    pub fn on_resource(self, group: &str, resource: &str) -> Self {
        Self {
            resource: Some(GroupResource::new(group, resource)),
            ..self
        }
    }

    /// Only so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    pub(super) fn is_about(&self, request: &Request) -> bool {
        let is_of = |wanted: &GroupResource| match &request.path {
            Path::Resource(target) => *wanted.group == *target.group && *wanted.resource == *target.resource,
            Path::Other(_) => false,
        };
        self.verb.is_none_or(|verb| verb == request.verb)
            && self.resource.as_ref().is_none_or(is_of)
            && self.fault.fits(request.verb)
    }
}

impl Fault {
    /// Some faults make sense for some verbs only.
    fn fits(&self, verb: Verb) -> bool {
        match self {
            Self::Conflict | Self::SlowAdmission(..) => verb.writes(),
            Self::StaleRead { .. } => matches!(verb, Verb::Get | Verb::List),
            Self::CutWatch { .. }
            | Self::EndWatch { .. }
            | Self::ExpireWatch { .. }
            | Self::LoseWatch(..)
            | Self::MuteWatch { .. }
            | Self::DelayWatch(..) => verb == Verb::Watch,
            Self::TooManyRequests { .. }
            | Self::Forbidden
            | Self::NotServed
            | Self::InternalError
            | Self::Delay(_)
            | Self::Latency(..)
            | Self::NoAnswer
            | Self::LostAnswer => true,
        }
    }
}
