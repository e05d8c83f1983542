//! The cache as one run of the scheduler sees it: what is observed and, on top of that, the
//! Pods this run has already decided about (upstream: "assumed" Pods).

use super::info::{NodeInfo, PodInfo};
use super::state::SchedulerState;
use crate::api::sorted::SortedMap;
use crate::client::Caches;
use std::sync::Arc;

const OBSERVED: u32 = u32::MAX;

/// Nodes with assumed Pods.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub state: &'a SchedulerState,
    pub caches: &'a Caches,
    /// Where in `assumed` a node is; empty while nothing is assumed.
    slots: Vec<u32>,
    assumed: Vec<NodeInfo>,
    pub order: Option<Arc<[u32]>>,
    affinity_assumed: bool,
    nominated: SortedMap<usize, Vec<Arc<PodInfo>>>,
}

impl<'a> View<'a> {
    pub fn new(state: &'a SchedulerState, caches: &'a Caches) -> View<'a> {
        let order = state.order().map(Arc::from);
        View {
            state,
            caches,
            slots: Vec::new(),
            assumed: Vec::new(),
            order,
            affinity_assumed: false,
            nominated: state.nominated(),
        }
    }

    pub fn len(&self) -> usize {
        self.state.nodes.len()
    }

    pub fn node(&self, at: usize) -> &NodeInfo {
        match self.slots.get(at) {
            Some(&slot) if slot != OBSERVED => &self.assumed[slot as usize],
            _ => &self.state.nodes[at],
        }
    }

    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        (0..self.len()).map(|at| self.node(at))
    }

    /// A node's own copy, to change.
    pub fn node_mut(&mut self, at: usize) -> &mut NodeInfo {
        if self.slots.is_empty() {
            self.slots = vec![OBSERVED; self.len()];
        }
        if self.slots[at] == OBSERVED {
            self.slots[at] = self.assumed.len() as u32;
            self.assumed.push((*self.state.nodes[at]).clone());
        }
        &mut self.assumed[self.slots[at] as usize]
    }

    pub fn assume(&mut self, at: usize, pod: &Arc<PodInfo>) {
        let node = self.node_mut(at);
        node.add_pod(pod);
        self.affinity_assumed |= node.with_affinity > 0;
    }

    /// The waiting Pods that are expected on a node.
    pub fn nominated(&self, at: usize) -> &[Arc<PodInfo>] {
        self.nominated.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Whether any placed Pod has affinity terms.
    pub fn has_affinity_pods(&self) -> bool {
        self.affinity_assumed || self.state.nodes_with_affinity_pods > 0
    }
}
