//! Being somebody else: who may, and who they are then.
//!
//! As on the real server, a requester is tried in several ways, the narrow ones first: as a node, as a service account or
//! as another user, each of which needs a right of its own to do what is asked as that user; then by the verb
//! `impersonate`, which allows everything that they may.

use std::collections::BTreeMap;

use super::rbac::Attributes;
use super::{ANONYMOUS, AUTHENTICATED, MASTERS, UNAUTHENTICATED, User, forbidden};
use crate::cluster::Cluster;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::rules::names::is_subdomain;

const GROUP: &str = "authentication.k8s.io";

/// Whom somebody wants to be, as the headers of a request say it.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Empty for who stays who they are.
    pub name: &'a str,
    /// Their uid, or empty.
    pub uid: &'a str,
    /// Their groups.
    pub groups: Vec<&'a str>,
    /// What else is known of them.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Wanted<'_> {
    fn is_only_named(&self) -> bool {
        self.uid.is_empty() && self.groups.is_empty() && self.extra.is_empty()
    }

    /// Namespace and name of a service account.
    fn service_account(&self) -> Option<(&str, &str)> {
        let (namespace, name) = self
            .name
            .strip_prefix("system:serviceaccount:")?
            .split_once(':')?;
        (is_subdomain(namespace) && is_subdomain(name)).then_some((namespace, name))
    }

    fn node(&self) -> Option<&str> {
        let name = self.name.strip_prefix("system:node:")?;
        is_subdomain(name).then_some(name)
    }

    /// Of somebody without a name, as Go prints it.
    fn nameless(&self) -> Refusal {
        let groups = match self.groups.as_slice() {
            [] => "(nil)".to_owned(),
            groups => listed(groups),
        };
        let extra = match self.extra.len() {
            0 => "(nil)".to_owned(),
            _ => {
                let entries = self.extra.iter();
                let entries = entries.map(|(key, values)| format!("{key:?}:[]string{}", listed(values)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        };
        Refusal::bad_request(format!(
            "requested &user.DefaultInfo{{Name:\"\", UID:{:?}, Groups:[]string{groups}, Extra:map[string][]string{extra}}} \
             without impersonating a user name",
            self.uid
        ))
    }
}

fn listed<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{:?}", text.as_ref())).collect();
    format!("{{{}}}", texts.join(", "))
}

/// A way to be somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Node,
    ServiceAccount,
    UserInfo,
    Legacy,
}

impl Way {
    const ALL: [Self; 4] = [Self::Node, Self::ServiceAccount, Self::UserInfo, Self::Legacy];

    fn leads_to(self, wanted: &Wanted<'_>) -> bool {
        let (node, account) = (wanted.node(), wanted.service_account());
        match self {
            Self::Node => wanted.is_only_named() && node.is_some(),
            Self::ServiceAccount => wanted.is_only_named() && account.is_some(),
            Self::UserInfo => {
                let is_reserved = wanted.groups.iter().any(|group| [MASTERS, ""].contains(group));
                node.is_none() && account.is_none() && !is_reserved
            }
            Self::Legacy => true,
        }
    }

    /// The verb for being somebody.
    fn verb(self) -> &'static str {
        match self {
            Self::Node => "impersonate:arbitrary-node",
            Self::ServiceAccount => "impersonate:serviceaccount",
            Self::UserInfo => "impersonate:user-info",
            Self::Legacy => "impersonate",
        }
    }

    /// What a verb is called for who does it as somebody else.
    fn acting(self, verb: &str) -> String {
        format!("{}:{verb}", self.verb().replacen(':', "-on:", 1))
    }

    /// The API group of names.
    fn group(self) -> &'static str {
        match self {
            Self::Legacy => "",
            Self::Node | Self::ServiceAccount | Self::UserInfo => GROUP,
        }
    }
}

impl Cluster {
    /// Who is acting in a request when `user` asks to be somebody else. The way that worked last is tried first, so what
    /// a refusal says depends on it.
    ///
    /// # Errors
    /// When `user` may not be them, or they have no name.
    pub fn impersonate(
        &mut self,
        user: User,
        wanted: &Wanted<'_>,
        request: &Request,
    ) -> Result<User, Refusal> {
        if wanted.name.is_empty() {
            return match wanted.is_only_named() {
                true => Ok(user),
                false => Err(wanted.nameless()),
            };
        }
        let last = self.access.last_ways.get(&user.name).copied();
        let others = Way::ALL.into_iter().filter(|way| Some(*way) != last);
        let ways = last.into_iter().chain(others);
        let mut first = None;
        for way in ways.filter(|way| way.leads_to(wanted)) {
            match self.impersonate_by(way, &user, wanted, request) {
                Ok(()) => {
                    self.access.last_ways.insert(user.name, way);
                    return Ok(acting(way, wanted));
                }
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        Err(first.expect("one way leads to everybody"))
    }

    fn impersonate_by(
        &self,
        way: Way,
        user: &User,
        wanted: &Wanted<'_>,
        request: &Request,
    ) -> Result<(), Refusal> {
        if way != Way::Legacy {
            self.authorize_as(user, &way.acting(request.verb.as_str()), request)?;
        }
        let check = |group, resource, subresource, namespace, name| {
            let asked = Attributes {
                verb: way.verb(),
                group,
                resource,
                subresource,
                namespace,
                name,
            };
            match self.allows(user, &asked) {
                true => Ok(()),
                false => Err(forbidden(user, &asked)),
            }
        };
        match (wanted.service_account(), wanted.node()) {
            (Some((namespace, name)), _) => check(way.group(), "serviceaccounts", "", namespace, name)?,
            (None, Some(name)) if way == Way::Node => check(way.group(), "nodes", "", "", name)?,
            (None, _) => check(way.group(), "users", "", "", wanted.name)?,
        }
        if !wanted.uid.is_empty() {
            check(GROUP, "uids", "", "", wanted.uid)?;
        }
        for group in &wanted.groups {
            check(way.group(), "groups", "", "", group)?;
        }
        for (key, values) in &wanted.extra {
            for value in values {
                check(GROUP, "userextras", key, "", value)?;
            }
        }
        Ok(())
    }
}

/// Who somebody is for whom another one acts. Groups are known of accounts and nodes, unless some are named.
fn acting(way: Way, wanted: &Wanted<'_>) -> User {
    let mut groups: Vec<String> = wanted.groups.iter().map(|&group| group.to_owned()).collect();
    if let (true, Some((namespace, _))) = (groups.is_empty(), wanted.service_account()) {
        groups = super::groups_of_accounts(namespace).into();
    }
    if way == Way::Node {
        groups = vec!["system:nodes".to_owned()];
    }
    let is_unknown = groups.iter().any(|group| group == UNAUTHENTICATED);
    let last = match wanted.name {
        ANONYMOUS => UNAUTHENTICATED,
        _ if is_unknown => UNAUTHENTICATED,
        _ => AUTHENTICATED,
    };
    if !groups.iter().any(|group| group == last) {
        groups.push(last.to_owned());
    }
    User {
        name: wanted.name.to_owned(),
        uid: wanted.uid.to_owned(),
        groups,
        extra: wanted.extra.clone(),
    }
}
