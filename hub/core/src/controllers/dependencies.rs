//! What a key is decided from, beside itself.

use std::collections::{BTreeMap, BTreeSet};

use kube::core::ObjectMeta;
use outhaul_hub_render::{TargetKey, service_binding, web_application_binding};
use outhaul_hub_resources::{
    AdmittedKind, ComponentOwner, EndpointStatus, ReleaseState, ScheduledTaskBinding, ServiceBinding,
    WebApplicationBinding, WorkloadEndpoint,
};

use super::index::Dependency;
use super::platform::{pipeline, project};
use super::{Id, Kind, Object};
use crate::routing::Routing;

/// What this key depends on. A key that cannot be read depends on nothing.
pub(super) fn of(id: &Id, object: &Object, routing: &Routing) -> BTreeSet<Dependency> {
    let near = |kind, name: &str| Dependency::Object(id.near(kind, name));
    let beside = |kind| Dependency::Object(id.beside(kind));
    let target = |target: &TargetKey<'_>| component(id, target.component);
    let owners = |owner: &ComponentOwner| {
        let component = near(Kind::Component, &owner.component_name);
        [component, near(Kind::Project, &owner.project_name)]
    };
    let owned =
        |owner, others: [Dependency; 2]| -> BTreeSet<_> { others.into_iter().chain(owners(owner)).collect() };
    let unmade = |binding: &ObjectMeta, owner| -> Vec<_> {
        let owners = (!is_made(binding)).then(|| owners(owner));
        owners.into_iter().flatten().collect()
    };
    let anywhere = |kind, name: &str| -> Vec<Dependency> {
        let found = places(id, kind, name, routing);
        found.map(Dependency::Object).collect()
    };
    match object {
        Object::Service(service) => {
            let workload = near(Kind::Workload, &service.spec.workload_name);
            owned(&service.spec.owner, [workload, beside(Kind::ServiceBinding)])
        }
        Object::WebApplication(application) => {
            let workload = near(Kind::Workload, &application.spec.workload_name);
            owned(
                &application.spec.owner,
                [workload, beside(Kind::WebApplicationBinding)],
            )
        }
        Object::ScheduledTask(task) => {
            let workload = near(Kind::Workload, &task.spec.workload_name);
            owned(&task.spec.owner, [workload, beside(Kind::ScheduledTaskBinding)])
        }
        Object::ServiceBinding(binding) => {
            let class = near(Kind::ServiceClass, binding.spec.class_name.as_str());
            let mut all = BTreeSet::from([class, beside(Kind::Release)]);
            let classes = service_binding::api_classes(binding);
            all.extend(classes.map(|(_, class)| near(Kind::ApiClass, class)));
            all.extend(service_binding::targets(binding).iter().map(target));
            all.insert(component(id, &binding.spec.owner.component_name));
            all.extend(unmade(&binding.metadata, &binding.spec.owner));
            all
        }
        Object::WebApplicationBinding(binding) => {
            let class = near(Kind::WebApplicationClass, binding.spec.class_name.as_str());
            let mut all = BTreeSet::from([class, beside(Kind::Release)]);
            all.extend(web_application_binding::targets(binding).iter().map(target));
            all.insert(component(id, &binding.spec.owner.component_name));
            all.extend(unmade(&binding.metadata, &binding.spec.owner));
            all
        }
        Object::ScheduledTaskBinding(binding) => {
            let class = near(Kind::ScheduledTaskClass, binding.spec.class_name.as_str());
            let own = component(id, &binding.spec.owner.component_name);
            let all = unmade(&binding.metadata, &binding.spec.owner);
            all.into_iter()
                .chain([class, beside(Kind::Release), own])
                .collect()
        }
        Object::ApiBinding(binding) => {
            let api = near(Kind::Api, &binding.spec.api_name);
            let class = near(Kind::ApiClass, &binding.spec.api_class_name);
            BTreeSet::from([api, class, beside(Kind::Release)])
        }
        // The Planes that admit one which names none say so themselves, see [`admitted`].
        Object::DataPlane(plane) => plane_named(plane.spec.plane_id.as_deref()),
        Object::BuildPlane(plane) => plane_named(plane.spec.plane_id.as_deref()),
        Object::Environment(environment) => {
            let data_plane = environment.spec.data_plane_ref.as_deref().unwrap_or_default();
            BTreeSet::from_iter(anywhere(Kind::DataPlane, data_plane))
        }
        Object::DeploymentPipeline(pipeline) => {
            let environments = pipeline::environments(&pipeline.spec).into_iter();
            environments
                .flat_map(|name| anywhere(Kind::Environment, name))
                .collect()
        }
        Object::Project(project) => {
            let pipeline = project::pipeline(&project.spec);
            let organization = project::organization(&project.metadata)
                .map(|name| Dependency::Object(Id::of_cluster(Kind::Organization, name)));
            let pipeline = near(Kind::DeploymentPipeline, pipeline);
            organization.into_iter().chain([pipeline]).collect()
        }
        Object::Component(found) => BTreeSet::from([near(Kind::Project, &found.spec.owner.project_name)]),
        Object::Organization(_) => {
            BTreeSet::from([Dependency::Object(Id::of_cluster(Kind::Namespace, &id.name))])
        }
        Object::Api(api) => owners(&api.spec.owner).into(),
        Object::Release(release) => owners(&release.spec.owner).into(),
        Object::GitCommitRequest(_)
        | Object::ConfigurationGroup(_)
        | Object::Namespace(_)
        | Object::Plane(_)
        | Object::ApiClass(_)
        | Object::ServiceClass(_)
        | Object::WebApplicationClass(_)
        | Object::ScheduledTaskClass(_)
        | Object::Workload(_) => BTreeSet::new(),
    }
}

