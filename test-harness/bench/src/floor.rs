//! The floors: the least that could do the same. Each is a process of its own, as what it is compared with.

pub mod apply;
pub mod bare_quic;
pub(crate) mod certificates;
pub mod quic_clients;
pub mod quic_server;
pub mod relay;
