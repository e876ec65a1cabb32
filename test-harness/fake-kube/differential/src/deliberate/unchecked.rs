//! Rules of built-in kinds that the real server has in code and the embedded one has not, and what both say in other words.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::Case;
use crate::server::Answer;

/// A rule, by patterns: each must be somewhere in what it is about.
struct Rule {
    name: &'static str,
    kind: Regex,
    field: Regex,
    message: Regex,
}

impl Rule {
    fn new((name, kind, field, message): (&'static str, &str, &str, &str)) -> Self {
        let pattern = |text| Regex::new(text).expect("a valid pattern");
        Self {
            name,
            kind: pattern(kind),
            field: pattern(field),
            message: pattern(message),
        }
    }

    fn covers(&self, kind: &str, cause: &Value) -> bool {
        self.kind.is_match(kind)
            && self.field.is_match(text(cause, "field"))
            && self.message.is_match(text(cause, "message"))
    }
}

/// Rules that the real server has in code and the embedded one has not: a name, the kind, the field, the complaint.
#[rustfmt::skip]
static UNCHECKED: LazyLock<Vec<Rule>> = LazyLock::new(|| [
    ("unchecked: volumes of pods", "", r"(^|\.)spec\.volumes\[", ""),
    ("unchecked: variables of pods", "", r"(^|\.)spec\.(initC|c)ontainers\[\d+\]\.env", ""),
    ("unchecked: probes and hooks of pods", "", r"(^|\.)spec\.(initC|c)ontainers\[\d+\]\.(\w+Probe|lifecycle)", ""),
    ("unchecked: resources of pods", "", r"(^|\.)spec\.(initC|c)ontainers\[\d+\]\.resources", ""),
    ("unchecked: security of pods", "", r"(^|\.)spec\.((initC|c)ontainers\[\d+\]\.)?securityContext", ""),
    ("unchecked: mounts of pods", "", r"(^|\.)spec\.(initC|c)ontainers\[\d+\]\.volumeMounts", "Path|path|Not found"),
    (
        "unchecked: scheduling and names of pods", "",
        r"(^|\.)spec\.(tolerations|topologySpreadConstraints|hostAliases|dnsPolicy|nodeSelector|subdomain|hostname|imagePullSecrets|serviceAccountName|schedulerName|shareProcessNamespace)",
        "",
    ),
    ("unchecked: claims of volumes", "^(PersistentVolumeClaim|StatefulSet)$", r"^(spec\.volumeClaimTemplates\[\d+\]\.)?spec\.(resources|storageClassName|accessModes|selector)|^volumeMode$", ""),
    // The phase of a namespace, which is checked, has a capital there.
    ("unchecked: statuses", "", r"^status\.[a-z]", ""),
    ("unchecked: ports and addresses of a NetworkPolicy", "^NetworkPolicy$", r"^spec\.(policyTypes|(in|e)gress\[)", ""),
    ("unchecked: numbers of a PodDisruptionBudget", "^PodDisruptionBudget$", r"^spec\.(min|max)", ""),
    ("unchecked: rollouts", "^(DaemonSet|Deployment|StatefulSet)$", r"^spec\.(updateStrategy|strategy)\.rollingUpdate", ""),
    ("unchecked: numbers of Jobs and CronJobs", "^(Cron)?Job$", r"^spec\.(jobTemplate\.spec\.)?(completions|parallelism|schedule|timeZone|\w+Limit|\w+Seconds|suspend)", ""),
    ("empty and absent in what is immutable", "^(ConfigMap|Secret)$", "^(data|binaryData)$", "^Forbidden: field is immutable when"),
].map(Rule::new).into());

/// What the embedded server says of the same fields and must go on saying, which no rule excuses: without names.
#[rustfmt::skip]
static CHECKED: LazyLock<Vec<Rule>> = LazyLock::new(|| [
    ("", "", r"Probe(\.\w+)?$", "must specify a handler type|may not specify more than 1 handler"),
    ("", "", r"initContainers\[\d+\]\.", "without restartPolicy=Always"),
    ("", "", r"valueFrom$", "must specify one of|may not be specified when `value`|more than one field specified"),
    ("", "", r"^spec\.accessModes$", "at least 1 access mode"),
    ("", "", r"^spec\.strategy", "when strategy `type` is 'Recreate'"),
    ("", "^Job$", r"^spec\.completions$", "Required value|field is immutable|in tandem with"),
].map(Rule::new).into());

const REQUIRED: &str = "other words: what is required";

/// The name of the rule that the embedded server lacks, if that is all that the two answers differ in.
///
/// What the embedded one complains of, the real one must complain of as well, and of what only the real one complains,
/// each must be in the table. Where the embedded one has nothing to complain of at all, it takes the object, or finds out
/// what comes later: that there is none (404), or another one (409).
pub(super) fn explain(case: &Case<'_>) -> Option<&'static str> {
    let is_later = case.fake.code < 300 || matches!(case.fake.code, 404 | 409);
    if case.is_custom || case.real.code != 422 || !(is_later || case.fake.code == 422) {
        return None;
    }
    let none: &[Value] = &[];
    let (real, fake) = (causes(case.real), if is_later { none } else { causes(case.fake) });
    if real.is_empty() || !is_later && fake.is_empty() {
        return None;
    }
    let kind = case.real.body["details"]["kind"].as_str()?;
    let mut names = Vec::new();
    for cause in fake.iter().filter(|cause| !real.contains(cause)) {
        let name = name_of_words(cause, real);
        let is_told = is_required(cause) && real.iter().any(|other| is_around(other, cause));
        names.push(name.or(is_told.then_some(REQUIRED))?);
    }
    for cause in real.iter().filter(|cause| !fake.contains(cause)) {
        names.push(name_of_words(cause, fake).or_else(|| name_of_rule(kind, cause))?);
    }
    names.first().copied()
}

pub(super) fn causes(answer: &Answer) -> &[Value] {
    let causes = answer.body["details"]["causes"].as_array();
    causes.map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn text<'a>(cause: &'a Value, name: &str) -> &'a str {
    cause[name].as_str().unwrap_or_default()
}

/// A schema says that it requires a field; code may complain of what misses it, or of its other fields, instead.
fn is_around(cause: &Value, missing: &Value) -> bool {
    let misses = text(missing, "field")
        .rsplit_once('.')
        .map_or("", |(misses, _)| misses);
    let field = text(cause, "field");
    misses.starts_with(field) || field.starts_with(misses)
}

fn is_required(cause: &Value) -> bool {
    text(cause, "reason") == "FieldValueRequired"
}

/// The other server says the same of the field in other words.
fn name_of_words(cause: &Value, others: &[Value]) -> Option<&'static str> {
    let field = text(cause, "field");
    let there: Vec<&Value> = others
        .iter()
        .filter(|other| text(other, "field") == field)
        .collect();
    let of_same = |other: &&&Value| gist(text(other, "message")) == gist(text(cause, "message"));
    if there.iter().any(|other| is_required(cause) || is_required(other)) {
        return Some(REQUIRED);
    }
    there.iter().find(of_same).map(|_| "other words: what is quoted")
}

