//! One scheduling cycle: filter, score, choose; and what to say when nothing is left.
//!
//! Source: pkg/scheduler/schedule_one.go.

use super::filter::{Filters, Rejection};
use super::info::PodInfo;
use super::score::columns;
use super::view::View;
use crate::api::order::StableSort;
use crate::api::sorted::SortedMap;
use std::borrow::Cow;

/// Below this many nodes all are looked at.
const MIN_FEASIBLE_NODES: usize = 100;

/// Why a Pod can go nowhere.
#[derive(Clone, Debug)]
pub struct FitError {
    pub nodes: usize,
    /// A reason that holds for all nodes; the rejections are empty then.
    pub for_all: Option<String>,
    /// By node index.
    pub rejections: Vec<(u32, Rejection)>,
}

impl FitError {
    /// As the FailedScheduling Event starts: `0/3 nodes are available: …`.
    pub fn message(&self) -> String {
        if self.nodes == 0 {
            return "no nodes available to schedule pods".to_owned();
        }
        match &self.for_all {
            Some(reason) => format!("0/{} nodes are available: {reason}.", self.nodes),
            None => summary(
                self.nodes,
                self.rejections
                    .iter()
                    .flat_map(|(_, rejection)| &rejection.reasons),
            ),
        }
    }
}

/// `0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.`
pub fn summary<'a>(nodes: usize, reasons: impl Iterator<Item = &'a Cow<'static, str>>) -> String {
    let mut counts: SortedMap<&str, usize> = SortedMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut parts: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    parts.stable_sort();
    if parts.is_empty() {
        format!("0/{nodes} nodes are available")
    } else {
        format!("0/{nodes} nodes are available: {}.", parts.join(", "))
    }
}

/// How many nodes that fit are enough. Source: `numFeasibleNodesToFind` with the default percentage.
pub fn feasible_to_find(nodes: usize) -> usize {
    if nodes < MIN_FEASIBLE_NODES {
        return nodes;
    }
    let percentage = 50usize.saturating_sub(nodes / 125).max(5);
    (nodes * percentage / 100).max(MIN_FEASIBLE_NODES)
}

/// A number that a uid stands for, to choose among equals without chance.
fn hash(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^ (hash >> 29)
}

/// Finds the best node for a Pod. `start` is where in the order of nodes to begin; it is moved on.
pub fn schedule(view: &View<'_>, pod: &PodInfo, start: &mut usize) -> Result<usize, FitError> {
    let nodes = view.len();
    let error = |for_all, rejections| FitError {
        nodes,
        for_all,
        rejections,
    };
    let filters = Filters::new(view, pod).map_err(|reason| error(Some(reason), Vec::new()))?;
    // A Pod for which room was made goes there if it can.
    let nominated = pod
        .pod
        .status
        .as_ref()
        .and_then(|status| status.nominated_node_name.as_deref());
    if let Some(at) = nominated.and_then(|name| view.state.node_at(name))
        && admits(view, &filters, pod, at).is_none()
    {
        return Ok(at);
    }
    let enough = feasible_to_find(nodes);
    let mut feasible: Vec<u32> = Vec::with_capacity(enough);
    let mut rejections = Vec::new();
    let mut tried = 0;
    while tried < nodes && feasible.len() < enough {
        let place = (*start + tried) % nodes;
        let at = view.order.as_ref().map_or(place, |order| order[place] as usize);
        tried += 1;
        match admits(view, &filters, pod, at) {
            None => feasible.push(at as u32),
            Some(rejection) => rejections.push((at as u32, rejection)),
        }
    }
    if nodes > 0 {
        *start = (*start + tried) % nodes;
    }
    match feasible.as_slice() {
        [] => Err(error(None, rejections)),
        [only] => Ok(*only as usize),
        several => Ok(best(view, pod, several)),
    }
}

/// Filters with the Pods of at least this priority that are expected on the node counted as if
/// they were there, and again without them.
fn admits(view: &View<'_>, filters: &Filters<'_>, pod: &PodInfo, at: usize) -> Option<Rejection> {
    let node = view.node(at);
    let rejection = filters.filter(node);
    let expected = view.nominated(at);
    let weighty = |other: &&std::sync::Arc<PodInfo>| other.priority >= pod.priority && other.key != pod.key;
    if rejection.is_some() || !expected.iter().any(|other| weighty(&other)) {
        return rejection;
    }
    let mut crowded = node.clone();
    expected
        .iter()
        .filter(weighty)
        .for_each(|other| crowded.add_pod(other));
    filters.filter(&crowded)
}

fn best(view: &View<'_>, pod: &PodInfo, nodes: &[u32]) -> usize {
    let mut totals = vec![0i64; nodes.len()];
    for column in columns(view, pod, nodes) {
        for (total, score) in totals.iter_mut().zip(&column.normalised) {
            *total += score * column.weight;
        }
    }
    let most = totals.iter().copied().max().unwrap_or(0);
    let ties = || {
        nodes
            .iter()
            .zip(&totals)
            .filter(|(_, total)| **total == most)
            .map(|(at, _)| *at as usize)
    };
    let count = ties().count().max(1) as u64;
    ties()
        .nth((hash(pod.uid()) % count) as usize)
        .unwrap_or(nodes[0] as usize)
}
