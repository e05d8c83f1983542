//! Tells kubelets, by an annotation of their Node, for how many seconds they may keep Secrets and ConfigMaps: the
//! longer, the more Nodes there are.
//!
//! Source: pkg/controller/ttl/ttl_controller.go.

use crate::api::{Kind, Object};
use crate::apiserver::{Identity, PatchType, Request};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::Node;
use serde_json::json;

const TTL: &str = "node.alpha.kubernetes.io/ttl";

/// The least and the most Nodes, and the seconds. The ranges overlap, so that a Node more or less does not change
/// everything to and fro.
const STEPS: [(usize, usize, &str); 6] = [
    (0, 100, "0"),
    (90, 500, "15"),
    (450, 1_000, "30"),
    (900, 2_000, "60"),
    (1_800, 10_000, "300"),
    (9_000, usize::MAX, "600"),
];

/// The TTL controller.
#[derive(Clone, Debug, Default)]
pub struct Ttl;

/// The seconds for so many Nodes, where `present` are told now.
fn wanted(nodes: usize, present: &str) -> &'static str {
    let stays = |(least, most, seconds): &&(usize, usize, &str)| {
        (*least..=*most).contains(&nodes) && *seconds == present
    };
    let first = || STEPS.iter().find(|(_, most, _)| nodes <= *most);
    STEPS
        .iter()
        .find(stays)
        .or_else(first)
        .map_or("0", |(.., seconds)| seconds)
}

impl Component for Ttl {
    fn name(&self) -> &'static str {
        "ttl"
    }

    fn identity(&self) -> Identity {
        super::identity("ttl-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all(Kind::Node)]
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if !matches!(change.object(), Object::Node(_)) {
            return;
        }
        dirty.push(change.key.clone());
        let count = || caches.keys(Kind::Node).count();
        let crossed = match (&change.old, &change.new) {
            (None, Some(_)) => STEPS
                .iter()
                .any(|(_, most, _)| count().checked_sub(1) == Some(*most)),
            (Some(_), None) => STEPS.iter().any(|(least, ..)| count() + 1 == *least),
            _ => false,
        };
        if crossed {
            dirty.extend(caches.keys(Kind::Node).cloned());
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(node) = observed.caches.by_key::<Node>(key) else {
            return plan;
        };
        let annotations = node.metadata.annotations.as_ref();
        let present = annotations
            .and_then(|own| own.get(TTL))
            .map_or("", String::as_str);
        let wanted = wanted(observed.caches.keys(Kind::Node).count(), present);
        if present != wanted {
            let patch = json!({"metadata": {"annotations": {TTL: wanted}}});
            let request = Request::patch(Kind::Node, "", &key.name, PatchType::Strategic, patch);
            plan.duties
                .push(Duty::api(Why::new("ttl.annotate", &[&key.name, wanted]), request));
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
    use crate::controllers::testing::{Bench, body, verbs};

    #[test]
    fn every_node_is_told_by_how_many_there_are() {
        let mut bench = Bench::new(Ttl);
        let node =
            |i: usize, ttl: &str| json!({"metadata": {"name": format!("n{i}"), "annotations": {TTL: ttl}}});
        bench.put(Kind::Node, json!({"metadata": {"name": "n0"}}));
        let plan = bench.plan(Kind::Node, "", "n0");
        assert_eq!(verbs(&plan), ["patch nodes n0"]);
        assert_eq!(body(&plan.duties[0])["metadata"]["annotations"][TTL], "0");
        for i in 0..100 {
            bench.put(Kind::Node, node(i, "0"));
        }
        assert!(verbs(&bench.plan(Kind::Node, "", "n0")).is_empty());
        bench.dirty.clear();
        bench.put(Kind::Node, node(100, "0"));
        assert!(bench.dirty.len() > 100);
        assert_eq!(
            body(&bench.plan(Kind::Node, "", "n5").duties[0])["metadata"]["annotations"][TTL],
            "15"
        );
        // On the way down the larger figure stays for a while.
        bench.put(Kind::Node, node(7, "15"));
        bench.remove(Kind::Node, "", "n100");
        assert!(verbs(&bench.plan(Kind::Node, "", "n7")).is_empty());
        for i in 89..100 {
            bench.remove(Kind::Node, "", &format!("n{i}"));
        }
        assert_eq!(
            body(&bench.plan(Kind::Node, "", "n7").duties[0])["metadata"]["annotations"][TTL],
            "0"
        );
    }
}
