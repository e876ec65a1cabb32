//! Every field of the OpenChoreo kinds is what clients written for OpenChoreo expect.
//!
//! `data/openchoreo-fields.tsv` has one line for every schema path of OpenChoreo 0.4.0 that we serve;
//! `data/differences.tsv` has the lines that are otherwise here, or only here, each with its reason. A difference that
//! is not listed fails, and so does a listed one that is none.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use outhaul_hub_resources::crds;

const REFERENCE: &str = include_str!("data/openchoreo-fields.tsv");
const DIFFERENCES: &str = include_str!("data/differences.tsv");

/// Kind and path of a field.
type Place = (String, String);

/// What a schema says of one field: its type, whether it is required, its default, its rules.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    r#type: String,
    required: bool,
    default: String,
    rules: Vec<String>,
}

#[test]
fn every_field_is_as_in_the_reference_or_listed_as_different() {
    let reference = table(REFERENCE);
    let differences = table(DIFFERENCES);
    for (place, field) in &differences {
        assert_ne!(
            reference.get(place),
            Some(field),
            "{place:?} is listed as different and is not"
        );
    }
    let mut expected = reference;
    expected.extend(differences);
    let ours = our_fields();
    let mut problems = Vec::new();
    for (place, field) in &expected {
        match ours.get(place) {
            Some(ours) if ours == field => {}
            Some(ours) => problems.push(format!("{place:?} is {ours:?}, expected {field:?}")),
            None => problems.push(format!("{place:?} is missing, expected {field:?}")),
        }
    }
    let unexpected = ours.keys().filter(|place| !expected.contains_key(*place));
    problems.extend(unexpected.map(|place| format!("{place:?} is in no table")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn table(text: &str) -> BTreeMap<Place, Field> {
    let mut table = BTreeMap::new();
    for line in text.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let [kind, path, r#type, required, default, rules, ..] = columns[..] else {
            panic!("a line has fewer than six columns: {line}");
        };
        let field = Field {
            r#type: r#type.to_owned(),
            required: required == "yes",
            default: default.to_owned(),
            rules: rules
                .split(';')
                .filter(|rule| !rule.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        let before = table.insert((kind.to_owned(), path.to_owned()), field);
        assert!(before.is_none(), "two lines for {kind} {path}");
    }
    table
}

fn our_fields() -> BTreeMap<Place, Field> {
    let mut fields = BTreeMap::new();
    for crd in crds() {
        if crd.spec.group != "openchoreo.dev" {
            continue;
        }
        let [version] = &crd.spec.versions[..] else {
            panic!("{} has one version", crd.spec.names.kind)
        };
        let root = version
            .schema
            .as_ref()
            .and_then(|schema| schema.open_api_v3_schema.as_ref());
        walk(
            &crd.spec.names.kind,
            "",
            root.expect("every definition has a schema"),
            &mut fields,
        );
    }
    fields
}

fn walk(kind: &str, path: &str, schema: &JSONSchemaProps, fields: &mut BTreeMap<Place, Field>) {
    for (name, property) in schema.properties.iter().flatten() {
        let required = schema
            .required
            .as_ref()
            .is_some_and(|required| required.contains(name));
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        fields.insert((kind.to_owned(), path.clone()), field(property, required));
        if let Some(items) = items(property) {
            walk(kind, &format!("{path}[]"), items, fields);
        } else if let Some(values) = values(property) {
            walk(kind, &format!("{path}.<key>"), values, fields);
        } else {
            walk(kind, &path, property, fields);
        }
    }
}

fn items(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(items) => Some(items),
        JSONSchemaPropsOrArray::Schemas(_) => panic!("tuples are not structural"),
    }
}

/// What a map holds.
fn values(schema: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match schema.additional_properties.as_ref()? {
        JSONSchemaPropsOrBool::Schema(values) => Some(values),
        JSONSchemaPropsOrBool::Bool(_) => panic!("maps without a schema are not structural"),
    }
}

fn field(schema: &JSONSchemaProps, required: bool) -> Field {
    let default = schema
        .default
        .as_ref()
        .map(|default| default.0.to_string())
        .unwrap_or_default();
    Field {
        r#type: type_name(schema),
        required,
        default,
        rules: rules(schema),
    }
}

fn type_name(schema: &JSONSchemaProps) -> String {
    let name = match (schema.type_.as_deref(), schema.format.as_deref()) {
        (None, _) if schema.x_kubernetes_int_or_string == Some(true) => "int or string",
        (None, _) => "any",
        (Some("boolean"), _) => "bool",
        (Some("array"), _) => return format!("[]{}", type_name(items(schema).expect("arrays have items"))),
        (Some("object"), _) if values(schema).is_some() => {
            return format!("map[string]{}", type_name(values(schema).expect("it is a map")));
        }
        (Some("integer" | "string"), Some(format)) => format,
        (Some("integer"), None) => "int",
        (Some(name), _) => name,
    };
    name.to_owned()
}

fn rules(schema: &JSONSchemaProps) -> Vec<String> {
    let allowed = schema.enum_.as_ref().map(|values| {
        let values = values
            .iter()
            .map(|value| value.0.as_str().expect("our enums are of strings"));
        values.collect::<Vec<_>>().join(",")
    });
    let flags = [
        ("int-or-string", schema.x_kubernetes_int_or_string),
        (
            "preserve-unknown-fields",
            schema.x_kubernetes_preserve_unknown_fields,
        ),
    ];
    let set = flags.into_iter().filter(|(_, set)| *set == Some(true));
    let rules = [
        ("minimum", schema.minimum.map(|minimum| minimum.to_string())),
        ("maximum", schema.maximum.map(|maximum| maximum.to_string())),
        ("enum", allowed),
        ("minLength", schema.min_length.map(|length| length.to_string())),
        ("maxLength", schema.max_length.map(|length| length.to_string())),
        ("pattern", schema.pattern.clone()),
        ("format", schema.format.clone()),
        ("list-type", schema.x_kubernetes_list_type.clone()),
    ];
    let named = rules
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    named.chain(set.map(|(name, _)| name.to_owned())).collect()
}
