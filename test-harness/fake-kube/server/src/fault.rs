//! Ways in which the API can be made to misbehave.

use std::time::Duration;

use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::refusal::Refusal;
use outhaul_fake_kube_core::request::{Path, Request, Verb};

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The answer is 429 with this many seconds in `Retry-After`.
    TooManyRequests {
        /// Seconds.
        retry_after: u32,
    },
    /// The answer is 403, as when a role lacks the verb.
    Forbidden,
    /// The answer is 500.
    InternalError,
    /// The request waits before it is looked at.
    Delay(Duration),
}

/// Which requests meet a fault.
#[derive(Debug, Clone)]
pub struct FaultRule {
    /// Only this verb; none means every verb.
    pub verb: Option<Verb>,
    /// Only this kind; none means every kind.
    pub resource: Option<GroupResource>,
    /// So many requests, then the rule is spent; none means until cleared.
    pub times: Option<u32>,
    /// What goes wrong.
    pub fault: Fault,
}

impl FaultRule {
    /// Every request meets the fault.
    pub fn always(fault: Fault) -> Self {
        Self {
            verb: None,
            resource: None,
            times: None,
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

    fn meets(&self, request: &Request) -> bool {
        let Path::Resource(target) = &request.path else {
            return false;
        };
        self.verb.is_none_or(|verb| verb == request.verb)
            && self
                .resource
                .as_ref()
                .is_none_or(|r| *r.group == *target.group && *r.resource == *target.resource)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FaultRule>);

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.0.push(rule);
    }

    /// The first rule that the request meets decides.
    pub(crate) fn meet(&mut self, request: &Request) -> Result<Duration, Refusal> {
        let Some(at) = self.0.iter().position(|rule| rule.meets(request)) else {
            return Ok(Duration::ZERO);
        };
        let fault = self.0[at].fault.clone();
        if let Some(times) = &mut self.0[at].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.0.remove(at);
            }
        }
        match fault {
            Fault::TooManyRequests { retry_after } => Err(Refusal::too_many_requests(retry_after)),
            Fault::Forbidden => Err(Refusal::new(403, "Forbidden", "refused by an injected fault")),
            Fault::InternalError => Err(Refusal::internal("injected fault")),
            Fault::Delay(delay) => Ok(delay),
        }
    }
}
