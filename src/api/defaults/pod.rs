//! Pods and the Pod specs inside templates.
//!
//! Source: kubernetes/pkg/apis/core/v1/defaults.go.

use super::quantities::{canonical_list, rounded_list};
use super::{always, missing, number, text, volume};
use crate::api::quantity::Quantity;
use crate::api::sorted::SortedMap;
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, Pod, PodIP, PodSpec,
    PodTemplateSpec, Probe, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use std::collections::BTreeMap;

pub(super) fn pod(pod: &mut Pod) {
    let spec = always(&mut pod.spec);
    pod_spec(spec);
    for container in spec
        .containers
        .iter_mut()
        .chain(spec.init_containers.iter_mut().flatten())
    {
        if let Some(resources) = &mut container.resources {
            requests_from_limits(resources);
        }
    }
    pod_level_resources(spec);
    missing(&mut spec.enable_service_links, true);
    if spec.host_network == Some(true) {
        for container in spec
            .containers
            .iter_mut()
            .chain(spec.init_containers.iter_mut().flatten())
        {
            for port in container.ports.iter_mut().flatten() {
                if port.host_port.unwrap_or(0) == 0 {
                    port.host_port = Some(port.container_port);
                }
            }
        }
    }
    let status = always(&mut pod.status);
    match (&status.pod_ip, &mut status.pod_ips) {
        (Some(ip), ips) if !ip.is_empty() && ips.as_ref().is_none_or(Vec::is_empty) => {
            *ips = Some(vec![PodIP { ip: ip.clone() }]);
        }
        (_, Some(ips)) if !ips.is_empty() => {
            if status.pod_ip.as_ref() != Some(&ips[0].ip) {
                status.pod_ip = Some(ips[0].ip.clone());
            }
        }
        _ => {}
    }
}

/// The defaults of a template: those of a Pod that do not belong to Pods alone.
pub fn pod_template_defaults(template: &mut PodTemplateSpec) {
    always(&mut template.metadata);
    pod_spec(always(&mut template.spec));
}

fn pod_spec(spec: &mut PodSpec) {
    text(&mut spec.dns_policy, "ClusterFirst");
    text(&mut spec.restart_policy, "Always");
    always(&mut spec.security_context);
    missing(&mut spec.termination_grace_period_seconds, 30);
    text(&mut spec.scheduler_name, "default-scheduler");
    // The old name of the field follows the new one, and stands in for it.
    let named = |name: &Option<String>| name.as_ref().is_some_and(|name| !name.is_empty());
    if named(&spec.service_account_name) {
        if spec.service_account != spec.service_account_name {
            spec.service_account = spec.service_account_name.clone();
        }
    } else if named(&spec.service_account) {
        spec.service_account_name = spec.service_account.clone();
    }
    for container in spec
        .containers
        .iter_mut()
        .chain(spec.init_containers.iter_mut().flatten())
    {
        self::container(container);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        ephemeral_container(container);
    }
    for volume in spec.volumes.iter_mut().flatten() {
        volume::volume(volume);
    }
    if let Some(overhead) = &mut spec.overhead {
        rounded_list(overhead);
    }
    if let Some(resources) = &mut spec.resources {
        resource_lists(resources);
    }
}

fn resource_lists(resources: &mut ResourceRequirements) {
    for list in [&mut resources.limits, &mut resources.requests]
        .into_iter()
        .flatten()
    {
        rounded_list(list);
    }
}

fn container(container: &mut Container) {
    image_pull_policy(&mut container.image_pull_policy, container.image.as_deref());
    text(&mut container.termination_message_path, "/dev/termination-log");
    text(&mut container.termination_message_policy, "File");
    resource_lists(always(&mut container.resources));
    common(
        container.ports.as_mut(),
        container.env.as_mut(),
        [
            &mut container.liveness_probe,
            &mut container.readiness_probe,
            &mut container.startup_probe,
        ],
        container.lifecycle.as_mut(),
    );
}

fn ephemeral_container(container: &mut EphemeralContainer) {
    image_pull_policy(&mut container.image_pull_policy, container.image.as_deref());
    text(&mut container.termination_message_path, "/dev/termination-log");
    text(&mut container.termination_message_policy, "File");
    resource_lists(always(&mut container.resources));
    common(
        container.ports.as_mut(),
        container.env.as_mut(),
        [
            &mut container.liveness_probe,
            &mut container.readiness_probe,
            &mut container.startup_probe,
        ],
        container.lifecycle.as_mut(),
    );
}

fn common(
    ports: Option<&mut Vec<ContainerPort>>,
    env: Option<&mut Vec<EnvVar>>,
    probes: [&mut Option<Probe>; 3],
    lifecycle: Option<&mut Lifecycle>,
) {
    for port in ports.into_iter().flatten() {
        text(&mut port.protocol, "TCP");
    }
    for variable in env.into_iter().flatten() {
        if let Some(source) = &mut variable.value_from {
            if let Some(field) = &mut source.field_ref {
                text(&mut field.api_version, "v1");
            }
            if let Some(field) = &mut source.resource_field_ref {
                missing(&mut field.divisor, Text("0".to_owned()));
            }
            if let Some(file) = &mut source.file_key_ref {
                missing(&mut file.optional, false);
            }
        }
    }
    for probe in probes.into_iter().flatten() {
        self::probe(probe);
    }
    if let Some(lifecycle) = lifecycle {
        for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop]
            .into_iter()
            .flatten()
        {
            if let Some(get) = &mut handler.http_get {
                http_get(get);
            }
        }
    }
}

