//! The plane's store: what it holds, in Secrets of the agent's namespace.
//!
//! A resource is one Secret: its record, and its content as it came. Content that does not fit is cut into chunks,
//! Secrets named by their resource and the digest of what is in them; they are written first, and the resource's Secret,
//! which names them, makes them valid. So a write that stops half-way leaves what was there before.
//!
//! Every write of a Secret that is there already carries the resource version that this agent knows: two agents of one
//! plane cannot overwrite each other silently.

mod layout;
mod loading;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::plane::{Change, Write};
use outhaul_agent_core::record::Record;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::witness::Witness;
use serde_json::{Value, json};
use tracing::{debug, warn};

use self::layout::{Chunked, chunk_secret, resource_secret, secret_name};
use crate::cluster::{Cluster, Path, collection};

/// The store. Clones share what they know of it.
#[derive(Clone)]
pub(crate) struct Store {
    cluster: Cluster,
    namespace: String,
    /// What is written, by resource. Locked only to look into it or to note the outcome of a write; two writes of one
    /// resource are never under way at once.
    known: Arc<Mutex<BTreeMap<Key, Known>>>,
}

/// The Secret of a resource, as this agent wrote or read it last.
#[derive(Debug, Clone, Default)]
struct Known {
    resource_version: String,
    chunks: Vec<String>,
}

