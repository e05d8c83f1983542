//! What may change in a Pod.
//!
//! Source: ValidatePodUpdate and its kin in kubernetes/pkg/apis/core/validation/validation.go.

use super::content::inclusive_range_error;
use super::field::{FieldError, Json, Path};
use super::meta::Errors;
use super::{affinity, diff, internal, pod, text};
use k8s_openapi::api::core::v1::{Container, NodeSelectorTerm, Pod, PodSpec, Toleration};

const MAY_CHANGE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
                          `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                          additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
                          to 1 if it was previously negative)";

pub const MIRROR: &str = "kubernetes.io/config.mirror";

pub fn spec_of(pod: &Pod) -> std::borrow::Cow<'_, PodSpec> {
    match &pod.spec {
        Some(spec) => std::borrow::Cow::Borrowed(spec),
        None => std::borrow::Cow::Owned(PodSpec::default()),
    }
}

pub fn mirror_annotation(new: &Pod, old: &Pod, errors: &mut Errors) {
    let of = |pod: &Pod| {
        pod.metadata
            .annotations
            .as_ref()
            .and_then(|a| a.get(MIRROR))
            .cloned()
    };
    let metadata = Path::root("metadata");
    let annotations = metadata.child("annotations");
    match (of(old), of(new)) {
        (Some(old), new) if new.as_ref() != Some(&old) => {
            let why = "may not remove or update mirror pod annotation";
            errors.push(FieldError::forbidden(&annotations.key(MIRROR), why));
        }
        (None, Some(_)) => {
            errors.push(FieldError::forbidden(
                &annotations.key(MIRROR),
                "may not add mirror pod annotation",
            ));
        }
        _ => {}
    }
}

#[inline(never)]
pub fn update(new: &Pod, old: &Pod, errors: &mut Errors) {
    pod::full(new, errors);
    mirror_annotation(new, old, errors);
    let (spec, old_spec) = (spec_of(new), spec_of(old));
    let path = &Path::root("spec");
    let init = |spec: &PodSpec| spec.init_containers.as_ref().map_or(0, Vec::len);
    if !containers(
        &spec.containers,
        old_spec.containers.len(),
        &path.child("containers"),
        errors,
    ) {
        return;
    }
    let own = spec.init_containers.as_deref().unwrap_or(&[]);
    if !containers(own, init(&old_spec), &path.child("initContainers"), errors) {
        return;
    }
    if !active_deadline(&spec, &old_spec, &path.child("activeDeadlineSeconds"), errors) {
        return;
    }
    added_tolerations(&spec, &old_spec, &path.child("tolerations"), errors);
    deleted_gates(&spec, &old_spec, &path.child("schedulingGates"), errors);
    if spec == old_spec {
        return;
    }
    let mut masked = spec.clone().into_owned();
    for (container, old) in masked.containers.iter_mut().zip(&old_spec.containers) {
        container.image = old.image.clone();
    }
    for (container, old) in masked
        .init_containers
        .iter_mut()
        .flatten()
        .zip(old_spec.init_containers.iter().flatten())
    {
        container.image = old.image.clone();
    }
    masked.active_deadline_seconds = old_spec.active_deadline_seconds;
    masked.scheduling_gates = old_spec.scheduling_gates.clone();
    masked.tolerations = old_spec.tolerations.clone();
    if old_spec.termination_grace_period_seconds.is_some_and(|s| s < 0)
        && masked.termination_grace_period_seconds == Some(1)
    {
        masked.termination_grace_period_seconds = old_spec.termination_grace_period_seconds;
    }
    if old_spec
        .scheduling_gates
        .as_ref()
        .is_some_and(|gates| !gates.is_empty())
    {
        gated(&mut masked, &old_spec, path, errors);
    }
    if !diff::semantic_equal(&masked, &*old_spec) {
        let why = format!(
            "{MAY_CHANGE}\n{}",
            diff::of(&internal::pod_spec(&old_spec), &internal::pod_spec(&masked))
        );
        errors.push(FieldError::forbidden(path, why));
    }
}

/// False when the lists cannot be compared further.
pub fn containers(new: &[Container], old_count: usize, path: &Path, errors: &mut Errors) -> bool {
    if new.len() != old_count {
        errors.push(FieldError::forbidden(
            path,
            "pod updates may not add or remove containers",
        ));
        return false;
    }
    for (i, container) in new.iter().enumerate() {
        let image = text(&container.image);
        if image.is_empty() {
            errors.push(FieldError::required(&path.index(i).child("image"), ""));
        }
        if image.trim().len() != image.len() {
            let why = "must not have leading or trailing whitespace";
            errors.push(FieldError::invalid(&path.index(i).child("image"), image, why));
        }
    }
    true
}

fn active_deadline(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) -> bool {
    let most = i64::from(i32::MAX);
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=most).contains(&new) => {
            errors.push(FieldError::invalid(path, new, inclusive_range_error(0, most)));
            false
        }
        (Some(new), Some(old)) if old < new => {
            errors.push(FieldError::invalid(
                path,
                new,
                "must be less than or equal to previous value",
            ));
            false
        }
        (None, Some(_)) => {
            let why = "must not update from a positive integer to nil value";
            errors.push(FieldError::invalid(path, Json(None::<i64>), why));
            true
        }
        _ => true,
    }
}

fn added_tolerations(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let own = new.tolerations.as_deref().unwrap_or(&[]);
    let same = |a: &Toleration, b: &Toleration| {
        a.key == b.key && a.operator == b.operator && a.value == b.value && a.effect == b.effect
    };
    for toleration in old.tolerations.iter().flatten() {
        if !own.iter().any(|other| same(toleration, other)) {
            let why = "existing toleration can not be modified except its tolerationSeconds";
            errors.push(FieldError::forbidden(path, why));
            return;
        }
    }
    affinity::tolerations(own, path, errors);
}

fn deleted_gates(new: &PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    for (i, gate) in new.scheduling_gates.iter().flatten().enumerate() {
        if !old
            .scheduling_gates
            .iter()
            .flatten()
            .any(|other| other.name == gate.name)
        {
            let why = format!(
                "only deletion is allowed, but found new scheduling gate '{}'",
                gate.name
            );
            errors.push(FieldError::forbidden(&path.index(i).child("name"), why));
        }
    }
}

/// A Pod that waits at a gate may be narrowed in where it can go.
fn gated(masked: &mut PodSpec, old: &PodSpec, path: &Path, errors: &mut Errors) {
    let selector = masked.node_selector.clone().unwrap_or_default();
    let kept = old
        .node_selector
        .iter()
        .flatten()
        .all(|(key, value)| selector.get(key) == Some(value));
    if !kept {
        let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.push(FieldError::invalid(
            &path.child("nodeSelector"),
            Json(&masked.node_selector),
            why,
        ));
    }
    masked.node_selector = old.node_selector.clone();
    let terms = |spec: &PodSpec| -> Vec<NodeSelectorTerm> {
        let node = spec
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref());
        let required =
            node.and_then(|node| node.required_during_scheduling_ignored_during_execution.as_ref());
        required
            .map(|required| required.node_selector_terms.clone())
            .unwrap_or_default()
    };
    let (new_terms, old_terms) = (terms(masked), terms(old));
    let affinity_path = path.child("affinity");
    let affinity_path = affinity_path.child("nodeAffinity");
    let affinity_path = affinity_path.child("requiredDuringSchedulingIgnoredDuringExecution");
    let terms_path = affinity_path.child("nodeSelectorTerms");
    if !old_terms.is_empty() && old_terms.len() != new_terms.len() {
        let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        errors.push(FieldError::invalid(&terms_path, Json(&new_terms), why));
    } else {
        for (i, (old, new)) in old_terms.iter().zip(&new_terms).enumerate() {
            if !only_additions(new, old) {
                let why = "only additions are allowed (no mutations or deletions)";
                errors.push(FieldError::invalid(&terms_path.index(i), Json(new), why));
            }
        }
    }
    let old_node = old
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.clone());
    match (&mut masked.affinity, &old.affinity) {
        (None, Some(_)) if old_node.is_some() => {
            masked.affinity = Some(k8s_openapi::api::core::v1::Affinity {
                node_affinity: old_node,
                ..Default::default()
            });
        }
        (Some(affinity), None) if affinity.pod_affinity.is_none() && affinity.pod_anti_affinity.is_none() => {
            masked.affinity = None;
        }
        (Some(affinity), _) => affinity.node_affinity = old_node,
        _ => {}
    }
}

fn only_additions(new: &NodeSelectorTerm, old: &NodeSelectorTerm) -> bool {
    fn list<T>(list: &Option<Vec<T>>) -> &[T] {
        list.as_deref().unwrap_or(&[])
    }
    let (expressions, fields) = (list(&old.match_expressions), list(&old.match_fields));
    if expressions.is_empty() && fields.is_empty() {
        return list(&new.match_expressions).is_empty() && list(&new.match_fields).is_empty();
    }
    list(&new.match_expressions).starts_with(expressions) && list(&new.match_fields).starts_with(fields)
}
