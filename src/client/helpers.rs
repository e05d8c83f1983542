//! Small questions every component asks about objects.
//!
//! Source of the rules: k8s.io/kubernetes/pkg/api/v1/pod, k8s.io/apimachinery/pkg/labels,
//! k8s.io/apimachinery/pkg/apis/meta/v1/controller_ref.go.

use crate::api::{Kind, Object};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, LabelSelectorRequirement, ObjectMeta, OwnerReference,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Labels as objects carry them.
pub type Labels = BTreeMap<String, String>;

/// Whether every pair of `wanted` is among `labels`; an empty `wanted` matches everything.
pub fn pairs_match(wanted: &Labels, labels: Option<&Labels>) -> bool {
    wanted
        .iter()
        .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

fn requirement_matches(requirement: &LabelSelectorRequirement, labels: Option<&Labels>) -> bool {
    let value = labels.and_then(|labels| labels.get(&requirement.key));
    let listed = |value: &String| {
        requirement
            .values
            .as_ref()
            .is_some_and(|values| values.contains(value))
    };
    match requirement.operator.as_str() {
        "In" => value.is_some_and(listed),
        "NotIn" => value.is_none_or(|value| !listed(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

/// Whether a `metav1.LabelSelector` selects `labels`. An empty selector selects everything.
pub fn selector_matches(selector: &LabelSelector, labels: Option<&Labels>) -> bool {
    selector
        .match_labels
        .as_ref()
        .is_none_or(|wanted| pairs_match(wanted, labels))
        && selector
            .match_expressions
            .iter()
            .flatten()
            .all(|requirement| requirement_matches(requirement, labels))
}

/// Whether a selector has no requirement at all.
pub fn selector_is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// The owner that manages an object.
pub fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references
        .as_ref()?
        .iter()
        .find(|owner| owner.controller == Some(true))
}

/// A reference by which `owner` manages something.
pub fn controller_ref(kind: Kind, owner: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: kind.info().api_version(),
        kind: kind.name().to_owned(),
        name: owner.name.clone().unwrap_or_default(),
        uid: owner.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

pub fn pod_phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("")
}

/// Succeeded or Failed: no container of it will run again.
pub fn pod_is_terminal(pod: &Pod) -> bool {
    matches!(pod_phase(pod), "Succeeded" | "Failed")
}

/// Neither finished nor being deleted.
pub fn pod_is_active(pod: &Pod) -> bool {
    !pod_is_terminal(pod) && pod.metadata.deletion_timestamp.is_none()
}

pub fn pod_condition<'a>(pod: &'a Pod, condition_type: &str) -> Option<&'a PodCondition> {
    pod.status
        .as_ref()?
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == condition_type)
}

pub fn pod_is_ready(pod: &Pod) -> bool {
    pod_condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// When a ready Pod became ready.
pub fn pod_ready_since(pod: &Pod) -> Option<SimTime> {
    let condition = pod_condition(pod, "Ready").filter(|condition| condition.status == "True")?;
    Some(SimTime::from_timestamp(
        condition.last_transition_time.as_ref()?.0,
    ))
}

/// Whether a Pod has been ready for `min_ready_seconds`; if it is ready but not long enough, the
/// error is the time still missing.
pub fn pod_is_available(pod: &Pod, min_ready_seconds: i32, now: SimTime) -> Result<bool, Duration> {
    if !pod_is_ready(pod) {
        return Ok(false);
    }
    if min_ready_seconds <= 0 {
        return Ok(true);
    }
    let Some(since) = pod_ready_since(pod) else {
        return Ok(false);
    };
    let due = since + Duration::from_secs(min_ready_seconds as u64);
    if due <= now { Ok(true) } else { Err(due.since(now)) }
}

/// The node a Pod is bound to; empty if none.
pub fn pod_node(pod: &Pod) -> &str {
    pod.spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or("")
}

/// A `metav1.Time` on the virtual clock.
pub fn moment(time: &Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>) -> Option<SimTime> {
    time.as_ref().map(|time| SimTime::from_timestamp(time.0))
}

pub fn is_deleting(object: &Object) -> bool {
    object.meta().deletion_timestamp.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(selector: serde_json::Value, labels: serde_json::Value) -> bool {
        let selector: LabelSelector = serde_json::from_value(selector).unwrap();
        let labels: Labels = serde_json::from_value(labels).unwrap();
        selector_matches(&selector, Some(&labels))
    }

    #[test]
    fn selectors() {
        let only = |operator: &str| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": ["x"]}]});
        assert!(matches(json!({}), json!({})));
        assert!(matches(
            json!({"matchLabels": {"a": "x"}}),
            json!({"a": "x", "b": "y"})
        ));
        assert!(!matches(json!({"matchLabels": {"a": "x"}}), json!({"a": "y"})));
        assert!(matches(only("In"), json!({"a": "x"})) && !matches(only("In"), json!({})));
        assert!(matches(only("NotIn"), json!({})) && !matches(only("NotIn"), json!({"a": "x"})));
        assert!(matches(only("Exists"), json!({"a": "z"})) && matches(only("DoesNotExist"), json!({})));
    }
}
