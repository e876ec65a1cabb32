//! Gateway API: gateways that are programmed and routes that their parents accept, where those kinds are served.

use serde_json::{Value, json};

use super::action::{self, Action};
use super::condition;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::store::Key;

pub(super) const GROUP: &str = "gateway.networking.k8s.io";
const CONTROLLER: &str = "outhaul.dev/test-gateway-controller";

/// Accepts a Gateway, and gives it an address.
pub(super) fn plan(_: &Cluster, gateway: &Value, moment: &Moment) -> Vec<Action> {
    let before = &gateway["status"];
    let mut status = json!({"addresses": [{"type": "IPAddress", "value": "10.0.0.2"}]});
    put_all(
        &mut status,
        before,
        gateway,
        &[("Accepted", "Accepted"), ("Programmed", "Programmed")],
        moment,
    );
    let listeners = gateway["spec"]["listeners"].as_array();
    let all = listeners.into_iter().flatten().map(|listener| {
        let known = before["listeners"].as_array();
        let known = known.and_then(|all| all.iter().find(|known| known["name"] == listener["name"]));
        let mut shown = json!({
            "name": listener["name"], "attachedRoutes": 0,
            "supportedKinds": [{"group": GROUP, "kind": "HTTPRoute"}],
        });
        let kinds = [
            ("Accepted", "Accepted"),
            ("Programmed", "Programmed"),
            ("ResolvedRefs", "ResolvedRefs"),
        ];
        put_all(&mut shown, known.unwrap_or(&Value::Null), gateway, &kinds, moment);
        shown
    });
    status["listeners"] = all.collect();
    vec![Action::SetStatus {
        resource: GroupResource::new(GROUP, "gateways"),
        key: action::key(gateway),
        status,
    }]
}

/// Accepts an HTTPRoute at each of its parents; one whose backend is missing is said to be unresolved.
pub(super) fn plan_route(cluster: &Cluster, route: &Value, moment: &Moment) -> Vec<Action> {
    let parents = route["spec"]["parentRefs"].as_array();
    let missing = missing_backend(cluster, route);
    let all = parents.into_iter().flatten().map(|parent| {
        let known = route["status"]["parents"].as_array();
        let known = known.and_then(|all| all.iter().find(|known| known["parentRef"] == *parent));
        let mut shown = json!({"parentRef": parent, "controllerName": CONTROLLER});
        let before = known.unwrap_or(&Value::Null);
        put_all(&mut shown, before, route, &[("Accepted", "Accepted")], moment);
        let (resolved, reason, message) = match &missing {
            None => (true, "ResolvedRefs", "All references are resolved".to_owned()),
            Some(name) => (false, "BackendNotFound", format!("Service {name} not found")),
        };
        let condition = condition::new("ResolvedRefs", resolved, reason, &message, moment);
        put(&mut shown, before, route, condition);
        shown
    });
    let parents: Vec<Value> = all.collect();
    if parents.is_empty() {
        return Vec::new();
    }
    vec![Action::SetStatus {
        resource: GroupResource::new(GROUP, "httproutes"),
        key: action::key(route),
        status: json!({"parents": parents}),
    }]
}

fn put_all(status: &mut Value, before: &Value, object: &Value, kinds: &[(&str, &str)], moment: &Moment) {
    for (kind, reason) in kinds {
        let message = format!(
            "{} is {}",
            object["kind"].as_str().unwrap_or_default(),
            kind.to_lowercase()
        );
        put(
            status,
            before,
            object,
            condition::new(kind, true, reason, &message, moment),
        );
    }
}

/// A condition with the time that it had `before`.
fn put(status: &mut Value, before: &Value, object: &Value, mut condition: Value) {
    condition["observedGeneration"] = object["metadata"]["generation"].clone();
    let kind = condition["type"].as_str().unwrap_or_default().to_owned();
    if let Some(known) = condition::find_in(before, &kind) {
        condition::put(status, known.clone());
    }
    condition::put(status, condition);
}

fn missing_backend(cluster: &Cluster, route: &Value) -> Option<String> {
    let rules = route["spec"]["rules"].as_array()?;
    let backends = rules
        .iter()
        .filter_map(|rule| rule["backendRefs"].as_array())
        .flatten();
    backends
        .filter(|backend| backend["kind"].as_str().is_none_or(|kind| kind == "Service"))
        .map(|backend| {
            let namespace = backend["namespace"].as_str().unwrap_or(meta::namespace(route));
            Key::new(namespace, backend["name"].as_str().unwrap_or_default())
        })
        .find(|key| cluster.store.get(&super::service::resource(), key).is_none())
        .map(|key| key.name)
}
