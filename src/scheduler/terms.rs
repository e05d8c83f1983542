//! Selectors of the scheduler: node selector terms, tolerations and Pod affinity terms.
//!
//! Source: k8s.io/component-helpers/scheduling/corev1, pkg/scheduler/framework/types.go.

use crate::client::helpers::{Labels, pairs_match, selector_is_empty, selector_matches};
use k8s_openapi::api::core::v1::{
    Namespace, Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodAffinityTerm, Taint, Toleration,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::sync::Arc;

/// Whether a toleration tolerates a taint.
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    let effect = toleration.effect.as_deref().unwrap_or("");
    let key = toleration.key.as_deref().unwrap_or("");
    if (!effect.is_empty() && effect != taint.effect) || (!key.is_empty() && key != taint.key) {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or("") {
        "" | "Equal" => text(&toleration.value) == text(&taint.value),
        "Exists" => true,
        operator @ ("Lt" | "Gt") => {
            let number = |value: &Option<String>| value.as_deref().unwrap_or("").parse::<i64>().ok();
            match (number(&taint.value), number(&toleration.value)) {
                (Some(taint), Some(bound)) => {
                    if operator == "Lt" {
                        taint < bound
                    } else {
                        taint > bound
                    }
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// The first taint of `effects` that the Pod does not tolerate.
pub fn untolerated<'a>(pod: &Pod, taints: &'a [Taint], effects: &[&str]) -> Option<&'a Taint> {
    let tolerations = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.tolerations.as_deref())
        .unwrap_or_default();
    taints
        .iter()
        .filter(|taint| effects.contains(&taint.effect.as_str()))
        .find(|taint| !tolerations.iter().any(|toleration| tolerates(toleration, taint)))
}

fn requirement_matches(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let listed = |value: &str| requirement.values.iter().flatten().any(|wanted| wanted == value);
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let bound = || {
        number(
            requirement
                .values
                .as_ref()
                .and_then(|values| values.first())
                .map(String::as_str),
        )
    };
    match requirement.operator.as_str() {
        "In" => value.is_some_and(listed),
        "NotIn" => value.is_none_or(|value| !listed(value)),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => matches!((number(value), bound()), (Some(value), Some(bound)) if value > bound),
        "Lt" => matches!((number(value), bound()), (Some(value), Some(bound)) if value < bound),
        _ => false,
    }
}

/// Whether a node matches one term; an empty term matches nothing.
pub fn node_term_matches(term: &NodeSelectorTerm, node: &Node) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let label = |key: &str| {
        node.metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(key))
            .map(String::as_str)
    };
    expressions
        .iter()
        .all(|requirement| requirement_matches(requirement, label(&requirement.key)))
        && fields.iter().all(|requirement| {
            requirement.key == "metadata.name"
                && requirement_matches(requirement, node.metadata.name.as_deref())
        })
}

/// Whether the Pod's `nodeSelector` and required node affinity admit a node.
pub fn node_admitted(pod: &Pod, node: &Node) -> bool {
    let Some(spec) = &pod.spec else { return true };
    if spec
        .node_selector
        .as_ref()
        .is_some_and(|wanted| !pairs_match(wanted, node.metadata.labels.as_ref()))
    {
        return false;
    }
    let affinity = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref());
    match affinity.and_then(|affinity| {
        affinity
            .required_during_scheduling_ignored_during_execution
            .as_ref()
    }) {
        Some(required) => required
            .node_selector_terms
            .iter()
            .any(|term| node_term_matches(term, node)),
        None => true,
    }
}

/// Whether `node_admitted` can say no at all.
pub fn restricts_nodes(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| {
        let affinity = spec
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref());
        spec.node_selector
            .as_ref()
            .is_some_and(|wanted| !wanted.is_empty())
            || affinity.is_some_and(|a| a.required_during_scheduling_ignored_during_execution.is_some())
    })
}

