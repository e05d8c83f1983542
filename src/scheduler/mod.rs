//! kube-scheduler: which node a Pod gets, and the explained verdict.
//!
//! Source: pkg/scheduler of Kubernetes 1.36 with its default profile. One key stands for the whole
//! queue: what the scheduler decides for one Pod it assumes for the next, so one run decides about
//! several and answers all their bindings.

mod cycle;
mod filter;
mod info;
mod interpod;
mod preemption;
mod resources;
mod score;
mod spread;
mod state;
mod terms;
mod verdict;
mod view;
mod volumes;
mod words;

use crate::api::codec;
use crate::api::sorted::SortedMap;
pub use filter::{Rejection, fits};
pub use info::{NodeInfo, PodInfo};
pub use resources::{Resources, milli_value, pod_requests, value};
pub use score::PluginScore;
pub use state::SchedulerState;
pub use terms::{node_admitted, tolerates, untolerated};
pub use verdict::{NodeVerdict, Verdict, verdict};
pub use volumes::volume_serves;
pub use words::WORDS;

use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, PatchType, Request, Subresource};
use crate::client::helpers::pod_condition;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Note, Observed, Plan, Why};
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::core::v1::Pod;
use preemption::Outcome;
use serde_json::json;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use view::View;

/// How many Pods one run decides about, so that no run takes long.
const PODS_PER_RUN: usize = 32;

/// A decision that nothing fits, and for which state of the cluster it holds.
#[derive(Clone, Debug)]
struct Failure {
    generation: u64,
    placed: u64,
    message: Arc<str>,
    outcome: Outcome,
}

/// The scheduler.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    state: SchedulerState,
    /// Answers already worked out: for an unchanged cluster they are the same again.
    failures: RefCell<SortedMap<Key, Failure>>,
}

/// The key that stands for the queue.
pub fn queue_key() -> Key {
    Key::new(Kind::Pod, "", "")
}

impl Scheduler {
    /// What it derived from its caches, for [`verdict`].
    pub fn state(&self) -> &SchedulerState {
        &self.state
    }

    /// The known failure of a Pod, if the cluster did not change since in a way that matters.
    fn known_failure(&self, pod: &PodInfo) -> Option<Failure> {
        let failures = self.failures.borrow();
        let known = failures.get(&pod.key)?;
        // Only who asks for neighbours can be helped by a Pod that was placed.
        let social = !pod.affinity.is_empty()
            || pod
                .pod
                .spec
                .as_ref()
                .is_some_and(|spec| spec.topology_spread_constraints.is_some());
        let valid =
            known.generation == self.state.generation && (!social || known.placed == self.state.placed);
        valid.then(|| known.clone())
    }

    fn failure(&self, view: &View<'_>, pod: &PodInfo, error: &cycle::FitError) -> Failure {
        let outcome = preemption::preempt(view, pod, error);
        Failure {
            generation: self.state.generation,
            placed: self.state.placed,
            message: verdict::explain(error, &outcome).into(),
            outcome,
        }
    }
}

