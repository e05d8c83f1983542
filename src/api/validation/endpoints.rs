//! Endpoints and EndpointSlices.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go and pkg/apis/discovery/validation.

use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, Errors, IMMUTABLE};
use super::service::list;
use super::{network, text};
use k8s_openapi::api::core::v1::{EndpointAddress, EndpointPort, Endpoints};
use k8s_openapi::api::discovery::v1::EndpointSlice;

#[inline(never)]
pub fn endpoints(endpoints: &Endpoints, errors: &mut Errors) {
    let root = Path::root("subsets");
    for (i, subset) in list(&endpoints.subsets).iter().enumerate() {
        let path = &root.index(i);
        let (ready, not_ready) = (list(&subset.addresses), list(&subset.not_ready_addresses));
        if ready.is_empty() && not_ready.is_empty() {
            errors.push(FieldError::required(
                path,
                "must specify `addresses` or `notReadyAddresses`",
            ));
        }
        for (name, addresses) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
            let list_path = path.child(name);
            for (j, address) in addresses.iter().enumerate() {
                endpoint_address(address, &list_path.index(j), errors);
            }
        }
        let ports = list(&subset.ports);
        let ports_path = path.child("ports");
        for (j, port) in ports.iter().enumerate() {
            endpoint_port(port, ports.len() > 1, &ports_path.index(j), errors);
        }
    }
}

fn endpoint_address(address: &EndpointAddress, path: &Path, errors: &mut Errors) {
    network::ip(&address.ip, &path.child("ip"), errors);
    let hostname = text(&address.hostname);
    if !hostname.is_empty() {
        meta::check(
            content::dns1123_label(hostname),
            hostname,
            &path.child("hostname"),
            errors,
        );
    }
    if let Some(node) = &address.node_name {
        meta::check(
            content::dns1123_subdomain(node),
            node,
            &path.child("nodeName"),
            errors,
        );
    }
    network::non_special_ip(&address.ip, &path.child("ip"), errors);
}

fn endpoint_port(port: &EndpointPort, named: bool, path: &Path, errors: &mut Errors) {
    let name = text(&port.name);
    if named && name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), ""));
    } else if !name.is_empty() {
        meta::check(content::dns1123_label(name), name, &path.child("name"), errors);
    }
    network::port_number(port.port, &path.child("port"), errors);
    network::protocol(text(&port.protocol), &path.child("protocol"), errors);
    if let Some(protocol) = &port.app_protocol {
        meta::label_name(protocol, &path.child("appProtocol"), errors);
    }
}

const ADDRESS_TYPES: &[&str] = &["FQDN", "IPv4", "IPv6"];

const MAX_ENDPOINTS: usize = 1000;

const MAX_ADDRESSES: usize = 100;

const MAX_PORTS: usize = 20_000;

pub fn endpoint_slice(slice: &EndpointSlice, errors: &mut Errors) {
    let kind = slice.address_type.as_str();
    let path = &Path::root("addressType");
    if kind.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !ADDRESS_TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(path, kind, ADDRESS_TYPES));
    }
    let endpoints = list(&slice.endpoints);
    let root = &Path::root("endpoints");
    if endpoints.len() > MAX_ENDPOINTS {
        errors.push(FieldError::too_many(root, endpoints.len(), MAX_ENDPOINTS));
        return;
    }
    for (i, endpoint) in endpoints.iter().enumerate() {
        let path = &root.index(i);
        let addresses_path = &path.child("addresses");
        if endpoint.addresses.is_empty() {
            errors.push(FieldError::required(
                addresses_path,
                "must contain at least 1 address",
            ));
        } else if endpoint.addresses.len() > MAX_ADDRESSES {
            errors.push(FieldError::too_many(
                addresses_path,
                endpoint.addresses.len(),
                MAX_ADDRESSES,
            ));
        }
        for (j, address) in endpoint.addresses.iter().enumerate() {
            slice_address(kind, address, &addresses_path.index(j), errors);
        }
        if let Some(node) = &endpoint.node_name {
            meta::check(
                content::dns1123_subdomain(node),
                node,
                &path.child("nodeName"),
                errors,
            );
        }
        if let Some(topology) = &endpoint.deprecated_topology {
            let path = &path.child("deprecatedTopology");
            meta::labels(topology, path, errors);
            if topology.contains_key("topology.kubernetes.io/zone") {
                let why = "topology.kubernetes.io/zone has been removed, use zone instead";
                errors.push(FieldError::invalid(
                    &path.key("topology.kubernetes.io/zone"),
                    "",
                    why,
                ));
            }
        }
        if let Some(hostname) = &endpoint.hostname {
            meta::check(
                content::dns1123_label(hostname),
                hostname,
                &path.child("hostname"),
                errors,
            );
        }
    }
    slice_ports(slice, errors);
}

fn slice_address(kind: &str, address: &str, path: &Path, errors: &mut Errors) {
    match kind {
        "IPv4" => match address.parse::<std::net::Ipv4Addr>() {
            Ok(_) => network::non_special_ip(address, path, errors),
            Err(_) => errors.push(FieldError::invalid(path, address, "must be an IPv4 address")),
        },
        "IPv6" => match address.parse::<std::net::Ipv6Addr>() {
            Ok(_) => network::non_special_ip(address, path, errors),
            Err(_) => errors.push(FieldError::invalid(path, address, "must be an IPv6 address")),
        },
        "FQDN" => {
            let name = address.strip_suffix('.').unwrap_or(address);
            let complaints = content::dns1123_subdomain(name);
            if !complaints.is_empty() {
                errors.push(FieldError::invalid(path, name, complaints.join(",")));
            } else if !name.contains('.') {
                let why = "should be a domain with at least two segments separated by dots";
                errors.push(FieldError::invalid(path, name, why));
            }
        }
        _ => {}
    }
}

fn slice_ports(slice: &EndpointSlice, errors: &mut Errors) {
    let ports = list(&slice.ports);
    let root = &Path::root("ports");
    if ports.len() > MAX_PORTS {
        errors.push(FieldError::too_many(root, ports.len(), MAX_PORTS));
        return;
    }
    for (i, port) in ports.iter().enumerate() {
        let path = &root.index(i);
        let name = text(&port.name);
        if !name.is_empty() {
            meta::check(content::dns1123_label(name), name, &path.child("name"), errors);
        }
        if ports[..i].iter().any(|other| text(&other.name) == name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        match port.protocol.as_deref() {
            None => errors.push(FieldError::required(&path.child("protocol"), "")),
            Some(protocol) if !network::PROTOCOLS.contains(&protocol) => {
                errors.push(FieldError::not_supported(
                    &path.child("protocol"),
                    protocol,
                    network::PROTOCOLS,
                ));
            }
            Some(_) => {}
        }
        if let Some(protocol) = &port.app_protocol {
            meta::label_name(protocol, &path.child("appProtocol"), errors);
        }
    }
}

#[inline(never)]
pub fn endpoint_slice_update(new: &EndpointSlice, old: &EndpointSlice, errors: &mut Errors) {
    endpoint_slice(new, errors);
    if new.address_type != old.address_type {
        errors.push(FieldError::invalid(
            &Path::root("addressType"),
            &new.address_type,
            IMMUTABLE,
        ));
    }
}
