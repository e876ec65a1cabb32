//! What the route of an [`Endpoint`](crate::Endpoint) asks of requests.
//!
//! Only the scopes of REST operations are acted on, under [`OAuth2`]; the rest is accepted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parse::{is_default, or_default},
    vocabulary::Open,
};

/// One policy. The part of `policySpec` that `type` names is the one that counts.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Name of the policy.
    pub name: String,
    /// Which kind of policy it is; only `oauth2` is acted on.
    pub r#type: Open<PolicyType>,
    /// What it says.
    pub policy_spec: PolicySpec,
}

/// The kinds of policies that are acted on.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum PolicyType {
    /// A token with scopes.
    OAuth2,
}

/// What a policy says, by its kind.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PolicySpec {
    /// Callers have a key: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_auth: Option<ApiKeyAuth>,
    /// Callers have a password: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Callers have a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
    /// Callers call so often: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Callers are these web pages: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
}

/// Keys of callers.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyAuth {
    /// Where a request has its key.
    pub key_source: KeySource,
    /// Secrets with the keys, by name.
    pub secret_refs: Vec<String>,
}

/// Where a request has its key.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeySource {
    /// Header.
    pub header: String,
    /// What the value of the header begins with.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub header_auth_scheme: String,
}

/// Passwords of callers.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// Header.
    pub header: String,
    /// What the value of the header begins with.
    pub header_auth_scheme: String,
    /// Who may call.
    pub users: Vec<User>,
}

/// One caller with a password.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User.
    pub username: String,
    /// Secret with the password, by name.
    pub password_from_secret: String,
}

/// Tokens of callers.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// What a token must say.
    pub jwt: Jwt,
}

/// What a token must say.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Jwt {
    /// Claims that it must have: without effect.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub claims: Vec<Claim>,
    /// What it must have for which operation.
    pub authorization: Authorization,
}

/// A claim, and the values that are good.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Name of the claim.
    pub key: String,
    /// Values.
    pub values: Vec<String>,
}

/// What a token must have for which operation, by what the API speaks.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// What the API speaks: not looked at.
    pub api_type: AuthorizationType,
    /// For REST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<RestAuthorization>,
    /// For gRPC: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcAuthorization>,
    /// For GraphQL: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphql: Option<GraphQlAuthorization>,
}

/// What an API speaks; gRPC has another spelling here than elsewhere.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthorizationType {
    /// REST.
    #[serde(rename = "REST")]
    Rest,
    /// gRPC.
    #[serde(rename = "GRPC")]
    Grpc,
    /// GraphQL.
    #[serde(rename = "GraphQL")]
    GraphQl,
}

/// What a token must have for the operations of a REST API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestAuthorization {
    /// Claims passed on as headers: without effect.
    pub claims_to_headers: Vec<ClaimToHeader>,
    /// Operations.
    pub operations: Vec<RestOperation>,
}

/// One operation of a REST API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestOperation {
    /// Path below the base path; `{name}` stands for one segment.
    pub target: String,
    /// Method.
    pub method: HttpMethod,
    /// Scopes that allow it.
    pub scopes: Vec<String>,
}

/// A method of HTTP.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "they are HTTP's own words")]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
}

/// What a token must have for the operations of a gRPC API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GrpcAuthorization {
    /// Claims passed on as headers.
    pub claims_to_headers: Vec<ClaimToHeader>,
    /// Services.
    pub operations: Vec<GrpcService>,
}

/// One service of a gRPC API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GrpcService {
    /// Name of the service.
    pub name: String,
    /// Its methods.
    pub methods: Vec<GrpcMethod>,
}

/// One method of a gRPC service.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GrpcMethod {
    /// Name of the method.
    pub name: String,
    /// Scopes that allow it.
    pub scopes: Vec<String>,
}

/// What a token must have for the operations of a GraphQL API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GraphQlAuthorization {
    /// Claims passed on as headers.
    pub claims_to_headers: Vec<ClaimToHeader>,
    /// Operations.
    pub operations: Vec<GraphQlOperation>,
}

/// One operation of a GraphQL API.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GraphQlOperation {
    /// Query, mutation or subscription.
    pub r#type: String,
    /// Name of the operation.
    pub name: String,
    /// Scopes that allow it.
    pub scopes: Vec<String>,
}

/// A claim that is passed on as a header.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ClaimToHeader {
    /// Name of the claim.
    pub name: String,
    /// Header.
    pub header: String,
}

/// How often an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// All of it.
    pub api_level: ApiRate,
    /// Each operation.
    pub operation_level: OperationRates,
}

/// How often all of an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ApiRate {
    /// Number of requests.
    #[schemars(schema_with = "crate::schemas::integer")]
    pub request_limit: i64,
    /// In which time.
    pub time_unit: String,
}

/// How often each operation of an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OperationRates {
    /// Of a REST API.
    pub rest: Vec<OperationRate>,
}

/// How often one operation may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OperationRate {
    /// Path.
    pub target: String,
    /// Method.
    pub method: String,
    /// Number of requests.
    #[schemars(schema_with = "crate::schemas::integer")]
    pub request_limit: i64,
    /// In which time.
    pub time_unit: String,
}

/// From which web pages an API may be called.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Cors {
    /// Whether cookies come along.
    pub allow_credentials: bool,
    /// Origins of the pages.
    pub allow_origins: Vec<String>,
    /// Methods.
    pub allow_methods: Vec<String>,
    /// Headers of requests.
    pub allow_headers: Vec<String>,
    /// Headers of answers that scripts may read.
    pub expose_headers: Vec<String>,
    /// For how many seconds a browser remembers.
    #[schemars(schema_with = "crate::schemas::integer")]
    pub max_age: i64,
}
