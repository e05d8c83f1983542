//! Runs Pods until enough of them have succeeded.
//!
//! Source: pkg/controller/job/job_controller.go, backoff_utils.go, indexed_job_utils.go.
//! Every finished Pod is counted once: it keeps a finalizer until the status has taken note of it.

mod account;
mod indexes;
mod level;
mod per_index;
mod policy;
mod ttl;
mod verdict;

pub use ttl::TtlAfterFinished;

use super::claim::claim_pods;
use super::owned::mark_selected;
use super::pods::{normal, warning};
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, PatchType, Request};
use crate::client::helpers::{
    controller_of, moment, pod_is_ready, pod_is_terminal, pod_phase, selector_matches,
};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Note, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use policy::Action;
use serde_json::json;
use std::sync::Arc;
use verdict::set_condition;

const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The job controller.
#[derive(Clone, Debug, Default)]
pub struct Jobs;

pub(super) fn condition<'a>(job: &'a Job, of: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == of && condition.status == "True")
}

/// When a Job was over: `Complete` or `Failed`, and since when.
pub(super) fn finished(job: &Job) -> Option<(&JobCondition, Option<SimTime>)> {
    let over = condition(job, "Complete").or_else(|| condition(job, "Failed"))?;
    Some((over, moment(&over.last_transition_time)))
}

fn has_finalizer(pod: &Pod) -> bool {
    pod.metadata
        .finalizers
        .iter()
        .flatten()
        .any(|own| own == FINALIZER)
}

fn index_of(pod: &Pod) -> Option<i32> {
    pod.metadata.annotations.as_ref()?.get(INDEX)?.parse().ok()
}

/// The patch that lets a Pod go.
fn untrack(pod: &Arc<Pod>, job: &str) -> Duty {
    let object = Object::Pod(pod.clone());
    let patch =
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER], "uid": pod.metadata.uid}});
    let request = Request::patch(
        Kind::Pod,
        object.namespace(),
        object.name(),
        PatchType::Strategic,
        patch,
    );
    Duty::api(Why::new("job.untrack", &[job, object.name()]), request)
}

struct Look<'a> {
    key: &'a Key,
    job: &'a Arc<Job>,
    spec: &'a JobSpec,
    pods: Vec<&'a Arc<Pod>>,
    now: SimTime,
    status: JobStatus,
    /// Failed Pods that are counted once their successors are there.
    delayed: i32,
    plan: Plan,
    notes: Vec<Note>,
}

impl<'a> Look<'a> {
    fn indexed(&self) -> bool {
        self.spec.completion_mode.as_deref() == Some("Indexed")
    }

