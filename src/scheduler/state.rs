//! The scheduler's cache: nodes with the Pods on them, and the queue of Pods that wait.
//!
//! Source: pkg/scheduler/backend/cache and backend/queue; kept up change by change, so that one
//! decision costs nothing for what did not change.

use super::info::{ClassId, NodeInfo, PodInfo};
use crate::api::Object;
use crate::api::sorted::SortedMap;
use crate::client::Change;
use crate::client::helpers::{Labels, pod_is_terminal, pod_node};
use crate::etcd::Key;
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{Node, Pod};
use std::cmp::Reverse;
use std::sync::Arc;

/// Source: pkg/apis/core, `DefaultSchedulerName`.
const SCHEDULER_NAME: &str = "default-scheduler";

/// One class of Pods that no selector can tell apart.
#[derive(Clone, Debug)]
pub struct Class {
    pub namespace: Arc<str>,
    pub labels: Arc<Labels>,
    members: usize,
}

/// The classes of all Pods known.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    ids: SortedMap<(Arc<str>, Arc<Labels>), ClassId>,
    rows: Vec<Class>,
    free: Vec<ClassId>,
}

impl Classes {
    fn join(&mut self, namespace: &Arc<str>, labels: &Labels) -> ClassId {
        let key = (namespace.clone(), Arc::new(labels.clone()));
        if let Some(&id) = self.ids.get(&key) {
            self.rows[id as usize].members += 1;
            return id;
        }
        let class = Class {
            namespace: key.0.clone(),
            labels: key.1.clone(),
            members: 1,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.rows[id as usize] = class;
                id
            }
            None => {
                self.rows.push(class);
                (self.rows.len() - 1) as ClassId
            }
        };
        self.ids.insert(key, id);
        id
    }

    fn leave(&mut self, id: ClassId) {
        let Some(class) = self.rows.get_mut(id as usize) else {
            return;
        };
        class.members -= 1;
        if class.members == 0 {
            self.ids.remove(&(class.namespace.clone(), class.labels.clone()));
            self.free.push(id);
        }
    }

    /// For every class whether `test` accepts it.
    pub fn matching(&self, test: impl Fn(&Class) -> bool) -> Vec<bool> {
        self.rows
            .iter()
            .map(|class| class.members > 0 && test(class))
            .collect()
    }
}

/// The order of the queue: higher priority first, then who came first.
type Place = (Reverse<i32>, SimTime, Key);

/// Everything the scheduler derives from what it observes.
#[derive(Clone, Debug, Default)]
pub struct SchedulerState {
    pub(super) nodes: Vec<Arc<NodeInfo>>,
    by_name: SortedMap<Arc<str>, usize>,
    pub(super) classes: Classes,
    /// Pods that hold a place on a node, whether or not that node is known.
    assigned: SortedMap<Key, (Arc<PodInfo>, Arc<str>)>,
    queue: SortedMap<Place, Arc<PodInfo>>,
    waiting: SortedMap<Key, Place>,
    /// Waiting Pods for which room is being made, with the node's name.
    nominated: SortedMap<Key, Arc<str>>,
    /// On how many nodes each image is.
    pub(super) image_nodes: SortedMap<String, i64>,
    pub(super) nodes_with_prefer_taints: usize,
    pub(super) nodes_with_affinity_pods: usize,
    /// Rises with every change that may make room for a Pod that did not fit.
    pub(super) generation: u64,
    /// Rises with every Pod that is placed: it may be the neighbour that another one asks for.
    pub(super) placed: u64,
}

fn waits(pod: &Pod) -> bool {
    let Some(spec) = &pod.spec else { return false };
    spec.node_name.as_deref().unwrap_or("").is_empty()
        && spec.scheduler_name.as_deref().unwrap_or(SCHEDULER_NAME) == SCHEDULER_NAME
        && spec.scheduling_gates.as_ref().is_none_or(Vec::is_empty)
        && pod.metadata.deletion_timestamp.is_none()
        && !pod_is_terminal(pod)
}

