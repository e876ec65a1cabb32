//! When the hub is told that an object changed: at once, unless others of its resource are on their way; then with
//! them. A hundred objects that are applied at once are told in a few reports, of which each costs both ends as much as
//! the whole list is long.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use outhaul_protocol_wire::head::Key;

use super::{News, Plane};

/// How long a change waits for others of its resource at most: an object that hangs holds up no word of the rest.
const TOGETHER: Duration = Duration::from_millis(100);

/// Changed objects that are not told yet.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<Key, Changed>);

#[derive(Debug, Default)]
struct Changed {
    ids: BTreeSet<String>,
    /// When they are told at the latest; none before it was first asked.
    until: Option<Instant>,
}

impl Changes {
    /// The object with this id changed.
    pub(super) fn object(&mut self, key: &Key, id: &str) {
        let changed = match self.0.get_mut(key) {
            Some(changed) => changed,
            None => self.0.entry(key.clone()).or_default(),
        };
        if !changed.ids.contains(id) {
            changed.ids.insert(id.to_owned());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<(Instant, &'static str)> {
        let at = self.0.values().filter_map(|changed| changed.until).min()?;
        Some((at, "changes that wait for others"))
    }
}

impl Plane {
    /// Everything of a resource may have changed.
    pub(super) fn tell_whole(&mut self, key: &Key) {
        self.changes.0.remove(key);
        self.news.push(News::Whole(key.clone()));
    }

    /// Tells the changes that wait for nothing, or have waited long enough.
    pub(super) fn tell_changes(&mut self, now: Instant) {
        let Self {
            changes, items, news, ..
        } = self;
        changes.0.retain(|key, changed| {
            let others = items.get(key).is_some_and(|item| item.busy > 0);
            let until = *changed.until.get_or_insert(now + TOGETHER);
            let waits = others && now < until;
            if !waits {
                let ids = core::mem::take(&mut changed.ids);
                news.extend(ids.into_iter().map(|id| News::Object(key.clone(), id)));
            }
            waits
        });
    }
}
