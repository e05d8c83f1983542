//! DaemonSets, and the ControllerRevisions of them and of StatefulSets.
//!
//! Source: kubernetes/pkg/apis/apps/validation/validation.go.

use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::workloads::{
    Counts, SPEC, StructOf, int_or_percent, internal, is_zero, not_over_all, runs_forever, template_matches,
};
use super::{pod, text};
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy};

#[inline(never)]
pub fn daemon_set(set: &DaemonSet, errors: &mut Errors) {
    let default = DaemonSetSpec::default();
    let spec = set.spec.as_ref().unwrap_or(&default);
    meta::label_selector(&spec.selector, &SPEC.child("selector"), errors);
    let path = &SPEC.child("template");
    template_matches(&spec.selector, &spec.template, path, errors);
    pod::template(&spec.template, path, errors);
    runs_forever(&spec.template, "DaemonSet", path, errors);
    meta::nonnegative_opt(spec.min_ready_seconds, &SPEC.child("minReadySeconds"), errors);
    if let Some(strategy) = &spec.update_strategy {
        daemon_set_strategy(strategy, &SPEC.child("updateStrategy"), errors);
    }
    meta::nonnegative_opt(
        spec.revision_history_limit,
        &SPEC.child("revisionHistoryLimit"),
        errors,
    );
}

fn daemon_set_strategy(strategy: &DaemonSetUpdateStrategy, path: &Path, errors: &mut Errors) {
    match text(&strategy.type_) {
        "OnDelete" => {}
        "RollingUpdate" => {
            let path = &path.child("rollingUpdate");
            let Some(rolling) = &strategy.rolling_update else {
                errors.push(FieldError::required(path, ""));
                return;
            };
            let (unavailable, surge) = (rolling.max_unavailable.as_ref(), rolling.max_surge.as_ref());
            for (field, value) in [("maxUnavailable", unavailable), ("maxSurge", surge)] {
                let path = &path.child(field);
                if let Some(value) = value {
                    int_or_percent(value, path, errors);
                    not_over_all(value, path, errors);
                }
            }
            match (is_zero(unavailable), is_zero(surge)) {
                (false, false) => {
                    let why = "may not be set when maxUnavailable is non-zero";
                    errors.push(FieldError::invalid(&path.child("maxSurge"), Json(surge), why));
                }
                (true, true) => {
                    let why = "cannot be 0 when maxSurge is 0";
                    errors.push(FieldError::required(&path.child("maxUnavailable"), why));
                }
                _ => {}
            }
        }
        other => {
            let rolling = strategy
                .rolling_update
                .as_ref()
                .map(|rolling| internal(&rolling.max_unavailable, &rolling.max_surge));
            let value = Json(StructOf { kind: other, rolling });
            errors.push(FieldError::not_supported(
                path,
                value,
                &["RollingUpdate", "OnDelete"],
            ));
        }
    }
}

#[inline(never)]
pub fn daemon_set_update(new: &DaemonSet, old: &DaemonSet, errors: &mut Errors) {
    daemon_set(new, errors);
    if let (Some(new), Some(old)) = (&new.spec, &old.spec) {
        meta::immutable(&new.selector, &old.selector, &SPEC.child("selector"), errors);
    }
}

#[inline(never)]
pub fn daemon_set_status(new: &DaemonSet, old: &DaemonSet, errors: &mut Errors) {
    let Some(status) = &new.status else { return };
    let mut counts = Counts { errors };
    counts.nonnegative("currentNumberScheduled", Some(status.current_number_scheduled));
    counts.nonnegative("numberMisscheduled", Some(status.number_misscheduled));
    counts.nonnegative("desiredNumberScheduled", Some(status.desired_number_scheduled));
    counts.nonnegative("numberReady", Some(status.number_ready));
    counts.observed(status.observed_generation);
    counts.nonnegative("updatedNumberScheduled", status.updated_number_scheduled);
    counts.nonnegative("numberAvailable", status.number_available);
    counts.nonnegative("numberUnavailable", status.number_unavailable);
    counts.nonnegative("collisionCount", status.collision_count);
    counts.collisions(
        status.collision_count,
        old.status.as_ref().and_then(|status| status.collision_count),
    );
}

pub fn controller_revision(revision: &ControllerRevision, errors: &mut Errors) {
    meta::nonnegative(revision.revision, &Path::root("revision"), errors);
    if revision.data.is_none() {
        errors.push(FieldError::required(&Path::root("data"), "data is mandatory"));
    }
}

pub fn controller_revision_update(new: &ControllerRevision, old: &ControllerRevision, errors: &mut Errors) {
    meta::nonnegative(new.revision, &Path::root("revision"), errors);
    if new.data != old.data {
        errors.push(FieldError::invalid(
            &Path::root("data"),
            Json(&new.data),
            meta::IMMUTABLE,
        ));
    }
}
