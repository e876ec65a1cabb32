//! SecurityPolicy: who may call, and from where.

use core::net::IpAddr;
use core::slice;

use outhaul_hub_resources::{AddressRules, ApiPolicy, Authentication, AuthenticationType, Cors, Jwt, Open};
use serde_json::{Map, Value, json};

use super::Exposed;
use crate::{AsOpenChoreo, duration, problem::Problem};

/// Name of the one provider of keys, which authorization refers to.
const PROVIDER: &str = "default";

/// What definitions of gateways take of a text, and of lists.
const LONGEST: usize = 253;
const AUDIENCES: usize = 8;
const SCOPES: usize = 16;

/// The longest age in seconds: gateways take five digits of hours.
const AGE: i64 = 359_999_999;

pub(super) fn spec(policy: &ApiPolicy, as_openchoreo: AsOpenChoreo) -> Map<String, Value> {
    let jwt = jwt(policy);
    let scopes = jwt.map(|_| scopes(policy)).unwrap_or_default();
    let authorization = match as_openchoreo.address_rules {
        true => former_authorization,
        false => authorization,
    };
    let parts = [
        ("jwt", jwt.map(|jwt| json!({"providers": [provider(jwt)]}))),
        ("authorization", authorization(scopes, policy.security.as_ref())),
        ("cors", policy.cors.as_ref().map(cors)),
    ];
    parts
        .into_iter()
        .filter_map(|(name, part)| Some((name.to_owned(), part?)))
        .collect()
}

/// Parts of a spec that ask callers for anything.
pub(super) const ASKING: [&str; 2] = ["jwt", "authorization"];

/// Those that a spec has.
pub(super) fn asking(spec: &Map<String, Value>) -> Vec<&'static str> {
    let mut parts = ASKING.to_vec();
    parts.retain(|part| spec.contains_key(*part));
    parts
}

/// That an API lets anybody in, though its class wants to know callers.
pub(super) fn unasked(exposed: Exposed<'_>, policy: &ApiPolicy) -> Option<Problem> {
    let authentication = policy.authentication.as_ref().filter(|_| jwt(policy).is_none())?;
    Some(Problem::Authentication {
        api: exposed.api.to_owned(),
        level: exposed.level.name().to_owned(),
        class: exposed.class.to_owned(),
        kind: match &authentication.r#type {
            Open::Known(AuthenticationType::Jwt) => "jwt".to_owned(),
            Open::Other(kind) => kind.clone(),
        },
    })
}

/// Whether gateways take all of it: what they do not take guards nothing.
pub(super) fn check(exposed: Exposed<'_>, policy: &ApiPolicy) -> Result<(), Problem> {
    match wrong(policy) {
        None => Ok(()),
        Some((field, wrong)) => Err(Problem::Guard {
            api: exposed.api.to_owned(),
            level: exposed.level.name().to_owned(),
            class: exposed.class.to_owned(),
            field,
            wrong,
        }),
    }
}

/// A field, and what is wrong there.
type Wrong = (&'static str, String);

fn wrong(policy: &ApiPolicy) -> Option<Wrong> {
    let (allowed, blocked) = lists(policy.security.as_ref());
    [("security.allowedIPs", allowed), ("security.blockedIPs", blocked)]
        .into_iter()
        .find_map(|(field, addresses)| wrong_range(field, addresses))
        .or_else(|| jwt(policy).and_then(|jwt| wrong_token(jwt, scopes(policy))))
        .or_else(|| policy.cors.as_ref().and_then(wrong_cors))
}

fn wrong_range(field: &'static str, addresses: &[String]) -> Option<Wrong> {
    let address = addresses.iter().find(|address| !is_range(address))?;
    Some((
        field,
        format!("{address:?} is no range of addresses: write it like 10.0.0.1/32 or 2001:db8::/32"),
    ))
}

fn wrong_token(jwt: &Jwt, scopes: &[String]) -> Option<Wrong> {
    let texts = |texts: &[String]| {
        texts
            .iter()
            .all(|text| (1..=LONGEST).contains(&text.chars().count()))
    };
    let uri = slice::from_ref(&jwt.jwks);
    let of_scopes = scopes.len() <= SCOPES && texts(scopes);
    let checks = [
        (
            "authentication.jwt.jwks",
            texts(uri) && is_address(&jwt.jwks),
            format!("write an address of at most {LONGEST} characters, like https://idp.example.com/jwks"),
        ),
        (
            "authentication.jwt.issuer",
            jwt.issuer.chars().count() <= LONGEST,
            format!("write at most {LONGEST} characters"),
        ),
        (
            "authentication.jwt.audience",
            jwt.audience.len() <= AUDIENCES,
            format!("name at most {AUDIENCES}"),
        ),
        (
            "authentication.oauth2.scopes",
            of_scopes,
            format!("name at most {SCOPES}, each of 1 to {LONGEST} characters"),
        ),
    ];
    let wrong = checks.into_iter().find(|(_, is_right, _)| !is_right)?;
    Some((wrong.0, wrong.2))
}

fn wrong_cors(cors: &Cors) -> Option<Wrong> {
    if let Some(origin) = cors.allow_origins.iter().find(|origin| !is_origin(origin)) {
        let ought = "write it like https://app.example.com, https://*.example.com:8443 or *";
        return Some(("cors.allowOrigins", format!("{origin:?} is no origin: {ought}")));
    }
    let age = cors.max_age.filter(|age| !(0..=AGE).contains(age))?;
    Some(("cors.maxAge", format!("it is {age}: write 0 to {AGE} seconds")))
}

/// Where keys can be fetched: gateways take any text, and then no token.
fn is_address(text: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// Scheme, host and port, and nothing behind them.
fn is_origin(text: &str) -> bool {
    let is_word = |letter: u8| letter.is_ascii_alphanumeric() || b"_-".contains(&letter);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|letter| letter.is_ascii_alphanumeric() || b"+.-".contains(&letter))
    };
    let is_port =
        |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|digit| digit.is_ascii_digit());
    let is_host = |host: &str| {
        let labels = host.strip_prefix("*.").unwrap_or(host);
        host == "*"
            || labels
                .split('.')
                .all(|label| !label.is_empty() && label.bytes().all(is_word))
    };
    let parts = text
        .split_once("://")
        .map(|(scheme, at)| match at.split_once(':') {
            Some((host, port)) => is_scheme(scheme) && is_host(host) && is_port(port),
            None => is_scheme(scheme) && is_host(at),
        });
    text == "*" || text.len() <= LONGEST && parts.unwrap_or_default()
}

