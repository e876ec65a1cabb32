//! What all bindings have in common.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use outhaul_hub_resources::{ComponentOwner, ReleaseState, WorkloadTemplate};
use serde_json::{Value, json};

use crate::{
    class::Malformed,
    labels::{self, Labels},
    name,
    problem::{ClassKind, RenderError},
};

/// The class that a binding names.
#[derive(Clone, Copy)]
pub(crate) struct NamedClass<'a> {
    pub(crate) kind: ClassKind,
    pub(crate) name: &'a str,
}

impl NamedClass<'_> {
    /// That `template` of the class cannot be read.
    pub(crate) fn malformed(self, template: &'static str) -> impl FnOnce(Malformed) -> RenderError {
        move |source| RenderError::Class {
            kind: self.kind,
            name: self.name.to_owned(),
            template,
            source,
        }
    }
}

/// One component in one environment.
pub(crate) struct Binding<'a> {
    pub(crate) name: &'a str,
    /// Its namespace, which is the organization.
    pub(crate) organization: &'a str,
    pub(crate) owner: &'a ComponentOwner,
    pub(crate) environment: &'a str,
    pub(crate) class: NamedClass<'a>,
    pub(crate) workload: &'a WorkloadTemplate,
    pub(crate) state: ReleaseState,
    /// Labels of all objects.
    pub(crate) labels: Labels,
    /// Namespace of all objects.
    pub(crate) namespace: String,
}

impl<'a> Binding<'a> {
    pub(crate) fn new(
        metadata: &'a ObjectMeta,
        owner: &'a ComponentOwner,
        environment: &'a str,
        class: NamedClass<'a>,
        workload: &'a WorkloadTemplate,
        state: ReleaseState,
    ) -> Self {
        let organization = metadata.namespace.as_deref().unwrap_or_default();
        Self {
            name: metadata.name.as_deref().unwrap_or_default(),
            organization,
            owner,
            environment,
            class,
            workload,
            state,
            labels: labels::in_plane(organization, owner, environment),
            namespace: name::namespace(organization, &owner.project_name, environment),
        }
    }

    /// The class, if it is there.
    pub(crate) fn found<'c, C>(&self, class: Option<&'c C>) -> Result<&'c C, RenderError> {
        class.ok_or_else(|| RenderError::ClassNotFound {
            kind: self.class.kind,
            name: self.class.name.to_owned(),
            namespace: self.organization.to_owned(),
        })
    }

    /// Whether Kubernetes takes what all objects have.
    pub(crate) fn check(&self) -> Result<(), RenderError> {
        for (what, value) in [
            ("the name of the binding", self.name),
            ("the name of the organization", self.organization),
            ("the name of the project", &self.owner.project_name),
            ("the name of the component", &self.owner.component_name),
            ("the name of the environment", self.environment),
        ] {
            if !labels::is_value(value) {
                return Err(RenderError::Label {
                    what,
                    value: value.to_owned(),
                });
            }
        }
        match name::is_label(&self.namespace) {
            true => Ok(()),
            false => Err(RenderError::Namespace(self.namespace.clone())),
        }
    }

    /// Metadata of one object.
    pub(crate) fn metadata(&self, name: &str) -> Value {
        json!({
            "creationTimestamp": null, "labels": self.labels, "name": name, "namespace": self.namespace,
        })
    }
}
