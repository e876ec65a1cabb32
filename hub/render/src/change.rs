//! What is to be written about a child: a binding of its component, a Release of its binding.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{Resource, ResourceExt as _, core::object::HasStatus};

use crate::labels::Labels;

/// What is to be done about a child. Doing it twice changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<K> {
    /// There is none: make it.
    Create(K),
    /// It is to be like this: write it, with the resourceVersion that it has.
    Update(K),
    /// It is as it should be, or on its way out: then its end is an event that leads here again.
    Keep,
}

/// Why a child cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// Another resource controls the one of this name.
    #[error(
        "{kind} {name:?} belongs to {owner_kind} {owner:?}: rename one of the two resources that share the name"
    )]
    Taken {
        /// Kind of the child.
        kind: String,
        /// Its name.
        name: String,
        /// Kind of its owner.
        owner_kind: String,
        /// Name of its owner.
        owner: String,
    },
    /// The parent was never stored, so nothing can refer to it.
    #[error("{0} has no name or uid yet: it was not read from an API server")]
    NotStored(String),
}

/// What makes of `existing` the child of `parent` that is wanted. Of that only the spec counts: the metadata is worked
/// out here, and the status stays.
pub(crate) fn of<P, C>(
    parent: &P,
    existing: Option<&C>,
    labels: Option<Labels>,
    mut wanted: C,
) -> Result<Change<C>, NotOurs>
where
    P: Resource<DynamicType = ()>,
    C: Resource<DynamicType = ()> + HasStatus<Status: Clone> + PartialEq,
{
    *wanted.meta_mut() = metadata(parent, existing, labels)?;
    *wanted.status_mut() = existing.and_then(HasStatus::status).cloned();
    Ok(match existing {
        None => Change::Create(wanted),
        Some(existing) if existing.meta().deletion_timestamp.is_some() || *existing == wanted => Change::Keep,
        Some(_) => Change::Update(wanted),
    })
}

/// The metadata of the child of `parent`, which has its name and namespace.
///
/// Labels are replaced as a whole, annotations are left alone, and the reference to its owner is repaired. An owner of
/// the same kind and name under another uid is the same, made anew: the child goes to it, so that nothing is taken down
/// and put up again.
fn metadata<P, C>(parent: &P, existing: Option<&C>, labels: Option<Labels>) -> Result<ObjectMeta, NotOurs>
where
    P: Resource<DynamicType = ()>,
    C: Resource<DynamicType = ()>,
{
    let owner = OwnerReference {
        block_owner_deletion: Some(true),
        ..parent
            .controller_owner_ref(&())
            .ok_or_else(|| NotOurs::NotStored(described(parent)))?
    };
    let mut metadata = match existing {
        Some(existing) => existing.meta().clone(),
        None => ObjectMeta {
            name: parent.meta().name.clone(),
            namespace: parent.meta().namespace.clone(),
            ..ObjectMeta::default()
        },
    };
    let owners = metadata.owner_references.get_or_insert_default();
    match owners.iter_mut().find(|known| known.controller == Some(true)) {
        Some(known) if known.kind == owner.kind && known.name == owner.name => *known = owner,
        Some(other) => {
            return Err(NotOurs::Taken {
                kind: C::kind(&()).into_owned(),
                name: parent.name_any(),
                owner_kind: other.kind.clone(),
                owner: other.name.clone(),
            });
        }
        None => owners.push(owner),
    }
    if let Some(labels) = labels {
        metadata.labels = Some(labels);
    }
    Ok(metadata)
}

fn described<P: Resource<DynamicType = ()>>(parent: &P) -> String {
    format!("{} {:?}", P::kind(&()), parent.name_any())
}

