//! The agent: its link to the hub, its cluster, and the store in between.
//!
//! [`run`] is the whole agent; the binary only reads its arguments and waits for a signal. Several agents may run
//! in one process, each with its own [`Config`].
//!
//! Two tasks: the `uplink` dials and carries messages, the `agent` owns the state and
//! everything that is done about it. They end together.

mod agent;
mod cluster;
pub mod config;
mod enrolment;
mod event;
mod identity;
mod lease;
mod policy;
pub mod redial;
mod store;
mod uplink;
mod watches;

pub use config::{Config, IdentityPlace};
use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::plane::Plane;
use outhaul_protocol_session::redial::Ended;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::agent::Agent;
use self::cluster::Cluster;
use self::identity::Place;
use self::lease::{Election, Tenure};
use self::policy::Keeper;
use self::redial::Redial;
use self::store::Store;
use self::uplink::Uplink;

/// Runs an agent until `shutdown` is cancelled. What it started has ended when it returns. Of several agents of one plane
/// one acts; the others wait.
///
/// # Errors
/// The agent cannot go on by itself: it has neither identity nor token, or its token was refused. A hub or an API
/// server that is away is no error; the agent goes on trying.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let cluster = Cluster::new(config.cluster.clone());
    let store = Store::new(cluster.clone(), config.namespace.clone());
    let (election, tenure) = Election::new(store, config.holder.clone());
    let over = CancellationToken::new();
    let acting = async {
        let outcome = act(&config, &cluster, &tenure, &shutdown).await;
        // Last: the next agent may begin once the Lease is given back.
        over.cancel();
        outcome
    };
    let (outcome, ()) = tokio::join!(acting, election.run(over.clone()));
    outcome
}

/// Waits for its turn, acts for as long as it has it, and waits again.
async fn act(
    config: &Config,
    cluster: &Cluster,
    tenure: &Tenure,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    loop {
        if shutdown
            .run_until_cancelled(tenure.clone().begun())
            .await
            .is_none()
        {
            return Ok(());
        }
        let serving = serve(
            config.clone(),
            cluster.during(tenure.clone()),
            tenure.clone(),
            shutdown,
        );
        if let Served::ByItself = serving.await? {
            return Ok(());
        }
    }
}

/// How it ended.
enum Served {
    /// As it was asked to.
    ByItself,
    /// Another agent acts.
    Superseded,
}

/// Serves the plane until `shutdown`, or until another agent acts: then nothing of it is finished.
async fn serve(
    config: Config,
    cluster: Cluster,
    mut tenure: Tenure,
    shutdown: &CancellationToken,
) -> anyhow::Result<Served> {
    let store = Store::new(cluster.clone(), config.namespace.clone());
    let (plane, keeper) = tokio::select! {
        // Nothing but reads is dropped.
        () = shutdown.cancelled() => return Ok(Served::ByItself),
        () = tenure.ended() => return Ok(Served::Superseded),
        loaded = load(&store) => loaded,
    };
    let (events, link) = mpsc::channel(uplink::INCOMING);
    // Whatever ends first ends the other.
    let stop = shutdown.child_token();
    let mut tasks: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let agent = Agent::new(plane, keeper, cluster.clone(), store);
    let agent_stop = stop.clone();
    tasks.spawn(async move {
        agent.run(link, agent_stop).await;
        Ok(())
    });
    let uplink_stop = stop.clone();
    tasks.spawn(async move {
        let dialling = dial(config, cluster, events);
        uplink_stop.run_until_cancelled(dialling).await.unwrap_or(Ok(()))
    });
    let mut outcome = Ok(Served::ByItself);
    loop {
        // Neither arm takes anything by waiting.
        let ended = tokio::select! {
            ended = tasks.join_next() => ended,
            () = tenure.ended() => {
                tasks.shutdown().await;
                return Ok(Served::Superseded);
            }
        };
        let Some(ended) = ended else {
            return outcome;
        };
        stop.cancel();
        let ended = ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        outcome = outcome.and_then(|it| ended.map(|()| it));
    }
}

/// Enrols if need be, and then dials for ever.
async fn dial(
    config: Config,
    cluster: Cluster,
    events: mpsc::Sender<uplink::LinkEvent>,
) -> anyhow::Result<()> {
    let mut place = Place::new(config.identity, cluster.clone(), config.namespace);
    let (member, boot) = enrolment::member(&mut place, config.token.as_ref(), config.hub.as_deref()).await?;
    Uplink::new(member, boot, cluster, events).run().await;
    Ok(())
}

/// Reads the store, as soon as the API server lets it.
async fn load(store: &Store) -> (Plane, Keeper) {
    let mut redial = Redial::new();
    loop {
        match try_load(store).await {
            Ok(loaded) => return loaded,
            Err(failure) => {
                let wait = redial.wait(Ended::Lost, rand::random());
                warn!(
                    problem = failure.blocker().message,
                    ?wait,
                    "Cannot read the store yet"
                );
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn try_load(store: &Store) -> Result<(Plane, Keeper), Failure> {
    let stored = store.load().await?;
    let control_plane = store.control_plane().await?;
    // Nothing is done before it is known what the owner of the plane allows; read last, as reading all else takes time.
    let (policy, keeper) = store.policy().await?;
    let mut plane = Plane::restored(stored, policy, agent::clock());
    plane.know_control_plane(control_plane);
    Ok((plane, keeper))
}
