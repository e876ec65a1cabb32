//! What the parts of a role's rules must have to do with each other.

use serde_json::Value;

use super::places;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// What is wrong with the rules of a role.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    let is_role = matches!(&*kind.name, "ClusterRole" | "Role");
    if &*kind.id.group != "rbac.authorization.k8s.io" || !is_role {
        return Vec::new();
    }
    let rules = places::all((FieldPath::root(), Some(object)), "rules[]").into_iter();
    rules
        .filter_map(|(path, rule)| Some(check_rule(kind, rule?, &path)))
        .flatten()
        .chain(check_gathering(object))
        .collect()
}

/// Who gathers rules says of whom.
fn check_gathering(role: &Value) -> Option<FieldError> {
    let gathering = role.get("aggregationRule").filter(|rule| !rule.is_null())?;
    let selectors = gathering["clusterRoleSelectors"].as_array();
    let path = FieldPath::root()
        .field("aggregationRule")
        .field("clusterRoleSelectors");
    let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
    selectors
        .is_none_or(Vec::is_empty)
        .then(|| FieldError::required(path, detail))
}

fn check_rule(kind: &Kind, rule: &Value, path: &FieldPath) -> Vec<FieldError> {
    let is_given = |field: &str| rule[field].as_array().is_some_and(|items| !items.is_empty());
    if is_given("nonResourceURLs") {
        let path = path.field("nonResourceURLs");
        let wrong = |detail: &str| FieldError::invalid(path.clone(), rule["nonResourceURLs"].clone(), detail);
        let is_both = ["apiGroups", "resources", "resourceNames"]
            .into_iter()
            .any(is_given);
        let complaints = [
            (
                kind.is_namespaced(),
                "namespaced rules cannot apply to non-resource URLs",
            ),
            (
                is_both,
                "rules cannot apply to both regular resources and non-resource URLs",
            ),
        ];
        let held = complaints.into_iter().filter(|(holds, _)| *holds);
        return held.map(|(_, detail)| wrong(detail)).collect();
    }
    let wanted = [
        ("apiGroups", "resource rules must supply at least one api group"),
        ("resources", "resource rules must supply at least one resource"),
    ];
    let missing = wanted.into_iter().filter(|(field, _)| !is_given(field));
    missing
        .map(|(field, detail)| FieldError::required(path.field(field), detail))
        .collect()
}
