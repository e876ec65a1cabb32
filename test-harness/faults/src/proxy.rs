//! The proxy itself: one task that owns everything, and a handle that sets its faults.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::clients::{Answer, Clients, DATAGRAM};
use crate::faults::{Dice, Fate, Faults, Loss};
use crate::late::Late;

/// Answers that wait for the proxy's task.
const ANSWERS: usize = 4096;

/// A running UDP proxy on 127.0.0.1. It stops when dropped.
#[derive(Debug)]
pub struct UdpProxy {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    tally: Arc<Tally>,
    relay: JoinHandle<()>,
}

/// What became of the datagrams so far, both directions together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Passed on.
    pub passed: u64,
    /// Dropped because the network was cut.
    pub cut: u64,
    /// Dropped at random.
    pub lost: u64,
    /// Dropped because too many were held back.
    pub overflowed: u64,
}

#[derive(Debug, Default)]
struct Tally {
    passed: AtomicU64,
    cut: AtomicU64,
    lost: AtomicU64,
    overflowed: AtomicU64,
}

/// A datagram, and which way it goes.
enum Datagram {
    ToTarget { client: SocketAddr, bytes: Vec<u8> },
    ToClient { client: SocketAddr, bytes: Vec<u8> },
}

struct Relay {
    listening: UdpSocket,
    clients: Clients,
    faults: watch::Receiver<Faults>,
    dice: Dice,
    late: Late<Datagram>,
    tally: Arc<Tally>,
}

impl UdpProxy {
    /// Starts a proxy to `target`, without faults.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listening = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listening.local_addr()?;
        let faults = Faults::none(target);
        let (sender, receiver) = watch::channel(faults);
        let (answer, answers) = mpsc::channel(ANSWERS);
        let tally = Arc::new(Tally::default());
        let relay = Relay {
            listening,
            clients: Clients::new(answer),
            faults: receiver,
            dice: Dice::new(faults.loss),
            late: Late::new(),
            tally: tally.clone(),
        };
        Ok(Self {
            address,
            faults: sender,
            tally,
            relay: tokio::spawn(relay.run(answers)),
        })
    }

    /// Where clients send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing passes any more, in either direction.
    pub fn cut(&self) {
        self.faults.send_modify(|faults| faults.cut = true);
    }

    /// Ends a cut, a delay and losses. The target stays.
    pub fn heal(&self) {
        self.faults
            .send_modify(|faults| *faults = Faults::none(faults.target));
    }

    /// Holds every datagram back for this long, in each direction.
    pub fn delay(&self, delay: Duration) {
        self.faults.send_modify(|faults| faults.delay = delay);
    }

    /// Drops this share (0 to 1) of the datagrams; which ones follows from the seed.
    pub fn loss(&self, share: f64, seed: u64) {
        self.faults
            .send_modify(|faults| faults.loss = Loss { share, seed });
    }

    /// Sends everything to another target from now on, from new sockets.
    pub fn retarget(&self, target: SocketAddr) {
        self.faults.send_modify(|faults| faults.target = target);
    }

    /// What became of the datagrams so far.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            passed: read(&self.tally.passed),
            cut: read(&self.tally.cut),
            lost: read(&self.tally.lost),
            overflowed: read(&self.tally.overflowed),
        }
    }
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

impl Relay {
    async fn run(mut self, mut answers: mpsc::Receiver<Answer>) {
        let mut buffer = vec![0; DATAGRAM];
        loop {
            let due = self.late.next();
            // Each arm is a receive or a timer: dropping it loses nothing.
            tokio::select! {
                received = self.listening.recv_from(&mut buffer) => match received {
                    Ok((length, client)) => {
                        let bytes = buffer[..length].to_vec();
                        self.route(Datagram::ToTarget { client, bytes }).await;
                    }
                    Err(error) => tracing::debug!(%error, "The proxy could not read from its clients"),
                },
                Some(Answer { client, bytes }) = answers.recv() => {
                    self.route(Datagram::ToClient { client, bytes }).await;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.release().await,
            }
        }
    }

    async fn route(&mut self, datagram: Datagram) {
        let fate = self.dice.fate(&self.faults.borrow());
        match fate {
            Fate::CutOff => count(&self.tally.cut),
            Fate::Lost => count(&self.tally.lost),
            Fate::Pass { after } if after.is_zero() => self.send(datagram).await,
            Fate::Pass { after } => {
                if self.late.hold(Instant::now() + after, datagram).is_err() {
                    count(&self.tally.overflowed);
                }
            }
        }
    }

    /// Sends what was held back long enough. A cut meanwhile swallows it.
    async fn release(&mut self) {
        while let Some(datagram) = self.late.pop(Instant::now()) {
            let cut = self.faults.borrow().cut;
            match cut {
                true => count(&self.tally.cut),
                false => self.send(datagram).await,
            }
        }
    }

    async fn send(&mut self, datagram: Datagram) {
        let sent = match datagram {
            Datagram::ToTarget { client, bytes } => self.send_on(client, &bytes).await,
            Datagram::ToClient { client, bytes } => self.listening.send_to(&bytes, client).await,
        };
        match sent {
            Ok(_length) => count(&self.tally.passed),
            // A closed port on the other side is a lost datagram, no more.
            Err(error) => tracing::debug!(%error, "The proxy could not pass a datagram on"),
        }
    }

    async fn send_on(&mut self, client: SocketAddr, bytes: &[u8]) -> io::Result<usize> {
        let target = self.faults.borrow().target;
        self.clients.socket(client, target).await?.send(bytes).await
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
