//! Pods, and the Pod specs inside templates.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::container::{self, Surroundings};
use super::content;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::pod_names::{dns_config, gates, host_network_ports, names};
use super::resources::{self, Scope};
use super::{affinity, security, text, volume};
use crate::api::quantity::Quantity;
use crate::api::sorted::SortedMap;
use k8s_openapi::api::core::v1::{Container, EphemeralContainer, Pod, PodSpec, PodTemplateSpec};
use std::collections::BTreeMap;

/// What a Pod that is being created must be besides its metadata.
pub fn create(pod: &Pod, errors: &mut Errors) {
    let path = &Path::root("spec");
    full(pod, errors);
    let Some(spec) = &pod.spec else { return };
    if spec
        .ephemeral_containers
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        errors.push(FieldError::forbidden(
            &path.child("ephemeralContainers"),
            "cannot be set on create",
        ));
    }
    if !text(&spec.node_name).is_empty()
        && spec
            .scheduling_gates
            .as_ref()
            .is_some_and(|gates| !gates.is_empty())
    {
        let why = "cannot be set until all schedulingGates have been cleared";
        errors.push(FieldError::forbidden(&path.child("nodeName"), why));
    }
}

/// Annotations and spec, as they must be after every change.
pub fn full(pod: &Pod, errors: &mut Errors) {
    let path = &Path::root("spec");
    let meta = &pod.metadata;
    let default = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&default);
    if let Some(annotations) = &meta.annotations {
        let metadata = Path::root("metadata");
        self::annotations(annotations, spec, &metadata.child("annotations"), errors);
    }
    pod_spec(spec, Some(meta.name.as_deref().unwrap_or("")), path, errors);
    if text(&spec.service_account_name).is_empty() {
        let volumes = path.child("volumes");
        for (i, volume) in spec.volumes.iter().flatten().enumerate() {
            let Some(projected) = &volume.projected else {
                continue;
            };
            let volume_path = volumes.index(i);
            let projected_path = volume_path.child("projected");
            let sources = projected_path.child("sources");
            for (j, source) in projected.sources.iter().flatten().enumerate() {
                if source.service_account_token.is_some() {
                    let why = "must not be specified when serviceAccountName is not set";
                    errors.push(FieldError::forbidden(
                        &sources.index(j).child("serviceAccountToken"),
                        why,
                    ));
                }
            }
        }
    }
    container::only_for_pods(&spec.containers, &path.child("containers"), errors);
    if let Some(containers) = &spec.init_containers {
        container::only_for_pods(containers, &path.child("initContainers"), errors);
    }
}

/// Annotations that mean something to Pods.
pub fn annotations(annotations: &BTreeMap<String, String>, spec: &PodSpec, path: &Path, errors: &mut Errors) {
    const MIRROR: &str = "kubernetes.io/config.mirror";
    const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    if let Some(value) = annotations
        .get(MIRROR)
        .filter(|_| text(&spec.node_name).is_empty())
    {
        let why = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(FieldError::invalid(&path.key(MIRROR), value, why));
    }
    if let Some(value) = annotations.get(DELETION_COST) {
        // As upstream reads it: no leading plus and no leading zeros.
        let plain = value == "0" || !value.trim_start_matches('-').starts_with(['0', '+']);
        if value.parse::<i32>().is_err() || !plain || value.starts_with('+') {
            errors.push(FieldError::invalid(
                &path.key(DELETION_COST),
                value,
                "must be a 32bit integer",
            ));
        }
    }
}

/// The template of a workload; `path` is the template's.
pub fn template(template: &PodTemplateSpec, path: &Path, errors: &mut Errors) {
    let default = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&default);
    if let Some(metadata) = &template.metadata {
        if let Some(labels) = &metadata.labels {
            meta::labels(labels, &path.child("labels"), errors);
        }
        if let Some(annotations) = &metadata.annotations {
            meta::annotations(annotations, &path.child("annotations"), errors);
            self::annotations(annotations, spec, &path.child("annotations"), errors);
        }
    }
    let spec_path = &path.child("spec");
    pod_spec(spec, None, spec_path, errors);
    if spec
        .ephemeral_containers
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        let why = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(
            &spec_path.child("ephemeralContainers"),
            why,
        ));
    }
}

