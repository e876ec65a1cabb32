//! Who asks, and what they may do: tokens, RBAC over stored roles, and the review kinds that answer about both.

mod escalation;
mod impersonation;
mod rbac;
mod review;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::refusal::Refusal;
use crate::request::{Path, Request, Verb};
use crate::store::Key;
pub use impersonation::Wanted;
use impersonation::Way;
use rbac::Attributes;

/// For whom a token is that names nobody.
pub(crate) const AUDIENCE: &str = "https://kubernetes.default.svc";
/// How long after its end a token is still good: clocks may differ.
const LEEWAY: SignedDuration = SignedDuration::from_mins(1);
/// Members may do everything.
pub const MASTERS: &str = "system:masters";
/// Everybody who is known.
pub const AUTHENTICATED: &str = "system:authenticated";

/// Everybody else.
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The name of everybody else.
const ANONYMOUS: &str = "system:anonymous";

/// Tokens of ServiceAccounts that are good at once: more than the pods of a large test, each with one and its successor.
const MAX_ISSUED: usize = 10_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// The name that rules know.
    pub name: String,
    /// An identity that outlives names.
    pub uid: String,
    /// Groups that rules know.
    pub groups: Vec<String>,
    /// What else is known of them.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user in some groups; `system:authenticated` is added.
    pub fn new(name: &str, groups: &[&str]) -> Self {
        let groups = groups
            .iter()
            .copied()
            .chain([AUTHENTICATED])
            .map(str::to_owned)
            .collect();
        Self {
            name: name.to_owned(),
            groups,
            ..Self::default()
        }
    }

    /// One who may do everything.
    pub fn admin() -> Self {
        Self::new("kubernetes-admin", &[MASTERS])
    }

    /// Somebody without a token.
    pub fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    /// Whether this is [`User::anonymous`].
    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }

    /// Whether they are in a group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }

    fn service_account(account: &Value) -> Self {
        let (namespace, name) = (meta::namespace(account), meta::name(account));
        let groups = groups_of_accounts(namespace);
        Self {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            uid: meta::uid(account).to_owned(),
            groups: groups.into_iter().chain([AUTHENTICATED.to_owned()]).collect(),
            ..Self::default()
        }
    }
}

/// The groups of every service account of a namespace.
fn groups_of_accounts(namespace: &str) -> [String; 2] {
    [
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

/// The tokens of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Access {
    tokens: BTreeMap<String, User>,
    accounts: BTreeMap<String, Account>,
    /// The keys of `accounts`, the oldest first.
    issued: VecDeque<String>,
    /// How users became somebody else last.
    last_ways: BTreeMap<String, Way>,
}

/// The ServiceAccount that a token was issued to; the token is worth nothing without it.
#[derive(Debug, Clone)]
struct Account {
    key: Key,
    uid: String,
    grant: Grant,
}

/// Why a token stands for nobody, in the words of the real server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Worthless {
    #[error("invalid bearer token")]
    Unknown,
    #[error("[invalid bearer token, token audiences [{of}] is invalid for the target audiences [{wanted}]]")]
    ForOthers { of: String, wanted: String },
    #[error("[invalid bearer token, service account token has expired]")]
    Expired,
}

/// What a token is good for.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// What it is worth nothing without, beside its account.
    pub(crate) bound: Option<Bound>,
    /// Whom it is for.
    pub(crate) audiences: Vec<String>,
    /// When it ends.
    pub(crate) expires: Timestamp,
}

/// An object that a token is bound to.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) resource: GroupResource,
    pub(crate) key: Key,
    pub(crate) uid: String,
}

impl Access {
    /// Lets a token stand for a user.
    pub fn add_token(&mut self, token: &str, user: User) {
        self.tokens.insert(token.to_owned(), user);
    }

    /// A token for a ServiceAccount. The oldest one ends where there are too many.
    pub(crate) fn issue(&mut self, account: &Value, grant: Grant, secret: String) -> String {
        let token = format!("fake-{secret}");
        let account = Account {
            key: Key::of(account),
            uid: meta::uid(account).to_owned(),
            grant,
        };
        self.accounts.insert(token.clone(), account);
        self.issued.push_back(token.clone());
        if self.issued.len() > MAX_ISSUED
            && let Some(oldest) = self.issued.pop_front()
        {
            self.accounts.remove(&oldest);
        }
        token
    }
}

