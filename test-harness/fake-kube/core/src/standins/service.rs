//! Services: an EndpointSlice for every hundred pods that they select, and the older Endpoints.

use serde_json::{Map, Value, json};

use super::action::{self, Action};
use super::owned;
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::selector::LabelSelector;
use crate::store::Key;

/// Endpoints in one slice, as the real controller has it.
const SLICE: usize = 100;

/// The kind of Services.
pub(super) fn resource() -> GroupResource {
    GroupResource::new("", "services")
}

/// The Services of a namespace that select these labels.
pub(super) fn selecting<'a>(cluster: &'a Cluster, namespace: &'a str, labels: &Value) -> Vec<&'a Value> {
    cluster
        .objects(&resource(), Some(namespace))
        .filter(|service| selector(service).is_some_and(|selector| selector.matches_labels(labels)))
        .collect()
}

fn selector(service: &Value) -> Option<LabelSelector> {
    let labels = &service["spec"]["selector"];
    let is_empty = labels.as_object().is_none_or(Map::is_empty);
    let external = service["spec"]["type"] == "ExternalName";
    (!is_empty && !external).then(|| LabelSelector::from_object(&json!({"matchLabels": labels})))
}

pub(super) fn plan(cluster: &Cluster, service: &Value, moment: &Moment) -> Vec<Action> {
    let Some(selector) = selector(service) else {
        return Vec::new();
    };
    let pods: Vec<&Value> = cluster
        .objects(&owned::pods(), Some(meta::namespace(service)))
        .filter(|pod| selector.matches(pod) && pod["status"]["podIP"].is_string())
        .filter(|pod| !owned::is_finished(pod) && !meta::is_terminating(pod))
        .collect();
    let mut actions = slices(cluster, service, &pods, moment);
    actions.extend(endpoints(cluster, service, &pods, moment));
    actions
}

fn slices(cluster: &Cluster, service: &Value, pods: &[&Value], moment: &Moment) -> Vec<Action> {
    let known = owned::all(cluster, service, &slice_resource());
    let mut known = known.into_iter();
    let mut actions = Vec::new();
    let chunks = pods.chunks(SLICE).chain(pods.is_empty().then_some(&[][..]));
    for chunk in chunks {
        let endpoints: Vec<Value> = chunk.iter().map(|pod| endpoint(service, pod)).collect();
        // What has no items comes back as null.
        let endpoints = match endpoints.is_empty() {
            true => Value::Null,
            false => endpoints.into(),
        };
        let ports = ports(service, chunk.first().copied());
        match known.next() {
            None => actions.push(create(service, endpoints, ports, moment)),
            Some(slice) if slice["endpoints"] == endpoints && slice["ports"] == ports => {}
            Some(slice) => actions.push(Action::Patch {
                resource: slice_resource(),
                key: action::key(slice),
                patch: json!({"metadata": {"annotations": changed_at(moment)}, "endpoints": endpoints, "ports": ports}),
            }),
        }
    }
    actions.extend(known.map(|slice| Action::Delete {
        resource: slice_resource(),
        key: action::key(slice),
    }));
    actions
}

fn create(service: &Value, endpoints: Value, ports: Value, moment: &Moment) -> Action {
    let mut labels = json!({
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": meta::name(service),
    });
    if service["spec"]["clusterIP"] == "None" {
        labels["service.kubernetes.io/headless"] = "".into();
    }
    for (name, value) in service["metadata"]["labels"].as_object().into_iter().flatten() {
        labels[name] = value.clone();
    }
    let object = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "generateName": format!("{}-", meta::name(service)), "namespace": meta::namespace(service),
            "labels": labels, "annotations": changed_at(moment),
            "ownerReferences": action::controlled_by(service),
        },
        "endpoints": endpoints, "ports": ports,
    });
    Action::Create {
        resource: slice_resource(),
        object,
        note: None,
    }
}

/// Says when what led to a change of endpoints happened.
fn changed_at(moment: &Moment) -> Value {
    json!({"endpoints.kubernetes.io/last-change-trigger-time": moment.timestamp()})
}