/// Whether a waiting Pod changed in a way that may let it fit elsewhere.
fn wants_differ(change: &Change) -> bool {
    let pod = |object: &Option<Object>| object.as_ref().and_then(|object| object.get::<Pod>()).cloned();
    match (pod(&change.old), pod(&change.new)) {
        (Some(old), Some(new)) => old.metadata.labels != new.metadata.labels || old.spec != new.spec,
        _ => true,
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

/// The duty to bind a Pod, with the Event upstream writes.
fn bind(pod: &PodInfo, node: &str) -> Duty {
    let (namespace, name) = (&*pod.key.namespace, &*pod.key.name);
    let message = format!("Successfully assigned {namespace}/{name} to {node}");
    Duty::api(
        Why::new("scheduler.bind", &[name, node]),
        Request::bind(namespace, name, node),
    )
    .note(note(&pod.key, false, "Scheduled", message))
}

/// Claims that waited for their first consumer are told where it goes.
fn bind_volumes(pod: &PodInfo, view: &View<'_>, at: usize, duties: &mut Vec<Duty>) -> bool {
    let Ok(Some(volumes)) = volumes::Volumes::new(view.caches, pod) else {
        return false;
    };
    let node = view.node(at);
    let before = duties.len();
    for (claim, volume) in volumes.choose(node).unwrap_or_default() {
        let name = claim.metadata.name.as_deref().unwrap_or("");
        let why = |volume: &str| Why::new("scheduler.volume", &[&pod.key.name, volume, &node.name]);
        match volume {
            Some(volume) => {
                let volume_name = volume.metadata.name.as_deref().unwrap_or("");
                let patch = json!({"spec": {"claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "name": name, "namespace": claim.metadata.namespace, "uid": claim.metadata.uid}},
                    "metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}}});
                let request =
                    Request::patch(Kind::PersistentVolume, "", volume_name, PatchType::Merge, patch);
                duties.push(Duty::api(why(volume_name), request));
            }
            None => {
                let annotations = claim.metadata.annotations.as_ref();
                if annotations.is_none_or(|a| !a.contains_key("volume.kubernetes.io/selected-node")) {
                    let patch = json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": *node.name}}});
                    let request = Request::patch(
                        Kind::PersistentVolumeClaim,
                        &pod.key.namespace,
                        name,
                        PatchType::Merge,
                        patch,
                    );
                    duties.push(Duty::api(why(name), request));
                }
            }
        }
    }
    // The binding follows once the claims are bound.
    duties.len() > before
}

/// The duties after a decision that nothing fits: say so, and make room if that helps.
fn report(pod: &PodInfo, failure: &Failure, now: SimTime, duties: &mut Vec<Duty>) {
    let (namespace, name) = (&*pod.key.namespace, &*pod.key.name);
    let mut nominated = None;
    if let Outcome::Candidate { node, victims } = &failure.outcome {
        for victim in victims.iter().filter(|victim| !victim.terminating) {
            let other = &*victim.key.name;
            let why = Why::new("scheduler.preempt", &[name, other, node]);
            let condition = json!({"status": {"conditions": [{"type": "DisruptionTarget", "status": "True",
                "reason": "PreemptionByScheduler", "lastTransitionTime": codec::to_value(&now.meta_time()),
                "message": "default-scheduler: preempting to accommodate a higher priority pod"}]}});
            let request = Request::patch(
                Kind::Pod,
                &victim.key.namespace,
                other,
                PatchType::Strategic,
                condition,
            );
            duties.push(Duty::api(
                why.clone(),
                request.with_subresource(Subresource::Status),
            ));
            let request = Request::delete(Kind::Pod, &victim.key.namespace, other, DeleteOptions::default());
            let message = format!("Preempted by pod {} on node {node}", pod.uid());
            duties.push(Duty::api(why, request).note(note(&victim.key, false, "Preempted", message)));
        }
        nominated = Some(&**node);
    }
    let status = pod.pod.status.as_ref();
    let known = pod_condition(&pod.pod, "PodScheduled");
    let said = known.is_some_and(|condition| {
        condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
            && condition.message.as_deref() == Some(&*failure.message)
    });
    let named =
        nominated.is_none() || status.and_then(|status| status.nominated_node_name.as_deref()) == nominated;
    if said && named {
        return;
    }
    let since = known
        .filter(|condition| condition.status == "False")
        .and_then(|c| c.last_transition_time.clone());
    let mut patch = json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": *failure.message, "lastProbeTime": null,
        "lastTransitionTime": codec::to_value(&since.unwrap_or_else(|| now.meta_time()))}]}});
    if let Some(generation) = pod.pod.metadata.generation {
        patch["status"]["conditions"][0]["observedGeneration"] = generation.into();
    }
    if let Some(node) = nominated {
        patch["status"]["nominatedNodeName"] = node.into();
    }
    let request = Request::patch(Kind::Pod, namespace, name, PatchType::Strategic, patch);
    let duty = Duty::api(
        Why::new("scheduler.report", &[name, &failure.message]),
        request.with_subresource(Subresource::Status),
    );
    duties.push(duty.note(note(
        &pod.key,
        true,
        "FailedScheduling",
        failure.message.to_string(),
    )));
}

impl Component for Scheduler {
    fn name(&self) -> &'static str {
        "scheduler"
    }

    fn identity(&self) -> Identity {
        Identity::component(
            "system:kube-scheduler",
            &["system:authenticated"],
            "kube-scheduler",
        )
    }

    fn watches(&self) -> Vec<Watch> {
        [
            Kind::Node,
            Kind::Pod,
            Kind::Namespace,
            Kind::Service,
            Kind::ReplicaSet,
            Kind::StatefulSet,
            Kind::ReplicationController,
            Kind::PersistentVolume,
            Kind::PersistentVolumeClaim,
            Kind::StorageClass,
            Kind::PodDisruptionBudget,
        ]
        .map(Watch::all)
        .to_vec()
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if self.state.observe(change) {
            dirty.push(queue_key());
        }
        let failures = self.failures.get_mut();
        if failures.contains_key(&change.key) && wants_differ(change) {
            failures.remove(&change.key);
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, _key: &Key) -> Plan {
        let mut plan = Plan::default();
        let mut view = View::new(&self.state, observed.caches);
        let enough = cycle::feasible_to_find(view.len());
        let mut start = (self.state.placed as usize)
            .wrapping_mul(enough)
            .checked_rem(view.len())
            .unwrap_or(0);
        let mut reports = Vec::new();
        let mut decided = 0;
        for pod in self.state.queue() {
            if let Some(failure) = self.known_failure(pod) {
                report(pod, &failure, observed.now, &mut reports);
                continue;
            }
            decided += 1;
            if decided > PODS_PER_RUN {
                plan.again_after(Duration::ZERO);
                break;
            }
            match cycle::schedule(&view, pod, &mut start) {
                Ok(at) => {
                    if !bind_volumes(pod, &view, at, &mut plan.duties) {
                        plan.duties.push(bind(pod, &view.node(at).name));
                    }
                    view.assume(at, pod);
                }
                Err(error) => {
                    let failure = self.failure(&view, pod, &error);
                    report(pod, &failure, observed.now, &mut reports);
                    self.failures.borrow_mut().insert(pod.key.clone(), failure);
                }
            }
        }
        plan.duties.extend(reports);
        // What one Pod is refused is not the others' business.
        plan.independent = true;
        plan
    }

    fn all_keys(&self, _caches: &Caches) -> Vec<Key> {
        vec![queue_key()]
    }

    fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.state.placed);
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
