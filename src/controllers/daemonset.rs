//! One Pod on every node that may have one.
//!
//! Source: pkg/controller/daemon (daemon_controller.go, update.go, util/daemonset_util.go).

use super::claim::claim_pods;
use super::deployment::scaled_value;
use super::owned::{mark_selected, owner_keys};
use super::pods::{create_pod, delete_pod, normal, pod_from_template, warning};
use super::revisions::{History, Present};
use crate::api::order::StableSort;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, Request};
use crate::client::helpers::{
    controller_ref, pod_is_available, pod_is_ready, pod_is_terminal, pod_node, pod_phase, selector_matches,
};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::scheduler::{node_admitted, untolerated};
use crate::seat::{Component, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetStatus};
use k8s_openapi::api::core::v1::{
    Affinity, Node, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, Toleration,
};
use std::sync::Arc;

const HASH_LABEL: &str = "controller-revision-hash";
const GENERATION_LABEL: &str = "pod-template-generation";
const GENERATION: &str = "deprecated.daemonset.template.generation";

/// The daemonset controller.
#[derive(Clone, Debug, Default)]
pub struct DaemonSets;

/// What daemons put up with on top of what their template says.
fn daemon_tolerations(host_network: bool) -> Vec<Toleration> {
    let mut pairs = vec![
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];
    if host_network {
        pairs.push(("node.kubernetes.io/network-unavailable", "NoSchedule"));
    }
    let toleration = |(key, effect): (&str, &str)| Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some(effect.to_owned()),
        ..Toleration::default()
    };
    pairs.into_iter().map(toleration).collect()
}

/// The node a daemon's affinity names, before it is bound.
fn target_node(pod: &Pod) -> Option<&str> {
    if !pod_node(pod).is_empty() {
        return Some(pod_node(pod));
    }
    let affinity = pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()?;
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .as_ref()?;
    let fields = required
        .node_selector_terms
        .iter()
        .flat_map(|term| term.match_fields.iter().flatten());
    fields
        .filter(|field| field.key == "metadata.name")
        .find_map(|field| field.values.as_ref()?.first().map(String::as_str))
}

/// Ties a Pod to one node by its affinity; the scheduler binds it.
fn pin(pod: &mut Pod, node: &str) {
    let field = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = pod
        .spec
        .get_or_insert_default()
        .affinity
        .get_or_insert_with(Affinity::default);
    let node_affinity = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    let required = node_affinity
        .required_during_scheduling_ignored_during_execution
        .get_or_insert_with(NodeSelector::default);
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_fields = Some(vec![field.clone()]);
    }
}

/// One look at one DaemonSet.
struct Look<'a> {
    key: &'a Key,
    set: &'a Arc<DaemonSet>,
    spec: &'a DaemonSetSpec,
    /// A Pod as it would be anywhere.
    model: Pod,
    present: Present,
    now: SimTime,
}

