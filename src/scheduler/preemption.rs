//! Making room for a Pod that matters more.
//!
//! Source: pkg/scheduler/framework/preemption/preemption.go and plugins/defaultpreemption.

use super::cycle::{FitError, summary};
use super::filter::Filters;
use super::info::PodInfo;
use super::view::View;
use crate::api::order::StableSort;
use crate::client::helpers::{moment, pod_condition, selector_is_empty, selector_matches};
use crate::sim::SimTime;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What preemption would do.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Delete these Pods, and let the preemptor go to that node.
    Candidate {
        node: Arc<str>,
        victims: Vec<Arc<PodInfo>>,
    },
    /// Nothing; why not.
    Nothing(String),
}

const NO_VICTIMS: Cow<'static, str> = Cow::Borrowed("No preemption victims found for incoming pod");
const NOT_HELPFUL: Cow<'static, str> = Cow::Borrowed("Preemption is not helpful for scheduling");

struct Candidate {
    at: usize,
    victims: Vec<Arc<PodInfo>>,
    violations: usize,
}

fn started(pod: &PodInfo) -> SimTime {
    pod.pod
        .status
        .as_ref()
        .and_then(|status| moment(&status.start_time))
        .unwrap_or(SimTime(u64::MAX))
}

/// More important first: priority, then who has run longer.
fn importance(pod: &PodInfo) -> (Reverse<i32>, SimTime) {
    (Reverse(pod.priority), started(pod))
}

/// Tries to make room.
pub fn preempt(view: &View<'_>, pod: &PodInfo, error: &FitError) -> Outcome {
    let spec = pod.pod.spec.as_ref();
    if spec.and_then(|spec| spec.preemption_policy.as_deref()) == Some("Never") {
        return Outcome::Nothing("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let nominated = pod
        .pod
        .status
        .as_ref()
        .and_then(|status| status.nominated_node_name.as_deref());
    if let Some(at) = nominated.and_then(|name| view.state.node_at(name)) {
        let leaving = |other: &Arc<PodInfo>| {
            other.terminating
                && other.priority < pod.priority
                && pod_condition(&other.pod, "DisruptionTarget").is_some_and(|c| {
                    c.status == "True" && c.reason.as_deref() == Some("PreemptionByScheduler")
                })
        };
        if view.node(at).pods.iter().any(leaving) {
            return Outcome::Nothing(
                "not eligible due to a terminating pod on the nominated node.".to_owned(),
            );
        }
    }
    let mut reasons: Vec<Cow<'static, str>> = Vec::new();
    let mut candidates = Vec::new();
    for (at, rejection) in &error.rejections {
        if rejection.unresolvable {
            reasons.push(NOT_HELPFUL);
            continue;
        }
        match victims(view, pod, *at as usize) {
            Ok(candidate) => candidates.push(candidate),
            Err(why) => reasons.extend(why),
        }
    }
    match choose(candidates) {
        Some(candidate) => Outcome::Candidate {
            node: view.node(candidate.at).name.clone(),
            victims: candidate.victims,
        },
        None => Outcome::Nothing(summary(error.nodes, reasons.iter())),
    }
}

/// The fewest, least important Pods whose going makes room on one node.
fn victims(view: &View<'_>, pod: &PodInfo, at: usize) -> Result<Candidate, Vec<Cow<'static, str>>> {
    let mut possible: Vec<Arc<PodInfo>> = view
        .node(at)
        .pods
        .iter()
        .filter(|other| other.priority < pod.priority)
        .cloned()
        .collect();
    if possible.is_empty() {
        return Err(vec![NO_VICTIMS]);
    }
    let mut trial = view.clone();
    possible
        .iter()
        .for_each(|other| trial.node_mut(at).remove_pod(&other.key));
    let rejection = |trial: &View<'_>| match Filters::new(trial, pod) {
        Ok(filters) => filters.filter(trial.node(at)).map(|rejection| rejection.reasons),
        Err(reason) => Some(vec![Cow::Owned(reason)]),
    };
    if let Some(reasons) = rejection(&trial) {
        return Err(reasons);
    }
    possible.stable_sort_by_key(|other| importance(other));
    let (violating, harmless) = by_budget(view, &possible);
    let mut candidate = Candidate {
        at,
        victims: Vec::new(),
        violations: 0,
    };
    for (other, violates) in violating
        .iter()
        .map(|p| (p, true))
        .chain(harmless.iter().map(|p| (p, false)))
    {
        trial.node_mut(at).add_pod(other);
        if rejection(&trial).is_some() {
            trial.node_mut(at).remove_pod(&other.key);
            candidate.victims.push(other.clone());
            candidate.violations += usize::from(violates);
        }
    }
    candidate.victims.stable_sort_by_key(|other| importance(other));
    Ok(candidate)
}

/// Splits Pods into those whose going a PodDisruptionBudget forbids, and the others.
fn by_budget(view: &View<'_>, pods: &[Arc<PodInfo>]) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
    let budgets: Vec<_> = view.caches.list::<PodDisruptionBudget>("").collect();
    let allowed = |budget: &PodDisruptionBudget| {
        budget
            .status
            .as_ref()
            .and_then(|status| status.disruptions_allowed)
            .unwrap_or(0)
    };
    let mut left: Vec<i32> = budgets.iter().map(|budget| allowed(budget)).collect();
    pods.iter().cloned().partition(|pod| {
        let labels = pod.pod.metadata.labels.as_ref();
        let mut violates = false;
        if labels.is_none_or(BTreeMap::is_empty) {
            return false;
        }
        for (budget, left) in budgets.iter().zip(&mut left) {
            let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
            let guards = budget.metadata.namespace.as_deref() == Some(&*pod.key.namespace)
                && selector.is_some_and(|s| !selector_is_empty(s) && selector_matches(s, labels));
            let disrupted = budget
                .status
                .as_ref()
                .and_then(|status| status.disrupted_pods.as_ref());
            if guards && !disrupted.is_some_and(|pods| pods.contains_key(&*pod.key.name)) {
                *left -= 1;
                violates |= *left < 0;
            }
        }
        violates
    })
}

/// The candidate that hurts least. Source: `pickOneNodeForPreemption`.
fn choose(candidates: Vec<Candidate>) -> Option<Candidate> {
    candidates.into_iter().min_by_key(|candidate| {
        let highest = candidate
            .victims
            .iter()
            .map(|pod| pod.priority)
            .max()
            .unwrap_or(i32::MIN);
        let sum: i64 = candidate
            .victims
            .iter()
            .map(|pod| i64::from(pod.priority) + i64::from(i32::MAX) + 1)
            .sum();
        let eldest = candidate
            .victims
            .iter()
            .filter(|pod| pod.priority == highest)
            .map(|pod| started(pod))
            .min();
        (
            candidate.violations,
            highest,
            sum,
            candidate.victims.len(),
            Reverse(eldest),
        )
    })
}
