//! Answers that hold for a while: a bounded map whose entries expire.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Keeps each value for `lifetime`, and at most `capacity` of them: where it is full, the oldest goes.
#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    lifetime: Duration,
    capacity: usize,
    entries: HashMap<K, Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    since: Instant,
    value: V,
}

impl<K: Eq + Hash + Clone, V: Clone> Remembered<K, V> {
    pub(super) fn new(lifetime: Duration, capacity: usize) -> Self {
        Self {
            lifetime,
            capacity,
            entries: HashMap::new(),
        }
    }

    pub(super) fn get(&self, key: &K, now: Instant) -> Option<V> {
        let entry = self.entries.get(key)?;
        self.is_fresh(entry, now).then(|| entry.value.clone())
    }

    pub(super) fn insert(&mut self, key: K, value: V, now: Instant) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.make_room(now);
        }
        self.entries.insert(key, Entry { since: now, value });
    }

    /// Walks over all entries: each insertion that comes here follows a request to the API server, which costs
    /// a hundred times as much.
    fn make_room(&mut self, now: Instant) {
        let lifetime = self.lifetime;
        self.entries
            .retain(|_, entry| now.duration_since(entry.since) < lifetime);
        if self.entries.len() < self.capacity {
            return;
        }
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.since);
        if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
            self.entries.remove(&oldest);
        }
    }

    fn is_fresh(&self, entry: &Entry<V>, now: Instant) -> bool {
        now.duration_since(entry.since) < self.lifetime
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(10);

    #[test]
    fn a_value_is_forgotten_after_its_lifetime() {
        let start = Instant::now();
        let mut answers = Remembered::new(LIFETIME, 2);
        answers.insert("a", 1, start);
        assert_eq!(answers.get(&"a", start + Duration::from_secs(9)), Some(1));
        assert_eq!(answers.get(&"a", start + LIFETIME), None);
    }

    #[test]
    fn it_never_holds_more_than_its_capacity_and_drops_the_oldest() {
        let start = Instant::now();
        let mut answers = Remembered::new(LIFETIME, 3);
        for number in 0..100u64 {
            answers.insert(number, (), start + Duration::from_millis(number));
            assert!(answers.entries.len() <= 3);
        }
        let now = start + Duration::from_millis(100);
        assert_eq!(answers.get(&96, now), None);
        assert_eq!(answers.get(&97, now), Some(()));
    }

    #[test]
    fn a_new_answer_replaces_the_old_one_and_nothing_else() {
        let start = Instant::now();
        let mut answers = Remembered::new(LIFETIME, 2);
        answers.insert("a", 1, start);
        answers.insert("b", 1, start);
        answers.insert("b", 2, start);
        assert_eq!(
            (answers.get(&"a", start), answers.get(&"b", start)),
            (Some(1), Some(2))
        );
    }
}