/// One Pod (anti-)affinity term.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub topology_key: String,
    selector: Arc<LabelSelector>,
    namespaces: Vec<String>,
    namespace_selector: Option<Arc<LabelSelector>>,
}

impl Term {
    fn new(pod: &Pod, term: &PodAffinityTerm) -> Term {
        let mut namespaces = term.namespaces.clone().unwrap_or_default();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.push(pod.metadata.namespace.clone().unwrap_or_default());
        }
        // No selector selects nothing, unlike an empty one.
        let nothing = || LabelSelector {
            match_expressions: Some(vec![Default::default()]),
            ..LabelSelector::default()
        };
        Term {
            topology_key: term.topology_key.clone(),
            selector: Arc::new(term.label_selector.clone().unwrap_or_else(nothing)),
            namespaces,
            namespace_selector: term.namespace_selector.clone().map(Arc::new),
        }
    }

    /// Whether the term is about Pods of `namespace` with `labels`; `namespace_object` answers the
    /// namespace selector.
    pub fn matches(&self, namespace: &str, labels: &Labels, namespace_object: Option<&Namespace>) -> bool {
        let namespace_matches = || {
            let Some(selector) = &self.namespace_selector else {
                return false;
            };
            selector_is_empty(selector)
                || namespace_object
                    .is_some_and(|object| selector_matches(selector, object.metadata.labels.as_ref()))
        };
        (self.namespaces.iter().any(|own| own == namespace) || namespace_matches())
            && selector_matches(&self.selector, Some(labels))
    }
}

/// The Pod's required affinity, required anti-affinity, and preferences with their weights.
pub fn affinity_terms(pod: &Pod) -> (Vec<Term>, Vec<Term>, Vec<(i64, Term)>) {
    let Some(affinity) = pod.spec.as_ref().and_then(|spec| spec.affinity.as_ref()) else {
        return Default::default();
    };
    let terms = |terms: &Option<Vec<PodAffinityTerm>>| {
        terms.iter().flatten().map(|term| Term::new(pod, term)).collect()
    };
    let mut preferred = Vec::new();
    let mut required = (Vec::new(), Vec::new());
    if let Some(near) = &affinity.pod_affinity {
        required.0 = terms(&near.required_during_scheduling_ignored_during_execution);
        for weighted in near
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten()
        {
            preferred.push((
                i64::from(weighted.weight),
                Term::new(pod, &weighted.pod_affinity_term),
            ));
        }
    }
    if let Some(apart) = &affinity.pod_anti_affinity {
        required.1 = terms(&apart.required_during_scheduling_ignored_during_execution);
        for weighted in apart
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten()
        {
            preferred.push((
                -i64::from(weighted.weight),
                Term::new(pod, &weighted.pod_affinity_term),
            ));
        }
    }
    (required.0, required.1, preferred)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tolerations() {
        let taint: Taint =
            serde_json::from_value(json!({"key": "a", "value": "1", "effect": "NoSchedule"})).unwrap();
        let check = |toleration| tolerates(&serde_json::from_value(toleration).unwrap(), &taint);
        assert!(check(json!({"key": "a", "value": "1"})) && check(json!({"operator": "Exists"})));
        assert!(
            !check(json!({"key": "a", "value": "2"}))
                && !check(json!({"key": "a", "operator": "Exists", "effect": "NoExecute"}))
        );
    }

    #[test]
    fn node_terms() {
        let node: Node =
            serde_json::from_value(json!({"metadata": {"name": "n", "labels": {"cores": "8"}}})).unwrap();
        let check = |term| node_term_matches(&serde_json::from_value(term).unwrap(), &node);
        let expression = |operator: &str, value: &str| json!({"matchExpressions": [{"key": "cores", "operator": operator, "values": [value]}]});
        assert!(check(expression("Gt", "4")) && !check(expression("Lt", "4")) && !check(json!({})));
        assert!(check(
            json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]})
        ));
    }
}
