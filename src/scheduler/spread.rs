//! The PodTopologySpread plugin.
//!
//! Source: pkg/scheduler/framework/plugins/podtopologyspread.

use super::filter::Rejection;
use super::info::{NodeInfo, PodInfo, taints};
use super::terms::{node_admitted, untolerated};
use super::view::View;
use crate::api::sorted::SortedMap;
use crate::client::helpers::{Labels, controller_of, pairs_match, selector_is_empty, selector_matches};
use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{ReplicationController, Service, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

pub const NAME: &str = "PodTopologySpread";
const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// One constraint with its selector already answered for every class of Pods.
#[derive(Debug)]
struct Constraint {
    max_skew: i64,
    key: String,
    min_domains: i64,
    matches: Vec<bool>,
    self_match: bool,
    honor_affinity: bool,
    honor_taints: bool,
}

impl Constraint {
    fn count(&self, node: &NodeInfo) -> i64 {
        let counted = |class: u32| self.matches.get(class as usize).copied().unwrap_or(false);
        node.classes
            .iter()
            .filter(|(class, _)| counted(*class))
            .map(|(_, count)| count)
            .sum()
    }

    fn includes(&self, pod: &PodInfo, node: &NodeInfo) -> bool {
        (!self.honor_affinity || node_admitted(&pod.pod, &node.node))
            && (!self.honor_taints
                || untolerated(&pod.pod, taints(&node.node), &["NoSchedule", "NoExecute"]).is_none())
    }
}

fn constraint(view: &View<'_>, pod: &PodInfo, wanted: &TopologySpreadConstraint) -> Constraint {
    let labels = pod.pod.metadata.labels.as_ref();
    let mut pinned = Labels::new();
    for key in wanted.match_label_keys.iter().flatten() {
        if let Some(value) = labels.and_then(|labels| labels.get(key)) {
            pinned.insert(key.clone(), value.clone());
        }
    }
    let selects = |labels: Option<&Labels>| {
        let selector = wanted.label_selector.as_ref();
        selector.is_some_and(|selector| selector_matches(selector, labels)) && pairs_match(&pinned, labels)
    };
    // Upstream counts no Pods for an empty selector.
    let counts_any = wanted
        .label_selector
        .as_ref()
        .is_some_and(|s| !selector_is_empty(s))
        || !pinned.is_empty();
    Constraint {
        max_skew: i64::from(wanted.max_skew),
        key: wanted.topology_key.clone(),
        min_domains: i64::from(wanted.min_domains.unwrap_or(1)),
        matches: view.state.classes.matching(|class| {
            counts_any && class.namespace == pod.key.namespace && selects(Some(&class.labels))
        }),
        self_match: selects(labels),
        honor_affinity: wanted.node_affinity_policy.as_deref() != Some("Ignore"),
        honor_taints: wanted.node_taints_policy.as_deref() == Some("Honor"),
    }
}

fn constraints(view: &View<'_>, pod: &PodInfo, action: &str) -> Vec<Constraint> {
    let wanted = pod
        .pod
        .spec
        .as_ref()
        .and_then(|spec| spec.topology_spread_constraints.as_ref());
    let of_action = |wanted: &&TopologySpreadConstraint| wanted.when_unsatisfiable == action;
    wanted
        .into_iter()
        .flatten()
        .filter(of_action)
        .map(|wanted| constraint(view, pod, wanted))
        .collect()
}

/// The selectors of everything the Pod belongs to: Services and its controller.
/// Source: plugins/helper/spread.go, `DefaultSelector`.
fn belongs_to<'a>(view: &View<'a>, pod: &PodInfo) -> (Vec<&'a Labels>, Option<&'a LabelSelector>) {
    let labels = pod.pod.metadata.labels.as_ref();
    let mut pairs: Vec<&Labels> = Vec::new();
    if labels.is_none_or(BTreeMap::is_empty) {
        return (pairs, None);
    }
    for service in view.caches.list::<Service>(&pod.key.namespace) {
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        pairs.extend(selector.filter(|selector| !selector.is_empty() && pairs_match(selector, labels)));
    }
    let mut selector = None;
    if let Some(owner) = controller_of(&pod.pod.metadata) {
        let (namespace, name) = (&*pod.key.namespace, owner.name.as_str());
        match owner.kind.as_str() {
            "ReplicaSet" => {
                let owner = view.caches.get::<ReplicaSet>(namespace, name);
                selector = owner.and_then(|set| set.spec.as_ref()).map(|spec| &spec.selector);
            }
            "StatefulSet" => {
                let owner = view.caches.get::<StatefulSet>(namespace, name);
                selector = owner.and_then(|set| set.spec.as_ref()).map(|spec| &spec.selector);
            }
            "ReplicationController" => {
                let owner = view.caches.get::<ReplicationController>(namespace, name);
                pairs.extend(owner.and_then(|rc| rc.spec.as_ref()?.selector.as_ref()));
            }
            _ => {}
        }
    }
    (pairs, selector.filter(|selector| !selector_is_empty(selector)))
}

