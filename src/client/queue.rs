//! A work queue: each key waits in it at most once, some not before a moment, some not before the
//! process has observed its own last write.

use crate::api::sorted::SortedMap;
use crate::etcd::Key;
use crate::sim::{SimTime, StateHasher};
use std::time::Duration;

/// Source of the figures: client-go's DefaultTypedControllerRateLimiter.
const BASE_DELAY: Duration = Duration::from_millis(5);
const MAX_DELAY: Duration = Duration::from_secs(1000);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: SimTime,
    /// The request whose change made the key dirty.
    cause: u64,
}

/// Keys to reconcile.
#[derive(Clone, Debug, Default)]
pub struct WorkQueue {
    waiting: SortedMap<Key, Waiting>,
    by_due: crate::api::sorted::SortedSet<(SimTime, Key)>,
    /// Reconciling before this revision is observed would act on what is known to be stale: the
    /// same duty would be done twice. Upstream's controllers call this expectations.
    gates: SortedMap<Key, u64>,
    failures: SortedMap<Key, u32>,
}

impl WorkQueue {
    /// Queues a key for `due`; an earlier due time wins.
    pub fn add(&mut self, key: Key, due: SimTime, cause: u64) {
        if let Some(known) = self.waiting.get_mut(&key) {
            if cause != 0 {
                known.cause = cause;
            }
            if due < known.due {
                self.by_due.remove(&(known.due, key.clone()));
                known.due = due;
                self.by_due.insert((due, key));
            }
            return;
        }
        self.by_due.insert((due, key.clone()));
        self.waiting.insert(key, Waiting { due, cause });
    }

    /// Queues a key after a failure, later each time.
    pub fn add_rate_limited(&mut self, key: Key, now: SimTime, cause: u64) {
        let failures = self.failures.entry(key.clone()).or_default();
        let delay = BASE_DELAY
            .saturating_mul(1u32.checked_shl(*failures).unwrap_or(u32::MAX))
            .min(MAX_DELAY);
        *failures = failures.saturating_add(1).min(30);
        self.add(key, now + delay, cause);
    }

    /// Forgets the failures of a key.
    pub fn forget(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// Holds a key back until `revision` is observed.
    pub fn gate(&mut self, key: &Key, revision: u64) {
        self.gates.insert(key.clone(), revision);
    }

    /// Takes the key that has been due longest and whose gate is open, with its cause.
    pub fn pop(&mut self, now: SimTime, observed_revision: u64) -> Option<(Key, u64)> {
        let ready = self
            .by_due
            .iter()
            .take_while(|(due, _)| *due <= now)
            .find(|(_, key)| self.gates.get(key).is_none_or(|gate| *gate <= observed_revision))
            .cloned()?;
        self.by_due.remove(&ready);
        self.gates.remove(&ready.1);
        let waiting = self.waiting.remove(&ready.1)?;
        Some((ready.1, waiting.cause))
    }

    /// When a key whose gate is open is due next.
    pub fn next_due(&self, observed_revision: u64) -> Option<SimTime> {
        self.by_due
            .iter()
            .find(|(_, key)| self.gates.get(key).is_none_or(|gate| *gate <= observed_revision))
            .map(|(due, _)| *due)
    }

    /// Takes a key out, whether due or not.
    pub fn remove(&mut self, key: &Key) {
        if let Some(waiting) = self.waiting.remove(key) {
            self.by_due.remove(&(waiting.due, key.clone()));
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.waiting.len() as u64);
        for (key, waiting) in &self.waiting {
            hasher.text(&key.to_string());
            hasher.number(waiting.due.as_micros());
        }
        hasher.number(self.gates.len() as u64);
        for (key, revision) in &self.gates {
            hasher.text(&key.to_string());
            hasher.number(*revision);
        }
        hasher.number(self.failures.len() as u64);
        for (key, failures) in &self.failures {
            hasher.text(&key.to_string());
            hasher.number(u64::from(*failures));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    fn key(name: &str) -> Key {
        Key::new(Kind::Pod, "default", name)
    }

    #[test]
    fn a_key_waits_once_and_the_earlier_time_wins() {
        let mut queue = WorkQueue::default();
        queue.add(key("a"), SimTime(9), 1);
        queue.add(key("b"), SimTime(5), 2);
        queue.add(key("a"), SimTime(3), 3);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.pop(SimTime(2), 0), None);
        assert_eq!(queue.pop(SimTime(9), 0), Some((key("a"), 3)));
        assert_eq!(queue.pop(SimTime(9), 0), Some((key("b"), 2)));
    }

    #[test]
    fn a_gate_opens_with_the_revision() {
        let mut queue = WorkQueue::default();
        queue.add(key("a"), SimTime(0), 0);
        queue.gate(&key("a"), 7);
        assert_eq!(queue.pop(SimTime(1), 6), None);
        assert_eq!(queue.next_due(6), None);
        assert!(queue.pop(SimTime(1), 7).is_some());
    }

    #[test]
    fn failures_back_off() {
        let mut queue = WorkQueue::default();
        queue.add_rate_limited(key("a"), SimTime(0), 0);
        assert_eq!(queue.next_due(0), Some(SimTime(5_000)));
        queue.pop(SimTime(5_000), 0);
        queue.add_rate_limited(key("a"), SimTime(0), 0);
        assert_eq!(queue.next_due(0), Some(SimTime(10_000)));
    }
}
