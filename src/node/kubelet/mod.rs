//! The kubelet (being built).

use super::{Machine, NodeAction};
use crate::apiserver::Identity;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Observed, Plan};

#[derive(Clone, Debug)]
pub struct Kubelet {
    name: String,
}

impl Kubelet {
    pub fn new(name: &str, _plain: bool) -> Kubelet {
        Kubelet { name: name.to_owned() }
    }
}

impl Component<Machine, NodeAction> for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }
    fn identity(&self) -> Identity {
        Identity::component(&format!("system:node:{}", self.name), &["system:nodes"], "kubelet")
    }
    fn watches(&self) -> Vec<Watch> {
        Vec::new()
    }
    fn observe(&mut self, _: &Caches, _: &Change, _: &mut Vec<Key>) {}
    fn reconcile(&self, _: &Observed<'_, Machine>, _: &Key) -> Plan<NodeAction> {
        Plan::default()
    }
    fn all_keys(&self, _: &Caches) -> Vec<Key> {
        Vec::new()
    }
    fn boxed_clone(&self) -> Box<dyn Component<Machine, NodeAction>> {
        Box::new(self.clone())
    }
}

/// The Events a kubelet records about what happened on its machine.
pub fn notes(_machine: &Machine, _event: &super::NodeEvent) -> Vec<crate::seat::Note> {
    Vec::new()
}

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[];

/// A container of a Pod as the runtime is asked for it.
pub fn container_config(
    _pod: &k8s_openapi::api::core::v1::Pod,
    container: &k8s_openapi::api::core::v1::Container,
    attempt: u32,
) -> super::runtime::ContainerConfig {
    let env = container
        .env
        .iter()
        .flatten()
        .filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)))
        .collect();
    super::runtime::ContainerConfig::new(container, attempt, env)
}
