//! Reading the store at the start.
//!
//! What is damaged or half-written is set aside and shown, and pulled again from the hub: it is never read as a
//! resource that wants nothing.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::content;
use outhaul_agent_core::desired::Desired;
use outhaul_agent_core::item::Brought;
use outhaul_agent_core::plane::Stored;
use outhaul_agent_core::record::Record;
use outhaul_protocol_session::agent::Standing;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::head::{HeadState, Key};
use serde_json::{Value, json};
use tracing::{info, warn};

use super::layout::{self, CHUNK, CHUNKS, CONTENT, DAMAGE, DAMAGED, LABEL, LENGTH, RESOURCE};
use super::{Store, layout::chunk_name};

/// Secrets per page: at 1 MiB each, a page is at most what an answer may be.
const PAGE: &str = "32";

/// What the store has.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Resources.
    pub(crate) stored: Vec<Stored>,
    /// How many could not be read and were set aside.
    pub(crate) damaged: usize,
}

impl Store {
    /// Reads all of it.
    pub(crate) async fn load(&self) -> Result<Loaded, Failure> {
        let chunks: BTreeMap<String, Vec<u8>> = self
            .list(CHUNK)
            .await?
            .iter()
            .filter_map(|secret| Some((name(secret).to_owned(), layout::field(secret, CONTENT)?)))
            .collect();
        let mut used = BTreeSet::new();
        let mut loaded = Loaded::default();
        for secret in self.list(RESOURCE).await? {
            match read(&secret, &chunks) {
                Ok(stored) => {
                    let key = &stored.record.head.key;
                    let names = chunk_names(&secret);
                    used.extend(names.clone());
                    self.note(key, &secret, names);
                    loaded.stored.push(stored);
                }
                Err(problem) => {
                    loaded.damaged += 1;
                    self.set_aside(&secret, &problem).await?;
                }
            }
        }
        for unused in chunks.keys().filter(|name| !used.contains(*name)) {
            self.drop_chunk(unused).await;
        }
        info!(
            resources = loaded.stored.len(),
            damaged = loaded.damaged,
            "Read the store"
        );
        Ok(loaded)
    }

    async fn list(&self, what: &str) -> Result<Vec<Value>, Failure> {
        let mut secrets = Vec::new();
        let mut next = String::new();
        loop {
            let mut path = self
                .secrets()
                .query("labelSelector", &format!("{LABEL}={what}"))
                .query("limit", PAGE);
            if !next.is_empty() {
                path = path.query("continue", &next);
            }
            let mut page = self.cluster.get(&path).await?;
            if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
                secrets.append(items);
            }
            next = page
                .pointer("/metadata/continue")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            if next.is_empty() {
                return Ok(secrets);
            }
        }
    }

    /// Marks a Secret that cannot be read, so that it is left alone until its resource is written again.
    async fn set_aside(&self, secret: &Value, problem: &str) -> Result<(), Failure> {
        let name = name(secret);
        warn!(
            secret = name,
            problem, "A stored resource is damaged; it is set aside and pulled again"
        );
        let patch = json!({"metadata": {"labels": {LABEL: DAMAGED}, "annotations": {DAMAGE: problem}}});
        self.cluster.merge(&self.secret(name), &patch).await.map(|_| ())
    }
}

fn read(secret: &Value, chunks: &BTreeMap<String, Vec<u8>>) -> Result<Stored, String> {
    let record = layout::record(secret)?;
    let brought = brought(secret, &record, chunks)?;
    Ok(Stored { record, brought })
}

fn brought(secret: &Value, record: &Record, chunks: &BTreeMap<String, Vec<u8>>) -> Result<Brought, String> {
    let wants = record.head.state == HeadState::Present && record.standing != Standing::Settled;
    if !wants {
        return Ok(Brought::Kept);
    }
    let content = stored_content(&record.head.key, secret, chunks)?;
    let spec = content::unpack(&content, &record.head.digest).map_err(|error| error.to_string())?;
    Ok(Brought::Spec(Desired::read(&record.head.key, &spec)))
}

fn stored_content(key: &Key, secret: &Value, chunks: &BTreeMap<String, Vec<u8>>) -> Result<Content, String> {
    let length = layout::field(secret, LENGTH).and_then(|text| String::from_utf8(text).ok()?.parse().ok());
    let length = length.ok_or("it does not say how long its content is")?;
    if let Some(zstd) = layout::field(secret, CONTENT) {
        return Ok(Content { length, zstd });
    }
    let names = chunk_names(secret);
    if names.is_empty() {
        return Err("it has no content".to_owned());
    }
    let mut zstd = Vec::new();
    for name in names {
        let chunk = chunks
            .get(&name)
            .ok_or_else(|| format!("its chunk {name} is missing"))?;
        if chunk_name(key, chunk) != name {
            return Err(format!("its chunk {name} has other content"));
        }
        zstd.extend_from_slice(chunk);
    }
    Ok(Content { length, zstd })
}

pub(super) fn chunk_names(secret: &Value) -> Vec<String> {
    let text = layout::field(secret, CHUNKS).and_then(|text| String::from_utf8(text).ok());
    text.unwrap_or_default().lines().map(str::to_owned).collect()
}

fn name(secret: &Value) -> &str {
    secret
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
