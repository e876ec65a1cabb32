//! The program as it is shipped: what its flags say reaches what is rendered.

use std::process::Stdio;

use kube::api::Api;
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_hub_resources::{Release, ServiceBinding, crds, to_yaml};
use tokio::process::{Child, Command};

use crate::controllers;
use crate::rig::{NAMESPACE, set_up, until};

/// A hub in a process of its own, until it is dropped.
fn hub(kube: &FakeKube, folder: &tempfile::TempDir, flags: &[&str]) -> Child {
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, kube.admin_kubeconfig()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_outhaul-hub"))
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["--listen", "127.0.0.1:0", "--rest", "127.0.0.1:0"])
        .args(flags)
        .env_clear()
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// The host of the public route to the service `cart`, and that in its status.
async fn hosts(flags: &[&str]) -> [String; 2] {
    let kube = FakeKube::start(Options::default()).await.unwrap();
    kube.install_crds(&to_yaml(&crds())).unwrap();
    let client = kube.client();
    set_up(&client).await;
    controllers::classes(&client).await;
    controllers::service(&client, "cart").await;
    let folder = tempfile::tempdir().unwrap();
    let _hub = hub(&kube, &folder, flags);
    let releases: Api<Release> = Api::namespaced(client.clone(), NAMESPACE);
    let bindings: Api<ServiceBinding> = Api::namespaced(client, NAMESPACE);
    let status = until("the binding says where it is reached", || async {
        let binding = bindings.get_opt("cart").await.unwrap()?;
        let endpoint = binding.status?.endpoints.into_iter().next()?;
        Some(endpoint.public?.host)
    })
    .await;
    let release = releases.get("cart").await.unwrap();
    let mut objects = release.spec.resources.iter().map(|entry| &entry.object);
    let public = |object: &&serde_json::Value| {
        object["kind"] == "HTTPRoute" && object["spec"]["parentRefs"][0]["name"] == "gateway-external"
    };
    let route = objects.find(public).unwrap();
    [route["spec"]["hostnames"][0].as_str().unwrap().to_owned(), status]
}

#[tokio::test]
async fn hosts_are_those_of_the_plane_where_the_flag_says_so() {
    for (flags, host) in [
        (&[][..], "development.choreoapis.localhost"),
        (&["--plane-hosts"][..], "development.example.org"),
    ] {
        assert_eq!(hosts(flags).await, [host, host], "{flags:?}");
    }
}