/// What a Pod without constraints of its own gets: spread over hosts and zones, if it can be had.
fn default_constraints(view: &View<'_>, pod: &PodInfo) -> Vec<Constraint> {
    let (pairs, selector) = belongs_to(view, pod);
    if pairs.is_empty() && selector.is_none() {
        return Vec::new();
    }
    let selects = |labels: Option<&Labels>| {
        pairs.iter().all(|pairs| pairs_match(pairs, labels))
            && selector.is_none_or(|selector| selector_matches(selector, labels))
    };
    let matches = view
        .state
        .classes
        .matching(|class| class.namespace == pod.key.namespace && selects(Some(&class.labels)));
    let of_key = |key: &str, max_skew| Constraint {
        max_skew,
        key: key.to_owned(),
        min_domains: 1,
        matches: matches.clone(),
        self_match: selects(pod.pod.metadata.labels.as_ref()),
        honor_affinity: true,
        honor_taints: false,
    };
    vec![of_key(HOSTNAME, 3), of_key(ZONE, 5)]
}

/// What PreFilter works out for `DoNotSchedule` constraints.
#[derive(Debug)]
pub struct HardSpread {
    constraints: Vec<Constraint>,
    counts: Vec<SortedMap<String, i64>>,
}

impl HardSpread {
    /// None if the Pod has no such constraint.
    pub fn new(view: &View<'_>, pod: &PodInfo) -> Option<HardSpread> {
        let constraints = constraints(view, pod, "DoNotSchedule");
        if constraints.is_empty() {
            return None;
        }
        let mut counts = vec![SortedMap::new(); constraints.len()];
        for node in view.nodes() {
            if !constraints
                .iter()
                .all(|constraint| node.label(&constraint.key).is_some())
            {
                continue;
            }
            for (constraint, counts) in constraints.iter().zip(&mut counts) {
                if let Some(value) = node.label(&constraint.key)
                    && constraint.includes(pod, node)
                {
                    *counts.entry(value.to_owned()).or_insert(0) += constraint.count(node);
                }
            }
        }
        Some(HardSpread { constraints, counts })
    }

    pub fn filter(&self, node: &NodeInfo) -> Option<Rejection> {
        for (constraint, counts) in self.constraints.iter().zip(&self.counts) {
            let Some(value) = node.label(&constraint.key) else {
                let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
                return Some(Rejection::unresolvable(NAME, reason));
            };
            let least = if (counts.len() as i64) < constraint.min_domains {
                0
            } else {
                counts.values().copied().min().unwrap_or(i64::MAX)
            };
            let here = counts.get(value).copied().unwrap_or(0);
            if here + i64::from(constraint.self_match) - least > constraint.max_skew {
                return Some(Rejection::new(
                    NAME,
                    "node(s) didn't match pod topology spread constraints",
                ));
            }
        }
        None
    }
}

