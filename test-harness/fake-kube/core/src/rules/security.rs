//! As whom pods and containers run.

use serde_json::{Value, json};

use super::places::{self, Place};
use crate::schema::{FieldError, FieldPath};

const GROUP_CHANGES: [&str; 2] = ["Always", "OnRootMismatch"];
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

/// What is wrong with the security context of a pod or a container.
pub(super) fn check(place: &Place<'_>) -> Vec<FieldError> {
    let Some((path, Some(context))) = places::all(place.clone(), "securityContext").pop() else {
        return Vec::new();
    };
    let mut ids: Vec<Place<'_>> = ["fsGroup", "runAsUser", "runAsGroup"]
        .map(|field| (path.field(field), Some(&context[field])))
        .into();
    let groups = path.field("supplementalGroups");
    ids.extend(places::items((groups, Some(&context["supplementalGroups"]))));
    let mut errors: Vec<FieldError> = ids
        .into_iter()
        .filter_map(|(path, id)| {
            let id = id?
                .as_i64()
                .filter(|id| !(0..=i64::from(i32::MAX)).contains(id))?;
            let detail = "must be between 0 and 2147483647, inclusive";
            Some(FieldError::invalid(path, id, detail))
        })
        .collect();
    if let Some(given) = context["fsGroupChangePolicy"]
        .as_str()
        .filter(|given| !GROUP_CHANGES.contains(given))
    {
        let path = path.field("fsGroupChangePolicy");
        errors.push(FieldError::unsupported(path, given, &GROUP_CHANGES));
    }
    if context["seccompProfile"].is_object() {
        errors.extend(check_profile(
            &path.field("seccompProfile"),
            &context["seccompProfile"],
        ));
    }
    errors
}

fn check_profile(path: &FieldPath, profile: &Value) -> Vec<FieldError> {
    let kind = profile["type"].as_str().unwrap_or_default();
    let file = &profile["localhostProfile"];
    let place = path.field("localhostProfile");
    let mut errors = Vec::new();
    if kind.is_empty() {
        let detail = "type is required when seccompProfile is set";
        errors.push(FieldError::required(path.field("type"), detail));
    } else if !PROFILES.contains(&kind) {
        errors.push(FieldError::unsupported(path.field("type"), kind, &PROFILES));
    }
    match (kind, file.as_str()) {
        ("Localhost", None) => {
            let detail = "must be set when seccomp type is Localhost";
            errors.push(FieldError::required(place, detail));
        }
        ("Localhost", Some(file)) => errors.extend(super::volumes::check_descent(&place, file)),
        (_, None) => {}
        (_, Some(file)) => {
            // The server shows the whole as it has it itself.
            let value = json!({"Type": kind, "LocalhostProfile": file});
            let detail = "can only be set when seccomp type is Localhost";
            errors.push(FieldError::invalid(place, value, detail));
        }
    }
    errors
}
