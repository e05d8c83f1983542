//! HorizontalPodAutoscalers.
//!
//! Source: kubernetes/pkg/apis/autoscaling/validation/validation.go.

use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, Errors, NOT_POSITIVE};
use super::resources;
use super::workloads::SPEC;
use crate::api::quantity::Quantity;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingRules, HorizontalPodAutoscaler, MetricIdentifier, MetricSpec,
    MetricTarget,
};

const METRICS: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
const MAX_STABILIZATION_SECONDS: i32 = 3600;
const MAX_PERIOD_SECONDS: i32 = 1800;
const NO_SOURCE: &str = "must populate information for the given metric source";

pub fn autoscaler(autoscaler: &HorizontalPodAutoscaler, least: i32, errors: &mut Errors) {
    let spec = &autoscaler.spec;
    if let Some(min) = spec.min_replicas.filter(|min| *min < least) {
        let why = format!("must be greater than or equal to {least}");
        errors.push(FieldError::invalid(&SPEC.child("minReplicas"), min, why));
    }
    let path = &SPEC.child("maxReplicas");
    if spec.max_replicas < 1 {
        errors.push(FieldError::invalid(
            path,
            spec.max_replicas,
            "must be greater than 0",
        ));
    }
    if spec.min_replicas.is_some_and(|min| spec.max_replicas < min) {
        let why = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid(path, spec.max_replicas, why));
    }
    reference(&spec.scale_target_ref, &SPEC.child("scaleTargetRef"), errors);
    let metrics = spec.metrics.as_deref().unwrap_or(&[]);
    let path = SPEC.child("metrics");
    for (i, metric) in metrics.iter().enumerate() {
        self::metric(metric, &path.index(i), errors);
    }
    let from_outside = |metric: &MetricSpec| matches!(metric.type_.as_str(), "Object" | "External");
    if spec.min_replicas == Some(0) && !metrics.iter().any(from_outside) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.push(FieldError::forbidden(&path, why));
    }
    if let Some(behavior) = &spec.behavior {
        let path = &SPEC.child("behavior");
        for (field, rules) in [
            ("scaleUp", &behavior.scale_up),
            ("scaleDown", &behavior.scale_down),
        ] {
            if let Some(rules) = rules {
                scaling_rules(rules, &path.child(field), errors);
            }
        }
    }
}

#[inline(never)]
pub fn update(new: &HorizontalPodAutoscaler, old: &HorizontalPodAutoscaler, errors: &mut Errors) {
    let was_zero = old.spec.min_replicas == Some(0);
    autoscaler(new, if was_zero { 0 } else { 1 }, errors);
}

#[inline(never)]
pub fn status(new: &HorizontalPodAutoscaler, errors: &mut Errors) {
    let Some(status) = &new.status else { return };
    let path = Path::root("status");
    meta::nonnegative_opt(status.current_replicas, &path.child("currentReplicas"), errors);
    meta::nonnegative_opt(
        Some(status.desired_replicas),
        &path.child("desiredReplicas"),
        errors,
    );
}

fn reference(reference: &CrossVersionObjectReference, path: &Path, errors: &mut Errors) {
    for (field, value) in [("kind", &reference.kind), ("name", &reference.name)] {
        let path = &path.child(field);
        if value.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else {
            meta::check(content::path_segment_name(value), value, path, errors);
        }
    }
}

