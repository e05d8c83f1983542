//! StatefulSets.
//!
//! Source: kubernetes/pkg/apis/apps/validation/validation.go.

use super::field::{self, FieldError, Internal, Json, Path};
use super::meta::{self, Errors};
use super::workloads::{self, SPEC, StructOf};
use super::{content, diff, pod, text};
use k8s_openapi::api::apps::v1::{
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy,
};

const POLICIES: &[&str] = &["Retain", "Delete"];

#[inline(never)]
pub fn create(set: &StatefulSet, errors: &mut Errors) {
    let default = StatefulSetSpec::default();
    spec(set.spec.as_ref().unwrap_or(&default), true, errors);
}

fn spec(spec: &StatefulSetSpec, creating: bool, errors: &mut Errors) {
    let path = &SPEC.child("podManagementPolicy");
    match text(&spec.pod_management_policy) {
        "OrderedReady" | "Parallel" => {}
        "" => errors.push(FieldError::required(path, "")),
        other => errors.push(FieldError::invalid(
            path,
            other,
            "must be 'OrderedReady' or 'Parallel'",
        )),
    }
    if let Some(strategy) = &spec.update_strategy {
        update_strategy(strategy, &SPEC.child("updateStrategy"), errors);
    }
    if let Some(policy) = &spec.persistent_volume_claim_retention_policy {
        let path = &SPEC.child("persistentVolumeClaimRetentionPolicy");
        for (field, value) in [
            ("whenDeleted", &policy.when_deleted),
            ("whenScaled", &policy.when_scaled),
        ] {
            if !POLICIES.contains(&text(value)) {
                errors.push(FieldError::not_supported(
                    &path.child(field),
                    text(value),
                    POLICIES,
                ));
            }
        }
    }
    meta::nonnegative_opt(spec.replicas, &SPEC.child("replicas"), errors);
    meta::nonnegative_opt(spec.min_ready_seconds, &SPEC.child("minReadySeconds"), errors);
    if let Some(ordinals) = &spec.ordinals {
        let path = &SPEC.child("ordinals");
        meta::nonnegative_opt(ordinals.start, &path.child("start"), errors);
    }
    let service = text(&spec.service_name);
    if creating && !service.is_empty() {
        meta::check(
            content::dns1123_label(service),
            service,
            &SPEC.child("serviceName"),
            errors,
        );
    }
    let selector = &spec.selector;
    let path = &SPEC.child("selector");
    if selector.match_labels.is_none() && selector.match_expressions.is_none() {
        errors.push(FieldError::required(path, ""));
    } else {
        meta::label_selector(selector, path, errors);
        let terms = selector.match_labels.as_ref().map_or(0, |labels| labels.len())
            + selector.match_expressions.as_ref().map_or(0, Vec::len);
        if terms == 0 {
            errors.push(FieldError::invalid(
                path,
                Json(selector),
                "empty selector is invalid for statefulset",
            ));
        }
    }
    let path = &SPEC.child("template");
    workloads::template_matches(selector, &spec.template, path, errors);
    // The Pod spec itself is only looked at when Pods are made of it.
    if let Some(metadata) = &spec.template.metadata {
        if let Some(labels) = &metadata.labels {
            meta::labels(labels, &path.child("labels"), errors);
        }
        if let Some(annotations) = &metadata.annotations {
            let path = &path.child("annotations");
            meta::annotations(annotations, path, errors);
            if let Some(spec) = &spec.template.spec {
                pod::annotations(annotations, spec, path, errors);
            }
        }
    }
    workloads::runs_forever(&spec.template, "StatefulSet", path, errors);
}

fn update_strategy(strategy: &StatefulSetUpdateStrategy, path: &Path, errors: &mut Errors) {
    let rolling_path = &path.child("rollingUpdate");
    match text(&strategy.type_) {
        "" => errors.push(FieldError::required(path, "")),
        "OnDelete" => {
            if let Some(rolling) = &strategy.rolling_update {
                let why = "only allowed for updateStrategy 'RollingUpdate'";
                errors.push(FieldError::invalid(rolling_path, internal(rolling), why));
            }
        }
        "RollingUpdate" => {
            let Some(rolling) = &strategy.rolling_update else {
                return;
            };
            meta::nonnegative_opt(rolling.partition, &rolling_path.child("partition"), errors);
            if let Some(value) = &rolling.max_unavailable {
                let path = &rolling_path.child("maxUnavailable");
                workloads::int_or_percent(value, path, errors);
                if workloads::is_zero(Some(value)) {
                    errors.push(FieldError::invalid(path, Json(value), "cannot be 0"));
                }
                workloads::not_over_all(value, path, errors);
            }
        }
        other => {
            let rolling = strategy.rolling_update.as_ref().map(internal);
            let value = Json(StructOf { kind: other, rolling });
            errors.push(FieldError::invalid(
                path,
                value,
                "must be 'RollingUpdate' or 'OnDelete'",
            ));
        }
    }
}

fn internal(rolling: &RollingUpdateStatefulSetStrategy) -> Internal<2> {
    Internal([
        ("Partition", field::value(rolling.partition.unwrap_or(0))),
        ("MaxUnavailable", field::value(&rolling.max_unavailable)),
    ])
}

#[inline(never)]
pub fn update(new: &StatefulSet, old: &StatefulSet, errors: &mut Errors) {
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else {
        return;
    };
    spec(new, false, errors);
    let fixed_changed = new.selector != old.selector
        || new.service_name != old.service_name
        || new.pod_management_policy != old.pod_management_policy
        || !diff::semantic_equal(&new.volume_claim_templates, &old.volume_claim_templates);
    if fixed_changed {
        let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                   'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                   'minReadySeconds' are forbidden";
        errors.push(FieldError::forbidden(&SPEC, why));
    }
}

#[inline(never)]
pub fn status(new: &StatefulSet, old: &StatefulSet, errors: &mut Errors) {
    let Some(status) = &new.status else { return };
    let path = Path::root("status");
    let counts = [
        ("replicas", Some(status.replicas)),
        ("readyReplicas", status.ready_replicas),
        ("currentReplicas", status.current_replicas),
        ("updatedReplicas", status.updated_replicas),
        ("availableReplicas", status.available_replicas),
    ];
    for (field, value) in counts {
        meta::nonnegative_opt(value, &path.child(field), errors);
    }
    if let Some(generation) = status.observed_generation {
        meta::nonnegative(generation, &path.child("observedGeneration"), errors);
    }
    meta::nonnegative_opt(status.collision_count, &path.child("collisionCount"), errors);
    for (field, value) in counts.into_iter().skip(1) {
        let value = value.unwrap_or(0);
        if value > status.replicas {
            errors.push(FieldError::invalid(
                &path.child(field),
                value,
                "cannot be greater than status.replicas",
            ));
        }
    }
    let available = status.available_replicas.unwrap_or(0);
    if available > status.ready_replicas.unwrap_or(0) {
        let why = "cannot be greater than status.readyReplicas";
        errors.push(FieldError::invalid(
            &path.child("availableReplicas"),
            available,
            why,
        ));
    }
    let before = old.status.as_ref().and_then(|status| status.collision_count);
    if before.is_some() && status.collision_count.unwrap_or(0) < before.unwrap_or(0) {
        let value = Json(status.collision_count);
        errors.push(FieldError::invalid(
            &path.child("collisionCount"),
            value,
            "cannot be decremented",
        ));
    }
}
