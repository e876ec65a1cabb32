//! Free ports on loopback.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the range that the kernel gives to outgoing connections (from 32768): nothing takes the port of an
/// API server that was killed and is to come back.
const RANGE: Range<u16> = 16_384..32_768;

/// With half of the range in use, fifty tries for three ports fail once in a million million.
const TRIES: usize = 50;

/// The ports of one cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) api_server: u16,
    pub(super) etcd: u16,
    pub(super) etcd_peer: u16,
}

impl Ports {
    /// Chooses ports that nothing listens on. Another process may still be quicker to use one.
    pub(super) fn choose() -> io::Result<Self> {
        // All are held at once, so that they differ.
        let mut held = Vec::with_capacity(3);
        for _ in 0..TRIES {
            held.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, random_port())));
            if let [api_server, etcd, etcd_peer] = &held[..] {
                let [api_server, etcd, etcd_peer] = [
                    api_server.local_addr()?.port(),
                    etcd.local_addr()?.port(),
                    etcd_peer.local_addr()?.port(),
                ];
                return Ok(Self {
                    api_server,
                    etcd,
                    etcd_peer,
                });
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            format!("no three free ports in {RANGE:?}"),
        ))
    }
}

fn random_port() -> u16 {
    // Each `RandomState` has other keys, so the hash of nothing is a fresh random number.
    let random = RandomState::new().build_hasher().finish();
    let offset = random % u64::from(RANGE.end - RANGE.start);
    RANGE.start + u16::try_from(offset).expect("the range is within u16")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ports_differ_and_lie_below_the_ephemeral_range() {
        let ports = Ports::choose().unwrap();
        let all = HashSet::from([ports.api_server, ports.etcd, ports.etcd_peer]);
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|port| RANGE.contains(port)));
    }
}
