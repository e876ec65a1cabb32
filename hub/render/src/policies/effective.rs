//! The policy that counts: the defaults under what is set for a level.

use outhaul_hub_resources::{ApiPolicy, RestPolicy};
use serde_json::{Map, Value};

use crate::{
    exposure::Level,
    merge::{NO_LISTS, merge},
};

/// The policy for a level; none where neither defaults nor the level has any.
pub(crate) fn policy(policy: &RestPolicy, level: Level<'_>) -> Option<ApiPolicy> {
    let own = match level {
        Level::Public => policy.public.as_ref(),
        Level::Internal(_) => policy.organization.as_ref(),
    };
    match (policy.defaults.as_ref(), own) {
        (Some(defaults), Some(own)) => Some(merged(defaults, own)),
        (defaults, own) => own.or(defaults).cloned(),
    }
}

/// Maps merge, lists are replaced. A circuit breaker of the level takes away every limit that it does not set itself,
/// because Go writes the unset ones as null.
fn merged(defaults: &ApiPolicy, own: &ApiPolicy) -> ApiPolicy {
    let mut base = fields(defaults);
    let mut overlay = fields(own);
    if let Some(Value::Object(breaker)) = overlay.get_mut("circuitBreaker") {
        for limit in [
            "maxConnections",
            "maxPendingRequests",
            "maxParallelRequests",
            "maxParallelRetries",
        ] {
            breaker.entry(limit).or_insert(Value::Null);
        }
    }
    merge(&mut base, overlay, NO_LISTS);
    serde_json::from_value(base.into()).expect("two policies laid over each other are a policy")
}

fn fields(policy: &ApiPolicy) -> Map<String, Value> {
    match serde_json::to_value(policy) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("a policy is a map with names as keys"),
    }
}
