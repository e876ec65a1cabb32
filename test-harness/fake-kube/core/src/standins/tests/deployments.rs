//! Deployments and their ReplicaSets.

use super::*;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";

fn with_image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

fn world(result: Option<&str>, spec: Value) -> World {
    let mut world = World::new();
    world.post(DEPLOYMENTS, &workload("Deployment", "web", result, spec));
    world.settle();
    world
}

#[test]
fn a_deployment_becomes_available_and_rolls_over() {
    let mut world = world(None, json!({"replicas": 3}));
    let status = world.status("apps", "deployments", "web");
    assert_eq!(
        (&status["availableReplicas"], &status["observedGeneration"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(world.count("", "pods"), 3);
    world.merge(WEB, &with_image("example.com/app:2"));
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
fn a_rollout_keeps_to_its_limits_and_says_each_step() {
    let mut world = world(None, json!({"replicas": 3}));
    let old = world.names("apps", "replicasets")[0].to_owned();
    world.merge(WEB, &with_image("example.com/app:2"));
    world.settle();
    let sets = world.names("apps", "replicasets");
    let new = sets.iter().find(|name| **name != old).unwrap();
    let expected = [
        format!("Scaled up replica set {old} from 0 to 3"),
        format!("Scaled up replica set {new} from 0 to 1"),
        format!("Scaled down replica set {old} from 3 to 2"),
        format!("Scaled up replica set {new} from 1 to 2"),
        format!("Scaled down replica set {old} from 2 to 1"),
        format!("Scaled up replica set {new} from 2 to 3"),
        format!("Scaled down replica set {old} from 1 to 0"),
    ];
    let expected = expected.map(|message| format!("ScalingReplicaSet: {message}"));
    assert_eq!(world.said("web"), expected);
}

#[test]
fn a_failing_deployment_never_becomes_available_and_times_out() {
    for result in ["fail", "stuck", "unready"] {
        let spec = json!({"progressDeadlineSeconds": 60});
        let mut world = world(Some(result), spec);
        let web = world.get("apps", "deployments", "web");
        assert_eq!(web["status"]["unavailableReplicas"], 1, "{result}");
        assert!(!condition::holds(web, "Available"));
        assert!(condition::holds(web, "Progressing"));
        world.run_for(Duration::from_secs(61));
        let web = world.get("apps", "deployments", "web");
        let progressing = condition::find(web, "Progressing").unwrap();
        assert_eq!(progressing["reason"], "ProgressDeadlineExceeded", "{result}");
        assert_eq!(progressing["status"], "False");
    }
}

#[test]
fn a_broken_template_leaves_the_old_pods_running() {
    let mut world = world(None, json!({"replicas": 4}));
    world.merge(WEB, &with_image("example.com/stuck:1"));
    world.settle();
    let status = world.status("apps", "deployments", "web");
    assert_eq!(
        (&status["availableReplicas"], &status["updatedReplicas"]),
        (&json!(3), &json!(2))
    );
    world.merge(WEB, &with_image("example.com/app:1"));
    world.settle();
    let status = world.status("apps", "deployments", "web");
    assert_eq!(
        (&status["availableReplicas"], &status["updatedReplicas"]),
        (&json!(4), &json!(4))
    );
}

#[test]
fn minimum_ready_seconds_delay_availability() {
    let mut world = world(None, json!({"minReadySeconds": 30}));
    assert_eq!(world.status("apps", "deployments", "web")["readyReplicas"], 1);
    assert!(!condition::holds(
        world.get("apps", "deployments", "web"),
        "Available"
    ));
    world.run_for(Duration::from_secs(31));
    assert!(condition::holds(
        world.get("apps", "deployments", "web"),
        "Available"
    ));
}

#[test]
fn recreate_lets_the_old_pods_go_first() {
    let mut world = world(None, json!({"replicas": 2, "strategy": {"type": "Recreate"}}));
    world.merge(WEB, &with_image("example.com/app:2"));
    world.settle();
    let said = world.said("web");
    assert!(
        said[1].contains("Scaled down") && said[1].ends_with("from 2 to 0"),
        "{said:?}"
    );
    assert!(
        said[2].contains("Scaled up") && said[2].ends_with("from 0 to 2"),
        "{said:?}"
    );
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll() {
    let mut world = world(None, json!({}));
    world.merge(WEB, &json!({"spec": {"paused": true, "replicas": 2}}));
    world.merge(WEB, &with_image("example.com/app:2"));
    world.settle();
    assert_eq!(
        (world.count("apps", "replicasets"), world.count("", "pods")),
        (1, 2)
    );
    let web = world.get("apps", "deployments", "web");
    assert_eq!(
        condition::find(web, "Progressing").unwrap()["reason"],
        "DeploymentPaused"
    );
    world.merge(WEB, &json!({"spec": {"paused": null}}));
    world.settle();
    assert_eq!(world.status("apps", "deployments", "web")["updatedReplicas"], 2);
}

#[test]
fn deleting_a_deployment_takes_sets_and_pods_along() {
    let mut world = world(None, json!({}));
    world.send("DELETE", WEB, "", &Value::Null);
    world.settle();
    assert_eq!(
        (world.count("apps", "replicasets"), world.count("", "pods")),
        (0, 0)
    );
}
