//! No credential of a cluster gets into the control plane, and what is already there does not stand in the way.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use outhaul_hub_resources::{crds, names::OPENCHOREO_GROUP};
use serde_json::{Value, json};

use super::fixture::{Answer, Api, api};

const SECRET: &str = "c2VjcmV0LWtleQ";

/// A DataPlane as OpenChoreo's own scripts write it, here with `cluster` as its `kubernetesCluster`.
fn data_plane(name: &str, cluster: &Value) -> Value {
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "DataPlane",
        "metadata": {"name": name},
        "spec": {
            "registry": {"prefix": "registry.openchoreo-data-plane:5000"},
            "gateway": {"publicVirtualHost": "public", "organizationVirtualHost": "internal"},
            "kubernetesCluster": cluster,
        },
    })
}

fn build_plane(name: &str, cluster: &Value) -> Value {
    json!({
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "BuildPlane",
        "metadata": {"name": name},
        "spec": {"kubernetesCluster": cluster},
    })
}

/// `kubernetesCluster` with one string set: at `path`, the rest empty as Go writes it.
fn with(path: &str) -> Value {
    let mut cluster = json!({
        "server": "",
        "tls": {"ca": {"value": ""}},
        "auth": {
            "mtls": {"clientCert": {"value": ""}, "clientKey": {"value": ""}},
            "bearerToken": {"value": ""},
        },
    });
    let (parent, field) = path.rsplit_once('/').expect("a pointer has a slash");
    cluster.pointer_mut(parent).expect("it is a path of ours")[field] = json!(SECRET);
    cluster
}

fn assert_refused(answer: &Answer, kind: &str) {
    assert_eq!(answer.code, 422, "{}", answer.message());
    let advice = format!("outhaul plane token NAME --for {kind}/NAMESPACE/NAME");
    assert!(answer.message().contains(&advice), "{}", answer.message());
    assert_eq!(
        answer.message().matches("outhaul plane token").count(),
        1,
        "said once: {}",
        answer.message()
    );
    assert!(
        !answer.body.to_string().contains(SECRET),
        "the answer repeats the credential"
    );
}

#[tokio::test]
async fn each_credential_is_refused_and_the_answer_says_what_to_do() {
    let Some(api) = api("refused").await else { return };
    let strings = [
        "/server",
        "/tls/ca/value",
        "/tls/ca/secretRef",
        "/auth/mtls/clientCert/value",
        "/auth/mtls/clientCert/secretRef",
        "/auth/mtls/clientKey/value",
        "/auth/mtls/clientKey/secretRef",
        "/auth/bearerToken/value",
        "/auth/bearerToken/secretRef",
    ];
    let data_planes = api.of(OPENCHOREO_GROUP, "dataplanes");
    let build_planes = api.of(OPENCHOREO_GROUP, "buildplanes");
    for path in strings {
        let cluster = with(path);
        assert_refused(
            &api.create(&data_planes, &data_plane("dp", &cluster)).await,
            "dataplane",
        );
        assert_refused(
            &api.create(&build_planes, &build_plane("bp", &cluster)).await,
            "buildplane",
        );
    }
}

#[tokio::test]
async fn empty_strings_and_objects_are_no_credentials() {
    let Some(api) = api("empty").await else { return };
    let data_planes = api.of(OPENCHOREO_GROUP, "dataplanes");
    let all_empty = with("/server").as_object().cloned().map(|mut cluster| {
        cluster["server"] = json!("");
        Value::Object(cluster)
    });
    let forms = [
        json!(null),
        json!({}),
        json!({"server": "", "tls": {"ca": {}}, "auth": {}}),
        json!({"server": null, "tls": null, "auth": {"mtls": null, "bearerToken": {}}}),
        all_empty.unwrap(),
    ];
    for (index, cluster) in forms.iter().enumerate() {
        api.create(&data_planes, &data_plane(&format!("dp-{index}"), cluster))
            .await
            .object();
    }
    let path = format!("{data_planes}/dp-1");
    let edit = json!({"spec": {"kubernetesCluster": with("/auth/mtls/clientKey/value")}});
    assert_refused(&api.patch(&path, &edit).await, "dataplane");
}

/// The definition of DataPlane in a group of its own, with the rule or without, as an older installation had it.
fn definition(with_rule: bool) -> CustomResourceDefinition {
    let mut crd = crds()
        .into_iter()
        .find(|crd| crd.spec.names.kind == "DataPlane")
        .expect("it is ours");
    crd.spec.group = "older.example".to_owned();
    crd.metadata.name = Some("dataplanes.older.example".to_owned());
    if !with_rule {
        let schema = crd.spec.versions[0]
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut());
        let spec = schema.and_then(|schema| schema.properties.as_mut()?.get_mut("spec"));
        let cluster = spec.and_then(|spec| spec.properties.as_mut()?.get_mut("kubernetesCluster"));
        cluster.expect("it is declared").x_kubernetes_validations = None;
    }
    crd
}

async fn older_installation(api: &Api) -> String {
    api.install(&definition(false)).await;
    let planes = api.of("older.example", "dataplanes");
    let mut plane = data_plane("dp", &with("/auth/mtls/clientKey/value"));
    plane["apiVersion"] = json!("older.example/v1alpha1");
    api.create(&planes, &plane).await.object();
    let path = format!("{planes}/dp");
    api.install(&definition(true)).await;
    path
}

/// A definition takes effect a moment after it is stored: waits until the rule refuses.
async fn until_refused(api: &Api, path: &str, edit: &Value) -> Answer {
    let dry_run = format!("{path}?dryRun=All");
    let refused = async {
        loop {
            let answer = api.patch(&dry_run, edit).await;
            if answer.code == 422 {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), refused)
        .await
        .expect("the rule comes into force")
}

#[tokio::test]
async fn credentials_stored_by_an_older_installation_can_only_be_taken_out() {
    let Some(api) = api("older").await else { return };
    let path = older_installation(&api).await;
    let other =
        json!({"spec": {"kubernetesCluster": {"auth": {"mtls": {"clientKey": {"value": "b3RoZXI"}}}}}});
    assert_refused(&until_refused(&api, &path, &other).await, "dataplane");

    let edits = [
        (path.clone(), json!({"metadata": {"labels": {"a": "b"}}})),
        (path.clone(), json!({"spec": {"registry": {"prefix": "other"}}})),
        (
            format!("{path}/status"),
            json!({"status": {"observedGeneration": 2}}),
        ),
    ];
    for (path, edit) in edits {
        let answer = api.patch(&path, &edit).await;
        assert!(answer.code.is_success(), "{edit}: {}", answer.message());
        let [warning] = &answer.warnings[..] else {
            panic!("{edit}: {:?}", answer.warnings)
        };
        assert!(warning.contains("outhaul plane token"), "{warning}");
    }

    let clean = api
        .patch(&path, &json!({"spec": {"kubernetesCluster": null}}))
        .await
        .object();
    assert_eq!(clean["spec"].get("kubernetesCluster"), None);
    assert_refused(
        &api.patch(&path, &json!({"spec": {"kubernetesCluster": with("/server")}}))
            .await,
        "dataplane",
    );
}
