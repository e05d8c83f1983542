//! Runs Pods until enough of them have succeeded.
//!
//! Source: pkg/controller/job/job_controller.go, backoff_utils.go, indexed_job_utils.go.
//! Every finished Pod is counted once: it keeps a finalizer until the status has taken note of it.

mod indexes;

use super::claim::claim_pods;
use super::owned::OwnedPods;
use super::pods::{create_pod, delete_pod, normal, pod_from_template, warning};
use crate::api::order::StableSort;
use crate::api::sorted::SortedSet;
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

/// The job controller.
#[derive(Clone, Debug)]
pub struct Jobs {
    pods: OwnedPods,
}

impl Default for Jobs {
    fn default() -> Jobs {
        Jobs {
            pods: OwnedPods::new(Kind::Job),
        }
    }
}

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

/// When a Pod's last container ended.
fn ended(pod: &Pod) -> Option<SimTime> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ends = statuses
        .iter()
        .filter_map(|status| status.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref());
    ends.map(|time| SimTime::from_timestamp(time.0)).max()
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

    fn completed(&self) -> SortedSet<i32> {
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
        for pod in self.pods.iter().filter(|pod| has_finalizer(pod)) {
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            let well = pod_phase(pod) == "Succeeded";
            // Who is deleted before the end has failed.
            let over =
                pod_is_terminal(pod) || (pod.metadata.deletion_timestamp.is_some() && self.suspended());
            if !over {
                continue;
            }
            if succeeded.contains(&uid) || failed.contains(&uid) {
                self.plan.duties.push(untrack(pod, &self.key.name));
            } else if !well {
                failed.push(uid);
            } else if let (true, Some(index)) = (self.indexed(), index_of(pod)) {
                if completed.insert(index) {
                    succeeded.push(uid);
                } else {
                    self.plan.duties.push(untrack(pod, &self.key.name));
                }
            } else {
                succeeded.push(uid);
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
            let reason = match target.reason.as_deref() {
                Some("DeadlineExceeded") => "DeadlineExceeded",
                Some("PodFailurePolicy") => "PodFailurePolicy",
                _ => "BackoffLimitExceeded",
            };
            return Some((reason, message));
        }
        if let (Some(seconds), Some(started)) =
            (self.spec.active_deadline_seconds, moment(&self.status.start_time))
            && !self.suspended()
        {
            let due = started + Duration::from_secs(seconds.max(0) as u64);
            if due <= self.now {
                return Some((
                    "DeadlineExceeded",
                    "Job was active longer than specified deadline".to_owned(),
                ));
            }
            self.plan.again_after(due.since(self.now));
        }
        let failed = self.status.failed.unwrap_or(0) + self.uncounted().1;
        let restarts: i32 = match self
            .spec
            .template
            .spec
            .as_ref()
            .and_then(|spec| spec.restart_policy.as_deref())
        {
            Some("OnFailure") => {
                let statuses = self
                    .pods
                    .iter()
                    .filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
                statuses.flatten().map(|status| status.restart_count).sum()
            }
            _ => 0,
        };
        let limit = self.spec.backoff_limit.unwrap_or(6);
        let too_often = failed > limit || (restarts > 0 && restarts >= limit);
        too_often.then(|| {
            (
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit".to_owned(),
            )
        })
    }

    fn is_complete(&self, active: usize) -> bool {
        match self.spec.completions {
            Some(completions) => self.successes() >= completions,
            None => self.successes() > 0 && active == 0,
        }
    }

    /// Deletes every Pod that still runs.
    fn stop(&mut self, sentence: &'static str) {
        for pod in self.active() {
            let name = pod.metadata.name.as_deref().unwrap_or("");
            self.plan.duties.push(delete_pod(
                self.key,
                Why::new(sentence, &[&self.key.name, name]),
                pod,
            ));
        }
    }

    /// How long a failed Pod holds its successor up.
    fn held_back(&self) -> Option<Duration> {
        let mut ends: Vec<(SimTime, bool)> = self
            .pods
            .iter()
            .filter(|pod| pod_is_terminal(pod))
            .filter_map(|pod| {
                Some((
                    ended(pod).or_else(|| moment(&pod.metadata.creation_timestamp))?,
                    pod_phase(pod) == "Failed",
                ))
            })
            .collect();
        ends.stable_sort();
        let failures = ends.iter().rev().take_while(|(_, failed)| *failed).count() as u32;
        let (last, _) = ends.last().filter(|_| failures > 0)?;
        let delay = FAILURE_BACK_OFF
            .saturating_mul(1u32.checked_shl(failures - 1).unwrap_or(u32::MAX))
            .min(MAX_FAILURE_BACK_OFF);
        let due = *last + delay;
        (due > self.now).then(|| due.since(self.now))
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
                let name = pod.metadata.name.as_deref().unwrap_or("");
                let why = Why::new("job.surplus", &[&self.key.name, name]);
                self.plan.duties.push(delete_pod(self.key, why, pod));
            }
            return;
        }
        let terminating = self
            .pods
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_some() && !pod_is_terminal(pod))
            .count();
        let replaces_early = self.spec.pod_replacement_policy.as_deref() != Some("Failed");
        let present = if replaces_early {
            active.len()
        } else {
            active.len() + terminating
        };
        let missing = wanted.saturating_sub(present).min(MAX_PER_SYNC);
        if missing == 0 {
            return;
        }
        if let Some(delay) = self.held_back() {
            self.plan.again_after(delay);
            return;
        }
        let indexes: Vec<Option<i32>> = if self.indexed() {
            let taken: SortedSet<i32> = active
                .iter()
                .filter_map(|pod| index_of(pod))
                .chain(self.completed())
                .collect();
            let free = (0..self.spec.completions.unwrap_or(0)).filter(|index| !taken.contains(index));
            free.take(missing).map(Some).collect()
        } else {
            vec![None; missing]
        };
        let (wanted, present) = (wanted.to_string(), present.to_string());
        let why = Why::new("job.create", &[&self.key.name, &wanted, &present]);
        for index in indexes {
            let pod = Object::from(self.new_pod(index));
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
        let terminating = self
            .pods
            .iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_some() && !pod_is_terminal(pod))
            .count();
        let ready = active.iter().filter(|pod| pod_is_ready(pod)).count();
        self.status.active = (!active.is_empty()).then_some(active.len() as i32);
        self.status.ready = Some(ready as i32);
        self.status.terminating = Some(terminating as i32);
        let all_counted = self.uncounted() == (0, 0);
        let nothing_left = active.is_empty() && terminating == 0 && all_counted;
        if let Some((reason, message)) = self.failure() {
            set_condition(
                &mut self.status,
                "FailureTarget",
                "True",
                reason,
                &message,
                self.now,
            );
            self.stop("job.stop");
            if nothing_left {
                set_condition(&mut self.status, "Failed", "True", reason, &message, self.now);
                self.notes.push(warning(self.key, reason, message));
            }
        } else if self.is_complete(active.len()) {
            let message = "Reached expected number of succeeded pods";
            self.stop("job.stop");
            if nothing_left {
                set_condition(
                    &mut self.status,
                    "SuccessCriteriaMet",
                    "True",
                    "CompletionsReached",
                    message,
                    self.now,
                );
                set_condition(
                    &mut self.status,
                    "Complete",
                    "True",
                    "CompletionsReached",
                    message,
                    self.now,
                );
                self.status.completion_time = Some(self.now.meta_time());
                self.notes.push(normal(self.key, "Completed", "Job completed"));
            }
        } else if self.suspended() {
            self.stop("job.suspend");
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
        [Kind::Job, Kind::Pod].map(Watch::all).to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Job(_) => dirty.push(change.key.clone()),
            Object::Pod(pod) => {
                let jobs = caches.list::<Job>(&change.key.namespace);
                let mut jobs =
                    jobs.filter_map(|job| Some((&job.metadata, job.spec.as_ref()?.selector.as_ref()?)));
                self.pods.mark_selected(change, pod, &mut jobs, dirty);
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
        if finished(job).is_some() {
            plan.duties.extend(
                self.pods
                    .of(uid)
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
        let orphans = self.pods.orphans(&key.namespace);
        let pods = claim_pods(
            Kind::Job,
            &job.metadata,
            matches,
            self.pods.of(uid),
            orphans,
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

/// Deletes finished Jobs after their time to live.
///
/// Source: pkg/controller/ttlafterfinished.
#[derive(Clone, Debug, Default)]
pub struct TtlAfterFinished;

impl Component for TtlAfterFinished {
    fn name(&self) -> &'static str {
        "ttl-after-finished"
    }

    fn identity(&self) -> Identity {
        super::identity("ttl-after-finished-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all(Kind::Job)]
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if let Some(Object::Job(job)) = &change.new
            && finished(job).is_some()
        {
            dirty.push(change.key.clone());
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(job) = observed.caches.by_key::<Job>(key) else {
            return plan;
        };
        let ttl = job.spec.as_ref().and_then(|spec| spec.ttl_seconds_after_finished);
        let (Some(ttl), Some((_, Some(since)))) = (ttl, finished(job)) else {
            return plan;
        };
        if job.metadata.deletion_timestamp.is_some() {
            return plan;
        }
        let due = since + Duration::from_secs(ttl.max(0) as u64);
        if due > observed.now {
            plan.again_after(due.since(observed.now));
            return plan;
        }
        let options = crate::apiserver::DeleteOptions {
            propagation: Some(crate::apiserver::Propagation::Foreground),
            precondition_uid: job.metadata.uid.clone(),
            ..Default::default()
        };
        let why = Why::new("job.expired", &[&key.name, &ttl.to_string()]);
        plan.duties.push(Duty::api(
            why,
            Request::delete(Kind::Job, &key.namespace, &key.name, options),
        ));
        plan
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