fn endpoint(service: &Value, pod: &Value) -> Value {
    let ready = owned::is_ready(pod) || service["spec"]["publishNotReadyAddresses"] == true;
    let mut endpoint = json!({
        "addresses": [pod["status"]["podIP"]], "nodeName": pod["spec"]["nodeName"], "targetRef": reference(pod),
        "conditions": {"ready": ready, "serving": ready, "terminating": false},
    });
    if pod["spec"]["subdomain"] == *meta::name(service) && pod["spec"]["hostname"].is_string() {
        endpoint["hostname"] = pod["spec"]["hostname"].clone();
    }
    endpoint
}

fn reference(pod: &Value) -> Value {
    json!({"kind": "Pod", "name": meta::name(pod), "namespace": meta::namespace(pod), "uid": meta::uid(pod)})
}

/// The ports of a Service as numbers; one by name is looked up in a pod.
fn ports(service: &Value, pod: Option<&Value>) -> Value {
    let list = service["spec"]["ports"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|port| {
            let number = match &port["targetPort"] {
                Value::String(name) => named_port(pod?, name)?,
                Value::Number(number) if number.as_u64() != Some(0) => number.clone().into(),
                _ => port["port"].clone(),
            };
            let name = port["name"].as_str().unwrap_or_default();
            Some(
                json!({"name": name, "port": number, "protocol": port["protocol"].as_str().unwrap_or("TCP")}),
            )
        })
        .collect()
}

fn named_port(pod: &Value, name: &str) -> Option<Value> {
    let containers = pod["spec"]["containers"].as_array()?;
    containers
        .iter()
        .filter_map(|container| container["ports"].as_array())
        .flatten()
        .find(|port| port["name"] == name)
        .map(|port| port["containerPort"].clone())
}

/// The Endpoints of a Service, which have its name.
fn endpoints(cluster: &Cluster, service: &Value, pods: &[&Value], moment: &Moment) -> Option<Action> {
    let resource = endpoints_resource();
    let subsets = subsets(service, pods);
    let key = Key::of(service);
    match cluster.store.get(&resource, &key) {
        Some(known) if known.value().get("subsets").unwrap_or(&Value::Null) == &subsets => None,
        Some(_) => Some(Action::Patch {
            resource,
            key,
            patch: json!({"metadata": {"annotations": changed_at(moment)}, "subsets": subsets}),
        }),
        None => {
            let mut object = json!({
                "apiVersion": "v1", "kind": "Endpoints",
                "metadata": {
                    "name": meta::name(service), "namespace": meta::namespace(service),
                    "labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"},
                    "annotations": changed_at(moment),
                },
            });
            if !subsets.is_null() {
                object["subsets"] = subsets;
            }
            Some(Action::Create {
                resource,
                object,
                note: None,
            })
        }
    }
}

/// Endpoints go with their Service.
pub(super) fn plan_endpoints(cluster: &Cluster, endpoints: &Value, _: &Moment) -> Vec<Action> {
    let ours = endpoints["metadata"]["labels"]["endpoints.kubernetes.io/managed-by"] == "endpoint-controller";
    if !ours || cluster.store.get(&resource(), &Key::of(endpoints)).is_some() {
        return Vec::new();
    }
    vec![Action::Delete {
        resource: endpoints_resource(),
        key: action::key(endpoints),
    }]
}

fn subsets(service: &Value, pods: &[&Value]) -> Value {
    let Some(first) = pods.first() else {
        return Value::Null;
    };
    let mut subset = json!({"ports": ports(service, Some(first))});
    for port in subset["ports"].as_array_mut().into_iter().flatten() {
        if port["name"] == "" {
            port.as_object_mut().map(|port| port.remove("name"));
        }
    }
    let (ready, others): (Vec<&&Value>, Vec<&&Value>) = pods.iter().partition(|pod| owned::is_ready(pod));
    for (field, pods) in [("addresses", ready), ("notReadyAddresses", others)] {
        if !pods.is_empty() {
            subset[field] = pods.iter().map(|pod| address(pod)).collect();
        }
    }
    json!([subset])
}

fn address(pod: &Value) -> Value {
    json!({"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": reference(pod)})
}

/// The kind of the older Endpoints.
pub(super) fn endpoints_resource() -> GroupResource {
    GroupResource::new("", "endpoints")
}

fn slice_resource() -> GroupResource {
    GroupResource::new("discovery.k8s.io", "endpointslices")
}
