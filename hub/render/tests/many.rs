//! Rendering is done for every component at once when a hub starts: its cost grows with what is rendered, not faster.

use outhaul_hub_render::{Change, Domains, Wanted, service_binding};
use outhaul_hub_resources::{ServiceBinding, ServiceClass};
use serde_json::{Value, json};

#[test]
fn a_workload_with_thousands_of_everything_is_rendered() {
    const MANY: usize = 4_000;
    let entries = |value: &dyn Fn(usize) -> Value| -> Value {
        (0..MANY)
            .map(|index| (format!("e{index:05}"), value(index)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let env: Vec<_> = (0..MANY)
        .map(|index| json!({"key": format!("V{index}"), "value": "x"}))
        .collect();
    let template = json!({
        "containers": {"main": {"image": "i", "env": env}},
        "endpoints": entries(&|index| json!({"type": "TCP", "port": 1 + index})),
        "connections": entries(&|index| json!({
            "type": "api", "params": {"componentName": "c", "endpoint": format!("e{index:05}")},
            "inject": {"env": [{"name": format!("C{index}"), "value": "{{ .url }}"}]},
        })),
    });
    let binding: ServiceBinding = serde_json::from_value(json!({
        "metadata": {"name": "b", "namespace": "default", "uid": "u"},
        "spec": {
            "owner": {"projectName": "p", "componentName": "c"}, "environment": "development", "className": "default",
            "workloadSpec": template,
            "apis": entries(&|_| json!({"type": "REST", "className": "", "rest": {"backend": {"port": 1}}})),
        },
    }))
    .unwrap();
    let known: Vec<_> = (0..MANY)
        .rev()
        .map(|index| json!({"name": format!("V{index}"), "value": "y"}))
        .collect();
    let class: ServiceClass = serde_json::from_value(json!({
        "metadata": {"name": "default"},
        "spec": {
            "deploymentTemplate": {"template": {"spec": {"containers": [{"name": "main", "env": known}]}}},
            "serviceTemplate": {"ports": (0..MANY).map(|index| json!({"port": 1 + index})).collect::<Vec<_>>()},
        },
    }))
    .unwrap();
    let inputs = service_binding::Inputs {
        class: Some(&class),
        targets: [&binding].into_iter().collect(),
        ..service_binding::Inputs::default()
    };
    let Ok(Wanted::Release(rendered)) = service_binding::release(&binding, &inputs) else {
        panic!("nothing is wrong with it");
    };
    let Change::Create(release) = rendered.change else {
        panic!("there was none before")
    };
    assert_eq!(release.spec.resources.len(), 2 + MANY);
    let container = &release.spec.resources[0].object["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"].as_array().unwrap().len(), 2 * MANY);
    assert_eq!(container["ports"].as_array().unwrap().len(), MANY);
    assert_eq!(
        service_binding::endpoints(&binding, Domains::default()).len(),
        MANY
    );
}
