//! An authenticated QUIC link between a hub and an agent, and the carriers under it.
//!
//! A [`link::Link`] is a peer whose identity is proven, and QUIC streams to it. The hub gets links from a
//! [`listener::Listener`], the agent from a [`dialer::Dialer`]; both run over any quinn endpoint that [`carrier`]
//! makes. One stream carries the messages of the session ([`control`]), one stream each carries content ([`fetch`]).
//! A connection without a certificate can do one thing, [`enrolment`].
//!
//! Promises:
//! - TLS 1.3 with both sides' keys proven, nothing resumed, no early data;
//! - a peer's certificate is judged by one pure function, [`identity::judge`], with the time as an argument;
//! - a peer makes this end reserve at most what it really sent, within the limit of its stream;
//! - nothing is spawned here: every task belongs to the caller (quinn's own drivers aside).

pub mod authority;
pub mod carrier;
pub mod close;
pub mod control;
pub mod dialer;
pub mod enrolment;
pub mod fetch;
pub mod framed;
pub mod identity;
pub mod link;
pub mod listener;
pub mod pki;
pub mod quic;
pub mod spiffe;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tls;

pub use rustls_pki_types::CertificateDer;