fn scaling_rules(rules: &HPAScalingRules, path: &Path, errors: &mut Errors) {
    if let Some(seconds) = rules.stabilization_window_seconds {
        let path = &path.child("stabilizationWindowSeconds");
        if seconds < 0 {
            errors.push(FieldError::invalid(
                path,
                seconds,
                "must be greater than or equal to zero",
            ));
        }
        if seconds > MAX_STABILIZATION_SECONDS {
            let why = format!("must be less than or equal to {MAX_STABILIZATION_SECONDS}");
            errors.push(FieldError::invalid(path, seconds, why));
        }
    }
    if let Some(policy) = rules.select_policy.as_deref() {
        let supported = &["Disabled", "Max", "Min"];
        if !supported.contains(&policy) {
            errors.push(FieldError::not_supported(
                &path.child("selectPolicy"),
                policy,
                supported,
            ));
        }
    }
    if let Some(tolerance) = &rules.tolerance {
        resources::nonnegative_quantity(Quantity::of(tolerance), &path.child("tolerance"), errors);
    }
    let policies_path = path.child("policies");
    let policies = rules.policies.as_deref().unwrap_or(&[]);
    if policies.is_empty() {
        errors.push(FieldError::required(
            &policies_path,
            "must specify at least one Policy",
        ));
    }
    for (i, policy) in policies.iter().enumerate() {
        let path = &policies_path.index(i);
        if !matches!(policy.type_.as_str(), "Pods" | "Percent") {
            errors.push(FieldError::not_supported(
                &path.child("type"),
                &policy.type_,
                &["Percent", "Pods"],
            ));
        }
        if policy.value <= 0 {
            errors.push(FieldError::invalid(
                &path.child("value"),
                policy.value,
                NOT_POSITIVE,
            ));
        }
        let path = &path.child("periodSeconds");
        if policy.period_seconds <= 0 {
            errors.push(FieldError::invalid(path, policy.period_seconds, NOT_POSITIVE));
        }
        if policy.period_seconds > MAX_PERIOD_SECONDS {
            let why = format!("must be less than or equal to {MAX_PERIOD_SECONDS}");
            errors.push(FieldError::invalid(path, policy.period_seconds, why));
        }
    }
}

fn metric(spec: &MetricSpec, path: &Path, errors: &mut Errors) {
    let type_path = &path.child("type");
    if spec.type_.is_empty() {
        errors.push(FieldError::required(
            type_path,
            "must specify a metric source type",
        ));
    }
    let known = METRICS.contains(&spec.type_.as_str());
    if !known {
        errors.push(FieldError::not_supported(type_path, &spec.type_, METRICS));
    }
    // In the order in which upstream looks for sources; only the first is looked into.
    let sources = [
        ("Object", "object", spec.object.is_some()),
        ("External", "external", spec.external.is_some()),
        ("Pods", "pods", spec.pods.is_some()),
        ("Resource", "resource", spec.resource.is_some()),
        (
            "ContainerResource",
            "containerResource",
            spec.container_resource.is_some(),
        ),
    ];
    match sources.iter().find(|(_, _, present)| *present) {
        Some((_, "object", _)) => object_source(spec, &path.child("object"), errors),
        Some((_, "external", _)) => external_source(spec, &path.child("external"), errors),
        Some((_, "pods", _)) => pods_source(spec, &path.child("pods"), errors),
        Some((_, "resource", _)) => resource_source(spec, &path.child("resource"), errors),
        Some(_) => container_source(spec, &path.child("containerResource"), errors),
        None => {}
    }
    match sources.iter().find(|(kind, _, _)| *kind == spec.type_) {
        Some((_, field, false)) => errors.push(FieldError::required(&path.child(field), NO_SOURCE)),
        Some(_) => {}
        None => errors.push(FieldError::not_supported(type_path, &spec.type_, METRICS)),
    }
    if sources.iter().filter(|(_, _, present)| *present).count() > 1 {
        for (_, field, _) in sources
            .iter()
            .filter(|(kind, _, present)| *present && *kind != spec.type_)
        {
            errors.push(FieldError::forbidden(
                &path.child(field),
                "must populate the given metric source only",
            ));
        }
    }
}

fn identifier(metric: &MetricIdentifier, path: &Path, errors: &mut Errors) {
    let path = &path.child("name");
    if metric.name.is_empty() {
        errors.push(FieldError::required(path, "must specify a metric name"));
    } else {
        meta::check(
            content::path_segment_name(&metric.name),
            &metric.name,
            path,
            errors,
        );
    }
}

