//! Evicts Pods that do not tolerate a node's NoExecute taints, or no longer.
//!
//! Source: pkg/controller/tainteviction/taint_eviction.go.

use super::pods::normal;
use crate::api::codec;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, PatchType, Request, Subresource};
use crate::client::helpers::{moment, pod_is_terminal, pod_node};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::scheduler::tolerates;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use serde_json::json;
use std::time::Duration;

/// The taint eviction controller.
#[derive(Clone, Debug, Default)]
pub struct TaintEviction;

fn evicting(node: &Node) -> Vec<&Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    taints
        .into_iter()
        .flatten()
        .filter(|taint| taint.effect == "NoExecute")
        .collect()
}

/// When a Pod has to go, with the key of a taint that says so; none if it may stay for ever.
fn due<'a>(pod: &Pod, taints: &[&'a Taint], now: SimTime) -> Option<(SimTime, &'a str)> {
    let tolerations = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.tolerations.as_deref())
        .unwrap_or_default();
    let mut shortest: Option<(i64, &Taint)> = None;
    for taint in taints {
        let mut matching = tolerations
            .iter()
            .filter(|toleration| tolerates(toleration, taint))
            .peekable();
        if matching.peek().is_none() {
            return Some((now, &taint.key));
        }
        for seconds in matching.filter_map(|toleration| toleration.toleration_seconds) {
            if shortest.is_none_or(|(known, _)| seconds < known) {
                shortest = Some((seconds, taint));
            }
        }
    }
    let (seconds, taint) = shortest?;
    let since = moment(&taint.time_added).unwrap_or(now);
    Some((since + Duration::from_secs(seconds.max(0) as u64), &taint.key))
}

impl Component for TaintEviction {
    fn name(&self) -> &'static str {
        "taint-eviction"
    }

    fn identity(&self) -> Identity {
        super::identity("node-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Node, Kind::Pod].map(Watch::indexed).to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Node(node) => {
                let before = change
                    .old
                    .as_ref()
                    .and_then(|old| old.get::<Node>())
                    .map(|old| evicting(old).len());
                if !evicting(node).is_empty() || before.is_some_and(|count| count > 0) {
                    dirty.push(change.key.clone());
                }
            }
            Object::Pod(pod) => {
                let node = caches.get::<Node>("", pod_node(pod));
                if change.new.is_some() && node.is_some_and(|node| !evicting(node).is_empty()) {
                    dirty.push(Key::new(Kind::Node, "", pod_node(pod)));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(node) = observed.caches.by_key::<Node>(key) else {
            return plan;
        };
        let taints = evicting(node);
        if taints.is_empty() {
            return plan;
        }
        for (pod_key, pod) in observed.caches.pods().on(&key.name) {
            if pod.metadata.deletion_timestamp.is_some() || pod_is_terminal(pod) {
                continue;
            }
            let Some((at, taint)) = due(pod, &taints, observed.now) else {
                continue;
            };
            if at > observed.now {
                plan.again_after(at.since(observed.now));
                continue;
            }
            let why = Why::new("taint-eviction.delete", &[&pod_key.name, &key.name, taint]);
            let condition = json!({"status": {"conditions": [{"type": "DisruptionTarget", "status": "True",
                "reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint",
                "lastTransitionTime": codec::to_value(&observed.now.meta_time())}]}});
            let said = Request::patch(
                Kind::Pod,
                &pod_key.namespace,
                &pod_key.name,
                PatchType::Strategic,
                condition,
            );
            plan.duties
                .push(Duty::api(why.clone(), said.with_subresource(Subresource::Status)));
            let options = DeleteOptions {
                precondition_uid: pod.metadata.uid.clone(),
                ..DeleteOptions::default()
            };
            let request = Request::delete(Kind::Pod, &pod_key.namespace, &pod_key.name, options);
            let message = format!("Marking for deletion Pod {}/{}", pod_key.namespace, pod_key.name);
            plan.duties
                .push(Duty::api(why, request).note(normal(pod_key, "TaintManagerEviction", message)));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Node).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, verbs};
    use serde_json::Value;

    fn pod(name: &str, tolerations: Value) -> Value {
        json!({"metadata": {"name": name, "namespace": "d"}, "spec": {"containers": [], "nodeName": "n", "tolerations": tolerations}})
    }

    #[test]
    fn evicts_at_once_after_a_while_or_never() {
        let mut bench = Bench::new(TaintEviction);
        let added = bench.now.timestamp().to_string();
        let taint =
            json!([{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": added}]);
        bench.put(
            Kind::Node,
            json!({"metadata": {"name": "n"}, "spec": {"taints": taint}}),
        );
        bench.put(Kind::Pod, pod("at-once", json!([])));
        bench.put(Kind::Pod, pod("later", json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}])));
        bench.put(Kind::Pod, pod("never", json!([{"operator": "Exists"}])));
        let plan = bench.plan(Kind::Node, "", "n");
        assert_eq!(verbs(&plan), ["patch pods/status at-once", "delete pods at-once"]);
        assert_eq!(plan.again_after, Some(Duration::from_secs(300)));
        bench.remove(Kind::Pod, "d", "at-once");
        bench.now = bench.now + Duration::from_secs(300);
        assert_eq!(
            verbs(&bench.plan(Kind::Node, "", "n")),
            ["patch pods/status later", "delete pods later"]
        );
    }
}