fn is_range(text: &str) -> bool {
    let parsed = text.split_once('/').and_then(|(address, bits)| {
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 = bits.parse().ok().filter(|_| is_number)?;
        Some((address.parse::<IpAddr>().ok()?, bits))
    });
    match parsed {
        Some((IpAddr::V4(_), bits)) => bits <= 32,
        Some((IpAddr::V6(_), bits)) => bits <= 128,
        None => false,
    }
}

fn jwt(policy: &ApiPolicy) -> Option<&Jwt> {
    let wanted =
        |authentication: &&Authentication| authentication.r#type == Open::Known(AuthenticationType::Jwt);
    policy.authentication.as_ref().filter(wanted)?.jwt.as_ref()
}

fn scopes(policy: &ApiPolicy) -> &[String] {
    let oauth2 = policy
        .authentication
        .as_ref()
        .and_then(|authentication| authentication.oauth2.as_ref());
    oauth2.map(|oauth2| oauth2.scopes.as_slice()).unwrap_or_default()
}

fn provider(jwt: &Jwt) -> Value {
    let mut provider = json!({"name": PROVIDER, "remoteJWKS": {"uri": jwt.jwks}});
    if !jwt.issuer.is_empty() {
        provider["issuer"] = jwt.issuer.as_str().into();
    }
    if !jwt.audience.is_empty() {
        provider["audiences"] = jwt.audience.as_slice().into();
    }
    provider
}

/// Gateways stop at the first rule that matches. So blocked addresses come first, and where both addresses and scopes
/// are asked for, one rule asks for both.
fn authorization(scopes: &[String], addresses: Option<&AddressRules>) -> Option<Value> {
    let (allowed, blocked) = lists(addresses);
    let token = token(scopes);
    let mut rules: Vec<_> = blocked
        .iter()
        .map(|address| rule("Deny", Some(address), None))
        .collect();
    rules.extend(
        allowed
            .iter()
            .map(|address| rule("Allow", Some(address), token.as_ref())),
    );
    if allowed.is_empty() && token.is_some() {
        rules.push(rule("Allow", None, token.as_ref()));
    }
    // Where nobody is named who may, everybody may who is not blocked.
    let default = match allowed.is_empty() && token.is_none() {
        true => "Allow",
        false => "Deny",
    };
    (!rules.is_empty()).then(|| json!({"defaultAction": default, "rules": rules}))
}

/// The same as OpenChoreo has it: scopes, then allowed addresses, then blocked ones.
fn former_authorization(scopes: &[String], addresses: Option<&AddressRules>) -> Option<Value> {
    let (allowed, blocked) = lists(addresses);
    let token = token(scopes);
    let scopes = token.iter().map(|token| rule("Allow", None, Some(token)));
    let allowed = allowed.iter().map(|address| rule("Allow", Some(address), None));
    let blocked = blocked.iter().map(|address| rule("Deny", Some(address), None));
    let rules: Vec<_> = scopes.chain(allowed).chain(blocked).collect();
    (!rules.is_empty()).then(|| json!({"defaultAction": "Deny", "rules": rules}))
}

/// The addresses that are allowed, and those that are blocked.
fn lists(addresses: Option<&AddressRules>) -> (&[String], &[String]) {
    let lists = addresses.map(|rules| (rules.allowed_ips.as_slice(), rules.blocked_ips.as_slice()));
    lists.unwrap_or_default()
}

fn token(scopes: &[String]) -> Option<Value> {
    (!scopes.is_empty()).then(|| json!({"provider": PROVIDER, "scopes": scopes}))
}

fn rule(action: &str, address: Option<&str>, token: Option<&Value>) -> Value {
    let mut principal = Map::new();
    principal.extend(address.map(|address| ("clientCIDRs".to_owned(), json!([address]))));
    principal.extend(token.map(|token| ("jwt".to_owned(), token.clone())));
    json!({"action": action, "principal": principal})
}

fn cors(cors: &Cors) -> Value {
    let lists = [
        ("allowOrigins", &cors.allow_origins),
        ("allowMethods", &cors.allow_methods),
        ("allowHeaders", &cors.allow_headers),
        ("exposeHeaders", &cors.expose_headers),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut fields: Map<_, _> = lists.map(|(name, list)| (name.to_owned(), json!(list))).collect();
    fields.extend(
        cors.max_age
            .map(|age| ("maxAge".to_owned(), duration::of_seconds(age).into())),
    );
    fields.into()
}
