//! Where pods may run, and by which names.

use serde_json::Value;

use super::metadata::check_labels;
use super::names::{complaint_of_address, complaint_of_label, complaint_of_subdomain};
use super::places::{self, Place};
use super::qualified::{complaints_of_name, complaints_of_value};
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const OPERATORS: [&str; 2] = ["Equal", "Exists"];
const UNSATISFIED: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// What is wrong with the parts of a pod's spec that are not about its containers.
pub(super) fn check(kind: &Kind, (path, spec): &Place<'_>) -> Vec<FieldError> {
    let Some(spec) = spec else { return Vec::new() };
    let items = |field: &str| places::items((path.field(field), Some(&spec[field])));
    let mut errors = check_labels(&spec["nodeSelector"], &path.field("nodeSelector"));
    for (path, toleration) in items("tolerations") {
        errors.extend(
            toleration
                .into_iter()
                .flat_map(|toleration| check_toleration(&path, toleration)),
        );
    }
    errors.extend(check_spread(&items("topologySpreadConstraints")));
    for (path, alias) in items("hostAliases") {
        errors.extend(alias.into_iter().flat_map(|alias| check_alias(&path, alias)));
    }
    if let Some(policy) = spec["dnsPolicy"]
        .as_str()
        .filter(|policy| !DNS_POLICIES.contains(policy))
    {
        let place = path.field("dnsPolicy");
        errors.push(if policy.is_empty() {
            FieldError::required(place, "")
        } else {
            FieldError::unsupported(place, policy, &DNS_POLICIES)
        });
    }
    // Pods of a stateful set get names of their own.
    let names: &[&str] = if kind.is("apps", "StatefulSet") {
        &[]
    } else {
        &["hostname", "subdomain"]
    };
    for field in names {
        let name = text(&spec[*field]);
        let why = complaint_of_label(name).filter(|_| !name.is_empty());
        errors.extend(why.map(|why| FieldError::invalid(path.field(field), name, why)));
    }
    let account = text(&spec["serviceAccountName"]);
    let why = complaint_of_subdomain(account).filter(|_| !account.is_empty());
    errors.extend(why.map(|why| FieldError::invalid(path.field("serviceAccountName"), account, why)));
    errors
}

fn check_toleration(path: &FieldPath, toleration: &Value) -> Vec<FieldError> {
    let given = |field: &str| text(&toleration[field]);
    let (key, operator, effect, value) = (given("key"), given("operator"), given("effect"), given("value"));
    let invalid = |field: &str, value: &str, why: &str| FieldError::invalid(path.field(field), value, why);
    let mut errors = Vec::new();
    if key.is_empty() {
        let why =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.extend((operator != "Exists").then(|| invalid("operator", operator, why)));
    } else {
        errors.extend(complaints_of_name(key).iter().map(|why| invalid("key", key, why)));
    }
    if toleration["tolerationSeconds"].is_i64() && effect != "NoExecute" {
        let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.push(invalid("effect", effect, why));
    }
    match operator {
        "" | "Equal" => {
            let complaints = complaints_of_value(value);
            errors
                .extend((!complaints.is_empty()).then(|| invalid("operator", value, &complaints.join(";"))));
        }
        "Exists" => {
            let why = "value must be empty when `operator` is 'Exists'";
            errors.extend((!value.is_empty()).then(|| invalid("operator", value, why)));
        }
        _ => errors.push(FieldError::unsupported(
            path.field("operator"),
            operator,
            &OPERATORS,
        )),
    }
    if !effect.is_empty() && !EFFECTS.contains(&effect) {
        errors.push(FieldError::unsupported(path.field("effect"), effect, &EFFECTS));
    }
    errors
}

fn check_spread(constraints: &[Place<'_>]) -> Vec<FieldError> {
    let kind = |constraint: Option<&Value>| {
        let part = |field: &str| {
            constraint
                .map_or("", |constraint| text(&constraint[field]))
                .to_owned()
        };
        (part("topologyKey"), part("whenUnsatisfiable"))
    };
    let mut errors = Vec::new();
    for (index, (path, constraint)) in constraints.iter().enumerate() {
        let skew = constraint
            .and_then(|constraint| constraint["maxSkew"].as_i64())
            .unwrap_or(0);
        if skew <= 0 {
            errors.push(FieldError::invalid(
                path.field("maxSkew"),
                skew,
                "must be greater than zero",
            ));
        }
        let (key, action) = kind(*constraint);
        if key.is_empty() {
            errors.push(FieldError::required(
                path.field("topologyKey"),
                "can not be empty",
            ));
        }
        if !UNSATISFIED.contains(&&*action) {
            errors.push(FieldError::unsupported(
                path.field("whenUnsatisfiable"),
                &*action,
                &UNSATISFIED,
            ));
        }
        let mut rest = constraints[index + 1..].iter();
        if rest.any(|(_, other)| kind(*other) == (key.clone(), action.clone())) {
            let place = path.field("{topologyKey, whenUnsatisfiable}");
            errors.push(FieldError::duplicate(place, format!("{{{key}, {action}}}")));
        }
    }
    errors
}

fn check_alias(path: &FieldPath, alias: &Value) -> Vec<FieldError> {
    let ip = text(&alias["ip"]);
    let mut errors: Vec<FieldError> = complaint_of_address(ip)
        .into_iter()
        .map(|why| FieldError::invalid(path.field("ip"), ip, why))
        .collect();
    for (path, name) in places::items((path.field("hostnames"), Some(&alias["hostnames"]))) {
        let name = name.map_or("", text);
        errors.extend(complaint_of_subdomain(name).map(|why| FieldError::invalid(path, name, why)));
    }
    errors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
