//! BackendTrafficPolicy: how often, and how much at once.

use outhaul_hub_resources::{ApiPolicy, CircuitBreaker, RateLimit};
use serde_json::{Map, Value, json};

use super::Exposed;
use crate::{
    duration,
    problem::{Problem, Warning},
};

/// What gateways count per, in nanoseconds. A longer window counts per hour.
const UNITS: [(&str, i64); 3] = [
    ("Second", 1_000_000_000),
    ("Minute", 60_000_000_000),
    ("Hour", 3_600_000_000_000),
];

/// The highest limit that gateways take.
const REQUESTS: i64 = u32::MAX as i64;

pub(super) fn spec(
    exposed: Exposed<'_>,
    policy: &ApiPolicy,
    warnings: &mut Vec<Warning>,
) -> Result<Map<String, Value>, Problem> {
    let limit = policy
        .rate_limit
        .as_ref()
        .map(|limit| rate_limit(exposed, limit, warnings))
        .transpose()?;
    let breaker = policy
        .circuit_breaker
        .as_ref()
        .filter(|breaker| breaker.enabled)
        .map(|breaker| circuit_breaker(exposed, breaker))
        .transpose()?;
    let parts = [("rateLimit", limit), ("circuitBreaker", breaker)];
    Ok(parts
        .into_iter()
        .filter_map(|(name, part)| Some((name.to_owned(), part?)))
        .collect())
}

/// Gateways count per second, minute or hour: of the window only its size decides which.
fn rate_limit(
    exposed: Exposed<'_>,
    limit: &RateLimit,
    warnings: &mut Vec<Warning>,
) -> Result<Value, Problem> {
    let (api, level) = (exposed.api.to_owned(), exposed.level.name().to_owned());
    let class = exposed.class.to_owned();
    let window = match duration::parse(&limit.window) {
        Ok(window) => window,
        Err(wrong) => {
            return Err(Problem::Window {
                api,
                level,
                class,
                wrong,
            });
        }
    };
    if !(0..=REQUESTS).contains(&limit.requests) {
        return Err(Problem::Requests {
            api,
            level,
            class,
            requests: limit.requests,
        });
    }
    let unit = UNITS
        .iter()
        .find(|(_, length)| window <= *length)
        .unwrap_or(&UNITS[2]);
    let (unit, exact) = *unit;
    if window != exact {
        let window = limit.window.clone();
        warnings.push(Warning::Window {
            api,
            level,
            window,
            unit,
        });
    }
    let rule = json!({"limit": {"requests": limit.requests, "unit": unit}});
    Ok(json!({"type": "Local", "local": {"rules": [rule]}}))
}

fn circuit_breaker(exposed: Exposed<'_>, breaker: &CircuitBreaker) -> Result<Value, Problem> {
    let limits = [
        ("maxConnections", breaker.max_connections),
        ("maxPendingRequests", breaker.max_pending_requests),
        ("maxParallelRequests", breaker.max_parallel_requests),
        ("maxParallelRetries", breaker.max_parallel_retries),
    ];
    let mut set = Map::new();
    for (name, limit) in limits
        .into_iter()
        .filter_map(|(name, limit)| Some((name, limit?)))
    {
        if limit < 0 {
            return Err(Problem::Breaker {
                api: exposed.api.to_owned(),
                level: exposed.level.name().to_owned(),
                class: exposed.class.to_owned(),
                field: name,
                limit,
            });
        }
        set.insert(name.to_owned(), limit.into());
    }
    Ok(set.into())
}
