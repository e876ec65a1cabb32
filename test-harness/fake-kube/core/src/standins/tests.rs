//! Stand-ins driven in virtual time.

use jiff::Timestamp;
use serde_json::json;

mod cron_jobs;
mod deployments;
mod jobs;
mod routes;
mod services;
mod sets;
mod workflows;

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

    /// Runs until nothing is due soon; a cluster that never comes to rest fails the test.
    fn settle(&mut self) {
        self.run_for(Duration::from_secs(2));
    }

    /// Runs for so long, in virtual time.
    fn run_for(&mut self, span: Duration) {
        let end = self.clock + span;
        for _ in 0..20_000 {
            while self.cluster.settle(&mut self.moment) {}
            self.standins.observe(&self.cluster, self.clock);
            let due = self.standins.next_due().filter(|due| *due <= end);
            let Some(due) = due else {
                return self.wait_until(end);
            };
            self.wait_until(self.clock.max(due));
            let refused = self.standins.act(&mut self.cluster, self.clock, &mut self.moment);
            assert_eq!(refused, Vec::new());
        }
        panic!("the stand-ins do not come to rest");
    }

    fn wait_until(&mut self, clock: Duration) {
        let passed = clock - self.clock;
        self.moment.now += jiff::SignedDuration::try_from(passed).unwrap();
        self.clock = clock;
    }

    /// Reasons and messages of the Events about an object, in the order in which they were written.
    fn said(&self, name: &str) -> Vec<String> {
        let events = GroupResource::new("", "events");
        let mut said: Vec<(u64, String)> = self
            .cluster
            .objects(&events, Some("default"))
            .filter(|event| event["involvedObject"]["name"] == name)
            .map(|event| {
                let text = |field: &str| event[field].as_str().unwrap().to_owned();
                let version = meta::text(event, "resourceVersion").parse().unwrap();
                (version, format!("{}: {}", text("reason"), text("message")))
            })
            .collect();
        said.sort();
        said.into_iter().map(|(_, text)| text).collect()
    }

    fn status(&self, group: &str, resource: &str, name: &str) -> &Value {
        &self.get(group, resource, name)["status"]
    }

    fn names(&self, group: &str, resource: &str) -> Vec<&str> {
        self.cluster
            .objects(&GroupResource::new(group, resource), Some("default"))
            .map(meta::name)
            .collect()
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
