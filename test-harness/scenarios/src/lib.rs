//! Hub and agents, whole, over real sockets: a stage that scenarios, the demo and the measurements share.
//!
//! A [`Stage`] is a control plane with a hub and planes with agents. The programs run the code of the real
//! binaries, each on a runtime of its own, so that one can be killed without a word while the others run on. The
//! clusters are embedded ones or real API servers, as the [`Ground`] says.

pub mod cluster;
pub mod ground;
pub mod operator;
pub mod poll;
mod rights;
pub mod running;
pub mod stage;
pub mod versions;

pub use cluster::Cluster;
pub use ground::Ground;
pub use stage::Stage;
