//! One set of policies of an `APIClass`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    vocabulary::Open,
};

/// One set of policies.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApiPolicy {
    /// Who may call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// From which web pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// From which addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<AddressRules>,
    /// What is changed on the way: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mediation: Option<Mediation>,
    /// How much at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
}

/// Who may call an API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// How callers are known; only `jwt` is acted on.
    pub r#type: Open<AuthenticationType>,
    /// By a signed token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// By a key: accepted, and without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apikey: Option<ApiKey>,
    /// Which scopes a token must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
}

/// How callers are known.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "camelCase")]
pub enum AuthenticationType {
    /// By a signed token.
    Jwt,
}

/// Which tokens are good.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Jwt {
    /// Address of the keys.
    pub jwks: String,
    /// Who must have signed.
    pub issuer: String,
    /// For whom it must be.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub audience: Vec<String>,
}

/// Where a caller puts its key.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Name of a header.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub header: String,
    /// Name of a parameter of the query.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub query_param: String,
}

/// What a token must allow.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// Where tokens are had: accepted, and without effect.
    pub token_url: String,
    /// Scopes that a token must have.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub scopes: Vec<String>,
}

/// How often an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Number of requests.
    pub requests: i64,
    /// In which time, such as 30s, 1m, 1h.
    pub window: String,
}

/// From which web pages an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// Origins of the pages.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub allow_origins: Vec<String>,
    /// Methods.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub allow_methods: Vec<String>,
    /// Headers of requests.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub allow_headers: Vec<String>,
    /// Headers of answers that scripts may read.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub expose_headers: Vec<String>,
    /// For how many seconds a browser remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
}

/// From which addresses an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AddressRules {
    /// CIDRs that may call.
    #[serde(
        rename = "allowedIPs",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub allowed_ips: Vec<String>,
    /// CIDRs that may not.
    #[serde(
        rename = "blockedIPs",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub blocked_ips: Vec<String>,
    /// Accepted, and without effect.
    #[serde(
        rename = "requireTLS",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub require_tls: bool,
    /// Accepted, and without effect.
    #[serde(
        rename = "minTLSVersion",
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub min_tls_version: String,
}

/// What is changed on the way.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Mediation {
    /// In requests.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub request_transformations: Vec<Transformation>,
    /// In answers.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub response_transformations: Vec<Transformation>,
}

/// One change on the way.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Transformation {
    /// Form of the body.
    pub r#type: String,
    /// What is done.
    pub action: String,
    /// Fields to add, with their values.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub fields: BTreeMap<String, String>,
    /// Header to add.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub header_name: String,
    /// Its value.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub header_value: String,
    /// Headers to remove.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub headers: Vec<String>,
}

/// How much goes to a backend at once.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Whether there is a limit.
    pub enabled: bool,
    /// Connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<i32>,
    /// Requests that wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pending_requests: Option<i32>,
    /// Requests under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel_requests: Option<i32>,
    /// Requests tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel_retries: Option<i32>,
}
