//! kube-proxy (being built).

use super::{Machine, NodeAction};
use crate::apiserver::Identity;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Observed, Plan};

#[derive(Clone, Debug)]
pub struct KubeProxy {
    name: String,
}

impl KubeProxy {
    pub fn new(name: &str) -> KubeProxy {
        KubeProxy { name: name.to_owned() }
    }
}

impl Component<Machine, NodeAction> for KubeProxy {
    fn name(&self) -> &'static str {
        "kube-proxy"
    }
    fn identity(&self) -> Identity {
        Identity::component(&format!("system:node:{}", self.name), &["system:nodes"], "kube-proxy")
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

/// The sentences of this area.
pub const WORDS: &[(&str, &str, &str)] = &[];
