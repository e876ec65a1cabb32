//! CronJobs, by the clock.

use super::*;

const CRON_JOBS: &str = "/apis/batch/v1/namespaces/default/cronjobs";
const MINUTE: Duration = Duration::from_secs(60);

fn cron(result: &str, more: Value) -> Value {
    let template = json!({
        "metadata": {"annotations": {RESULT: result}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/app:1"}]},
    });
    let mut spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}});
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({"metadata": {"name": "tick"}, "spec": spec})
}

fn world(result: &str, more: Value) -> World {
    let mut world = World::new();
    world.post(CRON_JOBS, &cron(result, more));
    world.settle();
    world
}

#[test]
fn jobs_start_at_their_minutes_and_old_ones_are_forgotten() {
    let mut world = world("", json!({"successfulJobsHistoryLimit": 2}));
    assert_eq!(world.count("batch", "jobs"), 0);
    world.run_for(MINUTE * 4);
    assert_eq!(world.names("batch", "jobs"), ["tick-3", "tick-4"]);
    let status = world.status("batch", "cronjobs", "tick");
    assert_eq!(status["lastScheduleTime"], "1970-01-01T00:04:00Z");
    assert_eq!(status["lastSuccessfulTime"], "1970-01-01T00:04:00Z");
    assert_eq!(
        world.said("tick")[..2],
        [
            "SuccessfulCreate: Created job tick-1",
            "SawCompletedJob: Saw completed job: tick-1, condition: Complete",
        ]
    );
}

#[test]
fn a_suspended_one_does_not_fire_and_catches_up_with_the_last_time_only() {
    let mut world = world("", json!({"suspend": true}));
    world.run_for(MINUTE * 3);
    assert_eq!(world.count("batch", "jobs"), 0);
    world.merge(&format!("{CRON_JOBS}/tick"), &json!({"spec": {"suspend": false}}));
    world.settle();
    assert_eq!(world.names("batch", "jobs"), ["tick-3"]);
}

#[test]
fn concurrency_is_allowed_forbidden_or_replaced() {
    for (policy, expected) in [
        ("Allow", &["tick-1", "tick-2", "tick-3"][..]),
        ("Forbid", &["tick-1"]),
        ("Replace", &["tick-3"]),
    ] {
        let mut world = world("run", json!({"concurrencyPolicy": policy}));
        world.run_for(MINUTE * 3);
        assert_eq!(world.names("batch", "jobs"), expected, "{policy}");
        let active = world.status("batch", "cronjobs", "tick")["active"]
            .as_array()
            .unwrap();
        assert_eq!(active.len(), expected.len(), "{policy}");
    }
}

#[test]
fn what_is_too_late_is_left_out() {
    let mut world = world("", json!({"suspend": true, "startingDeadlineSeconds": 10}));
    world.run_for(Duration::from_secs(100));
    world.merge(&format!("{CRON_JOBS}/tick"), &json!({"spec": {"suspend": false}}));
    world.settle();
    assert_eq!(world.count("batch", "jobs"), 0);
    world.run_for(MINUTE);
    assert_eq!(world.names("batch", "jobs"), ["tick-2"]);
}

#[test]
fn failed_jobs_have_a_limit_of_their_own() {
    let mut world = World::new();
    let mut failing = cron("fail", json!({}));
    failing["spec"]["jobTemplate"]["spec"]["backoffLimit"] = 0.into();
    world.post(CRON_JOBS, &failing);
    world.run_for(MINUTE * 3);
    world.settle();
    assert_eq!(world.names("batch", "jobs"), ["tick-3"]);
}
