//! A network that misbehaves on request: a UDP proxy that delays, drops, cuts and retargets what passes through it.
//!
//! It stands between agents and a hub like a NAT: each client gets a socket of its own towards the target. Tests and
//! the demo turn faults on and off while it runs; which datagrams are lost follows from a seed.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let target = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
//! let proxy = outhaul_faults::UdpProxy::start(target.local_addr()?).await?;
//! proxy.cut();
//! // Whoever sends to proxy.address() is now on his own.
//! proxy.heal();
//! # std::io::Result::Ok(()) }).unwrap();
//! ```

mod clients;
mod faults;
mod late;
mod proxy;

pub use proxy::{Counts, UdpProxy};
