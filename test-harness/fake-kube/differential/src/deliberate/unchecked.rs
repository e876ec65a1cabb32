//! Rules of built-in kinds that the real server has in code and the embedded one has not, and what both say in other words.

use regex::Regex;
use serde_json::Value;

use super::Case;
use crate::server::Answer;

/// Rules that the real server has in code and the embedded one has not: a name, the kind, the field, the complaint.
#[rustfmt::skip]
const UNCHECKED: &[(&str, &str, &str, &str)] = &[
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
    ("unchecked: what is no selector", "^(Deployment|StatefulSet)$", r"^spec\.selector$", ""),
    ("unchecked: statuses", "", r"^status\.", ""),
    ("unchecked: backends of an Ingress", "^Ingress$", "^spec", ""),
    ("unchecked: ports and addresses of a NetworkPolicy", "^NetworkPolicy$", r"^spec\.(policyTypes|(in|e)gress\[)", ""),
    ("unchecked: metrics of a HorizontalPodAutoscaler", "^HorizontalPodAutoscaler$", "^spec", ""),
    ("unchecked: numbers of a PodDisruptionBudget", "^PodDisruptionBudget$", r"^spec\.(min|max)", ""),
    ("unchecked: rollouts", "^(DaemonSet|Deployment|StatefulSet)$", r"^spec\.(updateStrategy|strategy)\.rollingUpdate", ""),
    ("unchecked: numbers of Jobs and CronJobs", "^(Cron)?Job$", r"^spec\.(jobTemplate\.spec\.)?(completions|parallelism|schedule|timeZone|\w+Limit|\w+Seconds|suspend)", ""),
    ("unchecked: subjects of a RoleBinding", "^RoleBinding$", r"^(subjects|roleRef)", ""),
    ("empty and absent in what is immutable", "^(ConfigMap|Secret)$", "^(data|binaryData)$", "^Forbidden: field is immutable when"),
];

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
        // A schema says that it requires a field; code may not, and complain of what misses it.
        let is_required = text(cause, "reason") == "FieldValueRequired";
        let name = name_of_words(cause, real);
        names.push(name.or(is_required.then_some("other words: what is required"))?);
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

/// The other server says the same of the field in other words.
fn name_of_words(cause: &Value, others: &[Value]) -> Option<&'static str> {
    let field = text(cause, "field");
    let there: Vec<&Value> = others
        .iter()
        .filter(|other| text(other, "field") == field)
        .collect();
    let is_required = |cause: &Value| text(cause, "reason") == "FieldValueRequired";
    let of_same = |other: &&&Value| gist(text(other, "message")) == gist(text(cause, "message"));
    if there.iter().any(|other| is_required(cause) || is_required(other)) {
        return Some("other words: what is required");
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
    UNCHECKED
        .iter()
        .find(|(_, kinds, field, message)| {
            matches(kinds, kind)
                && matches(field, text(cause, "field"))
                && matches(message, text(cause, "message"))
        })
        .map(|(name, ..)| *name)
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}
