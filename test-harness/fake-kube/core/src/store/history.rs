//! The recent events of one kind, bounded: who asks for older ones is told to list again.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::object::Object;

/// As many events as a watch may lie behind. The real server keeps 100 to 102,400 per kind; this lets a burst over
/// 10,000 objects pass without a relist, at one shared object per event.
const MAX_EVENTS: usize = 16_384;
/// What the objects of those events may weigh as JSON. In memory an object takes several times that, and a process may
/// hold many clusters.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The object afterwards; of a deleted one its last state.
    pub object: Arc<Object>,
    /// The object before, so that selectors can tell who came into view and who left it.
    pub previous: Option<Arc<Object>>,
}

impl Event {
    pub(super) fn put(object: Arc<Object>, previous: Option<Arc<Object>>) -> Self {
        let kind = if previous.is_some() {
            EventKind::Modified
        } else {
            EventKind::Added
        };
        Self {
            kind,
            object,
            previous,
        }
    }

    pub(super) fn removal(last: Arc<Object>, previous: Arc<Object>) -> Self {
        Self {
            kind: EventKind::Deleted,
            object: last,
            previous: Some(previous),
        }
    }

    /// The resourceVersion of the change.
    pub fn version(&self) -> u64 {
        self.object.version()
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct History {
    events: VecDeque<Event>,
    bytes: usize,
    floor: u64,
}

impl History {
    /// The version from which on nothing is missing.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event.object.json().len();
        self.events.push_back(event);
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= oldest.object.json().len();
            self.floor = oldest.version();
        }
    }

    pub(super) fn forget(&mut self, version: u64) {
        self.events.clear();
        self.bytes = 0;
        self.floor = version;
    }

    pub(super) fn after(&self, version: u64) -> impl Iterator<Item = &Event> {
        let start = self.events.partition_point(|event| event.version() <= version);
        self.events.range(start..)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_history_drops_the_oldest_and_raises_its_floor() {
        let mut history = History::default();
        for version in 1..=MAX_EVENTS as u64 + 2 {
            history.push(Event::put(Arc::new(Object::new(json!({}), version)), None));
        }
        assert_eq!(history.floor(), 2);
        assert_eq!(history.after(2).count(), MAX_EVENTS);
        assert_eq!(history.after(MAX_EVENTS as u64).count(), 2);
    }

    #[test]
    fn large_objects_fill_it_sooner() {
        let mut history = History::default();
        let large = "x".repeat(MAX_BYTES / 4);
        for version in 1..=5 {
            history.push(Event::put(
                Arc::new(Object::new(json!({"data": large}), version)),
                None,
            ));
        }
        assert_eq!((history.floor(), history.events.len()), (2, 3));
        assert!(history.bytes <= MAX_BYTES);
    }
}