/// A complaint without the value it quotes, and without what follows in further lines.
fn gist(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let Some((problem, rest)) = line.split_once(": ") else {
        return line.to_owned();
    };
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let quoted = values
        .next()
        .and_then(Result::ok)
        .filter(|value| !value.is_string());
    match quoted {
        Some(_) => format!("{problem}: {}", &rest[values.byte_offset()..]),
        None => line.to_owned(),
    }
}

fn name_of_rule(kind: &str, cause: &Value) -> Option<&'static str> {
    if CHECKED.iter().any(|rule| rule.covers(kind, cause)) {
        return None;
    }
    let rule = UNCHECKED.iter().find(|rule| rule.covers(kind, cause));
    rule.map(|rule| rule.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(kind: &str, field: &str, message: &str) -> Option<&'static str> {
        name_of_rule(kind, &json!({"field": field, "message": message}))
    }

    #[test]
    fn what_the_embedded_server_checks_is_not_excused() {
        for (kind, field, message) in [
            (
                "Pod",
                "spec.containers[0].livenessProbe",
                "Required value: must specify a handler type",
            ),
            (
                "Deployment",
                "spec.selector",
                "Invalid value: null: field is immutable",
            ),
            (
                "Job",
                "spec.completions",
                "Required value: when completion mode is Indexed",
            ),
            (
                "Namespace",
                "status.Phase",
                "Invalid value: \"\": may only be 'Active' if `deletionTimestamp` is empty",
            ),
            (
                "Service",
                "spec.ports[0].port",
                "Invalid value: 0: must be between 1 and 65535, inclusive",
            ),
        ] {
            assert_eq!(name(kind, field, message), None, "{kind} {field}: {message}");
        }
    }

    #[test]
    fn what_it_does_not_check_has_a_name() {
        let hook = name(
            "Pod",
            "spec.containers[0].lifecycle.preStop",
            "Required value: must specify a handler type",
        );
        assert_eq!(hook, Some("unchecked: probes and hooks of pods"));
        let status = name(
            "Deployment",
            "status.replicas",
            "Invalid value: -1: must be greater than or equal to 0",
        );
        assert_eq!(status, Some("unchecked: statuses"));
    }
}
