//! Statuses that the API server does not take: an Event says what they were to say.

use serde_json::json;

use super::*;

const REFUSED: &str = "status.conditions: Too many: 9: must have at most 8 items";

fn refused() -> Option<(Kind, Outcome)> {
    Some((Kind::ServiceBinding, Outcome::Refused(REFUSED.to_owned())))
}

/// A service whose class is missing, which its binding has to say.
fn classless(class: &str) -> Value {
    let mut service = service("cart");
    service["className"] = json!(class);
    service
}

fn told(words: &str, class: &str) -> String {
    format!(
        "StatusRefused: the API server does not take the status of ServiceBinding \"cart\", so what it says is out of date: \
         {words}: install the definitions and the roles of this hub's chart, or correct the webhook that refuses it; it was \
         to say: Ready False, ServiceClassNotFound: ServiceClass {class:?} not found: create it in namespace \"acme\", or \
         correct spec.className"
    )
}

#[test]
fn a_status_that_is_refused_is_told_once_for_each_edit_and_tried_less_and_less() {
    let mut server = shop();
    server.statuses = refused();
    server.put(Kind::Service, "cart", classless("none"));
    server.run_for(Duration::from_secs(600));
    assert_eq!(server.events, [told(REFUSED, "none")]);
    // Nine pauses up to half a minute, and then one a minute.
    assert!((15..22).contains(&server.refused), "{}", server.refused);

    // What changes nothing of the words is no reason to try again.
    let before = server.refused;
    for replicas in 0..9 {
        let policies =
            json!({"restPolicy": {"defaults": {"rateLimit": {"requests": replicas, "window": "1s"}}}});
        server.put(Kind::ApiClass, "default", policies);
        server.run_until_idle();
    }
    assert!(server.refused <= before + 1, "{} after {before}", server.refused);

    server.put(Kind::Service, "cart", classless("other"));
    server.run_for(Duration::from_secs(60));
    assert_eq!(server.events, [told(REFUSED, "none"), told(REFUSED, "other")]);

    server.statuses = None;
    server.settle();
    assert!(cart(&server).starts_with("False ServiceClassNotFound: ServiceClass \"other\""));
    let words = server.events.split_off(2);
    assert!(
        words.len() == 1 && words[0].starts_with("ServiceClassNotFound"),
        "{words:?}"
    );
}

#[test]
fn a_status_that_fails_for_long_is_told_too() {
    let mut server = shop();
    let failed = Outcome::Failed {
        said: Some("failed calling webhook".to_owned()),
        retry_after: None,
    };
    server.statuses = Some((Kind::ServiceBinding, failed));
    server.put(Kind::Service, "cart", classless("none"));
    server.run_for(Duration::from_secs(20));
    assert!(server.events.is_empty(), "{:?}", server.events);
    server.run_for(Duration::from_secs(600));
    assert_eq!(server.events, [told("failed calling webhook", "none")]);
}

#[test]
fn a_status_that_is_called_outdated_for_ever_is_told_too() {
    let mut server = shop();
    let outdated = Outcome::Outdated("not found".to_owned());
    server.statuses = Some((Kind::ServiceBinding, outdated));
    server.put(Kind::Service, "cart", classless("none"));
    server.run_for(Duration::from_secs(20));
    assert!(server.events.is_empty(), "{:?}", server.events);
    server.run_for(Duration::from_secs(600));
    assert_eq!(server.events, [told("not found", "none")]);
}

#[test]
fn a_write_that_is_called_outdated_for_ever_is_told() {
    let mut server = shop();
    server.conflict = Some(Kind::Release);
    server.run_for(Duration::from_secs(20));
    assert!(
        !cart(&server).contains("ReleaseCreationFailed"),
        "{}",
        cart(&server)
    );
    server.run_for(Duration::from_secs(600));
    let said = "False ReleaseCreationFailed: failed to create release \"cart\": the object has been modified";
    assert_eq!(cart(&server), said);

    server.conflict = None;
    server.settle();
    assert!(server.has(Kind::Release, "cart"));
}

#[test]
fn a_refused_status_holds_up_nothing_that_is_made() {
    let mut server = shop();
    server.statuses = refused();
    server.run_for(Duration::from_secs(60));
    assert!(server.has(Kind::Release, "cart"));
}
