//! NetworkPolicies.
//!
//! Source: kubernetes/pkg/apis/networking/validation/validation.go.

use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::workloads::SPEC;
use super::{content, network};
use k8s_openapi::api::networking::v1::{IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub fn network_policy(policy: &NetworkPolicy, errors: &mut Errors) {
    let Some(spec) = &policy.spec else { return };
    if let Some(selector) = &spec.pod_selector {
        meta::label_selector(selector, &SPEC.child("podSelector"), errors);
    }
    let ingress = SPEC.child("ingress");
    for (i, rule) in spec.ingress.iter().flatten().enumerate() {
        let path = &ingress.index(i);
        traffic(rule.ports.as_deref(), rule.from.as_deref(), "from", path, errors);
    }
    let egress = SPEC.child("egress");
    for (i, rule) in spec.egress.iter().flatten().enumerate() {
        let path = &egress.index(i);
        traffic(rule.ports.as_deref(), rule.to.as_deref(), "to", path, errors);
    }
    let types = spec.policy_types.as_deref().unwrap_or(&[]);
    let path = SPEC.child("policyTypes");
    if types.len() > 2 {
        errors.push(FieldError::invalid(
            &path,
            Json(types),
            "may not specify more than two policyTypes",
        ));
        return;
    }
    for (i, kind) in types.iter().enumerate() {
        if !matches!(kind.as_str(), "Ingress" | "Egress") {
            errors.push(FieldError::not_supported(
                &path.index(i),
                kind,
                &["Ingress", "Egress"],
            ));
        }
    }
}

fn traffic(
    ports: Option<&[NetworkPolicyPort]>,
    peers: Option<&[NetworkPolicyPeer]>,
    peers_field: &str,
    path: &Path,
    errors: &mut Errors,
) {
    let ports_path = path.child("ports");
    for (i, port) in ports.unwrap_or(&[]).iter().enumerate() {
        policy_port(port, &ports_path.index(i), errors);
    }
    let peers_path = path.child(peers_field);
    for (i, peer) in peers.unwrap_or(&[]).iter().enumerate() {
        policy_peer(peer, &peers_path.index(i), errors);
    }
}

fn policy_port(port: &NetworkPolicyPort, path: &Path, errors: &mut Errors) {
    if let Some(protocol) = port
        .protocol
        .as_deref()
        .filter(|protocol| !network::PROTOCOLS.contains(protocol))
    {
        errors.push(FieldError::not_supported(
            &path.child("protocol"),
            protocol,
            &["TCP", "UDP", "SCTP"],
        ));
    }
    let (port_path, end_path) = (&path.child("port"), &path.child("endPort"));
    match (&port.port, port.end_port) {
        (Some(IntOrString::Int(number)), end) => {
            network::port_number(*number, port_path, errors);
            let Some(end) = end else { return };
            if end < *number {
                errors.push(FieldError::invalid(
                    end_path,
                    *number,
                    "must be greater than or equal to `port`",
                ));
            }
            network::port_number(end, end_path, errors);
        }
        (Some(IntOrString::String(name)), end) => {
            if let Some(end) = end {
                errors.push(FieldError::invalid(
                    end_path,
                    end,
                    "may not be specified when `port` is non-numeric",
                ));
            }
            meta::check(content::port_name(name), name, port_path, errors);
        }
        (None, Some(end)) => {
            errors.push(FieldError::invalid(
                end_path,
                end,
                "may not be specified when `port` is not specified",
            ));
        }
        (None, None) => {}
    }
}

fn policy_peer(peer: &NetworkPolicyPeer, path: &Path, errors: &mut Errors) {
    let selectors = [
        ("podSelector", &peer.pod_selector),
        ("namespaceSelector", &peer.namespace_selector),
    ];
    let mut peers = 0;
    for (field, selector) in selectors {
        if let Some(selector) = selector {
            peers += 1;
            meta::label_selector(selector, &path.child(field), errors);
        }
    }
    match &peer.ip_block {
        None if peers == 0 => errors.push(FieldError::required(path, "must specify a peer")),
        None => {}
        Some(block) => {
            ip_block(block, &path.child("ipBlock"), errors);
            if peers > 0 {
                errors.push(FieldError::forbidden(
                    path,
                    "may not specify both ipBlock and another peer",
                ));
            }
        }
    }
}

fn ip_block(block: &IPBlock, path: &Path, errors: &mut Errors) {
    let cidr_path = &path.child("cidr");
    if block.cidr.is_empty() {
        errors.push(FieldError::required(cidr_path, ""));
        return;
    }
    network::cidr(&block.cidr, cidr_path, errors);
    let Some(whole) = network::parse_cidr(&block.cidr) else {
        return;
    };
    let except_path = path.child("except");
    for (i, except) in block.except.iter().flatten().enumerate() {
        let path = &except_path.index(i);
        network::cidr(except, path, errors);
        let Some(part) = network::parse_cidr(except) else {
            continue;
        };
        if whole.1 >= part.1 || !network::contains(whole, part.0) {
            errors.push(FieldError::invalid(
                path,
                except,
                "must be a strict subset of `cidr`",
            ));
        }
    }
}
