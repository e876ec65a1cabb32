//! What a HorizontalPodAutoscaler must say.

use serde_json::Value;

use super::names::complaint_of_segment;
use super::places;
use crate::kind::Kind;
use crate::schema::{FieldError, FieldPath};

/// The longest window and period, in seconds.
const LONGEST_WINDOW: i64 = 3600;
const LONGEST_PERIOD: i64 = 1800;

/// Types of metrics in the order of their names, with the fields that hold them.
const METRICS: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

/// What is wrong with an autoscaler, which replaces `old` or is new.
pub(super) fn check(kind: &Kind, old: Option<&Value>, object: &Value) -> Vec<FieldError> {
    if !kind.is("autoscaling", "HorizontalPodAutoscaler") {
        return Vec::new();
    }
    let spec = &object["spec"];
    let path = FieldPath::root().field("spec");
    let mut errors = check_bounds(&path, spec);
    let target = &spec["scaleTargetRef"];
    errors.extend(check_reference(&path.field("scaleTargetRef"), target));
    // What was there already is not asked for again.
    let is_same = old.is_some_and(|old| {
        let before = &old["spec"]["scaleTargetRef"];
        ["apiVersion", "kind"]
            .iter()
            .all(|field| text(&before[field]) == text(&target[field]))
    });
    if !is_same {
        let place = path.field("scaleTargetRef").field("apiVersion");
        errors.extend(check_version(place, target));
    }
    errors.extend(check_metrics(&path.field("metrics"), spec));
    for direction in ["scaleUp", "scaleDown"] {
        let rules = &spec["behavior"][direction];
        if rules.is_object() {
            errors.extend(check_behavior(&path.field("behavior").field(direction), rules));
        }
    }
    errors
}

fn check_bounds(path: &FieldPath, spec: &Value) -> Vec<FieldError> {
    let (least, most) = (spec["minReplicas"].as_i64(), number(&spec["maxReplicas"]));
    let wrong = |field: &str, value: i64, detail: &str| FieldError::invalid(path.field(field), value, detail);
    let mut errors = Vec::new();
    if let Some(least) = least.filter(|least| *least < 0) {
        errors.push(wrong("minReplicas", least, "must be greater than or equal to 0"));
    }
    if most == 0 {
        errors.push(FieldError::required(path.field("maxReplicas"), ""));
    } else if most < 0 {
        errors.push(wrong("maxReplicas", most, "must be greater than or equal to 1"));
    }
    if least.is_some_and(|least| most < least) {
        let detail = "must be greater than or equal to `minReplicas`";
        errors.push(wrong("maxReplicas", most, detail));
    }
    errors
}

fn check_reference(path: &FieldPath, reference: &Value) -> Vec<FieldError> {
    let complaint = |field: &str| {
        let (path, name) = (path.field(field), text(&reference[field]));
        if name.is_empty() {
            return Some(FieldError::required(path, ""));
        }
        complaint_of_segment(name).map(|why| FieldError::invalid(path, name, why))
    };
    ["kind", "name"].into_iter().filter_map(complaint).collect()
}

/// Of all that is scaled, only a ReplicationController is in the group without a name.
fn check_version(path: FieldPath, reference: &Value) -> Option<FieldError> {
    let version = text(&reference["apiVersion"]);
    let detail = match version.matches('/').count() {
        0 if text(&reference["kind"]) != "ReplicationController" => {
            "apiVersion must specify API group".to_owned()
        }
        0 | 1 => return None,
        _ => format!("unexpected GroupVersion string: {version}"),
    };
    Some(FieldError::invalid(path, version, detail))
}

fn check_metrics(path: &FieldPath, spec: &Value) -> Vec<FieldError> {
    let metrics = places::items((path.clone(), Some(&spec["metrics"])));
    let is_other = |metric: &Value| matches!(text(&metric["type"]), "Object" | "External");
    let has_other = metrics.iter().any(|(_, metric)| metric.is_some_and(is_other));
    let there = metrics
        .into_iter()
        .filter_map(|(path, metric)| Some((path, metric?)));
    let mut errors: Vec<FieldError> = there
        .flat_map(|(path, metric)| check_metric(&path, metric))
        .collect();
    if spec["minReplicas"].as_i64() == Some(0) && !has_other {
        let detail =
            "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.push(FieldError::forbidden(path.clone(), detail));
    }
    errors
}

fn check_metric(path: &FieldPath, metric: &Value) -> Vec<FieldError> {
    let given = text(&metric["type"]);
    let place = path.field("type");
    let mut errors = Vec::new();
    if given.is_empty() {
        let detail = "must specify a metric source type";
        errors.push(FieldError::required(place.clone(), detail));
    }
    let present: Vec<&str> = ["object", "external", "pods", "resource", "containerResource"]
        .into_iter()
        .filter(|field| metric[field].is_object())
        .collect();
    if let Some(first) = present.first() {
        errors.extend(check_source(&path.field(first), first, &metric[first]));
    }
    let expected = METRICS.iter().find(|(name, _)| *name == given);
    match expected {
        None => {
            let known = METRICS.map(|(name, _)| name);
            errors.push(FieldError::unsupported(place, given, &known));
        }
        Some((_, field)) if !present.contains(field) => {
            let detail = "must populate information for the given metric source";
            errors.push(FieldError::required(path.field(field), detail));
        }
        Some(_) => {}
    }
    let others = present
        .iter()
        .filter(|field| present.len() > 1 && expected.is_none_or(|(_, expected)| expected != *field));
    errors.extend(others.map(|field| {
        let detail = "must populate the given metric source only";
        FieldError::forbidden(path.field(field), detail)
    }));
    errors
}