    fn suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    fn active(&self) -> Vec<&'a Arc<Pod>> {
        let active = |pod: &&&Arc<Pod>| !pod_is_terminal(pod) && pod.metadata.deletion_timestamp.is_none();
        self.pods.iter().filter(active).copied().collect()
    }

    /// Pods that still end do not count as failed yet, and nobody takes their place.
    fn replaces_only_failed(&self) -> bool {
        self.spec.pod_replacement_policy.as_deref() == Some("Failed")
            || self.spec.pod_failure_policy.is_some()
    }

    /// Whether a Pod has failed. Who is deleted before the end has, unless the Job waits for the end.
    fn is_failed(&self, pod: &Pod) -> bool {
        match pod_phase(pod) {
            "Failed" => true,
            "Succeeded" => false,
            _ => pod.metadata.deletion_timestamp.is_some() && !self.replaces_only_failed(),
        }
    }

    fn on_failure(&self, pod: &Pod) -> Action {
        policy::on_failure(self.spec.pod_failure_policy.as_ref(), pod)
    }

    /// Who is deleted and has not ended yet.
    fn terminating(&self) -> impl Iterator<Item = &'a Arc<Pod>> {
        let ending = |pod: &&&Arc<Pod>| !pod_is_terminal(pod) && pod.metadata.deletion_timestamp.is_some();
        self.pods.iter().filter(ending).copied()
    }

    fn completed(&self) -> indexes::Set {
        indexes::parse(self.status.completed_indexes.as_deref().unwrap_or(""))
    }

    fn suspend_or_resume(&mut self) {
        let known = self
            .status
            .conditions
            .iter()
            .flatten()
            .find(|known| known.type_ == "Suspended")
            .map(|known| known.status.clone());
        if self.suspended() {
            if known.as_deref() != Some("True") {
                set_condition(
                    &mut self.status,
                    "Suspended",
                    "True",
                    "JobSuspended",
                    "Job suspended",
                    self.now,
                );
                self.notes.push(normal(self.key, "Suspended", "Job suspended"));
            }
            self.status.start_time = None;
        } else {
            if known.as_deref() == Some("True") {
                set_condition(
                    &mut self.status,
                    "Suspended",
                    "False",
                    "JobResumed",
                    "Job resumed",
                    self.now,
                );
                self.status.start_time = Some(self.now.meta_time());
                self.notes.push(normal(self.key, "Resumed", "Job resumed"));
            }
            if self.status.start_time.is_none() {
                self.status.start_time = Some(self.now.meta_time());
            }
        }
    }

    fn run(mut self) -> Plan {
        self.account();
        self.suspend_or_resume();
        let active = self.active();
        let terminating = self.terminating().count();
        let ready = active.iter().filter(|pod| pod_is_ready(pod)).count();
        self.status.active = (!active.is_empty()).then_some(active.len() as i32);
        self.status.ready = Some(ready as i32);
        self.status.terminating = Some(terminating as i32);
        self.status.failed_indexes = self.failed_indexes().map(|failed| indexes::format(&failed));
        let all_counted = self.uncounted() == (0, 0);
        let nothing_left = active.is_empty() && terminating == 0 && all_counted;
        let met = condition(self.job, "SuccessCriteriaMet").is_some();
        if let Some((reason, message)) = (!met).then(|| self.failure()).flatten() {
            set_condition(
                &mut self.status,
                "FailureTarget",
                "True",
                reason,
                &message,
                self.now,
            );
            for pod in &active {
                self.delete(pod, "job.stop");
            }
            if nothing_left {
                set_condition(&mut self.status, "Failed", "True", reason, &message, self.now);
                self.notes.push(warning(self.key, reason, message));
            }
        } else if let Some((reason, message)) = self.success() {
            for pod in &active {
                self.dismiss(pod, "job.stop");
            }
            self.succeed(reason, &message, nothing_left);
        } else if self.is_complete(active.len()) {
            for pod in &active {
                self.dismiss(pod, "job.stop");
            }
            if nothing_left {
                let message = "Reached expected number of succeeded pods";
                self.succeed("CompletionsReached", message, true);
            }
        } else if self.suspended() {
            for pod in &active {
                self.dismiss(pod, "job.suspend");
            }
        } else {
            self.level();
        }
        if self.job.status.as_ref() != Some(&self.status) {
            let succeeded = self.status.succeeded.unwrap_or(0).to_string();
            let why = Why::new("job.status", &[&self.key.name, &succeeded]);
            let mut updated = (**self.job).clone();
            updated.status = Some(self.status);
            let mut duty = Duty::api(why, Request::update_status(updated));
            duty.notes = self.notes;
            self.plan.duties.push(duty);
        }
        self.plan
    }
}

impl Component for Jobs {
    fn name(&self) -> &'static str {
        "job"
    }

    fn identity(&self) -> Identity {
        super::identity("job-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Job, Kind::Pod].map(Watch::indexed).to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Job(_) => dirty.push(change.key.clone()),
            Object::Pod(pod) => {
                let jobs = caches.list::<Job>(&change.key.namespace);
                let mut jobs =
                    jobs.filter_map(|job| Some((&job.metadata, job.spec.as_ref()?.selector.as_ref()?)));
                mark_selected(Kind::Job, change, pod, &mut jobs, dirty);
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let job = observed.caches.by_key::<Job>(key);
        let Some(job) = job.filter(|job| job.metadata.deletion_timestamp.is_none()) else {
            // Nobody counts these Pods any more.
            let of_job = |pod: &&Arc<Pod>| {
                has_finalizer(pod)
                    && controller_of(&pod.metadata)
                        .is_some_and(|owner| owner.kind == "Job" && *owner.name == *key.name)
            };
            plan.duties.extend(
                observed
                    .caches
                    .list::<Pod>(&key.namespace)
                    .filter(of_job)
                    .map(|pod| untrack(pod, &key.name)),
            );
            return plan;
        };
        let Some(spec) = &job.spec else { return plan };
        let uid = job.metadata.uid.as_deref().unwrap_or("");
        let known = observed.caches.pods();
        if finished(job).is_some() {
            plan.duties.extend(
                known
                    .of(Kind::Job, uid)
                    .filter(|pod| has_finalizer(pod))
                    .map(|pod| untrack(pod, &key.name)),
            );
            return plan;
        }
        if spec
            .managed_by
            .as_deref()
            .is_some_and(|by| by != "kubernetes.io/job-controller")
        {
            return plan;
        }
        let Some(selector) = &spec.selector else {
            return plan;
        };
        let matches = |pod: &Pod| selector_matches(selector, pod.metadata.labels.as_ref());
        let pods = claim_pods(
            Kind::Job,
            &job.metadata,
            matches,
            known.of(Kind::Job, uid),
            known.orphans(&key.namespace),
            &mut plan.duties,
        );
        let status = job.status.clone().unwrap_or_default();
        Look {
            key,
            job,
            spec,
            pods,
            now: observed.now,
            status,
            delayed: 0,
            plan,
            notes: Vec::new(),
        }
        .run()
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Job).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
