//! Whom a role is bound to, and which role.

use serde_json::Value;

use super::names::{complaint_of_segment, complaint_of_subdomain};
use super::places;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const GROUP: &str = "rbac.authorization.k8s.io";

/// What is wrong with the parts of a binding.
pub(super) fn check(kind: &Kind, object: &Value) -> Vec<FieldError> {
    if !kind.is(GROUP, "RoleBinding") && !kind.is(GROUP, "ClusterRoleBinding") {
        return Vec::new();
    }
    let mut errors = check_role(kind, &object["roleRef"]);
    let subjects = places::items((FieldPath::root().field("subjects"), Some(&object["subjects"])));
    for (path, subject) in subjects {
        errors.extend(
            subject
                .into_iter()
                .flat_map(|subject| check_subject(kind, &path, subject)),
        );
    }
    errors
}

fn check_role(kind: &Kind, role: &Value) -> Vec<FieldError> {
    let path = FieldPath::root().field("roleRef");
    let roles: &[&str] = if kind.is_namespaced() {
        &["Role", "ClusterRole"]
    } else {
        &["ClusterRole"]
    };
    let mut errors = Vec::new();
    // Without a role there is none to fill the group in of.
    if role.is_object() {
        errors.extend(check_one_of(path.field("apiGroup"), &role["apiGroup"], &[GROUP]));
    }
    errors.extend(check_one_of(path.field("kind"), &role["kind"], roles));
    let (path, name) = (path.field("name"), text(&role["name"]));
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        errors.extend(complaint_of_segment(name).map(|why| FieldError::invalid(path, name, why)));
    }
    errors
}

fn check_subject(kind: &Kind, path: &FieldPath, subject: &Value) -> Vec<FieldError> {
    let name = text(&subject["name"]);
    let mut errors = Vec::new();
    if name.is_empty() {
        errors.push(FieldError::required(path.field("name"), ""));
    }
    match text(&subject["kind"]) {
        "ServiceAccount" => {
            if !name.is_empty() {
                let complaint = complaint_of_subdomain(name);
                errors.extend(complaint.map(|why| FieldError::invalid(path.field("name"), name, why)));
            }
            errors.extend(check_one_of(path.field("apiGroup"), &subject["apiGroup"], &[""]));
            if !kind.is_namespaced() && text(&subject["namespace"]).is_empty() {
                errors.push(FieldError::required(path.field("namespace"), ""));
            }
        }
        "User" | "Group" => {
            errors.extend(check_one_of(
                path.field("apiGroup"),
                &subject["apiGroup"],
                &[GROUP],
            ));
        }
        _ => {
            let kinds = ["ServiceAccount", "User", "Group"];
            errors.extend(check_one_of(path.field("kind"), &subject["kind"], &kinds));
        }
    }
    errors
}

fn check_one_of(path: FieldPath, value: &Value, allowed: &[&str]) -> Option<FieldError> {
    let value = text(value);
    (!allowed.contains(&value)).then(|| FieldError::unsupported(path, value, allowed))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
