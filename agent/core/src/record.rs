//! What is written down about one resource before anything of it is applied, and again once it is.
//!
//! JSON, so that an operator can read it out of the Secret. Fields are only ever added, each with a default.

use outhaul_protocol_session::agent::Standing;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation, InvalidName, Move, Uid};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::RawStatus;
use serde::{Deserialize, Serialize};

use crate::budget::Spent;
use crate::held::Held;
use crate::live::Mark;
use crate::once::{End, Outcome, Run};

/// The record of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The newest head that the plane took.
    pub head: Head,
    /// How it stands with the hub.
    pub standing: Standing,
    /// Whether it ever was recorded by the hub: only then anything of it may be in the cluster.
    pub in_force: bool,
    /// When it was settled, in Unix seconds.
    pub settled_at: Option<u64>,
    /// Whether it was recorded before this plane knew of it: then `inventory` may lack objects of an earlier store.
    pub resumed: bool,
    /// Why what is on its way out waits to be confirmed.
    pub held: Option<Held>,
    /// What it was allowed to let go lately.
    pub spent: Vec<Spent>,
    /// Every object that may be in the cluster because of it, wanted or not.
    pub inventory: Vec<Item>,
    /// Objects that it needs and does not own, which were there once.
    pub ensured: Vec<ObjectRef>,
    /// Whether something of it ran here, once and for all.
    pub ran: bool,
}

/// One object of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which object.
    pub object: ObjectRef,
    /// Its uid, once the API server has said it.
    pub uid: Option<Uid>,
    /// What was applied last.
    pub applied: Option<Applied>,
    /// Found by its labels, see [`crate::sweep`].
    pub stray: bool,
    /// It is wanted no more, and may go.
    pub allowed: bool,
    /// It has, or had, the annotation that protects it.
    pub protected: bool,
    /// It was ours, and somebody else took it.
    pub contested: bool,
    /// It runs once, and its create may have been sent.
    pub run: Option<Run>,
}

