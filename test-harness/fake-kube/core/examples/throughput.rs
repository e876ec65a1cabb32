//! Measures what requests cost, without sockets: microseconds each, over a cluster that grows.
//!
//! ```text
//! cargo run --release -p outhaul-fake-kube-core --example throughput -- 10000
//! ```

use std::time::Instant;

use jiff::Timestamp;
use outhaul_fake_kube_core::access::User;
use outhaul_fake_kube_core::cluster::Cluster;
use outhaul_fake_kube_core::moment::Moment;
use outhaul_fake_kube_core::reply::Outcome;
use outhaul_fake_kube_core::request::{RawRequest, Request};
use serde_json::{Value, json};

fn main() {
    let count: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let mut load = Load::new();
    let deployment = |n: usize, image: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("d{n}"), "labels": {"app": "web"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": image, "env": [{"name": "A", "value": "B"}],
                         "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "100m"}}}]},
            }},
        })
    };
    let path = |n: usize| format!("/apis/apps/v1/namespaces/default/deployments/d{n}");
    let apply = "application/apply-patch+yaml";
    load.measure("apply, new", count, |n| {
        ("PATCH", path(n), apply, deployment(n, "a:1"))
    });
    load.measure("apply, unchanged", count, |n| {
        ("PATCH", path(n), apply, deployment(n, "a:1"))
    });
    load.measure("apply, changed", count, |n| {
        ("PATCH", path(n), apply, deployment(n, "a:2"))
    });
    let status = json!({"status": {"replicas": 2, "readyReplicas": 2, "observedGeneration": 2}});
    load.measure("status, merge patch", count, |n| {
        (
            "PATCH",
            format!("{}/status", path(n)),
            "application/merge-patch+json",
            status.clone(),
        )
    });
    load.measure("get", count, |n| ("GET", path(n), "", Value::Null));
    load.measure("list of all", 10, |_| {
        ("GET", "/apis/apps/v1/deployments".to_owned(), "", Value::Null)
    });
    let map = |n: usize| json!({"metadata": {"name": format!("c{n}")}, "data": {"key": "value"}});
    let maps = "/api/v1/namespaces/default/configmaps";
    load.measure("create, small", count, |n| {
        ("POST", maps.to_owned(), "application/json", map(n))
    });
    load.measure("delete", count, |n| ("DELETE", path(n), "", Value::Null));
}

struct Load {
    cluster: Cluster,
    user: User,
    moment: Moment,
}

impl Load {
    fn new() -> Self {
        let mut moment = Moment::new(Timestamp::now(), 1);
        Self {
            cluster: Cluster::new(&mut moment),
            user: User::admin(),
            moment,
        }
    }

    fn measure(
        &mut self,
        what: &str,
        count: usize,
        request: impl Fn(usize) -> (&'static str, String, &'static str, Value),
    ) {
        let requests: Vec<_> = (0..count)
            .map(&request)
            .map(|(m, p, c, b)| (m, p, c, b.to_string()))
            .collect();
        let start = Instant::now();
        let mut bytes = 0;
        for (method, path, content_type, body) in &requests {
            bytes += self.send(method, path, content_type, body);
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / count as f64;
        show(what, each, bytes / count);
    }

    fn send(&mut self, method: &str, path: &str, content_type: &str, body: &str) -> usize {
        let body = if content_type.is_empty() { "" } else { body };
        let query = if method == "PATCH" {
            "fieldManager=load&force=true"
        } else {
            ""
        };
        let raw = RawRequest {
            method,
            path,
            query,
            content_type,
            body: body.as_bytes(),
            ..RawRequest::default()
        };
        let request = Request::parse(&raw).expect("the requests here are well formed");
        match self.cluster.handle(&request, &self.user, &mut self.moment) {
            Outcome::Reply(reply) => {
                assert!(reply.code < 300, "{method} {path}: {:?}", reply.body);
                reply.body.encode().len()
            }
            Outcome::Watch(_) => 0,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn show(what: &str, each: f64, bytes: usize) {
    println!("{what:24} {each:9.1} µs {bytes:9} bytes in each answer");
}