impl Look<'_> {
    /// Whether a node should get a daemon, and whether one that is there may stay.
    fn fits(&self, node: &Node) -> (bool, bool) {
        if !node_admitted(&self.model, node) {
            return (false, false);
        }
        let taints = node
            .spec
            .as_ref()
            .and_then(|spec| spec.taints.as_deref())
            .unwrap_or_default();
        let may_stay = untolerated(&self.model, taints, &["NoExecute"]).is_none();
        (
            may_stay && untolerated(&self.model, taints, &["NoSchedule"]).is_none(),
            may_stay,
        )
    }

    fn is_updated(&self, pod: &Pod) -> bool {
        pod.metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(HASH_LABEL))
            == Some(&self.present.hash)
    }

    fn available(&self, pod: &Pod, plan: &mut Plan) -> bool {
        match pod_is_available(pod, self.spec.min_ready_seconds.unwrap_or(0), self.now) {
            Ok(available) => available,
            Err(missing) => {
                plan.again_after(missing);
                false
            }
        }
    }

    fn create(&self, node: &str, plan: &mut Plan) {
        let mut pod = self.model.clone();
        pin(&mut pod, node);
        plan.duties.push(create_pod(
            self.key,
            Why::new("daemonset.create", &[&self.key.name, node]),
            pod.into(),
        ));
    }

    fn delete(&self, pod: &Pod, sentence: &'static str, node: &str, plan: &mut Plan) {
        let name = pod.metadata.name.as_deref().unwrap_or("");
        plan.duties.push(delete_pod(
            self.key,
            Why::new(sentence, &[&self.key.name, name, node]),
            pod,
        ));
    }

    /// Creates where one is missing and deletes where one is too many.
    fn manage(&self, nodes: &[&Arc<Node>], by_node: &SortedMap<&str, Vec<&Arc<Pod>>>, plan: &mut Plan) {
        for node in nodes {
            let name = node.metadata.name.as_deref().unwrap_or("");
            let (should, may_stay) = self.fits(node);
            let here = by_node.get(name).map(Vec::as_slice).unwrap_or_default();
            let mut running: Vec<&Arc<Pod>> = Vec::new();
            for pod in here {
                if pod.metadata.deletion_timestamp.is_some() {
                    running.push(pod);
                } else if pod_is_terminal(pod) && may_stay {
                    let pod_name = pod.metadata.name.as_deref().unwrap_or("");
                    let failed = pod_phase(pod) == "Failed";
                    let (word, reason) = if failed {
                        ("failed", "FailedDaemonPod")
                    } else {
                        ("succeeded", "SucceededDaemonPod")
                    };
                    let verb = if failed { "kill" } else { "delete" };
                    let message = format!(
                        "Found {word} daemon pod {}/{pod_name} on node {name}, will try to {verb} it",
                        self.key.namespace
                    );
                    let note = if failed {
                        warning(self.key, reason, message)
                    } else {
                        normal(self.key, reason, message)
                    };
                    self.delete(pod, "daemonset.replace", name, plan);
                    if let Some(duty) = plan.duties.last_mut() {
                        duty.notes.push(note);
                    }
                } else {
                    running.push(pod);
                }
            }
            if running.is_empty() && should && here.len() == running.len() {
                self.create(name, plan);
            } else if !may_stay {
                for pod in running
                    .iter()
                    .filter(|pod| pod.metadata.deletion_timestamp.is_none())
                {
                    self.delete(pod, "daemonset.unwanted", name, plan);
                }
            } else if should {
                self.thin_out(name, running, plan);
            }
        }
        // What is left on nodes that are gone is the garbage collector's.
    }

    /// The oldest daemon stays; with surge one of each revision may be there for a while.
    fn thin_out(&self, node: &str, mut running: Vec<&Arc<Pod>>, plan: &mut Plan) {
        running.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        running.stable_sort_by(|a, b| {
            (
                pod_node(a).is_empty(),
                &a.metadata.creation_timestamp,
                &a.metadata.name,
            )
                .cmp(&(
                    pod_node(b).is_empty(),
                    &b.metadata.creation_timestamp,
                    &b.metadata.name,
                ))
        });
        if self.max_surge(usize::MAX) > 0 {
            let newest_ready = running
                .iter()
                .any(|pod| self.is_updated(pod) && pod_is_ready(pod));
            let (updated, old): (Vec<&Arc<Pod>>, Vec<&Arc<Pod>>) =
                running.into_iter().partition(|pod| self.is_updated(pod));
            let keep_old = usize::from(!newest_ready);
            for pod in updated.into_iter().skip(1).chain(old.into_iter().skip(keep_old)) {
                self.delete(pod, "daemonset.surplus", node, plan);
            }
            return;
        }
        for pod in running.into_iter().skip(1) {
            self.delete(pod, "daemonset.surplus", node, plan);
        }
    }

    fn limit(&self, surge: bool, nodes: usize) -> i32 {
        let rolling = self
            .spec
            .update_strategy
            .as_ref()
            .and_then(|strategy| strategy.rolling_update.as_ref());
        let total = nodes.min(1_000_000) as i32;
        match surge {
            true => scaled_value(
                rolling.and_then(|rolling| rolling.max_surge.as_ref()),
                total,
                true,
            ),
            false => {
                let limit = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
                let value = limit.map_or(1, |limit| scaled_value(Some(limit), total, true));
                if value == 0 && self.limit(true, nodes) == 0 {
                    1
                } else {
                    value
                }
            }
        }
    }

    fn max_surge(&self, nodes: usize) -> i32 {
        if self.rolls() { self.limit(true, nodes) } else { 0 }
    }

    fn rolls(&self) -> bool {
        self.spec
            .update_strategy
            .as_ref()
            .and_then(|strategy| strategy.type_.as_deref())
            != Some("OnDelete")
    }

    /// Replaces Pods of older templates, as many at a time as the strategy allows.
    fn roll(&self, nodes: &[&Arc<Node>], by_node: &SortedMap<&str, Vec<&Arc<Pod>>>, plan: &mut Plan) {
        let wanted: Vec<&str> = nodes
            .iter()
            .filter(|node| self.fits(node).0)
            .map(|node| node.metadata.name.as_deref().unwrap_or(""))
            .collect();
        let (surge, allowed) = (self.limit(true, wanted.len()), self.limit(false, wanted.len()));
        let (mut unavailable, mut candidates, mut broken, mut surging) = (0, Vec::new(), Vec::new(), 0);
        let mut grow = Vec::new();
        for node in wanted {
            let here: Vec<&Arc<Pod>> = by_node
                .get(node)
                .into_iter()
                .flatten()
                .copied()
                .filter(|pod| !pod_is_terminal(pod))
                .collect();
            let old: Vec<&Arc<Pod>> = here.iter().copied().filter(|pod| !self.is_updated(pod)).collect();
            let new = here.iter().copied().find(|pod| self.is_updated(pod));
            let available = here
                .iter()
                .any(|pod| pod.metadata.deletion_timestamp.is_none() && self.available(pod, plan));
            unavailable += i32::from(!available);
            let Some(oldest) = old
                .first()
                .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            else {
                continue;
            };
            match (surge > 0, new) {
                (true, Some(new)) if self.available(new, plan) => {}
                (true, Some(_)) => surging += 1,
                (true, None) => grow.push(node),
                (false, _) if !available => broken.push((node, *oldest)),
                (false, _) => candidates.push((node, *oldest)),
            }
        }
        for node in grow.into_iter().take((surge - surging).max(0) as usize) {
            self.create(node, plan);
        }
        let more = (allowed - unavailable).max(0) as usize;
        for (node, pod) in broken.into_iter().chain(candidates.into_iter().take(more)) {
            self.delete(pod, "daemonset.roll", node, plan);
        }
    }

    fn status(
        &self,
        nodes: &[&Arc<Node>],
        by_node: &SortedMap<&str, Vec<&Arc<Pod>>>,
        plan: &mut Plan,
    ) -> DaemonSetStatus {
        let known = self.set.status.clone().unwrap_or_default();
        let mut status = DaemonSetStatus {
            observed_generation: self.set.metadata.generation,
            collision_count: known.collision_count,
            conditions: known.conditions,
            ..DaemonSetStatus::default()
        };
        let (mut updated, mut available) = (0, 0);
        for node in nodes {
            let here = by_node
                .get(node.metadata.name.as_deref().unwrap_or(""))
                .map(Vec::as_slice)
                .unwrap_or_default();
            if !self.fits(node).0 {
                status.number_misscheduled += i32::from(!here.is_empty());
                continue;
            }
            status.desired_number_scheduled += 1;
            if here.is_empty() {
                continue;
            }
            status.current_number_scheduled += 1;
            let first = here
                .iter()
                .min_by_key(|pod| (!self.is_updated(pod), &pod.metadata.name))
                .copied();
            if here.iter().any(|pod| pod_is_ready(pod)) {
                status.number_ready += 1;
                available += i32::from(here.iter().any(|pod| self.available(pod, plan)));
            }
            updated += i32::from(first.is_some_and(|pod| self.is_updated(pod)));
        }
        let unavailable = status.desired_number_scheduled - available;
        status.updated_number_scheduled = (updated != 0).then_some(updated);
        status.number_available = (available != 0).then_some(available);
        status.number_unavailable = (unavailable != 0).then_some(unavailable);
        status
    }
}

