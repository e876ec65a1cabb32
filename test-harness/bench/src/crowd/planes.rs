//! Many agents in one process. Each has a connection and a session as a real one has, dials again as a real one does,
//! and says of every object that it is healthy.

mod gathering;
mod light;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use outhaul_protocol_transport::authority::{Authority, AuthorityPem};
use outhaul_protocol_transport::dialer::Dialer;
use outhaul_protocol_transport::identity::{Identity, Trust};
use outhaul_protocol_transport::pki::{PrivateKey, SigningRequest};
use outhaul_protocol_wire::ids::PlaneName;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use self::gathering::Gathering;
use self::light::Light;
use super::name;
use crate::floor::quic_clients::{HANDSHAKES, SOCKETS};
use crate::floor::quic_server::socket;
use crate::worker::owner::Owner;

/// Longer than any measurement.
const VALIDITY: Duration = Duration::from_secs(24 * 3600);

/// What happens to planes, on its way to be counted.
const NEWS: usize = 4_096;

/// What they are started with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// Where the hub is.
    pub hub: SocketAddr,
    /// Its authority, which signs for all planes here.
    pub certificate: String,
    /// The key of the authority.
    pub authority_key: String,
    /// The key of all planes.
    pub key: String,
    /// How many there are.
    pub planes: usize,
}

/// What the owner wants to hear of.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Order {
    /// Answer with [`Told`] when every plane has been welcomed from now on.
    Gather,
    /// Answer with [`Told`] when this many bundles were reported in all, since the last [`Order::Gather`].
    Reported(u64),
    /// Every plane leaves its connection and dials anew at once. Answer as for [`Order::Gather`].
    Redial,
    /// Answer with [`Told`] at once.
    Tell,
}

/// What happened since the last [`Order::Gather`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Planes that were welcomed.
    pub welcomed: usize,
    /// Those among them that held what the hub wants them to hold.
    pub converged: usize,
    /// Heads that were announced: each would have been applied.
    pub heads: u64,
    /// Reports that were sent: each would have been written.
    pub reports: u64,
    /// Dials that came to nothing.
    pub failures: u64,
}

/// One of the things that are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum News {
    Welcomed { plane: usize, converged: bool },
    Heads(u64),
    Reports(u64),
    Failed,
}

/// Runs the planes, from the first [`Order::Gather`].
pub(crate) async fn play(mut owner: Owner) -> Result<()> {
    let setup: Setup = owner.setup().await?;
    let (sender, mut news) = mpsc::channel(NEWS);
    let (redial, redials) = watch::channel(());
    let mut waiting = lights(&setup, &sender, &redials)?;
    owner.answer(&())?;
    let mut gathering = Gathering::new(setup.planes);
    let mut running = JoinSet::new();
    loop {
        if let Some(told) = gathering.answer() {
            owner.answer(&told)?;
        }
        // Every arm only receives: dropping it loses nothing.
        tokio::select! {
            Some(news) = news.recv() => gathering.hear(news),
            order = owner.order() => match order? {
                Some(order) => {
                    gathering.order(order);
                    if let Order::Redial = order {
                        redial.send_replace(());
                    }
                    for light in waiting.drain(..) {
                        running.spawn(light.live());
                    }
                }
                None => return Ok(()),
            },
            Some(ended) = running.join_next() => ended??,
        }
    }
}

fn lights(setup: &Setup, news: &mpsc::Sender<News>, redials: &watch::Receiver<()>) -> Result<Vec<Light>> {
    let pem = AuthorityPem {
        certificate: setup.certificate.clone(),
        key: setup.authority_key.clone(),
    };
    let authority = Authority::from_pem(&pem)?;
    let request = SigningRequest::from_der(&PrivateKey::from_pem(&setup.key)?.signing_request()?)?;
    let dialers: Vec<_> = (0..SOCKETS)
        .map(|_| Ok(Dialer::over(socket()?)?))
        .collect::<Result<_>>()?;
    let first_dials = Arc::new(Semaphore::new(HANDSHAKES));
    let trust: Arc<Trust> = Arc::new(authority.trust());
    let light = |index| {
        let plane = PlaneName::new(name(index))?;
        let identity = Identity {
            chain: authority.issue_plane(&request, &plane, SystemTime::now(), VALIDITY)?,
            key: PrivateKey::from_pem(&setup.key)?,
        };
        Ok(Light {
            index,
            hub: setup.hub,
            dialer: dialers[index % SOCKETS].clone(),
            trust: trust.clone(),
            identity,
            first_dials: first_dials.clone(),
            redials: redials.clone(),
            news: news.clone(),
        })
    };
    (0..setup.planes).map(light).collect()
}
