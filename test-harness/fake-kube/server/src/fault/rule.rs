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
    /// Only this subresource; an empty one is the object itself.
    pub subresource: Option<String>,
    /// Only what is in this namespace.
    pub namespace: Option<String>,
    /// Only who has this name, whomever they act as.
    pub user: Option<String>,
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
            subresource: None,
            namespace: None,
            user: None,
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

    /// Only requests for this subresource of whatever kind; `""` is the object itself.
    #[must_use]
    pub fn on_subresource(self, subresource: &str) -> Self {
        Self {
            subresource: Some(subresource.to_owned()),
            ..self
        }
    }

    /// Only requests in this namespace.
    #[must_use]
    pub fn in_namespace(self, namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            ..self
        }
    }

    /// Only requests of this user.
    #[must_use]
    pub fn of_user(self, user: &str) -> Self {
        Self {
            user: Some(user.to_owned()),
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

    pub(super) fn is_about(&self, request: &Request, user: Option<&str>) -> bool {
        self.verb.is_none_or(|verb| verb == request.verb)
            && is_or_any(&self.user, user)
            && self.is_about_place(&request.path)
            && self.fault.fits(request)
    }

    fn is_about_place(&self, path: &Path) -> bool {
        let Path::Resource(target) = path else {
            let places = [&self.subresource, &self.namespace];
            return self.resource.is_none() && places.iter().all(|place| place.is_none());
        };
        let is_of =
            |wanted: &GroupResource| *wanted.group == *target.group && *wanted.resource == *target.resource;
        self.resource.as_ref().is_none_or(is_of)
            && is_or_any(
                &self.subresource,
                Some(target.subresource.as_deref().unwrap_or_default()),
            )
            && is_or_any(&self.namespace, target.namespace.as_deref())
    }
}

fn is_or_any(wanted: &Option<String>, given: Option<&str>) -> bool {
    wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
}

impl Fault {
    /// Some faults make sense for some requests only.
    fn fits(&self, request: &Request) -> bool {
        let verb = request.verb;
        match self {
            Self::Conflict | Self::SlowAdmission(..) => verb.writes(),
            Self::StaleRead { .. } => {
                matches!(verb, Verb::Get | Verb::List) && request.options.resource_version.is_some()
            }
            Self::LateAnswer(..) => verb != Verb::Watch,
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
