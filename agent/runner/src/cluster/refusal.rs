//! Error answers of an API server.

use core::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use outhaul_agent_core::blocker::{Failure, Refusal};
use serde_json::Value;

/// More than any `Status` needs; what a proxy in between sends instead may be a whole page.
const TEXT: usize = 512;

/// No answer came.
pub(super) fn unreachable(error: &kube::Error) -> Failure {
    Failure::Unreachable(chain(error))
}

/// An answer that is no success.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let answer: Value = serde_json::from_slice(body).unwrap_or_else(|_not_json| Value::from(plain(body)));
    let text = |pointer: &str| {
        let text = answer.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let refusal = Refusal {
        code: status.as_u16(),
        reason: text("/reason"),
        message: answer.as_str().map_or_else(|| text("/message"), str::to_owned),
        causes: causes(&answer),
        name: text("/details/name"),
        kind: text("/details/kind"),
        retry_after: retry_after(headers),
    };
    // An API server that knows the kind says which object it did not find.
    if status == StatusCode::NOT_FOUND && refusal.kind.is_empty() {
        return Failure::KindUnknown("this kind".to_owned());
    }
    refusal.into()
}

/// An error answer that kube has read.
pub(crate) fn refused(status: &kube::core::Status) -> Failure {
    if status.code == 404 {
        return Failure::KindUnknown("this kind".to_owned());
    }
    Failure::from(Refusal {
        code: status.code,
        reason: status.reason.clone(),
        message: status.message.clone(),
        ..Refusal::default()
    })
}

/// An error with everything that it was caused by.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors already say what their source says.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

fn causes(answer: &Value) -> Vec<String> {
    let causes = answer.pointer("/details/causes").and_then(Value::as_array);
    let reasons = causes
        .into_iter()
        .flatten()
        .filter_map(|cause| cause.get("reason"));
    reasons.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(TEXT)]);
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: u16, body: &str) -> Failure {
        super::read(
            StatusCode::from_u16(code).unwrap(),
            &HeaderMap::new(),
            body.as_bytes(),
        )
    }

    #[test]
    fn a_status_is_read_with_its_causes() {
        let body = r#"{
            "kind": "Status", "reason": "Forbidden", "message": "no", "code": 403,
            "details": {"name": "cart", "kind": "deployments", "causes": [{"reason": "NamespaceTerminating"}]}
        }"#;
        let Failure::Refused(refusal) = read(403, body) else {
            panic!("it is a refusal");
        };
        assert_eq!((refusal.code, refusal.message.as_str()), (403, "no"));
        assert_eq!(refusal.causes, ["NamespaceTerminating"]);
    }

    #[test]
    fn an_unknown_path_is_an_unknown_kind_and_an_unknown_object_is_not() {
        assert!(read(404, "404 page not found\n").is_unserved());
        let object = r#"{"reason": "NotFound", "details": {"name": "cart", "kind": "deployments"}}"#;
        assert!(read(404, object).is_not_found());
    }

    #[test]
    fn retry_after_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let failure = super::read(StatusCode::TOO_MANY_REQUESTS, &headers, b"");
        let Failure::Refused(refusal) = failure else {
            panic!("it is a refusal");
        };
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
    }
}
