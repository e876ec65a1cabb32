//! The CustomResourceDefinitions, as the chart and `outhaul-hub crds` have them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::{CustomResourceExt, Resource};

use crate::{
    API, APIBinding, APIClass, Build, BuildPlane, Bundle, Component, ConfigurationGroup, DataPlane,
    DeployableArtifact, Deployment, DeploymentPipeline, DeploymentTrack, Endpoint, Environment,
    GitCommitRequest, Organization, Plane, Project, Release, ScheduledTask, ScheduledTaskBinding,
    ScheduledTaskClass, Service, ServiceBinding, ServiceClass, WebApplication, WebApplicationBinding,
    WebApplicationClass, Workload,
};

/// All definitions, always in the same order.
pub fn crds() -> Vec<CustomResourceDefinition> {
    [
        Plane::crd(),
        Bundle::crd(),
        Organization::crd(),
        DataPlane::crd(),
        BuildPlane::crd(),
        Environment::crd(),
        DeploymentPipeline::crd(),
        Project::crd(),
        Component::crd(),
        ConfigurationGroup::crd(),
        Workload::crd(),
        Service::crd(),
        ServiceClass::crd(),
        ServiceBinding::crd(),
        WebApplication::crd(),
        WebApplicationClass::crd(),
        WebApplicationBinding::crd(),
        ScheduledTask::crd(),
        ScheduledTaskClass::crd(),
        ScheduledTaskBinding::crd(),
        API::crd(),
        APIClass::crd(),
        APIBinding::crd(),
        Release::crd(),
        Build::crd(),
        GitCommitRequest::crd(),
        DeploymentTrack::crd(),
        DeployableArtifact::crd(),
        Deployment::crd(),
        Endpoint::crd(),
    ]
    .map(finished)
    .into()
}

/// Definitions as a YAML stream, byte for byte the same each time.
pub fn to_yaml(crds: &[CustomResourceDefinition]) -> String {
    crds.iter()
        .map(|crd| serde_yaml_ng::to_string(crd).expect("a definition has string keys only"))
        .map(|yaml| format!("---\n{yaml}"))
        .collect()
}

/// What deriving gets wrong: optional fields must not be nullable, so that the API server drops nulls instead of
/// storing them, and only a Bundle is nothing without its `spec` (OpenChoreo's definitions require none).
fn finished(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let spec_is_optional = crd.spec.names.kind != Bundle::kind(&());
    for schema in schemas(&mut crd) {
        if spec_is_optional {
            schema.required = None;
        }
        forbid_null(schema);
    }
    crd
}

fn schemas(crd: &mut CustomResourceDefinition) -> impl Iterator<Item = &mut JSONSchemaProps> {
    let validation = crd
        .spec
        .versions
        .iter_mut()
        .filter_map(|version| version.schema.as_mut());
    validation.filter_map(|validation| validation.open_api_v3_schema.as_mut())
}

fn forbid_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
    {
        forbid_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        forbid_null(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        forbid_null(values);
    }
}
