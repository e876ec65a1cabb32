//! A control plane and its hub.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_hub_resources::{AdmittedKind, Release, crds, to_yaml};
use outhaul_hub_server::rest::Access;
use outhaul_hub_server::{AdmitRequest, AsOpenChoreo, Config, Hub, IssuedToken, TokenRequest};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::{Value, json};

pub(crate) const NAMESPACE: &str = "acme";

/// How long anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A control plane `K`, a client of it, and its hub.
pub(crate) struct Rig<K = FakeKube> {
    pub(crate) kube: K,
    pub(crate) client: Client,
    pub(crate) hub: Hub,
}

impl Rig {
    /// An embedded control plane with Environments `dev` and `development` on DataPlane `dp-eu` and `prod` on `dp-us`,
    /// and a hub that is ready.
    pub(crate) async fn start() -> Self {
        let kube = control_plane(&to_yaml(&crds())).await;
        let client = kube.client();
        Self::over(kube, client).await
    }
}

impl<K> Rig<K> {
    /// A hub over a control plane that is set up.
    pub(crate) async fn over(kube: K, client: Client) -> Self {
        let hub = start_hub(&client, free_port()).await;
        Self { kube, client, hub }
    }

    /// Stops the hub and starts another one on the same port.
    pub(crate) async fn restart_hub(self) -> Self {
        let agents = self.hub.agents();
        self.hub.stop().await.unwrap();
        // In one process the port is free once QUIC has let the last connection go.
        let hub = until("the hub starts again", || async {
            Hub::start(config(&self.client, agents)).await.ok()
        });
        let hub = ready(hub.await).await;
        Self { hub, ..self }
    }

    /// A token for a plane whose DataPlane is `dp-<plane>`.
    pub(crate) async fn token(&self, plane: &str) -> IssuedToken {
        let request = token_request(plane);
        self.hub.handle().create_token(request).await.unwrap()
    }

    pub(crate) fn releases(&self) -> Api<Release> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    /// Creates Release `name` in an Environment, with one ConfigMap.
    pub(crate) async fn release(&self, name: &str, environment: &str) -> Release {
        self.release_with(name, &spec(name, environment)).await
    }

    pub(crate) async fn release_with(&self, name: &str, spec: &Value) -> Release {
        let release = serde_json::from_value(json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Release",
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
        }));
        self.releases()
            .create(&PostParams::default(), &release.unwrap())
            .await
            .unwrap()
    }

    /// Merges a patch into a Release.
    pub(crate) async fn patch(&self, name: &str, patch: Value) -> Release {
        self.releases()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap()
    }

    /// Waits until a Release is as wanted.
    pub(crate) async fn until(&self, name: &str, what: &str, wanted: impl Fn(&Release) -> bool) -> Release {
        let releases = self.releases();
        until(what, || async {
            releases
                .get_opt(name)
                .await
                .unwrap()
                .filter(|release| wanted(release))
        })
        .await
    }
}

/// Looks again and again until there is something to see.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking)
        .await
        .unwrap_or_else(|_elapsed| panic!("never happened: {what}"))
}

pub(crate) fn token_request(plane: &str) -> TokenRequest {
    TokenRequest {
        plane: PlaneName::new(plane).unwrap(),
        admits: Some(AdmitRequest {
            kind: AdmittedKind::DataPlane,
            namespace: NAMESPACE.into(),
            name: format!("dp-{plane}"),
        }),
        ttl: None,
    }
}

pub(crate) fn spec(name: &str, environment: &str) -> Value {
    json!({
        "environmentName": environment,
        "owner": {"projectName": "rig", "componentName": "rig"},
        "resources": [{"id": "config", "object": {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "shop"}, "data": {"key": "value"}}}],
    })
}

/// An embedded control plane with these definitions.
pub(crate) async fn control_plane(definitions: &str) -> FakeKube {
    let kube = FakeKube::start(Options::default()).await.unwrap();
    kube.install_crds(definitions).unwrap();
    set_up(&kube.client()).await;
    kube
}

/// Creates what leads to the planes `eu` and `us`, and whose the Releases of [`spec`] are.
pub(crate) async fn set_up(client: &Client) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    create(client, None, namespace).await;
    for (kind, spec) in [
        ("Project", json!({"deploymentPipelineRef": "rig"})),
        (
            "Component",
            json!({"owner": {"projectName": "rig"}, "type": "Service"}),
        ),
    ] {
        let object = json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": kind,
            "metadata": {"name": "rig", "namespace": NAMESPACE}, "spec": spec,
        });
        create(client, Some(NAMESPACE), object).await;
    }
    for (environment, data_plane) in [("dev", "dp-eu"), ("development", "dp-eu"), ("prod", "dp-us")] {
        let environment = json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "Environment",
            "metadata": {"name": environment, "namespace": NAMESPACE},
            "spec": {"dataPlaneRef": data_plane},
        });
        create(client, Some(NAMESPACE), environment).await;
    }
    for data_plane in ["dp-eu", "dp-us"] {
        let data_plane = json!({
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "DataPlane",
            "metadata": {"name": data_plane, "namespace": NAMESPACE},
            "spec": {
                "registry": {"prefix": "registry.example"},
                "gateway": {"publicVirtualHost": "example.org", "organizationVirtualHost": "example.internal"},
            },
        });
        create(client, Some(NAMESPACE), data_plane).await;
    }
}

/// Creates any object.
pub(crate) async fn create(client: &Client, namespace: Option<&str>, object: Value) -> DynamicObject {
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let types = object.types.clone().unwrap();
    let resource = ApiResource::from_gvk(&(&types).try_into().unwrap());
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    api.create(&PostParams::default(), &object).await.unwrap()
}

pub(crate) fn config(client: &Client, agents: SocketAddr) -> Config {
    Config {
        client: client.clone(),
        namespace: "outhaul-system".into(),
        agents,
        advertise: None,
        rest: free_port(),
        access: Access::Anonymous,
        fallback: true,
        as_openchoreo: AsOpenChoreo::default(),
        first_environment: outhaul_hub_server::FIRST_ENVIRONMENT.to_owned(),
        plane_hosts: false,
    }
}

pub(crate) async fn start_hub(client: &Client, agents: SocketAddr) -> Hub {
    ready(Hub::start(config(client, agents)).await.unwrap()).await
}

async fn ready(hub: Hub) -> Hub {
    until("the hub is ready", || async {
        hub.handle().ready().is_ready().then_some(())
    })
    .await;
    hub
}

pub(crate) fn free_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
