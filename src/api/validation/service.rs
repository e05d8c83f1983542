//! Services.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go, pkg/apis/discovery/validation.

use super::content;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::{network, text};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub const SPEC: Path = Path::root("spec");

pub fn list<T>(list: &Option<Vec<T>>) -> &[T] {
    list.as_deref().unwrap_or(&[])
}

/// The addresses of a Service; one written in the old field counts.
pub fn cluster_ips(spec: &ServiceSpec) -> Vec<&str> {
    let ips: Vec<&str> = list(&spec.cluster_ips).iter().map(String::as_str).collect();
    match text(&spec.cluster_ip) {
        ip if ips.is_empty() && !ip.is_empty() => vec![ip],
        _ => ips,
    }
}

pub fn is_headless(spec: &ServiceSpec) -> bool {
    cluster_ips(spec) == ["None"]
}

pub fn is_external_name(spec: &ServiceSpec) -> bool {
    text(&spec.type_) == "ExternalName"
}

pub fn is_balanced(spec: &ServiceSpec) -> bool {
    text(&spec.type_) == "LoadBalancer"
}

pub fn service(service: &Service, errors: &mut Errors) {
    let Some(spec) = &service.spec else { return };
    let kind = text(&spec.type_);
    let ports = list(&spec.ports);
    let headless = is_headless(spec);
    if ports.is_empty() && !headless && !is_external_name(spec) {
        errors.push(FieldError::required(&SPEC.child("ports"), ""));
    }
    let ips_path = &SPEC.child("clusterIPs");
    match kind {
        "LoadBalancer" | "NodePort" if headless => {
            let why = format!("may not be set to 'None' for {kind} services");
            errors.push(FieldError::invalid(&ips_path.index(0), "None", why));
        }
        "ExternalName" => external_name(spec, errors),
        _ => {}
    }
    let ports_path = &SPEC.child("ports");
    for (i, port) in ports.iter().enumerate() {
        service_port(port, &ports[..i], ports.len() > 1, &ports_path.index(i), errors);
    }
    if let Some(selector) = &spec.selector {
        meta::labels(selector, &SPEC.child("selector"), errors);
    }
    session_affinity(spec, errors);
    address_fields(spec, errors);
    let external = &SPEC.child("externalIPs");
    for (i, ip) in list(&spec.external_ips).iter().enumerate() {
        let path = &external.index(i);
        if network::ip(ip, path, errors) {
            network::non_special_ip(ip, path, errors);
        }
    }
    match kind {
        "" => errors.push(FieldError::required(&SPEC.child("type"), "")),
        "ClusterIP" | "ExternalName" | "LoadBalancer" | "NodePort" => {}
        other => {
            let supported = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
            errors.push(FieldError::not_supported(&SPEC.child("type"), other, supported));
        }
    }
    port_collisions(spec, ports_path, errors);
    source_ranges(service, spec, errors);
    if spec.allocate_load_balancer_node_ports.is_some() && !is_balanced(spec) {
        let why = "may only be used when `type` is 'LoadBalancer'";
        errors.push(FieldError::forbidden(
            &SPEC.child("allocateLoadBalancerNodePorts"),
            why,
        ));
    }
    if spec.allocate_load_balancer_node_ports.is_none() && is_balanced(spec) {
        errors.push(FieldError::required(
            &Path::root("allocateLoadBalancerNodePorts"),
            "",
        ));
    }
    match spec.load_balancer_class.as_deref() {
        Some(class) if is_balanced(spec) => meta::label_name(class, &SPEC.child("loadBalancerClass"), errors),
        Some(_) => {
            let why = "may only be used when `type` is 'LoadBalancer'";
            errors.push(FieldError::forbidden(&SPEC.child("loadBalancerClass"), why));
        }
        None => {}
    }
    traffic_policies(spec, errors);
}

fn external_name(spec: &ServiceSpec, errors: &mut Errors) {
    let why = "may not be set for ExternalName services";
    for (name, set) in [
        ("clusterIPs", !cluster_ips(spec).is_empty()),
        ("ipFamilies", !list(&spec.ip_families).is_empty()),
        ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
    ] {
        if set {
            errors.push(FieldError::forbidden(&SPEC.child(name), why));
        }
    }
    let name = text(&spec.external_name);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        errors.push(FieldError::required(&SPEC.child("externalName"), ""));
    } else {
        meta::check(
            content::dns1123_subdomain(name),
            name,
            &SPEC.child("externalName"),
            errors,
        );
    }
}

