//! What a Pod says of names: its own, those it resolves, and those it refers to.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content::{self, inclusive_range_error};
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::{affinity, network, text};
use k8s_openapi::api::core::v1::{PodDNSConfig, PodSpec};

#[inline(never)]
pub fn host_network_ports(spec: &PodSpec, is_pod: bool, path: &Path, errors: &mut Errors) {
    if spec.host_network != Some(true) {
        return;
    }
    let containers = path.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        for (j, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or(0);
            if (is_pod || host_port != 0) && host_port != port.container_port {
                let path = containers.index(i);
                let path = path.child("ports");
                let path = path.index(j);
                let why = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(&path.child("hostPort"), host_port, why));
            }
        }
    }
}

#[inline(never)]
pub fn dns_config(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let default = PodDNSConfig::default();
    let config = spec.dns_config.as_ref();
    let servers = config
        .and_then(|config| config.nameservers.as_deref())
        .unwrap_or(&[]);
    if text(&spec.dns_policy) == "None" {
        if config.is_none() {
            errors.push(FieldError::required(
                path,
                "must provide `dnsConfig` when `dnsPolicy` is None",
            ));
            return;
        }
        if servers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.push(FieldError::required(&path.child("nameservers"), why));
            return;
        }
    }
    let config = config.unwrap_or(&default);
    let servers_path = &path.child("nameservers");
    if servers.len() > 3 {
        errors.push(FieldError::invalid(
            servers_path,
            Json(servers),
            "must not have more than 3 nameservers",
        ));
    }
    for (i, server) in servers.iter().enumerate() {
        network::ip(server, &servers_path.index(i), errors);
    }
    let searches = config.searches.as_deref().unwrap_or(&[]);
    let searches_path = &path.child("searches");
    if searches.len() > 32 {
        errors.push(FieldError::invalid(
            searches_path,
            Json(searches),
            "must not have more than 32 search paths",
        ));
    }
    if searches.iter().map(|search| search.len() + 1).sum::<usize>() > 2048 + 1 {
        let why = "must not have more than 2048 characters (including spaces) in the search list";
        errors.push(FieldError::invalid(searches_path, Json(searches), why));
    }
    for (i, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        let complaints = content::dns1123_subdomain_with_underscore(search);
        meta::check(complaints, search, &searches_path.index(i), errors);
    }
    let options = path.child("options");
    for (i, option) in config.options.iter().flatten().enumerate() {
        if text(&option.name).is_empty() {
            errors.push(FieldError::required(&options.index(i), "must not be empty"));
        }
    }
}

#[inline(never)]
pub fn gates(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let readiness = path.child("readinessGates");
    for (i, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        meta::label_name(
            &gate.condition_type,
            &readiness.index(i).child("conditionType"),
            errors,
        );
    }
    let scheduling = path.child("schedulingGates");
    let gates = spec.scheduling_gates.as_deref().unwrap_or(&[]);
    for (i, gate) in gates.iter().enumerate() {
        let path = &scheduling.index(i);
        meta::label_name(&gate.name, path, errors);
        if gates[..i].iter().any(|other| other.name == gate.name) {
            errors.push(FieldError::duplicate(path, &gate.name));
        }
    }
}

#[inline(never)]
pub fn names(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    type Check = fn(&str) -> content::Complaints;
    let check = |value: &Option<String>, name: &str, check: Check, errors: &mut Errors| {
        let value = text(value);
        if !value.is_empty() {
            meta::check(check(value), value, &path.child(name), errors);
        }
    };
    check(
        &spec.service_account_name,
        "serviceAccountName",
        content::dns1123_subdomain,
        errors,
    );
    check(&spec.node_name, "nodeName", content::dns1123_subdomain, errors);
    let most = i64::from(i32::MAX);
    if let Some(seconds) = spec
        .active_deadline_seconds
        .filter(|seconds| !(1..=most).contains(seconds))
    {
        let why = inclusive_range_error(1, most);
        errors.push(FieldError::invalid(
            &path.child("activeDeadlineSeconds"),
            seconds,
            why,
        ));
    }
    check(&spec.hostname, "hostname", content::dns1123_label, errors);
    check(&spec.subdomain, "subdomain", content::dns1123_label, errors);
    if let Some(tolerations) = &spec.tolerations {
        affinity::tolerations(tolerations, &path.child("tolerations"), errors);
    }
    let aliases = path.child("hostAliases");
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let path = &aliases.index(i);
        network::ip(&alias.ip, &path.child("ip"), errors);
        let hostnames = path.child("hostnames");
        for (j, hostname) in alias.hostnames.iter().flatten().enumerate() {
            meta::check(
                content::dns1123_subdomain(hostname),
                hostname,
                &hostnames.index(j),
                errors,
            );
        }
    }
    check(
        &spec.priority_class_name,
        "priorityClassName",
        content::dns1123_subdomain,
        errors,
    );
    check(
        &spec.runtime_class_name,
        "runtimeClassName",
        content::dns1123_subdomain,
        errors,
    );
    match spec.preemption_policy.as_deref() {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => errors.push(FieldError::required(&path.child("preemptionPolicy"), "")),
        Some(other) => {
            let supported = &["PreemptLowerPriority", "Never"];
            errors.push(FieldError::not_supported(
                &path.child("preemptionPolicy"),
                other,
                supported,
            ));
        }
    }
}
