//! Which Pods a Service selects, kept up to date change by change, and what both kinds of
//! endpoints ask about them.
//!
//! Source: k8s.io/endpointslice/util/controller_utils.go, k8s.io/kubernetes/pkg/controller/endpoint.

use crate::api::civil;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::client::helpers::{
    Labels, moment, pairs_match, pod_condition, pod_is_ready, pod_is_terminal, pod_node,
};
use crate::client::{Caches, Change};
use crate::etcd::Key;
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{ObjectReference, Pod, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

pub const LAST_CHANGE: &str = "endpoints.kubernetes.io/last-change-trigger-time";
pub const HEADLESS: &str = "service.kubernetes.io/headless";
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

#[derive(Clone, Debug)]
struct Selection {
    selector: Labels,
    pods: SortedMap<Arc<str>, Arc<Pod>>,
}

/// The selected Pods of every Service with a selector.
#[derive(Clone, Debug, Default)]
pub struct SelectedPods {
    services: SortedMap<Key, Selection>,
}

impl SelectedPods {
    /// Takes in a change of a Service or Pod; the Services it matters to become dirty.
    pub fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Service(_) => {
                dirty.push(change.key.clone());
                self.service(caches, change);
            }
            Object::Pod(_) => self.pod(change, dirty),
            _ => {}
        }
    }

    fn service(&mut self, caches: &Caches, change: &Change) {
        let service = change.new.as_ref().and_then(|object| object.get::<Service>());
        let selector = service
            .and_then(|service| service.spec.as_ref()?.selector.as_ref())
            .filter(|s| !s.is_empty());
        let Some(selector) = selector else {
            self.services.remove(&change.key);
            return;
        };
        if self
            .services
            .get(&change.key)
            .is_some_and(|known| known.selector == *selector)
        {
            return;
        }
        let pods = caches
            .list::<Pod>(&change.key.namespace)
            .filter(|pod| pairs_match(selector, pod.metadata.labels.as_ref()))
            .map(|pod| (Arc::from(pod.metadata.name.as_deref().unwrap_or("")), pod.clone()))
            .collect();
        self.services.insert(
            change.key.clone(),
            Selection {
                selector: selector.clone(),
                pods,
            },
        );
    }

    fn pod(&mut self, change: &Change, dirty: &mut Vec<Key>) {
        let side = |object: &Option<Object>| object.as_ref().and_then(|object| object.get::<Pod>()).cloned();
        let (old, new) = (side(&change.old), side(&change.new));
        let differs = match (&old, &new) {
            (Some(old), Some(new)) => endpoint_differs(old, new),
            _ => true,
        };
        let start = Key {
            kind: Kind::Service,
            namespace: change.key.namespace.clone(),
            name: "".into(),
        };
        let of_namespace = self
            .services
            .range_mut(&start..)
            .take_while(|(key, _)| key.namespace == change.key.namespace);
        for (key, selection) in of_namespace {
            let selected = new
                .as_ref()
                .filter(|pod| pairs_match(&selection.selector, pod.metadata.labels.as_ref()));
            let was = match selected {
                Some(pod) => selection
                    .pods
                    .insert(change.key.name.clone(), pod.clone())
                    .is_some(),
                None => selection.pods.remove(&change.key.name).is_some(),
            };
            if (selected.is_some() || was) && (differs || was != selected.is_some()) {
                dirty.push(key.clone());
            }
        }
    }

    /// The Pods a Service selects, by name.
    pub fn of<'a>(&'a self, service: &Key) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
        self.services
            .get(service)
            .into_iter()
            .flat_map(|selection| selection.pods.values())
    }
}

/// Whether what endpoints show of a Pod differs.
fn endpoint_differs(old: &Pod, new: &Pod) -> bool {
    let hostname = |pod: &Pod| {
        pod.spec
            .as_ref()
            .map(|spec| (spec.hostname.clone(), spec.subdomain.clone()))
    };
    old.metadata.deletion_timestamp.is_some() != new.metadata.deletion_timestamp.is_some()
        || old.metadata.uid != new.metadata.uid
        || pod_is_ready(old) != pod_is_ready(new)
        || pod_is_terminal(old) != pod_is_terminal(new)
        || pod_ip(old) != pod_ip(new)
        || pod_node(old) != pod_node(new)
        || hostname(old) != hostname(new)
}

/// The Pod's IP, if it has one.
pub fn pod_ip(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.pod_ip.as_deref().filter(|ip| !ip.is_empty())
}

/// Whether a Pod belongs into endpoints at all.
pub fn belongs(pod: &Pod, include_terminating: bool) -> bool {
    !pod_is_terminal(pod)
        && pod_ip(pod).is_some()
        && (include_terminating || pod.metadata.deletion_timestamp.is_none())
}

pub fn target_ref(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        namespace: pod.metadata.namespace.clone(),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// The hostname by which a headless Service's DNS knows the Pod.
pub fn hostname(pod: &Pod, service: &Service) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let under = spec.subdomain.is_some() && spec.subdomain == service.metadata.name;
    spec.hostname
        .clone()
        .filter(|hostname| under && !hostname.is_empty())
}

/// The container port a Service port leads to on this Pod; none if the Pod names no such port.
pub fn find_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    match &port.target_port {
        None => Some(port.port),
        Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) if name.is_empty() => Some(port.port),
        Some(IntOrString::String(name)) => {
            let spec = pod.spec.as_ref()?;
            let sidecars = spec
                .init_containers
                .iter()
                .flatten()
                .filter(|c| c.restart_policy.as_deref() == Some("Always"));
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            spec.containers
                .iter()
                .chain(sidecars)
                .flat_map(|container| container.ports.iter().flatten())
                .find(|own| {
                    own.name.as_ref() == Some(name) && own.protocol.as_deref().unwrap_or("TCP") == protocol
                })
                .map(|own| own.container_port)
        }
    }
}

pub fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

/// When what is now written was first due: the oldest Pod or Service change since `last`.
/// Source: k8s.io/endpointslice/util/trigger_time_tracker.go, which remembers; here the annotation does.
pub fn trigger_time<'a>(
    service: &Service,
    pods: impl Iterator<Item = &'a Arc<Pod>>,
    last: Option<&str>,
) -> Option<String> {
    let last = last.and_then(civil::parse);
    // Times are kept in whole seconds, so another change may stand at the same one.
    let newer = |time: &SimTime| last.is_none_or(|last| time.timestamp() >= last);
    let ready =
        |pod: &Arc<Pod>| -> Option<SimTime> { moment(&pod_condition(pod, "Ready")?.last_transition_time) };
    let times = pods.filter_map(ready).filter(newer);
    let created = moment(&service.metadata.creation_timestamp).filter(newer);
    times
        .chain(created)
        .min()
        .map(|time| civil::seconds(time.timestamp()))
}