/// A successful apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Digest of the body that was sent.
    pub body: Digest,
    /// What the object looked like then.
    pub mark: Mark,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is no record.
    #[error("the record is damaged")]
    Json(#[from] serde_json::Error),
    /// A name in it is none.
    #[error("the record names what cannot be")]
    Name(#[from] InvalidName),
    /// A digest in it is none.
    #[error("the record has {0:?} where a digest belongs")]
    Digest(String),
}

impl Record {
    /// The record as it is stored.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&Stored::from(self)).expect("a record has only strings and numbers")
    }

    /// # Errors
    /// The bytes are no record.
    pub fn from_json(json: &[u8]) -> Result<Self, RecordError> {
        serde_json::from_slice::<Stored>(json)?.read()
    }

    /// Whether content belongs to it: what was removed, left or settled is stored without.
    pub fn wants_content(&self) -> bool {
        self.head.state == HeadState::Present && self.standing != Standing::Settled
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    kind: StoredKind,
    namespace: String,
    name: String,
    uid: String,
    epoch: u64,
    generation: u64,
    r#move: u64,
    digest: String,
    state: StoredState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed: Option<StoredConfirmed>,
    standing: StoredStanding,
    in_force: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled_at: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    resumed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<StoredHeld>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    spent: Vec<Spent>,
    inventory: Vec<StoredItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ensured: Vec<StoredObject>,
    #[serde(default, skip_serializing_if = "is_false")]
    ran: bool,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredKind {
    Release,
    Bundle,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredState {
    Present,
    Removed,
    Left,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredConfirmed {
    Remove,
    Leave,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredHeld {
    OverBudget,
    Protected,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredStanding {
    Unrecorded,
    Recorded,
    Gone,
    Orphaned,
    Settled,
}

#[derive(Serialize, Deserialize)]
struct StoredItem {
    #[serde(flatten)]
    object: StoredObject,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applied: Option<StoredApplied>,
    #[serde(default, skip_serializing_if = "is_false")]
    stray: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    allowed: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    protected: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    contested: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<StoredRun>,
}

#[derive(Serialize, Deserialize)]
struct StoredObject {
    group: String,
    version: String,
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
struct StoredApplied {
    body: String,
    content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owned: Option<String>,
}

/// Its presence says that the create may have been sent.
#[derive(Serialize, Deserialize)]
struct StoredRun {
    body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<StoredEnd>,
}

#[derive(Serialize, Deserialize)]
struct StoredEnd {
    outcome: StoredOutcome,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    words: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<StoredStatus>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
enum StoredOutcome {
    Succeeded,
    Failed,
    Vanished,
    Cancelled,
}

#[derive(Serialize, Deserialize)]
enum StoredStatus {
    /// As canonical JSON.
    Whole(String),
    Summary {
        bytes: u64,
        digest: String,
    },
}

impl From<&Record> for Stored {
    fn from(record: &Record) -> Self {
        let Head {
            key,
            version,
            digest,
            state,
            confirmed,
        } = &record.head;
        Self {
            kind: match key.kind {
                BundleKind::Release => StoredKind::Release,
                BundleKind::Bundle => StoredKind::Bundle,
            },
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            uid: key.uid.to_string(),
            epoch: version.epoch.0,
            generation: version.generation.0,
            r#move: version.moved.0,
            digest: digest.to_string(),
            state: match state {
                HeadState::Present => StoredState::Present,
                HeadState::Removed => StoredState::Removed,
                HeadState::Left => StoredState::Left,
            },
            confirmed: confirmed.map(|confirmed| match confirmed {
                Confirmed::Remove => StoredConfirmed::Remove,
                Confirmed::Leave => StoredConfirmed::Leave,
            }),
            standing: match record.standing {
                Standing::Unrecorded => StoredStanding::Unrecorded,
                Standing::Recorded => StoredStanding::Recorded,
                Standing::Gone => StoredStanding::Gone,
                Standing::Orphaned => StoredStanding::Orphaned,
                Standing::Settled => StoredStanding::Settled,
            },
            in_force: record.in_force,
            settled_at: record.settled_at,
            resumed: record.resumed,
            held: record.held.map(|held| match held {
                Held::OverBudget => StoredHeld::OverBudget,
                Held::Protected => StoredHeld::Protected,
            }),
            spent: record.spent.clone(),
            inventory: record.inventory.iter().map(StoredItem::from).collect(),
            ensured: record.ensured.iter().map(StoredObject::from).collect(),
            ran: record.ran,
        }
    }
}

impl Stored {
    fn read(self) -> Result<Record, RecordError> {
        let key = Key {
            kind: match self.kind {
                StoredKind::Release => BundleKind::Release,
                StoredKind::Bundle => BundleKind::Bundle,
            },
            namespace: self.namespace,
            name: self.name,
            uid: Uid::new(self.uid)?,
        };
        let head = Head {
            key,
            version: Version {
                epoch: Epoch(self.epoch),
                generation: Generation(self.generation),
                moved: Move(self.r#move),
            },
            digest: digest(&self.digest)?,
            state: match self.state {
                StoredState::Present => HeadState::Present,
                StoredState::Removed => HeadState::Removed,
                StoredState::Left => HeadState::Left,
            },
            confirmed: self.confirmed.map(|confirmed| match confirmed {
                StoredConfirmed::Remove => Confirmed::Remove,
                StoredConfirmed::Leave => Confirmed::Leave,
            }),
        };
        Ok(Record {
            head,
            standing: match self.standing {
                StoredStanding::Unrecorded => Standing::Unrecorded,
                StoredStanding::Recorded => Standing::Recorded,
                StoredStanding::Gone => Standing::Gone,
                StoredStanding::Orphaned => Standing::Orphaned,
                StoredStanding::Settled => Standing::Settled,
            },
            in_force: self.in_force,
            settled_at: self.settled_at,
            resumed: self.resumed,
            held: self.held.map(|held| match held {
                StoredHeld::OverBudget => Held::OverBudget,
                StoredHeld::Protected => Held::Protected,
            }),
            spent: self.spent,
            inventory: self
                .inventory
                .into_iter()
                .map(StoredItem::read)
                .collect::<Result<_, _>>()?,
            ensured: self.ensured.into_iter().map(StoredObject::read).collect(),
            ran: self.ran,
        })
    }
}

impl From<&Item> for StoredItem {
    fn from(item: &Item) -> Self {
        Self {
            object: StoredObject::from(&item.object),
            uid: item.uid.as_ref().map(Uid::to_string),
            applied: item.applied.as_ref().map(|applied| StoredApplied {
                body: applied.body.to_string(),
                content: applied.mark.content.to_string(),
                owned: applied.mark.owned.map(|owned| owned.to_string()),
            }),
            stray: item.stray,
            allowed: item.allowed,
            protected: item.protected,
            contested: item.contested,
            run: item.run.as_ref().map(StoredRun::from),
        }
    }
}

impl From<&ObjectRef> for StoredObject {
    fn from(object: &ObjectRef) -> Self {
        let ObjectRef {
            group,
            version,
            kind,
            namespace,
            name,
        } = object.clone();
        Self {
            group,
            version,
            kind,
            namespace,
            name,
        }
    }
}

impl From<&Run> for StoredRun {
    fn from(run: &Run) -> Self {
        let Run { body, end } = run;
        Self {
            body: body.to_string(),
            end: end.as_ref().map(
                |End {
                     outcome,
                     words,
                     status,
                 }| StoredEnd {
                    outcome: match outcome {
                        Outcome::Succeeded => StoredOutcome::Succeeded,
                        Outcome::Failed => StoredOutcome::Failed,
                        Outcome::Vanished => StoredOutcome::Vanished,
                        Outcome::Cancelled => StoredOutcome::Cancelled,
                    },
                    words: words.clone(),
                    status: match status {
                        RawStatus::Absent => None,
                        // Canonical JSON is text.
                        RawStatus::Json(json) => {
                            Some(StoredStatus::Whole(String::from_utf8_lossy(json).into_owned()))
                        }
                        RawStatus::Summary { bytes, digest } => Some(StoredStatus::Summary {
                            bytes: *bytes,
                            digest: digest.to_string(),
                        }),
                    },
                },
            ),
        }
    }
}

impl StoredItem {
    fn read(self) -> Result<Item, RecordError> {
        Ok(Item {
            object: self.object.read(),
            uid: self.uid.map(Uid::new).transpose()?,
            applied: self.applied.map(StoredApplied::read).transpose()?,
            stray: self.stray,
            allowed: self.allowed,
            protected: self.protected,
            contested: self.contested,
            run: self.run.map(StoredRun::read).transpose()?,
        })
    }
}

impl StoredObject {
    fn read(self) -> ObjectRef {
        ObjectRef {
            group: self.group,
            version: self.version,
            kind: self.kind,
            namespace: self.namespace,
            name: self.name,
        }
    }
}

impl StoredRun {
    fn read(self) -> Result<Run, RecordError> {
        Ok(Run {
            body: digest(&self.body)?,
            end: self.end.map(StoredEnd::read).transpose()?,
        })
    }
}

impl StoredEnd {
    fn read(self) -> Result<End, RecordError> {
        Ok(End {
            outcome: match self.outcome {
                StoredOutcome::Succeeded => Outcome::Succeeded,
                StoredOutcome::Failed => Outcome::Failed,
                StoredOutcome::Vanished => Outcome::Vanished,
                StoredOutcome::Cancelled => Outcome::Cancelled,
            },
            words: self.words,
            status: match self.status {
                None => RawStatus::Absent,
                Some(StoredStatus::Whole(json)) => RawStatus::Json(json.into_bytes()),
                Some(StoredStatus::Summary { bytes, digest: text }) => RawStatus::Summary {
                    bytes,
                    digest: digest(&text)?,
                },
            },
        })
    }
}

impl StoredApplied {
    fn read(self) -> Result<Applied, RecordError> {
        Ok(Applied {
            body: digest(&self.body)?,
            mark: Mark {
                content: digest(&self.content)?,
                owned: self.owned.as_deref().map(digest).transpose()?,
            },
        })
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn digest(text: &str) -> Result<Digest, RecordError> {
    Digest::from_hex(text).ok_or_else(|| RecordError::Digest(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{head, object};

    fn record() -> Record {
        Record {
            head: Head {
                confirmed: Some(Confirmed::Remove),
                ..head("cart", 3)
            },
            standing: Standing::Recorded,
            in_force: true,
            settled_at: None,
            resumed: true,
            held: Some(Held::Protected),
            spent: vec![Spent {
                objects: 3,
                inventory: 40,
                begun: 1_700_000_000,
                ended: Some(1_700_000_100),
            }],
            inventory: vec![
                Item {
                    object: object("one"),
                    uid: Some(Uid::new("u-1").unwrap()),
                    applied: Some(Applied {
                        body: Digest::of(b"body"),
                        mark: Mark {
                            content: Digest::of(b"content"),
                            owned: None,
                        },
                    }),
                    stray: false,
                    allowed: true,
                    protected: false,
                    contested: false,
                    run: Some(Run {
                        body: Digest::of(b"body"),
                        end: Some(End {
                            outcome: Outcome::Failed,
                            words: "no".into(),
                            status: RawStatus::Json(br#"{"failed":1}"#.to_vec()),
                        }),
                    }),
                },
                Item {
                    object: object("two"),
                    uid: None,
                    applied: None,
                    stray: true,
                    allowed: false,
                    protected: true,
                    contested: true,
                    run: Some(Run::new(Digest::of(b"body"))),
                },
            ],
            ensured: vec![object("three")],
            ran: true,
        }
    }

    #[test]
    fn a_record_reads_back() {
        assert_eq!(Record::from_json(&record().to_json()).unwrap(), record());
    }

    #[test]
    fn a_record_of_an_agent_that_knew_no_runs_reads_as_one_without() {
        let json =
            br#"{"kind":"Bundle","namespace":"a","name":"b","uid":"u","epoch":1,"generation":1,"move":0,
            "digest":"DIGEST","state":"Present","standing":"Recorded","in_force":true,
            "inventory":[{"group":"","version":"v1","kind":"ConfigMap","namespace":"shop","name":"one"}]}"#;
        let json = String::from_utf8_lossy(json).replace("DIGEST", &Digest::of(b"x").to_string());
        let record = Record::from_json(json.as_bytes()).unwrap();
        assert_eq!(record.inventory[0].object, object("one"));
        assert_eq!((record.inventory[0].run.clone(), record.ensured), (None, vec![]));
    }

    #[test]
    fn a_record_that_was_cut_is_damaged_and_never_an_empty_one() {
        let json = record().to_json();
        for end in 0..json.len() {
            assert!(Record::from_json(&json[..end]).is_err(), "cut at {end}");
        }
    }
}
