//! Starting, steering and stopping one cluster.

use std::io;
use std::sync::Arc;

use kube::Client;
use outhaul_fake_kube_core::access::User;
use outhaul_fake_kube_core::cluster::Cluster;
use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::request::Verb;
use tokio::task::JoinSet;

use crate::authority::IdentityError;
use crate::clock::Clock;
use crate::engine::{Engine, Who};
use crate::fault::{self, Fault, FaultRule, Faults};
use crate::install::{self, InstallError};
use crate::port::Port;
use crate::service::ApiService;
use crate::{background, kube_config};

/// What a cluster has from the start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Controllers that make workloads progress.
    pub standins: bool,
    /// Nothing happens by itself: no garbage collection, no service accounts for new namespaces, and nothing that is being
    /// deleted is emptied. As an API server without its controllers; those that stand in for them are left out, too.
    pub bare: bool,
    /// Bearer tokens beside the administrator's, and whom they stand for.
    pub tokens: Vec<(String, User)>,
    /// No port and no keys: clients are in this process. For clusters by the thousand.
    pub in_process: bool,
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

/// Where an in-process cluster would be; nothing is there.
const NOWHERE: &str = "https://in-process.invalid";

/// What a cluster held at one moment.
pub struct Backup(Cluster);

/// One embedded cluster. Everything that belongs to it ends when it is dropped.
pub struct FakeKube {
    engine: Arc<Engine>,
    admin_token: String,
    tokens: Vec<(String, User)>,
    port: Option<Port>,
    /// Dropping it aborts the cluster's background work.
    _background: JoinSet<()>,
}

impl FakeKube {
    /// Starts a cluster on a free loopback port, or without one.
    ///
    /// # Errors
    /// When certificates cannot be made or no port can be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let clock = Clock::start();
        let mut moment = clock.moment();
        let admin_token = moment.secret();
        let mut cluster = Cluster::new(&mut moment);
        cluster.access_mut().add_token(&admin_token, User::admin());
        for (token, user) in &options.tokens {
            cluster.access_mut().add_token(token, user.clone());
        }
        let engine = Arc::new(Engine::new(cluster, clock));
        let port = match options.in_process {
            true => None,
            false => Some(Port::open(ApiService::new(engine.clone(), Who::Anonymous)).await?),
        };
        let mut background = JoinSet::new();
        if !options.bare {
            background.spawn(background::run(engine.clone(), options.standins));
        }
        Ok(Self {
            engine,
            admin_token,
            tokens: options.tokens,
            port,
            _background: background,
        })
    }

    /// `https://127.0.0.1:PORT`; stays the same while the API is away.
    pub fn url(&self) -> String {
        self.port.as_ref().map_or_else(|| NOWHERE.to_owned(), Port::url)
    }

    /// The certificate authority that signed the port's certificate; empty without a port.
    pub fn ca_pem(&self) -> &str {
        self.port.as_ref().map_or("", Port::ca_pem)
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
        kube_config::render(&self.url(), self.ca_pem(), user, token)
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
        let result = self.engine.with(|cluster, _| f(cluster));
        self.engine.disturb();
        result
    }

    /// All that the cluster holds now.
    pub fn back_up(&self) -> Backup {
        Backup(self.engine.with(|cluster, _| cluster.clone()))
    }

    /// Goes back to a backup, as a restored etcd does: what was written since is gone, and resourceVersions start lower.
    /// Connections should be [broken](Self::stop_listening) before.
    pub fn restore(&self, backup: &Backup) {
        self.with_cluster(|cluster| *cluster = backup.0.clone());
    }

    /// Lets requests meet a fault from now on.
    pub fn inject(&self, rule: FaultRule) {
        self.engine.with_faults(|faults| faults.add(rule));
    }

    /// Takes all faults away, and lets those that are injected from now on follow from `seed`: the same requests in
    /// the same order meet the same faults.
    pub fn seed_faults(&self, seed: u64) {
        self.engine.with_faults(|faults| *faults = Faults::seeded(seed));
    }

    /// Lets lists and watches meet, now and then, all that may go wrong with them, as far as it is `wanted`. What happens
    /// follows from `seed`, see [`FakeKube::seed_faults`].
    pub fn disturb_reads(&self, seed: u64, wanted: impl Fn(&Fault) -> bool) {
        self.seed_faults(seed);
        let faults = fault::of_reads().into_iter();
        for (probability, fault) in faults.filter(|(_, fault)| wanted(fault)) {
            for verb in [Verb::List, Verb::Watch] {
                self.inject(FaultRule::sometimes(probability, fault.clone()).on_verb(verb));
            }
        }
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.seed_faults(0);
    }

    /// How many requests have met a fault since faults were seeded or cleared.
    pub fn faults_met(&self) -> u64 {
        self.engine.with_faults(|faults| faults.met())
    }

    /// Lets every watch of a kind end with `Expired`.
    pub fn expire_watches(&self, group: &str, resource: &str) {
        self.with_cluster(|cluster| cluster.forget_history(&GroupResource::new(group, resource)));
    }

    /// Takes the API away: connections break, new ones are refused, in-process clients meet the same. The state and
    /// the stand-ins stay.
    pub async fn stop_listening(&self) {
        self.engine.set_reachable(false);
        if let Some(port) = &self.port {
            port.close().await;
        }
    }

    /// Gives the API back on the same port.
    ///
    /// # Errors
    /// When somebody else has taken the port meanwhile.
    pub async fn resume_listening(&self) -> io::Result<()> {
        if let Some(port) = &self.port {
            port.reopen().await?;
        }
        self.engine.set_reachable(true);
        Ok(())
    }

    /// Creates the CustomResourceDefinitions of a YAML stream, or replaces those that are there.
    ///
    /// # Errors
    /// With the API's words when a document is refused.
    pub fn install_crds(&self, yaml: &str) -> Result<(), InstallError> {
        install::definitions(&self.engine, yaml)
    }
}

impl Drop for FakeKube {
    fn drop(&mut self) {
        // Watches in the hands of in-process clients end; the port and the background work go with their fields.
        self.engine.set_reachable(false);
    }
}

impl std::fmt::Debug for FakeKube {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeKube")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
