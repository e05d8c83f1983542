//! The shared informers of one process: what it has observed so far.

use super::PodIndex;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object, Resource};
use crate::etcd::{Event, EventType, Key};
use std::sync::Arc;

/// One list+watch a process keeps open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    pub kind: Kind,
    /// `spec.nodeName=…` for Pods, `metadata.name=…` for Nodes and Leases: what a kubelet asks for.
    pub node: Option<Arc<str>>,
    /// Whether somebody asks for [`Caches::pods`].
    pub indexed: bool,
}

impl Watch {
    pub fn all(kind: Kind) -> Watch {
        Watch {
            kind,
            node: None,
            indexed: false,
        }
    }

    /// Like [`Watch::all`], for who asks for [`Caches::pods`].
    pub fn indexed(kind: Kind) -> Watch {
        Watch {
            indexed: kind == Kind::Pod,
            ..Watch::all(kind)
        }
    }

    pub fn of_node(kind: Kind, node: &str) -> Watch {
        Watch {
            node: Some(node.into()),
            ..Watch::all(kind)
        }
    }

    /// Whether an object belongs to this watch.
    pub fn selects(&self, object: &Object) -> bool {
        if object.kind() != self.kind {
            return false;
        }
        let Some(node) = &self.node else { return true };
        match object {
            Object::Pod(pod) => pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node),
            other => other.name() == &**node,
        }
    }
}

/// A change as an informer's handler sees it. At least one side is there; both for an update.
#[derive(Clone, Debug)]
pub struct Change {
    pub key: Key,
    pub old: Option<Object>,
    pub new: Option<Object>,
    /// The request that caused it, zero for an initial list.
    pub request: u64,
}

impl Change {
    /// The newest state known, the last one for a deletion.
    pub fn object(&self) -> &Object {
        match (&self.new, &self.old) {
            (Some(object), _) | (None, Some(object)) => object,
            (None, None) => unreachable!("a change has at least one side"),
        }
    }
}

/// Everything one process has observed.
#[derive(Clone, Debug, Default)]
pub struct Caches {
    watches: Vec<Watch>,
    objects: SortedMap<Key, Object>,
    pods: PodIndex,
    /// Every write up to this revision has been observed.
    pub revision: u64,
}

impl Caches {
    pub fn new(watches: Vec<Watch>) -> Caches {
        Caches {
            watches,
            ..Caches::default()
        }
    }

    pub fn watches(&self) -> &[Watch] {
        &self.watches
    }

    fn selects(&self, object: &Object) -> bool {
        self.watches.iter().any(|watch| watch.selects(object))
    }

    /// Takes in one watch event; none if it changes nothing here (a duplicate, or not selected).
    /// An object that stops matching arrives as a deletion, as from the API server's watch cache.
    pub fn observe(&mut self, event: &Event) -> Option<Change> {
        let known = self.objects.get(&event.key);
        if known.is_some_and(|known| known.revision() >= event.revision) {
            return None;
        }
        let selected = event.event_type == EventType::Put && self.selects(&event.object);
        let (old, new) = if selected {
            (
                self.objects.insert(event.key.clone(), event.object.clone()),
                Some(event.object.clone()),
            )
        } else {
            let old = self.objects.remove(&event.key)?;
            (Some(old), None)
        };
        let change = Change {
            key: event.key.clone(),
            old,
            new,
            request: event.request,
        };
        self.arrange(&change);
        Some(change)
    }

    fn arrange(&mut self, change: &Change) {
        if change.key.kind == Kind::Pod && self.watches.iter().any(|watch| watch.indexed) {
            self.pods.observe(change);
        }
    }

    /// Replaces everything by a fresh list taken at `revision`; answers what turned out different.
    pub fn relist(&mut self, objects: impl Iterator<Item = (Key, Object)>, revision: u64) -> Vec<Change> {
        let listed: SortedMap<Key, Object> = objects.filter(|(_, object)| self.selects(object)).collect();
        let mut changes = Vec::new();
        for (key, old) in &self.objects {
            if !listed.contains_key(key) {
                changes.push(Change {
                    key: key.clone(),
                    old: Some(old.clone()),
                    new: None,
                    request: 0,
                });
            }
        }
        for (key, object) in &listed {
            let old = self.objects.get(key).cloned();
            if old.as_ref().is_none_or(|old| old.revision() != object.revision()) {
                changes.push(Change {
                    key: key.clone(),
                    old,
                    new: Some(object.clone()),
                    request: 0,
                });
            }
        }
        self.objects = listed;
        self.revision = revision;
        changes.iter().for_each(|change| self.arrange(change));
        changes
    }

    pub fn get_object(&self, key: &Key) -> Option<&Object> {
        self.objects.get(key)
    }

    pub fn get<T: Resource>(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.objects
            .get(&Key::new(T::OF_KIND, namespace, name))
            .and_then(T::from_object)
    }

    /// The Pods by what controls them and by node. Empty without [`Watch::indexed`].
    pub fn pods(&self) -> &PodIndex {
        &self.pods
    }

    /// The object a key names, as its type.
    pub fn by_key<T: Resource>(&self, key: &Key) -> Option<&Arc<T>> {
        self.objects.get(key).and_then(T::from_object)
    }

    /// All objects of a type in key order; of one namespace unless it is empty.
    pub fn list<'a, T: Resource>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<T>> + use<'a, T> {
        let namespace: Arc<str> = namespace.into();
        let start = Key {
            kind: T::OF_KIND,
            namespace: namespace.clone(),
            name: "".into(),
        };
        self.objects
            .range(start..)
            .take_while(move |(key, _)| {
                key.kind == T::OF_KIND && (namespace.is_empty() || key.namespace == namespace)
            })
            .filter_map(|(_, object)| T::from_object(object))
    }

    pub fn keys(&self, kind: Kind) -> impl Iterator<Item = &Key> {
        let start = Key::new(kind, "", "");
        self.objects
            .range(start..)
            .map(|(key, _)| key)
            .take_while(move |key| key.kind == kind)
    }

    /// The keys of one kind in one namespace.
    pub fn keys_in(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Key> {
        let start = Key::new(kind, namespace, "");
        let of = start.namespace.clone();
        self.objects
            .range(start..)
            .map(|(key, _)| key)
            .take_while(move |key| key.kind == kind && key.namespace == of)
    }

    /// Everything observed, in key order.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Object)> {
        self.objects.iter()
    }
}