impl Component for DaemonSets {
    fn name(&self) -> &'static str {
        "daemonset"
    }

    fn identity(&self) -> Identity {
        super::identity("daemon-set-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::DaemonSet, Kind::Pod, Kind::Node, Kind::ControllerRevision]
            .map(Watch::indexed)
            .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::DaemonSet(_) => dirty.push(change.key.clone()),
            Object::ControllerRevision(_) => owner_keys(Kind::DaemonSet, change, dirty),
            Object::Pod(pod) => {
                let sets = caches.list::<DaemonSet>(&change.key.namespace);
                let mut sets = sets.filter_map(|set| Some((&set.metadata, &set.spec.as_ref()?.selector)));
                mark_selected(Kind::DaemonSet, change, pod, &mut sets, dirty);
            }
            Object::Node(_) => {
                let side = |object: &Option<Object>| {
                    let node = object.as_ref()?.get::<Node>()?;
                    Some((
                        node.metadata.labels.clone(),
                        node.spec.as_ref().and_then(|spec| spec.taints.clone()),
                    ))
                };
                if side(&change.old) != side(&change.new) {
                    dirty.extend(caches.keys(Kind::DaemonSet).cloned());
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(set) = observed.caches.by_key::<DaemonSet>(key) else {
            return plan;
        };
        let Some(spec) = &set.spec else { return plan };
        if set.metadata.deletion_timestamp.is_some() {
            return plan;
        }
        let history = History {
            kind: Kind::DaemonSet,
            owner: &set.metadata,
            template: &spec.template,
            hash_label: HASH_LABEL,
            limit: spec.revision_history_limit.unwrap_or(10),
        };
        let present = history.sync(observed.caches, &mut plan.duties);
        let mut model = pod_from_template(
            &spec.template,
            &set.metadata,
            controller_ref(Kind::DaemonSet, &set.metadata),
        );
        let labels = model.metadata.labels.get_or_insert_default();
        labels.insert(HASH_LABEL.to_owned(), present.hash.clone());
        if let Some(generation) = set
            .metadata
            .annotations
            .as_ref()
            .and_then(|annotations| annotations.get(GENERATION))
        {
            labels.insert(GENERATION_LABEL.to_owned(), generation.clone());
        }
        let pod_spec = model.spec.get_or_insert_default();
        let tolerations = pod_spec.tolerations.get_or_insert_default();
        for toleration in daemon_tolerations(pod_spec.host_network == Some(true)) {
            if !tolerations.contains(&toleration) {
                tolerations.push(toleration);
            }
        }
        let matches = |pod: &Pod| selector_matches(&spec.selector, pod.metadata.labels.as_ref());
        let uid = set.metadata.uid.as_deref().unwrap_or("");
        let claimed = claim_pods(
            Kind::DaemonSet,
            &set.metadata,
            matches,
            observed.caches.pods().of(Kind::DaemonSet, uid),
            observed.caches.pods().orphans(&key.namespace),
            &mut plan.duties,
        );
        let mut by_node: SortedMap<&str, Vec<&Arc<Pod>>> = SortedMap::new();
        for pod in &claimed {
            by_node
                .entry(target_node(pod).unwrap_or(""))
                .or_default()
                .push(pod);
        }
        let nodes: Vec<&Arc<Node>> = observed.caches.list::<Node>("").collect();
        let look = Look {
            key,
            set,
            spec,
            model,
            present,
            now: observed.now,
        };
        let before = plan.duties.len();
        look.manage(&nodes, &by_node, &mut plan);
        if plan.duties.len() == before && look.rolls() {
            look.roll(&nodes, &by_node, &mut plan);
        }
        let live = |hash: &String| {
            claimed.iter().any(|pod| {
                pod.metadata
                    .labels
                    .as_ref()
                    .and_then(|labels| labels.get(HASH_LABEL))
                    == Some(hash)
            })
        };
        history.truncate(
            observed.caches,
            |revision| {
                revision.metadata.name.as_ref() == Some(&look.present.name)
                    || revision
                        .metadata
                        .labels
                        .as_ref()
                        .and_then(|labels| labels.get(HASH_LABEL))
                        .is_some_and(live)
            },
            &mut plan.duties,
        );
        let status = look.status(&nodes, &by_node, &mut plan);
        if set.status.as_ref() != Some(&status) {
            let why = Why::new("daemonset.status", &[&key.name, &status.number_ready.to_string()]);
            let mut updated = (**set).clone();
            updated.status = Some(status);
            plan.duties
                .push(crate::seat::Duty::api(why, Request::update_status(updated)));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::DaemonSet).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::{Value, json};

    fn set(image: &str) -> Value {
        json!({"metadata": {"name": "ds", "namespace": "d", "uid": "u", "generation": 1, "annotations": {GENERATION: "1"}},
               "spec": {"selector": {"matchLabels": {"a": "b"}}, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
                        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
    }

    /// Stores what is created, ready at once; answers what was done.
    fn perform(bench: &mut Bench<DaemonSets>, nr: &mut usize) -> Vec<String> {
        let plan = bench.plan(Kind::DaemonSet, "d", "ds");
        for duty in &plan.duties {
            let crate::seat::Action::Api(request) = &duty.action else {
                continue;
            };
            let mut object = body(duty);
            match (request.kind, object.is_null()) {
                (kind, true) => {
                    bench.remove(kind, "d", &request.name);
                }
                (Kind::Pod, _) => {
                    *nr += 1;
                    object["metadata"]["name"] = format!("ds-{nr}").into();
                    object["status"] =
                        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
                    bench.put(Kind::Pod, object);
                }
                (kind, _) => {
                    bench.put(kind, object);
                }
            }
        }
        verbs(&plan)
    }

    #[test]
    fn one_on_every_node_and_rolls_one_at_a_time() {
        let mut bench = Bench::new(DaemonSets);
        let mut nr = 0;
        bench
            .put(Kind::Node, json!({"metadata": {"name": "n1"}}))
            .put(Kind::Node, json!({"metadata": {"name": "n2"}}));
        bench.put(Kind::Node, json!({"metadata": {"name": "tainted"}, "spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}}));
        bench.put(Kind::DaemonSet, set("a"));
        let first = bench.plan(Kind::DaemonSet, "d", "ds");
        assert_eq!(
            verbs(&first)[1..],
            [
                "create pods ds-",
                "create pods ds-",
                "update daemonsets/status ds"
            ]
        );
        assert!(verbs(&first)[0].starts_with("create controllerrevisions ds-"));
        let pod = body(&first.duties[1]);
        let term = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            ["nodeSelectorTerms"][0];
        assert_eq!(term["matchFields"][0]["values"], json!(["n1"]));
        assert_eq!(pod["metadata"]["labels"]["pod-template-generation"], "1");
        while !perform(&mut bench, &mut nr).is_empty() {}
        let status = bench
            .caches
            .get::<DaemonSet>("d", "ds")
            .unwrap()
            .status
            .clone()
            .unwrap();
        assert_eq!(
            (
                status.desired_number_scheduled,
                status.number_ready,
                status.number_available
            ),
            (2, 2, Some(2))
        );
        let mut newer = set("b");
        newer["status"] = serde_json::to_value(&status).unwrap();
        bench.put(Kind::DaemonSet, newer);
        let mut deleted = 0;
        for _ in 0..20 {
            let done = perform(&mut bench, &mut nr);
            let now = done.iter().filter(|line| line.starts_with("delete pods")).count();
            assert!(now <= 1, "{done:?}");
            deleted += now;
        }
        assert_eq!(deleted, 2);
        assert_eq!(
            bench
                .caches
                .get::<DaemonSet>("d", "ds")
                .unwrap()
                .status
                .as_ref()
                .unwrap()
                .updated_number_scheduled,
            Some(2)
        );
    }
}
