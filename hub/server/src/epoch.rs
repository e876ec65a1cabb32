//! The hub's epoch where it is stored: in the Secret of its identity, beside its id, so that both are backed up together.
//!
//! It is raised by `outhaul hub restored`, or by hand. Every replica notices, by its watch of the Secret or by the
//! request that raised it, and starts over.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use futures::TryStreamExt as _;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watch_object};
use outhaul_protocol_wire::ids::Epoch;
use serde_json::json;
use tokio::sync::watch as latest;
use tokio::time::{Instant, interval_at};
use tracing::{info, warn};

use crate::conflicts::retry;
use crate::identity::{self, IdentityError};

/// How often what is stored is read beside the watch. A watch that is older than a restore may wait for versions that are
/// still to come, and say nothing.
const AGAIN: Duration = Duration::from_secs(30);

/// Reads, raises and watches the stored epoch. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Epochs {
    client: kube::Client,
    namespace: String,
    /// The highest that was read.
    highest: latest::Sender<Epoch>,
}

impl Epochs {
    /// With the epoch that the hub started with.
    pub(crate) fn new(client: kube::Client, namespace: String, epoch: Epoch) -> Self {
        let (highest, _) = latest::channel(epoch);
        Self {
            client,
            namespace,
            highest,
        }
    }

    /// The highest epoch that was read, and every change of that.
    pub(crate) fn highest(&self) -> latest::Receiver<Epoch> {
        self.highest.subscribe()
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// The API server refused, or what is stored is damaged.
    pub(crate) async fn read(&self) -> Result<Epoch, IdentityError> {
        let secret = self.get().await?;
        let epoch = identity::epoch(&self.namespace, &secret)?;
        self.heard(epoch);
        Ok(epoch)
    }

    /// Raises what is stored, after the control plane went back to a backup.
    ///
    /// # Errors
    /// The API server refused, or what is stored is damaged.
    pub(crate) async fn raise(&self) -> Result<Epoch, IdentityError> {
        let epoch = retry(|| self.raise_once(), IdentityError::is_conflict).await?;
        info!(epoch = epoch.0, "The epoch was raised");
        self.heard(epoch);
        Ok(epoch)
    }

    /// Watches the Secret, for as long as it is let.
    pub(crate) async fn watch(self) {
        let events = watch_object(self.secrets(), identity::NAME).backoff(watcher::DefaultBackoff::default());
        let mut events = pin!(events);
        let mut again = interval_at(Instant::now() + AGAIN, AGAIN);
        loop {
            // Dropping the wait for either loses nothing: both go on where they were.
            let event = tokio::select! {
                event = events.try_next() => event,
                _ = again.tick() => {
                    if let Err(error) = self.read().await {
                        warn!(error = &error as &dyn std::error::Error, "Cannot read the epoch");
                    }
                    continue;
                }
            };
            match event {
                Ok(Some(Some(secret))) => match identity::epoch(&self.namespace, &secret) {
                    Ok(epoch) => self.heard(epoch),
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "Cannot read the epoch"),
                },
                Ok(Some(None)) => warn!(namespace = self.namespace, "The Secret of the hub is gone"),
                Ok(None) => return,
                Err(error) => warn!(
                    error = &error as &dyn std::error::Error,
                    "Watch of the hub's Secret failed; trying again"
                ),
            }
        }
    }

    async fn raise_once(&self) -> Result<Epoch, IdentityError> {
        let secret = self.get().await?;
        let stored = identity::epoch(&self.namespace, &secret)?;
        let unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A backup may be older than the epoch that this hub knows.
        let known = stored.max(*self.highest.borrow());
        let epoch = known.after_restore(unix_time.unwrap_or_default().as_secs());
        let patch = json!({
            "metadata": {"resourceVersion": secret.metadata.resource_version},
            "data": {identity::EPOCH: ByteString(epoch.0.to_string().into_bytes())},
        });
        self.secrets()
            .patch(identity::NAME, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(|source| IdentityError::api("write", &self.namespace, source))?;
        Ok(epoch)
    }

    async fn get(&self) -> Result<Secret, IdentityError> {
        self.secrets()
            .get(identity::NAME)
            .await
            .map_err(|source| IdentityError::api("read", &self.namespace, source))
    }

    /// A restored Secret may have a lower one: that is none that anybody announces with again.
    fn heard(&self, epoch: Epoch) {
        self.highest.send_if_modified(|highest| {
            let higher = epoch > *highest;
            *highest = epoch.max(*highest);
            higher
        });
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}