impl Store {
    pub(crate) fn new(cluster: Cluster, namespace: String) -> Self {
        Self {
            cluster,
            namespace,
            known: Arc::default(),
        }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The agent's namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The text of the last policy that could be read.
    pub(crate) async fn last_policy(&self) -> Result<Option<String>, Failure> {
        match self.cluster.get(&self.secret(layout::POLICY_NAME)).await {
            Ok(secret) => Ok(layout::policy(&secret)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Writes down the text of a policy that could be read, or that there is none.
    pub(crate) async fn keep_policy(&self, text: Option<&str>) -> Result<(), Failure> {
        let path = self.secret(layout::POLICY_NAME);
        let Some(text) = text else {
            return match self.cluster.remove(&path).await {
                Err(failure) if !failure.is_not_found() => Err(failure),
                Ok(_) | Err(_) => Ok(()),
            };
        };
        self.keep(&path, layout::policy_secret(&self.namespace, text))
            .await
    }

    /// The control plane that the hub speaks for, as it was written down.
    pub(crate) async fn control_plane(&self) -> Result<Option<Witness>, Failure> {
        match self.cluster.get(&self.secret(layout::CONTROL_PLANE_NAME)).await {
            Ok(secret) => Ok(Some(layout::control_plane(&secret))),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Writes down the control plane that the hub speaks for.
    pub(crate) async fn keep_control_plane(&self, witness: Witness) -> Result<(), Failure> {
        let path = self.secret(layout::CONTROL_PLANE_NAME);
        let secret = layout::control_plane_secret(&self.namespace, witness);
        self.keep(&path, secret).await
    }

    /// Over what is there now and over nothing else.
    async fn keep(&self, path: &Path, mut secret: Value) -> Result<(), Failure> {
        match self.cluster.get(path).await {
            Ok(there) => {
                let version = there.pointer("/metadata/resourceVersion");
                secret["metadata"]["resourceVersion"] = version.cloned().unwrap_or_default();
                self.cluster.put(path, &secret).await.map(drop)
            }
            Err(failure) if failure.is_not_found() => {
                self.cluster.post(&self.secrets(), &secret).await.map(drop)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Makes sure that there is a namespace to write to.
    pub(crate) async fn prepare(&self) -> Result<(), Failure> {
        let path = Path::new("/api/v1/namespaces");
        match self.cluster.get(&path.clone().segment(&self.namespace)).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.is_not_found() => {}
            Err(failure) => return Err(failure),
        }
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}});
        match self.cluster.post(&path, &body).await {
            Err(failure) if !failure.is_conflict() => Err(failure),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Writes down one change. It is durable when this returns.
    pub(crate) async fn write(&self, write: &Write) -> Result<(), Failure> {
        let Write { key, change } = write;
        match change {
            Change::Replace(record, content) => self.replace(key, record, Some(content)).await,
            Change::Empty(record) => self.replace(key, record, None).await,
            Change::Update(record) => self.update(key, record).await,
            Change::Forget => self.forget(key).await,
        }
    }

    async fn replace(&self, key: &Key, record: &Record, content: Option<&Content>) -> Result<(), Failure> {
        let chunked = Chunked::of(key, content);
        for (name, bytes) in &chunked.chunks {
            self.write_chunk(name, bytes).await?;
        }
        let mut secret = resource_secret(&self.namespace, record, &chunked);
        let known = self.known(key);
        let written = match &known {
            None => self.create(key, secret).await?,
            Some(known) => {
                secret["metadata"]["resourceVersion"] = known.resource_version.clone().into();
                self.overwrite(key, secret).await?
            }
        };
        let chunks: Vec<String> = chunked.chunks.into_iter().map(|(name, _)| name).collect();
        let unused = known.map(|known| known.chunks).unwrap_or_default();
        self.note(key, &written, chunks.clone());
        for name in unused.iter().filter(|name| !chunks.contains(name)) {
            self.drop_chunk(name).await;
        }
        Ok(())
    }

    /// The first write of a resource is one request. If its Secret is there all the same, it is damaged and set aside,
    /// or an older agent's, and is overwritten.
    async fn create(&self, key: &Key, mut secret: Value) -> Result<Value, Failure> {
        match self.cluster.post(&self.secrets(), &secret).await {
            Err(failure) if failure.is_conflict() => {
                let there = self.cluster.get(&self.secret(&secret_name(key))).await?;
                secret["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
                self.overwrite(key, secret).await
            }
            Err(failure) if failure.is_not_found() => {
                // Somebody deleted the agent's namespace.
                self.prepare().await?;
                self.cluster.post(&self.secrets(), &secret).await
            }
            result => result,
        }
    }

    async fn overwrite(&self, key: &Key, secret: Value) -> Result<Value, Failure> {
        let path = self.secret(&secret_name(key));
        let result = self.cluster.put(&path, &secret).await;
        self.forget_if_outdated(key, result)
    }

    /// Writes the record and leaves content as it is.
    async fn update(&self, key: &Key, record: &Record) -> Result<(), Failure> {
        let known = match self.known(key) {
            Some(known) => known,
            None => match self.read_known(key).await? {
                Some(known) => known,
                None => return self.write_without_content(key, record).await,
            },
        };
        let patch = layout::record_patch(record, &known.resource_version);
        let result = self.cluster.merge(&self.secret(&secret_name(key)), &patch).await;
        let written = self.forget_if_outdated(key, result)?;
        self.note(key, &written, known.chunks);
        Ok(())
    }

    async fn read_known(&self, key: &Key) -> Result<Option<Known>, Failure> {
        match self.cluster.get(&self.secret(&secret_name(key))).await {
            Ok(secret) => {
                self.note(key, &secret, loading::chunk_names(&secret));
                Ok(self.known(key))
            }
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Somebody deleted the Secret. What is in the cluster is still written down; at the next start the content counts
    /// as damaged and is pulled again.
    async fn write_without_content(&self, key: &Key, record: &Record) -> Result<(), Failure> {
        warn!(%key, "Somebody deleted this resource's Secret");
        self.replace(key, record, None).await
    }

    async fn forget(&self, key: &Key) -> Result<(), Failure> {
        match self.cluster.remove(&self.secret(&secret_name(key))).await {
            Err(failure) if !failure.is_not_found() => return Err(failure),
            Ok(_) | Err(_) => {}
        }
        self.lock().remove(key);
        Ok(())
    }

    /// Chunks are named by resource and content, so one that is there is the right one.
    async fn write_chunk(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let secret = chunk_secret(&self.namespace, name, bytes);
        match self.cluster.post(&self.secrets(), &secret).await {
            Err(failure) if !failure.is_conflict() => Err(failure),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// A chunk that stays behind costs space until the next start, and nothing else.
    async fn drop_chunk(&self, name: &str) {
        if let Err(failure) = self.cluster.remove(&self.secret(name)).await {
            debug!(name, ?failure, "Could not delete an unused chunk");
        }
    }

    /// After a conflict the next attempt reads what is there.
    fn forget_if_outdated(&self, key: &Key, result: Result<Value, Failure>) -> Result<Value, Failure> {
        result.inspect_err(|failure| {
            if failure.is_conflict() || failure.is_not_found() {
                warn!(%key, "Somebody else wrote this resource's Secret; is there a second agent?");
                self.lock().remove(key);
            }
        })
    }

    fn known(&self, key: &Key) -> Option<Known> {
        self.lock().get(key).cloned()
    }

    fn note(&self, key: &Key, written: &Value, chunks: Vec<String>) {
        let resource_version = written
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let known = Known {
            resource_version,
            chunks,
        };
        self.lock().insert(key.clone(), known);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Known>> {
        // Nothing panics while it is held, and each change is complete in itself.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secrets(&self) -> Path {
        collection("", "v1", "secrets", &self.namespace)
    }

    fn secret(&self, name: &str) -> Path {
        self.secrets().segment(name)
    }
}
