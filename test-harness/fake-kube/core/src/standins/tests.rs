//! Stand-ins driven in virtual time.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::access::User;
use crate::reply::Outcome;
use crate::request::{RawRequest, Request};

struct World {
    cluster: Cluster,
    standins: StandIns,
    clock: Duration,
    moment: Moment,
}

impl World {
    fn new() -> Self {
        let mut moment = Moment::new(Timestamp::UNIX_EPOCH, 1);
        let mut world = Self {
            cluster: Cluster::new(&mut moment),
            standins: StandIns::default(),
            clock: Duration::ZERO,
            moment,
        };
        world.post("/api/v1/nodes", &json!({"metadata": {"name": "node-1"}}));
        world
    }

    fn send(&mut self, method: &str, path: &str, content_type: &str, body: &Value) {
        let body = body.to_string();
        let raw = RawRequest {
            method,
            path,
            content_type,
            body: body.as_bytes(),
            ..RawRequest::default()
        };
        let request = Request::parse(&raw).unwrap();
        match self.cluster.handle(&request, &User::admin(), &mut self.moment) {
            Outcome::Reply(reply) => assert!(reply.code < 300, "{method} {path}: {:?}", reply.body),
            Outcome::Watch(_) => panic!("not a watch"),
        }
    }

    fn post(&mut self, path: &str, body: &Value) {
        self.send("POST", path, "application/json", body);
    }

    fn merge(&mut self, path: &str, body: &Value) {
        self.send("PATCH", path, "application/merge-patch+json", body);
    }

    /// Runs until nothing is due any more; a cluster that never comes to rest fails the test.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            while self.cluster.settle(&mut self.moment) {}
            self.standins.observe(&self.cluster, self.clock);
            let Some(due) = self.standins.next_due() else {
                return;
            };
            self.clock = self.clock.max(due);
            let refused = self.standins.act(&mut self.cluster, self.clock, &mut self.moment);
            assert_eq!(refused, Vec::new());
        }
        panic!("the stand-ins do not come to rest");
    }

    fn get(&self, group: &str, resource: &str, name: &str) -> &Value {
        self.cluster
            .find(&GroupResource::new(group, resource), "default", name)
            .unwrap()
            .value()
    }

    fn count(&self, group: &str, resource: &str) -> usize {
        self.cluster
            .objects(&GroupResource::new(group, resource), Some("default"))
            .count()
    }
}

fn workload(kind: &str, name: &str, result: Option<&str>, spec: Value) -> Value {
    let mut template = json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "example.com/app:1"}]},
    });
    if let Some(result) = result {
        template["metadata"]["annotations"] = json!({RESULT: result});
    }
    let mut all = json!({"selector": {"matchLabels": {"app": name}}, "template": template});
    if kind == "Job" {
        all = json!({"template": template});
        all["template"]["spec"]["restartPolicy"] = "Never".into();
    }
    for (field, value) in spec.as_object().unwrap() {
        all[field] = value.clone();
    }
    json!({"kind": kind, "metadata": {"name": name}, "spec": all})
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[test]
fn a_deployment_becomes_available_and_rolls_over() {
    let mut world = World::new();
    world.post(
        DEPLOYMENTS,
        &workload("Deployment", "web", None, json!({"replicas": 3})),
    );
    world.settle();
    let status = &world.get("apps", "deployments", "web")["status"];
    assert_eq!(
        (&status["availableReplicas"], &status["observedGeneration"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(world.count("", "pods"), 3);
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.com/app:2"}]}}}});
    world.merge(&format!("{DEPLOYMENTS}/web"), &image);
    world.settle();
    let web = world.get("apps", "deployments", "web");
    assert_eq!(
        (&web["status"]["updatedReplicas"], &web["status"]["replicas"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(
        web["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "2"
    );
    assert_eq!(
        (world.count("apps", "replicasets"), world.count("", "pods")),
        (2, 3)
    );
}

#[test]
fn a_failing_deployment_never_becomes_available() {
    for result in ["fail", "stuck"] {
        let mut world = World::new();
        world.post(
            DEPLOYMENTS,
            &workload("Deployment", "web", Some(result), json!({})),
        );
        world.settle();
        let web = world.get("apps", "deployments", "web");
        assert_eq!(web["status"]["unavailableReplicas"], 1, "{result}");
        assert!(!condition::holds(web, "Available"));
    }
}

#[test]
fn deleting_a_deployment_takes_sets_and_pods_along() {
    let mut world = World::new();
    world.post(DEPLOYMENTS, &workload("Deployment", "web", None, json!({})));
    world.settle();
    world.send("DELETE", &format!("{DEPLOYMENTS}/web"), "", &Value::Null);
    world.settle();
    assert_eq!(
        (world.count("apps", "replicasets"), world.count("", "pods")),
        (0, 0)
    );
}

#[test]
fn stateful_pods_come_in_order_with_claims() {
    let mut world = World::new();
    let claim = json!({"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }});
    let spec = json!({"replicas": 2, "serviceName": "db", "volumeClaimTemplates": [claim]});
    world.post(
        "/apis/apps/v1/namespaces/default/statefulsets",
        &workload("StatefulSet", "db", None, spec),
    );
    world.settle();
    let status = &world.get("apps", "statefulsets", "db")["status"];
    assert_eq!(
        (&status["readyReplicas"], &status["updatedReplicas"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        world.get("", "persistentvolumeclaims", "data-db-1")["status"]["phase"],
        "Bound"
    );
}

#[test]
fn a_daemon_runs_on_every_node() {
    let mut world = World::new();
    world.post(
        "/apis/apps/v1/namespaces/default/daemonsets",
        &workload("DaemonSet", "log", None, json!({})),
    );
    world.settle();
    assert_eq!(world.get("apps", "daemonsets", "log")["status"]["numberReady"], 1);
}

#[test]
fn jobs_complete_or_fail_or_run_on() {
    let mut world = World::new();
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    world.post(jobs, &workload("Job", "good", None, json!({"completions": 2})));
    world.post(
        jobs,
        &workload("Job", "bad", Some("fail"), json!({"backoffLimit": 1})),
    );
    world.post(jobs, &workload("Job", "long", Some("run"), json!({})));
    world.settle();
    assert!(condition::holds(world.get("batch", "jobs", "good"), "Complete"));
    assert_eq!(world.get("batch", "jobs", "good")["status"]["succeeded"], 2);
    assert!(condition::holds(world.get("batch", "jobs", "bad"), "Failed"));
    assert_eq!(world.get("batch", "jobs", "long")["status"]["active"], 1);
}
