//! What may change in a running Pod through its own subresources: size and debugging containers.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::field::{FieldError, Path, go_quote};
use super::meta::Errors;
use super::pod_update::{MIRROR, spec_of};
use super::{diff, internal, pod, text};
use crate::api::qos::pod_qos_class;
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};

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
