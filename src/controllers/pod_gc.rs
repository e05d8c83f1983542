//! Deletes Pods that no kubelet will ever finish.
//!
//! Source: pkg/controller/podgc/gc_controller.go.

use crate::api::codec;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, PatchType, Request, Subresource};
use crate::client::helpers::pod_is_terminal;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Refusal, Why};
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::core::v1::Node;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long a Node must be gone. Source: `quarantineTime`.
const QUARANTINE: Duration = Duration::from_secs(40);

/// The pod garbage collector.
#[derive(Clone, Debug, Default)]
pub struct PodGarbageCollector {
    /// Nodes that Pods name and that are missing, with the first look that found it so.
    missing: SortedMap<Arc<str>, Option<SimTime>>,
}

impl Component for PodGarbageCollector {
    fn name(&self) -> &'static str {
        "pod-garbage-collector"
    }

    fn identity(&self) -> Identity {
        super::identity("pod-garbage-collector")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Node, Kind::Pod].map(Watch::indexed).to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Node(_) => {
                if change.old.is_none() || change.new.is_none() {
                    self.missing.remove(&change.key.name);
                    if change.new.is_none() {
                        self.missing.insert(change.key.name.clone(), None);
                    }
                    dirty.push(change.key.clone());
                }
            }
            Object::Pod(pod) => {
                let node = crate::client::helpers::pod_node(pod);
                if change.new.is_some() && !node.is_empty() && caches.get::<Node>("", node).is_none() {
                    self.missing.entry(node.into()).or_insert(None);
                    dirty.push(Key::new(Kind::Node, "", node));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let mut pods = observed.caches.pods().on(&key.name).peekable();
        if pods.peek().is_none() || observed.caches.by_key::<Node>(key).is_some() {
            return plan;
        }
        let since = self
            .missing
            .get(&key.name)
            .copied()
            .flatten()
            .unwrap_or(observed.now);
        let due = since + QUARANTINE;
        if observed.now < due {
            plan.again_after(due.since(observed.now));
            return plan;
        }
        for (pod_key, pod) in pods {
            let why = Why::new("pod-gc.orphan", &[&pod_key.name, &key.name]);
            if !pod_is_terminal(pod) {
                let patch = json!({"status": {"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True",
                    "reason": "DeletionByPodGC", "message": "PodGC: node no longer exists",
                    "lastTransitionTime": codec::to_value(&observed.now.meta_time())}]}});
                let request = Request::patch(
                    Kind::Pod,
                    &pod_key.namespace,
                    &pod_key.name,
                    PatchType::Strategic,
                    patch,
                );
                plan.duties.push(Duty::api(
                    why.clone(),
                    request.with_subresource(Subresource::Status),
                ));
            }
            let options = DeleteOptions {
                grace_period_seconds: Some(0),
                precondition_uid: pod.metadata.uid.clone(),
                ..DeleteOptions::default()
            };
            plan.duties.push(Duty::api(
                why,
                Request::delete(Kind::Pod, &pod_key.namespace, &pod_key.name, options),
            ));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches
            .pods()
            .nodes()
            .map(|node| Key::new(Kind::Node, "", node))
            .collect()
    }

    fn answered(&mut self, key: &Key, now: SimTime, _refusal: Option<&Refusal>) {
        if let Some(since) = self.missing.get_mut(&key.name) {
            since.get_or_insert(now);
        }
    }

    fn hash(&self, hasher: &mut StateHasher) {
        for (node, since) in &self.missing {
            hasher.text(node);
            hasher.number(since.map_or(0, |at| at.as_micros() + 1));
        }
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, verbs};

    #[test]
    fn waits_before_it_believes_that_a_node_is_gone() {
        let mut bench = Bench::new(PodGarbageCollector::default());
        bench.put(Kind::Node, json!({"metadata": {"name": "n"}}));
        bench.put(
            Kind::Pod,
            json!({"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": [], "nodeName": "n"}}),
        );
        assert_eq!(bench.plan(Kind::Node, "", "n").again_after, None);
        bench.remove(Kind::Node, "", "n");
        assert_eq!(bench.plan(Kind::Node, "", "n").again_after, Some(QUARANTINE));
        let now = bench.now;
        bench
            .component
            .answered(&Key::new(Kind::Node, "", "n"), now, None);
        bench.now = bench.now + QUARANTINE;
        assert_eq!(
            verbs(&bench.plan(Kind::Node, "", "n")),
            ["patch pods/status p", "delete pods p"]
        );
    }
}
