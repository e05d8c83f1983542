//! Deployments, and what workloads have in common.
//!
//! Source: kubernetes/pkg/apis/apps/validation/validation.go.

use super::content;
use super::field::{self, FieldError, Internal, Json, Path};
use super::meta::{self, Errors};
use super::{pod, text};
use crate::api::codec::Encode;
use crate::api::labels::Selector;
use crate::api::wire::Writer;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;

pub const SPEC: Path = Path::root("spec");

const STATUS: Path = Path::root("status");

pub const NOT_OVER_REPLICAS: &str = "cannot be greater than status.replicas";

pub const NOT_OVER_READY: &str = "cannot be greater than readyReplicas";

/// A count or a share: not negative, and a proper percentage.
pub fn int_or_percent(value: &IntOrString, path: &Path, errors: &mut Errors) {
    match value {
        IntOrString::Int(count) => meta::nonnegative(i64::from(*count), path, errors),
        IntOrString::String(share) => {
            for why in content::percent(share) {
                errors.push(FieldError::invalid(path, Json(value), why));
            }
        }
    }
}

/// A share above the whole.
pub fn not_over_all(value: &IntOrString, path: &Path, errors: &mut Errors) {
    if share(value).is_some_and(|share| share > 100) {
        errors.push(FieldError::invalid(
            path,
            Json(value),
            "must not be greater than 100%",
        ));
    }
}

fn share(value: &IntOrString) -> Option<i64> {
    match value {
        IntOrString::Int(_) => None,
        IntOrString::String(text) => text.strip_suffix('%')?.parse().ok(),
    }
}

/// Zero as a count or as a share.
pub fn is_zero(value: Option<&IntOrString>) -> bool {
    match value {
        None => true,
        Some(IntOrString::Int(count)) => *count == 0,
        Some(value) => share(value).unwrap_or(0) == 0,
    }
}

fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

pub fn template_labels(template: &PodTemplateSpec) -> Option<&BTreeMap<String, String>> {
    template
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.labels.as_ref())
        .filter(|labels| !labels.is_empty())
}

/// Whether the selector selects what the template makes. Selectors that do not parse have already
/// been complained about; one without terms selects nothing here.
fn matches(selector: &LabelSelector, template: &PodTemplateSpec) -> bool {
    if is_empty(selector) {
        return false;
    }
    let none = BTreeMap::new();
    let labels = template_labels(template).unwrap_or(&none);
    Selector::from_label_selector(Some(selector)).map_or(true, |selector| selector.matches(labels))
}

pub fn template_matches(
    selector: &LabelSelector,
    template: &PodTemplateSpec,
    path: &Path,
    errors: &mut Errors,
) {
    if !matches(selector, template) {
        let metadata = path.child("metadata");
        let labels = Json(template_labels(template));
        errors.push(FieldError::invalid(
            &metadata.child("labels"),
            labels,
            "`selector` does not match template `labels`",
        ));
    }
}

/// Pods of these kinds are restarted forever; `kind` is how upstream names the owner.
pub fn runs_forever(template: &PodTemplateSpec, kind: &str, path: &Path, errors: &mut Errors) {
    let Some(spec) = &template.spec else { return };
    let spec_path = &path.child("spec");
    let policy = text(&spec.restart_policy);
    if policy != "Always" {
        errors.push(FieldError::not_supported(
            &spec_path.child("restartPolicy"),
            policy,
            &["Always"],
        ));
    }
    if spec.active_deadline_seconds.is_some() {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(FieldError::forbidden(
            &spec_path.child("activeDeadlineSeconds"),
            why,
        ));
    }
}

pub fn selector_and_template(
    selector: &LabelSelector,
    template: Option<&PodTemplateSpec>,
    path: &Path,
    errors: &mut Errors,
) {
    if is_empty(selector) {
        errors.push(FieldError::required(&path.child("selector"), ""));
    } else {
        meta::label_selector(selector, &path.child("selector"), errors);
    }
    let path = &path.child("template");
    let Some(template) = template else {
        errors.push(FieldError::required(path, ""));
        return;
    };
    template_matches(selector, template, path, errors);
    pod::template(template, path, errors);
    runs_forever(template, "ReplicaSet", path, errors);
}

#[inline(never)]
pub fn deployment(deployment: &Deployment, errors: &mut Errors) {
    let default = DeploymentSpec::default();
    let spec = deployment.spec.as_ref().unwrap_or(&default);
    let path = &SPEC;
    meta::nonnegative_opt(spec.replicas, &path.child("replicas"), errors);
    selector_and_template(&spec.selector, Some(&spec.template), path, errors);
    if let Some(strategy) = &spec.strategy {
        deployment_strategy(strategy, &path.child("strategy"), errors);
    }
    meta::nonnegative_opt(spec.min_ready_seconds, &path.child("minReadySeconds"), errors);
    meta::nonnegative_opt(
        spec.revision_history_limit,
        &path.child("revisionHistoryLimit"),
        errors,
    );
    if let Some(deadline) = spec.progress_deadline_seconds {
        let path = &path.child("progressDeadlineSeconds");
        meta::nonnegative(i64::from(deadline), path, errors);
        if deadline <= spec.min_ready_seconds.unwrap_or(0) {
            errors.push(FieldError::invalid(
                path,
                deadline,
                "must be greater than minReadySeconds",
            ));
        }
    }
}