/// Whether another resource made this one: a component's a binding, a binding a Release.
pub(super) fn is_made(child: &ObjectMeta) -> bool {
    let mut owners = child.owner_references.iter().flatten();
    owners.any(|owner| owner.controller == Some(true))
}

/// What hosts are decided from, where Environments and DataPlanes say it.
pub(super) const HOSTS: &[Kind] = &[Kind::Environment, Kind::DataPlane];

/// The Environment that says what the hosts of this key end in, wherever it is. Its DataPlane is what it depends on.
pub(super) fn hosts(id: &Id, object: &Object, routing: &Routing) -> Vec<Dependency> {
    let environment = match object {
        Object::ServiceBinding(binding) => &binding.spec.environment,
        Object::WebApplicationBinding(binding) => &binding.spec.environment,
        _ => return Vec::new(),
    };
    let found = places(id, Kind::Environment, environment, routing);
    found.map(Dependency::Object).collect()
}

/// Where an object that this key names may be, in the order in which it is looked for.
pub(super) fn places(key: &Id, kind: Kind, name: &str, routing: &Routing) -> impl Iterator<Item = Id> {
    let namespaces = routing.namespaces(&key.namespace);
    namespaces.map(move |namespace| Id {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// The DataPlanes and BuildPlanes that a Plane admits.
pub(super) fn admitted(object: Option<&Object>) -> impl Iterator<Item = Id> + '_ {
    let admissions = match object {
        Some(Object::Plane(plane)) => plane.spec.admits.as_slice(),
        _ => &[],
    };
    admissions.iter().map(|admission| Id {
        kind: match admission.kind {
            AdmittedKind::DataPlane => Kind::DataPlane,
            AdmittedKind::BuildPlane => Kind::BuildPlane,
        },
        namespace: admission.namespace.clone(),
        name: admission.name.clone(),
    })
}

fn plane_named(name: Option<&str>) -> BTreeSet<Dependency> {
    let name = name.filter(|name| !name.is_empty());
    let plane = name.map(|name| Dependency::Object(Id::of_cluster(Kind::Plane, name)));
    plane.into_iter().collect()
}

/// What depends on all that runs a component, and on where that is reached.
pub(super) fn component(key: &Id, name: &str) -> Dependency {
    Dependency::Component {
        namespace: key.namespace.clone(),
        name: name.to_owned(),
    }
}

/// The component that a binding is of.
pub(super) fn runs(id: &Id, object: &Object) -> Option<Dependency> {
    Some(component(id, &seen(object)?.owner.component_name))
}

/// A component in an environment, as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) owner: &'a ComponentOwner,
    environment: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of_service(binding: &'a ServiceBinding) -> Option<Self> {
        let spec = &binding.spec;
        Self::new(&spec.owner, &spec.environment, spec.release_state)
    }

    pub(super) fn of_web_application(binding: &'a WebApplicationBinding) -> Option<Self> {
        let spec = &binding.spec;
        Self::new(&spec.owner, &spec.environment, spec.release_state)
    }

    pub(super) fn of_task(binding: &'a ScheduledTaskBinding) -> Option<Self> {
        let spec = &binding.spec;
        Self::new(&spec.owner, &spec.environment, spec.release_state)
    }

    fn new(owner: &'a ComponentOwner, environment: &'a str, state: ReleaseState) -> Option<Self> {
        (state != ReleaseState::Undeploy).then_some(Self { owner, environment })
    }
}

/// What an object runs where, if it is a binding that has pods.
pub(super) fn place(object: &Object) -> Option<Place<'_>> {
    match object {
        Object::ServiceBinding(binding) => Place::of_service(binding),
        Object::WebApplicationBinding(binding) => Place::of_web_application(binding),
        Object::ScheduledTaskBinding(binding) => Place::of_task(binding),
        _ => None,
    }
}

/// The components of which something runs elsewhere, or is reached elsewhere, since a binding was that and is this now.
pub(super) fn moved(before: Option<&Object>, after: Option<&Object>) -> BTreeSet<String> {
    let (before, after) = (before.and_then(seen), after.and_then(seen));
    match before == after {
        true => BTreeSet::new(),
        false => [before, after]
            .into_iter()
            .flatten()
            .map(|seen| seen.owner.component_name.clone())
            .collect(),
    }
}

/// What others see of a binding.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen<'a> {
    owner: &'a ComponentOwner,
    environment: &'a str,
    is_there: bool,
    endpoints: Option<&'a BTreeMap<String, WorkloadEndpoint>>,
    addresses: &'a [EndpointStatus],
}

fn seen(object: &Object) -> Option<Seen<'_>> {
    let is_there = place(object).is_some();
    match object {
        Object::ServiceBinding(binding) => Some(Seen {
            owner: &binding.spec.owner,
            environment: &binding.spec.environment,
            is_there,
            endpoints: Some(&binding.spec.workload_spec.endpoints),
            addresses: binding
                .status
                .as_ref()
                .map(|status| status.endpoints.as_slice())
                .unwrap_or_default(),
        }),
        Object::WebApplicationBinding(binding) => Some(Seen {
            owner: &binding.spec.owner,
            environment: &binding.spec.environment,
            is_there,
            endpoints: None,
            addresses: &[],
        }),
        Object::ScheduledTaskBinding(binding) => Some(Seen {
            owner: &binding.spec.owner,
            environment: &binding.spec.environment,
            is_there,
            endpoints: None,
            addresses: &[],
        }),
        _ => None,
    }
}
