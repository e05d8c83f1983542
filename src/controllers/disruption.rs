//! How many Pods a PodDisruptionBudget lets go.
//!
//! Source: pkg/controller/disruption/disruption.go.

use super::deployment::scaled_value;
use super::pods::normal;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, Request};
use crate::client::helpers::{controller_of, moment, pod_is_ready, pod_is_terminal, selector_matches};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, ReplicationController};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long an eviction may take until it counts as not having happened. Source: `DeletionTimeout`.
const DELETION_TIMEOUT: Duration = Duration::from_secs(120);

/// The disruption controller.
#[derive(Clone, Debug, Default)]
pub struct Disruptions;

/// How many Pods the controllers of these Pods want; the error is upstream's.
fn wanted(caches: &Caches, namespace: &str, pods: &[&Arc<Pod>]) -> Result<i32, String> {
    let mut scales: SortedMap<String, i32> = SortedMap::new();
    for pod in pods {
        let Some(owner) = controller_of(&pod.metadata) else {
            continue;
        };
        let set = caches
            .get::<ReplicaSet>(namespace, &owner.name)
            .filter(|_| owner.kind == "ReplicaSet");
        let above = set
            .and_then(|set| controller_of(&set.metadata))
            .filter(|above| above.kind == "Deployment");
        let (uid, scale) = match (owner.kind.as_str(), above) {
            ("ReplicaSet", Some(above)) => {
                let found = caches.get::<Deployment>(namespace, &above.name);
                (
                    &above.uid,
                    found
                        .and_then(|d| d.spec.as_ref())
                        .map(|spec| spec.replicas.unwrap_or(1)),
                )
            }
            ("ReplicaSet", None) => (
                &owner.uid,
                set.and_then(|set| set.spec.as_ref())
                    .map(|spec| spec.replicas.unwrap_or(1)),
            ),
            ("StatefulSet", _) => {
                let found = caches.get::<StatefulSet>(namespace, &owner.name);
                (
                    &owner.uid,
                    found
                        .and_then(|set| set.spec.as_ref())
                        .map(|spec| spec.replicas.unwrap_or(1)),
                )
            }
            ("ReplicationController", _) => {
                let found = caches.get::<ReplicationController>(namespace, &owner.name);
                (
                    &owner.uid,
                    found
                        .and_then(|rc| rc.spec.as_ref())
                        .map(|spec| spec.replicas.unwrap_or(1)),
                )
            }
            (kind, _) => {
                let plural = Kind::by_api_version(&owner.api_version, kind)
                    .map_or_else(|| kind.to_lowercase(), |k| k.info().qualified_resource());
                return Err(format!("{plural} does not implement the scale subresource"));
            }
        };
        if let Some(scale) = scale {
            scales.insert(uid.clone(), scale);
        }
    }
    Ok(scales.values().sum())
}

/// Expected and desired numbers of Pods.
fn numbers(
    caches: &Caches,
    budget: &PodDisruptionBudget,
    namespace: &str,
    pods: &[&Arc<Pod>],
) -> Result<(i32, i32), String> {
    let spec = budget.spec.as_ref();
    if let Some(limit) = spec.and_then(|spec| spec.max_unavailable.as_ref()) {
        let expected = wanted(caches, namespace, pods)?;
        return Ok((
            expected,
            (expected - scaled_value(Some(limit), expected, true)).max(0),
        ));
    }
    match spec.and_then(|spec| spec.min_available.as_ref()) {
        Some(IntOrString::Int(count)) => Ok((pods.len() as i32, *count)),
        Some(percent) => {
            let expected = wanted(caches, namespace, pods)?;
            Ok((expected, scaled_value(Some(percent), expected, true)))
        }
        None => Ok((pods.len() as i32, 0)),
    }
}

