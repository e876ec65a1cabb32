//! The control plane of a crowd: an embedded cluster in this process, with an authority that is known here, so that
//! certificates need no enrolment.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::config::Kubeconfig;
use outhaul_fake_kube_server::{FakeKube, GroupResource};
use outhaul_protocol_transport::authority::{Authority, AuthorityPem};
use outhaul_protocol_transport::pki::PrivateKey;
use outhaul_protocol_wire::ids::HubId;
use outhaul_scenarios::operator::{COMPONENT, PROJECT};
use outhaul_scenarios::stage::SYSTEM;
use serde_json::{Value, json};

use super::name;
use super::planes::{self, Order, Told};
use crate::course::TARGET;
use crate::programs::hub::{self, Addresses};
use crate::sample::{Carrier, NAMESPACE, config_maps};
use crate::worker::{Role, Worker};

/// Objects that are created at once.
const CREATES: usize = 64;

/// Without a write for so long, everything that connecting caused has been written.
const QUIET: Duration = Duration::from_secs(2);

/// How long it may take until then.
const PATIENCE: Duration = Duration::from_secs(120);

/// A control plane and the keys of its planes.
pub struct Control {
    kube: FakeKube,
    client: Client,
    /// The authority of the hub.
    authority: AuthorityPem,
    /// The one key that all planes have. The hub compares it, and nothing else depends on it.
    key: String,
}

impl Control {
    /// Starts one without planes.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> Result<Self> {
        let kube = FakeKube::start(outhaul_fake_kube_server::Options::default()).await?;
        kube.install_crds(&outhaul_hub_resources::to_yaml(&outhaul_hub_resources::crds()))?;
        let hub = HubId::from_bytes(rand::random());
        let control = Self {
            client: kube.client(),
            kube,
            authority: Authority::generate(&hub, SystemTime::now())?.to_pem(),
            key: PrivateKey::generate()?.to_pem(),
        };
        control
            .create("", "Namespace", None, json!({ "metadata": { "name": SYSTEM } }))
            .await?;
        let secret = json!({
            "metadata": { "name": "outhaul-hub" },
            "type": "outhaul.dev/hub",
            "stringData": {
                "ca.crt": control.authority.certificate,
                "ca.key": control.authority.key,
                // Any 32 bytes: who listens here is nobody's secret.
                "endpoint.key": "0123456789abcdef0123456789abcdef",
                "epoch": "1",
            },
        });
        control.create("", "Secret", Some(SYSTEM), secret).await?;
        let project = json!({
            "metadata": { "name": PROJECT }, "spec": { "deploymentPipelineRef": "default" },
        });
        let component = json!({
            "metadata": { "name": COMPONENT },
            "spec": { "owner": { "projectName": PROJECT }, "type": "Service" },
        });
        for (kind, object) in [("Project", project), ("Component", component)] {
            control
                .create("openchoreo.dev", kind, Some(NAMESPACE), object)
                .await?;
        }
        Ok(control)
    }

    /// A client of its administrator.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Starts a hub on it. Returns where it listens, too.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_hub(&self, at: Addresses) -> Result<(Worker, Addresses)> {
        let kubeconfig = Kubeconfig::from_yaml(&self.kube.admin_kubeconfig())?;
        Worker::start(Role::Hub, &hub::Setup { kubeconfig, at }).await
    }

    /// Starts the agents of `planes` planes, none of them connected yet.
    ///
    /// # Errors
    /// They do not start.
    pub async fn start_planes(&self, hub: SocketAddr, planes: usize) -> Result<Worker> {
        let setup = planes::Setup {
            hub,
            certificate: self.authority.certificate.clone(),
            authority_key: self.authority.key.clone(),
            key: self.key.clone(),
            planes,
        };
        let (planes, ()) = Worker::start(Role::Planes, &setup).await?;
        Ok(planes)
    }

    /// Connects all planes, and waits until they have reported `bundles` in all and nothing is written any more.
    /// Returns how long connecting took.
    ///
    /// # Errors
    /// They do not connect or converge.
    pub async fn converge(&self, planes: &mut Worker, bundles: usize) -> Result<Duration> {
        let start = Instant::now();
        let _connected: Told = planes.ask(&Order::Gather).await?;
        let connecting = start.elapsed();
        let _reported: Told = planes.ask(&Order::Reported(bundles as u64)).await?;
        self.quiet().await?;
        Ok(connecting)
    }

    /// Adds planes, each with `bundles` Releases of one ConfigMap.
    ///
    /// # Errors
    /// The cluster refuses.
    pub async fn add_planes(&self, planes: usize, bundles: usize) -> Result<()> {
        let key = PrivateKey::from_pem(&self.key)?.digest().to_string();
        let key = &key;
        futures::stream::iter(0..planes)
            .map(|index| self.add_plane(name(index), key, bundles))
            .buffer_unordered(CREATES)
            .try_collect()
            .await
    }

    async fn add_plane(&self, name: String, key: &str, bundles: usize) -> Result<()> {
        let admits = json!([{
            "kind": "DataPlane", "namespace": NAMESPACE, "name": name, "targetNamespaces": ["*"],
        }]);
        let plane = json!({ "metadata": { "name": name }, "spec": { "keys": [key], "admits": admits } });
        self.create("outhaul.dev", "Plane", None, plane).await?;
        if bundles == 0 {
            return Ok(());
        }
        let data_plane = json!({
            "metadata": { "name": name },
            "spec": {
                "planeID": name,
                "registry": { "prefix": "registry.example" },
                "gateway": { "publicVirtualHost": "example.test", "organizationVirtualHost": "internal.test" },
            },
        });
        let environment = json!({ "metadata": { "name": name }, "spec": { "dataPlaneRef": name } });
        self.create("openchoreo.dev", "DataPlane", Some(NAMESPACE), data_plane)
            .await?;
        self.create("openchoreo.dev", "Environment", Some(NAMESPACE), environment)
            .await?;
        for bundle in 0..bundles {
            let release = format!("{name}-{bundle}");
            let resources = config_maps(&release, TARGET, 1);
            Carrier::Release
                .create(&self.client, &release, &name, &resources)
                .await?;
        }
        Ok(())
    }

    /// Writes until now, those to Leases aside: hubs take turns by one.
    pub fn writes(&self) -> u64 {
        let leases = GroupResource::new("coordination.k8s.io", "leases");
        self.kube
            .with_cluster(|cluster| cluster.version() - cluster.writes(&leases))
    }

    /// Waits until nothing has been written for a while.
    ///
    /// # Errors
    /// Something is written again and again.
    pub async fn quiet(&self) -> Result<()> {
        let start = Instant::now();
        let mut last = (self.writes(), start);
        while last.1.elapsed() < QUIET {
            ensure!(
                start.elapsed() < PATIENCE,
                "the control plane is still written to"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
            let writes = self.writes();
            if writes != last.0 {
                last = (writes, Instant::now());
            }
        }
        Ok(())
    }

    async fn create(
        &self,
        group: &str,
        kind: &str,
        namespace: Option<&str>,
        mut object: Value,
    ) -> Result<()> {
        let version = if group.is_empty() { "v1" } else { "v1alpha1" };
        let kind = GroupVersionKind::gvk(group, version, kind);
        let resource = ApiResource::from_gvk(&kind);
        object["apiVersion"] = resource.api_version.clone().into();
        object["kind"] = resource.kind.clone().into();
        let object: DynamicObject = serde_json::from_value(object)?;
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let created = api.create(&PostParams::default(), &object).await;
        created.with_context(|| format!("create {} {:?}", resource.kind, object.metadata.name))?;
        Ok(())
    }
}
