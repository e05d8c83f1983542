//! The InterPodAffinity plugin.
//!
//! Source: pkg/scheduler/framework/plugins/interpodaffinity.

use super::filter::Rejection;
use super::info::{NodeInfo, PodInfo};
use super::terms::Term;
use super::view::View;
use crate::api::sorted::SortedMap;
use crate::client::helpers::Labels;
use k8s_openapi::api::core::v1::Namespace;

pub const NAME: &str = "InterPodAffinity";

/// How often a topology value (by its key) counts.
type Counts<'a> = SortedMap<(&'a str, &'a str), i64>;

/// What PreFilter works out.
#[derive(Debug)]
pub struct Required<'a> {
    /// Placed Pods whose required anti-affinity is about this Pod.
    refused_by: Counts<'a>,
    /// Placed Pods that match all affinity terms, and those that match each anti-affinity term.
    near: Counts<'a>,
    apart: Counts<'a>,
    first_of_its_kind: bool,
    pod: &'a PodInfo,
}

fn namespace<'a>(view: &View<'a>, name: &str) -> Option<&'a Namespace> {
    view.caches
        .get::<Namespace>("", name)
        .map(|namespace| &**namespace)
}

fn matches(view: &View<'_>, term: &Term, pod: &PodInfo) -> bool {
    let none = Labels::new();
    let labels = pod.pod.metadata.labels.as_ref().unwrap_or(&none);
    term.matches(&pod.key.namespace, labels, namespace(view, &pod.key.namespace))
}

/// For every class of Pods whether the terms are about it.
fn by_class(view: &View<'_>, terms: &[&Term]) -> Vec<bool> {
    view.state.classes.matching(|class| {
        terms
            .iter()
            .all(|term| term.matches(&class.namespace, &class.labels, namespace(view, &class.namespace)))
    })
}

fn count_on(node: &NodeInfo, matches: &[bool]) -> i64 {
    // Unlike spreading, affinity also counts Pods that are being deleted.
    let matching = |class: u32| matches.get(class as usize).copied().unwrap_or(false);
    let live: i64 = node
        .classes
        .iter()
        .filter(|(class, _)| matching(*class))
        .map(|(_, count)| count)
        .sum();
    live + node
        .pods
        .iter()
        .filter(|pod| pod.terminating && matching(pod.class))
        .count() as i64
}

impl<'a> Required<'a> {
    /// None if neither this Pod nor any placed one has anything to say.
    pub fn new(view: &'a View<'_>, pod: &'a PodInfo) -> Option<Required<'a>> {
        let own = !pod.affinity.is_empty() || !pod.anti_affinity.is_empty();
        if !own && !view.has_affinity_pods() {
            return None;
        }
        let mut required = Required {
            refused_by: Counts::new(),
            near: Counts::new(),
            apart: Counts::new(),
            first_of_its_kind: pod.affinity.iter().all(|term| matches(view, term, pod)),
            pod,
        };
        let near = by_class(view, &pod.affinity.iter().collect::<Vec<_>>());
        let apart: Vec<Vec<bool>> = pod
            .anti_affinity
            .iter()
            .map(|term| by_class(view, &[term]))
            .collect();
        for node in view.nodes() {
            if node.with_required_anti_affinity > 0 {
                for other in &node.pods {
                    for term in &other.anti_affinity {
                        if matches(view, term, pod)
                            && let Some(value) = node.label(&term.topology_key)
                        {
                            *required
                                .refused_by
                                .entry((&term.topology_key, value))
                                .or_insert(0) += 1;
                        }
                    }
                }
            }
            if !pod.affinity.is_empty() {
                let count = count_on(node, &near);
                for term in pod.affinity.iter().filter(|_| count > 0) {
                    if let Some(value) = node.label(&term.topology_key) {
                        *required.near.entry((&term.topology_key, value)).or_insert(0) += count;
                    }
                }
            }
            for (term, matches) in pod.anti_affinity.iter().zip(&apart) {
                let count = count_on(node, matches);
                if count > 0
                    && let Some(value) = node.label(&term.topology_key)
                {
                    *required.apart.entry((&term.topology_key, value)).or_insert(0) += count;
                }
            }
        }
        if !own && required.refused_by.is_empty() {
            return None;
        }
        Some(required)
    }

    pub fn filter(&self, node: &NodeInfo) -> Option<Rejection> {
        let mut all_near = true;
        for term in &self.pod.affinity {
            let Some(value) = node.label(&term.topology_key) else {
                return Some(Rejection::unresolvable(
                    NAME,
                    "node(s) didn't match pod affinity rules",
                ));
            };
            all_near &= self.near.contains_key(&(term.topology_key.as_str(), value));
        }
        let alone = self.near.is_empty() && self.first_of_its_kind;
        if !all_near && !alone {
            return Some(Rejection::unresolvable(
                NAME,
                "node(s) didn't match pod affinity rules",
            ));
        }
        for term in &self.pod.anti_affinity {
            if let Some(value) = node.label(&term.topology_key)
                && self.apart.contains_key(&(term.topology_key.as_str(), value))
            {
                return Some(Rejection::new(
                    NAME,
                    "node(s) didn't match pod anti-affinity rules",
                ));
            }
        }
        if self
            .refused_by
            .keys()
            .any(|(key, value)| node.label(key) == Some(value))
        {
            return Some(Rejection::new(
                NAME,
                "node(s) didn't satisfy existing pods anti-affinity rules",
            ));
        }
        None
    }
}

/// The raw scores of the nodes; none if nobody has a preference.
pub fn scores(view: &View<'_>, pod: &PodInfo, nodes: &[u32]) -> Option<Vec<i64>> {
    if pod.preferred.is_empty() && !view.has_affinity_pods() {
        return None;
    }
    let mut counts = Counts::new();
    let preferred: Vec<_> = pod
        .preferred
        .iter()
        .map(|(weight, term)| (*weight, term, by_class(view, &[term])))
        .collect();
    for node in view.nodes() {
        for (weight, term, matches) in &preferred {
            let count = count_on(node, matches);
            if count > 0
                && let Some(value) = node.label(&term.topology_key)
            {
                *counts.entry((&term.topology_key, value)).or_insert(0) += weight * count;
            }
        }
        if node.with_affinity == 0 {
            continue;
        }
        for other in &node.pods {
            // What is required of a neighbour counts as a preference of weight 1 the other way round.
            let required = other.affinity.iter().map(|term| (1, term));
            for (weight, term) in required.chain(other.preferred.iter().map(|(weight, term)| (*weight, term)))
            {
                if let Some(value) = node.label(&term.topology_key)
                    && matches(view, term, pod)
                {
                    *counts.entry((&term.topology_key, value)).or_insert(0) += weight;
                }
            }
        }
    }
    if counts.is_empty() {
        return None;
    }
    let score = |&at: &u32| -> i64 {
        let node = view.node(at as usize);
        counts
            .iter()
            .filter(|((key, value), _)| node.label(key) == Some(value))
            .map(|(_, count)| count)
            .sum()
    };
    Some(nodes.iter().map(score).collect())
}

pub fn normalise(raw: &mut [i64]) {
    let (least, most) = (
        raw.iter().copied().min().unwrap_or(0),
        raw.iter().copied().max().unwrap_or(0),
    );
    for score in raw {
        *score = if most == least {
            0
        } else {
            100 * (*score - least) / (most - least)
        };
    }
}