impl Disruptions {
    fn budgets_of(caches: &Caches, pod: &Pod, dirty: &mut Vec<Key>) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
        for budget in caches.list::<PodDisruptionBudget>(namespace) {
            let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
            if selector.is_some_and(|selector| selector_matches(selector, pod.metadata.labels.as_ref())) {
                dirty.push(Key::of(&Object::PodDisruptionBudget(budget.clone())));
            }
        }
    }

    /// The evictions that are under way, and when the next of them would count as forgotten.
    fn disrupted(
        budget: &PodDisruptionBudget,
        pods: &[&Arc<Pod>],
        now: SimTime,
    ) -> (BTreeMap<String, Time>, Option<SimTime>) {
        let known = budget
            .status
            .as_ref()
            .and_then(|status| status.disrupted_pods.clone())
            .unwrap_or_default();
        let mut kept = BTreeMap::new();
        let mut next = None;
        for (name, time) in known {
            let pod = pods
                .iter()
                .find(|pod| pod.metadata.name.as_deref() == Some(&name));
            let Some(_) = pod.filter(|pod| pod.metadata.deletion_timestamp.is_none()) else {
                continue;
            };
            let due = moment(&Some(time.clone())).unwrap_or(now) + DELETION_TIMEOUT;
            if due > now {
                next = Some(next.map_or(due, |known: SimTime| known.min(due)));
                kept.insert(name, time);
            }
        }
        (kept, next)
    }
}

fn condition(
    known: Option<&Vec<Condition>>,
    generation: Option<i64>,
    result: Result<bool, String>,
    now: SimTime,
) -> Condition {
    let (status, reason, message) = match result {
        Ok(true) => ("True", "SufficientPods", String::new()),
        Ok(false) => ("False", "InsufficientPods", String::new()),
        Err(message) => ("False", "SyncFailed", message),
    };
    let before = known
        .into_iter()
        .flatten()
        .find(|known| known.type_ == "DisruptionAllowed" && known.status == status);
    Condition {
        type_: "DisruptionAllowed".to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation: generation,
        last_transition_time: before
            .map_or_else(|| now.meta_time(), |before| before.last_transition_time.clone()),
    }
}

