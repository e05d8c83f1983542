//! Which managers each stored object has, beside the store: typed callers never need them, so they are computed only
//! when an object leaves over HTTP.

use super::patch::{Managed, ManagedFields, Manager};
use crate::api::Object;
use crate::api::codec;
use crate::api::sorted::SortedMap;
use crate::etcd::Key;
use crate::sim::{SimTime, StateHasher};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many past versions keep their managers, for watches that lag.
const MOST_PAST: usize = 4096;

/// How many bytes of encoded objects are kept for the next reader.
const MOST_WRITTEN: usize = 16 * 1024 * 1024;

/// Objects as they last left over HTTP, managed fields included. Nothing depends on what is in it, and a copy of
/// the machine starts without.
#[derive(Debug, Default)]
struct Written(Arc<Mutex<Encoded>>);

#[derive(Debug, Default)]
pub struct Encoded {
    /// By revision; beside the bytes the very object they are of.
    by_revision: SortedMap<u64, (Object, Arc<[u8]>)>,
    bytes: usize,
}

impl Clone for Written {
    fn clone(&self) -> Written {
        Written::default()
    }
}

impl Encoded {
    fn get(&self, object: &Object) -> Option<Arc<[u8]>> {
        let (own, bytes) = self.by_revision.get(&object.revision())?;
        own.same(object).then(|| bytes.clone())
    }

    fn keep(&mut self, object: Object, bytes: Arc<[u8]>) {
        self.bytes += bytes.len();
        if let Some((_, former)) = self.by_revision.insert(object.revision(), (object, bytes)) {
            self.bytes -= former.len();
        }
        while self.bytes > MOST_WRITTEN {
            let Some((_, (_, oldest))) = self.by_revision.pop_first() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }
}

/// An object on its way out: as it left before, or what it takes to write it.
#[derive(Debug)]
pub enum Outgoing {
    Written(Arc<[u8]>),
    Unwritten {
        object: Object,
        managed: Managed,
        written: Arc<Mutex<Encoded>>,
    },
}

impl Outgoing {
    /// What `encode` makes of the object and its managed fields, once for everybody who reads this version.
    pub fn bytes(self, encode: impl FnOnce(&Object, Option<&str>) -> Vec<u8>) -> Arc<[u8]> {
        match self {
            Outgoing::Written(bytes) => bytes,
            Outgoing::Unwritten {
                object,
                managed,
                written,
            } => {
                let bytes: Arc<[u8]> = encode(&object, managed.json().as_deref()).into();
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.keep(object, bytes.clone());
                bytes
            }
        }
    }
}

/// The managers of all objects.
#[derive(Clone, Debug, Default)]
pub struct Managers {
    current: SortedMap<Key, Managed>,
    /// By revision, oldest first.
    past: VecDeque<(u64, Managed)>,
    written: Written,
}

impl Managers {
    /// The managers of an object as it was read.
    pub fn of(&self, object: &Object) -> Managed {
        let revision = object.revision();
        let at = self.past.partition_point(|(past, _)| *past < revision);
        match self.past.get(at) {
            Some((past, managed)) if *past == revision => managed.clone(),
            _ => self.present(&Key::of(object)),
        }
    }

    /// The managers of what is stored now.
    pub fn present(&self, key: &Key) -> Managed {
        self.current.get(key).cloned().unwrap_or_default()
    }

    /// `metadata.managedFields` as JSON; nothing for an object without managers.
    pub fn json(&self, object: &Object) -> Option<Arc<str>> {
        if let Some(own) = &object.meta().managed_fields {
            return Some(codec::to_json(own).into());
        }
        self.of(object).json()
    }

    /// An object that is to be written with its managed fields.
    pub fn outgoing(&self, object: &Object) -> Outgoing {
        // A dry run's object carries its managers, and is stored nowhere.
        if object.meta().managed_fields.is_some() || object.revision() == 0 {
            let mut out = Vec::new();
            object.write_json(&mut out);
            return Outgoing::Written(out.into());
        }
        let written = &self.written.0;
        let known = written.lock().unwrap_or_else(PoisonError::into_inner).get(object);
        match known {
            Some(bytes) => Outgoing::Written(bytes),
            None => Outgoing::Unwritten {
                object: object.clone(),
                managed: self.of(object),
                written: written.clone(),
            },
        }
    }

    /// Notes the managers of a version just written.
    pub fn set(&mut self, key: Key, revision: u64, managed: Managed) {
        self.remember(revision, managed.clone());
        self.current.insert(key, managed);
    }

    /// Notes a write that is no manager's, such as a binding or the mark of a deletion.
    pub fn kept(&mut self, key: &Key, revision: u64) {
        if let Some(managed) = self.current.get(key).cloned() {
            self.remember(revision, managed);
        }
    }

    /// Notes a deletion; the deleted object's last version keeps its managers for a while.
    pub fn removed(&mut self, key: &Key, revision: u64) {
        if let Some(managed) = self.current.remove(key) {
            self.remember(revision, managed);
        }
    }

    fn remember(&mut self, revision: u64, managed: Managed) {
        if self.past.back().is_some_and(|(last, _)| *last >= revision) {
            return;
        }
        self.past.push_back((revision, managed));
        if self.past.len() > MOST_PAST {
            self.past.pop_front();
        }
    }

    /// Notes what a write by a manager did to an object: `asked` is what the client wanted, `written` what was stored.
    pub fn wrote(
        &mut self,
        old: Option<Object>,
        asked: Object,
        written: &Object,
        manager: Manager,
        now: SimTime,
    ) {
        let key = Key::of(written);
        let before = if old.is_some() {
            self.present(&key)
        } else {
            Managed::default()
        };
        self.set(
            key,
            written.revision(),
            before.updated(old, asked, manager, now.meta_time()),
        );
    }

    pub fn hash(&self, hasher: &mut StateHasher) {
        for (key, managed) in &self.current {
            hasher.text(&key.to_string());
            hasher.text(managed.json().as_deref().unwrap_or(""));
        }
    }

    /// The managers after a dry run.
    pub fn would_be(
        &self,
        old: Option<Object>,
        asked: Object,
        manager: Manager,
        now: SimTime,
    ) -> Arc<ManagedFields> {
        let before = old.as_ref().map(|old| self.of(old)).unwrap_or_default();
        before.updated(old, asked, manager, now.meta_time()).get()
    }
}
