//! Notices Nodes that fell silent, says so, and taints them by their conditions.
//!
//! Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go.

use super::pods::{normal, warning};
use crate::api::codec;
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, PatchType, Request};
use crate::client::helpers::{moment, pod_condition, pod_is_ready, pod_node};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const LEASES: &str = "kube-node-lease";
/// Source: `--node-monitor-grace-period`, `--node-startup-grace-period`.
const GRACE: Duration = Duration::from_secs(50);
const STARTUP_GRACE: Duration = Duration::from_secs(60);

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// Conditions that must not be, with the taints that say so.
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
];

/// The node lifecycle controller.
#[derive(Clone, Debug, Default)]
pub struct NodeLifecycle;

fn condition<'a>(node: &'a Node, of: &str) -> Option<&'a NodeCondition> {
    node.status
        .as_ref()?
        .conditions
        .as_ref()?
        .iter()
        .find(|condition| condition.type_ == of)
}

/// When an object was last written, as the API server noted it.
fn written(meta: &ObjectMeta) -> Option<SimTime> {
    meta.managed_fields
        .iter()
        .flatten()
        .filter_map(|entry| moment(&entry.time))
        .max()
}

/// When the node was last heard of.
fn last_sign(node: &Node, lease: Option<&Arc<Lease>>, now: SimTime) -> SimTime {
    let renewed = lease.and_then(|lease| {
        lease
            .spec
            .as_ref()?
            .renew_time
            .as_ref()
            .map(|time| SimTime::from_timestamp(time.0))
    });
    let by_kubelet = |entry: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
        entry.subresource.as_deref() == Some("status")
            && entry.manager.as_deref() != Some("kube-controller-manager")
    };
    let reported = node
        .metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(by_kubelet)
        .filter_map(|entry| moment(&entry.time))
        .max();
    let heartbeat = condition(node, "Ready").and_then(|ready| moment(&ready.last_heartbeat_time));
    let signs = [
        renewed,
        lease.and_then(|lease| written(&lease.metadata)),
        reported,
        heartbeat,
    ];
    let created = moment(&node.metadata.creation_timestamp).unwrap_or_default();
    signs
        .into_iter()
        .flatten()
        .filter(|sign| *sign <= now)
        .max()
        .unwrap_or(created)
}

/// The conditions once nobody answers for them any more.
fn silenced(node: &Node, now: SimTime) -> Vec<NodeCondition> {
    let mut conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.clone())
        .unwrap_or_default();
    for of in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        match conditions.iter_mut().find(|condition| condition.type_ == of) {
            Some(known) if known.status != "Unknown" => {
                known.status = "Unknown".to_owned();
                known.reason = Some("NodeStatusUnknown".to_owned());
                known.message = Some("Kubelet stopped posting node status.".to_owned());
                known.last_transition_time = Some(now.meta_time());
            }
            Some(_) => {}
            None => conditions.push(NodeCondition {
                type_: of.to_owned(),
                status: "Unknown".to_owned(),
                reason: Some("NodeStatusNeverUpdated".to_owned()),
                message: Some("Kubelet never posted node status.".to_owned()),
                last_heartbeat_time: node.metadata.creation_timestamp.clone(),
                last_transition_time: Some(now.meta_time()),
            }),
        }
    }
    conditions
}

