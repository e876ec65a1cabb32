//! What moves datagrams under QUIC.
//!
//! A carrier is a quinn endpoint; everything above it is the same for all. The one here is a UDP socket. Another,
//! for networks that UDP does not pass, is a quinn endpoint over its own
//! [`AsyncUdpSocket`](quinn::AsyncUdpSocket).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use outhaul_protocol_wire::digest::FieldHasher;
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use quinn_proto::{ConnectionIdGenerator, RandomConnectionIdGenerator};
use socket2::{Domain, Protocol, Socket, Type};

/// Socket buffers of a hub: thousands of agents that dial at once fill the default of 200 KiB in a moment. The
/// system may grant less.
const HUB_BUFFER: usize = 8 * 1024 * 1024;

/// Bytes of a connection id, all of them random. It must not happen that a hub gives out an id which a former process
/// gave to somebody else: who still uses that one is then not reset, but taken for the other, and waits for the idle
/// timeout. The ids that quinn makes unless told otherwise differ in 24 bits, and 10,000 agents have 50,000 of them.
const CONNECTION_ID: usize = 8;

/// From what the hub makes the tokens by which it resets connections that a former process had. All replicas of a hub
/// share it; without it, a hub that was killed is noticed only by silence.
#[derive(Clone)]
pub struct EndpointSecret(pub [u8; 32]);

/// A UDP endpoint for a hub; its server configuration comes with the listener.
pub(crate) fn hub(
    address: SocketAddr,
    secret: &EndpointSecret,
    server: quinn::ServerConfig,
) -> io::Result<Endpoint> {
    let mut config = EndpointConfig::new(Arc::new(secret.reset_key()));
    config
        .cid_generator(|| Box::new(connection_ids()))
        // After a restart every old connection gets its reset at its first packet.
        .min_reset_interval(core::time::Duration::ZERO);
    let socket = udp(address, Some(HUB_BUFFER))?;
    Endpoint::new(config, Some(server), socket, Arc::new(TokioRuntime))
}

/// A UDP endpoint for an agent, on any port, for peers of the family of `towards`.
pub(crate) fn agent(towards: SocketAddr) -> io::Result<Endpoint> {
    let any = match towards {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    over(udp(any, None)?)
}

/// An endpoint for agents on a socket of the caller's.
pub(crate) fn over(socket: std::net::UdpSocket) -> io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))
}

fn udp(address: SocketAddr, buffer: Option<usize>) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(bytes) = buffer {
        // Best effort: the system caps it.
        let granted = socket
            .set_recv_buffer_size(bytes)
            .and_then(|()| socket.set_send_buffer_size(bytes));
        if let Err(error) = granted {
            tracing::warn!(%error, "The socket buffers could not be made larger");
        }
    }
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// What is no id of ours is told by nothing, so a hub answers whatever looks like a packet of a connection that it does
/// not know. Its reset is smaller than what it answers: nobody's traffic grows by it, and no two hubs go on for ever.
fn connection_ids() -> impl ConnectionIdGenerator {
    RandomConnectionIdGenerator::new(CONNECTION_ID)
}

impl EndpointSecret {
    fn reset_key(&self) -> aws_lc_rs::hmac::Key {
        let derived = FieldHasher::default()
            .field("stateless reset")
            .field(self.0)
            .finish();
        aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &derived.0)
    }
}

impl core::fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EndpointSecret")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_id_of_a_full_hub_is_given_out_again_by_the_next() {
        let ids = || -> HashSet<_> {
            let mut ids = connection_ids();
            (0..50_000).map(|_| ids.generate_cid()).collect()
        };
        assert!(ids().is_disjoint(&ids()));
    }
}
