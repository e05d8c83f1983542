//! Which owners a changed Pod matters to.

use crate::api::{Kind, Object};
use crate::client::Change;
use crate::client::helpers::{controller_of, selector_matches};
use crate::etcd::Key;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

/// Marks the owners to look at after a change of a Pod: its own, or for an orphan those of
/// `selecting`, whose selectors match it.
pub fn mark(
    owner_kind: Kind,
    change: &Change,
    selecting: &mut dyn Iterator<Item = &ObjectMeta>,
    dirty: &mut Vec<Key>,
) {
    owner_keys(owner_kind, change, dirty);
    let orphan = |pod: &Object| controller_of(pod.meta()).is_none();
    if change.new.as_ref().is_some_and(orphan) {
        let key = |meta: &ObjectMeta| {
            Key::new(
                owner_kind,
                &change.key.namespace,
                meta.name.as_deref().unwrap_or(""),
            )
        };
        dirty.extend(selecting.map(key));
    }
}

/// [`mark`] among owners with their selectors; `pod` is what changed.
pub fn mark_selected(
    owner_kind: Kind,
    change: &Change,
    pod: &Pod,
    owners: &mut dyn Iterator<Item = (&ObjectMeta, &LabelSelector)>,
    dirty: &mut Vec<Key>,
) {
    let labels = pod.metadata.labels.as_ref();
    let selecting = owners.filter(|(_, selector)| selector_matches(selector, labels));
    mark(owner_kind, change, &mut selecting.map(|(meta, _)| meta), dirty);
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
