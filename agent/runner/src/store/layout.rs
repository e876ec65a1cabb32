//! How a resource looks as Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul_agent_core::record::Record;
use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::{Digest, FieldHasher};
use outhaul_protocol_wire::head::Key;
use outhaul_protocol_wire::witness::Witness;
use serde_json::{Map, Value, json};

/// Says what a Secret of ours is.
pub(super) const LABEL: &str = "outhaul.dev/store";
pub(super) const RESOURCE: &str = "resource";
pub(super) const CHUNK: &str = "chunk";
pub(super) const DAMAGED: &str = "damaged";
const POLICY: &str = "policy";
const CONTROL_PLANE: &str = "control-plane";

/// The Secret of the last policy that could be read.
pub(super) const POLICY_NAME: &str = "outhaul-last-policy";

/// The Secret of the control plane that the hub speaks for.
pub(super) const CONTROL_PLANE_NAME: &str = "outhaul-control-plane";

/// For people: which resource.
pub(super) const RESOURCE_NAME: &str = "outhaul.dev/resource";

/// For people: what is wrong with a Secret that was set aside.
pub(super) const DAMAGE: &str = "outhaul.dev/damage";

/// Fields of `data`.
pub(super) const RECORD: &str = "record";
pub(super) const CHECKSUM: &str = "checksum";
pub(super) const CONTENT: &str = "content";
pub(super) const LENGTH: &str = "length";
pub(super) const CHUNKS: &str = "chunks";

/// Content up to this size lies beside its record. Kubernetes allows 1 MiB in a Secret; the record of 1,000 objects
/// takes up to 200 KiB, compressed.
const INLINE: usize = 640 * 1024;

/// Size of a chunk.
const CHUNK_BYTES: usize = 768 * 1024;

/// Content, cut up if need be.
#[derive(Debug, Default)]
pub(super) struct Chunked<'a> {
    /// Content that lies beside the record.
    inline: Option<&'a [u8]>,
    /// Length of what it decompresses to.
    length: u32,
    /// Chunks by name.
    pub(super) chunks: Vec<(String, &'a [u8])>,
}

impl<'a> Chunked<'a> {
    pub(super) fn of(key: &Key, content: Option<&'a Content>) -> Self {
        let Some(content) = content else {
            return Self::default();
        };
        let length = content.length;
        if content.zstd.len() <= INLINE {
            return Self {
                inline: Some(&content.zstd),
                length,
                chunks: Vec::new(),
            };
        }
        let chunks = content.zstd.chunks(CHUNK_BYTES);
        Self {
            inline: None,
            length,
            chunks: chunks.map(|bytes| (chunk_name(key, bytes), bytes)).collect(),
        }
    }
}

/// The name of a resource's Secret: the same for the same resource, whatever its name looks like.
pub(super) fn secret_name(key: &Key) -> String {
    let mut hasher = FieldHasher::default();
    hasher
        .field(key.kind.as_str())
        .field(&key.namespace)
        .field(&key.name)
        .field(key.uid.as_str());
    let digest = hasher.finish().to_string();
    format!("outhaul-{}-{}", key.kind.as_str().to_lowercase(), &digest[..32])
}

pub(super) fn resource_secret(namespace: &str, record: &Record, content: &Chunked<'_>) -> Value {
    let mut data = record_data(record);
    if let Some(inline) = content.inline {
        data.insert(CONTENT.to_owned(), encoded(inline));
    }
    if !content.chunks.is_empty() {
        let names: Vec<&str> = content.chunks.iter().map(|(name, _)| name.as_str()).collect();
        data.insert(CHUNKS.to_owned(), encoded(names.join("\n").as_bytes()));
    }
    data.insert(LENGTH.to_owned(), encoded(content.length.to_string().as_bytes()));
    let key = &record.head.key;
    let annotations = json!({RESOURCE_NAME: key.to_string()});
    secret(namespace, &secret_name(key), RESOURCE, &annotations, data)
}

pub(super) fn record_patch(record: &Record, resource_version: &str) -> Value {
    json!({"metadata": {"resourceVersion": resource_version}, "data": record_data(record)})
}

pub(super) fn chunk_secret(namespace: &str, name: &str, bytes: &[u8]) -> Value {
    let data = Map::from_iter([(CONTENT.to_owned(), encoded(bytes))]);
    secret(namespace, name, CHUNK, &json!({}), data)
}

pub(super) fn policy_secret(namespace: &str, text: &str) -> Value {
    let data = Map::from_iter([(CONTENT.to_owned(), encoded(text.as_bytes()))]);
    secret(namespace, POLICY_NAME, POLICY, &json!({}), data)
}

/// The text in such a Secret.
pub(super) fn policy(secret: &Value) -> Option<String> {
    String::from_utf8(field(secret, CONTENT)?).ok()
}

pub(super) fn control_plane_secret(namespace: &str, witness: Witness) -> Value {
    let data = Map::from_iter([(CONTENT.to_owned(), encoded(witness.to_string().as_bytes()))]);
    secret(namespace, CONTROL_PLANE_NAME, CONTROL_PLANE, &json!({}), data)
}

/// The control plane in such a Secret. Where it cannot be read, one that no hub speaks for: whichever comes waits to be
/// confirmed.
pub(super) fn control_plane(secret: &Value) -> Witness {
    let text = field(secret, CONTENT).and_then(|text| String::from_utf8(text).ok());
    let witness = text.and_then(|text| Witness::from_hex(&text));
    witness.unwrap_or(Witness(Digest([0; 32])))
}

/// The name of a chunk: by its content, so that what is there under it is right, and by its resource, so that no other
/// one drops it.
pub(super) fn chunk_name(key: &Key, bytes: &[u8]) -> String {
    let mut hasher = FieldHasher::default();
    hasher.field(secret_name(key)).field(bytes);
    let digest = hasher.finish().to_string();
    format!("outhaul-chunk-{}", &digest[..40])
}

/// A field of a Secret's `data`; none if it is absent or no base64.
pub(super) fn field(secret: &Value, name: &str) -> Option<Vec<u8>> {
    let text = secret.get("data")?.get(name)?.as_str()?;
    STANDARD.decode(text).ok()
}

/// The record of a Secret, as it was written.
pub(super) fn record(secret: &Value) -> Result<Record, String> {
    let packed = field(secret, RECORD).ok_or("it has no record")?;
    let checksum = field(secret, CHECKSUM).ok_or("it has no checksum")?;
    if checksum != Digest::of(&packed).to_string().as_bytes() {
        return Err("its record does not fit its checksum".to_owned());
    }
    let json = zstd::decode_all(packed.as_slice()).map_err(|error| error.to_string())?;
    Record::from_json(&json).map_err(|error| error.to_string())
}

fn record_data(record: &Record) -> Map<String, Value> {
    let packed = zstd::encode_all(record.to_json().as_slice(), 1).expect("compressing to memory cannot fail");
    let checksum = Digest::of(&packed).to_string();
    Map::from_iter([
        (RECORD.to_owned(), encoded(&packed)),
        (CHECKSUM.to_owned(), encoded(checksum.as_bytes())),
    ])
}

fn secret(namespace: &str, name: &str, what: &str, annotations: &Value, data: Map<String, Value>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "outhaul.dev/store",
        "metadata": {
            "name": name, "namespace": namespace, "labels": {LABEL: what}, "annotations": annotations,
        },
        "data": data,
    })
}

fn encoded(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}
