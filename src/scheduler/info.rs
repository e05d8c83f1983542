//! What the scheduler knows of one Pod and of one node, worked out once when it changes.
//!
//! Source: pkg/scheduler/framework/types.go (`PodInfo`, `NodeInfo`).

use super::resources::{Resources, pod_requests, value};
use super::terms::{Term, affinity_terms};
use crate::api::sorted::SortedMap;
use crate::client::helpers::moment;
use crate::etcd::Key;
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use std::sync::Arc;

/// A port on the node itself: address, protocol, number.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPort {
    pub ip: String,
    pub protocol: String,
    pub port: i32,
}

impl HostPort {
    fn is_any(&self) -> bool {
        matches!(self.ip.as_str(), "" | "0.0.0.0")
    }

    pub fn conflicts(&self, other: &HostPort) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.is_any() || other.is_any() || self.ip == other.ip)
    }
}

/// A set of Pods that no selector can tell apart: same namespace, same labels.
pub type ClassId = u32;

/// A Pod as the scheduler sees it.
#[derive(Clone, Debug)]
pub struct PodInfo {
    pub pod: Arc<Pod>,
    pub key: Key,
    pub class: ClassId,
    pub requests: Resources,
    /// What it counts as in scores.
    pub scored_cpu: i64,
    pub scored_memory: i64,
    pub priority: i32,
    pub ports: Vec<HostPort>,
    pub affinity: Vec<Term>,
    pub anti_affinity: Vec<Term>,
    /// With their weights, negative for anti-affinity.
    pub preferred: Vec<(i64, Term)>,
    pub terminating: bool,
    pub created: SimTime,
}

impl PodInfo {
    pub fn new(key: Key, class: ClassId, pod: &Arc<Pod>) -> PodInfo {
        let (requests, scored_cpu, scored_memory) = pod_requests(pod);
        let spec = pod.spec.as_ref();
        let containers = spec.into_iter().flat_map(|spec| {
            let sidecars = spec
                .init_containers
                .iter()
                .flatten()
                .filter(|c| c.restart_policy.as_deref() == Some("Always"));
            spec.containers.iter().chain(sidecars)
        });
        let ports = containers
            .flat_map(|container| container.ports.iter().flatten())
            .filter_map(|port| {
                Some(HostPort {
                    ip: port.host_ip.clone().unwrap_or_default(),
                    protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
                    port: port.host_port.filter(|number| *number > 0)?,
                })
            })
            .collect();
        let (affinity, anti_affinity, preferred) = affinity_terms(pod);
        PodInfo {
            pod: pod.clone(),
            key,
            class,
            requests,
            scored_cpu,
            scored_memory,
            priority: spec.and_then(|spec| spec.priority).unwrap_or(0),
            ports,
            affinity,
            anti_affinity,
            preferred,
            terminating: pod.metadata.deletion_timestamp.is_some(),
            created: moment(&pod.metadata.creation_timestamp).unwrap_or_default(),
        }
    }

    pub fn uid(&self) -> &str {
        self.pod.metadata.uid.as_deref().unwrap_or("")
    }

    fn has_affinity(&self) -> bool {
        !(self.affinity.is_empty() && self.anti_affinity.is_empty() && self.preferred.is_empty())
    }
}

/// A node and the Pods on it.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    pub node: Arc<Node>,
    pub name: Arc<str>,
    pub allocatable: Resources,
    pub allowed_pods: i64,
    pub requested: Resources,
    pub scored_cpu: i64,
    pub scored_memory: i64,
    pub pods: Vec<Arc<PodInfo>>,
    pub ports: Vec<HostPort>,
    /// How many Pods of each class run here, those being deleted left out.
    pub classes: Vec<(ClassId, i64)>,
    /// How many of the Pods have any inter-Pod affinity, and how many required anti-affinity.
    pub with_affinity: usize,
    pub with_required_anti_affinity: usize,
    pub unschedulable: bool,
    pub blocking_taints: bool,
    pub prefer_taints: bool,
    /// Sizes in bytes of the images here, by every name.
    pub images: Arc<SortedMap<String, i64>>,
}

impl NodeInfo {
    pub fn new(node: &Arc<Node>) -> NodeInfo {
        let mut info = NodeInfo {
            node: node.clone(),
            name: node.metadata.name.as_deref().unwrap_or("").into(),
            allocatable: Resources::default(),
            allowed_pods: 0,
            requested: Resources::default(),
            scored_cpu: 0,
            scored_memory: 0,
            pods: Vec::new(),
            ports: Vec::new(),
            classes: Vec::new(),
            with_affinity: 0,
            with_required_anti_affinity: 0,
            unschedulable: false,
            blocking_taints: false,
            prefer_taints: false,
            images: Arc::default(),
        };
        info.set_node(node);
        info
    }

    /// Takes over a newer state of the node; the Pods stay.
    pub fn set_node(&mut self, node: &Arc<Node>) {
        let status = node.status.as_ref();
        let allocatable = status.and_then(|status| status.allocatable.as_ref());
        self.allocatable = Resources::from_quantities(allocatable);
        self.allowed_pods = allocatable
            .and_then(|room| room.get("pods"))
            .map_or(0, |pods| value(&pods.0));
        self.unschedulable = node
            .spec
            .as_ref()
            .and_then(|spec| spec.unschedulable)
            .unwrap_or(false);
        let effect = |wanted: &[&str]| {
            taints(node)
                .iter()
                .any(|taint| wanted.contains(&taint.effect.as_str()))
        };
        self.blocking_taints = effect(&["NoSchedule", "NoExecute"]);
        self.prefer_taints = effect(&["PreferNoSchedule"]);
        let images = status.and_then(|status| status.images.as_ref());
        self.images = Arc::new(
            images
                .into_iter()
                .flatten()
                .flat_map(|image| {
                    let size = image.size_bytes.unwrap_or(0);
                    image.names.iter().flatten().map(move |name| (name.clone(), size))
                })
                .collect(),
        );
        self.node = node.clone();
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.node.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    pub fn add_pod(&mut self, pod: &Arc<PodInfo>) {
        self.requested.add(&pod.requests);
        self.scored_cpu += pod.scored_cpu;
        self.scored_memory += pod.scored_memory;
        self.ports.extend_from_slice(&pod.ports);
        self.with_affinity += usize::from(pod.has_affinity());
        self.with_required_anti_affinity += usize::from(!pod.anti_affinity.is_empty());
        if !pod.terminating {
            self.count(pod.class, 1);
        }
        self.pods.push(pod.clone());
    }

    pub fn remove_pod(&mut self, key: &Key) {
        let Some(at) = self.pods.iter().position(|pod| pod.key == *key) else {
            return;
        };
        let pod = self.pods.remove(at);
        self.requested.subtract(&pod.requests);
        self.scored_cpu -= pod.scored_cpu;
        self.scored_memory -= pod.scored_memory;
        for port in &pod.ports {
            if let Some(at) = self.ports.iter().position(|own| own == port) {
                self.ports.remove(at);
            }
        }
        self.with_affinity -= usize::from(pod.has_affinity());
        self.with_required_anti_affinity -= usize::from(!pod.anti_affinity.is_empty());
        if !pod.terminating {
            self.count(pod.class, -1);
        }
    }

    fn count(&mut self, class: ClassId, by: i64) {
        match self.classes.iter_mut().find(|(own, _)| *own == class) {
            Some((_, count)) => *count += by,
            None => self.classes.push((class, by)),
        }
        self.classes.retain(|(_, count)| *count > 0);
    }
}

pub fn taints(node: &Node) -> &[Taint] {
    node.spec
        .as_ref()
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or_default()
}
