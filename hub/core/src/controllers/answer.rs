//! What a refused request means.

use core::time::Duration;

use kube::core::Status;

use super::{Outcome, Step};
use crate::answer::retry_after;

/// How etcd, and the client that API servers have for it, refuse an object. API servers hand it on as an error of their
/// own, and the same object is refused every time.
const TOO_LARGE: [&str; 2] = ["request is too large", "trying to send message larger than max"];

/// What came of a step that failed; `status` is what the API server answered, if it was the one that did.
pub fn outcome(status: Option<&Status>) -> Outcome {
    let Some(status) = status else {
        return Outcome::Failed {
            said: None,
            retry_after: None,
        };
    };
    match status.code {
        500 if TOO_LARGE.iter().any(|words| status.message.contains(words)) => {
            Outcome::Refused(status.message.clone())
        }

        // A 404 may also come from a proxy, or be about the namespace. In each case what we know is not what there is.
        404 | 409 => Outcome::Outdated(status.message.clone()),
        400..=428 | 430..=499 => Outcome::Refused(status.message.clone()),
        code => Outcome::Failed {
            said: (code != 429).then(|| status.message.clone()),
            retry_after: retry_after(status),
        },
    }
}

/// What came of a step that got no answer in this time. API servers wait longer for a webhook than a hub for them.
pub fn unanswered(step: &Step, time: Duration) -> Outcome {
    let said = match step {
        Step::Create { id, .. }
        | Step::Replace { id, .. }
        | Step::Delete { id, .. }
        | Step::Status { id, .. } => {
            let resource = id.kind.resource();
            Some(format!(
                "the API server did not answer within {} s: an admission webhook may hang, so look among \
                 validatingwebhookconfigurations and mutatingwebhookconfigurations for those that are asked about {}.{}, \
                 and mend them or take them out",
                time.as_secs(),
                resource.plural,
                resource.group
            ))
        }
        Step::Read(_) | Step::Commit(_) => None,
    };
    Outcome::Failed {
        said,
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(code: u16, details: Value) -> Outcome {
        let status = json!({"code": code, "message": "words", "details": details});
        outcome(Some(&serde_json::from_value(status).unwrap()))
    }

    #[test]
    fn what_somebody_must_mend_is_told_from_what_passes() {
        let failed = |said: Option<&str>, seconds: Option<u64>| Outcome::Failed {
            said: said.map(str::to_owned),
            retry_after: seconds.map(Duration::from_secs),
        };
        for code in [404, 409] {
            assert_eq!(check(code, Value::Null), Outcome::Outdated("words".into()));
        }
        for code in [400, 401, 403, 413, 422] {
            assert_eq!(check(code, Value::Null), Outcome::Refused("words".into()));
        }
        assert_eq!(check(429, json!({"retryAfterSeconds": 3})), failed(None, Some(3)));
        assert_eq!(check(500, Value::Null), failed(Some("words"), None));
        assert_eq!(outcome(None), failed(None, None));
        for words in [
            "etcdserver: request is too large",
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max (3 vs. 2)",
        ] {
            let status = serde_json::from_value(json!({"code": 500, "message": words})).unwrap();
            assert_eq!(outcome(Some(&status)), Outcome::Refused(words.into()));
        }
    }
}
