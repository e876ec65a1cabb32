//! The hub as a whole: its parts, who starts them, and how they end.
//!
//! Each part is one task. The first that ends stops the others; the fleet ends last but the gateway, so that it can say
//! goodbye to every agent and finish what it was writing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outhaul_hub_core::controllers::{self, News};
use outhaul_hub_core::{Fleet, Settings};
use outhaul_protocol_transport::authority::Authority;
use outhaul_protocol_transport::carrier::EndpointSecret;
use outhaul_protocol_transport::listener::{ListenError, Listener, ListenerConfig};
use outhaul_protocol_transport::pki::PkiError;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch as latest};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::config::Config;
use crate::controllers::{ControllersTask, NEWS, Progress};
use crate::epoch::Epochs;
use crate::fleet::{FleetTask, REQUESTS, SIGNALS};
use crate::handle::HubHandle;
use crate::identity::{self, IdentityError};
use crate::readiness::{Check, Reporter};
use crate::tokens::Tokens;
use crate::{gateway, rest, watch};

/// How long the hub's own certificate is valid. A new one is made at each start.
const HUB_CERTIFICATE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Changes that a reader of events may be behind before it has to read everything again.
const EVENTS: usize = 4_096;

/// The hub could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Who it is cannot be read or made.
    #[error("cannot get the hub's identity")]
    Identity(#[from] IdentityError),
    /// Its certificate cannot be made.
    #[error("cannot make the hub's certificate")]
    Certificate(#[from] PkiError),
    /// The port for agents cannot be had.
    #[error("cannot open the port for agents")]
    Gateway(#[from] ListenError),
    /// The port for REST cannot be had.
    #[error("cannot listen on TCP {address} for REST")]
    Rest {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The system does not say which port it gave.
    #[error("cannot tell where the hub listens")]
    Address(#[source] io::Error),
}

/// The hub ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// One part of it ended while it should have run.
    #[error("the hub's {0} ended unexpectedly")]
    Ended(&'static str),
    /// REST cannot go on.
    #[error("REST ended")]
    Rest(#[source] io::Error),
    /// A part panicked.
    #[error("a part of the hub failed")]
    Failed(#[source] JoinError),
}

/// A running hub. Dropping it stops it without goodbyes.
pub struct Hub {
    handle: HubHandle,
    agents: SocketAddr,
    rest: SocketAddr,
    shutdown: CancellationToken,
    supervisor: JoinHandle<Result<(), RunError>>,
}

impl Hub {
    /// Starts the hub. It serves agents once it has read every resource, see [`HubHandle::ready`].
    ///
    /// # Errors
    /// A port or the hub's identity cannot be had.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let identity = identity::load(&config.client, &config.namespace).await?;
        let settings = Settings {
            epoch: identity.epoch,
            kube_system: identity::kube_system(&config.client).await?,
            fallback: config.fallback,
        };
        let authority = Arc::new(identity.authority);
        let listener = listen(&config, &authority, identity.endpoint)?;
        let agents = listener.address().map_err(StartError::Address)?;
        let port = open_rest(config.rest).await?;
        let rest = port.local_addr().map_err(StartError::Address)?;
        info!(hub = %authority.hub(), %agents, %rest, "Hub starts");
        let parts = Parts::new(config, settings, authority, listener, agents, port);
        let handle = parts.handle.clone();
        let shutdown = CancellationToken::new();
        let supervisor = tokio::spawn(parts.run(shutdown.clone()));
        Ok(Self {
            handle,
            agents,
            rest,
            shutdown,
            supervisor,
        })
    }

    /// What may be asked of it.
    pub fn handle(&self) -> &HubHandle {
        &self.handle
    }

    /// Where agents dial: UDP.
    pub fn agents(&self) -> SocketAddr {
        self.agents
    }

    /// Where REST answers: TCP.
    pub fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Waits for its end. It ends by itself only if it failed.
    ///
    /// # Errors
    /// It failed.
    pub async fn ended(&mut self) -> Result<(), RunError> {
        (&mut self.supervisor)
            .await
            .unwrap_or_else(|error| Err(RunError::Failed(error)))
    }

    /// Stops it: agents are told that it restarts, writes under way are finished.
    ///
    /// # Errors
    /// It had failed before.
    pub async fn stop(mut self) -> Result<(), RunError> {
        self.shutdown.cancel();
        self.ended().await
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

/// Starts a hub and runs it until `shutdown`.
///
/// # Errors
/// It could not start, or failed.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut hub = Hub::start(config).await?;
    let ended = tokio::select! {
        ended = hub.ended() => Some(ended),
        () = shutdown.cancelled() => None,
    };
    match ended {
        Some(ended) => ended?,
        None => hub.stop().await?,
    }
    Ok(())
}

struct Parts {
    fleet: FleetTask,
    controllers: ControllersTask,
    news: mpsc::Sender<News>,
    client: kube::Client,
    epochs: Epochs,
    signals: mpsc::Sender<crate::fleet::Signal>,
    listener: Listener,
    tokens: Arc<Tokens>,
    rest: TcpListener,
    access: rest::Access,
    handle: HubHandle,
    reporter: Reporter,
    synced: CancellationToken,
}

impl Parts {
    /// All parts, and the channels between them.
    fn new(
        config: Config,
        settings: Settings,
        authority: Arc<Authority>,
        listener: Listener,
        agents: SocketAddr,
        rest: TcpListener,
    ) -> Self {
        let (signals, signals_receiver) = mpsc::channel(SIGNALS);
        let (requests, requests_receiver) = mpsc::channel(REQUESTS);
        let (events, _) = broadcast::channel(EVENTS);
        let (news, news_receiver) = mpsc::channel(NEWS);
        let (progress, progress_receiver) = latest::channel(Progress::default());
        let (reporter, readiness) = Reporter::new();
        let synced = CancellationToken::new();
        let client = config.client;
        let address = config.advertise.or_else(|| reachable(agents));
        let epochs = Epochs::new(client.clone(), config.namespace.clone(), settings.epoch);
        let controllers = ControllersTask {
            client: client.clone(),
            namespace: config.namespace.clone(),
            settings: controllers::Settings {
                fallback: config.fallback,
                as_openchoreo: config.as_openchoreo,
                first_environment: config.first_environment.clone(),
                plane_hosts: config.plane_hosts,
            },
            news: news_receiver,
            progress,
        };
        let tokens = Tokens::new(
            client.clone(),
            config.namespace,
            authority,
            address,
            signals.clone(),
        );
        let tokens = Arc::new(tokens);
        let handle = HubHandle {
            requests,
            events: events.clone(),
            readiness,
            controllers: progress_receiver,
            tokens: Arc::clone(&tokens),
            epochs: epochs.clone(),
            client: client.clone(),
        };
        let fleet = FleetTask {
            fleet: Fleet::new(settings),
            client: client.clone(),
            epochs: epochs.clone(),
            signals: signals_receiver,
            requests: requests_receiver,
            events,
            readiness: reporter.clone(),
            synced: synced.clone(),
        };
        Self {
            fleet,
            controllers,
            news,
            client,
            epochs,
            signals,
            listener,
            tokens,
            rest,
            access: config.access,
            handle,
            reporter,
            synced,
        }
    }

    async fn run(self, shutdown: CancellationToken) -> Result<(), RunError> {
        let stop = shutdown.child_token();
        let mut parts = JoinSet::new();
        let part = |name: &'static str| move |()| (name, Ok(()));
        let watching = watch::run(
            self.client,
            self.signals.clone(),
            self.news,
            self.epochs.highest(),
            stop.clone(),
        );
        parts.spawn(then(watching, part("watch")));
        let watching = stop.clone().run_until_cancelled_owned(self.epochs.watch());
        parts.spawn(then(watching, |_| ("watch of the epoch", Ok(()))));
        let serving = serve_agents(
            self.listener,
            self.signals,
            self.tokens,
            self.reporter,
            self.synced,
            stop.clone(),
        );
        parts.spawn(then(serving, part("gateway")));
        parts.spawn(then(self.fleet.run(stop.clone()), part("fleet")));
        parts.spawn(then(self.controllers.run(stop.clone()), part("controllers")));
        let answering = rest::serve(self.rest, self.handle, self.access, stop.clone());
        parts.spawn(then(answering, |served| ("REST", served.map_err(RunError::Rest))));

        let mut result = Ok(());
        while let Some(ended) = parts.join_next().await {
            let stopping = stop.is_cancelled();
            stop.cancel();
            let failure = match ended {
                Ok((_, Err(failure))) => failure,
                Ok((name, Ok(()))) if !stopping => RunError::Ended(name),
                Ok((_, Ok(()))) => continue,
                Err(panicked) => RunError::Failed(panicked),
            };
            error!(error = &failure as &dyn std::error::Error, "Hub stops");
            if result.is_ok() {
                result = Err(failure);
            }
        }
        result
    }
}

/// Agents are accepted only after every resource was read: until then their handshakes wait, instead of a fleet that
/// is refused and dials again.
async fn serve_agents(
    listener: Listener,
    signals: mpsc::Sender<crate::fleet::Signal>,
    tokens: Arc<Tokens>,
    reporter: Reporter,
    synced: CancellationToken,
    stop: CancellationToken,
) {
    tokio::select! {
        () = synced.cancelled() => {}
        () = stop.cancelled() => return,
    }
    reporter.set(Check::Gateway, Ok(()));
    gateway::run(listener, signals, tokens, stop).await;
}

async fn then<T, U>(part: impl Future<Output = T>, map: impl FnOnce(T) -> U) -> U {
    map(part.await)
}

fn listen(config: &Config, authority: &Authority, secret: EndpointSecret) -> Result<Listener, StartError> {
    let root = authority.root().clone();
    let listener = Listener::open(ListenerConfig {
        address: config.agents,
        hub: authority.hub().clone(),
        identity: authority.issue_hub(SystemTime::now(), HUB_CERTIFICATE)?,
        secret,
        roots: Arc::new(move |_plane| Ok(vec![root.clone()])),
    })?;
    Ok(listener)
}

async fn open_rest(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Rest { address, source })
}

/// An address that says where it is can be dialled as it is; 0.0.0.0 cannot.
fn reachable(agents: SocketAddr) -> Option<String> {
    (!agents.ip().is_unspecified()).then(|| agents.to_string())
}
