//! Jobs.

use super::*;

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

#[test]
fn jobs_complete_or_fail_or_run_on() {
    let mut world = World::new();
    world.post(JOBS, &workload("Job", "good", None, json!({"completions": 2})));
    world.post(
        JOBS,
        &workload("Job", "bad", Some("fail"), json!({"backoffLimit": 1})),
    );
    world.post(JOBS, &workload("Job", "long", Some("run"), json!({})));
    world.settle();
    assert!(condition::holds(world.get("batch", "jobs", "good"), "Complete"));
    assert_eq!(world.status("batch", "jobs", "good")["succeeded"], 2);
    assert!(condition::holds(world.get("batch", "jobs", "bad"), "Failed"));
    assert_eq!(world.status("batch", "jobs", "bad")["failed"], 2);
    assert_eq!(world.status("batch", "jobs", "long")["active"], 1);
    assert_eq!(world.said("good").last().unwrap(), "Completed: Job completed");
    assert_eq!(
        world.said("bad").last().unwrap(),
        "BackoffLimitExceeded: Job has reached the specified backoff limit"
    );
}

#[test]
fn a_suspended_job_waits_and_resumes() {
    let mut world = World::new();
    world.post(JOBS, &workload("Job", "later", None, json!({"suspend": true})));
    world.settle();
    let later = world.get("batch", "jobs", "later");
    assert!(condition::holds(later, "Suspended"));
    assert_eq!(
        (world.count("", "pods"), later["status"].get("startTime")),
        (0, None)
    );
    world.merge(&format!("{JOBS}/later"), &json!({"spec": {"suspend": false}}));
    world.settle();
    assert!(condition::holds(world.get("batch", "jobs", "later"), "Complete"));
    let said = world.said("later");
    assert_eq!(said[0], "Suspended: Job suspended");
    assert!(said.contains(&"Resumed: Job resumed".to_owned()), "{said:?}");
}

#[test]
fn an_indexed_job_counts_its_indexes() {
    let mut world = World::new();
    let spec = json!({"completionMode": "Indexed", "completions": 4, "parallelism": 2});
    world.post(JOBS, &workload("Job", "many", None, spec));
    world.settle();
    let status = world.status("batch", "jobs", "many");
    assert_eq!(
        (&status["completedIndexes"], &status["succeeded"]),
        (&json!("0-3"), &json!(4))
    );
}

#[test]
fn a_job_that_takes_too_long_fails_and_one_with_a_time_to_live_goes() {
    let mut world = World::new();
    world.post(
        JOBS,
        &workload("Job", "slow", Some("run"), json!({"activeDeadlineSeconds": 30})),
    );
    world.post(
        JOBS,
        &workload("Job", "brief", None, json!({"ttlSecondsAfterFinished": 60})),
    );
    world.settle();
    assert_eq!(world.status("batch", "jobs", "slow")["active"], 1);
    world.run_for(Duration::from_secs(30));
    let failed = condition::find(world.get("batch", "jobs", "slow"), "Failed").unwrap();
    assert_eq!(failed["reason"], "DeadlineExceeded");
    assert_eq!(
        world.names("", "pods").len(),
        1,
        "only the pod that has ended is left"
    );
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.names("batch", "jobs"), ["slow"]);
}
