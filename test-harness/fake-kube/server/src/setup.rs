//! Starting, steering and stopping one cluster.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use kube::Client;
use outhaul_fake_kube_core::access::User;
use outhaul_fake_kube_core::cluster::Cluster;
use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::reply::Outcome;
use outhaul_fake_kube_core::request::{RawRequest, Request};
use serde::Deserialize as _;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::authority::{Identity, IdentityError};
use crate::engine::{self, Engine, Impersonation, Who};
use crate::fault::FaultRule;
use crate::service::ApiService;
use crate::{kube_config, listener, standins};

/// What a cluster has from the start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Controllers that make workloads progress.
    pub standins: bool,
    /// Nothing happens by itself: no garbage collection, no service accounts for new namespaces, and nothing that is being
    /// deleted is emptied. As an API server without its controllers.
    pub bare: bool,
    /// Bearer tokens beside the administrator's, and whom they stand for.
    pub tokens: Vec<(String, User)>,
}

/// Why a cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificates.
    #[error("cannot make the cluster's certificates")]
    Identity(#[from] IdentityError),
    /// The port.
    #[error("cannot listen on loopback")]
    Listen(#[from] io::Error),
}

/// One embedded cluster. Everything that belongs to it ends when it is dropped.
pub struct FakeKube {
    engine: Arc<Engine>,
    identity: Identity,
    address: SocketAddr,
    admin_token: String,
    tokens: Vec<(String, User)>,
    serving: Mutex<Option<Serving>>,
    /// Dropping it aborts the cluster's background work.
    _background: JoinSet<()>,
}

/// The port while it is open.
struct Serving {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl FakeKube {
    /// Starts a cluster on a free loopback port.
    ///
    /// # Errors
    /// When certificates cannot be made or no port can be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let mut moment = engine::now();
        let admin_token = moment.secret();
        let mut cluster = Cluster::new(&mut moment);
        cluster.access_mut().add_token(&admin_token, User::admin());
        for (token, user) in &options.tokens {
            cluster.access_mut().add_token(token, user.clone());
        }
        let engine = Arc::new(Engine::new(cluster));
        let mut background = JoinSet::new();
        if !options.bare {
            let housekeeper = engine.clone();
            background.spawn(async move { housekeeper.keep_house().await });
        }
        if options.standins {
            background.spawn(standins::run(engine.clone()));
        }
        let identity = Identity::generate()?;
        let (listener, address) = listener::bind(0).await?;
        let mut kube = Self {
            engine,
            identity,
            address,
            admin_token,
            tokens: options.tokens,
            serving: Mutex::new(None),
            _background: background,
        };
        *kube.serving.get_mut() = Some(kube.serve(listener));
        Ok(kube)
    }

    fn serve(&self, listener: tokio::net::TcpListener) -> Serving {
        let stop = CancellationToken::new();
        let service = ApiService::new(self.engine.clone(), Who::Anonymous);
        let task = tokio::spawn(listener::serve(
            listener,
            self.identity.tls.clone(),
            service,
            stop.clone(),
        ));
        Serving { stop, task }
    }

    /// `https://127.0.0.1:PORT`; stays the same while the API is away.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate authority that signed the port's certificate.
    pub fn ca_pem(&self) -> &str {
        &self.identity.ca_pem
    }

    /// The administrator's bearer token.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// A kubeconfig for the administrator.
    pub fn admin_kubeconfig(&self) -> String {
        self.kubeconfig_with(&User::admin().name, &self.admin_token)
    }

    /// A kubeconfig for the user of this name among [`Options::tokens`].
    pub fn kubeconfig(&self, user: &str) -> Option<String> {
        let (token, user) = self.tokens.iter().find(|(_, known)| known.name == user)?;
        Some(self.kubeconfig_with(&user.name, token))
    }

    /// A kubeconfig with this token, whoever it stands for.
    pub fn kubeconfig_with(&self, user: &str, token: &str) -> String {
        kube_config::render(&self.url(), &self.identity.ca_pem, user, token)
    }

    /// A client in this process, without sockets, that may do everything.
    pub fn client(&self) -> Client {
        self.client_as(User::admin())
    }

    /// A client in this process that acts as `user`; RBAC says what it may.
    pub fn client_as(&self, user: User) -> Client {
        Client::new(self.service(Who::Trusted(user)), "default")
    }

    /// The API as a tower service; requests without an `Authorization` header come from `default_user`.
    pub fn service(&self, default_user: Who) -> ApiService {
        ApiService::new(self.engine.clone(), default_user)
    }

    /// Looks at or changes the state directly, past all rules of the API.
    pub fn with_cluster<R>(&self, f: impl FnOnce(&mut Cluster) -> R) -> R {
        self.engine.with(f)
    }

    /// Lets requests meet a fault from now on.
    pub fn inject(&self, rule: FaultRule) {
        self.engine.inject(rule);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.engine.clear_faults();
    }

    /// Lets every watch of a kind end with `Expired`.
    pub fn expire_watches(&self, group: &str, resource: &str) {
        self.with_cluster(|cluster| cluster.forget_history(&GroupResource::new(group, resource)));
    }

    /// Takes the API away: connections break, new ones are refused, in-process clients meet the same. The state and
    /// the stand-ins stay.
    pub async fn stop_listening(&self) {
        self.engine.set_reachable(false);
        if let Some(serving) = self.serving.lock().await.take() {
            serving.stop.cancel();
            // It ends at the cancellation; a panic inside it is of no use to who takes the API away.
            if let Err(error) = serving.task.await {
                tracing::warn!(%error, "The listener did not end well");
            }
        }
    }

    /// Gives the API back on the same port.
    ///
    /// # Errors
    /// When somebody else has taken the port meanwhile.
    pub async fn resume_listening(&self) -> io::Result<()> {
        let mut serving = self.serving.lock().await;
        if serving.is_none() {
            let (listener, _) = listener::bind(self.address.port()).await?;
            *serving = Some(self.serve(listener));
        }
        self.engine.set_reachable(true);
        Ok(())
    }

    /// Creates the CustomResourceDefinitions of a YAML stream, or replaces those that are there.
    ///
    /// # Errors
    /// With the API's words when a document is refused.
    pub fn install_crds(&self, yaml: &str) -> Result<(), InstallError> {
        for document in serde_yaml_ng::Deserializer::from_str(yaml) {
            let crd = Value::deserialize(document)?;
            if !crd.is_null() {
                self.install_crd(&crd)?;
            }
        }
        Ok(())
    }

    fn install_crd(&self, crd: &Value) -> Result<(), InstallError> {
        let name = crd["metadata"]["name"].as_str().unwrap_or_default();
        let body = serde_json::to_vec(crd).unwrap_or_default();
        let raw = RawRequest {
            method: "PATCH",
            path: &format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"),
            query: "fieldManager=install-crds&force=true",
            content_type: "application/apply-patch+yaml",
            body: &body,
            ..RawRequest::default()
        };
        let refused = |message: String| InstallError::Refused {
            name: name.to_owned(),
            message,
        };
        let request = Request::parse(&raw).map_err(|refusal| refused(refusal.message))?;
        let who = Who::Trusted(User::admin());
        match self.engine.handle(&request, &who, &Impersonation::default()) {
            Outcome::Reply(reply) if reply.code < 300 => Ok(()),
            Outcome::Reply(reply) => Err(refused(
                String::from_utf8_lossy(&reply.body.encode()).into_owned(),
            )),
            Outcome::Watch(_) => Err(refused("the API answered with a watch".to_owned())),
        }
    }
}

impl Drop for FakeKube {
    fn drop(&mut self) {
        // Watches in the hands of in-process clients end; the port and the background work go with their fields.
        self.engine.set_reachable(false);
        if let Some(serving) = self.serving.get_mut().take() {
            serving.stop.cancel();
            serving.task.abort();
        }
    }
}

impl std::fmt::Debug for FakeKube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeKube")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

/// Why definitions were not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Not YAML.
    #[error("the definitions are not YAML")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// The API said no.
    #[error("definition {name} was refused: {message}")]
    Refused {
        /// Which.
        name: String,
        /// Why.
        message: String,
    },
}
