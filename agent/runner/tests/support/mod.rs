//! A plane on the embedded Kubernetes, a hub that says what a test wants it to, and the real agent between them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail with them")]
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod cluster;
pub(crate) mod hub;

use std::time::Duration;

use outhaul_agent_runner::{Config, IdentityPlace};
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_protocol_transport::testing::TestHub;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything in these tests may take; what works takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A plane and its hub.
pub(crate) struct World {
    /// The embedded cluster, where it is one.
    kube: Option<FakeKube>,
    client: kube::Client,
    pub(crate) hub: TestHub,
    folder: TempDir,
}

/// An agent that runs.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let kube = FakeKube::start(Options::default()).await.unwrap();
        let client = kube.client();
        Self {
            kube: Some(kube),
            ..Self::on(client)
        }
    }

    /// A plane on another cluster.
    pub(crate) fn on(client: kube::Client) -> Self {
        // What the agent logs is shown with a test that fails; RUST_LOG says what.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_test_writer()
            .try_init()
            .ok();
        Self {
            kube: None,
            client,
            hub: TestHub::open(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The embedded cluster.
    pub(crate) fn kube(&self) -> &FakeKube {
        self.kube.as_ref().expect("the test runs on the embedded cluster")
    }

    /// Starts the agent, or starts it again with what it kept.
    pub(crate) fn agent(&self) -> Running {
        Running::of(self.config())
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            cluster: self.client.clone(),
            namespace: "outhaul-system".into(),
            identity: IdentityPlace::Folder(self.folder.path().join("agent")),
            token: Some(self.hub.token()),
            holder: None,
            hub: None,
        }
    }
}

impl Running {
    pub(crate) fn of(config: Config) -> Self {
        let stop = CancellationToken::new();
        let shutdown = stop.clone();
        let task = tokio::spawn(async move { outhaul_agent_runner::run(config, shutdown).await });
        Self { stop, task }
    }

    /// Stops it as SIGTERM does.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("the agent stops").unwrap().unwrap();
    }

    /// Ends it as SIGKILL does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// How it ends by itself.
    pub(crate) async fn ended(self) -> anyhow::Result<()> {
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("the agent ends").unwrap()
    }
}
