//! The policies of an API: what its class says for a level, as objects for the gateways.
//!
//! Each API and level has both objects where the class has any policy for it, empty ones included: so clients know
//! them.

mod effective;
mod ignored;
mod security;
mod traffic;

pub(crate) use effective::policy as at_level;
pub(crate) use ignored::fields as without_effect;

use outhaul_hub_resources::{APIClass, ApiPolicy, RestPolicy};
use serde_json::{Value, json};

use crate::{
    AsOpenChoreo,
    binding::Binding,
    draft::{self, Draft, Identity},
    exposure::Level,
    name,
    problem::Problem,
};

/// An API with its class, at one level.
#[derive(Clone, Copy)]
pub(crate) struct Exposed<'a> {
    pub(crate) api: &'a str,
    pub(crate) class: &'a str,
    pub(crate) level: Level<'a>,
}

/// What a class says about REST.
///
/// # Errors
/// It says nothing, which may be an oversight.
pub(crate) fn rest_policy<'a>(
    api: &str,
    class: &str,
    found: &'a APIClass,
) -> Result<&'a RestPolicy, Problem> {
    found
        .spec
        .rest_policy
        .as_ref()
        .ok_or_else(|| Problem::NoRestPolicy {
            api: api.to_owned(),
            class: class.to_owned(),
        })
}

/// The SecurityPolicy of an API at one level, which guards the route of that level: before it is added, since the route is
/// added first.
pub(crate) struct Guard<'a> {
    exposed: Exposed<'a>,
    identity: Identity,
    object: Result<Value, Problem>,
    unasked: Option<Problem>,
    /// The parts of it that are to ask callers.
    asks: Vec<&'static str>,
}

impl<'a> Guard<'a> {
    pub(crate) fn of(
        binding: &Binding<'_>,
        exposed: Exposed<'a>,
        policy: Result<&ApiPolicy, Problem>,
        as_openchoreo: AsOpenChoreo,
    ) -> Self {
        let identity = Identity::of(
            "SecurityPolicy",
            name::security_policy(binding.name, exposed.api, exposed.level.name()),
        );
        let unasked = policy
            .as_ref()
            .ok()
            .and_then(|policy| security::unasked(exposed, policy));
        let spec = policy.map(|policy| (policy, security::spec(policy, as_openchoreo)));
        let asks = spec
            .as_ref()
            .map_or_else(|_| security::ASKING.to_vec(), |(_, spec)| security::asking(spec));
        let object = spec.and_then(|(policy, spec)| {
            security::check(exposed, policy)?;
            Ok(object(binding, exposed, &identity, spec))
        });
        Self {
            exposed,
            identity,
            object,
            unasked,
            asks,
        }
    }

    /// Whether it is for the route of this API and level.
    pub(crate) fn is_for(&self, api: &str, level: Level<'_>) -> bool {
        self.exposed.api == api && self.exposed.level == level
    }

    /// Whether nothing would ask callers as they are to be asked: it cannot be made. A `route` that is there goes on behind
    /// a guard that asks for no less; no other does, since it may never have been open. A class that says nothing about REST
    /// wants nobody asked, as far as anybody knows.
    pub(crate) fn is_missing(&self, route: &Identity, draft: &Draft<'_>) -> bool {
        let can_be_made = match &self.object {
            Ok(_) => draft::check(&self.identity).is_none(),
            Err(problem) => matches!(problem, Problem::NoRestPolicy { .. }),
        };
        let goes_on = draft.is_stored(route)
            && draft
                .stored_spec(&self.identity)
                .is_some_and(|stored| self.asks.iter().all(|part| !stored[part].is_null()));
        !can_be_made && !goes_on
    }

    pub(crate) fn add(self, draft: &mut Draft<'_>) {
        let stored = draft.stored_spec(&self.identity);
        let asks_for_tokens = stored.is_some_and(|stored| !stored["jwt"].is_null());
        let object = match self.unasked {
            None => self.object,
            // Who was asked for a token does not come in without one, for want of another way to ask.
            Some(unasked) if asks_for_tokens => Err(Problem::StillAsked(Box::new(unasked))),
            Some(unasked) => {
                draft.say(unasked);
                self.object
            }
        };
        draft.add(self.identity, object);
    }
}

/// Adds the BackendTrafficPolicy of an API at one level.
pub(crate) fn add_traffic(
    draft: &mut Draft<'_>,
    binding: &Binding<'_>,
    exposed: Exposed<'_>,
    policy: Result<&ApiPolicy, Problem>,
) {
    let identity = Identity::of(
        "BackendTrafficPolicy",
        name::traffic_policy(binding.name, exposed.api, exposed.level.name()),
    );
    let object = policy
        .and_then(|policy| traffic::spec(exposed, policy, &mut draft.warnings))
        .map(|spec| object(binding, exposed, &identity, spec));
    draft.add(identity, object);
}

/// A policy for the route of the same level.
fn object(
    binding: &Binding<'_>,
    exposed: Exposed<'_>,
    identity: &Identity,
    mut spec: serde_json::Map<String, Value>,
) -> Value {
    let target = json!({
        "group": "gateway.networking.k8s.io",
        "kind": "HTTPRoute",
        "name": name::api_route(binding.name, exposed.api, exposed.level.name()),
    });
    spec.insert("targetRefs".to_owned(), json!([target]));
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": identity.kind,
        "metadata": binding.metadata(&identity.name),
        "spec": spec,
        "status": {"ancestors": null},
    })
}
