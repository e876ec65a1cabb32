//! Of a stored Release only a digest is kept: when all of it is read, and when not.

use serde_json::{Value, json};

use super::*;

/// What somebody gets wrong in what runs.
type Mistake = fn(&mut Server);

const MISTAKES: [(&str, Mistake, &str); 5] = [
    (
        "a policy",
        |server| {
            let limit = json!({"requests": 1, "window": "1d"});
            let policy = json!({"restPolicy": {"defaults": {"rateLimit": limit}}});
            server.put(Kind::ApiClass, "default", policy);
        },
        "False InvalidConfiguration: API \"api\", level Public: rateLimit.window",
    ),
    (
        "a container",
        |server| {
            let mut empty = workload("cart");
            empty["containers"] = Value::Null;
            server.put(Kind::Workload, "cart", empty);
        },
        "False InvalidConfiguration: Deployment \"cart-",
    ),
    (
        "whose pods they are",
        |server| {
            let mut moved = service("cart");
            moved["owner"] = owner("till");
            server.put(Kind::Service, "cart", moved);
        },
        "False InvalidConfiguration: Deployment \"cart-",
    ),
    (
        "more than a Release can say",
        |server| {
            let annotations = json!({"notes": "n".repeat(1024 * 1024)});
            let class =
                json!({"deploymentTemplate": {"template": {"metadata": {"annotations": annotations}}}});
            server.put(Kind::ServiceClass, "default", class);
        },
        "False InvalidConfiguration: the Release would be ",
    ),
    (
        "an edit that the API server refuses",
        |server| {
            server.refuse = Some((Kind::Release, "no"));
            let class = json!({"deploymentTemplate": {"replicas": 2}});
            server.put(Kind::ServiceClass, "default", class);
        },
        "False ReleaseUpdateFailed: ",
    ),
];

#[test]
fn a_report_about_a_release_with_a_problem_has_it_read_by_nobody() {
    for (what, mistake, says) in MISTAKES {
        let mut server = running();
        mistake(&mut server);
        server.run_until_idle();
        assert!(cart(&server).starts_with(says), "{what}: {}", cart(&server));
        let (said, read) = (cart(&server), server.read);
        assert!((1..=2).contains(&read), "{what}: {read}");
        for health in ["Degraded", "Progressing", "Healthy"] {
            server.report("cart", health);
            server.run_until_idle();
            assert_eq!((cart(&server), server.read), (said.clone(), read), "{what}");
        }
    }
}

#[test]
fn another_spec_or_another_mistake_has_it_read_again() {
    for (what, mistake, _) in &MISTAKES[..3] {
        let mut server = running();
        mistake(&mut server);
        server.settle();
        let (before, read) = (server.get(Kind::Release, "cart")["spec"].clone(), server.read);
        let mut edited = before.clone();
        edited["resources"][0]["object"]["spec"]["replicas"] = json!(7);
        edited["resources"]
            .as_array_mut()
            .unwrap()
            .push(json!({"id": "more", "object": {}}));
        server.merge(Kind::Release, "cart", json!({"spec": edited}));
        server.settle();
        assert!(server.read > read, "{what}");
        let after = &server.get(Kind::Release, "cart")["spec"];
        assert_eq!(
            after["resources"].as_array().unwrap().len(),
            5,
            "{what}: the edit is undone"
        );

        let policies = json!({"restPolicy": {"defaults": {"rateLimit": {"requests": -1, "window": "1s"}}}});
        server.put(Kind::ApiClass, "default", policies);
        server.settle();
        assert!(
            cart(&server).contains("rateLimit.requests"),
            "{what}: {}",
            cart(&server)
        );
    }
}

#[test]
fn what_is_suspended_with_a_problem_stops_though_it_was_read_before() {
    for (what, mistake, _) in &MISTAKES[..3] {
        let mut server = running();
        mistake(&mut server);
        server.settle();
        server.report("cart", "Healthy");
        server.settle();
        let state = json!({"spec": {"releaseState": "Suspend"}});
        server.merge(Kind::ServiceBinding, "cart", state);
        server.settle();
        let deployment = server.object("cart", "cart-deployment");
        assert_eq!(deployment["spec"]["replicas"], 0, "{what}");
    }
}
