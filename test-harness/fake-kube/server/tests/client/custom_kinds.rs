//! Kinds that CustomResourceDefinitions define.

use anyhow::Result;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, PostParams};
use kube::client::Body;
use kube::core::{ApiResource, GroupVersionKind};
use outhaul_kubernetes::{Definitions, require_or_skip};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::support::{cluster, code, config_map, eventually};

const WIDGETS: &str = include_str!("../widgets.yaml");

fn widgets(client: Client) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    Api::default_namespaced_with(client, &kind)
}

fn widget(name: &str, spec: Value) -> DynamicObject {
    serde_json::from_value(
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}),
    )
    .unwrap()
}

#[tokio::test]
async fn a_custom_kind_is_defaulted_pruned_and_validated() -> Result<()> {
    let kube = cluster().await;
    let api = widgets(kube.client());
    assert_eq!(code(api.list(&ListParams::default()).await).0, 404);
    kube.install_crds(WIDGETS)?;
    let made = api
        .create(&PostParams::default(), &widget("a", json!({"color": "red"})))
        .await?;
    assert_eq!(made.data["spec"], json!({"size": 3}));
    assert_eq!(
        code(
            api.create(&PostParams::default(), &widget("b", json!({"size": 0})))
                .await
        )
        .0,
        422
    );
    let crds: Api<DynamicObject> = Api::all_with(
        kube.client(),
        &ApiResource::from_gvk(&GroupVersionKind::gvk(
            "apiextensions.k8s.io",
            "v1",
            "CustomResourceDefinition",
        )),
    );
    let conditions = crds.get("widgets.example.com").await?.data["status"]["conditions"].clone();
    assert_eq!(conditions[1]["type"], "Established");
    let maps: Api<ConfigMap> = Api::default_namespaced(kube.client());
    let mut owned = config_map("owned", json!({}));
    owned.metadata.owner_references = Some(vec![serde_json::from_value(json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "name": "a", "uid": made.metadata.uid,
    }))?]);
    maps.create(&PostParams::default(), &owned).await?;
    crds.delete("widgets.example.com", &DeleteParams::default())
        .await?;
    eventually("the kind is gone", || async {
        code(api.list(&ListParams::default()).await).0 == 404
    })
    .await;
    eventually("what its objects owned is gone", || async {
        maps.get_opt("owned").await.unwrap().is_none()
    })
    .await;
    Ok(())
}

/// A rule that is not understood is told of in a warning.
#[tokio::test]
async fn every_rule_of_the_gateway_definitions_is_understood() -> Result<()> {
    let Some(programs) = require_or_skip() else {
        return Ok(());
    };
    let kube = cluster().await;
    let client = kube.client();
    for definitions in [Definitions::GatewayApi, Definitions::EnvoyGateway] {
        let Some(folder) = programs.definitions_or_skip(definitions) else {
            return Ok(());
        };
        for file in std::fs::read_dir(folder)? {
            let text = std::fs::read_to_string(file?.path())?;
            for document in serde_yaml_ng::Deserializer::from_str(&text) {
                let definition = Value::deserialize(document)?;
                if definition["kind"] == "CustomResourceDefinition" {
                    let body = serde_json::to_vec(&definition)?;
                    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
                    let request = http::Request::post(path).header("content-type", "application/json");
                    let response = client.send(request.body(Body::from(body))?).await?;
                    let name = &definition["metadata"]["name"];
                    assert_eq!(response.status(), 201, "{name}");
                    assert_eq!(response.headers().get("warning"), None, "{name}");
                }
            }
        }
    }
    Ok(())
}
