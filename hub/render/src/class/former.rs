//! What OpenChoreo's version of Kubernetes knows of a template: the rest it loses.
//!
//! `kubernetes-1.32.txt` has a line for each Go type of k8s.io/api 0.32 that a template leads to: its fields by their JSON
//! names, with the type behind those that are structs or have some within.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{AsOpenChoreo, binding::NamedClass, problem::Warning};

/// Fields of a type, and the type of each that has fields itself.
type Fields = BTreeMap<&'static str, Option<&'static str>>;

static TYPES: LazyLock<BTreeMap<&str, Fields>> = LazyLock::new(|| {
    let lines = include_str!("kubernetes-1.32.txt").lines();
    let types = lines.filter_map(|line| line.split_once(": "));
    types.map(|(name, fields)| (name, read(fields))).collect()
});

fn read(fields: &'static str) -> Fields {
    let field = |field: &'static str| match field.split_once('=') {
        Some((name, of)) => (name, Some(of)),
        None => (field, None),
    };
    fields.split(' ').map(field).collect()
}

/// The type of a template.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Root {
    Deployment,
    Service,
    CronJob,
}

impl Root {
    fn name(self) -> &'static str {
        match self {
            Self::Deployment => "DeploymentSpec",
            Self::Service => "ServiceSpec",
            Self::CronJob => "CronJobSpec",
        }
    }
}

/// Reads templates of one class as OpenChoreo does, if that is asked for.
pub(crate) struct Former {
    is_asked_for: bool,
    lost: Vec<String>,
}

impl Former {
    pub(crate) fn new(as_openchoreo: AsOpenChoreo) -> Self {
        Self {
            is_asked_for: as_openchoreo.class_fields,
            lost: Vec::new(),
        }
    }

    /// The template, which is the class's `field`, without what is lost.
    pub(crate) fn template<'a>(
        &mut self,
        field: &str,
        template: Option<&'a Value>,
        root: Root,
    ) -> Option<Cow<'a, Value>> {
        let template = template?;
        if !self.is_asked_for {
            return Some(Cow::Borrowed(template));
        }
        let mut known = template.clone();
        lose(&mut known, root.name(), field, &mut self.lost);
        Some(Cow::Owned(known))
    }

    /// What was lost of the class's templates.
    pub(crate) fn warning(self, class: NamedClass<'_>) -> Option<Warning> {
        let fields = self.lost;
        (!fields.is_empty()).then(|| Warning::FieldsLost {
            class: format!("{} {:?}", class.kind, class.name),
            fields,
        })
    }
}

/// Takes out of a value, which is `at` this place, what its type does not know.
fn lose(value: &mut Value, of: &str, at: &str, lost: &mut Vec<String>) {
    match value {
        Value::Object(fields) => lose_fields(fields, of, at, lost),
        Value::Array(entries) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                lose(entry, of, &format!("{at}[{index}]"), lost);
            }
        }
        // Of another type, which is told when it is read.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn lose_fields(fields: &mut Map<String, Value>, of: &str, at: &str, lost: &mut Vec<String>) {
    let known = &TYPES[of];
    fields.retain(|name, value| {
        let at = format!("{at}.{name}");
        match known.get(name.as_str()) {
            None => lost.push(at),
            Some(Some(of)) => lose(value, of, &at, lost),
            Some(None) => {}
        }
        known.contains_key(name.as_str())
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_that_a_field_leads_to_is_there() {
        let behind = TYPES.values().flat_map(BTreeMap::values).flatten();
        let roots = [Root::Deployment, Root::Service, Root::CronJob].map(Root::name);
        for name in behind.copied().chain(roots) {
            assert!(TYPES.contains_key(name), "{name}");
        }
    }

    #[test]
    fn what_is_not_known_at_any_depth_is_lost_and_named() {
        let mut former = Former::new(AsOpenChoreo {
            class_fields: true,
            ..AsOpenChoreo::default()
        });
        let template = json!({
            "replica": 2,
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"any": "label"}},
                "spec": {"containers": [
                    {"name": "main", "resources": {"limits": {"example.dev/gpu": 1}, "limit": {}}},
                    {"name": "side", "restartPolicyRules": []},
                ]},
            },
        });
        let known = former
            .template("spec", Some(&template), Root::Deployment)
            .unwrap();
        let expected = json!({
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"any": "label"}},
                "spec": {"containers": [
                    {"name": "main", "resources": {"limits": {"example.dev/gpu": 1}}},
                    {"name": "side"},
                ]},
            },
        });
        assert_eq!(*known, expected);
        assert_eq!(
            former.lost,
            [
                "spec.replica",
                "spec.template.spec.containers[0].resources.limit",
                "spec.template.spec.containers[1].restartPolicyRules",
            ]
        );
    }
}