/// The taints a node should have; those of others stay.
fn wanted_taints(node: &Node, conditions: &[NodeCondition], now: SimTime) -> Vec<Taint> {
    let status = |of: &str| {
        conditions
            .iter()
            .find(|condition| condition.type_ == of)
            .map(|condition| condition.status.as_str())
    };
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    match status("Ready") {
        Some("True") => {}
        Some("False") => wanted.extend([(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
        Some(_) => wanted.extend([(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]),
        // Not heard of yet: it keeps what it was registered with.
        None => wanted.push((NOT_READY, "NoSchedule")),
    }
    for (of, key) in PRESSURES {
        if status(of) == Some("True") {
            wanted.push((key, "NoSchedule"));
        }
    }
    if node
        .spec
        .as_ref()
        .is_some_and(|spec| spec.unschedulable == Some(true))
    {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    let own = |taint: &Taint| {
        let key = taint.key.as_str();
        [NOT_READY, UNREACHABLE, UNSCHEDULABLE].contains(&key)
            || PRESSURES.iter().any(|(_, pressure)| *pressure == key)
    };
    let known = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or_default();
    let is = |taint: &Taint, (key, effect): (&str, &str)| taint.key == key && taint.effect == effect;
    let mut taints: Vec<Taint> = known
        .iter()
        .filter(|taint| !own(taint) || wanted.iter().any(|wanted| is(taint, *wanted)))
        .cloned()
        .collect();
    for want in wanted {
        if !taints.iter().any(|taint| is(taint, want)) {
            taints.push(Taint {
                key: want.0.to_owned(),
                effect: want.1.to_owned(),
                time_added: Some(now.meta_time()),
                value: None,
            });
        }
    }
    taints
}

impl Component for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-lifecycle"
    }

    fn identity(&self) -> Identity {
        super::identity("node-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Node, Kind::Lease, Kind::Pod].map(Watch::indexed).to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Node(_) => {
                dirty.push(change.key.clone());
            }
            // A renewed Lease only moves the moment at which its Node would count as lost; the
            // Node is looked at then anyway. One that comes back is to be looked at now.
            Object::Lease(_) if *change.key.namespace == *LEASES => {
                let silent =
                    |node: &Arc<Node>| condition(node, "Ready").is_none_or(|ready| ready.status == "Unknown");
                if caches.get::<Node>("", &change.key.name).is_some_and(silent) {
                    dirty.push(Key {
                        kind: Kind::Node,
                        namespace: "".into(),
                        name: change.key.name.clone(),
                    });
                }
            }
            Object::Pod(pod) => {
                let down =
                    |node: &Arc<Node>| condition(node, "Ready").is_none_or(|ready| ready.status != "True");
                if pod_is_ready(pod) && caches.get::<Node>("", pod_node(pod)).is_some_and(down) {
                    dirty.push(Key::new(Kind::Node, "", pod_node(pod)));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let now = observed.now;
        let Some(node) = observed.caches.by_key::<Node>(key) else {
            return plan;
        };
        let message = format!("Node {0} event: Registered Node {0} in Controller", key.name);
        plan.facts.push(normal(key, "RegisteredNode", message).into());
        let lease = observed.caches.get::<Lease>(LEASES, &key.name);
        let ready = condition(node, "Ready");
        let grace = if ready.is_some() { GRACE } else { STARTUP_GRACE };
        let due = last_sign(node, lease, now) + grace;
        let mut conditions = node
            .status
            .as_ref()
            .and_then(|status| status.conditions.clone())
            .unwrap_or_default();
        if due <= now {
            let silent = silenced(node, now);
            if silent != conditions {
                let mut updated = (**node).clone();
                updated.status.get_or_insert_default().conditions = Some(silent.clone());
                let why = Why::new("node-lifecycle.silent", &[&key.name]);
                let mut duty = Duty::api(why, Request::update_status(updated));
                if ready.is_some_and(|ready| ready.status == "True") {
                    let message = format!("Node {} status is now: NodeNotReady", key.name);
                    duty = duty.note(normal(key, "NodeNotReady", message));
                }
                plan.duties.push(duty);
                conditions = silent;
            }
        } else {
            plan.again_after(due.since(now));
        }
        let taints = wanted_taints(node, &conditions, now);
        let known = node
            .spec
            .as_ref()
            .and_then(|spec| spec.taints.as_deref())
            .unwrap_or_default();
        if taints != known {
            let list: Option<Vec<_>> =
                (!taints.is_empty()).then(|| taints.iter().map(codec::to_value).collect());
            let names: Vec<String> = taints
                .iter()
                .map(|taint| format!("{}:{}", taint.key, taint.effect))
                .collect();
            let why = match taints.is_empty() {
                true => Why::new("node-lifecycle.untaint", &[&key.name]),
                false => Why::new("node-lifecycle.taint", &[&key.name, &names.join(", ")]),
            };
            let patch = json!({"spec": {"taints": list}});
            plan.duties.push(Duty::api(
                why,
                Request::patch(Kind::Node, "", &key.name, PatchType::Merge, patch),
            ));
        }
        if !conditions
            .iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        {
            for (pod_key, pod) in observed.caches.pods().on(&key.name) {
                if pod_is_ready(pod) {
                    plan.duties.push(unready(pod_key, pod, &key.name, now));
                }
            }
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

/// Nobody vouches for a Pod on a node that is not ready.
fn unready(key: &Key, pod: &Pod, node: &str, now: SimTime) -> Duty {
    let condition = pod_condition(pod, "Ready").map(|known| {
        json!({"type": "Ready", "status": "False", "lastTransitionTime": codec::to_value(&now.meta_time()),
               "observedGeneration": known.observed_generation})
    });
    let patch = json!({"status": {"conditions": [condition]}});
    let request = Request::patch(Kind::Pod, &key.namespace, &key.name, PatchType::Strategic, patch)
        .with_subresource(crate::apiserver::Subresource::Status);
    Duty::api(Why::new("node-lifecycle.pod", &[&key.name, node]), request).note(warning(
        key,
        "NodeNotReady",
        "Node is not ready",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::Value;

    fn node(heard: SimTime, taints: Value) -> Value {
        json!({"metadata": {"name": "n"}, "spec": {"taints": taints}, "status": {"conditions": [
            {"type": "Ready", "status": "True", "lastHeartbeatTime": heard.timestamp().to_string()}]}})
    }

    #[test]
    fn a_silent_node_is_lost_after_its_grace_period() {
        let mut bench = Bench::new(NodeLifecycle);
        bench.put(Kind::Node, node(bench.now, json!([])));
        bench.put(
            Kind::Pod,
            json!({"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": [], "nodeName": "n"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
        );
        let plan = bench.plan(Kind::Node, "", "n");
        assert_eq!(
            (plan.duties.len(), plan.again_after, plan.facts.len()),
            (0, Some(GRACE), 1)
        );
        bench.put(
            Kind::Lease,
            json!({"metadata": {"name": "n", "namespace": LEASES}, "spec": {
            "renewTime": (bench.now + Duration::from_secs(10)).micro_time()}}),
        );
        bench.now = bench.now + Duration::from_secs(59);
        assert_eq!(bench.plan(Kind::Node, "", "n").duties, []);
        bench.now = bench.now + Duration::from_secs(1);
        let plan = bench.plan(Kind::Node, "", "n");
        assert_eq!(
            verbs(&plan),
            ["update nodes/status n", "patch nodes n", "patch pods/status p"]
        );
        let ready = &body(&plan.duties[0])["status"]["conditions"][0];
        assert_eq!(
            (&ready["status"], &ready["reason"]),
            (&json!("Unknown"), &json!("NodeStatusUnknown"))
        );
        let taints = body(&plan.duties[1])["spec"]["taints"].clone();
        assert_eq!(
            (&taints[0]["key"], &taints[1]["effect"]),
            (&json!(UNREACHABLE), &json!("NoExecute"))
        );
    }

    #[test]
    fn a_ready_node_loses_its_taints_and_keeps_strangers() {
        let mut bench = Bench::new(NodeLifecycle);
        let taints =
            json!([{"key": NOT_READY, "effect": "NoSchedule"}, {"key": "mine", "effect": "NoSchedule"}]);
        bench.put(Kind::Node, node(bench.now, taints));
        let plan = bench.plan(Kind::Node, "", "n");
        assert_eq!(
            body(&plan.duties[0]),
            json!({"spec": {"taints": [{"key": "mine", "effect": "NoSchedule"}]}})
        );
        bench.put(
            Kind::Node,
            node(bench.now, json!([{"key": NOT_READY, "effect": "NoSchedule"}])),
        );
        assert_eq!(
            body(&bench.plan(Kind::Node, "", "n").duties[0]),
            json!({"spec": {"taints": null}})
        );
    }
}