fn service_port(port: &ServicePort, before: &[ServicePort], named: bool, path: &Path, errors: &mut Errors) {
    let name = text(&port.name);
    if named && name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), ""));
    } else if !name.is_empty() {
        meta::check(content::dns1123_label(name), name, &path.child("name"), errors);
        if before.iter().any(|other| text(&other.name) == name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
    }
    network::port_number(port.port, &path.child("port"), errors);
    network::protocol(text(&port.protocol), &path.child("protocol"), errors);
    let target = port.target_port.clone().unwrap_or(IntOrString::Int(0));
    network::port_number_or_name(&target, &path.child("targetPort"), errors);
    if let Some(protocol) = &port.app_protocol {
        meta::label_name(protocol, &path.child("appProtocol"), errors);
    }
}

fn session_affinity(spec: &ServiceSpec, errors: &mut Errors) {
    let path = &SPEC.child("sessionAffinityConfig");
    match text(&spec.session_affinity) {
        "" => errors.push(FieldError::required(&SPEC.child("sessionAffinity"), "")),
        "None" => {
            if spec.session_affinity_config.is_some() {
                errors.push(FieldError::forbidden(
                    path,
                    "must not be set when session affinity is None",
                ));
            }
        }
        "ClientIP" => {
            let why = "when session affinity type is ClientIP";
            let client_path = &path.child("clientIP");
            match spec
                .session_affinity_config
                .as_ref()
                .map(|config| config.client_ip.as_ref())
            {
                None => errors.push(FieldError::required(path, why)),
                Some(None) => errors.push(FieldError::required(client_path, why)),
                Some(Some(client)) => match client.timeout_seconds {
                    None => errors.push(FieldError::required(&client_path.child("timeoutSeconds"), why)),
                    Some(seconds) if !(1..=86_400).contains(&seconds) => {
                        let why = "must be greater than 0 and less than 86400";
                        errors.push(FieldError::invalid(
                            &client_path.child("timeoutSeconds"),
                            seconds,
                            why,
                        ));
                    }
                    Some(_) => {}
                },
            }
        }
        other => {
            let path = &SPEC.child("sessionAffinity");
            errors.push(FieldError::not_supported(path, other, &["ClientIP", "None"]));
        }
    }
}

/// clusterIP, clusterIPs and the address families.
fn address_fields(spec: &ServiceSpec, errors: &mut Errors) {
    if is_external_name(spec) {
        return;
    }
    let ips = cluster_ips(spec);
    let path = &SPEC.child("clusterIPs");
    let first = text(&spec.cluster_ip);
    if first.is_empty() && !ips.is_empty() {
        errors.push(FieldError::invalid(
            path,
            Json(&ips),
            "must be empty when `clusterIP` is not specified",
        ));
    } else if !first.is_empty() && ips[0] != first {
        errors.push(FieldError::invalid(
            path,
            Json(&ips),
            "first value must match `clusterIP`",
        ));
    }
    let families = list(&spec.ip_families);
    let families_path = SPEC.child("ipFamilies");
    for (i, family) in families.iter().enumerate() {
        if !matches!(family.as_str(), "IPv4" | "IPv6") {
            errors.push(FieldError::not_supported(
                &families_path.index(i),
                family,
                &["IPv4", "IPv6"],
            ));
        }
        if families[..i].contains(family) {
            errors.push(FieldError::duplicate(&families_path.index(i), family));
        }
    }
    let policies = &["PreferDualStack", "RequireDualStack", "SingleStack"];
    if let Some(policy) = spec
        .ip_family_policy
        .as_deref()
        .filter(|policy| !policies.contains(policy))
    {
        errors.push(FieldError::not_supported(
            &SPEC.child("ipFamilyPolicy"),
            policy,
            policies,
        ));
    }
    let mut wrong = false;
    for (i, ip) in ips.iter().enumerate() {
        if i == 0 && *ip == "None" {
            if ips.len() > 1 {
                wrong = true;
                errors.push(FieldError::invalid(
                    path,
                    Json(&ips),
                    "'None' must be the first and only value",
                ));
            }
            continue;
        }
        wrong |= !network::ip(ip, &path.index(i), errors);
    }
    if ips.len() > 2 {
        errors.push(FieldError::invalid(
            path,
            Json(&ips),
            "may only hold up to 2 values",
        ));
    }
    if wrong {
        return;
    }
    if ips.len() > 1 && !network::is_dual_stack(ips.iter().copied()) {
        let why = "may specify no more than one IP for each IP family";
        errors.push(FieldError::invalid(path, Json(&ips), why));
    }
    if is_headless(spec) {
        return;
    }
    for (i, (ip, family)) in ips.iter().zip(families).enumerate() {
        let is_v6 = ip.contains(':');
        if (family == "IPv4" && is_v6) || (family == "IPv6" && !is_v6) {
            let why = format!("expected an {family} value as indicated by `ipFamilies[{i}]`");
            errors.push(FieldError::invalid(&path.index(i), *ip, why));
        }
    }
}