fn target(target: &MetricTarget, path: &Path, errors: &mut Errors) {
    let type_path = &path.child("type");
    if target.type_.is_empty() {
        errors.push(FieldError::required(
            type_path,
            "must specify a metric target type",
        ));
    }
    if !matches!(target.type_.as_str(), "Utilization" | "Value" | "AverageValue") {
        let why = "must be either Utilization, Value, or AverageValue";
        errors.push(FieldError::invalid(type_path, &target.type_, why));
    }
    if let Some(share) = target.average_utilization.filter(|share| *share < 1) {
        errors.push(FieldError::invalid(
            &path.child("averageUtilization"),
            share,
            "must be greater than 0",
        ));
    }
    for (field, value) in [("value", &target.value), ("averageValue", &target.average_value)] {
        if let Some(value) = value
            .as_ref()
            .filter(|value| Quantity::of(value) <= Quantity::default())
        {
            errors.push(FieldError::invalid(
                &path.child(field),
                &value.0,
                "must be positive",
            ));
        }
    }
}

fn object_source(spec: &MetricSpec, path: &Path, errors: &mut Errors) {
    let Some(source) = &spec.object else { return };
    let target_path = &path.child("target");
    reference(&source.described_object, &path.child("describedObject"), errors);
    identifier(&source.metric, &path.child("metric"), errors);
    target(&source.target, target_path, errors);
    if source.target.value.is_none() && source.target.average_value.is_none() {
        let why = "must set either a target value or averageValue";
        errors.push(FieldError::required(&target_path.child("averageValue"), why));
    }
}

fn external_source(spec: &MetricSpec, path: &Path, errors: &mut Errors) {
    let Some(source) = &spec.external else { return };
    let target_path = &path.child("target");
    identifier(&source.metric, &path.child("metric"), errors);
    target(&source.target, target_path, errors);
    match (&source.target.value, &source.target.average_value) {
        (None, None) => {
            let why = "must set either a target value for metric or a per-pod target";
            errors.push(FieldError::required(&target_path.child("averageValue"), why));
        }
        (Some(_), Some(_)) => {
            let why = "may not set both a target value for metric and a per-pod target";
            errors.push(FieldError::forbidden(&target_path.child("value"), why));
        }
        _ => {}
    }
}

fn pods_source(spec: &MetricSpec, path: &Path, errors: &mut Errors) {
    let Some(source) = &spec.pods else { return };
    let target_path = &path.child("target");
    identifier(&source.metric, &path.child("metric"), errors);
    target(&source.target, target_path, errors);
    if source.target.average_value.is_none() {
        let why = "must specify a positive target averageValue";
        errors.push(FieldError::required(&target_path.child("averageValue"), why));
    }
}

fn resource_source(spec: &MetricSpec, path: &Path, errors: &mut Errors) {
    let Some(source) = &spec.resource else { return };
    if source.name.is_empty() {
        errors.push(FieldError::required(
            &path.child("name"),
            "must specify a resource name",
        ));
    }
    share_or_value(&source.target, &path.child("target"), errors);
}

fn container_source(spec: &MetricSpec, path: &Path, errors: &mut Errors) {
    let Some(source) = &spec.container_resource else {
        return;
    };
    let name_path = &path.child("name");
    if source.name.is_empty() {
        errors.push(FieldError::required(name_path, "must specify a resource name"));
    } else {
        resources::container_resource_name(&source.name, name_path, errors);
    }
    let container_path = &path.child("container");
    if source.container.is_empty() {
        errors.push(FieldError::required(container_path, "must specify a container"));
    } else {
        meta::check(
            content::dns1123_label(&source.container),
            &source.container,
            container_path,
            errors,
        );
    }
    share_or_value(&source.target, &path.child("target"), errors);
}

fn share_or_value(goal: &MetricTarget, path: &Path, errors: &mut Errors) {
    target(goal, path, errors);
    match (goal.average_utilization, &goal.average_value) {
        (None, None) => {
            let why = "must set either a target raw value or a target utilization";
            errors.push(FieldError::required(&path.child("averageUtilization"), why));
        }
        (Some(_), Some(_)) => {
            let why = "may not set both a target raw value and a target utilization";
            errors.push(FieldError::forbidden(&path.child("averageValue"), why));
        }
        _ => {}
    }
}