impl Cluster {
    /// Who a bearer token stands for that is shown to the API itself.
    ///
    /// # Errors
    /// When nobody has it, it is for others or has ended, or its ServiceAccount is gone.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Result<User, Refusal> {
        self.recognize(token, &[AUDIENCE.to_owned()], now)
            .map(|(user, _)| user)
            .map_err(|_| Refusal::unauthorized())
    }

    /// Who a bearer token stands for, and to which of `audiences` it may be shown.
    pub(crate) fn recognize(
        &self,
        token: &str,
        audiences: &[String],
        now: Timestamp,
    ) -> Result<(User, Vec<String>), Worthless> {
        let common = |own: &[String]| -> Vec<String> {
            let shared = audiences.iter().filter(|audience| own.contains(audience));
            shared.cloned().collect()
        };
        if let Some(user) = self.access.tokens.get(token) {
            let common = common(&[AUDIENCE.to_owned()]);
            return match common.is_empty() {
                true => Err(Worthless::Unknown),
                false => Ok((user.clone(), common)),
            };
        }
        let account = self.access.accounts.get(token).ok_or(Worthless::Unknown)?;
        let grant = &account.grant;
        let common = common(&grant.audiences);
        if common.is_empty() {
            return Err(Worthless::ForOthers {
                of: quoted(&grant.audiences),
                wanted: quoted(audiences),
            });
        }
        if now.duration_since(grant.expires) > LEEWAY {
            return Err(Worthless::Expired);
        }
        let accounts = GroupResource::new("", "serviceaccounts");
        let stored = self.same(&accounts, &account.key, &account.uid);
        let bound = grant.bound.as_ref();
        match stored {
            Some(stored) if bound.is_none_or(|b| self.same(&b.resource, &b.key, &b.uid).is_some()) => {
                Ok((User::service_account(stored), common))
            }
            _ => Err(Worthless::Unknown),
        }
    }

    /// An object, if it is still the one with that uid.
    fn same(&self, resource: &GroupResource, key: &Key, uid: &str) -> Option<&Value> {
        let stored = self.store.get(resource, key)?.value();
        (meta::uid(stored) == uid).then_some(stored)
    }

    /// Whether `user` may do what they ask.
    pub(crate) fn authorize(&self, user: &User, request: &Request) -> Result<(), Refusal> {
        self.authorize_as(user, request.verb.as_str(), request)
    }

    /// Whether `user` may do it under another verb.
    pub(crate) fn authorize_as(&self, user: &User, verb: &str, request: &Request) -> Result<(), Refusal> {
        let target = match &request.path {
            Path::Resource(target) => target,
            Path::Other(path) => return self.authorize_path(user, verb, path),
        };
        let is_namespace = target.group.is_empty() && target.resource == "namespaces";
        let name = target.name.as_deref();
        let namespace = if is_namespace {
            name
        } else {
            target.namespace.as_deref()
        };
        // Who lists what has one name asks for that object.
        let selected = match request.verb {
            Verb::List | Verb::Watch => request.options.fields.exact_name(),
            _ => None,
        };
        let asked = Attributes {
            verb,
            group: &target.group,
            resource: &target.resource,
            subresource: target.subresource.as_deref().unwrap_or_default(),
            namespace: namespace.unwrap_or_default(),
            name: name.or(selected).unwrap_or_default(),
        };
        match self.allows(user, &asked) {
            true => Ok(()),
            false => Err(forbidden(user, &asked)),
        }
    }

    fn authorize_path(&self, user: &User, verb: &str, path: &str) -> Result<(), Refusal> {
        if self.allows_path(user, verb, path) {
            return Ok(());
        }
        let message = format!("forbidden: User \"{}\" cannot {verb} path \"{path}\"", user.name);
        Err(Refusal::forbidden_path(message))
    }
}

fn quoted(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    quoted.join(" ")
}

fn forbidden(user: &User, asked: &Attributes<'_>) -> Refusal {
    let resource = GroupResource::new(asked.group, asked.resource);
    Refusal::forbidden(&resource, asked.name, &asked.complaint(user))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::moment::Moment;

    fn grant(expires: Timestamp) -> Grant {
        Grant {
            bound: None,
            audiences: vec![AUDIENCE.to_owned()],
            expires,
        }
    }

    #[test]
    fn a_token_ends_a_minute_after_its_time() {
        let mut cluster = Cluster::new(&mut Moment::new(Timestamp::UNIX_EPOCH, 1));
        let accounts = GroupResource::new("", "serviceaccounts");
        let account = cluster
            .find(&accounts, "default", "default")
            .unwrap()
            .value()
            .clone();
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let token = cluster.access.issue(&account, grant(at(600)), "a".to_owned());
        assert!(cluster.authenticate(&token, at(660)).is_ok());
        assert_eq!(cluster.authenticate(&token, at(661)).unwrap_err().code, 401);
    }

    #[test]
    fn the_oldest_token_ends_where_there_are_too_many() {
        let account = json!({"metadata": {"name": "robot", "namespace": "default"}});
        let mut access = Access::default();
        let tokens: Vec<String> = (0..=MAX_ISSUED)
            .map(|n| access.issue(&account, grant(Timestamp::MAX), n.to_string()))
            .collect();
        let is_good = |token: &String| access.accounts.contains_key(token);
        assert_eq!([&tokens[0], &tokens[1]].map(is_good), [false, true]);
        assert_eq!(access.accounts.len(), access.issued.len());
    }
}
