//! Which Pods a controller's objects manage, kept up to date change by change.

use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::client::Change;
use crate::client::helpers::{controller_of, selector_matches};
use crate::etcd::Key;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use std::sync::Arc;

type ByName = SortedMap<Arc<str>, Arc<Pod>>;

/// Pods by the uid of the object of one kind that controls them, and those nobody controls.
#[derive(Clone, Debug)]
pub struct OwnedPods {
    owner_kind: Kind,
    owned: SortedMap<String, ByName>,
    orphans: SortedMap<Arc<str>, ByName>,
}

impl OwnedPods {
    pub fn new(owner_kind: Kind) -> OwnedPods {
        OwnedPods {
            owner_kind,
            owned: SortedMap::new(),
            orphans: SortedMap::new(),
        }
    }

    /// Takes in a change of a Pod.
    pub fn observe(&mut self, change: &Change) {
        let side = |object: &Option<Object>| object.as_ref().and_then(|object| object.get::<Pod>()).cloned();
        let (old, new) = (side(&change.old), side(&change.new));
        if let Some(old) = old {
            match controller_of(&old.metadata) {
                Some(owner) if owner.kind == self.owner_kind.name() => {
                    remove(&mut self.owned, &owner.uid, &change.key.name)
                }
                Some(_) => {}
                None => remove(&mut self.orphans, &*change.key.namespace, &change.key.name),
            }
        }
        if let Some(new) = new {
            let name = change.key.name.clone();
            match controller_of(&new.metadata) {
                Some(owner) if owner.kind == self.owner_kind.name() => {
                    if let Some(pods) = self.owned.get_mut(&owner.uid) {
                        pods.insert(name, new);
                    } else {
                        let uid = owner.uid.clone();
                        self.owned.entry(uid).or_default().insert(name, new);
                    }
                }
                Some(_) => {}
                None => {
                    self.orphans
                        .entry(change.key.namespace.clone())
                        .or_default()
                        .insert(name, new);
                }
            }
        }
    }

    /// Takes in a change of a Pod, and marks the owners to look at: its own, or for an orphan those
    /// of `selecting`, whose selectors match it.
    pub fn mark(
        &mut self,
        change: &Change,
        selecting: &mut dyn Iterator<Item = &ObjectMeta>,
        dirty: &mut Vec<Key>,
    ) {
        self.observe(change);
        owner_keys(self.owner_kind, change, dirty);
        let orphan = |pod: &Object| controller_of(pod.meta()).is_none();
        if change.new.as_ref().is_some_and(orphan) {
            let key = |meta: &ObjectMeta| {
                Key::new(
                    self.owner_kind,
                    &change.key.namespace,
                    meta.name.as_deref().unwrap_or(""),
                )
            };
            dirty.extend(selecting.map(key));
        }
    }

    /// [`OwnedPods::mark`] among owners with their selectors; `pod` is what changed.
    pub fn mark_selected(
        &mut self,
        change: &Change,
        pod: &Pod,
        owners: &mut dyn Iterator<Item = (&ObjectMeta, &LabelSelector)>,
        dirty: &mut Vec<Key>,
    ) {
        let labels = pod.metadata.labels.as_ref();
        let selecting = owners.filter(|(_, selector)| selector_matches(selector, labels));
        self.mark(change, &mut selecting.map(|(meta, _)| meta), dirty);
    }

    /// The Pods an owner controls, by name.
    pub fn of<'a>(&'a self, uid: &str) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
        self.owned.get(uid).into_iter().flat_map(|pods| pods.values())
    }

    /// The Pods of a namespace that nobody controls, by name.
    pub fn orphans<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
        self.orphans
            .get(namespace)
            .into_iter()
            .flat_map(|pods| pods.values())
    }
}

fn remove<K: Ord + std::borrow::Borrow<Q>, Q: Ord + ?Sized>(
    map: &mut SortedMap<K, ByName>,
    group: &Q,
    name: &str,
) {
    if let Some(pods) = map.get_mut(group) {
        pods.remove(name);
        if pods.is_empty() {
            map.remove(group);
        }
    }
}

/// The keys of the owners of `owner_kind` that a changed Pod had or has.
pub fn owner_keys(owner_kind: Kind, change: &Change, dirty: &mut Vec<Key>) {
    let owner = |object: &Option<Object>| -> Option<Key> {
        let owner = controller_of(object.as_ref()?.meta())?;
        (owner.kind == owner_kind.name()).then(|| Key {
            kind: owner_kind,
            namespace: change.key.namespace.clone(),
            name: owner.name.as_str().into(),
        })
    };
    let (old, new) = (owner(&change.old), owner(&change.new));
    if old != new {
        dirty.extend(old);
    }
    dirty.extend(new);
}
