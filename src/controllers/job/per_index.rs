//! Back-off for each index of an indexed Job by itself.
//!
//! A failed Pod keeps its finalizer until its successor is there, which takes the number of failures over from it.
//! Source: pkg/controller/job/indexed_job_utils.go, backoff_utils.go.

use super::level::{back_off, ended};
use super::policy::Action;
use super::{Look, has_finalizer, index_of, indexes};
use crate::api::sorted::SortedMap;
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;
use std::time::Duration;

/// Source: k8s.io/api/batch/v1, `JobIndexFailureCountAnnotation`, `JobIndexIgnoredFailureCountAnnotation`.
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

fn number(pod: &Pod, annotation: &str) -> u32 {
    let annotations = pod.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(annotation)?.parse().ok())
        .unwrap_or(0)
}

/// The failures of a Pod's index, those that do not count apart, the Pod's own included.
fn failures(look: &Look<'_>, pod: &Pod) -> (u32, u32) {
    let (counted, ignored) = (number(pod, FAILURES), number(pod, IGNORED));
    match look.on_failure(pod) {
        Action::Ignore => (counted, ignored.saturating_add(1)),
        _ => (counted.saturating_add(1), ignored),
    }
}

impl<'a> Look<'a> {
    /// The indexes of which no Pod is tried any more; none unless each index has its own limit.
    pub(super) fn failed_indexes(&self) -> Option<indexes::Set> {
        let limit = self.spec.backoff_limit_per_index?.max(0) as u32;
        let mut failed = indexes::parse(self.status.failed_indexes.as_deref().unwrap_or(""));
        for pod in self.pods.iter().filter(|pod| self.is_failed(pod)) {
            let over = match self.on_failure(pod) {
                Action::FailIndex => true,
                Action::Ignore => false,
                _ => number(pod, FAILURES) >= limit,
            };
            if let Some(index) = self.valid_index(pod).filter(|_| over) {
                failed.insert(index);
            }
        }
        Some(failed)
    }

    /// The failed Pods that wait for their successors, by index.
    pub(super) fn waiting_for_successors(&self) -> SortedMap<i32, &'a Arc<Pod>> {
        let mut waiting: SortedMap<i32, &'a Arc<Pod>> = SortedMap::new();
        let Some(failed) = self.failed_indexes() else {
            return waiting;
        };
        let completed = self.completed();
        let active: indexes::Set = self.active().iter().filter_map(|pod| index_of(pod)).collect();
        for pod in &self.pods {
            let index = self
                .valid_index(pod)
                .filter(|_| has_finalizer(pod) && self.is_failed(pod));
            let Some(index) = index.filter(|index| {
                !failed.contains(index) && !completed.contains(index) && !active.contains(index)
            }) else {
                continue;
            };
            let rank = |pod: &Pod| (failures(self, pod), ended(pod));
            if waiting.get(&index).is_none_or(|known| rank(known) < rank(pod)) {
                waiting.insert(index, pod);
            }
        }
        waiting
    }

    /// How long the failures of an index hold its next Pod up.
    pub(super) fn held_back_at(
        &self,
        waiting: &SortedMap<i32, &'a Arc<Pod>>,
        index: i32,
    ) -> Option<Duration> {
        let pod = waiting.get(&index)?;
        let (counted, ignored) = failures(self, pod);
        back_off(self.now, ended(pod)?, counted.saturating_add(ignored))
    }

    /// Tells a Pod how often its index failed before it.
    pub(super) fn pass_on_failures(&self, waiting: &SortedMap<i32, &'a Arc<Pod>>, index: i32, pod: &mut Pod) {
        if self.spec.backoff_limit_per_index.is_none() {
            return;
        }
        let (counted, ignored) = waiting
            .get(&index)
            .map_or((0, 0), |before| failures(self, before));
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert(FAILURES.to_owned(), counted.to_string());
        if ignored > 0 {
            annotations.insert(IGNORED.to_owned(), ignored.to_string());
        }
    }

    /// The index of a Pod if it is one of the Job's.
    pub(super) fn valid_index(&self, pod: &Pod) -> Option<i32> {
        index_of(pod).filter(|index| (0..self.spec.completions.unwrap_or(0)).contains(index))
    }
}
