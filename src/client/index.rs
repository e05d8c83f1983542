//! Pods by what controls them and by their node, for who would otherwise look through all of them.
//!
//! Source: k8s.io/kubernetes/pkg/controller/controller_utils.go (`PodControllerIndex`,
//! `OrphanPodIndex`), pkg/controller/nodelifecycle (`nodeNameKeyIndex`).

use super::Change;
use super::helpers::{controller_of, pod_node};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::etcd::Key;
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;

type ByName = SortedMap<Arc<str>, Arc<Pod>>;
type ByKey = SortedMap<Key, Arc<Pod>>;

/// The Pods of a cache, arranged. No group is empty.
#[derive(Clone, Debug, Default)]
pub struct PodIndex {
    /// By the uid of the controller.
    owned: SortedMap<Arc<str>, ByName>,
    /// By namespace: those that nothing controls.
    orphans: SortedMap<Arc<str>, ByName>,
    by_node: SortedMap<Arc<str>, ByKey>,
}

fn owner(pod: &Pod) -> Option<&str> {
    controller_of(&pod.metadata).map(|owner| owner.uid.as_str())
}

fn put<K: Ord>(
    groups: &mut SortedMap<Arc<str>, SortedMap<K, Arc<Pod>>>,
    group: &str,
    key: K,
    pod: &Arc<Pod>,
) {
    match groups.get_mut(group) {
        Some(pods) => {
            pods.insert(key, pod.clone());
        }
        None => {
            groups.insert(group.into(), SortedMap::from([(key, pod.clone())]));
        }
    }
}

fn take<K: Ord>(groups: &mut SortedMap<Arc<str>, SortedMap<K, Arc<Pod>>>, group: &str, key: &K) {
    if let Some(pods) = groups.get_mut(group) {
        pods.remove(key);
        if pods.is_empty() {
            groups.remove(group);
        }
    }
}

impl PodIndex {
    /// Takes in a change of any kind.
    pub fn observe(&mut self, change: &Change) {
        let side =
            |object: &'_ Option<Object>| object.as_ref().and_then(|object| object.get::<Pod>()).cloned();
        let (old, new) = (side(&change.old), side(&change.new));
        let key = &change.key;
        if let Some(old) = &old {
            if new.as_ref().is_none_or(|new| owner(new) != owner(old)) {
                match owner(old) {
                    Some(uid) => take(&mut self.owned, uid, &key.name),
                    None => take(&mut self.orphans, &key.namespace, &key.name),
                }
            }
            if new.as_ref().is_none_or(|new| pod_node(new) != pod_node(old)) {
                take(&mut self.by_node, pod_node(old), key);
            }
        }
        if let Some(new) = &new {
            match owner(new) {
                Some(uid) => put(&mut self.owned, uid, key.name.clone(), new),
                None => put(&mut self.orphans, &key.namespace, key.name.clone(), new),
            }
            if !pod_node(new).is_empty() {
                put(&mut self.by_node, pod_node(new), key.clone(), new);
            }
        }
    }

    /// The Pods that an object of a kind controls, by name.
    pub fn of<'a>(&'a self, kind: Kind, uid: &str) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
        let of_kind = move |pod: &&Arc<Pod>| {
            controller_of(&pod.metadata).is_some_and(|owner| owner.kind == kind.name())
        };
        self.owned
            .get(uid)
            .into_iter()
            .flat_map(|pods| pods.values())
            .filter(of_kind)
    }

    /// The Pods of a namespace that nothing controls, by name.
    pub fn orphans<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
        self.orphans
            .get(namespace)
            .into_iter()
            .flat_map(|pods| pods.values())
    }

    /// The Pods bound to a node.
    pub fn on<'a>(&'a self, node: &str) -> impl Iterator<Item = (&'a Key, &'a Arc<Pod>)> + use<'a> {
        self.by_node.get(node).into_iter().flatten()
    }

    /// The names of the nodes that Pods are bound to.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_node.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(name: &str, owner: Value, node: &str) -> Object {
        let value = json!({
            "metadata": {"name": name, "namespace": "d", "ownerReferences": owner},
            "spec": {"containers": [], "nodeName": node},
        });
        Object::from_value(Kind::Pod, value).unwrap()
    }

    fn names<'a>(pods: impl Iterator<Item = &'a Arc<Pod>>) -> Vec<&'a str> {
        pods.map(|pod| pod.metadata.name.as_deref().unwrap()).collect()
    }

    #[test]
    fn pods_move_between_groups() {
        let set = |uid: &str| json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "s", "uid": uid, "controller": true}]);
        let (orphan, owned) = (pod("a", json!([]), ""), pod("a", set("1"), "n"));
        let mut index = PodIndex::default();
        let mut change = |old: Option<&Object>, new: Option<&Object>| {
            index.observe(&Change {
                key: Key::new(Kind::Pod, "d", "a"),
                old: old.cloned(),
                new: new.cloned(),
                request: 0,
            });
            let of = |kind| names(index.of(kind, "1")).len();
            assert_eq!(of(Kind::Job), 0, "the uid of another kind");
            let on = index.on("n").count();
            assert_eq!(index.nodes().count(), on);
            (of(Kind::ReplicaSet), names(index.orphans("d")).len(), on)
        };
        assert_eq!(change(None, Some(&orphan)), (0, 1, 0));
        assert_eq!(change(Some(&orphan), Some(&owned)), (1, 0, 1));
        assert_eq!(change(Some(&owned), Some(&owned)), (1, 0, 1));
        assert_eq!(change(Some(&owned), Some(&pod("a", set("2"), "n"))), (0, 0, 1));
        assert_eq!(change(Some(&pod("a", set("2"), "n")), None), (0, 0, 0));
        assert!(index.owned.is_empty() && index.orphans.is_empty() && index.by_node.is_empty());
    }
}
