//! A watch: a cursor into the history of a kind, with the filter and form of the request that opened it.
//!
//! A watch holds no events, but for what there was at its beginning until that is sent, which it shares with the store: it
//! is asked for the next ones whenever its kind has changed, and reads them from the shared history. One that lies further
//! behind than the history reaches is told `Expired` and ends, as on the real server, so a slow reader costs nobody memory.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kind::{GroupResource, Served};
use crate::object::{self, Object};
use crate::refusal::Refusal;
use crate::request::Form;
use crate::selector::{FieldSelector, LabelSelector};
use crate::store::{Event, EventKind, Store};
use crate::table::{self, Include};

/// Events encoded at one poll at most: enough to fill a socket, little enough to hold no lock for long.
const MAX_LINES: usize = 256;

/// Which objects a watch sees.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) namespace: Option<String>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Filter {
    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.namespace
            .as_deref()
            .is_none_or(|namespace| namespace == crate::meta::namespace(object))
            && self.labels.matches(object)
            && self.fields.matches(object)
    }
}

/// An open watch.
#[derive(Debug)]
pub struct Watch {
    served: Served,
    filter: Filter,
    form: Form,
    include: Include,
    position: u64,
    initial: VecDeque<Arc<Object>>,
    announce_initial_end: bool,
    refusal: Option<Refusal>,
    sent_columns: bool,
    /// The client takes bookmarks.
    pub bookmarks: bool,
    /// Seconds after which the watch ends, as the client asked.
    pub timeout: Option<u64>,
}

/// What a poll found.
#[derive(Debug, PartialEq, Eq)]
pub enum Polled {
    /// Lines to send, one event each; poll again at once.
    Lines(Bytes),
    /// Nothing until the kind changes.
    Idle,
    /// The last line to send: why there are no more.
    Over(Bytes),
}

/// Where a watch begins.
#[derive(Debug)]
pub(crate) enum Start {
    /// After a version, be it one that is still to come.
    After(u64),
    /// With everything there is now, then what follows; `announce` the boundary by a bookmark.
    Everything {
        objects: Vec<Arc<Object>>,
        version: u64,
        announce: bool,
    },
    /// Not at all.
    Refused(Refusal),
}

impl Watch {
    pub(crate) fn new(served: Served, filter: Filter, form: Form, include: Include, start: Start) -> Self {
        let mut watch = Self {
            served,
            filter,
            form,
            include,
            position: 0,
            initial: VecDeque::new(),
            announce_initial_end: false,
            refusal: None,
            sent_columns: false,
            bookmarks: false,
            timeout: None,
        };
        match start {
            Start::After(version) => watch.position = version,
            Start::Everything {
                objects,
                version,
                announce,
            } => {
                watch.position = version;
                watch.initial = objects.into();
                watch.announce_initial_end = announce;
            }
            Start::Refused(refusal) => watch.refusal = Some(refusal),
        }
        watch
    }

    /// The kind whose changes wake this watch.
    pub fn resource(&self) -> &GroupResource {
        &self.served.kind.shelf
    }

    /// The next events.
    pub(crate) fn poll(&mut self, store: &Store, now: Timestamp) -> Polled {
        if let Some(refusal) = &self.refusal {
            return Polled::Over(error_line(refusal));
        }
        let mut lines = BytesMut::new();
        if !self.initial.is_empty() || self.announce_initial_end {
            self.take_initial(&mut lines, now);
            return Polled::Lines(lines.freeze());
        }
        let resource = self.served.kind.shelf.clone();
        let events = match store.events_after(&resource, self.position) {
            Ok(events) => events,
            Err(oldest) => return Polled::Over(self.expired(oldest)),
        };
        let mut full = false;
        for (count, event) in events.enumerate() {
            if count == MAX_LINES {
                full = true;
                break;
            }
            self.position = event.version();
            if let Some((kind, object)) = seen_as(event, &self.filter) {
                self.line(&mut lines, kind, &object, now);
            }
        }
        // Whatever happened to other kinds meanwhile is no news here, but bookmarks may say that we have seen it.
        if !full {
            self.position = self.position.max(store.version());
        }
        match (lines.is_empty(), full) {
            (true, false) => Polled::Idle,
            _ => Polled::Lines(lines.freeze()),
        }
    }

