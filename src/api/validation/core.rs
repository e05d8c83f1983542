//! Namespaces, Nodes, Events and Leases.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go and events.go.

use super::content;
use super::field::{self, FieldError, Internal, Json, Path};
use super::meta::{self, Errors};
use super::resources::{self};
use super::{affinity, network, text};
use crate::api::quantity::Quantity;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Namespace, Node};

pub const SPEC: Path = Path::root("spec");

pub const STATUS: Path = Path::root("status");

pub fn namespace(namespace: &Namespace, errors: &mut Errors) {
    let names = namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref());
    let path = &SPEC.child("finalizers");
    for name in names.into_iter().flatten() {
        meta::label_name(name, path, errors);
        meta::finalizer_name(name, path, errors);
    }
}

#[inline(never)]
pub fn namespace_status(new: &Namespace, errors: &mut Errors) {
    let phase = new.status.as_ref().map_or("", |status| text(&status.phase));
    let path = &STATUS.child("Phase");
    match new.metadata.deletion_timestamp.is_some() {
        false if phase != "Active" => {
            let why = "may only be 'Active' if `deletionTimestamp` is empty";
            errors.push(FieldError::invalid(path, phase, why));
        }
        true if phase != "Terminating" => {
            let why = "may only be 'Terminating' if `deletionTimestamp` is not empty";
            errors.push(FieldError::invalid(path, phase, why));
        }
        _ => {}
    }
}

#[inline(never)]
pub fn node(node: &Node, errors: &mut Errors) {
    taints(node, errors);
    node_resources(node, errors);
    let cidrs = node
        .spec
        .as_ref()
        .and_then(|spec| spec.pod_cidrs.as_deref())
        .unwrap_or(&[]);
    let path = &SPEC.child("podCIDRs");
    for (i, cidr) in cidrs.iter().enumerate() {
        network::cidr(cidr, &path.index(i), errors);
    }
    if cidrs.len() > 1 {
        let addresses = cidrs
            .iter()
            .filter_map(|cidr| cidr.split_once('/'))
            .map(|(address, _)| address);
        if cidrs.len() > 2 || !network::is_dual_stack(addresses) {
            let why = "may specify no more than one CIDR for each IP family";
            errors.push(FieldError::invalid(path, Json(cidrs), why));
        }
    }
}

fn taints(node: &Node, errors: &mut Errors) {
    // Upstream reports a taint as if it were part of the metadata.
    let metadata = Path::root("metadata");
    let taints = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or(&[]);
    affinity::taints(taints, &metadata.child("taints"), errors);
}

fn node_resources(node: &Node, errors: &mut Errors) {
    let Some(status) = &node.status else { return };
    for (field, list) in [
        ("capacity", &status.capacity),
        ("allocatable", &status.allocatable),
    ] {
        let path = STATUS.child(field);
        for (name, amount) in list.iter().flatten() {
            resources::quantity_value(name, Quantity::of(amount), &path.child(name), errors);
        }
    }
}

#[inline(never)]
pub fn node_update(new: &Node, old: &Node, errors: &mut Errors) {
    node_resources(new, errors);
    let addresses = new
        .status
        .as_ref()
        .and_then(|status| status.addresses.as_deref())
        .unwrap_or(&[]);
    let path = STATUS.child("addresses");
    for (i, address) in addresses.iter().enumerate() {
        if addresses[..i].contains(address) {
            let internal = Internal([
                ("Type", field::value(&address.type_)),
                ("Address", field::value(&address.address)),
            ]);
            errors.push(FieldError::duplicate(&path.index(i), internal));
        }
    }
    let cidrs = |node: &Node| {
        node.spec
            .as_ref()
            .and_then(|spec| spec.pod_cidrs.clone())
            .unwrap_or_default()
    };
    if !cidrs(old).is_empty() && cidrs(old) != cidrs(new) {
        let why = "node updates may not change podCIDR except from \"\" to valid";
        errors.push(FieldError::forbidden(&SPEC.child("podCIDRs"), why));
    }
    let provider = |node: &Node| {
        node.spec
            .as_ref()
            .and_then(|spec| spec.provider_id.clone())
            .unwrap_or_default()
    };
    if !provider(old).is_empty() && provider(old) != provider(new) {
        let why = "node updates may not change providerID except from \"\" to valid";
        errors.push(FieldError::forbidden(&SPEC.child("providerID"), why));
    }
    taints(new, errors);
    let external = |node: &Node| {
        node.spec
            .as_ref()
            .and_then(|spec| spec.external_id.clone())
            .unwrap_or_default()
    };
    if external(old) != external(new) {
        errors.push(FieldError::forbidden(
            &SPEC.child("externalID"),
            "may not be updated",
        ));
    }
}

#[inline(never)]
pub fn event(event: &Event, errors: &mut Errors) {
    let namespace = text(&event.metadata.namespace);
    let about = text(&event.involved_object.namespace);
    let involved = Path::root("involvedObject");
    let mismatch = match (&event.event_time, about) {
        (None, "") => !matches!(namespace, "" | "default"),
        (None, about) => about != namespace,
        (Some(_), "") => !matches!(namespace, "default" | "kube-system"),
        (Some(_), _) => false,
    };
    if mismatch {
        errors.push(FieldError::invalid(
            &involved.child("namespace"),
            about,
            "does not match event.namespace",
        ));
    }
    if event.event_time.is_some() {
        let controller = text(&event.reporting_component);
        let path = &Path::root("reportingController");
        if controller.is_empty() {
            errors.push(FieldError::required(path, ""));
        }
        meta::label_name(controller, path, errors);
        let required = [
            ("reportingInstance", text(&event.reporting_instance), 128, true),
            ("action", text(&event.action), 128, true),
            ("reason", text(&event.reason), 128, true),
            ("message", text(&event.message), 1024, false),
        ];
        for (field, value, max, required) in required {
            let path = &Path::root(field);
            if required && value.is_empty() {
                errors.push(FieldError::required(path, ""));
            }
            if value.len() > max {
                errors.push(FieldError::invalid(
                    path,
                    "",
                    format!("can have at most {max} characters"),
                ));
            }
        }
    }
    meta::check(
        content::dns1123_subdomain(namespace),
        namespace,
        &Path::root("namespace"),
        errors,
    );
}

pub fn lease(lease: &Lease, errors: &mut Errors) {
    let Some(spec) = &lease.spec else { return };
    if let Some(seconds) = spec.lease_duration_seconds.filter(|seconds| *seconds <= 0) {
        errors.push(FieldError::invalid(
            &SPEC.child("leaseDurationSeconds"),
            seconds,
            "must be greater than 0",
        ));
    }
    if let Some(count) = spec.lease_transitions.filter(|count| *count < 0) {
        let why = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(&SPEC.child("leaseTransitions"), count, why));
    }
    if let Some(strategy) = spec.strategy.as_deref() {
        if strategy != "OldestEmulationVersion" && !strategy.contains('/') {
            meta::label_name(strategy, &SPEC.child("strategy"), errors);
        }
    }
    if spec
        .preferred_holder
        .as_deref()
        .is_some_and(|holder| !holder.is_empty())
        && spec.strategy.as_deref().is_none_or(str::is_empty)
    {
        let why = "may only be specified if `strategy` is defined";
        errors.push(FieldError::forbidden(&SPEC.child("preferredHolder"), why));
    }
}
