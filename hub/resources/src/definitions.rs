//! The CustomResourceDefinitions, as the chart and `outhaul-hub crds` have them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::{CustomResourceExt, Resource};

use crate::{BuildPlane, Bundle, DataPlane, Environment, Plane, Release};

/// One definition with the name of its file in the chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// `<group>_<plural>.yaml`.
    pub file: String,
    /// The definition itself.
    pub crd: CustomResourceDefinition,
}

/// All definitions, always in the same order.
pub fn definitions() -> Vec<Definition> {
    [
        Plane::crd(),
        Bundle::crd(),
        DataPlane::crd(),
        BuildPlane::crd(),
        Environment::crd(),
        Release::crd(),
    ]
    .map(|crd| Definition {
        file: format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural),
        crd: finished(crd),
    })
    .into()
}

/// The definitions as one YAML stream, byte for byte the same each time.
pub fn to_yaml(crds: impl IntoIterator<Item = CustomResourceDefinition>) -> String {
    crds.into_iter()
        .map(|crd| {
            let yaml = serde_yaml_ng::to_string(&crd).expect("a definition has string keys only");
            format!("---\n{yaml}")
        })
        .collect()
}

/// What deriving gets wrong: optional fields must not be nullable, so that the API server drops nulls instead of
/// storing them, and only a Bundle is nothing without its `spec` (the reference requires none).
fn finished(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let spec_is_optional = crd.spec.names.kind != Bundle::kind(&());
    for version in &mut crd.spec.versions {
        let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
        else {
            continue;
        };
        if spec_is_optional {
            schema.required = None;
        }
        forbid_null(schema);
    }
    crd
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
