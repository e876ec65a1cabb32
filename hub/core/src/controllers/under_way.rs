//! Requests under way, and what went meanwhile: an answer and a watch come by different ways, so the news that an
//! object is gone may come before the answer that it was written.

use std::collections::{BTreeMap, BTreeSet};

use super::{Id, Sight};

/// The request that is under way for each key.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    by_key: BTreeMap<Id, Request>,
}

#[derive(Debug)]
struct Request {
    about: Id,
    /// Uids of the objects of that name that were told gone since it began.
    gone: BTreeSet<String>,
}

impl UnderWay {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// A request about this object begins.
    pub(super) fn begin(&mut self, key: &Id, about: &Id) {
        let request = Request {
            about: about.clone(),
            gone: BTreeSet::new(),
        };
        self.by_key.insert(key.clone(), request);
    }

    /// This object is gone.
    pub(super) fn gone(&mut self, gone: &Sight) {
        for request in self.by_key.values_mut() {
            if request.about == gone.id {
                request.gone.insert(gone.uid.clone());
            }
        }
    }

    /// The request of this key was answered. Returns the uids of what went meanwhile.
    pub(super) fn end(&mut self, key: &Id) -> BTreeSet<String> {
        self.by_key
            .remove(key)
            .map(|request| request.gone)
            .unwrap_or_default()
    }
}