impl Component for Disruptions {
    fn name(&self) -> &'static str {
        "disruption"
    }

    fn identity(&self) -> Identity {
        super::identity("disruption-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        let kinds = [
            Kind::PodDisruptionBudget,
            Kind::Pod,
            Kind::ReplicaSet,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::ReplicationController,
        ];
        kinds.map(Watch::all).to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::PodDisruptionBudget(_) => dirty.push(change.key.clone()),
            Object::Pod(pod) => {
                Self::budgets_of(caches, pod, dirty);
                let old = change.old.as_ref().and_then(|old| old.get::<Pod>());
                if let Some(old) = old.filter(|old| old.metadata.labels != pod.metadata.labels) {
                    Self::budgets_of(caches, old, dirty);
                }
            }
            // Their sizes matter to budgets that count in percent.
            Object::ReplicaSet(_)
            | Object::Deployment(_)
            | Object::StatefulSet(_)
            | Object::ReplicationController(_) => {
                let resized = match (&change.old, &change.new) {
                    (Some(old), Some(new)) => old.meta().generation != new.meta().generation,
                    _ => false,
                };
                if resized {
                    dirty.extend(
                        caches
                            .keys_in(Kind::PodDisruptionBudget, &change.key.namespace)
                            .cloned(),
                    );
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let (caches, now) = (observed.caches, observed.now);
        let Some(budget) = caches.by_key::<PodDisruptionBudget>(key) else {
            return plan;
        };
        let Some(selector) = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref()) else {
            return plan;
        };
        let covered = |pod: &&Arc<Pod>| selector_matches(selector, pod.metadata.labels.as_ref());
        let pods: Vec<&Arc<Pod>> = caches.list::<Pod>(&key.namespace).filter(covered).collect();
        if pods.is_empty() {
            plan.facts
                .push(normal(key, "NoPods", "No matching pods found").into());
        }
        let (disrupted, next) = Self::disrupted(budget, &pods, now);
        if let Some(next) = next {
            plan.again_after(next.since(now));
        }
        let known = budget.status.clone().unwrap_or_default();
        let generation = budget.metadata.generation;
        let status = match numbers(caches, budget, &key.namespace, &pods) {
            Ok((expected, desired)) => {
                let healthy = |pod: &&&Arc<Pod>| {
                    let name = pod.metadata.name.as_deref().unwrap_or("");
                    pod.metadata.deletion_timestamp.is_none()
                        && !pod_is_terminal(pod)
                        && pod_is_ready(pod)
                        && !disrupted.contains_key(name)
                };
                let healthy = pods.iter().filter(healthy).count() as i32;
                let allowed = if expected <= 0 {
                    0
                } else {
                    (healthy - desired).max(0)
                };
                PodDisruptionBudgetStatus {
                    conditions: Some(vec![condition(
                        known.conditions.as_ref(),
                        generation,
                        Ok(allowed > 0),
                        now,
                    )]),
                    current_healthy: Some(healthy),
                    desired_healthy: Some(desired),
                    disrupted_pods: (!disrupted.is_empty()).then_some(disrupted),
                    disruptions_allowed: Some(allowed),
                    expected_pods: Some(expected),
                    observed_generation: generation,
                }
            }
            Err(message) => PodDisruptionBudgetStatus {
                conditions: Some(vec![condition(
                    known.conditions.as_ref(),
                    generation,
                    Err(message),
                    now,
                )]),
                disruptions_allowed: Some(0),
                observed_generation: generation,
                ..known.clone()
            },
        };
        if status != known {
            let allowed = status.disruptions_allowed.unwrap_or(0).to_string();
            let mut updated = (**budget).clone();
            updated.status = Some(status);
            let why = Why::new("disruption.status", &[&key.name, &allowed]);
            plan.duties.push(Duty::api(why, Request::update_status(updated)));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::PodDisruptionBudget).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body};
    use serde_json::{Value, json};

    fn bench(spec: Value) -> Bench<Disruptions> {
        let mut bench = Bench::new(Disruptions);
        let mut spec = spec;
        spec["selector"] = json!({"matchLabels": {"a": "b"}});
        bench.put(
            Kind::PodDisruptionBudget,
            json!({"metadata": {"name": "p", "namespace": "d", "generation": 1}, "spec": spec}),
        );
        bench.put(Kind::ReplicaSet, json!({"metadata": {"name": "rs", "namespace": "d", "uid": "r"}, "spec": {"replicas": 4, "selector": {}}}));
        for (name, ready) in [("x", "True"), ("y", "True"), ("z", "False")] {
            bench.put(Kind::Pod, json!({"metadata": {"name": name, "namespace": "d", "labels": {"a": "b"}, "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "r", "controller": true}]},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}}));
        }
        bench
    }

    fn status(bench: &Bench<Disruptions>) -> Value {
        body(&bench.plan(Kind::PodDisruptionBudget, "d", "p").duties[0])["status"].clone()
    }

    #[test]
    fn counts() {
        let counted = status(&bench(json!({"minAvailable": 1})));
        assert_eq!(
            (
                &counted["disruptionsAllowed"],
                &counted["expectedPods"],
                &counted["currentHealthy"]
            ),
            (&json!(1), &json!(3), &json!(2))
        );
        assert_eq!(counted["conditions"][0]["reason"], "SufficientPods");
        let percent = status(&bench(json!({"minAvailable": "50%"})));
        assert_eq!(
            (&percent["desiredHealthy"], &percent["disruptionsAllowed"]),
            (&json!(2), &json!(0))
        );
        let unavailable = status(&bench(json!({"maxUnavailable": 3})));
        assert_eq!(
            (&unavailable["expectedPods"], &unavailable["disruptionsAllowed"]),
            (&json!(4), &json!(1))
        );
    }
}