/// A Pod spec. `pod_name` is that of a real Pod, none in templates.
fn pod_spec(spec: &PodSpec, pod_name: Option<&str>, path: &Path, errors: &mut Errors) {
    if spec.termination_grace_period_seconds.is_none() {
        errors.push(FieldError::required(
            &path.child("terminationGracePeriodSeconds"),
            "",
        ));
    }
    let volumes = spec.volumes.as_deref().unwrap_or(&[]);
    let named = pod_name.filter(|name| !name.is_empty());
    let usable_volumes = volume::volumes(volumes, named, &path.child("volumes"), errors);
    let claims = resource_claims(spec, &path.child("resourceClaims"), errors);
    let restart_policy = text(&spec.restart_policy);
    let around = &Surroundings {
        volumes,
        usable_volumes: &usable_volumes,
        claims: &claims,
        grace_period: spec.termination_grace_period_seconds,
        restart_policy,
        host_users: spec.host_users != Some(false),
    };
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    container::containers(&spec.containers, around, &path.child("containers"), errors);
    container::init_containers(
        init,
        &spec.containers,
        around,
        &path.child("initContainers"),
        errors,
    );
    if let Some(containers) = &spec.ephemeral_containers {
        ephemeral_containers(containers, spec, &path.child("ephemeralContainers"), errors);
    }
    pod_resources(spec, &claims, &path.child("resources"), errors);
    host_network_ports(spec, pod_name.is_some(), path, errors);
    match restart_policy {
        "Always" | "OnFailure" | "Never" => {}
        "" => errors.push(FieldError::required(&path.child("restartPolicy"), "")),
        other => {
            let supported = &["Always", "OnFailure", "Never"];
            errors.push(FieldError::not_supported(
                &path.child("restartPolicy"),
                other,
                supported,
            ));
        }
    }
    match text(&spec.dns_policy) {
        "ClusterFirstWithHostNet" | "ClusterFirst" | "Default" | "None" => {}
        "" => errors.push(FieldError::required(&path.child("dnsPolicy"), "")),
        other => {
            let supported = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
            errors.push(FieldError::not_supported(
                &path.child("dnsPolicy"),
                other,
                supported,
            ));
        }
    }
    if let Some(selector) = &spec.node_selector {
        meta::labels(selector, &path.child("nodeSelector"), errors);
    }
    if let Some(context) = &spec.security_context {
        security::pod_context(context, spec, &path.child("securityContext"), errors);
    }
    if let Some(affinity) = &spec.affinity {
        affinity::affinity(affinity, &path.child("affinity"), errors);
    }
    dns_config(spec, &path.child("dnsConfig"), errors);
    gates(spec, path, errors);
    if let Some(constraints) = &spec.topology_spread_constraints {
        affinity::topology_spread(constraints, &path.child("topologySpreadConstraints"), errors);
    }
    security::host_users(spec, path, errors);
    names(spec, path, errors);
    if let Some(overhead) = &spec.overhead {
        let limits = k8s_openapi::api::core::v1::ResourceRequirements {
            limits: Some(overhead.clone()),
            ..Default::default()
        };
        resources::requirements(&limits, Scope::Container, &[], &path.child("overhead"), errors);
    }
    security::operating_system(spec, path, errors);
}

#[inline(never)]
fn resource_claims<'a>(spec: &'a PodSpec, path: &Path, errors: &mut Errors) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (i, claim) in spec.resource_claims.iter().flatten().enumerate() {
        let path = &path.index(i);
        let name = claim.name.as_str();
        if name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else if names.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        } else {
            meta::check(content::dns1123_label(name), name, &path.child("name"), errors);
            names.push(name);
        }
        let internal = || {
            let (direct, template) = (&claim.resource_claim_name, &claim.resource_claim_template_name);
            Json(
                serde_json::json!({"Name": name, "ResourceClaimName": direct, "ResourceClaimTemplateName": template}),
            )
        };
        match (&claim.resource_claim_name, &claim.resource_claim_template_name) {
            (Some(_), Some(_)) => {
                let why =
                    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                errors.push(FieldError::invalid(path, internal(), why));
            }
            (None, None) => {
                let why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
                errors.push(FieldError::invalid(path, internal(), why));
            }
            _ => {}
        }
    }
    names
}

#[inline(never)]
fn ephemeral_containers(containers: &[EphemeralContainer], spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let others = || {
        spec.containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
    };
    for (i, container) in containers.iter().enumerate() {
        let path = &path.index(i);
        let name = container.name.as_str();
        if name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else {
            meta::check(content::dns1123_label(name), name, &path.child("name"), errors);
        }
        if text(&container.image).is_empty() {
            errors.push(FieldError::required(&path.child("image"), ""));
        }
        if others().any(|other| other.name == name) || containers[..i].iter().any(|other| other.name == name)
        {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        let target = text(&container.target_container_name);
        if !target.is_empty() && !others().any(|other| other.name == target) {
            errors.push(FieldError::not_found(&path.child("targetContainerName"), target));
        }
        container::ephemeral_fields(container, path, errors);
    }
}

/// Requests and limits of the whole Pod, and that its containers keep within them.
#[inline(never)]
fn pod_resources(spec: &PodSpec, claims: &[&str], path: &Path, errors: &mut Errors) {
    let Some(own) = &spec.resources else { return };
    if own.claims.is_some() {
        let why = "claims cannot be set for Resources at pod-level";
        errors.push(FieldError::forbidden(&path.child("claims"), why));
    }
    resources::requirements(own, Scope::Pod, claims, path, errors);
    let mut sums: SortedMap<&str, Quantity> = SortedMap::new();
    for container in &spec.containers {
        for (name, amount) in container
            .resources
            .iter()
            .flat_map(|r| r.requests.iter().flatten())
        {
            *sums.entry(name).or_default() += Quantity::of(amount);
        }
    }
    let requests_path = path.child("requests");
    for (name, sum) in sums {
        let requested = own
            .requests
            .as_ref()
            .and_then(|list| list.get(name))
            .map_or(Quantity::ZERO, Quantity::of);
        if sum > requested {
            let why = format!("must be greater than or equal to aggregate container requests of {sum}");
            errors.push(FieldError::invalid(
                &requests_path.key(name),
                &requested.to_string(),
                why,
            ));
        }
    }
    let containers_path = path.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.iter().flat_map(|r| r.limits.iter().flatten());
        for (name, limit) in limits.map(|(name, limit)| (name, Quantity::of(limit))) {
            let whole = own
                .limits
                .as_ref()
                .and_then(|list| list.get(name))
                .map(Quantity::of);
            if let Some(whole) = whole.filter(|whole| limit > *whole) {
                let path = containers_path.index(i);
                let path = path.key(name);
                let why = format!("must be less than or equal to pod limits of {whole}");
                errors.push(FieldError::invalid(
                    &path.child("limits"),
                    &limit.to_string(),
                    why,
                ));
            }
        }
    }
}

/// True for the init containers that keep running beside the others.
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}
