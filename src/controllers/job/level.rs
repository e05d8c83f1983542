//! As many Pods as should run: who is created, who is deleted, and how long a failure holds the next one up.

use super::{FINALIZER, INDEX, Look, has_finalizer, index_of, untrack};
use crate::api::order::StableSort;
use crate::api::{Kind, Object};
use crate::client::helpers::{controller_ref, moment, pod_is_terminal};
use crate::controllers::pods::{create_pod, delete_pod, pod_from_template, pods_to_delete};
use crate::seat::Why;
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use std::sync::Arc;
use std::time::Duration;

/// Source: backoff_utils.go, `DefaultJobPodFailureBackOff`, `MaxJobPodFailureBackOff`.
const FAILURE_BACK_OFF: Duration = Duration::from_secs(10);
const MAX_FAILURE_BACK_OFF: Duration = Duration::from_secs(600);
/// Source: `MaxPodCreateDeletePerSync`.
const MAX_PER_SYNC: usize = 500;

/// When a finished Pod's last container ended; if that is not known, when it was deleted or created.
pub(super) fn ended(pod: &Pod) -> Option<SimTime> {
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
pub(super) fn back_off(now: SimTime, last: SimTime, failures: u32) -> Option<Duration> {
    let delay = FAILURE_BACK_OFF
        .saturating_mul(1u32.checked_shl(failures.checked_sub(1)?).unwrap_or(u32::MAX))
        .min(MAX_FAILURE_BACK_OFF);
    let due = last + delay;
    (due > now).then(|| due.since(now))
}

impl Look<'_> {
    /// Deletes a Pod that has not failed thereby: nobody is to count it.
    pub(super) fn dismiss(&mut self, pod: &Arc<Pod>, sentence: &'static str) {
        if has_finalizer(pod) {
            self.plan.duties.push(untrack(pod, &self.key.name));
        }
        self.delete(pod, sentence);
    }

    pub(super) fn delete(&mut self, pod: &Pod, sentence: &'static str) {
        let name = pod.metadata.name.as_deref().unwrap_or("");
        let why = Why::new(sentence, &[&self.key.name, name]);
        self.plan.duties.push(delete_pod(self.key, why, pod));
    }

    /// How long a failed Pod holds its successor up.
    pub(super) fn held_back(&self) -> Option<Duration> {
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
    pub(super) fn level(&mut self) {
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
            for pod in pods_to_delete(&active, &mut active.iter().copied(), surplus, self.now) {
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

    pub(super) fn new_pod(&self, index: Option<i32>) -> Pod {
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
}
