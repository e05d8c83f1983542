//! The core group besides Pods and volumes.
//!
//! Source: kubernetes/pkg/apis/core/v1/defaults.go and conversion.go.

use super::quantities::canonical_list;
use super::{always, missing, text};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    ClientIPConfig, Endpoints, Event, LimitRange, Namespace, Node, ResourceQuota, Secret, Service,
    ServicePort, SessionAffinityConfig,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;

/// The label that names a Namespace, so that selectors can.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

pub(super) fn namespace(namespace: &mut Namespace) {
    if let Some(name) = namespace.metadata.name.as_ref().filter(|name| !name.is_empty()) {
        let labels = namespace.metadata.labels.get_or_insert_with(BTreeMap::new);
        if labels.get(NAME_LABEL) != Some(name) {
            labels.insert(NAME_LABEL.to_owned(), name.clone());
        }
    }
    always(&mut namespace.spec);
    text(&mut always(&mut namespace.status).phase, "Active");
}

pub(super) fn node(node: &mut Node) {
    let spec = always(&mut node.spec);
    let named = |cidr: &Option<String>| cidr.as_ref().is_some_and(|cidr| !cidr.is_empty());
    if named(&spec.pod_cidr) {
        let first = spec.pod_cidrs.as_ref().and_then(|cidrs| cidrs.first());
        if first != spec.pod_cidr.as_ref() {
            spec.pod_cidrs = spec.pod_cidr.clone().map(|cidr| vec![cidr]);
        }
    } else if let Some(first) = spec.pod_cidrs.as_ref().and_then(|cidrs| cidrs.first()) {
        spec.pod_cidr = Some(first.clone());
    }
    let status = always(&mut node.status);
    always(&mut always(&mut status.daemon_endpoints).kubelet_endpoint);
    always(&mut status.node_info);
    for list in [&mut status.capacity, &mut status.allocatable]
        .into_iter()
        .flatten()
    {
        canonical_list(list);
    }
    if status.allocatable.is_none() {
        status.allocatable = status.capacity.clone();
    }
}

pub(super) fn service(service: &mut Service) {
    let spec = always(&mut service.spec);
    text(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => {
            let config = spec.session_affinity_config.as_ref();
            if config
                .and_then(|c| c.client_ip.as_ref())
                .and_then(|c| c.timeout_seconds)
                .is_none()
            {
                let three_hours = ClientIPConfig {
                    timeout_seconds: Some(10_800),
                };
                spec.session_affinity_config = Some(SessionAffinityConfig {
                    client_ip: Some(three_hours),
                });
            }
        }
        _ => {}
    }
    text(&mut spec.type_, "ClusterIP");
    spec.ports.iter_mut().flatten().for_each(service_port);
    let kind = spec.type_.as_deref().unwrap_or("");
    let balanced = kind == "LoadBalancer";
    let external = balanced
        || kind == "NodePort"
        || (kind == "ClusterIP" && spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty()));
    let in_cluster = balanced || matches!(kind, "NodePort" | "ClusterIP");
    if external {
        text(&mut spec.external_traffic_policy, "Cluster");
    }
    if in_cluster {
        missing(&mut spec.internal_traffic_policy, "Cluster".to_owned());
    }
    if balanced {
        missing(&mut spec.allocate_load_balancer_node_ports, true);
    }
    let status = always(&mut service.status);
    let balancer = always(&mut status.load_balancer);
    if balanced {
        for ingress in balancer.ingress.iter_mut().flatten() {
            if ingress.ip.as_ref().is_some_and(|ip| !ip.is_empty()) {
                missing(&mut ingress.ip_mode, "VIP".to_owned());
            }
        }
    }
}

fn service_port(port: &mut ServicePort) {
    text(&mut port.protocol, "TCP");
    let unset = match &port.target_port {
        None | Some(IntOrString::Int(0)) => true,
        Some(IntOrString::Int(_)) => false,
        Some(IntOrString::String(name)) => name.is_empty(),
    };
    if unset {
        port.target_port = Some(IntOrString::Int(port.port));
    }
    if port.node_port == Some(0) {
        port.node_port = None;
    }
}

pub(super) fn endpoints(endpoints: &mut Endpoints) {
    for port in endpoints
        .subsets
        .iter_mut()
        .flatten()
        .flat_map(|subset| subset.ports.iter_mut().flatten())
    {
        text(&mut port.protocol, "TCP");
    }
}

pub(super) fn secret(secret: &mut Secret) {
    text(&mut secret.type_, "Opaque");
    if let Some(texts) = secret.string_data.take() {
        if !texts.is_empty() {
            let data = secret.data.get_or_insert_with(BTreeMap::new);
            data.extend(
                texts
                    .into_iter()
                    .map(|(key, value)| (key, ByteString(value.into_bytes()))),
            );
        }
    }
}

/// These are written even when they are empty.
pub(super) fn event(event: &mut Event) {
    missing(&mut event.reporting_component, String::new());
    missing(&mut event.reporting_instance, String::new());
    always(&mut event.source);
}

pub(super) fn limit_range(range: &mut LimitRange) {
    for item in &mut always(&mut range.spec).limits {
        let lists = [
            &mut item.max,
            &mut item.min,
            &mut item.default,
            &mut item.default_request,
            &mut item.max_limit_request_ratio,
        ];
        lists.into_iter().flatten().for_each(canonical_list);
        if item.type_ != "Container" {
            continue;
        }
        let mut default = item.default.take().unwrap_or_default();
        let mut request = item.default_request.take().unwrap_or_default();
        for (name, amount) in item.max.iter().flatten() {
            default.entry(name.clone()).or_insert_with(|| amount.clone());
        }
        for (name, amount) in default.iter().chain(item.min.iter().flatten()) {
            request.entry(name.clone()).or_insert_with(|| amount.clone());
        }
        item.default = Some(default).filter(|list| !list.is_empty());
        item.default_request = Some(request).filter(|list| !list.is_empty());
    }
}

pub(super) fn resource_quota(quota: &mut ResourceQuota) {
    if let Some(hard) = &mut always(&mut quota.spec).hard {
        canonical_list(hard);
    }
    let status = always(&mut quota.status);
    for list in [&mut status.hard, &mut status.used].into_iter().flatten() {
        canonical_list(list);
    }
}
