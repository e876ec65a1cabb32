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
    draft::{Draft, Identity},
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

/// Adds the SecurityPolicy of an API at one level.
pub(crate) fn add_security(
    draft: &mut Draft<'_>,
    binding: &Binding<'_>,
    exposed: Exposed<'_>,
    policy: Result<&ApiPolicy, Problem>,
    as_openchoreo: AsOpenChoreo,
) {
    let identity = Identity::of(
        "SecurityPolicy",
        name::security_policy(binding.name, exposed.api, exposed.level.name()),
    );
    let object = policy.and_then(|policy| {
        if let Some(problem) = security::unasked(exposed, policy) {
            draft.say(problem);
        }
        security::check(exposed, policy)?;
        Ok(object(
            binding,
            exposed,
            &identity,
            security::spec(policy, as_openchoreo),
        ))
    });
    draft.add(identity, object);
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
