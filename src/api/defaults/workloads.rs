//! What makes Pods from templates: the apps and batch groups, and ReplicationControllers.
//!
//! Source: kubernetes/pkg/apis/apps/v1/defaults.go, batch/v1/defaults.go, core/v1/defaults.go.

use super::pod::pod_template_defaults;
use super::{always, missing, percent, text, volume};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::ReplicationController;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub(super) fn deployment(deployment: &mut Deployment) {
    let spec = always(&mut deployment.spec);
    missing(&mut spec.replicas, 1);
    let strategy = always(&mut spec.strategy);
    text(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling = always(&mut strategy.rolling_update);
        if rolling.max_unavailable.is_none() {
            rolling.max_unavailable = Some(percent("25%"));
        }
        if rolling.max_surge.is_none() {
            rolling.max_surge = Some(percent("25%"));
        }
    }
    missing(&mut spec.revision_history_limit, 10);
    missing(&mut spec.progress_deadline_seconds, 600);
    pod_template_defaults(&mut spec.template);
    always(&mut deployment.status);
}

pub(super) fn replica_set(set: &mut ReplicaSet) {
    let spec = always(&mut set.spec);
    missing(&mut spec.replicas, 1);
    pod_template_defaults(always(&mut spec.template));
    always(&mut set.status);
}

pub(super) fn stateful_set(set: &mut StatefulSet) {
    let spec = always(&mut set.spec);
    text(&mut spec.pod_management_policy, "OrderedReady");
    let strategy = always(&mut spec.update_strategy);
    if strategy.type_.as_ref().is_none_or(String::is_empty) {
        strategy.type_ = Some("RollingUpdate".to_owned());
        always(&mut strategy.rolling_update);
    }
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        if let Some(rolling) = &mut strategy.rolling_update {
            missing(&mut rolling.partition, 0);
        }
    }
    let retention = always(&mut spec.persistent_volume_claim_retention_policy);
    text(&mut retention.when_deleted, "Retain");
    text(&mut retention.when_scaled, "Retain");
    missing(&mut spec.replicas, 1);
    missing(&mut spec.revision_history_limit, 10);
    // Written even when it is empty.
    missing(&mut spec.service_name, String::new());
    pod_template_defaults(&mut spec.template);
    for claim in spec.volume_claim_templates.iter_mut().flatten() {
        volume::persistent_volume_claim(claim);
    }
    missing(&mut always(&mut set.status).available_replicas, 0);
}

pub(super) fn daemon_set(set: &mut DaemonSet) {
    let spec = always(&mut set.spec);
    let strategy = always(&mut spec.update_strategy);
    text(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling = always(&mut strategy.rolling_update);
        missing(&mut rolling.max_unavailable, IntOrString::Int(1));
        missing(&mut rolling.max_surge, IntOrString::Int(0));
    }
    missing(&mut spec.revision_history_limit, 10);
    pod_template_defaults(&mut spec.template);
    always(&mut set.status);
}

pub(super) fn replication_controller(rc: &mut ReplicationController) {
    let spec = always(&mut rc.spec);
    missing(&mut spec.replicas, 1);
    if let Some(template) = &mut spec.template {
        pod_template_defaults(template);
        if let Some(labels) = template.metadata.as_ref().and_then(|meta| meta.labels.as_ref()) {
            if spec.selector.as_ref().is_none_or(|selector| selector.is_empty()) {
                spec.selector = Some(labels.clone());
            }
            if rc.metadata.labels.as_ref().is_none_or(|own| own.is_empty()) {
                rc.metadata.labels = Some(labels.clone());
            }
        }
    }
    always(&mut rc.status);
}

pub(super) fn job(job: &mut Job) {
    let spec = always(&mut job.spec);
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    missing(&mut spec.parallelism, 1);
    let per_index = spec.backoff_limit_per_index.is_some();
    missing(&mut spec.backoff_limit, if per_index { i32::MAX } else { 6 });
    missing(&mut spec.completion_mode, "NonIndexed".to_owned());
    missing(&mut spec.suspend, false);
    missing(&mut spec.manual_selector, false);
    let failure_policy = spec.pod_failure_policy.is_some();
    let replacement = if failure_policy {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    missing(&mut spec.pod_replacement_policy, replacement.to_owned());
    job_spec(spec);
    if job.metadata.labels.as_ref().is_none_or(|own| own.is_empty()) {
        let labels = spec
            .template
            .metadata
            .as_ref()
            .and_then(|meta| meta.labels.as_ref());
        if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
            job.metadata.labels = Some(labels.clone());
        }
    }
    always(&mut job.status);
}

/// What a CronJob's template gets as well.
fn job_spec(spec: &mut JobSpec) {
    pod_template_defaults(&mut spec.template);
    for rule in spec
        .pod_failure_policy
        .iter_mut()
        .flat_map(|policy| &mut policy.rules)
    {
        for pattern in rule.on_pod_conditions.iter_mut().flatten() {
            text(&mut pattern.status, "True");
        }
    }
}

pub(super) fn cron_job(job: &mut CronJob) {
    let spec = &mut job.spec;
    text(&mut spec.concurrency_policy, "Allow");
    missing(&mut spec.suspend, false);
    missing(&mut spec.successful_jobs_history_limit, 3);
    missing(&mut spec.failed_jobs_history_limit, 1);
    always(&mut spec.job_template.metadata);
    job_spec(always(&mut spec.job_template.spec));
    always(&mut job.status);
}
