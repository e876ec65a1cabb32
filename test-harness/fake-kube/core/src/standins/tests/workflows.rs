//! Argo Workflows.

use serde::Deserialize as _;

use super::*;

const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";

fn world() -> World {
    let mut world = World::new();
    for document in serde_yaml_ng::Deserializer::from_str(ARGO_WORKFLOWS) {
        let definition = Value::deserialize(document).unwrap();
        world.post(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &definition,
        );
    }
    world.settle();
    world
}

fn step(name: &str, image: &str) -> Value {
    json!({"name": name, "container": {"image": image}})
}

fn workflow(spec: Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "build"}, "spec": spec})
}

fn phases(world: &World) -> BTreeMap<String, String> {
    let nodes = world.status(workflow::GROUP, "workflows", "build")["nodes"]
        .as_object()
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    nodes
        .values()
        .map(|node| (text(&node["displayName"]), text(&node["phase"])))
        .collect()
}

#[test]
fn steps_run_one_after_the_other_and_put_out_what_they_say() {
    let mut world = world();
    let mut push = step("push-step", "example.com/push:1");
    push["outputs"] = json!({"parameters": [{"name": "image", "valueFrom": {"path": "/tmp/image"}}]});
    push["metadata"] = json!({"annotations": {OUTPUTS: r#"{"image": "registry/web:1"}"#}});
    let steps = json!([
        [{"name": "clone", "template": "clone-step"}],
        [{"name": "push", "template": "push-step"}],
    ]);
    let templates = json!([{"name": "all", "steps": steps}, step("clone-step", "example.com/clone:1"), push]);
    world.post(
        WORKFLOWS,
        &workflow(json!({"entrypoint": "all", "templates": templates})),
    );
    world.settle();
    let build = world.get(workflow::GROUP, "workflows", "build");
    assert_eq!(
        (&build["status"]["phase"], &build["status"]["progress"]),
        (&json!("Succeeded"), &json!("2/2"))
    );
    assert_eq!(
        build["metadata"]["labels"]["workflows.argoproj.io/completed"],
        "true"
    );
    let nodes = build["status"]["nodes"].as_object().unwrap();
    let pushed = nodes
        .values()
        .find(|node| node["templateName"] == "push-step")
        .unwrap();
    assert_eq!(
        pushed["outputs"]["parameters"],
        json!([{"name": "image", "value": "registry/web:1"}])
    );
    let pod = world.names("", "pods")[0].to_owned();
    let containers = world.get("", "pods", &pod)["spec"]["containers"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!((world.count("", "pods"), containers), (2, 2));
    assert_eq!(
        world.said("build"),
        [
            "WorkflowRunning: Workflow Running",
            "WorkflowSucceeded: Workflow completed"
        ]
    );
}

#[test]
fn a_failed_task_fails_the_graph_and_what_waits_for_it_is_left_out() {
    let mut world = world();
    let tasks = json!([
        {"name": "last", "template": "ok", "depends": "broken.Succeeded && fine"},
        {"name": "broken", "template": "bad"},
        {"name": "fine", "template": "ok"},
    ]);
    let templates = json!([
        {"name": "all", "dag": {"tasks": tasks}}, step("ok", "example.com/ok:1"), step("bad", "example.com/fail:1"),
    ]);
    world.post(
        WORKFLOWS,
        &workflow(json!({"entrypoint": "all", "templates": templates})),
    );
    world.settle();
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Failed"
    );
    let expected = [("broken", "Failed"), ("build", "Failed"), ("fine", "Succeeded")];
    assert_eq!(
        phases(&world),
        expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into()
    );
}

#[test]
fn a_template_of_the_cluster_is_found_and_a_missing_one_is_an_error() {
    let mut world = world();
    let reference = json!({"workflowTemplateRef": {"name": "shared", "clusterScope": true}});
    world.post(WORKFLOWS, &workflow(reference.clone()));
    world.settle();
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Error"
    );
    world.send("DELETE", &format!("{WORKFLOWS}/build"), "", &Value::Null);
    let spec = json!({"entrypoint": "only", "templates": [step("only", "example.com/ok:1")]});
    world.post(
        "/apis/argoproj.io/v1alpha1/clusterworkflowtemplates",
        &json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ClusterWorkflowTemplate",
            "metadata": {"name": "shared"}, "spec": spec,
        }),
    );
    world.post(WORKFLOWS, &workflow(reference));
    world.settle();
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Succeeded"
    );
}

#[test]
fn a_step_that_runs_on_keeps_the_workflow_running() {
    let mut world = world();
    let templates = json!([step("only", "example.com/run:1")]);
    world.post(
        WORKFLOWS,
        &workflow(json!({"entrypoint": "only", "templates": templates})),
    );
    world.run_for(Duration::from_secs(100));
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Running"
    );
}

/// A Workflow of one step that puts out an image.
fn putting_out(annotations: &Value, of_template: &Value) -> Value {
    let mut push = step("push", "example.com/push:1");
    push["outputs"] = json!({"parameters": [{"name": "image", "valueFrom": {"path": "/tmp/image"}}]});
    push["metadata"] = json!({"annotations": of_template});
    let mut build = workflow(json!({"entrypoint": "push", "templates": [push]}));
    build["metadata"]["annotations"] = annotations.clone();
    build
}

#[test]
fn a_step_that_puts_something_out_runs_until_a_result_says_what() {
    let mut world = world();
    world.post(WORKFLOWS, &putting_out(&json!({}), &json!({OUTPUTS: WITHHELD})));
    world.run_for(Duration::from_secs(60));
    let pod = world.names("", "pods")[0].to_owned();
    assert_eq!(world.status("", "pods", &pod)["phase"], "Succeeded");
    assert_eq!(
        phases(&world),
        BTreeMap::from([("build".to_owned(), "Running".to_owned())])
    );
    let results = "/apis/argoproj.io/v1alpha1/namespaces/default/workflowtaskresults";
    let mut result = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTaskResult",
        "metadata": {"name": "build", "labels": {"workflows.argoproj.io/workflow": "build"}},
        "outputs": {"parameters": [{"name": "image", "value": "registry/web:1"}]},
    });
    let completed = "workflows.argoproj.io/report-outputs-completed";
    result["metadata"]["labels"][completed] = "false".into();
    world.post(results, &result);
    world.settle();
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Running"
    );
    world.merge(
        &format!("{results}/build"),
        &json!({"metadata": {"labels": {completed: "true"}}}),
    );
    world.settle();
    let status = world.status(workflow::GROUP, "workflows", "build");
    let outputs = &status["nodes"]["build"]["outputs"]["parameters"];
    assert_eq!(
        (&status["phase"], outputs),
        (
            &json!("Succeeded"),
            &json!([{"name": "image", "value": "registry/web:1"}])
        )
    );
}

#[test]
fn the_end_of_a_step_is_seen_as_late_as_the_workflow_wants() {
    let mut world = world();
    world.post(WORKFLOWS, &putting_out(&json!({STEP_SECONDS: "10"}), &json!({})));
    world.run_for(Duration::from_secs(8));
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Running"
    );
    world.run_for(Duration::from_secs(4));
    assert_eq!(
        world.status(workflow::GROUP, "workflows", "build")["phase"],
        "Succeeded"
    );
}
