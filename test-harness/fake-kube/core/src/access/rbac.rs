//! RBAC: whether some rule of some role that is bound to the user allows what is asked.

use serde_json::Value;

use super::{MASTERS, User};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::store::Key;

pub(super) const GROUP: &str = "rbac.authorization.k8s.io";

/// What is asked of a resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) subresource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl Attributes<'_> {
    /// Why it is refused, in the server's words.
    pub(super) fn complaint(&self, user: &User) -> String {
        let resource = match self.subresource {
            "" => self.resource.to_owned(),
            subresource => format!("{}/{subresource}", self.resource),
        };
        let place = match self.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        format!(
            "User \"{}\" cannot {} resource \"{resource}\" in API group \"{}\" {place}",
            user.name, self.verb, self.group
        )
    }

    fn allowed_by(&self, rule: &Value) -> bool {
        let resource = match self.subresource {
            "" => self.resource.to_owned(),
            subresource => format!("{}/{subresource}", self.resource),
        };
        let any_subresource = format!("*/{}", self.subresource);
        lists(rule, "verbs", &[self.verb])
            && lists(rule, "apiGroups", &[self.group])
            && lists(rule, "resources", &[&resource, &any_subresource])
            && (rule["resourceNames"].as_array().is_none_or(Vec::is_empty)
                || (!self.name.is_empty() && texts(&rule["resourceNames"]).any(|name| name == self.name)))
    }
}

impl Cluster {
    pub(super) fn allows(&self, user: &User, asked: &Attributes<'_>) -> bool {
        user.is_in(MASTERS) || self.any_rule(user, asked.namespace, |rule| asked.allowed_by(rule))
    }

    pub(super) fn allows_path(&self, user: &User, verb: &str, path: &str) -> bool {
        user.is_in(MASTERS)
            || self.any_rule(user, "", |rule| {
                lists(rule, "verbs", &[verb]) && texts(&rule["nonResourceURLs"]).any(|url| covers(url, path))
            })
    }

    /// Whether a rule that is bound to the user, in the cluster or in the namespace, satisfies `test`.
    pub(super) fn any_rule(&self, user: &User, namespace: &str, test: impl Fn(&Value) -> bool) -> bool {
        let in_cluster = self
            .objects(&GroupResource::new(GROUP, "clusterrolebindings"), None)
            .filter(|binding| binds(binding, user))
            .any(|binding| self.rules("", &binding["roleRef"]).any(&test));
        in_cluster
            || (!namespace.is_empty()
                && self
                    .objects(&GroupResource::new(GROUP, "rolebindings"), Some(namespace))
                    .filter(|binding| binds(binding, user))
                    .any(|binding| self.rules(namespace, &binding["roleRef"]).any(&test)))
    }

    fn rules(&self, namespace: &str, reference: &Value) -> impl Iterator<Item = &Value> {
        let name = reference["name"].as_str().unwrap_or_default();
        let role = match reference["kind"].as_str() {
            Some("Role") => self
                .store
                .get(&GroupResource::new(GROUP, "roles"), &Key::new(namespace, name)),
            _ => self
                .store
                .get(&GroupResource::new(GROUP, "clusterroles"), &Key::new("", name)),
        };
        role.and_then(|role| role.value()["rules"].as_array())
            .into_iter()
            .flatten()
    }
}

fn binds(binding: &Value, user: &User) -> bool {
    let subjects = binding["subjects"].as_array();
    subjects.into_iter().flatten().any(|subject| {
        let name = subject["name"].as_str().unwrap_or_default();
        match subject["kind"].as_str() {
            Some("User") => name == user.name,
            Some("Group") => user.is_in(name),
            Some("ServiceAccount") => {
                let namespace = subject["namespace"]
                    .as_str()
                    .unwrap_or_else(|| meta::namespace(binding));
                user.name
                    .strip_prefix("system:serviceaccount:")
                    .is_some_and(|account| account.split_once(':') == Some((namespace, name)))
            }
            _ => false,
        }
    })
}

/// Whether a rule's list names one of these, or everything.
pub(super) fn lists(rule: &Value, field: &str, wanted: &[&str]) -> bool {
    texts(&rule[field]).any(|text| text == "*" || wanted.contains(&text))
}

pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => pattern == path,
    }
}
