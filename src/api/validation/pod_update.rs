//! What may change in a Pod, its status, its size and its debugging containers.
//!
//! Source: ValidatePodUpdate and its kin in kubernetes/pkg/apis/core/validation/validation.go.

use super::content::{self, inclusive_range_error};
use super::field::{FieldError, Json, Path, go_quote};
use super::meta::{self, Errors, IMMUTABLE};
use super::{affinity, diff, internal, network, pod, text};
use crate::api::qos::pod_qos_class;
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{
    Container, ContainerStatus, NodeSelectorTerm, Pod, PodSpec, ResourceRequirements, Toleration,
};

const MAY_CHANGE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
                          `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                          additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
                          to 1 if it was previously negative)";
const MIRROR: &str = "kubernetes.io/config.mirror";

fn spec_of(pod: &Pod) -> std::borrow::Cow<'_, PodSpec> {
    match &pod.spec {
        Some(spec) => std::borrow::Cow::Borrowed(spec),
        None => std::borrow::Cow::Owned(PodSpec::default()),
    }
}

fn mirror_annotation(new: &Pod, old: &Pod, errors: &mut Errors) {
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
fn containers(new: &[Container], old_count: usize, path: &Path, errors: &mut Errors) -> bool {
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

pub fn status_update(new: &Pod, old: &Pod, errors: &mut Errors) {
    mirror_annotation(new, old, errors);
    let (spec, old_spec) = (spec_of(new), spec_of(old));
    if let Some(annotations) = &new.metadata.annotations {
        let metadata = Path::root("metadata");
        pod::annotations(annotations, &spec, &metadata.child("annotations"), errors);
    }
    let path = &Path::root("status");
    let Some(status) = &new.status else { return };
    let default = Default::default();
    let old_status = old.status.as_ref().unwrap_or(&default);
    let conditions = path.child("conditions");
    for (i, condition) in status.conditions.iter().flatten().enumerate() {
        let path = &conditions.index(i);
        if let Some(generation) = condition.observed_generation.filter(|generation| *generation < 0) {
            let why = "must be a non-negative integer";
            errors.push(FieldError::invalid(
                &path.child("observedGeneration"),
                generation,
                why,
            ));
        }
        if !matches!(condition.type_.as_str(), "PodScheduled" | "Ready" | "Initialized") {
            meta::label_name(&condition.type_, &path.child("Type"), errors);
        }
    }
    if spec.node_name != old_spec.node_name {
        errors.push(FieldError::forbidden(
            &path.child("nodeName"),
            "may not be changed directly",
        ));
    }
    let nominated = text(&status.nominated_node_name);
    if !nominated.is_empty() && nominated != text(&old_status.nominated_node_name) {
        meta::check(
            content::dns1123_subdomain(nominated),
            nominated,
            &path.child("nominatedNodeName"),
            errors,
        );
    }
    if let Some(generation) = status.observed_generation.filter(|generation| *generation < 0) {
        let why = "must be a non-negative integer";
        errors.push(FieldError::invalid(
            &path.child("observedGeneration"),
            generation,
            why,
        ));
    }
    if text(&status.qos_class) != text(&old_status.qos_class) {
        errors.push(FieldError::invalid(
            &path.child("qosClass"),
            text(&status.qos_class),
            IMMUTABLE,
        ));
    }
    let sidecars: Vec<&str> = old_spec
        .init_containers
        .iter()
        .flatten()
        .filter(|c| pod::is_sidecar(c))
        .map(|c| c.name.as_str())
        .collect();
    let policy = text(&old_spec.restart_policy);
    let transitions = |new: &Option<Vec<ContainerStatus>>,
                       old: &Option<Vec<ContainerStatus>>,
                       policy,
                       path: &Path,
                       errors: &mut Errors| {
        let (new, old) = (new.as_deref().unwrap_or(&[]), old.as_deref().unwrap_or(&[]));
        state_transitions(new, old, policy, &sidecars, path, errors);
    };
    transitions(
        &status.container_statuses,
        &old_status.container_statuses,
        policy,
        &path.child("containerStatuses"),
        errors,
    );
    transitions(
        &status.init_container_statuses,
        &old_status.init_container_statuses,
        policy,
        &path.child("initContainerStatuses"),
        errors,
    );
    transitions(
        &status.ephemeral_container_statuses,
        &old_status.ephemeral_container_statuses,
        "Never",
        &path.child("ephemeralContainerStatuses"),
        errors,
    );
    let pod_ips: Vec<&str> = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str()).collect();
    addresses(&pod_ips, &path.child("podIPs"), errors);
    let host_ips: Vec<&str> = status
        .host_ips
        .iter()
        .flatten()
        .map(|ip| ip.ip.as_str())
        .collect();
    if host_ips
        .first()
        .is_some_and(|first| *first != text(&status.host_ip))
    {
        let hosts = path.child("hostIPs");
        let path = hosts.index(0);
        errors.push(FieldError::invalid(
            &path.child("ip"),
            host_ips[0],
            "must be equal to `hostIP`",
        ));
    }
    addresses(&host_ips, &path.child("hostIPs"), errors);
}

fn addresses(ips: &[&str], path: &Path, errors: &mut Errors) {
    for (i, ip) in ips.iter().enumerate() {
        network::ip(ip, &path.index(i), errors);
    }
    if ips.len() > 1 && !(ips.len() == 2 && network::is_dual_stack(ips.iter().copied())) {
        let list: Vec<_> = ips.iter().map(|ip| serde_json::json!({"IP": ip})).collect();
        let why = "may specify no more than one IP for each IP family";
        errors.push(FieldError::invalid(path, Json(list), why));
    }
}

/// A container that ended for good does not come back.
fn state_transitions(
    new: &[ContainerStatus],
    old: &[ContainerStatus],
    policy: &str,
    sidecars: &[&str],
    path: &Path,
    errors: &mut Errors,
) {
    if policy == "Always" {
        return;
    }
    let terminated =
        |status: &ContainerStatus| status.state.as_ref().and_then(|state| state.terminated.clone());
    for (i, before) in old.iter().enumerate() {
        let Some(end) = terminated(before) else { continue };
        if (end.exit_code != 0 && policy == "OnFailure") || sidecars.contains(&before.name.as_str()) {
            continue;
        }
        if new
            .iter()
            .any(|after| after.name == before.name && terminated(after).is_none())
        {
            let why = "may not be transitioned to non-terminated state";
            errors.push(FieldError::forbidden(&path.index(i).child("state"), why));
        }
    }
}

/// The `ephemeralcontainers` subresource: containers may be added, no more.
pub fn ephemeral_containers_update(new: &Pod, old: &Pod, errors: &mut Errors) {
    if old
        .metadata
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key(MIRROR))
    {
        errors.clear();
        errors.push(FieldError::forbidden(
            &Path::root(""),
            "static pods do not support ephemeral containers",
        ));
        return;
    }
    pod::full(new, errors);
    let (spec, old_spec) = (spec_of(new), spec_of(old));
    let spec_path = Path::root("spec");
    let path = &spec_path.child("ephemeralContainers");
    for before in old_spec.ephemeral_containers.iter().flatten() {
        let name = go_quote(&before.name);
        match spec
            .ephemeral_containers
            .iter()
            .flatten()
            .find(|after| after.name == before.name)
        {
            None => {
                let why = format!("existing ephemeral containers {name} may not be removed\n");
                errors.push(FieldError::forbidden(path, why));
            }
            Some(after) if !diff::semantic_equal(before, after) => {
                let internal = internal::ephemeral_container;
                let difference = diff::of(&internal(before), &internal(after));
                let why = format!("existing ephemeral containers {name} may not be changed\n{difference}");
                errors.push(FieldError::forbidden(path, why));
            }
            Some(_) => {}
        }
    }
}

/// The `resize` subresource: processors and memory of running containers may change, no more.
pub fn resize(new: &Pod, old: &Pod, errors: &mut Errors) {
    pod::full(new, errors);
    let (spec, old_spec) = (spec_of(new), spec_of(old));
    let path = &Path::root("spec");
    if old
        .metadata
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key(MIRROR))
    {
        errors.clear();
        errors.push(FieldError::forbidden(
            &Path::root(""),
            "static pods cannot be resized",
        ));
        return;
    }
    let before = old.status.as_ref().and_then(|status| status.qos_class.clone());
    let before = before.unwrap_or_else(|| pod_qos_class(Some(&old_spec)).to_owned());
    if before != pod_qos_class(Some(&spec)) {
        let shown = new.status.as_ref().map_or("", |status| text(&status.qos_class));
        errors.push(FieldError::invalid(
            path,
            shown,
            "Pod QOS Class may not change as a result of resizing",
        ));
    }
    let names = |list: &[Container]| list.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    if spec.containers.len() != old_spec.containers.len() {
        let why = "containers may not be added or removed on resize";
        errors.push(FieldError::forbidden(&path.child("containers"), why));
        return;
    }
    if names(&spec.containers) != names(&old_spec.containers) {
        let containers = path.child("containers");
        for (i, (new, old)) in spec.containers.iter().zip(&old_spec.containers).enumerate() {
            if new.name != old.name {
                let why = "containers may not be renamed or reordered on resize";
                errors.push(FieldError::forbidden(&containers.index(i).child("name"), why));
            }
        }
        return;
    }
    let containers = path.child("containers");
    let mut masked = spec.clone().into_owned();
    for (i, (new, old)) in spec.containers.iter().zip(&old_spec.containers).enumerate() {
        let own = containers.index(i);
        let default = ResourceRequirements::default();
        let (after, before) = (
            new.resources.as_ref().unwrap_or(&default),
            old.resources.as_ref().unwrap_or(&default),
        );
        container_resize(new, after, before, &own.child("resources"), errors);
        masked.containers[i].resources = old.resources.clone();
    }
    if errors.is_empty() && !diff::semantic_equal(&masked, &*old_spec) {
        errors.push(FieldError::forbidden(
            path,
            "only cpu and memory resources are mutable",
        ));
    }
}

fn container_resize(
    container: &Container,
    new: &ResourceRequirements,
    old: &ResourceRequirements,
    path: &Path,
    errors: &mut Errors,
) {
    for (what, new, old) in [
        ("requests", &new.requests, &old.requests),
        ("limits", &new.limits, &old.limits),
    ] {
        let kept = |name: &String| new.as_ref().is_some_and(|list| list.contains_key(name));
        if !old.iter().flatten().all(|(name, _)| kept(name)) {
            errors.push(FieldError::forbidden(
                &path.child(what),
                format!("resource {what} cannot be removed"),
            ));
        }
    }
    let restarts = container
        .resize_policy
        .iter()
        .flatten()
        .any(|policy| policy.resource_name == "memory" && policy.restart_policy == "RestartContainer");
    let memory = |list: &ResourceRequirements| {
        list.limits
            .as_ref()
            .and_then(|l| l.get("memory"))
            .map(Quantity::of)
    };
    let limits = path.child("limits");
    match (memory(new), memory(old)) {
        (Some(new), Some(old)) if new < old && !restarts => {
            let why = "memory limits cannot be decreased unless resizePolicy is RestartContainer";
            errors.push(FieldError::forbidden(&limits.key("memory"), why));
        }
        (Some(_), None) if !restarts => {
            let why = "memory limits cannot be added unless resizePolicy is RestartContainer";
            errors.push(FieldError::forbidden(&limits.key("memory"), why));
        }
        _ => {}
    }
}
