//! The link to the hub: dials, carries messages both ways, and dials again.
//!
//! It decides nothing about the plane. What arrives goes to the agent through one bounded channel; what the agent has
//! to say comes through another, which belongs to the connection.

use core::time::Duration;
use std::net::SocketAddr;
use std::time::SystemTime;

use anyhow::Context as _;
use outhaul_protocol_session::agent::Dial;
use outhaul_protocol_session::redial::Ended;
use outhaul_protocol_session::term::Instance;
use outhaul_protocol_transport::close::{Close, Lost};
use outhaul_protocol_transport::control::Control;
use outhaul_protocol_transport::dialer::Dialer;
use outhaul_protocol_transport::link::HubLink;
use outhaul_protocol_wire::ids::Term;
use outhaul_protocol_wire::message::{AgentMessage, ClosingReason, HubMessage};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::cluster::{Cluster, chain};
use crate::identity::Member;
use crate::redial::Redial;

/// Messages of the hub on their way to the agent.
pub(crate) const INCOMING: usize = 64;

/// Messages of the agent that are built and not sent. Few: what is not built yet is built from newer state.
const OUTGOING: usize = 4;

/// How long to look for the API server's version before dialling without it.
const VERSION_TIME: Duration = Duration::from_secs(2);

/// From when on the agent says that its certificate will not last.
const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Which connection something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionId(u64);

/// What happened on the link.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// A connection stands, and the hub waits for a hello.
    Opened(Opened),
    /// The hub said something.
    Message(SessionId, HubMessage),
    /// The connection is over.
    Ended(SessionId),
}

/// A new connection.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) session: SessionId,
    pub(crate) dial: Dial,
    pub(crate) link: HubLink,
    pub(crate) outgoing: mpsc::Sender<AgentMessage>,
}

/// Dials the hub for as long as the agent runs.
pub(crate) struct Uplink {
    member: Member,
    boot: u64,
    instance: Instance,
    cluster: Cluster,
    events: mpsc::Sender<LinkEvent>,
    /// `gitVersion` as it was known last.
    kubernetes_version: String,
    /// Planes that the hub serves, as it said last.
    fleet: u32,
}

