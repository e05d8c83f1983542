//! Where a Pod may and must not go: affinity, tolerations, spreading; taints of Nodes.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{self, FieldError, Internal, Path};
use super::meta::{self, Errors, NOT_POSITIVE};
use super::text;
use k8s_openapi::api::core::v1::{
    Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, Taint, Toleration,
    TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const BAD_OPERATOR: &str = "not a valid selector operator";
const BAD_WEIGHT: &str = "must be in the range 1-100";
const BOTH: &str = "exists in both matchLabelKeys and labelSelector";

#[inline(never)]
pub fn affinity(affinity: &Affinity, path: &Path, errors: &mut Errors) {
    if let Some(node) = &affinity.node_affinity {
        let path = &path.child("nodeAffinity");
        if let Some(selector) = &node.required_during_scheduling_ignored_during_execution {
            node_selector(selector, &path.child(REQUIRED), errors);
        }
        let preferred = path.child(PREFERRED);
        for (i, term) in node
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten()
            .enumerate()
        {
            let path = &preferred.index(i);
            weight(term.weight, path, errors);
            // Preferences may ask for values no label can have.
            node_selector_term(&term.preference, false, &path.child("preference"), errors);
        }
    }
    if let Some(pod) = &affinity.pod_affinity {
        let path = &path.child("podAffinity");
        pod_terms(
            pod.required_during_scheduling_ignored_during_execution.as_deref(),
            &path.child(REQUIRED),
            errors,
        );
        weighted(
            pod.preferred_during_scheduling_ignored_during_execution
                .as_deref(),
            &path.child(PREFERRED),
            errors,
        );
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        let path = &path.child("podAntiAffinity");
        pod_terms(
            pod.required_during_scheduling_ignored_during_execution.as_deref(),
            &path.child(REQUIRED),
            errors,
        );
        weighted(
            pod.preferred_during_scheduling_ignored_during_execution
                .as_deref(),
            &path.child(PREFERRED),
            errors,
        );
    }
}

fn weight(weight: i32, path: &Path, errors: &mut Errors) {
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(&path.child("weight"), weight, BAD_WEIGHT));
    }
}

pub fn node_selector(selector: &NodeSelector, path: &Path, errors: &mut Errors) {
    let path = &path.child("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        errors.push(FieldError::required(
            path,
            "must have at least one node selector term",
        ));
    }
    for (i, term) in selector.node_selector_terms.iter().enumerate() {
        node_selector_term(term, true, &path.index(i), errors);
    }
}

fn node_selector_term(term: &NodeSelectorTerm, strict: bool, path: &Path, errors: &mut Errors) {
    let expressions = path.child("matchExpressions");
    for (i, requirement) in term.match_expressions.iter().flatten().enumerate() {
        node_requirement(requirement, strict, &expressions.index(i), errors);
    }
    let fields = path.child("matchFields");
    for (i, requirement) in term.match_fields.iter().flatten().enumerate() {
        node_field_requirement(requirement, &fields.index(i), errors);
    }
}

fn node_requirement(requirement: &NodeSelectorRequirement, strict: bool, path: &Path, errors: &mut Errors) {
    let values = requirement.values.as_deref().unwrap_or(&[]);
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
            &values_path,
            "must be specified when `operator` is 'In' or 'NotIn'",
        )),
        "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
            &values_path,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        )),
        "Gt" | "Lt" if values.len() != 1 => errors.push(FieldError::required(
            &values_path,
            "must be specified single value when `operator` is 'Lt' or 'Gt'",
        )),
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        other => errors.push(FieldError::invalid(&path.child("operator"), other, BAD_OPERATOR)),
    }
    meta::label_name(&requirement.key, &path.child("key"), errors);
    if strict {
        for (i, value) in values.iter().enumerate() {
            meta::check(content::label_value(value), value, &values_path.index(i), errors);
        }
    }
}

fn node_field_requirement(requirement: &NodeSelectorRequirement, path: &Path, errors: &mut Errors) {
    let values = requirement.values.as_deref().unwrap_or(&[]);
    let values_path = path.child("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.len() == 1 => {}
        "In" | "NotIn" => errors.push(FieldError::required(
            &values_path,
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        )),
        other => errors.push(FieldError::invalid(&path.child("operator"), other, BAD_OPERATOR)),
    }
    if requirement.key != "metadata.name" {
        errors.push(FieldError::invalid(
            &path.child("key"),
            &requirement.key,
            "not a valid field selector key",
        ));
        return;
    }
    for (i, value) in values.iter().enumerate() {
        meta::check(
            content::dns1123_subdomain(value),
            value,
            &values_path.index(i),
            errors,
        );
    }
}

