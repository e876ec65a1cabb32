//! What a key is decided from, beside itself.

use std::collections::BTreeSet;

use outhaul_hub_render::{TargetKey, service_binding, web_application_binding};

use super::index::Dependency;
use super::{Id, Kind, Object};

/// What this key depends on. A key that cannot be read depends on nothing.
pub(super) fn of(id: &Id, object: &Object) -> BTreeSet<Dependency> {
    let near = |kind, name: &str| Dependency::Object(id.near(kind, name));
    let beside = |kind| Dependency::Object(id.beside(kind));
    let component = |target: &TargetKey<'_>| Dependency::Component {
        namespace: id.namespace.clone(),
        name: target.component.to_owned(),
    };
    match object {
        Object::Service(service) => {
            let workload = near(Kind::Workload, &service.spec.workload_name);
            BTreeSet::from([workload, beside(Kind::ServiceBinding)])
        }
        Object::WebApplication(application) => {
            let workload = near(Kind::Workload, &application.spec.workload_name);
            BTreeSet::from([workload, beside(Kind::WebApplicationBinding)])
        }
        Object::ScheduledTask(task) => {
            let workload = near(Kind::Workload, &task.spec.workload_name);
            BTreeSet::from([workload, beside(Kind::ScheduledTaskBinding)])
        }
        Object::ServiceBinding(binding) => {
            let class = near(Kind::ServiceClass, binding.spec.class_name.as_str());
            let mut all = BTreeSet::from([class, beside(Kind::Release)]);
            let classes = service_binding::api_classes(binding);
            all.extend(classes.map(|(_, class)| near(Kind::ApiClass, class)));
            all.extend(service_binding::targets(binding).iter().map(component));
            all
        }
        Object::WebApplicationBinding(binding) => {
            let class = near(Kind::WebApplicationClass, binding.spec.class_name.as_str());
            let mut all = BTreeSet::from([class, beside(Kind::Release)]);
            all.extend(web_application_binding::targets(binding).iter().map(component));
            all
        }
        Object::ScheduledTaskBinding(binding) => {
            let class = near(Kind::ScheduledTaskClass, binding.spec.class_name.as_str());
            BTreeSet::from([class, beside(Kind::Release)])
        }
        Object::ApiBinding(binding) => {
            let api = near(Kind::Api, &binding.spec.api_name);
            let class = near(Kind::ApiClass, &binding.spec.api_class_name);
            BTreeSet::from([api, class, beside(Kind::Release)])
        }
        Object::ApiClass(_)
        | Object::ServiceClass(_)
        | Object::WebApplicationClass(_)
        | Object::ScheduledTaskClass(_)
        | Object::Workload(_)
        | Object::Api(_)
        | Object::Release(_) => BTreeSet::new(),
    }
}

/// The components whose endpoints may be reached elsewhere since a binding was that and is this now.
pub(super) fn moved(before: Option<&Object>, after: Option<&Object>) -> BTreeSet<String> {
    let target = |object: Option<&Object>| match object {
        Some(Object::ServiceBinding(binding)) => {
            let spec = &binding.spec;
            Some((
                spec.owner.clone(),
                spec.environment.clone(),
                spec.workload_spec.endpoints.clone(),
            ))
        }
        _ => None,
    };
    let (before, after) = (target(before), target(after));
    match before == after {
        true => BTreeSet::new(),
        false => [before, after]
            .into_iter()
            .flatten()
            .map(|(owner, ..)| owner.component_name)
            .collect(),
    }
}
