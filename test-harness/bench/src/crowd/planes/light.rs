//! One plane of a crowd: dials, talks, dials again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use outhaul_agent_runner::redial::Redial;
use outhaul_protocol_session::agent::{Dial, Event, Session};
use outhaul_protocol_session::redial::Ended;
use outhaul_protocol_transport::close::Close;
use outhaul_protocol_transport::control::Control;
use outhaul_protocol_transport::dialer::Dialer;
use outhaul_protocol_transport::identity::{Identity, Trust};
use outhaul_protocol_transport::link::HubLink;
use outhaul_protocol_wire::ids::Term;
use outhaul_protocol_wire::message::{AgentMessage, ClosingReason, HubMessage};
use tokio::sync::{Semaphore, mpsc, watch};
use tracing::debug;

use super::News;
use super::state::State;

pub(super) struct Light {
    pub(super) index: usize,
    pub(super) hub: SocketAddr,
    pub(super) dialer: Dialer,
    pub(super) trust: Arc<Trust>,
    pub(super) identity: Identity,
    /// Only the first dial waits for others: later ones are spread by the protocol.
    pub(super) first_dials: Arc<Semaphore>,
    /// Whoever hears of this leaves its connection and dials anew.
    pub(super) redials: watch::Receiver<()>,
    pub(super) news: mpsc::Sender<News>,
}

/// A connection that stands.
struct Connection {
    link: HubLink,
    control: Control<HubMessage, AgentMessage>,
    session: Session,
}

impl Light {
    /// Runs until its owner ends.
    pub(super) async fn live(mut self) -> Result<()> {
        let mut state = State::default();
        let mut fleet = 1;
        let mut redial = Redial::new();
        let mut turn = Some(self.first_dials.clone().acquire_owned().await?);
        for dial in 1.. {
            let ended = match self.connect(dial, &state).await {
                Ok(connection) => {
                    drop(turn.take());
                    match self.talk(connection, &mut state, &mut fleet, &mut redial).await? {
                        Some(ended) => ended,
                        None => continue,
                    }
                }
                Err(failed) => {
                    debug!(plane = self.index, dial, "No connection: {failed:#}");
                    self.tell(News::Failed).await?;
                    Ended::Lost
                }
            };
            tokio::time::sleep(redial.wait(ended, rand::random())).await;
        }
        Ok(())
    }

    async fn connect(&self, dial: u64, state: &State) -> Result<Connection> {
        let link = self.dialer.dial(self.hub, &self.trust, &self.identity).await?;
        let control = link.open_control().await?;
        let dial = Dial {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            kubernetes_version: "v1.37.0".to_owned(),
            instance: [1; 16],
            term: Term { boot: 1, dial },
        };
        Ok(Connection {
            link,
            control,
            session: Session::open(dial, state, Instant::now()),
        })
    }

    /// Talks until the connection ends; it ends in nothing where the owner wants another one.
    async fn talk(
        &mut self,
        connection: Connection,
        state: &mut State,
        fleet: &mut u32,
        redial: &mut Redial,
    ) -> Result<Option<Ended>> {
        let Connection {
            link,
            mut control,
            mut session,
        } = connection;
        loop {
            let mut reports = 0;
            while let Some(message) = session.poll_transmit(state) {
                reports += u64::from(matches!(message, AgentMessage::Report(_)));
                if control.writer.write(&message).await.is_err() {
                    return Ok(Some(lost(&link, *fleet).await));
                }
            }
            if reports > 0 {
                self.tell(News::Reports(reports)).await?;
            }
            // What is read by halves goes with the connection.
            let read = tokio::select! {
                read = control.reader.read() => read,
                Ok(()) = self.redials.changed() => {
                    link.close(Close::Finished, "dialling anew");
                    return Ok(None);
                }
            };
            let Ok(Some(message)) = read else {
                return Ok(Some(lost(&link, *fleet).await));
            };
            if let HubMessage::Announce(announce) = &message {
                self.tell(News::Heads(announce.heads.len() as u64)).await?;
            }
            let events = session
                .handle(message, state)
                .context("the hub broke the protocol")?;
            for event in events {
                match &event {
                    Event::Welcomed(welcome) => {
                        *fleet = welcome.fleet;
                        redial.stood();
                        let (plane, converged) = (self.index, welcome.converged);
                        self.tell(News::Welcomed { plane, converged }).await?;
                    }
                    Event::Refused(refused) => return Ok(Some(Ended::RetryAfter(refused.retry_after()))),
                    Event::Closing(closing) => {
                        let retry_after = closing.retry_after();
                        return Ok(Some(match closing.reason {
                            ClosingReason::Restarting => restarting(*fleet, retry_after),
                            ClosingReason::Superseded | ClosingReason::Revoked => {
                                Ended::RetryAfter(retry_after)
                            }
                        }));
                    }
                    _ => {}
                }
                state.act(event, &mut session)?;
            }
        }
    }

    async fn tell(&self, news: News) -> Result<()> {
        self.news.send(news).await.context("nobody counts any more")
    }
}

/// How a connection that gives no more messages has ended.
async fn lost(link: &HubLink, fleet: u32) -> Ended {
    match link.closed().await.is_restart() {
        true => restarting(fleet, Duration::ZERO),
        false => Ended::Lost,
    }
}

fn restarting(fleet: u32, retry_after: Duration) -> Ended {
    Ended::Restarting { fleet, retry_after }
}
