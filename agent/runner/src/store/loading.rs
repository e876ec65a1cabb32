//! Reading the store at the start.
//!
//! What is damaged or half-written is shown, and pulled again from the hub: it is never read as a resource that wants
//! nothing. Where only the content is damaged, the record still says which objects there are, and they are kept. A
//! Secret without a record is set aside: it tells nothing.
//!
//! It is shown in the log, as an Event of the Secret, and in an annotation; one that was set aside has a label too.

use std::collections::{BTreeMap, BTreeSet};

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::content;
use outhaul_agent_core::desired::Desired;
use outhaul_agent_core::item::Brought;
use outhaul_agent_core::plane::Stored;
use outhaul_agent_core::record::Record;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::head::Key;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::layout::{self, CHUNK, CHUNKS, CONTENT, DAMAGE, DAMAGED, LABEL, LENGTH, RESOURCE, RESOURCE_NAME};
use super::{Store, layout::chunk_name};
use crate::event;

/// Secrets per page: at 1 MiB each, a page is at most what an answer may be.
const PAGE: &str = "32";

impl Store {
    /// Reads all of it.
    pub(crate) async fn load(&self) -> Result<Vec<Stored>, Failure> {
        let chunks: BTreeMap<String, Vec<u8>> = self
            .list(CHUNK)
            .await?
            .iter()
            .filter_map(|secret| Some((name(secret).to_owned(), layout::field(secret, CONTENT)?)))
            .collect();
        let mut used = BTreeSet::new();
        let mut stored = Vec::new();
        let mut damaged = 0;
        for mut secret in self.list(RESOURCE).await? {
            let record = match layout::record(&secret) {
                Ok(record) => record,
                Err(problem) => {
                    damaged += 1;
                    self.set_aside(&secret, &problem).await?;
                    continue;
                }
            };
            let brought = match brought(&secret, &record, &chunks) {
                Ok(brought) => brought,
                Err(problem) => {
                    damaged += 1;
                    secret = self.mark(&secret, &problem).await?;
                    Brought::Lost(problem)
                }
            };
            let names = chunk_names(&secret);
            used.extend(names.clone());
            self.note(&record.head.key, &secret, names);
            stored.push(Stored { record, brought });
        }
        for unused in chunks.keys().filter(|name| !used.contains(*name)) {
            self.drop_chunk(unused).await;
        }
        info!(resources = stored.len(), damaged, "Read the store");
        Ok(stored)
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

    /// Marks a Secret that tells nothing, so that it is left alone until its resource is written again.
    async fn set_aside(&self, secret: &Value, problem: &str) -> Result<(), Failure> {
        let labels = json!({LABEL: DAMAGED});
        self.show_damage(secret, problem, &labels).await.map(drop)
    }

    /// Marks a Secret whose content is damaged, until it is written again. Returns what it is now.
    async fn mark(&self, secret: &Value, problem: &str) -> Result<Value, Failure> {
        self.show_damage(secret, problem, &json!({})).await
    }

    async fn show_damage(&self, secret: &Value, problem: &str, labels: &Value) -> Result<Value, Failure> {
        let name = name(secret);
        let resource = secret
            .pointer("/metadata/annotations")
            .and_then(|it| it.get(RESOURCE_NAME));
        let resource = resource.and_then(Value::as_str).unwrap_or("a resource");
        warn!(
            secret = name,
            resource, problem, "What is stored is damaged; it is pulled again"
        );
        let about = ("Secret", &secret["metadata"]);
        let message = format!("{resource}: {problem}");
        event::warn(&self.cluster, &self.namespace, about, "StoreDamaged", &message).await;
        let patch = json!({"metadata": {"labels": labels, "annotations": {DAMAGE: problem}}});
        self.cluster.merge(&self.secret(name), &patch).await
    }
}

fn brought(secret: &Value, record: &Record, chunks: &BTreeMap<String, Vec<u8>>) -> Result<Brought, String> {
    if !record.wants_content() {
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
