//! Runs Pods until enough of them have succeeded.
//!
//! Source: pkg/controller/job/job_controller.go, backoff_utils.go, indexed_job_utils.go.
//! Every finished Pod is counted once: it keeps a finalizer until the status has taken note of it.

mod indexes;
mod per_index;
mod policy;
mod ttl;

pub use ttl::TtlAfterFinished;

use super::claim::claim_pods;
use super::owned::mark_selected;
use super::pods::{create_pod, delete_pod, normal, pod_from_template, warning};
use crate::api::order::StableSort;
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, PatchType, Request};
use crate::client::helpers::{
    controller_of, controller_ref, moment, pod_is_ready, pod_is_terminal, pod_phase, selector_matches,
};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Note, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec, JobStatus, UncountedTerminatedPods};
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use policy::Action;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Source: backoff_utils.go, `DefaultJobPodFailureBackOff`, `MaxJobPodFailureBackOff`.
const FAILURE_BACK_OFF: Duration = Duration::from_secs(10);
const MAX_FAILURE_BACK_OFF: Duration = Duration::from_secs(600);
/// Source: `MaxPodCreateDeletePerSync`.
const MAX_PER_SYNC: usize = 500;
/// Source: k8s.io/api/batch/v1, `JobReason…`.
const FAILURES: [&str; 5] = [
    "PodFailurePolicy",
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "MaxFailedIndexesExceeded",
    "FailedIndexes",
];

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

/// When a finished Pod's last container ended; if that is not known, when it was deleted or created.
fn ended(pod: &Pod) -> Option<SimTime> {
    let statuses = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let ends = statuses
        .into_iter()
        .flatten()
        .filter_map(|status| status.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref());
    let last = ends.map(|time| SimTime::from_timestamp(time.0)).max();
    let meta = &pod.metadata;
    let deleted = || {
        // The mark names the moment by which the Pod must be gone.
        let grace = Duration::from_secs(meta.deletion_grace_period_seconds.unwrap_or(0).max(0) as u64);
        let gone = moment(&meta.deletion_timestamp)?;
        Some(SimTime::ZERO + gone.since(SimTime::ZERO).saturating_sub(grace))
    };
    last.or_else(deleted).or_else(|| moment(&meta.creation_timestamp))
}

