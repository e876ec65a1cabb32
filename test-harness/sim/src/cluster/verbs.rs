//! What can be asked of the cluster.

use std::sync::Arc;

use json_patch::{AddOperation, PatchOperation, TestOperation};
use serde_json::{Map, Value, json};

use super::{Cluster, Object, Place, Refusal, fields};

/// A change of part of an object.
#[derive(Debug, Clone)]
pub enum Patch {
    /// RFC 6902.
    Json(json_patch::Patch),
    /// RFC 7396; uid and resourceVersion in it are preconditions.
    Merge(Value),
}

type Answer = Result<Arc<Object>, Refusal>;

impl Cluster {
    /// One object.
    ///
    /// # Errors
    /// It is not there, or its kind is not served.
    pub fn get(&self, place: &Place) -> Answer {
        self.check_served(place)?;
        self.find(place).cloned().ok_or_else(|| Refusal::not_found(place))
    }

    /// A new object.
    ///
    /// # Errors
    /// It is there already, or its namespace is not.
    pub fn create(&mut self, place: &Place, body: &Value) -> Answer {
        self.check_served(place)?;
        if self.find(place).is_some() {
            return Err(Refusal::new(409, "AlreadyExists", place));
        }
        self.check_namespace(place)?;
        let mut object = body.clone();
        self.birth(place, &mut object);
        self.write(place, object)
    }

