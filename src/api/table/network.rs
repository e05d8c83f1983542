//! Rows of Services and of what is about them.

use super::{row, some_of};
use crate::api::labels::{format_label_selector, format_labels};
use crate::api::sorted::SortedSet;
use k8s_openapi::api::core::v1::{Endpoints, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, NetworkPolicy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

const MAX_SHOWN: usize = 3;

fn name(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or("")
}

pub fn service(service: &Service, age: String) -> Vec<Value> {
    let spec = service.spec.clone().unwrap_or_default();
    let ip = spec
        .cluster_ips
        .as_ref()
        .and_then(|ips| ips.first())
        .map_or("<none>", String::as_str);
    let ports = spec.ports.as_deref().unwrap_or(&[]);
    let ports = if ports.is_empty() {
        "<none>".to_owned()
    } else {
        ports.iter().map(service_port).collect::<Vec<_>>().join(",")
    };
    row![
        name(&service.metadata),
        spec.type_.as_deref().unwrap_or(""),
        ip,
        external_ip(service),
        ports,
        age,
        format_labels(spec.selector.as_ref()),
    ]
}

fn service_port(port: &ServicePort) -> String {
    let protocol = port.protocol.as_deref().unwrap_or("");
    match port.node_port.unwrap_or(0) {
        0 => format!("{}/{protocol}", port.port),
        node_port => format!("{}:{node_port}/{protocol}", port.port),
    }
}

fn external_ip(service: &Service) -> String {
    let Some(spec) = &service.spec else {
        return "<unknown>".to_owned();
    };
    let external = spec.external_ips.as_deref().unwrap_or(&[]);
    match spec.type_.as_deref().unwrap_or("") {
        "ClusterIP" | "NodePort" if external.is_empty() => "<none>".to_owned(),
        "ClusterIP" | "NodePort" => external.join(","),
        "LoadBalancer" => {
            let balancer = service
                .status
                .as_ref()
                .and_then(|status| status.load_balancer.as_ref());
            let points = balancer
                .and_then(|balancer| balancer.ingress.as_deref())
                .unwrap_or(&[]);
            let points = addresses(
                points
                    .iter()
                    .map(|point| (point.ip.as_deref(), point.hostname.as_deref())),
            );
            let all: Vec<&str> = points
                .into_iter()
                .chain(external.iter().map(String::as_str))
                .collect();
            if all.is_empty() {
                "<pending>".to_owned()
            } else {
                all.join(",")
            }
        }
        "ExternalName" => spec.external_name.clone().unwrap_or_default(),
        _ => "<unknown>".to_owned(),
    }
}

/// Where a load balancer can be reached, sorted.
fn addresses<'a>(points: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> SortedSet<&'a str> {
    let filled = |text: Option<&'a str>| text.filter(|text| !text.is_empty());
    points
        .filter_map(|(ip, name)| filled(ip).or(filled(name)))
        .collect()
}

pub fn endpoints(endpoints: &Endpoints) -> String {
    let subsets = endpoints.subsets.as_deref().unwrap_or(&[]);
    if subsets.is_empty() {
        return "<none>".to_owned();
    }
    let mut shown = Vec::new();
    let mut all = 0;
    for subset in subsets {
        let addresses = subset.addresses.as_deref().unwrap_or(&[]);
        let ports = subset.ports.as_deref().unwrap_or(&[]);
        let ports: Vec<Option<i32>> = if ports.is_empty() {
            vec![None]
        } else {
            ports.iter().map(|port| Some(port.port)).collect()
        };
        for port in ports {
            all += addresses.len();
            for address in addresses.iter().take(MAX_SHOWN - shown.len()) {
                shown.push(match port {
                    None => address.ip.clone(),
                    Some(port) if address.ip.contains(':') => format!("[{}]:{port}", address.ip),
                    Some(port) => format!("{}:{port}", address.ip),
                });
            }
        }
    }
    some_of(&shown, all, MAX_SHOWN)
}

pub fn endpoint_slice(slice: &EndpointSlice, age: String) -> Vec<Value> {
    let ports = slice
        .ports
        .iter()
        .flatten()
        .map(|port| match (port.port, &port.name) {
            (Some(number), _) => number.to_string(),
            (None, Some(name)) => name.clone(),
            (None, None) => "*".to_owned(),
        });
    let addresses = slice
        .endpoints
        .iter()
        .flatten()
        .flat_map(|endpoint| endpoint.addresses.iter().cloned());
    row![
        name(&slice.metadata),
        slice.address_type.as_str(),
        first_few(ports),
        first_few(addresses),
        age
    ]
}

fn first_few(items: impl Iterator<Item = String>) -> String {
    let mut shown = Vec::new();
    let mut all = 0;
    for item in items {
        all += 1;
        if shown.len() < MAX_SHOWN {
            shown.push(item);
        }
    }
    let text = some_of(&shown, all, MAX_SHOWN);
    if text.is_empty() {
        "<unset>".to_owned()
    } else {
        text
    }
}

pub fn ingress(ingress: &Ingress, age: String) -> Vec<Value> {
    let spec = ingress.spec.clone().unwrap_or_default();
    let balancer = ingress
        .status
        .as_ref()
        .and_then(|status| status.load_balancer.as_ref());
    let points = balancer
        .and_then(|balancer| balancer.ingress.as_deref())
        .unwrap_or(&[]);
    let points = addresses(
        points
            .iter()
            .map(|point| (point.ip.as_deref(), point.hostname.as_deref())),
    );
    let secure = spec.tls.as_ref().is_some_and(|tls| !tls.is_empty());
    let rules = spec.rules.as_deref().unwrap_or(&[]);
    let named = rules
        .iter()
        .filter_map(|rule| rule.host.clone())
        .filter(|host| !host.is_empty());
    let named: Vec<String> = named.collect();
    let hosts = if named.is_empty() {
        "*".to_owned()
    } else if named.len() > MAX_SHOWN || (named.len() == MAX_SHOWN && ends_unnamed(rules)) {
        format!(
            "{} + {} more...",
            named[..MAX_SHOWN].join(","),
            rules.len() - MAX_SHOWN
        )
    } else {
        named.join(",")
    };
    row![
        name(&ingress.metadata),
        spec.ingress_class_name.as_deref().unwrap_or("<none>"),
        hosts,
        points.into_iter().collect::<Vec<_>>().join(","),
        if secure { "80, 443" } else { "80" },
        age,
    ]
}

/// Rules without a host after the last one shown are counted as more.
fn ends_unnamed(rules: &[k8s_openapi::api::networking::v1::IngressRule]) -> bool {
    rules
        .last()
        .is_some_and(|rule| rule.host.as_deref().unwrap_or("").is_empty())
}

pub fn ingress_class(class: &IngressClass, age: String) -> Vec<Value> {
    let spec = class.spec.as_ref();
    let parameters = spec.and_then(|spec| spec.parameters.as_ref()).map(|parameters| {
        let group = parameters
            .api_group
            .as_ref()
            .map(|group| format!(".{group}"))
            .unwrap_or_default();
        format!("{}{group}/{}", parameters.kind, parameters.name)
    });
    row![
        name(&class.metadata),
        spec.and_then(|spec| spec.controller.as_deref()).unwrap_or(""),
        parameters.unwrap_or_else(|| "<none>".to_owned()),
        age,
    ]
}

pub fn network_policy(policy: &NetworkPolicy, age: String) -> Vec<Value> {
    let selector = policy.spec.as_ref().and_then(|spec| spec.pod_selector.as_ref());
    row![name(&policy.metadata), format_label_selector(selector), age]
}
