//! The cabinet: a multi-version key-value store in the manner of etcd v3.
//!
//! One revision counter for everything; every write is a compare-and-set; a watch is a cursor into
//! a bounded history, so a reader that falls behind the compacted revision is told so instead of
//! silently missing events. Source of the semantics: etcd's API guarantees (etcd.io/docs, v3.5).

mod key;
mod lease;

use crate::api::sorted::SortedMap;
pub use key::Key;
pub use lease::{LeaseId, Leases};

use crate::api::{Kind, Object};
use crate::sim::StateHasher;
use std::collections::VecDeque;
use std::sync::Arc;

/// A value with the revisions etcd keeps beside it.
#[derive(Clone, Debug)]
pub struct Versioned {
    pub object: Object,
    pub create_revision: u64,
    pub mod_revision: u64,
    /// How many times this key was written since it was created.
    pub version: u64,
}

/// What a write did to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    Put,
    Delete,
}

/// One entry of the history.
#[derive(Clone, Debug)]
pub struct Event {
    pub revision: u64,
    pub event_type: EventType,
    pub key: Key,
    /// The value after a put, the last value for a delete (with the delete's revision).
    pub object: Object,
    /// The value before; none for a creation.
    pub previous: Option<Object>,
    /// Which request wrote it: the causal chain of the page's request log.
    pub request: u64,
}

/// Why a compare-and-set did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnError {
    /// The key is there already.
    Exists,
    /// There is no such key.
    NotFound,
    /// The key was written since: its present `mod_revision`.
    Changed(u64),
}

/// The history before `compact_revision` is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    pub compact_revision: u64,
}

/// How many events the history holds before the oldest are compacted.
pub const DEFAULT_HISTORY: usize = 100_000;

/// The store.
#[derive(Clone, Debug)]
pub struct Store {
    revision: u64,
    compact_revision: u64,
    values: SortedMap<Key, Versioned>,
    /// Shared chunks, so that a checkpoint of the machine does not copy the history.
    history: VecDeque<Arc<Event>>,
    history_limit: usize,
    counts: SortedMap<Kind, usize>,
    pub leases: Leases,
}

impl Default for Store {
    fn default() -> Self {
        // A fresh etcd answers its first write with revision 2: 1 is the empty store.
        Store {
            revision: 1,
            compact_revision: 0,
            values: SortedMap::new(),
            history: VecDeque::new(),
            history_limit: DEFAULT_HISTORY,
            counts: SortedMap::new(),
            leases: Leases::default(),
        }
    }
}

impl Store {
    pub fn with_history_limit(limit: usize) -> Self {
        Store {
            history_limit: limit.max(1),
            ..Store::default()
        }
    }

    /// The revision of the last write.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Events at or before this revision are gone.
    pub fn compact_revision(&self) -> u64 {
        self.compact_revision
    }

    pub fn get(&self, key: &Key) -> Option<&Versioned> {
        self.values.get(key)
    }