impl SchedulerState {
    /// Takes in a change; true if the queue should be looked at.
    pub fn observe(&mut self, change: &Change) -> bool {
        match change.object() {
            Object::Pod(_) => self.observe_pod(change),
            Object::Node(_) => self.observe_node(change),
            _ => self.generation += 1,
        }
        !self.queue.is_empty()
    }

    fn observe_pod(&mut self, change: &Change) {
        if let Some(place) = self.waiting.remove(&change.key)
            && let Some(info) = self.queue.remove(&place)
        {
            self.classes.leave(info.class);
            self.nominated.remove(&change.key);
        }
        let new = change.new.as_ref().and_then(|object| object.get::<Pod>());
        let node = new
            .filter(|pod| !pod_is_terminal(pod))
            .map_or("", |pod| pod_node(pod));
        let same_place = !node.is_empty()
            && self
                .assigned
                .get(&change.key)
                .is_some_and(|(_, known)| **known == *node);
        if same_place && let Some(pod) = new {
            self.refresh(&change.key, pod);
            return;
        }
        if let Some((info, node)) = self.assigned.remove(&change.key) {
            self.on_node(&node, |node| node.remove_pod(&change.key));
            self.classes.leave(info.class);
            self.generation += 1;
        }
        let Some(pod) = new else { return };
        if !node.is_empty() {
            let info = self.info(&change.key, pod);
            self.place(info, node.into());
        } else if waits(pod) {
            let info = self.info(&change.key, pod);
            if let Some(node) = pod
                .status
                .as_ref()
                .and_then(|status| status.nominated_node_name.as_deref())
            {
                self.nominated.insert(change.key.clone(), node.into());
            }
            let place = (Reverse(info.priority), info.created, change.key.clone());
            self.waiting.insert(change.key.clone(), place.clone());
            self.queue.insert(place, info);
        }
    }

    /// A Pod on its node changed: most changes are reports that mean nothing here.
    fn refresh(&mut self, key: &Key, pod: &Arc<Pod>) {
        let Some((known, node)) = self.assigned.get(key).cloned() else {
            return;
        };
        let same = known.pod.metadata.labels == pod.metadata.labels
            && known.terminating == pod.metadata.deletion_timestamp.is_some()
            && known.pod.spec == pod.spec;
        if same {
            return;
        }
        self.on_node(&node, |info| info.remove_pod(key));
        self.classes.leave(known.class);
        self.generation += 1;
        let info = self.info(key, pod);
        self.place(info, node);
    }

    fn info(&mut self, key: &Key, pod: &Arc<Pod>) -> Arc<PodInfo> {
        let none = Labels::new();
        let class = self
            .classes
            .join(&key.namespace, pod.metadata.labels.as_ref().unwrap_or(&none));
        Arc::new(PodInfo::new(key.clone(), class, pod))
    }

    fn place(&mut self, info: Arc<PodInfo>, node: Arc<str>) {
        self.on_node(&node, |node| node.add_pod(&info));
        self.assigned.insert(info.key.clone(), (info, node));
        self.placed += 1;
    }

    fn on_node(&mut self, name: &str, change: impl FnOnce(&mut NodeInfo)) {
        let Some(&at) = self.by_name.get(name) else { return };
        let node = Arc::make_mut(&mut self.nodes[at]);
        let before = node.with_affinity > 0;
        change(node);
        let after = node.with_affinity > 0;
        self.nodes_with_affinity_pods += usize::from(after);
        self.nodes_with_affinity_pods -= usize::from(before);
    }

