//! NetworkPolicies: which connections enter and leave a Pod.
//!
//! They hold as soon as they are stored, on every machine whose Pod network is set up; names are looked up past them.
//! Source: kubernetes.io/docs/concepts/services-networking/network-policies, k8s.io/api/networking/v1.

use crate::api::Kind;
use crate::client::helpers::{Labels, selector_matches};
use crate::etcd::{Key, Store};
use crate::node::address::Cidr;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::net::Ipv4Addr;

/// Which way a connection goes, seen from the Pod whose policies are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ingress,
    Egress,
}

/// The other end of a connection, and the Pod that has the address.
pub struct Peer<'a> {
    pub address: Ipv4Addr,
    pub pod: Option<&'a Pod>,
}

/// Whether the policies of a Pod let a TCP connection through; `port` is the one at the end that is asked.
pub fn allows(store: &Store, direction: Direction, own: &Pod, peer: &Peer<'_>, port: u16) -> bool {
    if own.spec.as_ref().and_then(|spec| spec.host_network) == Some(true) {
        return true;
    }
    let asked = match direction {
        Direction::Ingress => Some(own),
        Direction::Egress => peer.pod,
    };
    let mut isolated = false;
    for (key, value) in store.range(Kind::NetworkPolicy, namespace_of(own)) {
        let policy = value.object.get::<NetworkPolicy>();
        let Some(spec) = policy.and_then(|policy| policy.spec.as_ref()) else {
            continue;
        };
        let selects = |selector| selector_matches(selector, own.metadata.labels.as_ref());
        if !is_about(spec, direction) || !spec.pod_selector.as_ref().is_none_or(selects) {
            continue;
        }
        isolated = true;
        let passes = |ports: &Option<Vec<NetworkPolicyPort>>, peers: &Option<Vec<NetworkPolicyPeer>>| {
            let (ports, peers) = (ports.as_deref().unwrap_or(&[]), peers.as_deref().unwrap_or(&[]));
            (ports.is_empty() || ports.iter().any(|own| is_port(own, asked, port)))
                && (peers.is_empty() || peers.iter().any(|own| is_peer(store, own, &key.namespace, peer)))
        };
        let passes = match direction {
            Direction::Ingress => spec
                .ingress
                .iter()
                .flatten()
                .any(|rule| passes(&rule.ports, &rule.from)),
            Direction::Egress => spec
                .egress
                .iter()
                .flatten()
                .any(|rule| passes(&rule.ports, &rule.to)),
        };
        if passes {
            return true;
        }
    }
    !isolated
}

fn namespace_of(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("")
}

fn is_about(spec: &NetworkPolicySpec, direction: Direction) -> bool {
    let (word, default) = match direction {
        Direction::Ingress => ("Ingress", true),
        Direction::Egress => ("Egress", spec.egress.is_some()),
    };
    spec.policy_types
        .as_ref()
        .map_or(default, |types| types.iter().any(|own| own == word))
}

/// Whether a rule's port is the one asked for. A name is that of a container's port.
fn is_port(rule: &NetworkPolicyPort, asked: Option<&Pod>, port: u16) -> bool {
    if rule.protocol.as_deref().unwrap_or("TCP") != "TCP" {
        return false;
    }
    let port = i32::from(port);
    match &rule.port {
        None => true,
        Some(IntOrString::Int(from)) => (*from..=rule.end_port.unwrap_or(*from)).contains(&port),
        Some(IntOrString::String(name)) => {
            let containers = asked
                .and_then(|pod| pod.spec.as_ref())
                .map(|spec| &spec.containers);
            let mut ports = containers
                .into_iter()
                .flatten()
                .flat_map(|own| own.ports.iter().flatten());
            ports.any(|own| own.name.as_ref() == Some(name) && own.container_port == port)
        }
    }
}

/// Whether a rule of a policy in `namespace` means this end.
fn is_peer(store: &Store, rule: &NetworkPolicyPeer, namespace: &str, peer: &Peer<'_>) -> bool {
    if let Some(block) = &rule.ip_block {
        let within = |text: &str| text.parse::<Cidr>().is_ok_and(|cidr| cidr.contains(peer.address));
        return within(&block.cidr) && !block.except.iter().flatten().any(|text| within(text));
    }
    let Some(pod) = peer.pod else { return false };
    let labels_of = |namespace: &str| -> Option<&Labels> {
        let key = Key::new(Kind::Namespace, "", namespace);
        store.get(&key)?.object.meta().labels.as_ref()
    };
    let near = match &rule.namespace_selector {
        Some(selector) => selector_matches(selector, labels_of(namespace_of(pod))),
        None => namespace_of(pod) == namespace,
    };
    let selects = |selector| selector_matches(selector, pod.metadata.labels.as_ref());
    near && rule.pod_selector.as_ref().is_none_or(selects)
}
