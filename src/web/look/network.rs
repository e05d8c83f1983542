//! Services, Endpoints and EndpointSlices, a row per address.

use std::rc::Rc;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::{keep, keep_one, text};
use crate::api::{Kind, Object};
use crate::cluster::Cluster;
use crate::cluster::view::{Endpoint, Network, Service, SliceRow};

/// Rows of each table that are made.
const ROWS: usize = 600;

#[inline(never)]
pub fn network(old: &Rc<Network>, cluster: &Cluster) -> Rc<Network> {
    let etcd = &cluster.api.etcd;
    let objects = |kind: Kind| etcd.range(kind, "").map(|(_, value)| &value.object);
    let services = objects(Kind::Service).filter_map(|object| match object {
        Object::Service(service) => service_row(service),
        _ => None,
    });
    let endpoints = objects(Kind::Endpoints).flat_map(|object| match object {
        Object::Endpoints(endpoints) => endpoint_rows(endpoints),
        _ => Vec::new(),
    });
    let slices = objects(Kind::EndpointSlice).flat_map(|object| match object {
        Object::EndpointSlice(slice) => slice_rows(slice),
        _ => Vec::new(),
    });
    let new = Network {
        services: keep(&old.services, services.take(ROWS)),
        endpoints: keep(&old.endpoints, endpoints.take(ROWS)),
        slices: keep(&old.slices, slices.take(ROWS)),
    };
    keep_one(old, new)
}

/// The API server's own Service is furniture, not part of the play.
fn is_furniture(namespace: &str, name: &str) -> bool {
    namespace == "default" && name == "kubernetes"
}

fn service_row(service: &core::Service) -> Option<Service> {
    let (namespace, name) = (
        service.metadata.namespace.as_deref()?,
        service.metadata.name.as_deref()?,
    );
    if is_furniture(namespace, name) {
        return None;
    }
    let spec = service.spec.as_ref()?;
    let ports = spec.ports.iter().flatten();
    let port_word = |port: &core::ServicePort| {
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        match port.node_port {
            Some(node_port) if node_port > 0 => format!("{}:{node_port}/{protocol}", port.port),
            _ => format!("{}/{protocol}", port.port),
        }
    };
    let words: Vec<String> = ports.clone().map(port_word).collect();
    let selector: Vec<String> = spec
        .selector
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    Some(Service {
        namespace: text(namespace),
        name: text(name),
        kind: text(spec.type_.as_deref().unwrap_or("ClusterIP")),
        cluster_ip: text(spec.cluster_ip.as_deref().unwrap_or("")),
        ports: words.join(",").into(),
        port: ports.map(|port| port.port).next().unwrap_or(0),
        selector: selector.join(",").into(),
    })
}

fn endpoint_rows(endpoints: &core::Endpoints) -> Vec<Endpoint> {
    let namespace = endpoints.metadata.namespace.as_deref().unwrap_or("");
    let name = endpoints.metadata.name.as_deref().unwrap_or("");
    if is_furniture(namespace, name) {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        let port = subset.ports.iter().flatten().next().map(|port| port.port);
        let ready = subset.addresses.iter().flatten().map(|address| (address, true));
        let unready = subset
            .not_ready_addresses
            .iter()
            .flatten()
            .map(|address| (address, false));
        rows.extend(ready.chain(unready).map(|(address, ready)| {
            Endpoint {
                namespace: text(namespace),
                service: text(name),
                address: port
                    .map_or_else(|| address.ip.clone(), |port| format!("{}:{port}", address.ip))
                    .into(),
                pod: text(
                    address
                        .target_ref
                        .as_ref()
                        .and_then(|target| target.name.as_deref())
                        .unwrap_or(""),
                ),
                node: text(address.node_name.as_deref().unwrap_or("")),
                ready,
            }
        }));
    }
    rows
}

fn slice_rows(slice: &EndpointSlice) -> Vec<SliceRow> {
    let namespace = slice.metadata.namespace.as_deref().unwrap_or("");
    let labels = slice.metadata.labels.as_ref();
    let service = labels
        .and_then(|labels| labels.get("kubernetes.io/service-name"))
        .map_or("", String::as_str);
    if is_furniture(namespace, service) {
        return Vec::new();
    }
    let ports: Vec<String> = slice
        .ports
        .iter()
        .flatten()
        .filter_map(|port| port.port)
        .map(|port| port.to_string())
        .collect();
    let ports: Rc<str> = ports.join(",").into();
    let rows = slice.endpoints.iter().flatten().map(|endpoint| SliceRow {
        namespace: text(namespace),
        slice: text(slice.metadata.name.as_deref().unwrap_or("")),
        service: text(service),
        address: text(endpoint.addresses.first().map_or("", String::as_str)),
        ports: ports.clone(),
        pod: text(
            endpoint
                .target_ref
                .as_ref()
                .and_then(|target| target.name.as_deref())
                .unwrap_or(""),
        ),
        node: text(endpoint.node_name.as_deref().unwrap_or("")),
        // No answer means ready, says the API.
        ready: endpoint
            .conditions
            .as_ref()
            .and_then(|conditions| conditions.ready)
            .unwrap_or(true),
    });
    rows.collect()
}
