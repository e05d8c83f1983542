//! What may change in a Pod's status.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors, IMMUTABLE};
use super::pod_update::{mirror_annotation, spec_of};
use super::{network, pod, text};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

#[inline(never)]
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

pub fn addresses(ips: &[&str], path: &Path, errors: &mut Errors) {
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