    /// Every value of a kind, in key order; of one namespace if it is not empty.
    pub fn range<'a>(
        &'a self,
        kind: Kind,
        namespace: &str,
    ) -> impl Iterator<Item = (&'a Key, &'a Versioned)> {
        let namespace: Arc<str> = namespace.into();
        let start = Key {
            kind,
            namespace: namespace.clone(),
            name: "".into(),
        };
        self.values.range(start..).take_while(move |(key, _)| {
            key.kind == kind && (namespace.is_empty() || key.namespace == namespace)
        })
    }

    /// Like [`Store::range`], from the key after `after`.
    pub fn range_after<'a>(
        &'a self,
        after: &Key,
        namespace: &str,
    ) -> impl Iterator<Item = (&'a Key, &'a Versioned)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let (kind, namespace): (Kind, Arc<str>) = (after.kind, namespace.into());
        self.values
            .range((Excluded(after.clone()), Unbounded))
            .take_while(move |(key, _)| {
                key.kind == kind && (namespace.is_empty() || key.namespace == namespace)
            })
    }

    /// The values of a kind as they were at `revision`, by undoing what came since.
    pub fn range_at(
        &self,
        kind: Kind,
        namespace: &str,
        revision: u64,
    ) -> Result<SortedMap<Key, Object>, Compacted> {
        if revision < self.compact_revision {
            return Err(Compacted {
                compact_revision: self.compact_revision,
            });
        }
        let mut values: SortedMap<Key, Object> = self
            .range(kind, namespace)
            .map(|(key, value)| (key.clone(), value.object.clone()))
            .collect();
        for event in self
            .history
            .iter()
            .rev()
            .take_while(|event| event.revision > revision)
        {
            if event.key.kind != kind || !(namespace.is_empty() || &*event.key.namespace == namespace) {
                continue;
            }
            match &event.previous {
                Some(previous) => values.insert(event.key.clone(), previous.clone()),
                None => values.remove(&event.key),
            };
        }
        Ok(values)
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// Writes a key that must not exist. The object's `resourceVersion` becomes the new revision.
    pub fn create(&mut self, key: Key, object: Object, request: u64) -> Result<Object, TxnError> {
        if self.values.contains_key(&key) {
            return Err(TxnError::Exists);
        }
        let object = self.stamp(object);
        let value = Versioned {
            object: object.clone(),
            create_revision: self.revision,
            mod_revision: self.revision,
            version: 1,
        };
        self.values.insert(key.clone(), value);
        *self.counts.entry(key.kind).or_default() += 1;
        self.record(EventType::Put, key, object.clone(), None, request);
        Ok(object)
    }

    /// Writes a key whose last write was `expected_revision`.
    pub fn update(
        &mut self,
        key: &Key,
        object: Object,
        expected_revision: u64,
        request: u64,
    ) -> Result<Object, TxnError> {
        self.compare(key, expected_revision)?;
        let object = self.stamp(object);
        let revision = self.revision;
        let Some(value) = self.values.get_mut(key) else {
            return Err(TxnError::NotFound);
        };
        let previous = std::mem::replace(&mut value.object, object.clone());
        value.mod_revision = revision;
        value.version += 1;
        self.record(
            EventType::Put,
            key.clone(),
            object.clone(),
            Some(previous),
            request,
        );
        Ok(object)
    }

    /// Deletes a key whose last write was `expected_revision`; answers its last value, stamped with
    /// the revision of the deletion as a watcher sees it.
    pub fn delete(&mut self, key: &Key, expected_revision: u64, request: u64) -> Result<Object, TxnError> {
        self.compare(key, expected_revision)?;
        let Some(value) = self.values.remove(key) else {
            return Err(TxnError::NotFound);
        };
        *self.counts.entry(key.kind).or_default() -= 1;
        let previous = value.object.clone();
        let object = self.stamp(value.object);
        self.record(
            EventType::Delete,
            key.clone(),
            object.clone(),
            Some(previous),
            request,
        );
        Ok(object)
    }

    fn compare(&self, key: &Key, expected_revision: u64) -> Result<(), TxnError> {
        match self.values.get(key) {
            None => Err(TxnError::NotFound),
            Some(value) if value.mod_revision != expected_revision => {
                Err(TxnError::Changed(value.mod_revision))
            }
            Some(_) => Ok(()),
        }
    }

    /// Takes the next revision and writes it into the object.
    fn stamp(&mut self, mut object: Object) -> Object {
        self.revision += 1;
        object.meta_mut().resource_version = Some(self.revision.to_string());
        object
    }

    fn record(
        &mut self,
        event_type: EventType,
        key: Key,
        object: Object,
        previous: Option<Object>,
        request: u64,
    ) {
        let event = Event {
            revision: self.revision,
            event_type,
            key,
            object,
            previous,
            request,
        };
        self.history.push_back(Arc::new(event));
        while self.history.len() > self.history_limit {
            if let Some(oldest) = self.history.pop_front() {
                self.compact_revision = oldest.revision;
            }
        }
    }

    /// The events after `revision`, oldest first.
    pub fn since(&self, revision: u64) -> Result<impl Iterator<Item = &Arc<Event>> + '_, Compacted> {
        if revision < self.compact_revision {
            return Err(Compacted {
                compact_revision: self.compact_revision,
            });
        }
        // Every write takes one revision and is one event.
        let oldest = self.history.front().map_or(0, |event| event.revision);
        let start = revision.saturating_add(1).saturating_sub(oldest) as usize;
        Ok(self.history.range(start.min(self.history.len())..))
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Forgets the history at and before `revision`.
    pub fn compact(&mut self, revision: u64) {
        let revision = revision.min(self.revision);
        while self
            .history
            .front()
            .is_some_and(|event| event.revision <= revision)
        {
            self.history.pop_front();
        }
        self.compact_revision = self.compact_revision.max(revision);
    }

    /// Every stored value, for etcdctl and the state hash.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Versioned)> {
        self.values.iter()
    }

    /// Adds everything that matters for what happens next.
    pub fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.revision);
        hasher.number(self.compact_revision);
        for (key, value) in &self.values {
            hasher.text(&key.to_string());
            hasher.number(value.mod_revision);
            hasher.text(&value.object.to_value().to_string());
        }
        self.leases.hash(hasher);
    }
}

#[cfg(test)]
mod tests;
