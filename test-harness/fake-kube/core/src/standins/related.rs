//! Who else has to look when an object changes, beside its owner and who looks after its kind.

use serde_json::Value;

use super::{claim, gateway, node, owned, service, workflow};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::store::{Address, Key};

/// The objects that have to do with a changed one.
pub(super) fn to(cluster: &Cluster, resource: &GroupResource, object: &Value) -> Vec<Address> {
    match (&*resource.group, &*resource.resource) {
        ("", "pods") => {
            let labels = object["metadata"].get("labels").unwrap_or(&Value::Null);
            let services = service::selecting(cluster, meta::namespace(object), labels);
            addresses(&service::resource(), services.into_iter())
        }
        ("", "persistentvolumeclaims") => vec![Address {
            resource: claim::volumes(),
            key: Key::new("", &claim::volume_of(object)),
        }],
        ("", "services") => {
            let routes = GroupResource::new(gateway::GROUP, "httproutes");
            let mut all = addresses(&routes, cluster.objects(&routes, None));
            all.push(Address {
                resource: service::endpoints_resource(),
                key: Key::of(object),
            });
            all
        }
        ("", "nodes") => {
            let sets = GroupResource::new("apps", "daemonsets");
            let pods = owned::pods();
            let waiting = cluster.objects(&pods, None);
            let waiting = waiting.filter(|pod| pod["spec"]["nodeName"].is_null());
            let mut all = addresses(&sets, cluster.objects(&sets, None));
            all.extend(addresses(&pods, waiting));
            all
        }
        (workflow::GROUP, "workflowtaskresults") => {
            let workflow = workflow::result::workflow_of(object);
            let address = |name| Address {
                resource: GroupResource::new(workflow::GROUP, "workflows"),
                key: Key::new(meta::namespace(object), name),
            };
            workflow.map(address).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Kinds that nobody here looks after, but whose changes concern others.
pub(super) fn resources() -> [GroupResource; 2] {
    [node::resource(), workflow::result::resource()]
}

fn addresses<'a>(resource: &GroupResource, objects: impl Iterator<Item = &'a Value>) -> Vec<Address> {
    objects
        .map(|object| Address {
            resource: resource.clone(),
            key: Key::of(object),
        })
        .collect()
}
