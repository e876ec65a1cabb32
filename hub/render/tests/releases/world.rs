//! Resources of one namespace as YAML, and what the crate makes of them.

use std::collections::BTreeMap;

use outhaul_hub_render::{
    AsOpenChoreo, Change, Domains, FIRST_ENVIRONMENT, RenderError, Rendered, Targets, Wanted, scheduled_task,
    scheduled_task_binding, service, service_binding, web_application, web_application_binding,
};
use outhaul_hub_resources::{
    APIClass, DataPlane, EndpointStatus, Environment, Release, ReleaseState, ScheduledTask,
    ScheduledTaskBinding, ScheduledTaskClass, Service, ServiceBinding, ServiceClass, WebApplication,
    WebApplicationBinding, WebApplicationClass, Workload,
};
use serde::{Deserialize as _, de::DeserializeOwned};
use serde_json::Value;

/// Everything there is, in the order it was written.
pub(crate) struct World(pub(crate) Vec<Value>);

/// What the first binding of a world comes to.
pub(crate) struct Made {
    pub(crate) rendered: Result<Wanted, RenderError>,
    pub(crate) endpoints: Vec<EndpointStatus>,
    pub(crate) state: ReleaseState,
    /// What is stored under the binding's name.
    pub(crate) existing: Option<Release>,
}

impl World {
    pub(crate) fn read(yaml: &str) -> Self {
        let documents = serde_yaml_ng::Deserializer::from_str(yaml);
        Self(
            documents
                .map(|document| Value::deserialize(document).unwrap())
                .collect(),
        )
    }

    /// Makes the binding where there is only its component, and renders it.
    pub(crate) fn make(&self) -> Made {
        self.make_as(AsOpenChoreo::default())
    }

    /// The same where some of it stays as OpenChoreo makes it.
    pub(crate) fn make_as(&self, as_openchoreo: AsOpenChoreo) -> Made {
        let existing = self.first::<Release>("Release");
        let environment = self.first::<Environment>("Environment");
        let plane = self.first::<DataPlane>("DataPlane");
        let domains = match (&environment, &plane) {
            (Some(environment), Some(plane)) => Domains::of(environment, plane).unwrap(),
            _ => Domains::default(),
        };
        let classes = self.all::<APIClass>("APIClass");
        let api_classes: BTreeMap<_, _> = classes
            .iter()
            .map(|class| (class.metadata.name.as_deref().unwrap(), class))
            .collect();
        if let Some(binding) = self.binding("ServiceBinding", "Service", |parent: &Service, workload| {
            service::binding(parent, workload, None, FIRST_ENVIRONMENT).unwrap()
        }) {
            let class: Option<ServiceClass> = self.named("ServiceClass", binding.spec.class_name.as_str());
            let bindings = self.all::<ServiceBinding>("ServiceBinding");
            let inputs = service_binding::Inputs {
                class: class.as_ref(),
                api_classes,
                targets: bindings.iter().collect(),
                existing: existing.as_ref(),
                as_openchoreo,
                domains,
            };
            return Made {
                rendered: service_binding::release(&binding, &inputs),
                endpoints: service_binding::endpoints(&binding, domains),
                state: binding.spec.release_state,
                existing,
            };
        }
        if let Some(binding) = self.binding(
            "WebApplicationBinding",
            "WebApplication",
            |parent: &WebApplication, workload| {
                web_application::binding(parent, workload, None, FIRST_ENVIRONMENT).unwrap()
            },
        ) {
            let binding: WebApplicationBinding = binding;
            let class: Option<WebApplicationClass> =
                self.named("WebApplicationClass", binding.spec.class_name.as_str());
            let bindings = self.all::<ServiceBinding>("ServiceBinding");
            let targets: Targets<'_> = bindings.iter().collect();
            let inputs = web_application_binding::Inputs {
                class: class.as_ref(),
                targets,
                existing: existing.as_ref(),
                as_openchoreo,
                domains,
            };
            return Made {
                rendered: web_application_binding::release(&binding, &inputs),
                endpoints: web_application_binding::endpoints(&binding, domains),
                state: binding.spec.release_state,
                existing,
            };
        }
        let binding: ScheduledTaskBinding = self
            .binding(
                "ScheduledTaskBinding",
                "ScheduledTask",
                |parent: &ScheduledTask, workload| {
                    scheduled_task::binding(parent, workload, None, FIRST_ENVIRONMENT).unwrap()
                },
            )
            .expect("a world has something to render");
        let class: Option<ScheduledTaskClass> =
            self.named("ScheduledTaskClass", binding.spec.class_name.as_str());
        let inputs = scheduled_task_binding::Inputs {
            class: class.as_ref(),
            existing: existing.as_ref(),
            as_openchoreo,
        };
        Made {
            rendered: scheduled_task_binding::release(&binding, &inputs),
            endpoints: Vec::new(),
            state: binding.spec.release_state,
            existing,
        }
    }