/// What is left of the wait after so many failures, the last of them at `last`.
fn back_off(now: SimTime, last: SimTime, failures: u32) -> Option<Duration> {
    let delay = FAILURE_BACK_OFF
        .saturating_mul(1u32.checked_shl(failures.checked_sub(1)?).unwrap_or(u32::MAX))
        .min(MAX_FAILURE_BACK_OFF);
    let due = last + delay;
    (due > now).then(|| due.since(now))
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

fn set_condition(status: &mut JobStatus, of: &str, value: &str, reason: &str, message: &str, now: SimTime) {
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

    /// Takes note of finished Pods, then lets them go, then counts them.
    fn account(&mut self) {
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

    fn uncounted(&self) -> (i32, i32) {
        let uncounted = self.status.uncounted_terminated_pods.as_ref();
        let count = |list: Option<&Vec<String>>| list.map_or(0, Vec::len) as i32;
        (
            count(uncounted.and_then(|u| u.succeeded.as_ref())),
            count(uncounted.and_then(|u| u.failed.as_ref())),
        )
    }

    fn successes(&self) -> i32 {
        let already = self.status.succeeded.unwrap_or(0);
        if self.indexed() {
            already
        } else {
            already + self.uncounted().0
        }
    }

    /// Why the Job can not succeed any more: reason and message.
    fn failure(&mut self) -> Option<(&'static str, String)> {
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
    fn restarts(&self) -> i32 {
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
    fn success(&self) -> Option<(&'static str, String)> {
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

    fn is_complete(&self, active: usize) -> bool {
        match self.spec.completions {
            Some(completions) => self.successes() >= completions,
            None => self.successes() > 0 && active == 0,
        }
    }

    /// Deletes a Pod that has not failed thereby: nobody is to count it.
    fn dismiss(&mut self, pod: &Arc<Pod>, sentence: &'static str) {
        if has_finalizer(pod) {
            self.plan.duties.push(untrack(pod, &self.key.name));
        }
        self.delete(pod, sentence);
    }

    fn delete(&mut self, pod: &Pod, sentence: &'static str) {
        let name = pod.metadata.name.as_deref().unwrap_or("");
        let why = Why::new(sentence, &[&self.key.name, name]);
        self.plan.duties.push(delete_pod(self.key, why, pod));
    }

    /// How long a failed Pod holds its successor up.
    fn held_back(&self) -> Option<Duration> {
        let finished = self
            .pods
            .iter()
            .filter(|pod| pod_is_terminal(pod) || self.is_failed(pod));
        let mut ends: Vec<(SimTime, bool)> = finished
            .filter_map(|pod| Some((ended(pod)?, self.is_failed(pod))))
            .collect();
        ends.stable_sort();
        let failures = ends.iter().rev().take_while(|(_, failed)| *failed).count() as u32;
        back_off(self.now, ends.last()?.0, failures)
    }

    /// Creates or deletes Pods until as many run as should.
    fn level(&mut self) {
        let active = self.active();
        let parallelism = self.spec.parallelism.unwrap_or(1).max(0);
        let wanted = match self.spec.completions {
            None if self.successes() > 0 => active.len() as i32,
            None => parallelism,
            Some(completions) => parallelism.min((completions - self.successes()).max(0)),
        };
        let wanted = wanted.max(0) as usize;
        if active.len() > wanted {
            let surplus = active.len() - wanted;
            for pod in super::pods::pods_to_delete(&active, &mut active.iter().copied(), surplus, self.now) {
                self.dismiss(pod, "job.surplus");
            }
            return;
        }
        // Their places stay taken until they have ended.
        let ending: Vec<&Arc<Pod>> = match self.replaces_only_failed() {
            true => self.terminating().collect(),
            false => Vec::new(),
        };
        let present = active.len() + ending.len();
        let missing = wanted.saturating_sub(present).min(MAX_PER_SYNC);
        if missing == 0 {
            return;
        }
        let of_each = self.failed_indexes();
        if of_each.is_none()
            && let Some(delay) = self.held_back()
        {
            self.plan.again_after(delay);
            return;
        }
        let waiting = self.waiting_for_successors();
        let mut indexes: Vec<Option<i32>> = vec![None; missing];
        if self.indexed() {
            let mut taken = self.completed();
            taken.extend(active.iter().chain(&ending).filter_map(|pod| index_of(pod)));
            taken.extend(of_each.into_iter().flatten());
            let free = (0..self.spec.completions.unwrap_or(0)).filter(|index| !taken.contains(index));
            indexes = free.take(missing).map(Some).collect();
        }
        // An index that must wait does not hold the others up.
        let mut delays = Vec::new();
        indexes.retain(|index| {
            let delay = index.and_then(|index| self.held_back_at(&waiting, index));
            delays.extend(delay);
            delay.is_none()
        });
        delays.into_iter().for_each(|delay| self.plan.again_after(delay));
        let (wanted, present) = (wanted.to_string(), present.to_string());
        let why = Why::new("job.create", &[&self.key.name, &wanted, &present]);
        for index in indexes {
            let mut pod = self.new_pod(index);
            if let Some(index) = index {
                self.pass_on_failures(&waiting, index, &mut pod);
            }
            let pod = Object::from(pod);
            self.plan.duties.push(create_pod(self.key, why.clone(), pod));
        }
    }

    fn new_pod(&self, index: Option<i32>) -> Pod {
        let mut pod = pod_from_template(
            &self.spec.template,
            &self.job.metadata,
            controller_ref(Kind::Job, &self.job.metadata),
        );
        pod.metadata
            .finalizers
            .get_or_insert_default()
            .push(FINALIZER.to_owned());
        let Some(index) = index else { return pod };
        let name = &self.key.name;
        pod.metadata.generate_name = Some(format!("{name}-{index}-"));
        pod.metadata
            .annotations
            .get_or_insert_default()
            .insert(INDEX.to_owned(), index.to_string());
        pod.metadata
            .labels
            .get_or_insert_default()
            .insert(INDEX.to_owned(), index.to_string());
        let spec = pod.spec.get_or_insert_default();
        spec.hostname = Some(format!("{name}-{index}"));
        let variable = EnvVar {
            name: "JOB_COMPLETION_INDEX".to_owned(),
            value_from: Some(EnvVarSource {
                field_ref: Some(ObjectFieldSelector {
                    api_version: None,
                    field_path: format!("metadata.labels['{INDEX}']"),
                }),
                ..EnvVarSource::default()
            }),
            value: None,
        };
        for container in spec
            .containers
            .iter_mut()
            .chain(spec.init_containers.iter_mut().flatten())
        {
            container.env.get_or_insert_default().push(variable.clone());
        }
        pod
    }

    /// Notes the success, and the end of the Job if nothing of it is left.
    fn succeed(&mut self, reason: &'static str, message: &str, over: bool) {
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
