//! A control plane, a hub, and the command.

use std::fmt::Debug;
use std::time::Duration;

use clap::Parser as _;
use jiff::Timestamp;
use kube::api::{Api, PostParams};
use outhaul_fake_kube_server::{FakeKube, Options, User};
use outhaul_hub_cli::Arguments;
use outhaul_hub_resources::{crds, to_yaml};
use outhaul_hub_server::rest::Access;
use outhaul_hub_server::{AsOpenChoreo, Config, Hub};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{sleep, timeout};

/// Token of who may do everything.
pub(crate) const ADMIN: &str = "token-of-admin";

/// Token of who may do nothing unless it is given a role.
pub(crate) const VIEWER: &str = "token-of-viewer";

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    kube: FakeKube,
    hub: Hub,
}

impl Stage {
    /// A hub that is ready, and knows nothing yet.
    pub(crate) async fn set(access: Access) -> Self {
        let options = Options {
            tokens: vec![
                (ADMIN.to_owned(), User::admin()),
                (VIEWER.to_owned(), User::new("viewer", &[])),
            ],
            ..Options::default()
        };
        let kube = FakeKube::start(options).await.unwrap();
        kube.install_crds(&to_yaml(&crds())).unwrap();
        let loopback = "127.0.0.1:0".parse().unwrap();
        let hub = Hub::start(Config {
            client: kube.client(),
            namespace: "outhaul-system".to_owned(),
            agents: loopback,
            advertise: None,
            rest: loopback,
            access,
            fallback: true,
            as_openchoreo: AsOpenChoreo::default(),
            first_environment: outhaul_hub_server::FIRST_ENVIRONMENT.to_owned(),
            plane_hosts: false,
        })
        .await
        .unwrap();
        let stage = Self { kube, hub };
        let ready = async {
            while !stage.hub.handle().ready().is_ready() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, ready)
            .await
            .expect("the hub does not get ready");
        stage
    }

    pub(crate) fn control(&self) -> kube::Client {
        self.kube.client()
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.hub.rest())
    }

    pub(crate) async fn outhaul(&self, token: Option<&str>, line: &str) -> anyhow::Result<String> {
        run(&self.address(), token, line).await
    }

    /// Asks as the administrator until the answer is as wanted.
    pub(crate) async fn until(&self, line: &str, wanted: impl Fn(&str) -> bool) {
        let asked = async {
            while !self
                .outhaul(Some(ADMIN), line)
                .await
                .is_ok_and(|text| wanted(&text))
            {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| panic!("`{line}` never answers as wanted"));
    }
}

/// Runs the command as a shell would.
pub(crate) async fn run(hub: &str, token: Option<&str>, line: &str) -> anyhow::Result<String> {
    let token = token.into_iter().flat_map(|token| ["--token", token]);
    let words = ["outhaul", "--hub", hub]
        .into_iter()
        .chain(token)
        .chain(line.split_whitespace());
    let mut out = Vec::new();
    outhaul_hub_cli::run(Arguments::try_parse_from(words)?, Timestamp::now(), &mut out).await?;
    Ok(String::from_utf8(out)?)
}

/// Creates an object from its manifest.
pub(crate) async fn create<K>(api: Api<K>, manifest: Value)
where
    K: Clone + Debug + Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(manifest).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}
