//! The kubelet: the Pods bound to its machine against the containers that are on it.
//!
//! - here: which keys there are, and what the kubelet remembers
//! - `register`: the Node object, its status and its Lease
//! - `admission`: whether a Pod bound here can be taken
//! - `sync`: from Pod and containers to the next pieces of work
//! - `probes`: asking containers how they are
//! - `status`: what is reported about a Pod
//! - `plain`: reports without any work behind them
//!
//! Source: k8s.io/kubernetes/pkg/kubelet of 1.36.

mod admission;
mod environment;
mod plain;
mod probes;
mod register;
mod status;
mod sync;
mod words;

use crate::api::sorted::{SortedMap, SortedSet};
pub use words::WORDS;

use super::runtime::{ContainerConfig, ContainerId};
use super::{Machine, NodeAction};
use crate::api::{Kind, Object};
use crate::apiserver::Identity;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Note, Observed, Plan};
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::core::v1::{self as core, Pod};
use std::cell::RefCell;
use std::sync::Arc;

/// The namespace of the Leases by which kubelets show that they live.
const LEASES: &str = "kube-node-lease";

/// What was said or found out about a Pod and is nowhere else: as in life, it is lost with the kubelet.
#[derive(Clone, Debug, Default)]
struct PodMemory {
    admitted: bool,
    /// How far each container was seen, so that each Event is recorded once.
    seen: SortedMap<ContainerId, Seen>,
    /// When a pull for this image was first seen or asked for.
    pulls: SortedMap<String, SimTime>,
    /// What was last said about waiting, by container.
    said: SortedMap<String, &'static str>,
    /// The attempt from which the crash back-off counts, by container.
    calm_since: SortedMap<String, u32>,
    probes: SortedMap<(ContainerId, probes::ProbeKind), probes::Probing>,
    /// How often its volumes could not be mounted, and when that is tried again.
    unmounted: Option<(u32, SimTime)>,
    /// The address given by a plain kubelet.
    plain_ip: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Created,
    Started,
    Ended,
}

#[derive(Clone, Debug, Default)]
struct Memory {
    /// By uid.
    pods: SortedMap<String, PodMemory>,
    /// The last address a plain kubelet gave.
    last_ip: u32,
}

impl Memory {
    fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(u64::from(self.last_ip));
        for (uid, pod) in &self.pods {
            hasher.text(uid);
            hasher.number(u64::from(pod.admitted));
            hasher.number(pod.plain_ip.map_or(0, |ip| u64::from(ip) + 1));
            let (times, next) = pod.unmounted.unwrap_or_default();
            hasher.number(u64::from(times));
            hasher.number(next.as_micros());
            for (container, seen) in &pod.seen {
                hasher.text(container.as_str());
                hasher.number(*seen as u64);
            }
            for (image, at) in &pod.pulls {
                hasher.text(image);
                hasher.number(at.as_micros());
            }
            for (container, said) in &pod.said {
                hasher.text(container);
                hasher.text(said);
            }
            for (container, attempt) in &pod.calm_since {
                hasher.text(container);
                hasher.number(u64::from(*attempt));
            }
            for ((container, kind), probing) in &pod.probes {
                hasher.text(container.as_str());
                hasher.text(kind.name());
                probing.hash(hasher);
            }
        }
    }
}

/// The kubelet of one machine.
#[derive(Clone, Debug)]
pub struct Kubelet {
    node: Arc<str>,
    /// Pods become Running and Ready in one report, without containers.
    plain: bool,
    memory: RefCell<Memory>,
}

impl Kubelet {
    pub fn new(name: &str, plain: bool) -> Kubelet {
        Kubelet {
            node: name.into(),
            plain,
            memory: RefCell::default(),
        }
    }

    fn node_key(&self) -> Key {
        Key::new(Kind::Node, "", &self.node)
    }

    fn lease_key(&self) -> Key {
        Key::new(Kind::Lease, LEASES, &self.node)
    }
}

/// An Event about one container of a Pod.
fn container_note(
    about: &Key,
    init: bool,
    container: &str,
    warning: bool,
    reason: &'static str,
    message: String,
) -> Note {
    let list = if init { "initContainers" } else { "containers" };
    Note {
        about: about.clone(),
        warning,
        reason,
        message,
        on_failure: false,
        field_path: format!("spec.{list}{{{container}}}"),
    }
}

fn note(about: &Key, warning: bool, reason: &'static str, message: String) -> Note {
    Note {
        about: about.clone(),
        warning,
        reason,
        message,
        on_failure: false,
        field_path: String::new(),
    }
}

