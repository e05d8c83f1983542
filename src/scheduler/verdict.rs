//! The scheduler's opinion on one Pod and every node, in full: what a person sees while a Pod is
//! carried over the desks.

use super::cycle::{self, FitError};
use super::filter::{Filters, Rejection};
use super::info::{NodeInfo, PodInfo};
use super::preemption::{self, Outcome};
use super::score::{PluginScore, columns};
use super::state::SchedulerState;
use super::view::View;
use crate::api::order::StableSort;
use crate::client::Caches;
use crate::etcd::Key;
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;

/// One node's row.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeVerdict {
    pub node: Arc<str>,
    /// None if the Pod can run there.
    pub rejection: Option<Rejection>,
    /// The plugins that had something to say, in the profile's order; empty for a rejected node.
    pub scores: Vec<PluginScore>,
    pub total: i64,
}

/// The whole table.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// In the order of the nodes' names.
    pub nodes: Vec<NodeVerdict>,
    /// The node the autopilot would take.
    pub choice: Option<Arc<str>>,
    /// The text of the FailedScheduling Event if there is no such node.
    pub message: Option<String>,
}

/// Judges every node for `pod`, which need not be waiting.
pub fn verdict(state: &SchedulerState, caches: &Caches, pod: &Arc<Pod>) -> Verdict {
    let key = Key::new(
        crate::api::Kind::Pod,
        pod.metadata.namespace.as_deref().unwrap_or(""),
        pod.metadata.name.as_deref().unwrap_or(""),
    );
    let known = state.pod(&key).map_or(u32::MAX, |known| known.class);
    let info = PodInfo::new(key, known, pod);
    let view = View::new(state, caches);
    let mut start = 0;
    let (choice, message) = match cycle::schedule(&view, &info, &mut start) {
        Ok(at) => (Some(view.node(at).name.clone()), None),
        Err(error) => (
            None,
            Some(explain(&error, &preemption::preempt(&view, &info, &error))),
        ),
    };
    let mut nodes: Vec<NodeVerdict> = view.nodes().map(row).collect();
    match Filters::new(&view, &info) {
        Ok(filters) => {
            for (row, node) in nodes.iter_mut().zip(view.nodes()) {
                row.rejection = filters.filter(node);
            }
            let feasible: Vec<u32> = (0..nodes.len() as u32)
                .filter(|at| nodes[*at as usize].rejection.is_none())
                .collect();
            for column in columns(&view, &info, &feasible) {
                for (nr, at) in feasible.iter().enumerate() {
                    let normalised = column.normalised[nr];
                    let raw = column.raw.get(nr).copied().unwrap_or(normalised);
                    let score = PluginScore {
                        plugin: column.plugin,
                        weight: column.weight,
                        raw,
                        normalised,
                    };
                    let row = &mut nodes[*at as usize];
                    row.total += score.weighted();
                    row.scores.push(score);
                }
            }
        }
        Err(reason) => {
            let rejection = Rejection {
                plugin: "PreFilter",
                reasons: vec![reason.into()],
                unresolvable: true,
            };
            nodes
                .iter_mut()
                .for_each(|row| row.rejection = Some(rejection.clone()));
        }
    }
    nodes.stable_sort_by(|a, b| a.node.cmp(&b.node));
    Verdict {
        nodes,
        choice,
        message,
    }
}

fn row(node: &NodeInfo) -> NodeVerdict {
    NodeVerdict {
        node: node.name.clone(),
        rejection: None,
        scores: Vec::new(),
        total: 0,
    }
}

/// The text of the FailedScheduling Event.
pub(super) fn explain(error: &FitError, outcome: &Outcome) -> String {
    let message = error.message();
    if error.nodes == 0 {
        return message;
    }
    match outcome {
        // The plugins that could make room were never prepared.
        _ if error.for_all.is_some() => format!("{message} not found"),
        Outcome::Candidate { .. } => message,
        Outcome::Nothing(why) => format!("{message} no new claims to deallocate, preemption: {why}"),
    }
}