impl Uplink {
    pub(crate) fn new(member: Member, boot: u64, cluster: Cluster, events: mpsc::Sender<LinkEvent>) -> Self {
        Self {
            member,
            boot,
            instance: rand::random(),
            cluster,
            events,
            kubernetes_version: String::new(),
            fleet: 1,
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut redial = Redial::new();
        let mut dials = 0;
        loop {
            dials += 1;
            self.warn_of_expiry();
            let ended = match self.connection(SessionId(dials)).await {
                Ok(connection) => {
                    if connection.stood {
                        redial.stood();
                    }
                    connection.ended
                }
                Err(error) => {
                    warn!(
                        hub = self.member.address,
                        error = chain(error.as_ref()),
                        "No connection to the hub"
                    );
                    Ended::Lost
                }
            };
            let wait = redial.wait(ended, rand::random());
            debug!(?ended, ?wait, "Dialling again after a while");
            tokio::time::sleep(wait).await;
        }
    }

    /// One connection, from the dial to its end.
    async fn connection(&mut self, session: SessionId) -> anyhow::Result<Connection> {
        self.ask_version().await;
        let address = resolve(&self.member.address, session.0).await?;
        let dialer = Dialer::udp(address)?;
        let link = dialer
            .dial(address, &self.member.trust, &self.member.identity)
            .await?;
        let control = link.open_control().await?;
        let (outgoing, to_send) = mpsc::channel(OUTGOING);
        let opened = Opened {
            session,
            dial: self.dial(session),
            link: link.clone(),
            outgoing,
        };
        info!(hub = self.member.address, session = session.0, "Connected");
        // Closed means that the agent stops, and this task with it.
        self.events
            .send(LinkEvent::Opened(opened))
            .await
            .context("the agent stops")?;
        let connection = self.carry(session, &link, control, to_send).await;
        self.events
            .send(LinkEvent::Ended(session))
            .await
            .context("the agent stops")?;
        Ok(connection)
    }

    /// Carries messages until one way ends. Neither loop decides anything, so it does not matter which ends first.
    async fn carry(
        &mut self,
        session: SessionId,
        link: &HubLink,
        control: Control<HubMessage, AgentMessage>,
        mut to_send: mpsc::Receiver<AgentMessage>,
    ) -> Connection {
        let Control {
            mut reader,
            mut writer,
            ..
        } = control;
        let mut connection = Connection {
            stood: false,
            ended: Ended::Lost,
        };
        let events = self.events.clone();
        let fleet = &mut self.fleet;
        let reading = async {
            loop {
                match reader.read().await {
                    Ok(Some(message)) => {
                        connection.hear(&message, fleet);
                        if events.send(LinkEvent::Message(session, message)).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => return,
                    Err(error) => {
                        debug!(error = chain(&error), "The hub's messages end");
                        return;
                    }
                }
            }
        };
        let writing = async {
            while let Some(message) = to_send.recv().await {
                if let Err(error) = writer.write(&message).await {
                    debug!(error = chain(&error), "The hub takes no more messages");
                    return;
                }
            }
        };
        tokio::select! {
            // The connection is given up with either, so half a message on the other way is never completed wrongly.
            () = reading => {}
            () = writing => {}
        }
        link.close(Close::Finished, "the session is over");
        let lost = link.closed().await;
        connection.judge(&lost, self.fleet);
        info!(session = session.0, end = %lost, "Disconnected");
        connection
    }

    /// Before the dial: a connection that stands waits for nothing but the hello.
    async fn ask_version(&mut self) {
        match tokio::time::timeout(VERSION_TIME, self.cluster.version()).await {
            Ok(Ok(version)) => self.kubernetes_version = version,
            Ok(Err(failure)) => debug!(?failure, "The API server does not tell its version"),
            Err(_elapsed) => debug!("The API server does not tell its version in time"),
        }
    }

    fn dial(&self, session: SessionId) -> Dial {
        Dial {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            kubernetes_version: self.kubernetes_version.clone(),
            instance: self.instance,
            term: Term {
                boot: self.boot,
                dial: session.0,
            },
        }
    }

    fn warn_of_expiry(&self) {
        let expires = jiff::Timestamp::try_from(self.member.expires).ok();
        let expires = expires.map(|at| at.to_string()).unwrap_or_default();
        match self.member.expires.duration_since(SystemTime::now()) {
            Err(_past) => warn!(
                expires,
                "The agent's certificate has expired: start it with a new token of `outhaul plane token`"
            ),
            Ok(left) if left < SOON => warn!(
                expires,
                "The agent's certificate expires soon: once it has, start the agent with a new token"
            ),
            Ok(_) => debug!(expires, "The agent's certificate is valid"),
        }
    }
}

/// How a connection went.
struct Connection {
    stood: bool,
    ended: Ended,
}

impl Connection {
    /// What matters for the next dial.
    fn hear(&mut self, message: &HubMessage, fleet: &mut u32) {
        match message {
            HubMessage::Welcome(welcome) => {
                self.stood = true;
                *fleet = welcome.fleet;
            }
            HubMessage::Refused(refused) => {
                warn!(reason = ?refused.reason, "The hub refuses this agent: {}", refused.message);
                self.ended = Ended::RetryAfter(refused.retry_after());
            }
            HubMessage::Closing(closing) => {
                info!(reason = ?closing.reason, "The hub closes the session");
                let retry_after = closing.retry_after();
                self.ended = match closing.reason {
                    ClosingReason::Restarting => Ended::Restarting {
                        fleet: *fleet,
                        retry_after,
                    },
                    ClosingReason::Superseded | ClosingReason::Revoked => Ended::RetryAfter(retry_after),
                };
            }
            HubMessage::Announce(_)
            | HubMessage::Recorded(_)
            | HubMessage::Settled(_)
            | HubMessage::Observed { .. }
            | HubMessage::ReportWanted(_)
            | HubMessage::Vouched(_) => {}
        }
    }

    /// A hub that was killed says nothing; its successor resets the connection.
    fn judge(&mut self, lost: &Lost, fleet: u32) {
        if self.ended == Ended::Lost && lost.is_restart() {
            let retry_after = Duration::ZERO;
            self.ended = Ended::Restarting { fleet, retry_after };
        }
    }
}

/// An address of `host:port`; each dial takes the next. Asked for anew at each dial: the hub may have moved.
pub(crate) async fn resolve(address: &str, dial: u64) -> anyhow::Result<SocketAddr> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host(address)
        .await
        .with_context(|| format!("cannot find the hub {address}; --hub names another address"))?
        .collect();
    turn(&found, dial).with_context(|| format!("the hub {address} has no address"))
}

/// One that cannot be reached does not hide the others.
fn turn(addresses: &[SocketAddr], dial: u64) -> Option<SocketAddr> {
    let count = u64::try_from(addresses.len()).ok()?;
    let index = usize::try_from(dial.checked_rem(count)?).ok()?;
    addresses.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dial_takes_the_next_address() {
        let addresses: Vec<SocketAddr> = ["[::1]:1", "127.0.0.1:1"].map(|it| it.parse().unwrap()).into();
        let turns: Vec<_> = (0..4).filter_map(|dial| turn(&addresses, dial)).collect();
        assert_eq!(turns, [addresses.clone(), addresses].concat());
        assert_eq!(turn(&[], 3), None);
    }
}
