//! `metadata.managedFields`, decoded: which manager owns what, and since when.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::conflict::Conflict;
use super::{Manager, Operation};
use crate::fieldset::FieldSet;

/// More managers that update an object than this are merged, the oldest first, so that objects do not grow by the
/// number of their writers.
const MAX_UPDATERS: usize = 10;

/// The name under which merged managers go on.
const ANCIENT: &str = "ancient-changes";

/// What makes two writes those of one manager. Ordered as conflicts are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ManagerId {
    name: String,
    operation: Operation,
    /// Empty for appliers, who stay the same when they move to another version.
    api_version: String,
    subresource: String,
}

/// What one manager owns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owned {
    pub(super) api_version: String,
    pub(super) fields: FieldSet,
    pub(super) time: Option<String>,
}

/// All managers of one object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Managers(pub(super) BTreeMap<ManagerId, Owned>);

impl ManagerId {
    pub(super) fn of(by: &Manager) -> Self {
        Self::new(
            &by.name,
            by.operation,
            &by.api_version,
            by.subresource.as_deref().unwrap_or_default(),
        )
    }

    fn new(name: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply {
            ""
        } else {
            api_version
        };
        Self {
            name: name.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: subresource.to_owned(),
        }
    }

    pub(super) fn conflict(&self, field: String) -> Conflict {
        let mut manager = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            manager.push_str(&format!(" with subresource {:?}", self.subresource));
        }
        if self.operation == Operation::Update {
            manager.push_str(&format!(" using {}", self.api_version));
        }
        Conflict { manager, field }
    }
}

impl Managers {
    /// None when the JSON is no valid managedFields; absence is valid.
    pub(super) fn decode(object: &Value) -> Option<Self> {
        let Some(entries) = object.pointer("/metadata/managedFields") else {
            return Some(Self::default());
        };
        if entries.is_null() {
            return Some(Self::default());
        }
        entries
            .as_array()?
            .iter()
            .map(decode_entry)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Writes them into `object`, sorted as the API server sorts; without managers the field goes.
    pub(super) fn encode(&self, object: &mut Value) {
        let Some(metadata) = metadata_of(object) else {
            return;
        };
        if self.0.is_empty() {
            metadata.remove("managedFields");
            return;
        }
        let mut entries: Vec<(&ManagerId, &Owned)> = self.0.iter().collect();
        entries.sort_by_key(|(id, owned)| {
            (
                id.operation,
                owned.time.clone(),
                id.name.clone(),
                owned.api_version.clone(),
                id.subresource.clone(),
            )
        });
        let entries = entries
            .into_iter()
            .map(|(id, owned)| encode_entry(id, owned))
            .collect();
        metadata.insert("managedFields".to_owned(), Value::Array(entries));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that somebody owns.
    pub(super) fn all_fields(&self) -> FieldSet {
        self.0
            .values()
            .fold(FieldSet::default(), |all, owned| all.union(&owned.fields))
    }

    pub(super) fn drop_empty(&mut self) {
        self.0.retain(|_, owned| !owned.fields.is_empty());
    }

    /// Merges the oldest updaters of one version until there are no more than [`MAX_UPDATERS`].
    pub(super) fn cap_updaters(&mut self) {
        let mut updaters: Vec<ManagerId> = self
            .0
            .keys()
            .filter(|id| id.operation == Operation::Update)
            .cloned()
            .collect();
        updaters.sort_by_key(|id| (self.0[id].time.clone(), id.clone()));
        let mut count = updaters.len();
        let mut first_of_version: BTreeMap<String, ManagerId> = BTreeMap::new();
        for id in updaters {
            if count <= MAX_UPDATERS {
                break;
            }
            match first_of_version.get(&id.api_version) {
                None => {
                    first_of_version.insert(id.api_version.clone(), id);
                }
                Some(first) => {
                    self.move_to_ancient(first.clone(), &id);
                    count -= 1;
                }
            }
        }
    }

    fn move_to_ancient(&mut self, first: ManagerId, id: &ManagerId) {
        let bucket = ManagerId::new(ANCIENT, Operation::Update, &id.api_version, "");
        if !self.0.contains_key(&bucket)
            && let Some(owned) = self.0.remove(&first)
        {
            self.0.insert(bucket.clone(), owned);
        }
        let moved = self.0.remove(id);
        if let (Some(bucket), Some(moved)) = (self.0.get_mut(&bucket), moved) {
            bucket.fields = bucket.fields.union(&moved.fields);
            bucket.time = moved.time;
        }
    }
}

/// The object without its managedFields.
pub(super) fn without_managed_fields(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

fn metadata_of(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let metadata = object
        .as_object_mut()?
        .entry("metadata")
        .or_insert_with(|| json!({}));
    metadata.as_object_mut()
}

fn decode_entry(entry: &Value) -> Option<(ManagerId, Owned)> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let operation = match text("operation") {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return None,
    };
    let api_version = text("apiVersion");
    if api_version.is_empty() || text("fieldsType") != "FieldsV1" {
        return None;
    }
    let fields = match entry.get("fieldsV1") {
        Some(fields) => FieldSet::from_json(fields).ok()?,
        None => FieldSet::default(),
    };
    let id = ManagerId::new(text("manager"), operation, api_version, text("subresource"));
    let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
    Some((
        id,
        Owned {
            api_version: api_version.to_owned(),
            fields,
            time,
        },
    ))
}

fn encode_entry(id: &ManagerId, owned: &Owned) -> Value {
    let mut entry = json!({
        "apiVersion": owned.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned.fields.to_json(),
        "manager": id.name,
        "operation": id.operation.as_str(),
    });
    if let Some(time) = &owned.time {
        entry["time"] = json!(time);
    }
    if !id.subresource.is_empty() {
        entry["subresource"] = json!(id.subresource);
    }
    entry
}