#[cfg(test)]
mod tests {
    use outhaul_hub_resources::{
        EndpointBindingStatus, ReleaseState, ScheduledTask, ScheduledTaskBinding, Service, ServiceBinding,
        WebApplication, Workload,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::{FIRST_ENVIRONMENT, scheduled_task, service, web_application};

    fn read<K: serde::de::DeserializeOwned>(spec: &Value) -> K {
        let metadata = json!({
            "name": "books", "namespace": "default", "uid": "uid-1", "labels": {"team": "a", "openchoreo.dev/project": "x"},
        });
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    fn component() -> Value {
        json!({
            "owner": {"projectName": "shop", "componentName": "books"}, "workloadName": "w", "className": "gold",
            "overrides": {"o": true}, "apis": {"a": {"type": "REST", "className": ""}},
        })
    }

    fn workload() -> Workload {
        read(&json!({
            "owner": {"projectName": "other", "componentName": "other"}, "containers": {"main": {"image": "i"}},
        }))
    }

    fn created<K>(change: Change<K>) -> K {
        match change {
            Change::Create(child) => child,
            Change::Update(_) | Change::Keep => panic!("there was none before"),
        }
    }

    #[test]
    fn a_binding_copies_its_component_and_workload() {
        let binding =
            created(service::binding(&read(&component()), &workload(), None, FIRST_ENVIRONMENT).unwrap());
        let expected = json!({
            "metadata": {
                "name": "books", "namespace": "default",
                "labels": {
                    "team": "a", "openchoreo.dev/organization": "default", "openchoreo.dev/project": "shop",
                    "openchoreo.dev/component": "books", "openchoreo.dev/environment": "development",
                },
                "ownerReferences": [{
                    "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Service", "name": "books", "uid": "uid-1",
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "ServiceBinding",
            "spec": {
                "owner": {"projectName": "shop", "componentName": "books"}, "environment": "development",
                "className": "gold", "workloadSpec": {"containers": {"main": {"image": "i"}}},
                "apis": {"a": {"type": "REST", "className": ""}}, "releaseState": "Active",
            },
        });
        assert_eq!(json!(binding), expected);
    }

    #[test]
    fn web_applications_and_tasks_copy_their_overrides() {
        let web = created(
            web_application::binding(&read(&component()), &workload(), None, FIRST_ENVIRONMENT).unwrap(),
        );
        let task = created(
            scheduled_task::binding(&read(&component()), &workload(), None, FIRST_ENVIRONMENT).unwrap(),
        );
        for (kind, spec) in [
            ("WebApplicationBinding", json!(web.spec)),
            ("ScheduledTaskBinding", json!(task.spec)),
        ] {
            let expected = json!({
                "owner": {"projectName": "shop", "componentName": "books"}, "environment": "development",
                "className": "gold", "workloadSpec": {"containers": {"main": {"image": "i"}}},
                "overrides": {"o": true}, "releaseState": "Active",
            });
            assert_eq!(spec, expected, "{kind}");
        }
    }

    #[test]
    fn a_binding_that_is_as_it_should_be_is_kept() {
        let parent: Service = read(&component());
        let mut stored: ServiceBinding =
            created(service::binding(&parent, &workload(), None, FIRST_ENVIRONMENT).unwrap());
        stored.metadata.resource_version = Some("7".to_owned());
        stored.metadata.annotations = Some([("kept".to_owned(), "yes".to_owned())].into());
        stored.status = Some(EndpointBindingStatus::default());
        assert_eq!(
            service::binding(&parent, &workload(), Some(&stored), FIRST_ENVIRONMENT).unwrap(),
            Change::Keep
        );
        let mut edited = stored.clone();
        edited.spec.environment = "production".to_owned();
        edited.metadata.labels = Some([("hand".to_owned(), "made".to_owned())].into());
        edited.metadata.owner_references = None;
        assert_eq!(
            service::binding(&parent, &workload(), Some(&edited), FIRST_ENVIRONMENT).unwrap(),
            Change::Update(stored.clone()),
            "labels, spec and owner are put right"
        );
    }

    #[test]
    fn the_release_state_is_kept_for_every_type() {
        let mut web = created(
            web_application::binding(&read(&component()), &workload(), None, FIRST_ENVIRONMENT).unwrap(),
        );
        web.spec.release_state = ReleaseState::Undeploy;
        let parent: WebApplication = read(&component());
        assert_eq!(
            web_application::binding(&parent, &workload(), Some(&web), FIRST_ENVIRONMENT).unwrap(),
            Change::Keep
        );
        let parent: ScheduledTask = read(&component());
        let mut task: ScheduledTaskBinding =
            created(scheduled_task::binding(&parent, &workload(), None, FIRST_ENVIRONMENT).unwrap());
        task.spec.release_state = ReleaseState::Suspend;
        assert_eq!(
            scheduled_task::binding(&parent, &workload(), Some(&task), FIRST_ENVIRONMENT).unwrap(),
            Change::Keep
        );
    }

    #[test]
    fn a_binding_of_another_is_refused() {
        let mut other =
            created(service::binding(&read(&component()), &workload(), None, FIRST_ENVIRONMENT).unwrap());
        let owners = other.metadata.owner_references.as_mut().unwrap();
        "Other".clone_into(&mut owners[0].kind);
        let error =
            service::binding(&read(&component()), &workload(), Some(&other), FIRST_ENVIRONMENT).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"ServiceBinding "books" belongs to Other "books": rename one of the two resources that share the name"#
        );
    }

    #[test]
    fn a_parent_that_was_never_stored_owns_nothing() {
        let mut parent: Service = read(&component());
        parent.metadata.uid = None;
        let error = service::binding(&parent, &workload(), None, FIRST_ENVIRONMENT).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(r#"Service "books" has no name or uid yet"#),
            "{error}"
        );
    }
}
