//! From where components are reached: levels, gateways, hosts, paths.

use std::collections::BTreeSet;

use outhaul_hub_resources::{ComponentOwner, EndpointType, ExposeLevel, ExposedApi, Open, RestApi};
use serde_json::Value;

use crate::domain::Domains;
use crate::path;

/// Port of the gateways, as callers see it.
pub(crate) const GATEWAY_PORT: i32 = 8443;

/// Scheme of the gateways, as callers see it.
pub(crate) const GATEWAY_SCHEME: &str = "https";

/// A level that has a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level<'a> {
    /// Anywhere.
    Public,
    /// Within the organization. What is not known is no wider than that.
    Internal(&'a str),
}

impl<'a> Level<'a> {
    pub(crate) const PUBLIC: Self = Self::Public;
    pub(crate) const ORGANIZATION: Self = Self::Internal("Organization");

    fn of(level: &'a Open<ExposeLevel>) -> Option<Self> {
        match level {
            Open::Known(ExposeLevel::Project) => None,
            Open::Known(ExposeLevel::Organization) => Some(Self::ORGANIZATION),
            Open::Known(ExposeLevel::Public) => Some(Self::Public),
            Open::Other(name) => Some(Self::Internal(name)),
        }
    }

    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Public => "Public",
            Self::Internal(name) => name,
        }
    }

    pub(crate) fn gateway(self) -> &'static str {
        match self {
            Self::Public => "gateway-external",
            Self::Internal(_) => "gateway-internal",
        }
    }

    pub(crate) fn host(self, environment: &str, domains: Domains<'_>) -> String {
        let domain = match self {
            Self::Public => domains.public,
            Self::Internal(_) => domains.organization,
        };
        format!("{}.{domain}", domains.prefix.unwrap_or(environment))
    }
}

/// The levels of a REST API that have a route, each once. An API that names none is public: so it has always been
/// routed.
pub(crate) fn levels(rest: &RestApi) -> Vec<Level<'_>> {
    if rest.expose_levels.is_empty() {
        return vec![Level::PUBLIC];
    }
    let mut known = BTreeSet::new();
    let levels = rest.expose_levels.iter().filter_map(Level::of);
    levels.filter(|level| known.insert(level.name())).collect()
}

/// What is exposed of an API: nothing, unless it is REST.
pub(crate) fn rest(api: &ExposedApi) -> Option<&RestApi> {
    api.rest.as_ref().filter(|_| is_rest(api))
}

pub(crate) fn is_rest(api: &ExposedApi) -> bool {
    api.r#type.known() == Some(EndpointType::Rest)
}

/// What an API is, as it says itself.
pub(crate) fn kind(api: &ExposedApi) -> String {
    match serde_json::to_value(&api.r#type) {
        Ok(Value::String(kind)) => kind,
        _ => String::new(),
    }
}

/// What paths to an API of this component begin with.
pub(crate) fn path(owner: &ComponentOwner, base_path: &str) -> String {
    path::join(&["/", &owner.project_name, &owner.component_name, base_path])
}

/// Whether gateways take this in a path (`HTTPPathMatch` of the Gateway API): what a path of a URL is made of, anything else
/// percent-encoded, and no slash that is encoded.
pub(crate) fn is_path(text: &str) -> bool {
    let is_plain = |text: &str| {
        text.bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@".contains(&letter))
    };
    let is_encoded = |text: &str| {
        text.split_at_checked(2).is_some_and(|(code, rest)| {
            let is_code = code.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_code && !code.eq_ignore_ascii_case("2f") && is_plain(rest)
        })
    };
    let mut parts = text.split('%');
    parts.next().is_none_or(is_plain) && parts.all(is_encoded)
}

/// The host of a web application.
pub(crate) fn web_host(owner: &ComponentOwner, environment: &str, domains: Domains<'_>) -> String {
    format!("{}-{environment}.{}", owner.component_name, domains.web)
}