impl Component<Machine, NodeAction> for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn identity(&self) -> Identity {
        Identity::component(
            &format!("system:node:{}", self.node),
            &["system:nodes", "system:authenticated"],
            "kubelet",
        )
    }

    fn watches(&self) -> Vec<Watch> {
        let mut watches = vec![
            Watch::of_node(Kind::Node, &self.node),
            Watch::of_node(Kind::Lease, &self.node),
            Watch::of_node(Kind::Pod, &self.node),
        ];
        if !self.plain {
            watches.extend([Watch::all(Kind::ConfigMap), Watch::all(Kind::Secret)]);
        }
        watches
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Pod(pod) => {
                dirty.push(change.key.clone());
                if change.new.is_none()
                    && let Some(uid) = &pod.metadata.uid
                {
                    self.memory.get_mut().pods.remove(uid);
                }
            }
            Object::Node(_) => {
                dirty.push(self.node_key());
                // A Lease belongs to its Node: it can be written once the Node is there.
                if change.old.is_none() || change.new.is_none() {
                    dirty.push(self.lease_key());
                }
            }
            Object::Lease(_) if *change.key.namespace == *LEASES => dirty.push(self.lease_key()),
            Object::ConfigMap(_) | Object::Secret(_) if change.old.is_none() => {
                // A container may be waiting for it.
                let waits = |pod: &&Arc<Pod>| environment::mentions(pod, change.object().name());
                let pods = caches.list::<Pod>(&change.key.namespace).filter(waits);
                dirty.extend(pods.map(|pod| Key::of(&Object::Pod(pod.clone()))));
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_, Machine>, key: &Key) -> Plan<NodeAction> {
        if !observed.host.powered() {
            return Plan::default();
        }
        match key.kind {
            Kind::Node => self.node_plan(observed),
            Kind::Lease => self.lease_plan(observed),
            Kind::Pod => self.pod_plan(observed, key),
            _ => Plan::default(),
        }
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        let mut keys = SortedSet::from([self.node_key(), self.lease_key()]);
        keys.extend(caches.keys(Kind::Pod).cloned());
        keys.into_iter().collect()
    }

    fn keys_of_host(&self, host: &Machine) -> Vec<Key> {
        let sandboxes = host.runtime().sandboxes();
        sandboxes
            .map(|sandbox| Key::new(Kind::Pod, &sandbox.namespace, &sandbox.pod_name))
            .collect()
    }

    fn hash(&self, hasher: &mut StateHasher) {
        self.memory.borrow().hash(hasher);
    }

    fn boxed_clone(&self) -> Box<dyn Component<Machine, NodeAction>> {
        Box::new(self.clone())
    }
}

impl Kubelet {
    #[inline(never)]
    fn pod_plan(&self, observed: &Observed<'_, Machine>, key: &Key) -> Plan<NodeAction> {
        let mut memory = self.memory.borrow_mut();
        let Some(pod) = observed.caches.by_key::<Pod>(key) else {
            return sync::clean_up(observed, key, None);
        };
        let uid = pod.metadata.uid.as_deref().unwrap_or("");
        if self.plain {
            return self.plain_plan(observed, key, pod, &mut memory);
        }
        if !memory.pods.contains_key(uid) {
            memory.pods.insert(uid.to_owned(), PodMemory::default());
        }
        let Some(of_pod) = memory.pods.get_mut(uid) else {
            return Plan::default();
        };
        sync::Sync::new(observed, key, pod, of_pod).plan()
    }
}

/// A container of a Pod as its kubelet would ask the runtime for it, for who does it by hand.
/// References that cannot be resolved without the API leave their variables out.
pub fn container_config(pod: &Pod, container: &core::Container, attempt: u32) -> ContainerConfig {
    let status = pod.status.as_ref();
    let around = environment::Around {
        caches: &Caches::default(),
        pod,
        node: pod
            .spec
            .as_ref()
            .and_then(|spec| spec.node_name.as_deref())
            .unwrap_or(""),
        host_ip: status
            .and_then(|status| status.host_ip.clone())
            .unwrap_or_default(),
        pod_ip: status
            .and_then(|status| status.pod_ip.clone())
            .unwrap_or_default(),
    };
    let plain = |variable: &core::EnvVar| Some((variable.name.clone(), variable.value.clone()?));
    let env = around
        .variables(container)
        .unwrap_or_else(|_| container.env.iter().flatten().filter_map(plain).collect());
    ContainerConfig::new(container, attempt, env)
}

#[cfg(test)]
mod tests;
