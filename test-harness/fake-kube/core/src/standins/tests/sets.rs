//! StatefulSets, DaemonSets and single pods.

use super::*;

const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/default/statefulsets";
const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/default/daemonsets";

#[test]
fn stateful_pods_come_in_order_with_claims_and_volumes() {
    let mut world = World::new();
    let claim = json!({"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }});
    let spec = json!({"replicas": 2, "serviceName": "db", "volumeClaimTemplates": [claim]});
    world.post(STATEFUL_SETS, &workload("StatefulSet", "db", None, spec));
    world.settle();
    let status = world.status("apps", "statefulsets", "db");
    assert_eq!(
        (&status["readyReplicas"], &status["updatedReplicas"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        world.status("", "persistentvolumeclaims", "data-db-1")["phase"],
        "Bound"
    );
    let volumes = GroupResource::new("", "persistentvolumes");
    assert_eq!(world.cluster.objects(&volumes, None).count(), 2);
    let claim = "/api/v1/namespaces/default/persistentvolumeclaims/data-db-1";
    world.send("DELETE", claim, "", &Value::Null);
    world.settle();
    assert_eq!(world.cluster.objects(&volumes, None).count(), 1);
}

#[test]
fn stateful_sets_roll_from_the_end_and_shrink_from_the_end() {
    let mut world = World::new();
    let spec = json!({"replicas": 3, "serviceName": "db"});
    world.post(STATEFUL_SETS, &workload("StatefulSet", "db", None, spec));
    world.settle();
    let db = format!("{STATEFUL_SETS}/db");
    let image = json!([{"name": "main", "image": "example.com/app:2"}]);
    world.merge(
        &db,
        &json!({"spec": {"template": {"spec": {"containers": image}}}}),
    );
    world.settle();
    world.merge(&db, &json!({"spec": {"replicas": 1}}));
    world.settle();
    let gone: Vec<String> = world
        .said("db")
        .into_iter()
        .filter(|said| said.starts_with("SuccessfulDelete"))
        .collect();
    // The second time that a pod of a name goes counts at the Event of the first.
    let names = ["db-0", "db-2", "db-1"];
    assert_eq!(
        gone,
        names.map(|name| format!("SuccessfulDelete: Delete Pod {name} in StatefulSet db successful"))
    );
    assert_eq!(world.names("", "pods"), ["db-0"]);
    let status = world.status("apps", "statefulsets", "db");
    assert_eq!(status["currentRevision"], status["updateRevision"]);
    assert_eq!(world.count("apps", "controllerrevisions"), 2);
}

#[test]
fn a_daemon_runs_on_every_node_that_fits() {
    let mut world = World::new();
    world.post(DAEMON_SETS, &workload("DaemonSet", "log", None, json!({})));
    world.settle();
    world.post(
        "/api/v1/nodes",
        &json!({"metadata": {"name": "node-2", "labels": {"disk": "fast"}}}),
    );
    world.settle();
    let status = world.status("apps", "daemonsets", "log");
    assert_eq!(
        (&status["numberReady"], &status["desiredNumberScheduled"]),
        (&json!(2), &json!(2))
    );
    let pods = GroupResource::new("", "pods");
    let on: Vec<&Value> = world
        .cluster
        .objects(&pods, None)
        .map(|pod| &pod["spec"]["nodeName"])
        .collect();
    assert!(
        on.contains(&&json!("node-1")) && on.contains(&&json!("node-2")),
        "{on:?}"
    );
    let only_fast = json!({"spec": {"template": {"spec": {"nodeSelector": {"disk": "fast"}}}}});
    world.merge(&format!("{DAEMON_SETS}/log"), &only_fast);
    world.settle();
    assert_eq!(world.status("apps", "daemonsets", "log")["numberReady"], 1);
}

#[test]
fn a_pod_without_a_node_waits_for_one() {
    let mut world = World::new();
    let pod = json!({"metadata": {"name": "p"}, "spec": {
        "nodeSelector": {"disk": "fast"}, "containers": [{"name": "main", "image": "example.com/app:1"}],
    }});
    world.post("/api/v1/namespaces/default/pods", &pod);
    world.settle();
    assert_eq!(world.status("", "pods", "p")["phase"], "Pending");
    assert!(world.said("p")[0].starts_with("FailedScheduling: 0/1 nodes are available"));
    world.post(
        "/api/v1/nodes",
        &json!({"metadata": {"name": "node-2", "labels": {"disk": "fast"}}}),
    );
    world.settle();
    assert!(condition::holds(world.get("", "pods", "p"), "Ready"));
    assert_eq!(
        world.said("p")[1..],
        [
            "Scheduled: Successfully assigned default/p to node-2",
            "Pulled: Container image \"example.com/app:1\" already present on machine and can be accessed by the pod",
            "Created: Container created",
            "Started: Container started",
        ]
    );
}

#[test]
fn unhealthy_pods_say_why() {
    let mut world = World::new();
    let pod = |name: &str, image: &str| json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": image}]}});
    for name in ["fail", "stuck"] {
        let image = format!("example.com/team/{name}:1");
        world.post("/api/v1/namespaces/default/pods", &pod(name, &image));
    }
    world.settle();
    let state = |name: &str| {
        let status = world.status("", "pods", name)["containerStatuses"][0].clone();
        (
            status["state"]["waiting"]["reason"].clone(),
            status["restartCount"].clone(),
        )
    };
    assert_eq!(state("fail"), (json!("CrashLoopBackOff"), json!(1)));
    assert_eq!(state("stuck"), (json!("ImagePullBackOff"), json!(0)));
    assert!(
        world
            .said("fail")
            .last()
            .unwrap()
            .starts_with("BackOff: Back-off restarting failed container main")
    );
    assert!(
        world
            .said("stuck")
            .contains(&"Failed: Error: ErrImagePull".to_owned())
    );
}