    fn observe_node(&mut self, change: &Change) {
        let known = self.by_name.get(&*change.key.name).copied();
        if let Some(at) = known {
            let old = self.nodes[at].clone();
            self.nodes_with_prefer_taints -= usize::from(old.prefer_taints);
            self.count_images(&old, -1);
        }
        match (known, change.new.as_ref().and_then(|object| object.get::<Node>())) {
            (Some(at), Some(node)) => {
                let old = self.nodes[at].clone();
                Arc::make_mut(&mut self.nodes[at]).set_node(node);
                if scheduling_differs(&old, &self.nodes[at]) {
                    self.generation += 1;
                }
            }
            (None, Some(node)) => {
                let mut info = NodeInfo::new(node);
                for (pod, name) in self.assigned.values() {
                    if **name == *change.key.name {
                        info.add_pod(pod);
                    }
                }
                self.nodes_with_affinity_pods += usize::from(info.with_affinity > 0);
                self.by_name.insert(change.key.name.clone(), self.nodes.len());
                self.nodes.push(Arc::new(info));
                self.generation += 1;
            }
            (Some(at), None) => {
                let info = self.nodes.remove(at);
                self.nodes_with_affinity_pods -= usize::from(info.with_affinity > 0);
                self.by_name = self
                    .nodes
                    .iter()
                    .enumerate()
                    .map(|(at, node)| (node.name.clone(), at))
                    .collect();
                self.generation += 1;
                return;
            }
            (None, None) => return,
        }
        if let Some(&at) = self.by_name.get(&*change.key.name) {
            let info = self.nodes[at].clone();
            self.nodes_with_prefer_taints += usize::from(info.prefer_taints);
            self.count_images(&info, 1);
        }
    }

    fn count_images(&mut self, node: &NodeInfo, by: i64) {
        for name in node.images.keys() {
            match self.image_nodes.get_mut(name) {
                Some(count) => *count += by,
                None => {
                    self.image_nodes.insert(name.clone(), by);
                }
            }
        }
    }

    /// The waiting Pods, first of the queue first.
    pub fn queue(&self) -> impl Iterator<Item = &Arc<PodInfo>> {
        self.queue.values()
    }

    /// A waiting or placed Pod.
    pub fn pod(&self, key: &Key) -> Option<&Arc<PodInfo>> {
        match self.waiting.get(key) {
            Some(place) => self.queue.get(place),
            None => self.assigned.get(key).map(|(info, _)| info),
        }
    }

    /// The waiting Pods that are expected on a node, by its index.
    pub(super) fn nominated(&self) -> SortedMap<usize, Vec<Arc<PodInfo>>> {
        let mut by_node: SortedMap<usize, Vec<Arc<PodInfo>>> = SortedMap::new();
        for (key, name) in &self.nominated {
            if let (Some(at), Some(info)) = (self.node_at(name), self.pod(key)) {
                by_node.entry(at).or_default().push(info.clone());
            }
        }
        by_node
    }

    pub(super) fn node_at(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The indexes of the nodes in the order they are tried: one zone after the other, in turn.
    /// Source: pkg/scheduler/backend/cache/node_tree.go.
    pub(super) fn order(&self) -> Option<Vec<u32>> {
        let mut zones: SortedMap<(&str, &str), Vec<u32>> = SortedMap::new();
        let zone = |node: &Arc<NodeInfo>| node.label("topology.kubernetes.io/zone").is_some();
        if !self.nodes.iter().any(zone) {
            return None;
        }
        for (at, node) in self.nodes.iter().enumerate() {
            let label = |key| node.label(key).unwrap_or("");
            let zone = (
                label("topology.kubernetes.io/region"),
                label("topology.kubernetes.io/zone"),
            );
            zones.entry(zone).or_default().push(at as u32);
        }
        let longest = zones.values().map(Vec::len).max().unwrap_or(0);
        Some(
            (0..longest)
                .flat_map(|row| zones.values().filter_map(move |zone| zone.get(row).copied()))
                .collect(),
        )
    }
}

/// Whether a node changed in a way that may let a Pod in.
fn scheduling_differs(old: &NodeInfo, new: &NodeInfo) -> bool {
    old.allocatable != new.allocatable
        || old.allowed_pods != new.allowed_pods
        || old.unschedulable != new.unschedulable
        || old.node.metadata.labels != new.node.metadata.labels
        || super::info::taints(&old.node) != super::info::taints(&new.node)
}
