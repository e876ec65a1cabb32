//! Hub and agents over real QUIC on loopback.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic like the test")]

mod enrolment;
mod hostile;
mod identity;
mod session;