fn probe(probe: &mut Probe) {
    number(&mut probe.timeout_seconds, 1);
    number(&mut probe.period_seconds, 10);
    number(&mut probe.success_threshold, 1);
    number(&mut probe.failure_threshold, 3);
    if let Some(get) = &mut probe.http_get {
        http_get(get);
    }
    if let Some(grpc) = &mut probe.grpc {
        missing(&mut grpc.service, String::new());
    }
}

fn http_get(get: &mut HTTPGetAction) {
    text(&mut get.path, "/");
    text(&mut get.scheme, "HTTP");
}

/// `Always` for images that may change under their name: `:latest` and untagged ones.
pub(super) fn image_pull_policy(policy: &mut Option<String>, image: Option<&str>) {
    if policy.as_ref().is_none_or(String::is_empty) {
        let always = image.is_some_and(is_latest);
        *policy = Some(if always { "Always" } else { "IfNotPresent" }.to_owned());
    }
}

fn is_latest(image: &str) -> bool {
    if image.is_empty() {
        return false;
    }
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => !digest,
    }
}

fn requests_from_limits(resources: &mut ResourceRequirements) {
    let Some(limits) = &resources.limits else { return };
    // Upstream's empty map is not written.
    if limits.is_empty() {
        return;
    }
    let requests = resources.requests.get_or_insert_with(BTreeMap::new);
    for (name, limit) in limits {
        if !requests.contains_key(name) {
            requests.insert(name.clone(), limit.clone());
        }
    }
}

/// Requests and limits of the whole Pod follow its containers' where only some are set.
fn pod_level_resources(spec: &mut PodSpec) {
    let Some(resources) = &spec.resources else { return };
    let is_huge = |name: &str| name.starts_with("hugepages-");
    let supported = |name: &str| matches!(name, "cpu" | "memory") || is_huge(name);
    let mut limits = resources.limits.clone().unwrap_or_default();
    let mut requests = resources.requests.clone().unwrap_or_default();
    if limits.is_empty() && requests.is_empty() {
        return;
    }
    for (name, amount) in aggregate(spec, |resources| resources.limits.as_ref()) {
        if is_huge(&name) && !requests.contains_key(&name) {
            limits.entry(name).or_insert_with(|| amount.into());
        }
    }
    if !limits.is_empty() {
        for (name, amount) in aggregate(spec, |resources| resources.requests.as_ref()) {
            if supported(&name) && !is_huge(&name) {
                requests.entry(name).or_insert_with(|| amount.into());
            }
        }
        for (name, amount) in &limits {
            if supported(name) && !requests.contains_key(name) {
                requests.insert(name.clone(), amount.clone());
            }
        }
    }
    canonical_list(&mut limits);
    canonical_list(&mut requests);
    let resources = always(&mut spec.resources);
    resources.limits = Some(limits)
        .filter(|list| !list.is_empty())
        .or(resources.limits.take());
    resources.requests = Some(requests)
        .filter(|list| !list.is_empty())
        .or(resources.requests.take());
}

/// What all containers need at once: the sum of those that run together, or the largest of the
/// init containers with the sidecars started before it.
fn aggregate(
    spec: &PodSpec,
    list: impl Fn(&ResourceRequirements) -> Option<&BTreeMap<String, Text>>,
) -> SortedMap<String, Quantity> {
    let mut sum: SortedMap<String, Quantity> = SortedMap::new();
    let mut sidecars: SortedMap<String, Quantity> = SortedMap::new();
    let mut largest: SortedMap<String, Quantity> = SortedMap::new();
    let of = |container: &Container| -> Vec<(String, Quantity)> {
        let resources = container.resources.as_ref().and_then(&list);
        resources
            .into_iter()
            .flatten()
            .map(|(name, amount)| (name.clone(), Quantity::of(amount)))
            .collect()
    };
    for container in &spec.containers {
        for (name, amount) in of(container) {
            *sum.entry(name).or_default() += amount;
        }
    }
    for container in spec.init_containers.iter().flatten() {
        let restarts = container.restart_policy.as_deref() == Some("Always");
        for (name, amount) in of(container) {
            if restarts {
                *sum.entry(name.clone()).or_default() += amount;
                *sidecars.entry(name.clone()).or_default() += amount;
            }
            let beside = sidecars.get(&name).copied().unwrap_or_default();
            let need = if restarts { beside } else { amount + beside };
            let entry = largest.entry(name).or_default();
            *entry = (*entry).max(need);
        }
    }
    for (name, amount) in largest {
        let entry = sum.entry(name).or_default();
        *entry = (*entry).max(amount);
    }
    sum
}