fn deployment_strategy(strategy: &DeploymentStrategy, path: &Path, errors: &mut Errors) {
    let rolling_path = &path.child("rollingUpdate");
    match text(&strategy.type_) {
        "Recreate" => {
            if strategy.rolling_update.is_some() {
                let why = "may not be specified when strategy `type` is 'Recreate'";
                errors.push(FieldError::forbidden(rolling_path, why));
            }
        }
        "RollingUpdate" => {
            let Some(rolling) = &strategy.rolling_update else {
                errors.push(FieldError::required(
                    rolling_path,
                    "this should be defaulted and never be nil",
                ));
                return;
            };
            let unavailable_path = &rolling_path.child("maxUnavailable");
            let (unavailable, surge) = (rolling.max_unavailable.as_ref(), rolling.max_surge.as_ref());
            if let Some(value) = unavailable {
                int_or_percent(value, unavailable_path, errors);
            }
            if let Some(value) = surge {
                int_or_percent(value, &rolling_path.child("maxSurge"), errors);
            }
            if is_zero(unavailable) && is_zero(surge) {
                let why = "may not be 0 when `maxSurge` is 0";
                errors.push(FieldError::invalid(unavailable_path, Json(unavailable), why));
            }
            if let Some(value) = unavailable {
                not_over_all(value, unavailable_path, errors);
            }
        }
        other => {
            // The bad value is the whole strategy, under the names it has inside upstream.
            let rolling = strategy
                .rolling_update
                .as_ref()
                .map(|rolling| internal(&rolling.max_unavailable, &rolling.max_surge));
            let value = Json(StructOf { kind: other, rolling });
            errors.push(FieldError::not_supported(
                path,
                value,
                &["Recreate", "RollingUpdate"],
            ));
        }
    }
}

/// A strategy as upstream prints it.
pub struct StructOf<'a> {
    pub kind: &'a str,
    pub rolling: Option<Internal<2>>,
}

impl Encode for StructOf<'_> {
    fn write(&self, writer: &mut Writer) {
        let fields: [(&str, &dyn Encode); 2] = [("Type", &self.kind), ("RollingUpdate", &self.rolling)];
        writer.fields(fields.iter().map(|(name, value)| (*name, value)));
    }
}

pub fn internal(unavailable: &Option<IntOrString>, surge: &Option<IntOrString>) -> Internal<2> {
    Internal([
        ("MaxUnavailable", field::value(unavailable)),
        ("MaxSurge", field::value(surge)),
    ])
}

#[inline(never)]
pub fn deployment_update(new: &Deployment, old: &Deployment, errors: &mut Errors) {
    deployment(new, errors);
    if let (Some(new), Some(old)) = (&new.spec, &old.spec) {
        meta::immutable(&new.selector, &old.selector, &SPEC.child("selector"), errors);
    }
}

/// Counts of a status: none negative, none above what it is a part of.
pub struct Counts<'a> {
    pub errors: &'a mut Errors,
}

impl Counts<'_> {
    pub fn nonnegative(&mut self, field: &str, value: Option<i32>) {
        meta::nonnegative_opt(value, &STATUS.child(field), self.errors);
    }

    pub fn not_over(&mut self, field: &str, value: Option<i32>, limit: i32, why: &str) {
        let value = value.unwrap_or(0);
        if value > limit {
            self.errors
                .push(FieldError::invalid(&STATUS.child(field), value, why));
        }
    }

    pub fn observed(&mut self, generation: Option<i64>) {
        meta::nonnegative(
            generation.unwrap_or(0),
            &STATUS.child("observedGeneration"),
            self.errors,
        );
    }

    pub fn collisions(&mut self, new: Option<i32>, old: Option<i32>) {
        let path = STATUS.child("collisionCount");
        if old.is_some() && new.unwrap_or(0) < old.unwrap_or(0) {
            let value = new.map_or_else(|| "null".to_owned(), |count| count.to_string());
            self.errors.push(FieldError::invalid(
                &path,
                field::Raw(value),
                "cannot be decremented",
            ));
        }
    }
}

#[inline(never)]
pub fn deployment_status(new: &Deployment, old: &Deployment, errors: &mut Errors) {
    let default = DeploymentStatus::default();
    let status = new.status.as_ref().unwrap_or(&default);
    let mut counts = Counts { errors };
    counts.observed(status.observed_generation);
    counts.nonnegative("replicas", status.replicas);
    counts.nonnegative("updatedReplicas", status.updated_replicas);
    counts.nonnegative("readyReplicas", status.ready_replicas);
    counts.nonnegative("availableReplicas", status.available_replicas);
    counts.nonnegative("unavailableReplicas", status.unavailable_replicas);
    counts.nonnegative("terminatingReplicas", status.terminating_replicas);
    counts.nonnegative("collisionCount", status.collision_count);
    let replicas = status.replicas.unwrap_or(0);
    counts.not_over(
        "updatedReplicas",
        status.updated_replicas,
        replicas,
        NOT_OVER_REPLICAS,
    );
    counts.not_over(
        "readyReplicas",
        status.ready_replicas,
        replicas,
        NOT_OVER_REPLICAS,
    );
    counts.not_over(
        "availableReplicas",
        status.available_replicas,
        replicas,
        NOT_OVER_REPLICAS,
    );
    let ready = status.ready_replicas.unwrap_or(0);
    counts.not_over(
        "availableReplicas",
        status.available_replicas,
        ready,
        NOT_OVER_READY,
    );
    counts.collisions(
        status.collision_count,
        old.status.as_ref().and_then(|status| status.collision_count),
    );
}