    /// Server-side apply with force.
    ///
    /// # Errors
    /// A precondition does not hold, or the namespace is not there.
    pub fn apply(&mut self, place: &Place, manager: &str, body: &Value) -> Answer {
        self.check_served(place)?;
        let uid = body["metadata"]["uid"].as_str();
        let Some(before) = self.find(place).cloned() else {
            if uid.is_some() {
                return Err(Refusal::conflict(place));
            }
            self.check_namespace(place)?;
            let mut object = json!({"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {}});
            self.birth(place, &mut object);
            fields::apply(&mut object, manager, body);
            add_finalizers(&mut object, body);
            return self.write(place, object);
        };
        if uid.is_some_and(|uid| before["metadata"]["uid"] != uid) {
            return Err(Refusal::conflict(place));
        }
        let mut object = Value::clone(&before);
        fields::apply(&mut object, manager, body);
        if add_finalizers(&mut object, body) && is_deleting(&before) {
            return Err(Refusal::new(422, "Invalid", place));
        }
        self.change(place, &before, object)
    }

    /// A change by somebody who does not apply.
    ///
    /// # Errors
    /// The object is not there.
    pub fn update(&mut self, place: &Place, manager: &str, edit: impl FnOnce(&mut Value)) -> Answer {
        let before = self.get(place)?;
        let mut object = Value::clone(&before);
        edit(&mut object);
        if self.knows_managers(place) {
            fields::updated(&before, &mut object, manager);
        }
        self.change(place, &before, object)
    }

    /// Changes the status only, or all but the status.
    ///
    /// # Errors
    /// The object is not there, or a precondition or test does not hold.
    pub fn patch(&mut self, place: &Place, status: bool, patch: Patch) -> Answer {
        let before = self.get(place)?;
        let patch = match patch {
            Patch::Json(patch) if status && replaces_status(&patch) => {
                return self.replace_status(place, &before, patch);
            }
            patch => patch,
        };
        let mut object = Value::clone(&before);
        let managers = self
            .knows_managers(place)
            .then(|| object["metadata"]["managedFields"].take());
        let is_managed = managers.is_some();
        match patch {
            Patch::Json(mut patch) => {
                patch.0.retain(|operation| !finds_nothing(operation, &before));
                json_patch::patch(&mut object, &patch)
                    .map_err(|_failed| Refusal::new(422, "Invalid", place))?;
            }
            Patch::Merge(patch) => {
                for field in ["uid", "resourceVersion"] {
                    let wanted = &patch["metadata"][field];
                    if !wanted.is_null() && *wanted != before["metadata"][field] {
                        return Err(Refusal::conflict(place));
                    }
                }
                json_patch::merge(&mut object, &patch);
            }
        }
        if let Some(managers) = managers {
            object["metadata"]["managedFields"] = managers;
        }
        put_back(&mut object, &before, |field| (field == "status") != status);
        if is_managed && !status {
            fields::updated(&before, &mut object, "unknown");
        }
        self.change(place, &before, object)
    }

    /// Deletes, if it has this uid. With finalizers it only begins.
    ///
    /// # Errors
    /// The object is not there, or has another uid.
    pub fn delete(&mut self, place: &Place, uid: Option<&str>) -> Result<(), Refusal> {
        let before = self.get(place)?;
        if uid.is_some_and(|uid| before["metadata"]["uid"] != uid) {
            return Err(Refusal::conflict(place));
        }
        if is_deleting(&before) {
            return Ok(());
        }
        let mut object = Value::clone(&before);
        object["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z".into();
        bump(&mut object);
        self.write(place, object).map(drop)
    }

    /// What most patches are: some tests, and a status as a whole. Nothing of either status is copied.
    fn replace_status(&mut self, place: &Place, before: &Arc<Object>, patch: json_patch::Patch) -> Answer {
        let mut new = Value::Null;
        for operation in patch.0 {
            match operation {
                PatchOperation::Add(AddOperation { value, .. }) => new = value,
                test if finds_nothing(&test, before) => {}
                PatchOperation::Test(TestOperation { path, value })
                    if path.resolve(&***before).is_ok_and(|found| *found == value) => {}
                _ => return Err(Refusal::new(422, "Invalid", place)),
            }
        }
        if before["status"] == new {
            return Ok(Arc::clone(before));
        }
        let rest = before.as_object().into_iter().flatten();
        let rest = rest.filter(|(name, _)| *name != "status");
        let mut object: Map<String, Value> =
            rest.map(|(name, value)| (name.clone(), value.clone())).collect();
        object.insert("status".to_owned(), new);
        self.write(place, object.into())
    }

    fn birth(&mut self, place: &Place, object: &mut Value) {
        if !object.is_object() {
            *object = fields::empty();
        }
        object["metadata"]["name"] = place.name.clone().into();
        if !place.namespace.is_empty() {
            object["metadata"]["namespace"] = place.namespace.clone().into();
        }
        object["metadata"]["uid"] = self.uid().into();
        object["metadata"]["generation"] = 1.into();
    }

    fn change(&mut self, place: &Place, before: &Arc<Object>, mut object: Value) -> Answer {
        if content(before) != content(&object) {
            bump(&mut object);
        }
        match object == ***before {
            true => Ok(Arc::clone(before)),
            false => self.write(place, object),
        }
    }

    /// Stores; what is being deleted and is held by nobody goes.
    fn write(&mut self, place: &Place, object: Value) -> Answer {
        if is_deleting(&object) && finalizers(&object).is_empty() {
            self.store(place, None);
            return Ok(Arc::new(object.into()));
        }
        let stored = self.store(place, Some(object));
        Ok(stored.expect("what is stored is there"))
    }

    fn knows_managers(&self, place: &Place) -> bool {
        !self.unmanaged.contains(&place.kind.as_str())
    }

    fn check_served(&self, place: &Place) -> Result<(), Refusal> {
        match self.serves(&place.kind) {
            true => Ok(()),
            false => Err(Refusal::unserved()),
        }
    }

    fn check_namespace(&self, place: &Place) -> Result<(), Refusal> {
        let namespace = Place::new("Namespace", "", &place.namespace);
        match place.namespace.is_empty() || self.find(&namespace).is_some() {
            true => Ok(()),
            false => Err(Refusal::not_found(&namespace)),
        }
    }
}

/// Makes some fields of an object what they were before.
fn put_back(object: &mut Value, before: &Value, which: impl Fn(&str) -> bool) {
    let (Some(fields), Some(before)) = (object.as_object_mut(), before.as_object()) else {
        return;
    };
    fields.retain(|name, _| !which(name) || before.contains_key(name));
    for (name, value) in before.iter().filter(|(name, _)| which(name)) {
        if fields.get(name) != Some(value) {
            fields.insert(name.clone(), value.clone());
        }
    }
}

/// Whether it is tests and then a status as a whole.
fn replaces_status(patch: &json_patch::Patch) -> bool {
    let Some((PatchOperation::Add(last), tests)) = patch.0.split_last() else {
        return false;
    };
    last.path == *"/status" && tests.iter().all(|it| matches!(it, PatchOperation::Test(_)))
}

/// Whether it tests for null what is not there, and so holds.
fn finds_nothing(operation: &PatchOperation, object: &Value) -> bool {
    let PatchOperation::Test(TestOperation { path, value }) = operation else {
        return false;
    };
    let around = path.parent().and_then(|parent| parent.resolve(object).ok());
    value.is_null() && path.resolve(object).is_err() && around.is_some_and(Value::is_object)
}

/// Finalizers are a set, so an apply adds to it. Returns whether it did.
fn add_finalizers(object: &mut Value, body: &Value) -> bool {
    let mut all = finalizers(object);
    let before = all.len();
    for finalizer in finalizers(body) {
        if !all.contains(&finalizer) {
            all.push(finalizer);
        }
    }
    let added = all.len() != before;
    if added {
        object["metadata"]["finalizers"] = all.into();
    }
    added
}

fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array();
    let names = list.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

fn bump(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_u64().unwrap_or_default();
    object["metadata"]["generation"] = (generation + 1).into();
}

/// What counts for the generation.
fn content(object: &Value) -> Vec<(&String, &Value)> {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status"))
        .collect()
}
