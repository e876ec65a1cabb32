//! Real Kubernetes control planes for tests, as plain processes on loopback.
//!
//! [`Programs`] says where etcd, kube-apiserver and the others are: in the folder that
//! `KUBEBUILDER_ASSETS` names, or built from their Go modules by
//! `cargo run -p outhaul-kubernetes -- build`. [`Cluster`] starts them, each cluster in a folder and on
//! ports of its own, usable after about three seconds. There are no kubelets and no containers: where
//! workloads are asked for, kwok moves nodes and pods through their states.
//!
//! ```no_run
//! # async fn example() -> Result<(), outhaul_kubernetes::Error> {
//! use outhaul_kubernetes::{Cluster, Options, require_or_skip};
//!
//! let Some(programs) = require_or_skip() else { return Ok(()) };
//! let cluster = Cluster::start(&programs, Options::controllers()).await?;
//! let client = cluster.client().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A cluster dies with its owner: when it is dropped, when it sits in a `static` and the process ends,
//! and when the process is killed. Share one among the tests of a binary (a namespace for each test)
//! rather than starting one for each; make a client in each test, since a client belongs to its runtime.

pub mod build;
mod cluster;
mod programs;

pub use cluster::{Cluster, Error, Options, With};
pub use programs::{Definitions, Missing, Program, Programs, require_or_skip};
