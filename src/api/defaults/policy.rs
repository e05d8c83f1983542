//! Networking, scaling, scheduling, storage and RBAC.
//!
//! Source: kubernetes/pkg/apis/{discovery,networking,autoscaling,scheduling,storage,rbac}/*/defaults.go.

use super::{always, missing, text};
use k8s_openapi::api::autoscaling::v2::{
    HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler, MetricSpec, MetricTarget,
    ResourceMetricSource,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{RoleRef, Subject};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn endpoint_slice(slice: &mut EndpointSlice) {
    for endpoint in slice.endpoints.iter_mut().flatten() {
        always(&mut endpoint.conditions);
    }
    for port in slice.ports.iter_mut().flatten() {
        missing(&mut port.name, String::new());
        missing(&mut port.protocol, "TCP".to_owned());
    }
}

pub(super) fn ingress(ingress: &mut Ingress) {
    always(&mut ingress.spec);
    always(&mut always(&mut ingress.status).load_balancer);
}

pub(super) fn ingress_class(class: &mut IngressClass) {
    if let Some(parameters) = class.spec.as_mut().and_then(|spec| spec.parameters.as_mut()) {
        missing(&mut parameters.scope, "Cluster".to_owned());
    }
    always(&mut class.spec);
}

pub(super) fn network_policy(policy: &mut NetworkPolicy) {
    let spec = always(&mut policy.spec);
    always(&mut spec.pod_selector);
    let ingress = spec
        .ingress
        .iter_mut()
        .flatten()
        .flat_map(|rule| rule.ports.iter_mut().flatten());
    let egress = spec
        .egress
        .iter_mut()
        .flatten()
        .flat_map(|rule| rule.ports.iter_mut().flatten());
    for port in ingress.chain(egress) {
        missing(&mut port.protocol, "TCP".to_owned());
    }
    if spec.policy_types.as_ref().is_none_or(Vec::is_empty) {
        let mut types = vec!["Ingress".to_owned()];
        if spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()) {
            types.push("Egress".to_owned());
        }
        spec.policy_types = Some(types);
    }
}

pub(super) fn horizontal_pod_autoscaler(hpa: &mut HorizontalPodAutoscaler) {
    let spec = &mut hpa.spec;
    missing(&mut spec.min_replicas, 1);
    if spec.metrics.as_ref().is_none_or(Vec::is_empty) {
        let target = MetricTarget {
            type_: "Utilization".to_owned(),
            average_utilization: Some(80),
            ..MetricTarget::default()
        };
        spec.metrics = Some(vec![MetricSpec {
            type_: "Resource".to_owned(),
            resource: Some(ResourceMetricSource {
                name: "cpu".to_owned(),
                target,
            }),
            ..MetricSpec::default()
        }]);
    }
    if let Some(behavior) = &mut spec.behavior {
        let policy = |type_: &str, value| HPAScalingPolicy {
            type_: type_.to_owned(),
            value,
            period_seconds: 15,
        };
        let up = vec![policy("Pods", 4), policy("Percent", 100)];
        let rules = scaling_rules(&mut behavior.scale_up, up);
        missing(&mut rules.stabilization_window_seconds, 0);
        scaling_rules(&mut behavior.scale_down, vec![policy("Percent", 100)]);
    }
    always(&mut hpa.status);
}

/// Both directions are filled in as soon as one is given.
fn scaling_rules(
    rules: &mut Option<HPAScalingRules>,
    policies: Vec<HPAScalingPolicy>,
) -> &mut HPAScalingRules {
    let rules = always(rules);
    missing(&mut rules.select_policy, "Max".to_owned());
    if rules.policies.is_none() {
        rules.policies = Some(policies);
    }
    rules
}

pub(super) fn pod_disruption_budget(budget: &mut PodDisruptionBudget) {
    always(&mut budget.spec);
    always(&mut budget.status);
}

pub(super) fn priority_class(class: &mut PriorityClass) {
    missing(&mut class.preemption_policy, "PreemptLowerPriority".to_owned());
    // A value of zero is written.
    missing(&mut class.value, 0);
}

pub(super) fn storage_class(class: &mut StorageClass) {
    missing(&mut class.reclaim_policy, "Delete".to_owned());
    missing(&mut class.volume_binding_mode, "Immediate".to_owned());
}

pub(super) fn role_ref(role: &mut RoleRef) {
    text(&mut role.api_group, RBAC);
}

pub(super) fn subjects(subjects: Option<&mut Vec<Subject>>) {
    for subject in subjects.into_iter().flatten() {
        if subject.api_group.as_ref().is_none_or(String::is_empty)
            && matches!(subject.kind.as_str(), "User" | "Group")
        {
            subject.api_group = Some(RBAC.to_owned());
        }
    }
}