fn pod_terms(terms: Option<&[PodAffinityTerm]>, path: &Path, errors: &mut Errors) {
    for (i, term) in terms.unwrap_or(&[]).iter().enumerate() {
        pod_term(term, &path.index(i), errors);
    }
}

fn weighted(terms: Option<&[WeightedPodAffinityTerm]>, path: &Path, errors: &mut Errors) {
    for (i, term) in terms.unwrap_or(&[]).iter().enumerate() {
        let path = &path.index(i);
        weight(term.weight, path, errors);
        pod_term(&term.pod_affinity_term, &path.child("podAffinityTerm"), errors);
    }
}

fn pod_term(term: &PodAffinityTerm, path: &Path, errors: &mut Errors) {
    for (name, selector) in [
        ("labelSelector", &term.label_selector),
        ("namespaceSelector", &term.namespace_selector),
    ] {
        if let Some(selector) = selector {
            meta::label_selector(selector, &path.child(name), errors);
        }
    }
    for name in term.namespaces.iter().flatten() {
        meta::check(
            content::dns1123_label(name),
            name,
            &path.child("namespace"),
            errors,
        );
    }
    let selector = term.label_selector.as_ref();
    let matching = term.match_label_keys.as_deref().unwrap_or(&[]);
    let mismatching = term.mismatch_label_keys.as_deref().unwrap_or(&[]);
    for (name, keys) in [("matchLabelKeys", matching), ("mismatchLabelKeys", mismatching)] {
        label_keys(keys, selector, &path.child(name), errors);
    }
    let matching_path = path.child("matchLabelKeys");
    for (i, key) in matching
        .iter()
        .enumerate()
        .filter(|(_, key)| mismatching.contains(key))
    {
        let why = "exists in both matchLabelKeys and mismatchLabelKeys";
        errors.push(FieldError::invalid(&matching_path.index(i), key, why));
    }
    let topology = &path.child("topologyKey");
    if term.topology_key.is_empty() {
        errors.push(FieldError::required(topology, "can not be empty"));
    }
    meta::label_name(&term.topology_key, topology, errors);
}

fn label_keys(keys: &[String], selector: Option<&LabelSelector>, path: &Path, errors: &mut Errors) {
    if keys.is_empty() {
        return;
    }
    if selector.is_none() {
        errors.push(FieldError::forbidden(
            path,
            "must not be specified when labelSelector is not set",
        ));
        return;
    }
    for (i, key) in keys.iter().enumerate() {
        meta::label_name(key, &path.index(i), errors);
    }
}

fn selector_has(selector: &LabelSelector, key: &str) -> bool {
    selector
        .match_labels
        .as_ref()
        .is_some_and(|labels| labels.contains_key(key))
        || selector
            .match_expressions
            .iter()
            .flatten()
            .any(|expression| expression.key == key)
}

#[inline(never)]
pub fn topology_spread(constraints: &[TopologySpreadConstraint], path: &Path, errors: &mut Errors) {
    for (i, constraint) in constraints.iter().enumerate() {
        let path = &path.index(i);
        if constraint.max_skew <= 0 {
            errors.push(FieldError::invalid(
                &path.child("maxSkew"),
                constraint.max_skew,
                NOT_POSITIVE,
            ));
        }
        if constraint.topology_key.is_empty() {
            errors.push(FieldError::required(
                &path.child("topologyKey"),
                "can not be empty",
            ));
        }
        let action = constraint.when_unsatisfiable.as_str();
        if !matches!(action, "DoNotSchedule" | "ScheduleAnyway") {
            let supported = &["DoNotSchedule", "ScheduleAnyway"];
            errors.push(FieldError::not_supported(
                &path.child("whenUnsatisfiable"),
                action,
                supported,
            ));
        }
        let same = |other: &TopologySpreadConstraint| {
            other.topology_key == constraint.topology_key
                && other.when_unsatisfiable == constraint.when_unsatisfiable
        };
        if constraints[i + 1..].iter().any(same) {
            let pair = format!("{{{}, {action}}}", constraint.topology_key);
            errors.push(FieldError::duplicate(
                &path.child("{topologyKey, whenUnsatisfiable}"),
                &pair,
            ));
        }
        if let Some(domains) = constraint.min_domains {
            let path = &path.child("minDomains");
            if domains <= 0 {
                errors.push(FieldError::invalid(path, domains, NOT_POSITIVE));
            }
            if action != "DoNotSchedule" {
                let why = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                errors.push(FieldError::invalid(path, domains, why));
            }
        }
        for (name, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if policy
                .as_deref()
                .is_some_and(|policy| !matches!(policy, "Honor" | "Ignore"))
            {
                errors.push(FieldError::not_supported(
                    &path.child(name),
                    text(policy),
                    &["Honor", "Ignore"],
                ));
            }
        }
        spread_label_keys(constraint, &path.child("matchLabelKeys"), errors);
        if let Some(selector) = &constraint.label_selector {
            meta::label_selector(selector, &path.child("labelSelector"), errors);
        }
    }
}

