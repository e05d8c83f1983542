//! Whether a Pod bound here can be taken.
//!
//! Source: pkg/kubelet/lifecycle/predicate.go.

use crate::client::helpers::pod_is_terminal;
use crate::node::Machine;
use crate::scheduler::{node_admitted, pod_requests, untolerated};
use k8s_openapi::api::core::v1::{Node, Pod};
use std::sync::Arc;

/// Why a Pod is refused: reason and message as its status shows them.
pub struct Refusal {
    pub reason: String,
    pub message: String,
}

fn too_little(resource: &str, requested: i64, used: i64, capacity: i64) -> Refusal {
    Refusal {
        reason: format!("OutOf{resource}"),
        message: format!(
            "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
        ),
    }
}

/// Checks a Pod against the machine and the Pods admitted before.
#[inline(never)]
pub fn refuses<'a>(
    machine: &Machine,
    node: Option<&Node>,
    pod: &Pod,
    admitted: impl Iterator<Item = &'a Arc<Pod>>,
) -> Option<Refusal> {
    let (requests, ..) = pod_requests(pod);
    let mut used = crate::scheduler::Resources::default();
    let mut count = 0;
    let ports = |pod: &Pod| -> Vec<(i32, String)> {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        containers
            .flat_map(|container| container.ports.iter().flatten())
            .filter_map(|port| Some((port.host_port?, port.protocol.clone().unwrap_or_default())))
            .collect()
    };
    let wanted_ports = ports(pod);
    let mut port_taken = false;
    for other in admitted.filter(|other| !pod_is_terminal(other) && other.metadata.uid != pod.metadata.uid) {
        used.add(&pod_requests(other).0);
        count += 1;
        port_taken |= !wanted_ports.is_empty() && ports(other).iter().any(|port| wanted_ports.contains(port));
    }
    let hardware = &machine.hardware;
    let checks = [
        ("pods", 1, count, i64::from(hardware.max_pods)),
        (
            "cpu",
            requests.milli_cpu,
            used.milli_cpu,
            hardware.cpu_milli as i64,
        ),
        (
            "memory",
            requests.memory,
            used.memory,
            hardware.memory_bytes as i64,
        ),
        (
            "ephemeral-storage",
            requests.ephemeral_storage,
            used.ephemeral_storage,
            hardware.ephemeral_storage_bytes as i64,
        ),
    ];
    for (resource, requested, used, capacity) in checks {
        if requested > 0 && used + requested > capacity {
            return Some(too_little(resource, requested, used, capacity));
        }
    }
    for (resource, requested) in &requests.scalar {
        if *requested > 0 {
            return Some(too_little(resource, *requested, 0, 0));
        }
    }
    let predicate = |name: &str, why: &str| {
        Some(Refusal {
            reason: name.to_owned(),
            message: format!("Predicate {name} failed: {why}"),
        })
    };
    let node = node?;
    if !node_admitted(pod, node) {
        return predicate(
            "NodeAffinity",
            "node(s) didn't match Pod's node affinity/selector",
        );
    }
    if port_taken {
        return predicate(
            "NodePorts",
            "node(s) didn't have free ports for the requested pod ports",
        );
    }
    let taints = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or_default();
    if untolerated(pod, taints, &["NoExecute"]).is_some() {
        return predicate("TaintToleration", "node(s) had untolerated taint(s)");
    }
    None
}