fn check_source(path: &FieldPath, field: &str, source: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut ask = |name: &str, detail: &str| {
        if text(&source[name]).is_empty() {
            errors.push(FieldError::required(path.field(name), detail));
        }
    };
    match field {
        "resource" => ask("name", "must specify a resource name"),
        "containerResource" => {
            ask("name", "must specify a resource name");
            ask("container", "must specify a container");
        }
        _ => errors.extend(check_identifier(
            &path.field("metric").field("name"),
            &source["metric"],
        )),
    }
    if field == "object" {
        let object = path.field("describedObject");
        errors.extend(check_reference(&object, &source["describedObject"]));
    }
    errors.extend(check_target(&path.field("target"), field, &source["target"]));
    errors
}

fn check_identifier(path: &FieldPath, metric: &Value) -> Option<FieldError> {
    let name = text(&metric["name"]);
    if name.is_empty() {
        return Some(FieldError::required(path.clone(), "must specify a metric name"));
    }
    complaint_of_segment(name).map(|why| FieldError::invalid(path.clone(), name, why))
}

fn check_target(path: &FieldPath, field: &str, target: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let given = text(&target["type"]);
    if given.is_empty() {
        let detail = "must specify a metric target type";
        errors.push(FieldError::required(path.field("type"), detail));
    }
    if !matches!(given, "Utilization" | "Value" | "AverageValue") {
        let detail = "must be either Utilization, Value, or AverageValue";
        errors.push(FieldError::invalid(path.field("type"), given, detail));
    }
    if let Some(share) = target["averageUtilization"].as_i64().filter(|share| *share < 1) {
        let detail = "must be greater than 0";
        errors.push(FieldError::invalid(
            path.field("averageUtilization"),
            share,
            detail,
        ));
    }
    errors.extend(check_measure(path, field, target));
    errors
}

/// Each source has measures of its own.
fn check_measure(path: &FieldPath, field: &str, target: &Value) -> Option<FieldError> {
    let has = |measure: &str| !target[measure].is_null();
    let missing = |measure: &str, detail: &str| Some(FieldError::required(path.field(measure), detail));
    let too_many = |measure: &str, detail: &str| Some(FieldError::forbidden(path.field(measure), detail));
    match (
        field,
        has("value"),
        has("averageValue"),
        has("averageUtilization"),
    ) {
        ("resource" | "containerResource", _, false, false) => missing(
            "averageUtilization",
            "must set either a target raw value or a target utilization",
        ),
        ("resource" | "containerResource", _, true, true) => too_many(
            "averageValue",
            "may not set both a target raw value and a target utilization",
        ),
        ("object", false, false, _) => {
            missing("averageValue", "must set either a target value or averageValue")
        }
        ("external", false, false, _) => missing(
            "averageValue",
            "must set either a target value for metric or a per-pod target",
        ),
        ("external", true, true, _) => too_many(
            "value",
            "may not set both a target value for metric and a per-pod target",
        ),
        ("pods", _, false, _) => missing("averageValue", "must specify a positive target averageValue"),
        _ => None,
    }
}

fn check_behavior(path: &FieldPath, rules: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let window = number(&rules["stabilizationWindowSeconds"]);
    let place = path.field("stabilizationWindowSeconds");
    if window < 0 {
        let detail = "must be greater than or equal to zero";
        errors.push(FieldError::invalid(place, window, detail));
    } else if window > LONGEST_WINDOW {
        let detail = format!("must be less than or equal to {LONGEST_WINDOW}");
        errors.push(FieldError::invalid(place, window, detail));
    }
    let known = ["Disabled", "Max", "Min"];
    if let Some(select) = rules["selectPolicy"]
        .as_str()
        .filter(|select| !known.contains(select))
    {
        errors.push(FieldError::unsupported(
            path.field("selectPolicy"),
            select,
            &known,
        ));
    }
    let policies = places::items((path.field("policies"), Some(&rules["policies"])));
    if policies.is_empty() {
        let detail = "must specify at least one Policy";
        errors.push(FieldError::required(path.field("policies"), detail));
    }
    let there = policies
        .into_iter()
        .filter_map(|(path, policy)| Some((path, policy?)));
    errors.extend(there.flat_map(|(path, policy)| check_policy(&path, policy)));
    errors
}

fn check_policy(path: &FieldPath, policy: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let known = ["Percent", "Pods"];
    let given = text(&policy["type"]);
    if !known.contains(&given) {
        errors.push(FieldError::unsupported(path.field("type"), given, &known));
    }
    for field in ["value", "periodSeconds"] {
        let given = number(&policy[field]);
        if given <= 0 {
            errors.push(FieldError::invalid(
                path.field(field),
                given,
                "must be greater than zero",
            ));
        }
    }
    let period = number(&policy["periodSeconds"]);
    if period > LONGEST_PERIOD {
        let detail = format!("must be less than or equal to {LONGEST_PERIOD}");
        errors.push(FieldError::invalid(path.field("periodSeconds"), period, detail));
    }
    errors
}

/// What is missing is zero to the server.
fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
