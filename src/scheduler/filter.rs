//! Which nodes a Pod can run on at all, with upstream's reasons.
//!
//! Source: pkg/scheduler/framework/plugins, in the order of the default profile.

use super::info::{NodeInfo, PodInfo, taints};
use super::interpod::Required;
use super::spread::HardSpread;
use super::terms::{node_admitted, restricts_nodes, tolerates, untolerated};
use super::view::View;
use super::volumes::Volumes;
use k8s_openapi::api::core::v1::Taint;
use std::borrow::Cow;

/// Why a node is out.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    pub plugin: &'static str,
    pub reasons: Vec<Cow<'static, str>>,
    /// Removing Pods would not help.
    pub unresolvable: bool,
}

impl Rejection {
    pub fn new(plugin: &'static str, reason: &'static str) -> Rejection {
        Rejection {
            plugin,
            reasons: vec![Cow::Borrowed(reason)],
            unresolvable: false,
        }
    }

    pub fn unresolvable(plugin: &'static str, reason: &'static str) -> Rejection {
        Rejection {
            unresolvable: true,
            ..Rejection::new(plugin, reason)
        }
    }
}

/// What is worked out once per Pod (PreFilter), so that plugins without work cost nothing per node.
#[derive(Debug)]
pub struct Filters<'a> {
    pod: &'a PodInfo,
    node_name: &'a str,
    tolerates_unschedulable: bool,
    restricts_nodes: bool,
    spread: Option<HardSpread>,
    affinity: Option<Required<'a>>,
    volumes: Option<Volumes<'a>>,
}

impl<'a> Filters<'a> {
    /// The error is a reason for which no node can do.
    pub fn new(view: &'a View<'_>, pod: &'a PodInfo) -> Result<Filters<'a>, String> {
        let spec = pod.pod.spec.as_ref();
        let cordon = Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        };
        let tolerations = spec
            .and_then(|spec| spec.tolerations.as_deref())
            .unwrap_or_default();
        Ok(Filters {
            pod,
            node_name: spec.and_then(|spec| spec.node_name.as_deref()).unwrap_or(""),
            tolerates_unschedulable: tolerations
                .iter()
                .any(|toleration| tolerates(toleration, &cordon)),
            restricts_nodes: restricts_nodes(&pod.pod),
            volumes: Volumes::new(view.caches, pod)?,
            spread: HardSpread::new(view, pod),
            affinity: Required::new(view, pod),
        })
    }

    /// None if the Pod can run there.
    pub fn filter(&self, node: &NodeInfo) -> Option<Rejection> {
        if node.unschedulable && !self.tolerates_unschedulable {
            return Some(Rejection::unresolvable(
                "NodeUnschedulable",
                "node(s) were unschedulable",
            ));
        }
        if !self.node_name.is_empty() && *self.node_name != *node.name {
            return Some(Rejection::unresolvable(
                "NodeName",
                "node(s) didn't match the requested node name",
            ));
        }
        if node.blocking_taints
            && untolerated(&self.pod.pod, taints(&node.node), &["NoSchedule", "NoExecute"]).is_some()
        {
            return Some(Rejection::unresolvable(
                "TaintToleration",
                "node(s) had untolerated taint(s)",
            ));
        }
        if self.restricts_nodes && !node_admitted(&self.pod.pod, &node.node) {
            let reason = "node(s) didn't match Pod's node affinity/selector";
            return Some(Rejection::unresolvable("NodeAffinity", reason));
        }
        if self
            .pod
            .ports
            .iter()
            .any(|port| node.ports.iter().any(|used| used.conflicts(port)))
        {
            let reason = "node(s) didn't have free ports for the requested pod ports";
            return Some(Rejection::new("NodePorts", reason));
        }
        fits(self.pod, node)
            .or_else(|| self.volumes.as_ref()?.filter(node))
            .or_else(|| self.spread.as_ref()?.filter(node))
            .or_else(|| self.affinity.as_ref()?.filter(node))
    }
}

/// The NodeResourcesFit plugin. Also what a kubelet checks before it admits a Pod.
pub fn fits(pod: &PodInfo, node: &NodeInfo) -> Option<Rejection> {
    let mut reasons: Vec<Cow<'static, str>> = Vec::new();
    let mut unresolvable = false;
    if node.pods.len() as i64 + 1 > node.allowed_pods {
        reasons.push(Cow::Borrowed("Too many pods"));
    }
    let mut check = |wanted: i64, used: i64, room: i64, reason: fn(&str) -> Cow<'static, str>, name: &str| {
        if wanted > 0 && wanted > room - used {
            reasons.push(reason(name));
            unresolvable |= wanted > room;
        }
    };
    let (wanted, used, room) = (&pod.requests, &node.requested, &node.allocatable);
    check(
        wanted.milli_cpu,
        used.milli_cpu,
        room.milli_cpu,
        |_| Cow::Borrowed("Insufficient cpu"),
        "",
    );
    check(
        wanted.memory,
        used.memory,
        room.memory,
        |_| Cow::Borrowed("Insufficient memory"),
        "",
    );
    let storage = |_: &str| Cow::Borrowed("Insufficient ephemeral-storage");
    check(
        wanted.ephemeral_storage,
        used.ephemeral_storage,
        room.ephemeral_storage,
        storage,
        "",
    );
    for (name, amount) in &wanted.scalar {
        let named = |name: &str| Cow::Owned(format!("Insufficient {name}"));
        check(*amount, used.scalar(name), room.scalar(name), named, name);
    }
    (!reasons.is_empty()).then_some(Rejection {
        plugin: "NodeResourcesFit",
        reasons,
        unresolvable,
    })
}
