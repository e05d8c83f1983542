//! ReplicaSets and ReplicationControllers.
//!
//! Source: kubernetes/pkg/apis/apps/validation/validation.go and pkg/apis/core/validation/validation.go.

use super::field::{FieldError, Json};
use super::meta::{self, Errors};
use super::pod;
use super::workloads::{
    Counts, NOT_OVER_READY, NOT_OVER_REPLICAS, SPEC, runs_forever, selector_and_template, template_labels,
};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{PodTemplateSpec, ReplicationController};

#[inline(never)]
pub fn replica_set(set: &ReplicaSet, errors: &mut Errors) {
    let Some(spec) = &set.spec else {
        errors.push(FieldError::required(&SPEC.child("selector"), ""));
        return;
    };
    meta::nonnegative_opt(spec.replicas, &SPEC.child("replicas"), errors);
    meta::nonnegative_opt(spec.min_ready_seconds, &SPEC.child("minReadySeconds"), errors);
    let default = PodTemplateSpec::default();
    selector_and_template(
        &spec.selector,
        Some(spec.template.as_ref().unwrap_or(&default)),
        &SPEC,
        errors,
    );
}

#[inline(never)]
pub fn replica_set_update(new: &ReplicaSet, old: &ReplicaSet, errors: &mut Errors) {
    replica_set(new, errors);
    if let (Some(new), Some(old)) = (&new.spec, &old.spec) {
        meta::immutable(&new.selector, &old.selector, &SPEC.child("selector"), errors);
    }
}

pub fn replica_set_status(new: &ReplicaSet, errors: &mut Errors) {
    let Some(status) = &new.status else { return };
    let labeled = status.fully_labeled_replicas;
    let sizes = [
        status.replicas,
        labeled.unwrap_or(0),
        status.ready_replicas.unwrap_or(0),
        status.available_replicas.unwrap_or(0),
    ];
    replica_counts(
        sizes,
        status.terminating_replicas,
        status.observed_generation,
        errors,
    );
}

pub fn replication_controller_status(new: &ReplicationController, errors: &mut Errors) {
    let Some(status) = &new.status else { return };
    let labeled = status.fully_labeled_replicas;
    let sizes = [
        status.replicas,
        labeled.unwrap_or(0),
        status.ready_replicas.unwrap_or(0),
        status.available_replicas.unwrap_or(0),
    ];
    replica_counts(sizes, None, status.observed_generation, errors);
}

/// What the statuses of ReplicaSets and ReplicationControllers have in common.
fn replica_counts(
    [replicas, labeled, ready, available]: [i32; 4],
    terminating: Option<i32>,
    observed: Option<i64>,
    errors: &mut Errors,
) {
    let mut counts = Counts { errors };
    counts.nonnegative("replicas", Some(replicas));
    counts.nonnegative("fullyLabeledReplicas", Some(labeled));
    counts.nonnegative("readyReplicas", Some(ready));
    counts.nonnegative("availableReplicas", Some(available));
    counts.nonnegative("terminatingReplicas", terminating);
    counts.observed(observed);
    counts.not_over("fullyLabeledReplicas", Some(labeled), replicas, NOT_OVER_REPLICAS);
    counts.not_over("readyReplicas", Some(ready), replicas, NOT_OVER_REPLICAS);
    counts.not_over("availableReplicas", Some(available), replicas, NOT_OVER_REPLICAS);
    counts.not_over("availableReplicas", Some(available), ready, NOT_OVER_READY);
}

pub fn replication_controller(controller: &ReplicationController, errors: &mut Errors) {
    let Some(spec) = &controller.spec else {
        errors.push(FieldError::required(&SPEC.child("selector"), ""));
        return;
    };
    meta::nonnegative_opt(spec.min_ready_seconds, &SPEC.child("minReadySeconds"), errors);
    let selector = spec.selector.as_ref().filter(|selector| !selector.is_empty());
    if selector.is_none() {
        errors.push(FieldError::required(&SPEC.child("selector"), ""));
    }
    meta::nonnegative_opt(spec.replicas, &SPEC.child("replicas"), errors);
    let path = &SPEC.child("template");
    let Some(template) = &spec.template else {
        errors.push(FieldError::required(path, ""));
        return;
    };
    let labels = template_labels(template);
    if let Some(selector) = selector {
        let has =
            |(key, value): (&String, &String)| labels.is_some_and(|labels| labels.get(key) == Some(value));
        if !selector.iter().all(has) {
            let metadata = path.child("metadata");
            let why = "`selector` does not match template `labels`";
            errors.push(FieldError::invalid(&metadata.child("labels"), Json(labels), why));
        }
    }
    pod::template(template, path, errors);
    runs_forever(template, "ReplicationController", path, errors);
}
