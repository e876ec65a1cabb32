//! Granting: nobody gives by a role or a binding what they do not have themselves, unless they may `escalate` roles, or
//! `bind` the one that they refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rbac::{self, Attributes, lists, texts};
use super::{MASTERS, User};
use crate::cluster::Cluster;
use crate::kind::{GroupResource, Served};
use crate::meta;
use crate::refusal::Refusal;
use crate::verbs::Asked;

/// The least that a rule grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant<'a> {
    Access {
        group: &'a str,
        resource: &'a str,
        name: Option<&'a str>,
        verb: &'a str,
    },
    Path {
        url: &'a str,
        verb: &'a str,
    },
}

impl Cluster {
    /// Refuses a role or a binding, new or instead of `old`, that grants more than who sends it has.
    pub(crate) fn check_grant(
        &self,
        served: &Served,
        asked: Asked<'_>,
        old: Option<&Value>,
        new: &Value,
    ) -> Result<(), Refusal> {
        let kind = &served.kind;
        if *kind.id.group != *rbac::GROUP || asked.user.is_in(MASTERS) {
            return Ok(());
        }
        let is_for_garbage = old.is_some_and(|old| differs_for_garbage_alone(old, new));
        match &*kind.name {
            _ if is_for_garbage => Ok(()),
            "Role" | "ClusterRole" => self.check_role(served, asked, old, new),
            _ => self.check_binding(served, asked, new),
        }
    }

    fn check_role(
        &self,
        served: &Served,
        asked: Asked<'_>,
        old: Option<&Value>,
        new: &Value,
    ) -> Result<(), Refusal> {
        let (user, id) = (asked.user, &served.kind.id);
        let namespace = asked.target.namespace.as_deref().unwrap_or_default();
        let escalate = Attributes {
            verb: "escalate",
            group: &id.group,
            resource: &id.resource,
            subresource: "",
            namespace,
            name: asked.target.name.as_deref().unwrap_or_default(),
        };
        if self.allows(user, &escalate) {
            return Ok(());
        }
        let refuse = |why: &str| Refusal::forbidden(id, meta::name(new), why);
        let rules = new["rules"].as_array().into_iter().flatten();
        self.check_held(user, namespace, rules)
            .map_err(|why| refuse(&why))?;
        // Who gathers what others grant may gather anything.
        let everything = [
            serde_json::json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
            serde_json::json!({"nonResourceURLs": ["*"], "verbs": ["*"]}),
        ];
        if (gathers(new) || old.is_some_and(gathers))
            && self.check_held(user, namespace, everything.iter()).is_err()
        {
            return Err(refuse(
                "must have cluster-admin privileges to use the aggregationRule",
            ));
        }
        Ok(())
    }

    fn check_binding(&self, served: &Served, asked: Asked<'_>, new: &Value) -> Result<(), Refusal> {
        let user = asked.user;
        let namespace = asked.target.namespace.as_deref().unwrap_or_default();
        let reference = &new["roleRef"];
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let (resource, place) = match text("kind") {
            "Role" => ("roles", namespace),
            "ClusterRole" => ("clusterroles", ""),
            other => {
                let why = format!("unsupported role reference kind: {other:?}");
                return Err(Refusal::new(500, "", why));
            }
        };
        let bind = Attributes {
            verb: "bind",
            group: text("apiGroup"),
            resource,
            subresource: "",
            namespace,
            name: text("name"),
        };
        if self.allows(user, &bind) {
            return Ok(());
        }
        let roles = GroupResource::new(rbac::GROUP, resource);
        let Some(role) = self.find(&roles, place, text("name")) else {
            return Err(Refusal::not_found(&served.kind.id, text("name")));
        };
        let rules = role.value()["rules"].as_array().into_iter().flatten();
        self.check_held(user, namespace, rules)
            .map_err(|why| Refusal::forbidden(&served.kind.id, meta::name(new), &why))
    }

    /// Says what of some rules a user does not have.
    fn check_held<'a>(
        &self,
        user: &User,
        namespace: &str,
        rules: impl Iterator<Item = &'a Value>,
    ) -> Result<(), String> {
        let missing: Vec<_> = rules
            .flat_map(grants)
            .filter(|grant| !self.any_rule(user, namespace, |rule| grant.is_in(rule)))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            user.name,
            quoted(&user.groups),
            described(&missing)
        ))
    }
}

impl Grant<'_> {
    fn is_in(self, rule: &Value) -> bool {
        let names = || texts(&rule["resourceNames"]);
        let names_nothing = names().next().is_none();
        match self {
            Self::Access {
                group,
                resource,
                name,
                verb,
            } => {
                let part = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
                lists(rule, "verbs", &[verb])
                    && lists(rule, "apiGroups", &[group])
                    && lists(
                        rule,
                        "resources",
                        &[resource, part.as_deref().unwrap_or(resource)],
                    )
                    && (names_nothing || name.is_some_and(|name| names().any(|known| known == name)))
            }
            Self::Path { url, verb } => {
                lists(rule, "verbs", &[verb])
                    && names_nothing
                    && texts(&rule["nonResourceURLs"]).any(|known| rbac::covers(known, url))
            }
        }
    }
}

/// All that a rule grants, one by one.
fn grants(rule: &Value) -> Vec<Grant<'_>> {
    let names: Vec<_> = texts(&rule["resourceNames"]).map(Some).collect();
    let names = if names.is_empty() { vec![None] } else { names };
    let mut all = Vec::new();
    for group in texts(&rule["apiGroups"]) {
        for resource in texts(&rule["resources"]) {
            for verb in texts(&rule["verbs"]) {
                all.extend(names.iter().map(|&name| Grant::Access {
                    group,
                    resource,
                    name,
                    verb,
                }));
            }
        }
    }
    for url in texts(&rule["nonResourceURLs"]) {
        all.extend(texts(&rule["verbs"]).map(|verb| Grant::Path { url, verb }));
    }
    all
}

/// One line for each resource, or path and verb, as Go prints them.
fn described(missing: &[Grant<'_>]) -> String {
    let mut verbs: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for grant in missing {
        match *grant {
            Grant::Access {
                group,
                resource,
                name,
                verb,
            } => verbs.entry((group, resource, name)).or_default().push(verb),
            Grant::Path { url, verb } => {
                lines.insert(format!("{{NonResourceURLs:[{url:?}], Verbs:[{verb:?}]}}"));
            }
        }
    }
    lines.extend(verbs.into_iter().map(|((group, resource, name), verbs)| {
        let name = name
            .map(|name| format!("ResourceNames:[{name:?}], "))
            .unwrap_or_default();
        let verbs = quoted(&verbs);
        format!("{{APIGroups:[{group:?}], Resources:[{resource:?}], {name}Verbs:{verbs}}}")
    }));
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

fn quoted<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{:?}", text.as_ref())).collect();
    format!("[{}]", texts.join(" "))
}

fn gathers(role: &Value) -> bool {
    let selectors = role.pointer("/aggregationRule/clusterRoleSelectors");
    selectors
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty())
}

/// Whether two states differ in nothing but what the garbage collector writes.
fn differs_for_garbage_alone(old: &Value, new: &Value) -> bool {
    let bare = |object: &Value| {
        let mut object = object.clone();
        for field in ["ownerReferences", "finalizers", "managedFields"] {
            meta::remove(&mut object, field);
        }
        object
    };
    bare(old) == bare(new)
}