fn port_collisions(spec: &ServiceSpec, path: &Path, errors: &mut Errors) {
    let ports = list(&spec.ports);
    let node_port = |port: &ServicePort| port.node_port.unwrap_or(0);
    if text(&spec.type_) == "ClusterIP" {
        for (i, _) in ports.iter().enumerate().filter(|(_, port)| node_port(port) != 0) {
            let why = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(&path.index(i).child("nodePort"), why));
        }
    }
    for (i, port) in ports.iter().enumerate().filter(|(_, port)| node_port(port) != 0) {
        let same =
            |other: &ServicePort| node_port(other) == node_port(port) && other.protocol == port.protocol;
        if ports[..i].iter().any(same) {
            errors.push(FieldError::duplicate(
                &path.index(i).child("nodePort"),
                node_port(port),
            ));
        }
    }
    for (i, port) in ports.iter().enumerate() {
        if ports[..i]
            .iter()
            .any(|other| other.port == port.port && other.protocol == port.protocol)
        {
            // Upstream prints the internal structure with only these two set.
            let key = format!(
                "{{\"Name\":\"\",\"Protocol\":\"{}\",\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                text(&port.protocol),
                port.port
            );
            errors.push(FieldError::duplicate(&path.index(i), super::field::Raw(key)));
        }
    }
}

fn source_ranges(service: &Service, spec: &ServiceSpec, errors: &mut Errors) {
    const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let why = "may only be used when `type` is 'LoadBalancer'";
    let ranges = list(&spec.load_balancer_source_ranges);
    if !ranges.is_empty() {
        let path = &SPEC.child("LoadBalancerSourceRanges");
        if !is_balanced(spec) {
            errors.push(FieldError::forbidden(path, why));
        }
        for (i, range) in ranges.iter().enumerate() {
            network::cidr(range.trim(), &path.index(i), errors);
        }
    } else if let Some(value) = service
        .metadata
        .annotations
        .as_ref()
        .and_then(|a| a.get(ANNOTATION))
    {
        let metadata = Path::root("metadata");
        let annotations = metadata.child("annotations");
        let path = &annotations.key(ANNOTATION);
        if !is_balanced(spec) {
            errors.push(FieldError::forbidden(path, why));
        }
        for range in value.trim().split(',').filter(|_| !value.trim().is_empty()) {
            network::cidr(range.trim(), path, errors);
        }
    }
}

fn is_external(spec: &ServiceSpec) -> bool {
    is_balanced(spec)
        || text(&spec.type_) == "NodePort"
        || (text(&spec.type_) == "ClusterIP" && !list(&spec.external_ips).is_empty())
}

pub fn needs_health_check(spec: &ServiceSpec) -> bool {
    is_balanced(spec) && text(&spec.external_traffic_policy) == "Local"
}

fn traffic_policies(spec: &ServiceSpec, errors: &mut Errors) {
    let path = &SPEC.child("externalTrafficPolicy");
    let policy = text(&spec.external_traffic_policy);
    match (is_external(spec), policy) {
        (false, "") | (true, "Cluster" | "Local") => {}
        (false, _) => {
            let why = "may only be set for externally-accessible services";
            errors.push(FieldError::invalid(path, policy, why));
        }
        (true, "") => errors.push(FieldError::required(path, "")),
        (true, _) => errors.push(FieldError::not_supported(path, policy, &["Cluster", "Local"])),
    }
    let path = &SPEC.child("healthCheckNodePort");
    let port = spec.health_check_node_port.unwrap_or(0);
    // A missing port is given out by the allocator after validation.
    if !needs_health_check(spec) && port != 0 {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.push(FieldError::invalid(path, port, why));
    } else if port != 0 {
        network::port_number(port, path, errors);
    }
    let path = &SPEC.child("internalTrafficPolicy");
    match spec.internal_traffic_policy.as_deref() {
        None => {
            if matches!(text(&spec.type_), "NodePort" | "LoadBalancer" | "ClusterIP") {
                errors.push(FieldError::required(path, ""));
            }
        }
        Some("Cluster" | "Local") => {}
        Some(other) => errors.push(FieldError::not_supported(path, other, &["Cluster", "Local"])),
    }
    if let Some(distribution) = spec.traffic_distribution.as_deref() {
        let supported = &["PreferClose", "PreferSameNode", "PreferSameZone"];
        if !supported.contains(&distribution) {
            let path = &SPEC.child("trafficDistribution");
            errors.push(FieldError::not_supported(path, distribution, supported));
        }
    }
}
