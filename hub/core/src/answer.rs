//! What a refused request means.
//!
//! A 404 alone proves nothing: a proxy, or an API server that does not serve the kind yet, says it too. An object is
//! gone only if the answer names it.

use core::time::Duration;

use kube::core::Status;

use crate::{Change, Outcome, Subject, Write};

/// Causes of a refusal that are told.
const CAUSES: usize = 3;

/// Whether the API server itself says that this very object does not exist.
pub fn is_gone(status: Option<&Status>, name: &str) -> bool {
    let status = status.filter(|status| status.code == 404);
    let details = status.and_then(|status| status.details.as_ref());
    details.is_some_and(|details| details.name == name && !details.kind.is_empty())
}

/// What became of a write that failed; `status` is what the API server answered, if it was the one that did.
pub fn outcome(write: &Write, status: Option<&Status>) -> Outcome {
    let name = match &write.subject {
        Subject::Bundle(key) => key.name.as_str(),
        Subject::Plane(name, _) => name.as_str(),
    };
    if is_gone(status, name) {
        return Outcome::Gone;
    }
    match (status.map(|status| status.code), &write.change) {
        (Some(422), Change::Status { .. }) if let Some(message) = status.and_then(causes) => {
            Outcome::Invalid { message }
        }
        // A failed test of a JSON patch is a 422 too, but without a field that is wrong.
        (Some(409 | 422), _) => Outcome::Outdated,
        _ => Outcome::Failed {
            retry_after: status.and_then(retry_after),
        },
    }
}

/// How long the API server wants to be left alone.
pub(crate) fn retry_after(status: &Status) -> Option<Duration> {
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}

/// The fields that break the schema.
fn causes(status: &Status) -> Option<String> {
    let causes = &status.details.as_ref()?.causes;
    let named: Vec<String> = causes
        .iter()
        .filter(|cause| !cause.field.is_empty())
        .take(CAUSES)
        .map(|cause| format!("{}: {}", cause.field, cause.message))
        .collect();
    (!named.is_empty()).then(|| named.join("; "))
}

#[cfg(test)]
mod tests {
    use outhaul_protocol_wire::head::{BundleKind, Key};
    use outhaul_protocol_wire::ids::Uid;
    use serde_json::{Value, json};

    use super::*;
    use crate::WriteId;

    fn check(change: Change, code: u16, details: Value) -> Outcome {
        let key = Key {
            kind: BundleKind::Release,
            namespace: "shop".into(),
            name: "cart".into(),
            uid: Uid::new("u-1").unwrap(),
        };
        let write = Write {
            id: WriteId(1),
            subject: Subject::Bundle(key),
            change,
        };
        let status: Status = serde_json::from_value(json!({"code": code, "details": details})).unwrap();
        outcome(&write, Some(&status))
    }

    fn status() -> Change {
        Change::Status {
            status: Box::default(),
            known: None,
        }
    }

    #[test]
    fn only_a_404_that_names_the_object_says_that_it_is_gone() {
        let failed = Outcome::Failed { retry_after: None };
        assert_eq!(
            check(status(), 404, json!({"name": "cart", "kind": "releases"})),
            Outcome::Gone
        );
        assert_eq!(check(status(), 404, json!({})), failed);
        assert_eq!(check(status(), 404, Value::Null), failed);
        assert_eq!(
            check(status(), 404, json!({"name": "acme", "kind": "namespaces"})),
            failed
        );
    }

    #[test]
    fn a_status_that_breaks_the_schema_is_told_from_a_patch_that_came_too_late() {
        let details = json!({"causes": [{"field": "status.plane", "message": "must be a string"}]});
        let message = "status.plane: must be a string".to_owned();
        assert_eq!(
            check(status(), 422, details.clone()),
            Outcome::Invalid { message }
        );
        assert_eq!(check(status(), 422, json!({})), Outcome::Outdated);
        assert_eq!(check(status(), 409, json!({})), Outcome::Outdated);
        assert_eq!(check(Change::AddFinalizer, 422, details), Outcome::Outdated);
    }

    #[test]
    fn an_api_server_that_asks_for_time_gets_it() {
        let wait = Duration::from_secs(3);
        let failed = |retry_after| Outcome::Failed { retry_after };
        assert_eq!(
            check(status(), 429, json!({"retryAfterSeconds": 3})),
            failed(Some(wait))
        );
        assert_eq!(check(status(), 500, Value::Null), failed(None));
    }
}