    fn take_initial(&mut self, lines: &mut BytesMut, now: Timestamp) {
        for _ in 0..MAX_LINES {
            match self.initial.pop_front() {
                Some(object) => self.line(lines, "ADDED", &object, now),
                None => break,
            }
        }
        if self.initial.is_empty() && std::mem::take(&mut self.announce_initial_end) {
            lines.put_slice(&self.bookmark_line(&json!({"k8s.io/initial-events-end": "true"})));
        }
    }

    /// A line that tells the client how far it has come; none while it has not had what there was at its beginning, or
    /// waits for a version that is still to come.
    pub(crate) fn bookmark(&self, store: &Store) -> Option<Bytes> {
        let has_begun = self.initial.is_empty() && !self.announce_initial_end && self.refusal.is_none();
        (has_begun && self.position <= store.version()).then(|| self.bookmark_line(&Value::Null))
    }

    fn bookmark_line(&self, annotations: &Value) -> Bytes {
        let mut metadata = json!({"resourceVersion": self.position.to_string()});
        if !annotations.is_null() {
            metadata["annotations"] = annotations.clone();
        }
        let object = match self.form {
            Form::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Table => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "columnDefinitions": [], "rows": [],
                "metadata": {"resourceVersion": self.position.to_string()},
            }),
            _ => json!({
                "kind": &*self.served.kind.name, "apiVersion": self.served.api_version(), "metadata": metadata,
            }),
        };
        event_line("BOOKMARK", &object::encode(&object))
    }

    /// The line that says that the history does not reach back far enough.
    pub fn expired(&self, oldest: u64) -> Bytes {
        error_line(&Refusal::expired(self.position, oldest))
    }

    fn line(&mut self, lines: &mut BytesMut, kind: &str, object: &Arc<Object>, now: Timestamp) {
        let encoded = match self.form {
            Form::Table => object::encode(&self.table(object, now)),
            Form::Metadata => object::encode(&table::partial_metadata(object.value())),
            _ if self.served.is_storage() => object.json().clone(),
            _ => object::encode(&self.served.present(object.value())),
        };
        put_event(lines, kind, &encoded);
    }

    /// Only the first table of a watch names its columns.
    fn table(&mut self, object: &Arc<Object>, now: Timestamp) -> Value {
        let shown = self.served.present(object.value());
        let list_meta = json!({"resourceVersion": object.version().to_string()});
        let columns = &self.served.version().columns;
        let mut table = table::render(columns, std::iter::once(&*shown), list_meta, self.include, now);
        if std::mem::replace(&mut self.sent_columns, true) {
            table["columnDefinitions"] = Value::Null;
        }
        table
    }
}

/// How an event looks through a filter: objects come into view and leave it.
fn seen_as(event: &Event, filter: &Filter) -> Option<(&'static str, Arc<Object>)> {
    let now = event.kind != EventKind::Deleted && filter.matches(event.object.value());
    let before = event
        .previous
        .as_ref()
        .is_some_and(|previous| filter.matches(previous.value()));
    match (before, now) {
        (false, false) => None,
        (false, true) => Some(("ADDED", event.object.clone())),
        (true, true) => Some(("MODIFIED", event.object.clone())),
        (true, false) => Some(("DELETED", last_seen(event))),
    }
}

/// What left the view is shown as it was last seen there, at the version of its leaving.
fn last_seen(event: &Event) -> Arc<Object> {
    match (&event.previous, event.kind) {
        (Some(previous), EventKind::Modified) => {
            Arc::new(Object::new(previous.value().clone(), event.version()))
        }
        _ => event.object.clone(),
    }
}

fn error_line(refusal: &Refusal) -> Bytes {
    event_line("ERROR", &object::encode(&refusal.status()))
}

fn event_line(kind: &str, object: &[u8]) -> Bytes {
    let mut line = BytesMut::new();
    put_event(&mut line, kind, object);
    line.freeze()
}

fn put_event(lines: &mut BytesMut, kind: &str, object: &[u8]) {
    lines.reserve(object.len() + kind.len() + 24);
    lines.put_slice(b"{\"type\":\"");
    lines.put_slice(kind.as_bytes());
    lines.put_slice(b"\",\"object\":");
    lines.put_slice(object);
    lines.put_slice(b"}\n");
}