    /// The first binding of a kind, or the one that its component makes, with a uid as if it were stored. In a world
    /// with a component of another kind, bindings are there for its connections.
    fn binding<P: DeserializeOwned, B: DeserializeOwned + kube::Resource>(
        &self,
        kind: &str,
        component: &str,
        make: impl Fn(&P, &Workload) -> Change<B>,
    ) -> Option<B> {
        let subject = self.subject();
        if subject["kind"] == kind {
            return Some(read(subject));
        }
        if subject["kind"] != component {
            return None;
        }
        let workload = self
            .named("Workload", subject["spec"]["workloadName"].as_str().unwrap())
            .unwrap();
        let Change::Create(mut binding) = make(&read(subject), &workload) else {
            panic!("there was no binding before")
        };
        binding.meta_mut().uid = Some("uid-of-the-binding".to_owned());
        Some(binding)
    }

    /// What is rendered: the first that is neither class, Workload nor Release, nor says where it runs.
    fn subject(&self) -> &Value {
        let others = ["Workload", "Release", "Environment", "DataPlane"];
        let beside = |kind: &str| kind.ends_with("Class") || others.contains(&kind);
        self.0
            .iter()
            .find(|document| !beside(document["kind"].as_str().unwrap()))
            .unwrap()
    }

    fn documents(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |document| document["kind"] == kind)
    }

    fn all<K: DeserializeOwned>(&self, kind: &str) -> Vec<K> {
        self.documents(kind).map(read).collect()
    }

    fn first<K: DeserializeOwned>(&self, kind: &str) -> Option<K> {
        self.documents(kind).next().map(read)
    }

    fn named<K: DeserializeOwned>(&self, kind: &str, name: &str) -> Option<K> {
        self.documents(kind)
            .find(|document| document["metadata"]["name"] == name)
            .map(read)
    }
}

impl Made {
    pub(crate) fn rendered(&self) -> Option<&Rendered> {
        match &self.rendered {
            Ok(Wanted::Release(rendered)) => Some(rendered),
            Ok(Wanted::NoRelease) | Err(_) => None,
        }
    }

    /// What is stored once it is written.
    pub(crate) fn release(&self) -> Option<&Release> {
        match &self.rendered()?.change {
            Change::Create(release) | Change::Update(release) => Some(release),
            Change::Keep => self.existing.as_ref(),
        }
    }
}

fn read<K: DeserializeOwned>(document: &Value) -> K {
    serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document:#}"))
}

/// Every place in which two values differ.
pub(crate) fn differences(path: &str, made: &Value, expected: &Value, found: &mut Vec<String>) {
    match (made, expected) {
        (Value::Object(one), Value::Object(two)) => {
            let keys: std::collections::BTreeSet<_> = one.keys().chain(two.keys()).collect();
            for key in keys {
                let path = format!("{path}/{key}");
                match (one.get(key), two.get(key)) {
                    (Some(one), Some(two)) => differences(&path, one, two, found),
                    (Some(one), None) => found.push(format!("{path}: {one} should not be there")),
                    (_, two) => found.push(format!("{path}: {} is missing", two.unwrap_or(&Value::Null))),
                }
            }
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            for (index, (one, two)) in one.iter().zip(two).enumerate() {
                differences(&format!("{path}/{index}"), one, two, found);
            }
        }
        (one, two) if one == two => {}
        (one, two) => found.push(format!("{path}: {one} should be {two}")),
    }
}

pub(crate) fn texts<T: std::fmt::Display>(list: &[T]) -> Value {
    list.iter().map(ToString::to_string).collect()
}