fn spread_label_keys(constraint: &TopologySpreadConstraint, path: &Path, errors: &mut Errors) {
    let keys = constraint.match_label_keys.as_deref().unwrap_or(&[]);
    if !keys.is_empty() && constraint.label_selector.is_none() {
        errors.push(FieldError::forbidden(
            path,
            "must not be specified when labelSelector is not set",
        ));
    }
    for (i, key) in keys.iter().enumerate() {
        meta::label_name(key, &path.index(i), errors);
        if constraint
            .label_selector
            .as_ref()
            .is_some_and(|selector| selector_has(selector, key))
        {
            errors.push(FieldError::invalid(&path.index(i), key, BOTH));
        }
    }
}

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

#[inline(never)]
pub fn tolerations(tolerations: &[Toleration], path: &Path, errors: &mut Errors) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let path = &path.index(i);
        let (key, operator) = (text(&toleration.key), text(&toleration.operator));
        let (value, effect) = (text(&toleration.value), text(&toleration.effect));
        if !key.is_empty() {
            meta::label_name(key, &path.child("key"), errors);
        }
        if key.is_empty() && operator != "Exists" {
            let why =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(&path.child("operator"), operator, why));
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(&path.child("effect"), effect, why));
        }
        match operator {
            "Equal" | "" => {
                let complaints = content::label_value(value);
                if !complaints.is_empty() {
                    errors.push(FieldError::invalid(
                        &path.child("operator"),
                        value,
                        complaints.join(";"),
                    ));
                }
            }
            "Exists" if !value.is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                errors.push(FieldError::invalid(&path.child("operator"), value, why));
            }
            "Exists" => {}
            other => {
                errors.push(FieldError::not_supported(
                    &path.child("operator"),
                    other,
                    &["Equal", "Exists"],
                ));
            }
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            errors.push(FieldError::not_supported(&path.child("effect"), effect, EFFECTS));
        }
    }
}

/// The taints of a Node; the path upstream reports them under is not the field's own.
pub fn taints(taints: &[Taint], path: &Path, errors: &mut Errors) {
    for (i, taint) in taints.iter().enumerate() {
        let path = &path.index(i);
        meta::label_name(&taint.key, &path.child("key"), errors);
        let value = text(&taint.value);
        let complaints = content::label_value(value);
        if !complaints.is_empty() {
            errors.push(FieldError::invalid(
                &path.child("value"),
                value,
                complaints.join(";"),
            ));
        }
        let effect = taint.effect.as_str();
        if effect.is_empty() {
            errors.push(FieldError::required(&path.child("effect"), ""));
        } else if !EFFECTS.contains(&effect) {
            errors.push(FieldError::not_supported(&path.child("effect"), effect, EFFECTS));
        }
        if taints[..i]
            .iter()
            .any(|other| other.key == taint.key && other.effect == taint.effect)
        {
            let internal = Internal([
                ("Key", field::value(&taint.key)),
                ("Value", field::value(value)),
                ("Effect", field::value(effect)),
                ("TimeAdded", field::value(&taint.time_added)),
            ]);
            let mut error = FieldError::duplicate(path, internal);
            error.detail = "taints must be unique by key and effect pair".to_owned();
            errors.push(error);
        }
    }
}