/// The natural logarithm, the same on every platform (`f64::ln` is not).
fn ln(x: f64) -> f64 {
    let (mut mantissa, mut exponent) = (x, 0.0);
    while mantissa > 1.5 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum) = (ratio, 0.0);
    for nr in 0..20 {
        sum += power / f64::from(2 * nr + 1);
        power *= ratio * ratio;
    }
    2.0 * sum + exponent * std::f64::consts::LN_2
}

/// The raw scores of the nodes and which of them are left out; none if there is nothing to score.
pub fn scores(view: &View<'_>, pod: &PodInfo, nodes: &[u32]) -> Option<(Vec<i64>, Vec<bool>)> {
    let own = pod.pod.spec.as_ref().is_some_and(|spec| {
        spec.topology_spread_constraints
            .as_ref()
            .is_some_and(|c| !c.is_empty())
    });
    let constraints = if own {
        constraints(view, pod, "ScheduleAnyway")
    } else {
        default_constraints(view, pod)
    };
    if constraints.is_empty() {
        return None;
    }
    let complete = |node: &NodeInfo| !own || constraints.iter().all(|c| node.label(&c.key).is_some());
    let ignored: Vec<bool> = nodes
        .iter()
        .map(|&at| !complete(view.node(at as usize)))
        .collect();
    let mut counts: Vec<SortedMap<&str, i64>> = vec![SortedMap::new(); constraints.len()];
    let mut weights = Vec::new();
    for (constraint, counts) in constraints.iter().zip(&mut counts) {
        let domains = if constraint.key == HOSTNAME {
            ignored.iter().filter(|ignored| !**ignored).count()
        } else {
            for (&at, _) in nodes.iter().zip(&ignored).filter(|(_, ignored)| !**ignored) {
                if let Some(value) = view.node(at as usize).label(&constraint.key) {
                    counts.insert(value, 0);
                }
            }
            counts.len()
        };
        weights.push(ln(domains as f64 + 2.0));
        if counts.is_empty() {
            continue;
        }
        for node in view.nodes() {
            if let Some(count) = node
                .label(&constraint.key)
                .and_then(|value| counts.get_mut(value))
                && complete(node)
                && constraint.includes(pod, node)
            {
                *count += constraint.count(node);
            }
        }
    }
    let score = |(&at, ignored): (&u32, &bool)| -> i64 {
        if *ignored {
            return 0;
        }
        let node = view.node(at as usize);
        let mut score = 0.0;
        for ((constraint, counts), weight) in constraints.iter().zip(&counts).zip(&weights) {
            if let Some(value) = node.label(&constraint.key) {
                let count = if constraint.key == HOSTNAME {
                    constraint.count(node)
                } else {
                    counts.get(value).copied().unwrap_or(0)
                };
                score += count as f64 * weight + (constraint.max_skew - 1) as f64;
            }
        }
        score.round() as i64
    };
    let raw = nodes.iter().zip(&ignored).map(score).collect();
    Some((raw, ignored))
}

/// Fewer matching Pods is better.
pub fn normalise(raw: &mut [i64], ignored: &[bool]) {
    let counted = || {
        raw.iter()
            .zip(ignored)
            .filter(|(_, ignored)| !**ignored)
            .map(|(score, _)| *score)
    };
    let (least, most) = (counted().min().unwrap_or(0), counted().max().unwrap_or(0));
    for (score, ignored) in raw.iter_mut().zip(ignored) {
        *score = match (ignored, most) {
            (true, _) => 0,
            (false, 0) => 100,
            (false, _) => 100 * (most + least - *score) / most,
        };
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn logarithm() {
        for x in [1.0f64, 2.0, 3.0, 7.0, 102.0, 5002.0] {
            assert!((super::ln(x) - x.ln()).abs() < 1e-12, "{x}");
        }
    }
}
