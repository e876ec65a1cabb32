//! Every kind of OpenChoreo on a real API server: what is stored of the examples, what is refused, what kubectl shows.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use outhaul_hub_resources::{crds, names::OPENCHOREO_GROUP};
use serde_json::{Value, json};

use super::fixture::{Api, api};
use crate::examples::{ADDED_DEFAULTS, EXAMPLES, GO_WRITERS, changes, objects};

/// Where objects of each kind are.
struct Collections<'a> {
    api: &'a Api,
    kinds: BTreeMap<String, (String, bool)>,
}

impl<'a> Collections<'a> {
    fn new(api: &'a Api) -> Self {
        let kinds = crds().into_iter().map(|crd| {
            let namespaced = crd.spec.scope == "Namespaced";
            (crd.spec.names.kind, (crd.spec.names.plural, namespaced))
        });
        Self {
            api,
            kinds: kinds.collect(),
        }
    }

    fn of(&self, object: &Value) -> String {
        let kind = object["kind"].as_str().expect("it has a kind");
        match &self.kinds[kind] {
            (plural, true) => self.api.of(OPENCHOREO_GROUP, plural),
            (plural, false) => format!("/apis/{OPENCHOREO_GROUP}/v1alpha1/{plural}"),
        }
    }
}

#[tokio::test]
async fn every_example_is_stored_as_sent_but_for_defaults() {
    let Some(api) = api("examples").await else { return };
    let collections = Collections::new(&api);
    let mut found = BTreeSet::new();
    for object in objects(EXAMPLES) {
        let stored = api.create(&collections.of(&object), &object).await.object();
        found.extend(changes(&object, &stored));
    }
    assert_eq!(
        found,
        ADDED_DEFAULTS.iter().map(|&change| change.to_owned()).collect()
    );
}

#[tokio::test]
async fn nulls_and_empty_values_of_go_writers_are_accepted_in_every_kind() {
    let Some(api) = api("go-writers").await else {
        return;
    };
    let collections = Collections::new(&api);
    let mut warnings = Vec::new();
    for object in objects(GO_WRITERS) {
        let answer = api.create(&collections.of(&object), &object).await;
        assert_eq!(answer.code, StatusCode::CREATED, "{}", answer.message());
        warnings.extend(answer.warnings);
    }
    // OpenChoreo's own definitions do not declare this either.
    let expected =
        r#"299 - "unknown field \"spec.configuration.endpointTemplates[0].metadata.creationTimestamp\"""#;
    assert_eq!(warnings, [expected]);
}

#[tokio::test]
async fn what_the_definitions_rule_out_is_refused_with_its_path() {
    let Some(api) = api("ruled-out").await else { return };
    let collections = Collections::new(&api);
    let owner = json!({"projectName": "p", "componentName": "c"});
    let workload = |more: Value| {
        let mut spec = json!({ "owner": owner });
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ("Workload", spec)
    };
    let endpoint = |endpoint: Value| workload(json!({"endpoints": {"e": endpoint}}));
    let binding = |state: &str| {
        let spec =
            json!({"apiName": "a", "apiClassName": "c", "environmentName": "e", "releaseState": state});
        ("APIBinding", spec)
    };
    let backend = |kind: &str| ("Endpoint", json!({"type": "HTTP", "backendRef": {"type": kind}}));
    let cases = [
        (("Workload", json!({})), "spec.owner: Required"),
        (
            (
                "Workload",
                json!({"owner": {"projectName": "", "componentName": "c"}}),
            ),
            "spec.owner.projectName: Invalid",
        ),
        (
            workload(json!({"containers": {"main": {"image": ""}}})),
            "spec.containers.main.image: Invalid",
        ),
        (
            endpoint(json!({"type": "HTTP", "port": 0})),
            "spec.endpoints.e.port: Invalid",
        ),
        (
            endpoint(json!({"type": "HTTP", "port": 65536})),
            "spec.endpoints.e.port: Invalid",
        ),
        (
            endpoint(json!({"type": "SOAP", "port": 80})),
            "spec.endpoints.e.type: Unsupported",
        ),
        (
            workload(json!({"connections": {"c": {"type": "queue", "inject": {"env": []}}}})),
            "spec.connections.c.type: Unsupported",
        ),
        (
            workload(json!({"connections": {"c": {"type": "api", "inject": {"env": null}}}})),
            "spec.connections.c.inject.env: Required",
        ),
        (
            ("Service", json!({ "owner": owner })),
            "spec.workloadName: Required",
        ),
        (
            ("ServiceBinding", json!({"owner": owner, "environment": "e"})),
            "spec.workloadSpec: Required",
        ),
        (
            (
                "ServiceBinding",
                json!({"owner": owner, "environment": "", "workloadSpec": {}}),
            ),
            "spec.environment: Invalid",
        ),
        (binding("Paused"), "spec.releaseState: Unsupported"),
        (binding(""), "spec.releaseState: Unsupported"),
        (backend("Target"), "spec.backendRef.type: Unsupported"),
        (
            (
                "GitCommitRequest",
                json!({"repoURL": "u", "message": "m", "files": null}),
            ),
            "spec.files: Required",
        ),
    ];
    for ((kind, spec), problem) in cases {
        let object = json!({"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": {"name": "odd"}, "spec": spec});
        let answer = api.create(&collections.of(&object), &object).await;
        assert_eq!(answer.code, StatusCode::UNPROCESSABLE_ENTITY, "{object}");
        assert!(
            answer.message().contains(problem),
            "{problem} is not in: {}",
            answer.message()
        );
    }
}

#[tokio::test]
async fn kubectl_shows_what_clients_of_today_write() {
    let Some(api) = api("shown").await else { return };
    let groups = api.of(OPENCHOREO_GROUP, "configurationgroups");
    let group = json!({
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "ConfigurationGroup",
        "metadata": {
            "name": "opening",
            "labels": {"openchoreo.dev/organization": "library"},
            "annotations": {"openchoreo.dev/display-name": "Opening hours"},
        },
        "spec": {"configurations": []},
    });
    api.create(&groups, &group).await.object();
    let table = api.table(&format!("{groups}/opening")).await;
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(
        cells[..3],
        [json!("opening"), json!("Opening hours"), json!("library")]
    );
}
