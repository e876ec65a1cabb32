//! Fields that never change, as a table.

use serde_json::{Value, json};

use crate::effects;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// When a field is immutable.
enum When {
    Always,
    /// Once it has a value, which is a list.
    Set,
    /// While `immutable: true` is on the object.
    Flagged,
    /// Once a definition is served.
    Established,
}

struct Rule {
    group: &'static str,
    kind: &'static str,
    path: &'static str,
    when: When,
}

const fn rule(group: &'static str, kind: &'static str, path: &'static str, when: When) -> Rule {
    Rule {
        group,
        kind,
        path,
        when,
    }
}

const RULES: &[Rule] = &[
    rule("apps", "Deployment", "spec.selector", When::Always),
    rule("apps", "ReplicaSet", "spec.selector", When::Always),
    rule("apps", "DaemonSet", "spec.selector", When::Always),
    rule("batch", "Job", "spec.selector", When::Always),
    rule("batch", "Job", "spec.completionMode", When::Always),
    rule("", "Secret", "type", When::Always),
    rule("", "Secret", "data", When::Flagged),
    rule("", "Secret", "immutable", When::Flagged),
    rule("", "ConfigMap", "immutable", When::Flagged),
    rule("", "ConfigMap", "data", When::Flagged),
    rule("", "ConfigMap", "binaryData", When::Flagged),
    rule(
        "rbac.authorization.k8s.io",
        "RoleBinding",
        "roleRef",
        When::Always,
    ),
    rule(
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        "roleRef",
        When::Always,
    ),
    rule("storage.k8s.io", "StorageClass", "provisioner", When::Always),
    rule("storage.k8s.io", "StorageClass", "parameters", When::Always),
    rule(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.group",
        When::Always,
    ),
    rule(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.names.plural",
        When::Always,
    ),
    rule(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.scope",
        When::Established,
    ),
    rule(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "spec.names.kind",
        When::Established,
    ),
    rule("", "Service", "spec.clusterIPs", When::Set),
    rule("apps", "StatefulSet", "spec.selector", When::Always),
    rule("apps", "StatefulSet", "spec.volumeClaimTemplates", When::Always),
    rule("apps", "StatefulSet", "spec.serviceName", When::Always),
    rule("apps", "StatefulSet", "spec.podManagementPolicy", When::Always),
];

/// What an update changes that it may not.
pub(crate) fn check(kind: &Kind, old: &Value, new: &Value) -> Vec<FieldError> {
    RULES
        .iter()
        .filter(|rule| kind.is(rule.group, rule.kind))
        .filter_map(|rule| rule.check(old, new))
        .collect()
}

/// Fields of what is immutable that are empty in `new`, as it was sent, and not there in `old`, or have nulls where there
/// are empty texts. To the real server that is a change, but for the data of a ConfigMap, which it makes empty in both.
pub(crate) fn emptied(kind: &Kind, old: &Value, new: &Value) -> Vec<&'static str> {
    let is_emptied = |field: &str| {
        let is_empty = new[field].as_object().is_some_and(serde_json::Map::is_empty);
        let mut entries = new[field].as_object().into_iter().flatten();
        let is_nulled = entries.any(|(name, entry)| entry.is_null() && old[field][name] == "");
        (old[field].is_null() && is_empty || is_nulled) && !(field == "data" && kind.is("", "ConfigMap"))
    };
    let flagged = RULES.iter().filter(|rule| {
        kind.is(rule.group, rule.kind) && matches!(rule.when, When::Flagged) && old["immutable"] == true
    });
    flagged
        .map(|rule| rule.path)
        .filter(|field| is_emptied(field))
        .collect()
}

impl Rule {
    fn check(&self, old: &Value, new: &Value) -> Option<FieldError> {
        let (before, after) = (at(old, self.path), at(new, self.path));
        let guarded = match self.when {
            When::Always => true,
            When::Set => before.is_some() && after.is_some(),
            When::Flagged => old["immutable"] == true,
            When::Established => effects::is_established(old),
        };
        if !guarded || before == after {
            return None;
        }
        let mut path = self
            .path
            .split('.')
            .fold(FieldPath::root(), |path, name| path.field(name));
        if matches!(self.when, When::Set) {
            path = path.index(0);
        }
        let value = after.cloned().unwrap_or(Value::Null);
        Some(match self.when {
            When::Flagged => FieldError::forbidden(path, "field is immutable when `immutable` is set"),
            When::Always | When::Established => {
                FieldError::invalid(path, quoted(self.path, value), "field is immutable")
            }
            When::Set => FieldError::invalid(path, value, "may not change once set"),
        })
    }
}

/// The server shows which role is meant as it has it itself.
fn quoted(path: &str, value: Value) -> Value {
    if path != "roleRef" {
        return value;
    }
    let text = |field: &str| value[field].as_str().unwrap_or_default();
    json!({"APIGroup": text("apiGroup"), "Kind": text("kind"), "Name": text("name")})
}

fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::GroupResource;
    use crate::registry::Registry;

    fn messages(group: &str, resource: &str, old: &Value, new: &Value) -> Vec<String> {
        let registry = Registry::default();
        let kind = registry.get(&GroupResource::new(group, resource)).unwrap();
        check(kind, old, new).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_selector_never_changes() {
        let old = json!({"spec": {"selector": {"matchLabels": {"a": "b"}}}});
        let new = json!({"spec": {"selector": {"matchLabels": {"a": "c"}}}});
        assert_eq!(
            messages("apps", "deployments", &old, &new),
            [r#"spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable"#]
        );
        assert!(messages("apps", "deployments", &old, &old).is_empty());
    }

    #[test]
    fn a_stateful_set_takes_replicas_but_no_other_service() {
        let old = json!({"spec": {"replicas": 1, "serviceName": "a"}});
        let scaled = json!({"spec": {"replicas": 2, "serviceName": "a"}});
        let renamed = json!({"spec": {"replicas": 1, "serviceName": "b"}});
        assert!(messages("apps", "statefulsets", &old, &scaled).is_empty());
        assert_eq!(messages("apps", "statefulsets", &old, &renamed).len(), 1);
    }

    #[test]
    fn flagged_data_is_frozen() {
        let old = json!({"immutable": true, "data": {"a": "1"}});
        let new = json!({"immutable": true, "data": {"a": "2"}});
        assert_eq!(
            messages("", "configmaps", &old, &new),
            ["data: Forbidden: field is immutable when `immutable` is set"]
        );
        assert!(messages("", "configmaps", &json!({"data": {"a": "1"}}), &new).is_empty());
    }
}
