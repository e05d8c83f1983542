//! Counting: every finished Pod exactly once.
//!
//! Source: pkg/controller/job/job_controller.go, `trackJobStatusAndRemoveFinalizers`.

use super::policy::Action;
use super::{Look, condition, has_finalizer, indexes, untrack};
use crate::client::helpers::pod_phase;
use k8s_openapi::api::batch::v1::UncountedTerminatedPods;

impl Look<'_> {
    /// Takes note of finished Pods, then lets them go, then counts them.
    pub(super) fn account(&mut self) {
        let uncounted = self.status.uncounted_terminated_pods.clone().unwrap_or_default();
        let (mut succeeded, mut failed) = (
            uncounted.succeeded.unwrap_or_default(),
            uncounted.failed.unwrap_or_default(),
        );
        let mut completed = self.completed();
        let mut counted = (0, 0);
        let held = |uid: &String| {
            self.pods
                .iter()
                .any(|pod| pod.metadata.uid.as_ref() == Some(uid) && has_finalizer(pod))
        };
        let settle = |list: &mut Vec<String>, count: &mut i32| {
            list.retain(|uid| {
                let stays = held(uid);
                *count += i32::from(!stays);
                stays
            });
        };
        settle(&mut succeeded, &mut counted.0);
        settle(&mut failed, &mut counted.1);
        let failing = condition(self.job, "FailureTarget").is_some();
        let successful = condition(self.job, "SuccessCriteriaMet").is_some();
        let waiting = self.waiting_for_successors();
        self.delayed = 0;
        for pod in self.pods.iter().filter(|pod| has_finalizer(pod)) {
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            let well = pod_phase(pod) == "Succeeded" && !failed.contains(&uid);
            let failed_now = self.is_failed(pod);
            if !(well || failed_now || failing || successful) {
                continue;
            }
            let index = self.valid_index(pod);
            let waits = |index| {
                waiting
                    .get(&index)
                    .is_some_and(|own| own.metadata.uid == pod.metadata.uid)
            };
            if !failing && !successful && index.is_some_and(waits) {
                self.delayed += 1;
                continue;
            }
            let counts = if well {
                !self.indexed() || index.is_some_and(|index| completed.insert(index))
            } else {
                // Those that success made superfluous have not failed.
                (!successful || pod_phase(pod) == "Failed")
                    && (!self.indexed() || index.is_some())
                    && self.on_failure(pod) != Action::Ignore
            };
            let list = if well { &mut succeeded } else { &mut failed };
            if counts && !list.contains(&uid) {
                list.push(uid);
            } else {
                self.plan.duties.push(untrack(pod, &self.key.name));
            }
        }
        let list = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let add = |count: Option<i32>, more: i32| Some(count.unwrap_or(0) + more).filter(|count| *count != 0);
        self.status.succeeded = match self.indexed() {
            true => Some(completed.len() as i32).filter(|count| *count != 0),
            false => add(self.status.succeeded, counted.0),
        };
        self.status.failed = add(self.status.failed, counted.1);
        if self.indexed() {
            let text = indexes::format(&completed);
            self.status.completed_indexes = (!text.is_empty()).then_some(text);
        }
        self.status.uncounted_terminated_pods = Some(UncountedTerminatedPods {
            succeeded: list(succeeded),
            failed: list(failed),
        });
    }

    pub(super) fn uncounted(&self) -> (i32, i32) {
        let uncounted = self.status.uncounted_terminated_pods.as_ref();
        let count = |list: Option<&Vec<String>>| list.map_or(0, Vec::len) as i32;
        (
            count(uncounted.and_then(|u| u.succeeded.as_ref())),
            count(uncounted.and_then(|u| u.failed.as_ref())),
        )
    }

    pub(super) fn successes(&self) -> i32 {
        let already = self.status.succeeded.unwrap_or(0);
        if self.indexed() {
            already
        } else {
            already + self.uncounted().0
        }
    }
}
