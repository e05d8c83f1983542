//! Rows of HorizontalPodAutoscalers and PodDisruptionBudgets.

use super::row;
use crate::api::quantity::Quantity;
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

const MAX_METRICS: usize = 2;
const UNKNOWN: &str = "<unknown>";

pub fn disruption_budget(budget: &PodDisruptionBudget, age: String) -> Vec<Value> {
    let spec = budget.spec.as_ref();
    let amount = |value: Option<&IntOrString>| match value {
        None => "N/A".to_owned(),
        Some(IntOrString::Int(count)) => count.to_string(),
        Some(IntOrString::String(share)) => share.clone(),
    };
    row![
        budget.metadata.name.as_deref().unwrap_or(""),
        amount(spec.and_then(|spec| spec.min_available.as_ref())),
        amount(spec.and_then(|spec| spec.max_unavailable.as_ref())),
        budget
            .status
            .as_ref()
            .and_then(|status| status.disruptions_allowed)
            .unwrap_or(0),
        age,
    ]
}

pub fn autoscaler(scaler: &HorizontalPodAutoscaler, age: String) -> Vec<Value> {
    let (spec, status) = (&scaler.spec, scaler.status.as_ref());
    let current = status
        .and_then(|status| status.current_metrics.as_deref())
        .unwrap_or(&[]);
    row![
        scaler.metadata.name.as_deref().unwrap_or(""),
        format!("{}/{}", spec.scale_target_ref.kind, spec.scale_target_ref.name),
        metrics(spec.metrics.as_deref().unwrap_or(&[]), current),
        spec.min_replicas
            .map_or_else(|| "<unset>".to_owned(), |min| min.to_string()),
        spec.max_replicas,
        status.and_then(|status| status.current_replicas).unwrap_or(0),
        age,
    ]
}

/// Each metric as `now/goal`.
fn metrics(specs: &[MetricSpec], statuses: &[MetricStatus]) -> String {
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let shown: Vec<String> = specs
        .iter()
        .take(MAX_METRICS)
        .enumerate()
        .map(|(i, spec)| metric(spec, statuses.get(i)))
        .collect();
    let text = shown.join(", ");
    if specs.len() > MAX_METRICS {
        format!("{text} + {} more...", specs.len() - MAX_METRICS)
    } else {
        text
    }
}

fn metric(spec: &MetricSpec, status: Option<&MetricStatus>) -> String {
    let unknown = || "<unknown type>".to_owned();
    match spec.type_.as_str() {
        "External" => {
            let now = status
                .and_then(|status| status.external.as_ref())
                .map(|status| &status.current);
            spec.external
                .as_ref()
                .map_or_else(unknown, |source| outside(&source.target, now))
        }
        "Object" => {
            let now = status
                .and_then(|status| status.object.as_ref())
                .map(|status| &status.current);
            spec.object
                .as_ref()
                .map_or_else(unknown, |source| outside(&source.target, now))
        }
        "Pods" => {
            let now = status
                .and_then(|status| status.pods.as_ref())
                .map(|status| &status.current);
            spec.pods.as_ref().map_or_else(unknown, |source| {
                let goal = quantity(source.target.average_value.as_ref());
                format!("{}/{goal}", average(now))
            })
        }
        "Resource" => {
            let now = status
                .and_then(|status| status.resource.as_ref())
                .map(|status| &status.current);
            spec.resource
                .as_ref()
                .map_or_else(unknown, |source| resource(&source.name, &source.target, now))
        }
        "ContainerResource" => {
            let now = status
                .and_then(|status| status.container_resource.as_ref())
                .map(|status| &status.current);
            let source = spec.container_resource.as_ref();
            source.map_or_else(unknown, |source| resource(&source.name, &source.target, now))
        }
        _ => unknown(),
    }
}

fn quantity(text: Option<&Text>) -> String {
    text.map_or_else(|| "0".to_owned(), |text| Quantity::of(text).to_string())
}

fn average(now: Option<&MetricValueStatus>) -> String {
    now.map_or_else(|| UNKNOWN.to_owned(), |now| quantity(now.average_value.as_ref()))
}

/// Metrics of something that is not the Pods: a value, or its share per Pod.
fn outside(target: &MetricTarget, now: Option<&MetricValueStatus>) -> String {
    match &target.average_value {
        Some(goal) => {
            let now = now.and_then(|now| now.average_value.as_ref());
            let now = now.map_or_else(|| UNKNOWN.to_owned(), |now| quantity(Some(now)));
            format!("{now}/{} (avg)", quantity(Some(goal)))
        }
        None => {
            let now = now.map_or_else(|| UNKNOWN.to_owned(), |now| quantity(now.value.as_ref()));
            format!("{now}/{}", quantity(target.value.as_ref()))
        }
    }
}

fn resource(name: &str, target: &MetricTarget, now: Option<&MetricValueStatus>) -> String {
    if let Some(goal) = &target.average_value {
        return format!("{name}: {}/{}", average(now), quantity(Some(goal)));
    }
    let share = |value: Option<i32>, otherwise: &str| {
        value.map_or_else(|| otherwise.to_owned(), |share| format!("{share}%"))
    };
    let now = share(now.and_then(|now| now.average_utilization), UNKNOWN);
    format!("{name}: {now}/{}", share(target.average_utilization, "<auto>"))
}
