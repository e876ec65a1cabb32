//! GitCommitRequests: one commit each, and what is said of it.

use serde_json::{Value, json};

use super::server::Server;
use super::*;

fn request() -> Value {
    json!({
        "repoURL": "https://git.example/team.git", "branch": "main", "message": "Deploy cart",
        "files": [{"path": "cart.json", "content": "{}"}],
    })
}

fn asked() -> Server {
    let mut server = Server::default();
    server.put(Kind::GitCommitRequest, "deploy", request());
    server
}

fn pushed() -> Result<Pushed, NotPushed> {
    Ok(Pushed {
        commit: "c0ffee".into(),
        branch: "main".into(),
    })
}

fn not_pushed(message: &str) -> Result<Pushed, NotPushed> {
    Err(NotPushed {
        at: Stage::Push,
        message: message.into(),
    })
}

fn status(server: &Server) -> &Value {
    &server.get(Kind::GitCommitRequest, "deploy")["status"]
}

fn said(server: &Server) -> String {
    super::ready(server, Kind::GitCommitRequest, "deploy")
}

#[test]
fn a_request_is_one_commit_and_one_write() {
    let mut server = asked();
    server.git = Some(pushed());
    server.settle();
    let status = status(&server);
    assert_eq!(
        (
            &status["phase"],
            &status["observedSHA"],
            &status["observedBranch"],
            &status["message"]
        ),
        (
            &json!("Succeeded"),
            &json!("c0ffee"),
            &json!("main"),
            &json!("commit pushed")
        )
    );
    assert_eq!(said(&server), "True CommitPushed: commit pushed");
    assert_eq!((server.commits, server.writes.len()), (1, 1));
    assert!(server.notes.is_empty(), "{:?}", server.notes);
    // Neither another hub nor an edit makes another one.
    server.restart();
    server.settle();
    let mut edited = request();
    edited["message"] = json!("again");
    server.put(Kind::GitCommitRequest, "deploy", edited);
    server.settle();
    assert_eq!((server.commits, server.writes.len()), (1, 1));
}

#[test]
fn what_can_never_be_done_is_said_and_not_tried_until_it_is_corrected() {
    let mut server = asked();
    server.git = Some(pushed());
    let mut outside = request();
    outside["files"][0]["path"] = json!("../../etc/passwd");
    server.put(Kind::GitCommitRequest, "deploy", outside);
    server.settle();
    assert!(
        said(&server).starts_with("False InvalidConfiguration: spec.files[0].path"),
        "{}",
        said(&server)
    );
    assert_eq!(status(&server)["phase"], "Failed");
    assert_eq!(
        (server.commits, server.notes.as_slice()),
        (0, &["InvalidConfiguration".to_owned()][..])
    );
    server.put(Kind::GitCommitRequest, "deploy", request());
    server.settle();
    assert_eq!(
        (status(&server)["phase"].clone(), server.commits),
        (json!("Succeeded"), 1)
    );
}

#[test]
fn a_request_that_was_made_anew_is_tried_anew() {
    let mut server = asked();
    server.git = Some(not_pushed("the branch is protected"));
    server.run_until_idle();
    assert_eq!(server.commits, 1);
    server.git = Some(pushed());
    server.relist(Kind::GitCommitRequest, |server| {
        server.delete(Kind::GitCommitRequest, "deploy");
        server.put(Kind::GitCommitRequest, "deploy", request());
    });
    server.run_until_idle();
    assert_eq!(server.commits, 2);
    assert_eq!(said(&server), "True CommitPushed: commit pushed");
}

