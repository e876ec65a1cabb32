//! One socket towards the target per client, so that the target tells clients apart by address.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Clients at once; the one that was silent longest makes room.
const CLIENTS: usize = 4096;

/// The largest UDP payload.
pub(crate) const DATAGRAM: usize = 65_535;

/// An answer of the target on its way back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) client: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// The clients that the proxy knows. Their readers end when this is dropped.
pub(crate) struct Clients {
    known: HashMap<SocketAddr, Client>,
    readers: JoinSet<()>,
    answers: mpsc::Sender<Answer>,
}

struct Client {
    target: SocketAddr,
    socket: Arc<UdpSocket>,
    reader: tokio::task::AbortHandle,
    heard: Instant,
}

impl Clients {
    pub(crate) fn new(answers: mpsc::Sender<Answer>) -> Self {
        Self {
            known: HashMap::new(),
            readers: JoinSet::new(),
            answers,
        }
    }

    /// The socket of this client towards `target`. Another target than before gets a new one.
    pub(crate) async fn socket(
        &mut self,
        client: SocketAddr,
        target: SocketAddr,
    ) -> io::Result<Arc<UdpSocket>> {
        // Readers that ended are taken out here, so that the set does not grow.
        while self.readers.try_join_next().is_some() {}
        let heard = Instant::now();
        if let Some(known) = self.known.get_mut(&client)
            && known.target == target
        {
            known.heard = heard;
            return Ok(known.socket.clone());
        }
        self.forget(&client);
        self.make_room();
        let socket = Arc::new(connected(target).await?);
        let reader = self
            .readers
            .spawn(read(socket.clone(), client, self.answers.clone()));
        let known = Client {
            target,
            socket: socket.clone(),
            reader,
            heard,
        };
        self.known.insert(client, known);
        Ok(socket)
    }

    fn forget(&mut self, client: &SocketAddr) {
        if let Some(client) = self.known.remove(client) {
            client.reader.abort();
        }
    }

    fn make_room(&mut self) {
        if self.known.len() < CLIENTS {
            return;
        }
        let quietest = self.known.iter().min_by_key(|(_, client)| client.heard);
        if let Some(address) = quietest.map(|(address, _)| *address) {
            self.forget(&address);
        }
    }
}

async fn connected(target: SocketAddr) -> io::Result<UdpSocket> {
    let any = match target {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(target).await?;
    Ok(socket)
}

async fn read(socket: Arc<UdpSocket>, client: SocketAddr, answers: mpsc::Sender<Answer>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv(&mut buffer).await {
            Ok(length) => {
                let bytes = buffer[..length].to_vec();
                match answers.try_send(Answer { client, bytes }) {
                    // Full is a router's tail drop.
                    Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
                    Err(mpsc::error::TrySendError::Closed(_)) => return,
                }
            }
            // The target's port is closed for a moment: it may be restarting.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => {
                tracing::warn!(%client, %error, "The proxy cannot read from its target");
                return;
            }
        }
    }
}
