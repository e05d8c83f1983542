//! Creates Jobs at the times a CronJob names.
//!
//! Source: pkg/controller/cronjob (cronjob_controllerv2.go, utils.go).

use super::job::finished;
use super::owned::owner_keys;
use super::pods::{normal, on_failure, warning};
use super::schedule::Schedule;
use crate::api::civil;
use crate::api::order::StableSort;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Propagation, Request};
use crate::client::helpers::{controller_of, controller_ref, moment};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Fact, Observed, Plan, Why};
use crate::sim::{EPOCH_UNIX_SECONDS, SimTime};
use k8s_openapi::api::batch::v1::{CronJob, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::sync::Arc;
use std::time::Duration;

const TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// Looking back further than this many starts is not worth it. Source: `mostRecentScheduleTime`.
const MANY_MISSED: usize = 100;

/// The cronjob controller.
#[derive(Clone, Debug, Default)]
pub struct CronJobs;

/// The last start that is due, how many were, and when the next one is.
fn due(schedule: &Schedule, since: SimTime, now: SimTime) -> (Option<SimTime>, usize, Option<SimTime>) {
    let (mut last, mut count, mut at) = (None, 0, since);
    // A start every minute over years: jump close to the present instead of counting all.
    if now.since(at) > Duration::from_secs(60 * 60 * 24 * 2)
        && schedule
            .next(now - Duration::from_secs(60 * 60))
            .is_some_and(|t| t <= now)
    {
        at = now - Duration::from_secs(60 * 60);
        count = MANY_MISSED;
    }
    while let Some(next) = schedule.next(at) {
        if next > now {
            return (last, count, Some(next));
        }
        (last, at) = (Some(next), next);
        count += 1;
    }
    (last, count, None)
}

fn reference(job: &Job) -> ObjectReference {
    ObjectReference {
        api_version: Some("batch/v1".to_owned()),
        kind: Some("Job".to_owned()),
        name: job.metadata.name.clone(),
        namespace: job.metadata.namespace.clone(),
        uid: job.metadata.uid.clone(),
        resource_version: job.metadata.resource_version.clone(),
        ..ObjectReference::default()
    }
}

fn job_for(cron: &CronJob, at: SimTime) -> Job {
    let spec = &cron.spec;
    let minutes = (EPOCH_UNIX_SECONDS + (at.as_micros() / 1_000_000) as i64) / 60;
    let template = spec.job_template.metadata.clone().unwrap_or_default();
    let mut annotations = template.annotations.unwrap_or_default();
    annotations.insert(TIMESTAMP.to_owned(), civil::seconds(at.timestamp()));
    Job {
        metadata: ObjectMeta {
            name: Some(format!(
                "{}-{minutes}",
                cron.metadata.name.as_deref().unwrap_or("")
            )),
            namespace: cron.metadata.namespace.clone(),
            labels: template.labels,
            annotations: Some(annotations),
            owner_references: Some(vec![controller_ref(Kind::CronJob, &cron.metadata)]),
            ..ObjectMeta::default()
        },
        spec: spec.job_template.spec.clone(),
        status: None,
    }
}

fn name_of(job: &Job) -> &str {
    job.metadata.name.as_deref().unwrap_or("")
}

impl CronJobs {
    /// Deletes the oldest finished Jobs beyond the limits.
    fn clean(&self, key: &Key, cron: &CronJob, jobs: &[&Arc<Job>], plan: &mut Plan) {
        let spec = &cron.spec;
        let limits = [
            ("Complete", spec.successful_jobs_history_limit.unwrap_or(3)),
            ("Failed", spec.failed_jobs_history_limit.unwrap_or(1)),
        ];
        for (of, limit) in limits {
            let mut over: Vec<_> = jobs
                .iter()
                .filter(|job| finished(job).is_some_and(|(condition, _)| condition.type_ == of))
                .collect();
            over.stable_sort_by_key(|job| {
                (
                    job.status.as_ref().and_then(|status| moment(&status.start_time)),
                    name_of(job).to_owned(),
                )
            });
            let surplus = over.len().saturating_sub(limit.max(0) as usize);
            for job in over
                .into_iter()
                .take(surplus)
                .filter(|job| job.metadata.deletion_timestamp.is_none())
            {
                self.delete(key, job, "cronjob.clean", plan);
            }
        }
    }

    fn delete(&self, key: &Key, job: &Job, sentence: &'static str, plan: &mut Plan) {
        let options = DeleteOptions {
            propagation: Some(Propagation::Background),
            ..DeleteOptions::default()
        };
        let request = Request::delete(Kind::Job, &key.namespace, name_of(job), options);
        let duty = Duty::api(Why::new(sentence, &[&key.name, name_of(job)]), request)
            .note(normal(
                key,
                "SuccessfulDelete",
                format!("Deleted job {}", name_of(job)),
            ))
            .note(on_failure(key, "FailedDelete", "Deleted job: {error}"));
        plan.duties.push(duty);
    }
}

impl Component for CronJobs {
    fn name(&self) -> &'static str {
        "cronjob"
    }

    fn identity(&self) -> Identity {
        super::identity("cronjob-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::CronJob, Kind::Job].map(Watch::all).to_vec()
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::CronJob(_) => dirty.push(change.key.clone()),
            Object::Job(_) => owner_keys(Kind::CronJob, change, dirty),
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let now = observed.now;
        let Some(cron) = observed.caches.by_key::<CronJob>(key) else {
            return plan;
        };
        let spec = &cron.spec;
        let mine = |job: &&Arc<Job>| {
            controller_of(&job.metadata).is_some_and(|owner| Some(&owner.uid) == cron.metadata.uid.as_ref())
        };
        let jobs: Vec<&Arc<Job>> = observed.caches.list::<Job>(&key.namespace).filter(mine).collect();
        self.clean(key, cron, &jobs, &mut plan);
        let known = cron.status.clone().unwrap_or_default();
        let running: Vec<&Arc<Job>> = jobs
            .iter()
            .copied()
            .filter(|job| finished(job).is_none())
            .collect();
        let mut status = CronJobStatus {
            active: None,
            ..known.clone()
        };
        for job in &running {
            let listed = known
                .active
                .iter()
                .flatten()
                .find(|listed| listed.uid == job.metadata.uid);
            status
                .active
                .get_or_insert_default()
                .push(listed.cloned().unwrap_or_else(|| reference(job)));
        }
        let mut notes = Vec::new();
        for listed in known.active.iter().flatten() {
            let name = listed.name.as_deref().unwrap_or("");
            match jobs.iter().find(|job| job.metadata.uid == listed.uid) {
                None => notes.push(normal(
                    key,
                    "MissingJob",
                    format!("Active job went missing: {name}"),
                )),
                Some(job) => {
                    if let Some((over, since)) = finished(job) {
                        let message = format!("Saw completed job: {name}, condition: {}", over.type_);
                        notes.push(normal(key, "SawCompletedJob", message));
                        let last = moment(&status.last_successful_time);
                        if over.type_ == "Complete" && since > last {
                            status.last_successful_time = since.map(SimTime::meta_time);
                        }
                    }
                }
            }
        }
        if cron.metadata.deletion_timestamp.is_none() && spec.suspend != Some(true) {
            self.start(key, cron, &running, now, &mut status, &mut plan);
        }
        if status != known {
            let mut updated = (**cron).clone();
            updated.status = Some(status);
            let mut duty = Duty::api(
                Why::new("cronjob.status", &[&key.name]),
                Request::update_status(updated),
            );
            duty.notes = notes;
            plan.duties.push(duty);
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::CronJob).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

impl CronJobs {
    /// Starts what is due, as the concurrency policy allows.
    fn start(
        &self,
        key: &Key,
        cron: &CronJob,
        running: &[&Arc<Job>],
        now: SimTime,
        status: &mut CronJobStatus,
        plan: &mut Plan,
    ) {
        let spec = &cron.spec;
        let Some(schedule) = Schedule::parse(&spec.schedule) else {
            return;
        };
        let created = moment(&cron.metadata.creation_timestamp).unwrap_or_default();
        let mut since = moment(&status.last_schedule_time).unwrap_or(created);
        let deadline = spec
            .starting_deadline_seconds
            .map(|seconds| Duration::from_secs(seconds.max(0) as u64));
        if let Some(deadline) = deadline {
            since = since.max(now - deadline);
        }
        let (last, missed, next) = due(&schedule, since, now);
        if let Some(next) = next {
            plan.again_after(next.since(now));
        }
        let Some(at) = last else { return };
        let about = |note| Fact { note, at: Some(at) };
        if missed > MANY_MISSED {
            let message = format!(
                "too many missed start times: {missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            );
            plan.facts
                .push(about(warning(key, "TooManyMissedTimes", message)));
        }
        if deadline.is_some_and(|deadline| at + deadline < now) {
            let message = format!("Missed scheduled time to start a job: {}", at.timestamp());
            plan.facts.push(about(warning(key, "MissSchedule", message)));
            return;
        }
        match spec.concurrency_policy.as_deref() {
            Some("Forbid") if !running.is_empty() => {
                let message =
                    "Not starting job because prior execution is running and concurrency policy is Forbid";
                plan.facts.push(about(normal(key, "JobAlreadyActive", message)));
                return;
            }
            Some("Replace") => {
                for job in running
                    .iter()
                    .filter(|job| job.metadata.deletion_timestamp.is_none())
                {
                    self.delete(key, job, "cronjob.replace", plan);
                }
            }
            _ => {}
        }
        let job = job_for(cron, at);
        let name = name_of(&job).to_owned();
        let why = Why::new("cronjob.start", &[&key.name, &name]);
        plan.duties.push(
            Duty::api(why, Request::create(job))
                .note(normal(key, "SuccessfulCreate", format!("Created job {name}")))
                .note(on_failure(key, "FailedCreate", "Error creating job: {error}")),
        );
        status.last_schedule_time = Some(at.meta_time());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::{Value, json};

    fn cron(more: Value) -> Value {
        let mut spec = json!({"schedule": "*/10 * * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}});
        more.as_object()
            .unwrap()
            .iter()
            .for_each(|(key, value)| spec[key] = value.clone());
        json!({"metadata": {"name": "tick", "namespace": "d", "uid": "u", "creationTimestamp": "2026-04-01T09:00:00Z"}, "spec": spec})
    }

    fn job(name: &str, finished: Option<&str>) -> Value {
        let conditions = finished
            .map(|of| json!([{"type": of, "status": "True", "lastTransitionTime": "2026-04-01T09:05:00Z"}]));
        json!({"metadata": {"name": name, "namespace": "d", "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": "u", "controller": true}]}, "status": {"conditions": conditions}})
    }

    #[test]
    fn starts_what_is_due_and_waits_for_the_next() {
        let mut bench = Bench::new(CronJobs);
        bench.put(Kind::CronJob, cron(json!({})));
        bench.now = SimTime::from_secs(599);
        assert_eq!(
            bench.plan(Kind::CronJob, "d", "tick").again_after,
            Some(Duration::from_secs(1))
        );
        bench.now = SimTime::from_secs(600);
        let plan = bench.plan(Kind::CronJob, "d", "tick");
        assert_eq!(
            verbs(&plan),
            ["create jobs tick-29583910", "update cronjobs/status tick"]
        );
        assert_eq!(
            body(&plan.duties[0])["metadata"]["annotations"][TIMESTAMP],
            "2026-04-01T09:10:00Z"
        );
        bench.put(Kind::CronJob, body(&plan.duties[1]));
        let plan = bench.plan(Kind::CronJob, "d", "tick");
        assert_eq!(
            (plan.duties.len(), plan.again_after),
            (0, Some(Duration::from_secs(600)))
        );
    }

    #[test]
    fn forbids_replaces_and_cleans() {
        let mut bench = Bench::new(CronJobs);
        bench.now = SimTime::from_secs(600);
        bench
            .put(Kind::CronJob, cron(json!({"concurrencyPolicy": "Forbid"})))
            .put(Kind::Job, job("tick-1", None));
        assert_eq!(
            verbs(&bench.plan(Kind::CronJob, "d", "tick")),
            ["update cronjobs/status tick"]
        );
        bench.put(Kind::CronJob, cron(json!({"concurrencyPolicy": "Replace"})));
        assert_eq!(
            verbs(&bench.plan(Kind::CronJob, "d", "tick"))[0],
            "delete jobs tick-1"
        );
        bench.put(
            Kind::CronJob,
            cron(json!({"suspend": true, "successfulJobsHistoryLimit": 1})),
        );
        bench
            .put(Kind::Job, job("tick-1", Some("Complete")))
            .put(Kind::Job, job("tick-2", Some("Complete")));
        assert_eq!(
            verbs(&bench.plan(Kind::CronJob, "d", "tick")),
            ["delete jobs tick-1"]
        );
    }
}
