//! Whether a Job is over, and with what reason.

use super::policy::{self, Action};
use super::{Look, condition};
use crate::client::helpers::{moment, pod_is_terminal};
use crate::controllers::pods::normal;
use crate::sim::SimTime;
use k8s_openapi::api::batch::v1::{JobCondition, JobStatus};
use std::time::Duration;

/// Source: k8s.io/api/batch/v1, `JobReason…`.
const FAILURES: [&str; 5] = [
    "PodFailurePolicy",
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "MaxFailedIndexesExceeded",
    "FailedIndexes",
];

pub(super) fn set_condition(
    status: &mut JobStatus,
    of: &str,
    value: &str,
    reason: &str,
    message: &str,
    now: SimTime,
) {
    let conditions = status.conditions.get_or_insert_default();
    let new = JobCondition {
        type_: of.to_owned(),
        status: value.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(now.meta_time()),
        last_transition_time: Some(now.meta_time()),
    };
    match conditions.iter_mut().find(|known| known.type_ == of) {
        Some(known) if known.status == value && known.reason == new.reason => {}
        Some(known) => *known = new,
        None => conditions.push(new),
    }
}

impl Look<'_> {
    /// Why the Job can not succeed any more: reason and message.
    pub(super) fn failure(&mut self) -> Option<(&'static str, String)> {
        if let Some(target) = condition(self.job, "FailureTarget") {
            let message = target.message.clone().unwrap_or_default();
            let own = target.reason.as_deref().unwrap_or("");
            let reason = FAILURES.iter().find(|reason| **reason == own);
            return Some((reason.copied().unwrap_or("BackoffLimitExceeded"), message));
        }
        for pod in self.pods.iter().filter(|pod| self.is_failed(pod)) {
            if let Action::FailJob(message) = self.on_failure(pod) {
                return Some(("PodFailurePolicy", message));
            }
        }
        let failed = self.status.failed.unwrap_or(0) + self.uncounted().1 + self.delayed;
        let limit = self.spec.backoff_limit.unwrap_or(6);
        let restarts = self.restarts();
        if failed > limit || (restarts > 0 && restarts >= limit) {
            let message = "Job has reached the specified backoff limit";
            return Some(("BackoffLimitExceeded", message.to_owned()));
        }
        if let (Some(seconds), Some(started)) =
            (self.spec.active_deadline_seconds, moment(&self.status.start_time))
            && !self.suspended()
        {
            let due = started + Duration::from_secs(seconds.max(0) as u64);
            if due <= self.now {
                let message = "Job was active longer than specified deadline";
                return Some(("DeadlineExceeded", message.to_owned()));
            }
            self.plan.again_after(due.since(self.now));
        }
        let failed = self.failed_indexes()?.len();
        if self
            .spec
            .max_failed_indexes
            .is_some_and(|most| failed > most.max(0) as usize)
        {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(("MaxFailedIndexesExceeded", message.to_owned()));
        }
        let over = failed + self.completed().len();
        (failed > 0 && over >= self.spec.completions.unwrap_or(0).max(0) as usize)
            .then(|| ("FailedIndexes", "Job has failed indexes".to_owned()))
    }

    /// How often containers of Pods that still go were restarted, where that counts as failures.
    pub(super) fn restarts(&self) -> i32 {
        let pod = self.spec.template.spec.as_ref();
        if pod.and_then(|spec| spec.restart_policy.as_deref()) != Some("OnFailure") {
            return 0;
        }
        let going = self.pods.iter().filter(|pod| !pod_is_terminal(pod));
        let lists = going
            .filter_map(|pod| pod.status.as_ref())
            .flat_map(|status| [&status.init_container_statuses, &status.container_statuses]);
        lists.flatten().flatten().map(|status| status.restart_count).sum()
    }

    /// Why the Job has succeeded, though not every Pod ran: reason and message.
    pub(super) fn success(&self) -> Option<(&'static str, String)> {
        if let Some(met) = condition(self.job, "SuccessCriteriaMet") {
            let reason = match met.reason.as_deref() {
                Some("SuccessPolicy") => "SuccessPolicy",
                _ => "CompletionsReached",
            };
            return Some((reason, met.message.clone().unwrap_or_default()));
        }
        let policy = self.spec.success_policy.as_ref().filter(|_| self.indexed())?;
        Some(("SuccessPolicy", policy::on_success(policy, &self.completed())?))
    }

    pub(super) fn is_complete(&self, active: usize) -> bool {
        match self.spec.completions {
            Some(completions) => self.successes() >= completions,
            None => self.successes() > 0 && active == 0,
        }
    }

    /// Notes the success, and the end of the Job if nothing of it is left.
    pub(super) fn succeed(&mut self, reason: &'static str, message: &str, over: bool) {
        set_condition(
            &mut self.status,
            "SuccessCriteriaMet",
            "True",
            reason,
            message,
            self.now,
        );
        if over {
            set_condition(&mut self.status, "Complete", "True", reason, message, self.now);
            self.status.completion_time = Some(self.now.meta_time());
            self.notes.push(normal(self.key, "Completed", "Job completed"));
        }
    }
}