#[test]
fn a_failure_is_tried_again_less_and_less_often_and_given_up() {
    let mut server = asked();
    server.git = Some(not_pushed("the server is down"));
    server.run_until_idle();
    assert_eq!(
        said(&server),
        "False PushFailed: the server is down; it is tried again"
    );
    assert_eq!(
        status(&server)["phase"],
        "Pending",
        "nobody has to do anything about it"
    );
    server.run_for(Duration::from_secs(24 * 3_600));
    assert_eq!(
        said(&server),
        "False PushFailed: the server is down; given up after 9 attempts: edit spec to have it tried again"
    );
    assert_eq!(status(&server)["phase"], "Failed");
    assert_eq!(
        (server.commits, server.writes.len(), server.notes.len()),
        (9, 2, 2)
    );
    // Another hub takes it as it stands, and so it does what an event brings up.
    server.restart();
    server.settle();
    server.merge(
        Kind::GitCommitRequest,
        "deploy",
        json!({"metadata": {"labels": {"team": "a"}}}),
    );
    server.settle();
    assert_eq!((server.commits, server.writes.len()), (9, 2));
    // An edit is another request.
    let mut edited = request();
    edited["branch"] = json!("other");
    server.put(Kind::GitCommitRequest, "deploy", edited);
    server.run_until_idle();
    assert_eq!(
        (server.commits, &status(&server)["phase"]),
        (10, &json!("Pending"))
    );
    server.git = Some(pushed());
    server.run_for(Duration::from_secs(10));
    assert_eq!(
        (server.commits, &status(&server)["phase"]),
        (11, &json!("Succeeded"))
    );
}

#[test]
fn what_openchoreo_left_as_failed_or_could_not_be_checked_is_tried() {
    for left in [
        json!({"phase": "Failed", "message": "authentication required"}),
        json!({
            "phase": "Failed", "message": "spec.branch", "observedGeneration": 1,
            "conditions": [{
                "type": "Ready", "status": "False", "reason": "InvalidConfiguration", "message": "spec.branch",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        }),
    ] {
        let mut server = asked();
        server.merge(Kind::GitCommitRequest, "deploy", json!({"status": left}));
        server.git = Some(pushed());
        server.settle();
        assert_eq!(
            (server.commits, &status(&server)["phase"]),
            (1, &json!("Succeeded"))
        );
    }
}

#[test]
fn a_hub_that_takes_over_between_two_attempts_goes_on() {
    let mut server = asked();
    server.git = Some(not_pushed("the server is down"));
    server.run_until_idle();
    server.git = Some(pushed());
    server.restart();
    server.settle();
    assert_eq!(
        (server.commits, &status(&server)["phase"]),
        (2, &json!("Succeeded"))
    );
}

#[test]
fn an_answer_that_is_lost_is_asked_for_again() {
    let mut server = asked();
    server.git = Some(pushed());
    server.outdated = 2;
    server.settle();
    // The commit is found in the branch: that is for the shell to do.
    assert_eq!(status(&server)["phase"], "Succeeded");
    assert_eq!(server.commits, 1);
}

/// Everything that is begun before anything has ended.
fn begun(server: &mut Server) -> Vec<Job> {
    let mut jobs = Vec::new();
    loop {
        match server.controllers.next(server.time()) {
            Next::Job(job) => jobs.push(*job),
            Next::Looked => {}
            Next::Idle => return jobs,
        }
    }
}

#[test]
fn few_commits_are_made_at_once_and_each_is_made() {
    let mut server = Server::default();
    for number in 0..20 {
        server.put(Kind::GitCommitRequest, &format!("r{number}"), request());
    }
    server.restart();
    let jobs = begun(&mut server);
    assert_eq!(jobs.len(), commit::AT_ONCE);
    assert!(!server.controllers.is_settled());
    for job in jobs {
        let outcome = Outcome::Committed(pushed());
        let now = server.time();
        server.controllers.finished(&job, outcome, now);
    }
    server.git = Some(pushed());
    server.settle();
    assert_eq!(server.commits, 16);
    assert_eq!(server.writes.len(), 20);
}

#[test]
fn requests_that_go_while_they_wait_hold_up_nobody() {
    let mut server = Server::default();
    for number in 0..=8 {
        server.put(Kind::GitCommitRequest, &format!("r{number}"), request());
    }
    server.restart();
    let jobs = begun(&mut server);
    for number in 4..8 {
        server.delete(Kind::GitCommitRequest, &format!("r{number}"));
    }
    for job in jobs {
        let now = server.time();
        server
            .controllers
            .finished(&job, Outcome::Committed(pushed()), now);
    }
    server.git = Some(pushed());
    server.settle();
    assert_eq!(
        server.get(Kind::GitCommitRequest, "r8")["status"]["phase"],
        "Succeeded"
    );
}
