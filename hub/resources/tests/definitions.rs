//! What all definitions keep to, whatever their fields are.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use outhaul_hub_resources::{crds, to_yaml};
use serde_json::Value;

fn schema(crd: &CustomResourceDefinition) -> Value {
    let crd = serde_json::to_value(crd).expect("definitions are JSON");
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema")
        .expect("every definition has a schema")
        .clone()
}

/// Calls `check` with every schema below `schema` and the path to it.
fn each(path: &str, schema: &Value, check: &mut dyn FnMut(&str, &Value)) {
    check(path, schema);
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        each(&format!("{path}.{name}"), property, check);
    }
    for (part, suffix) in [("items", "[]"), ("additionalProperties", ".<key>")] {
        if let Some(schema) = schema.get(part) {
            each(&format!("{path}{suffix}"), schema, check);
        }
    }
}

fn each_of_all(check: &mut dyn FnMut(&str, &Value)) {
    for crd in crds() {
        each(&crd.spec.names.kind, &schema(&crd), check);
    }
}

#[test]
fn no_field_may_be_null() {
    each_of_all(&mut |path, schema| assert_eq!(schema.get("nullable"), None, "{path}"));
}

/// A default that is added later changes what a stored object is read as. Of what travels that must not happen, and
/// elsewhere it is OpenChoreo's to have them.
#[test]
fn only_these_fields_have_a_default() {
    let mut found = Vec::new();
    each_of_all(&mut |path, schema| {
        if let Some(default) = schema.get("default") {
            found.push(format!("{path}={default}"));
        }
    });
    let expected = [
        "ConfigurationGroup.spec.scope={}",
        r#"Service.spec.apis.<key>.className="default""#,
        r#"Service.spec.className="default""#,
        r#"ServiceBinding.spec.apis.<key>.className="default""#,
        r#"ServiceBinding.spec.className="default""#,
        r#"ServiceBinding.spec.releaseState="Active""#,
        r#"WebApplication.spec.className="default""#,
        r#"WebApplicationBinding.spec.className="default""#,
        r#"WebApplicationBinding.spec.releaseState="Active""#,
        r#"ScheduledTask.spec.className="default""#,
        r#"ScheduledTaskBinding.spec.className="default""#,
        r#"ScheduledTaskBinding.spec.releaseState="Active""#,
        r#"API.spec.className="default""#,
        r#"APIBinding.spec.releaseState="Active""#,
        r#"DeployableArtifact.spec.configuration.application.probes.livenessProbe.grpc.service="""#,
        r#"DeployableArtifact.spec.configuration.application.probes.readinessProbe.grpc.service="""#,
        r#"Deployment.spec.configurationOverrides.application.probes.livenessProbe.grpc.service="""#,
        r#"Deployment.spec.configurationOverrides.application.probes.readinessProbe.grpc.service="""#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_schema_is_structural() {
    each_of_all(&mut |path, schema| {
        let raw = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        let port = schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
        assert!(raw || port || schema.get("type").is_some(), "{path} has no type");
        for key in ["anyOf", "oneOf", "allOf", "not", "$ref"] {
            assert_eq!(schema.get(key), None, "{path} has {key}");
        }
        let map = schema.get("additionalProperties");
        assert!(
            map.is_none_or(Value::is_object),
            "{path} holds what has no schema"
        );
        assert!(
            map.is_none() || schema.get("properties").is_none(),
            "{path} is a map and a struct"
        );
    });
}

#[test]
fn lists_that_hold_raw_json_are_atomic() {
    let mut found = 0;
    each_of_all(&mut |path, schema| {
        let Some(items) = schema.get("items") else { return };
        let mut raw = false;
        each(path, items, &mut |_, schema| {
            raw |= schema.get("x-kubernetes-preserve-unknown-fields").is_some();
        });
        if raw {
            found += 1;
            assert_eq!(schema["x-kubernetes-list-type"], "atomic", "{path}");
        }
    });
    assert_eq!(
        found, 5,
        "spec.resources, objects, ensure, and status.resources of two kinds"
    );
}

#[test]
fn every_field_explains_itself() {
    each_of_all(&mut |path, schema| {
        let described = schema.get("description").is_some();
        assert!(
            described || path.ends_with("[]") || path.ends_with(".<key>"),
            "{path} has no description for kubectl explain"
        );
    });
}

#[test]
fn names_scopes_and_columns_are_as_documented() {
    let found: Vec<_> = crds().iter().map(summary).collect();
    let expected = [
        "planes.outhaul.dev Cluster [] Connected,Age",
        "bundles.outhaul.dev Namespaced [] Plane,Ready,Reason,Age",
        "organizations.openchoreo.dev Cluster [org,orgs] ",
        "dataplanes.openchoreo.dev Namespaced [dp,dps] ",
        "buildplanes.openchoreo.dev Namespaced [] ",
        "environments.openchoreo.dev Namespaced [env,envs] ",
        "deploymentpipelines.openchoreo.dev Namespaced [deppipe,deppipes] ",
        "projects.openchoreo.dev Namespaced [proj,projs] ",
        "components.openchoreo.dev Namespaced [comp,comps] ",
        "configurationgroups.openchoreo.dev Namespaced [configgrp] DisplayName,Organization,Age",
        "workloads.openchoreo.dev Namespaced [] ",
        "services.openchoreo.dev Namespaced [] ",
        "serviceclasses.openchoreo.dev Namespaced [] ",
        "servicebindings.openchoreo.dev Namespaced [] ",
        "webapplications.openchoreo.dev Namespaced [] ",
        "webapplicationclasses.openchoreo.dev Namespaced [] ",
        "webapplicationbindings.openchoreo.dev Namespaced [] ",
        "scheduledtasks.openchoreo.dev Namespaced [] ",
        "scheduledtaskclasses.openchoreo.dev Namespaced [] ",
        "scheduledtaskbindings.openchoreo.dev Namespaced [] ",
        "apis.openchoreo.dev Namespaced [] ",
        "apiclasses.openchoreo.dev Namespaced [] ",
        "apibindings.openchoreo.dev Namespaced [] ",
        "releases.openchoreo.dev Namespaced [] Environment,Plane,Ready,Reason,Age",
        "builds.openchoreo.dev Namespaced [] ",
        "gitcommitrequests.openchoreo.dev Namespaced [] ",
        "deploymenttracks.openchoreo.dev Namespaced [deptrack,deptracks] ",
        "deployableartifacts.openchoreo.dev Namespaced [] ",
        "deployments.openchoreo.dev Namespaced [] Artifact,Ready,Age",
        "endpoints.openchoreo.dev Namespaced [] Age,Address",
    ];
    assert_eq!(found, expected);
}

fn summary(crd: &CustomResourceDefinition) -> String {
    let [version] = &crd.spec.versions[..] else {
        panic!("one version")
    };
    assert_eq!(
        (version.name.as_str(), version.served, version.storage),
        ("v1alpha1", true, true)
    );
    let subresources = version
        .subresources
        .as_ref()
        .expect("every kind has subresources");
    assert!(subresources.status.is_some() && subresources.scale.is_none());
    let columns: Vec<_> = version
        .additional_printer_columns
        .iter()
        .flatten()
        .map(|column| column.name.as_str())
        .collect();
    let short_names = crd.spec.names.short_names.as_deref().unwrap_or_default();
    format!(
        "{} {} [{}] {}",
        crd.metadata.name.as_deref().expect("definitions have names"),
        crd.spec.scope,
        short_names.join(","),
        columns.join(",")
    )
}

#[test]
fn one_kind_is_shown_among_others() {
    let crds = crds();
    let names = crds.iter().map(|crd| &crd.spec.names);
    let found: Vec<_> = names
        .filter_map(|names| Some((names.kind.as_str(), names.categories.as_ref()?.join(","))))
        .collect();
    assert_eq!(found, [("ConfigurationGroup", "choreo,all".to_owned())]);
}

#[test]
fn yaml_is_the_same_each_time_and_reads_back() {
    let crds = crds();
    let yaml = to_yaml(&crds);
    assert_eq!(yaml, to_yaml(&outhaul_hub_resources::crds()));
    let documents = serde_yaml_ng::Deserializer::from_str(&yaml);
    let read: Vec<CustomResourceDefinition> = documents
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect();
    assert_eq!(read, crds);
}
