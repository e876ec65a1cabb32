//! Where the clusters of a stage come from.

use anyhow::Result;
use outhaul_kubernetes::Programs;

/// Embedded clusters, or real API servers.
#[derive(Debug, Clone)]
pub enum Ground {
    /// In this process: needs nothing, starts in milliseconds.
    Embedded,
    /// etcd, kube-apiserver and what belongs to them.
    Kubernetes(Programs),
}

impl Ground {
    /// Real API servers.
    ///
    /// # Errors
    /// The programs are missing; the error says how to get them.
    pub fn kubernetes() -> Result<Self> {
        Ok(Self::Kubernetes(Programs::find()?))
    }

    /// Its name in results: `fake` or `kubernetes`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "fake",
            Self::Kubernetes(_) => "kubernetes",
        }
    }
}
