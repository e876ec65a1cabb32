//! The policy for Projects that the chart brings, and why it is no rule of their definition.

use std::time::Duration;

use outhaul_hub_resources::{crds, names::OPENCHOREO_GROUP};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::fixture::{Answer, Api, api};

const POLICY: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../charts/outhaul-hub/templates/admission.yaml"
));

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1";

const ORGANIZATION: &str = "openchoreo.dev/organization";
const NAME: &str = "openchoreo.dev/name";

/// API servers read policies anew within a second; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

fn project(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Project",
        "metadata": {"name": name, "labels": labels, "finalizers": ["test.example/held"]},
        "spec": {"deploymentPipelineRef": "default"},
    })
}

/// Asks until the policy is in force.
async fn refused(api: &Api, projects: &str) -> Answer {
    let trial = project("trial", &json!({}));
    let ask = async {
        loop {
            let answer = api.create(&format!("{projects}?dryRun=All"), &trial).await;
            if !answer.code.is_success() {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, ask)
        .await
        .expect("the policy comes into force")
}

#[tokio::test]
async fn the_policy_for_projects_asks_for_labels_once_it_is_bound() {
    let Some(api) = api("admission").await else { return };
    let projects = api.of(OPENCHOREO_GROUP, "projects");
    let old = format!("{projects}/old");
    let policy = Value::deserialize(serde_yaml_ng::Deserializer::from_str(POLICY)).unwrap();
    let policies = format!("{POLICIES}/validatingadmissionpolicies");
    api.create(&policies, &policy).await.object();
    api.create(&projects, &project("old", &json!({}))).await.object();

    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "outhaul-projects"},
        "spec": {
            "policyName": "outhaul-projects", "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "admission"}}},
        },
    });
    let bindings = format!("{POLICIES}/validatingadmissionpolicybindings");
    api.create(&bindings, &binding).await.object();
    let both = refused(&api, &projects).await;
    assert_eq!(both.code, 422, "{}", both.message());
    assert!(
        both.message()
            .ends_with(&format!("give it {ORGANIZATION} and {NAME}")),
        "{}",
        both.message()
    );
    let one = api
        .create(&projects, &project("one", &json!({ORGANIZATION: "acme"})))
        .await;
    assert!(
        one.message().ends_with(&format!("give it {NAME}")),
        "{}",
        one.message()
    );
    let empty = json!({ORGANIZATION: "", NAME: ""});
    api.create(&projects, &project("empty", &empty)).await.object();

    // Of what was there before, edits are refused, and nothing that has to go on.
    let edit = json!({"spec": {"deploymentPipelineRef": "other"}});
    assert_eq!(api.patch(&old, &edit).await.code, 422);
    let status = json!({"status": {"observedGeneration": 1}});
    api.patch(&format!("{old}/status"), &status).await.object();
    api.delete(&old).await.object();
    api.patch(&old, &json!({"metadata": {"finalizers": null}}))
        .await
        .object();
    assert_eq!(api.get(&old).await.code, 404);
    let explained = api.get(&format!("{policies}/outhaul-projects")).await.object();
    assert_eq!(explained.pointer("/status/typeChecking/expressionWarnings"), None);
}

#[tokio::test]
async fn a_rule_of_a_definition_cannot_see_labels() {
    let Some(api) = api("labels").await else { return };
    let project = crds().into_iter().find(|crd| crd.spec.names.kind == "Project");
    let mut crd = serde_json::to_value(project).unwrap();
    crd["metadata"]["name"] = json!("projects.labels.example");
    crd["spec"]["group"] = json!("labels.example");
    let schema = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["x-kubernetes-validations"] = json!([{"rule": "has(self.metadata.labels)"}]);
    let answer = api
        .create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd)
        .await;
    assert_eq!(answer.code, 422);
    assert!(
        answer.message().contains("undefined field 'labels'"),
        "{}",
        answer.message()
    );
}
