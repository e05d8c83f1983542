//! Rows of what makes Pods.

use super::row;
use crate::api::duration;
use crate::api::labels::{Selector, format_label_selector, format_labels};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or("")
}

/// The names and the images of a template's containers.
fn containers(template: Option<&PodTemplateSpec>) -> (String, String) {
    let spec = template.and_then(|template| template.spec.as_ref());
    super::containers(spec.map_or(&[], |spec| &spec.containers))
}

pub fn deployment(deployment: &Deployment, age: String) -> Vec<Value> {
    let spec = deployment.spec.as_ref();
    let status = deployment.status.clone().unwrap_or_default();
    let desired = spec.and_then(|spec| spec.replicas).unwrap_or(0);
    let (names, images) = containers(spec.map(|spec| &spec.template));
    let selector = match Selector::from_label_selector(spec.map(|spec| &spec.selector)) {
        Ok(selector) => selector.to_string(),
        Err(_) => "<invalid>".to_owned(),
    };
    row![
        name(&deployment.metadata),
        format!("{}/{desired}", status.ready_replicas.unwrap_or(0)),
        status.updated_replicas.unwrap_or(0),
        status.available_replicas.unwrap_or(0),
        age,
        names,
        images,
        selector,
    ]
}

pub fn replica_set(set: &ReplicaSet, age: String) -> Vec<Value> {
    let (spec, status) = (set.spec.as_ref(), set.status.as_ref());
    let (names, images) = containers(spec.and_then(|spec| spec.template.as_ref()));
    row![
        name(&set.metadata),
        spec.and_then(|spec| spec.replicas).unwrap_or(0),
        status.map_or(0, |status| status.replicas),
        status.and_then(|status| status.ready_replicas).unwrap_or(0),
        age,
        names,
        images,
        format_label_selector(spec.map(|spec| &spec.selector)),
    ]
}

pub fn replication_controller(controller: &ReplicationController, age: String) -> Vec<Value> {
    let (spec, status) = (controller.spec.as_ref(), controller.status.as_ref());
    let (names, images) = containers(spec.and_then(|spec| spec.template.as_ref()));
    row![
        name(&controller.metadata),
        spec.and_then(|spec| spec.replicas).unwrap_or(0),
        status.map_or(0, |status| status.replicas),
        status.and_then(|status| status.ready_replicas).unwrap_or(0),
        age,
        names,
        images,
        format_labels(spec.and_then(|spec| spec.selector.as_ref())),
    ]
}

pub fn stateful_set(set: &StatefulSet, age: String) -> Vec<Value> {
    let spec = set.spec.as_ref();
    let ready = set
        .status
        .as_ref()
        .and_then(|status| status.ready_replicas)
        .unwrap_or(0);
    let desired = spec.and_then(|spec| spec.replicas).unwrap_or(0);
    let (names, images) = containers(spec.map(|spec| &spec.template));
    row![
        name(&set.metadata),
        format!("{ready}/{desired}"),
        age,
        names,
        images
    ]
}

pub fn daemon_set(set: &DaemonSet, age: String) -> Vec<Value> {
    let spec = set.spec.as_ref();
    let status = set.status.clone().unwrap_or_default();
    let pod = spec.and_then(|spec| spec.template.spec.as_ref());
    let (names, images) = containers(spec.map(|spec| &spec.template));
    row![
        name(&set.metadata),
        status.desired_number_scheduled,
        status.current_number_scheduled,
        status.number_ready,
        status.updated_number_scheduled.unwrap_or(0),
        status.number_available.unwrap_or(0),
        format_labels(pod.and_then(|pod| pod.node_selector.as_ref())),
        age,
        names,
        images,
        format_label_selector(spec.map(|spec| &spec.selector)),
    ]
}

pub fn controller_revision(revision: &ControllerRevision, age: String) -> Vec<Value> {
    let owners = revision.metadata.owner_references.as_deref().unwrap_or(&[]);
    let controller = owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| {
            let kind = owner.kind.to_lowercase();
            match owner.api_version.split_once('/') {
                Some((group, _)) => format!("{kind}.{group}/{}", owner.name),
                None => format!("{kind}/{}", owner.name),
            }
        });
    let controller = controller.unwrap_or_else(|| "<none>".to_owned());
    row![name(&revision.metadata), controller, revision.revision, age]
}

pub fn job(job: &Job, age: String, now: Timestamp) -> Vec<Value> {
    let default = JobSpec::default();
    let spec = job.spec.as_ref().unwrap_or(&default);
    let status = job.status.clone().unwrap_or_default();
    let succeeded = status.succeeded.unwrap_or(0);
    let completions = match (spec.completions, spec.parallelism.unwrap_or(0)) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let took = match (&status.start_time, &status.completion_time) {
        (None, _) => String::new(),
        (Some(start), None) => duration::between(start.0, now),
        (Some(start), Some(end)) => duration::between(start.0, end.0),
    };
    let (names, images) = containers(Some(&spec.template));
    let state = job_state(&status, job.metadata.deletion_timestamp.is_some());
    row![
        name(&job.metadata),
        state,
        completions,
        took,
        age,
        names,
        images,
        format_label_selector(spec.selector.as_ref()),
    ]
}

fn job_state(status: &JobStatus, deleted: bool) -> &'static str {
    let has = |name: &str| {
        let mut conditions = status.conditions.iter().flatten();
        conditions
            .find(|own| own.type_ == name)
            .is_some_and(|own| own.status == "True")
    };
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if deleted => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () => "Running",
    }
}

pub fn cron_job(job: &CronJob, age: String, now: Timestamp) -> Vec<Value> {
    let spec = &job.spec;
    let status = job.status.as_ref();
    let last = status.and_then(|status| status.last_schedule_time.as_ref());
    let suspend = match spec.suspend {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let made = spec.job_template.spec.as_ref();
    let (names, images) = containers(made.map(|job| &job.template));
    row![
        name(&job.metadata),
        spec.schedule.as_str(),
        spec.time_zone.as_deref().unwrap_or("<none>"),
        suspend,
        status
            .and_then(|status| status.active.as_ref())
            .map_or(0, Vec::len),
        last.map_or_else(|| "<none>".to_owned(), |time| duration::since(Some(time), now)),
        age,
        names,
        images,
        format_label_selector(made.and_then(|job| job.selector.as_ref())),
    ]
}
