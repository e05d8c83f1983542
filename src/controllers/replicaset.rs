//! Keeps as many Pods as a ReplicaSet or ReplicationController asks for.
//!
//! Source: k8s.io/kubernetes/pkg/controller/replicaset (which also runs the
//! ReplicationController, converted back and forth).

use super::claim::claim_pods;
use super::owned::mark_selected;
use super::pods::{create_pod, delete_pod, pod_from_template, pods_to_delete};
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, Request};
use crate::client::helpers::{
    controller_of, controller_ref, pairs_match, pod_is_active, pod_is_available, pod_is_ready,
    pod_is_terminal, selector_matches,
};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Refusal, Why};
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

/// Source: replicaset.go, `BurstReplicas`.
const BURST_REPLICAS: usize = 500;

/// The condition of a set whose Pods cannot be created or deleted.
pub(super) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The replicaset controller.
#[derive(Clone, Debug, Default)]
pub struct ReplicaSets {
    failures: Failures,
}

/// What the API server last said to a set whose Pods it would not create or delete.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(Vec<(Key, String)>);

impl Failures {
    /// Takes in how a round of duties ended.
    pub fn answered(&mut self, key: &Key, refusal: Option<&Refusal>) {
        match refusal {
            // A refused status, say, tells nothing about the Pods.
            Some(refusal) if refusal.kind != Some(Kind::Pod) => {}
            _ => self.0.retain(|(failed, _)| failed != key),
        }
        if let Some(refusal) = refusal.filter(|refusal| refusal.kind == Some(Kind::Pod)) {
            self.0.push((key.clone(), refusal.message.clone()));
        }
    }

    pub fn hash(&self, hasher: &mut StateHasher) {
        for (key, message) in &self.0 {
            hasher.text(&key.to_string());
            hasher.text(message);
        }
    }

    fn of(&self, key: &Key) -> Option<&str> {
        let failed = self.0.iter().find(|(failed, _)| failed == key)?;
        Some(&failed.1)
    }
}

/// What counts Pods, whatever its kind is.
pub(super) struct Replicated<'a> {
    pub kind: Kind,
    pub meta: &'a ObjectMeta,
    pub replicas: i32,
    pub min_ready_seconds: i32,
    pub template: Option<&'a PodTemplateSpec>,
}

/// How many of the counted Pods are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub replicas: i32,
    pub fully_labeled: i32,
    pub ready: i32,
    pub available: i32,
    pub terminating: i32,
}

impl Replicated<'_> {
    /// Adds the duties that bring the Pods to the wanted number, and counts the Pods there are.
    pub fn manage(
        &self,
        key: &Key,
        matches: impl Fn(&Pod) -> bool,
        related: &mut dyn Iterator<Item = &Arc<Pod>>,
        observed: &Observed<'_>,
        plan: &mut Plan,
    ) -> Counts {
        let uid = self.meta.uid.as_deref().unwrap_or("");
        let pods = observed.caches.pods();
        let claimed = claim_pods(
            self.kind,
            self.meta,
            matches,
            pods.of(self.kind, uid),
            pods.orphans(&key.namespace),
            &mut plan.duties,
        );
        let (active, others): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|pod| pod_is_active(pod));
        let terminating = others.iter().filter(|pod| !pod_is_terminal(pod)).count();
        if self.meta.deletion_timestamp.is_none() {
            self.level(key, &active, related, observed, &mut plan.duties);
        }
        let mut counts = Counts {
            replicas: active.len() as i32,
            terminating: terminating as i32,
            ..Counts::default()
        };
        let none = Default::default();
        let template_labels = self
            .template
            .and_then(|t| t.metadata.as_ref())
            .and_then(|meta| meta.labels.as_ref())
            .unwrap_or(&none);
        for pod in &active {
            counts.fully_labeled += i32::from(pairs_match(template_labels, pod.metadata.labels.as_ref()));
            if pod_is_ready(pod) {
                counts.ready += 1;
                match pod_is_available(pod, self.min_ready_seconds, observed.now) {
                    Ok(available) => counts.available += i32::from(available),
                    Err(missing) => plan.again_after(missing.max(Duration::from_millis(1))),
                }
            }
        }
        counts
    }

    /// Whether the status is to say that Pods cannot be created or deleted: reason and message.
    /// Source: replica_set_utils.go, `calculateStatus`.
    pub fn failure<'f>(
        &self,
        key: &Key,
        failures: &'f Failures,
        counts: Counts,
    ) -> Option<(&'static str, &'f str)> {
        let message = failures.of(key)?;
        match counts.replicas.cmp(&self.replicas) {
            Ordering::Less => Some(("FailedCreate", message)),
            Ordering::Greater => Some(("FailedDelete", message)),
            Ordering::Equal => None,
        }
    }

    /// Adds the status to a plan. A round ends at its first refusal: what is said about the last one comes first.
    pub fn report(plan: &mut Plan, failure: Option<(&'static str, &str)>, status: Duty) {
        let at = if failure.is_some() { 0 } else { plan.duties.len() };
        plan.duties.insert(at, status);
    }

    /// The conditions a status had, with or without `ReplicaFailure`: a set's and a
    /// ReplicationController's conditions differ in name only, so `new` makes one.
    pub fn conditions<C>(
        known: Option<Vec<C>>,
        failure: Option<(&'static str, &str)>,
        type_of: impl Fn(&C) -> &str,
        new: impl Fn(&'static str, &str) -> C,
    ) -> Option<Vec<C>> {
        let mut conditions = known.unwrap_or_default();
        match failure {
            None => conditions.retain(|condition| type_of(condition) != REPLICA_FAILURE),
            Some((reason, message)) if conditions.iter().all(|c| type_of(c) != REPLICA_FAILURE) => {
                conditions.push(new(reason, message));
            }
            Some(_) => {}
        }
        (!conditions.is_empty()).then_some(conditions)
    }

    fn level(
        &self,
        key: &Key,
        active: &[&Arc<Pod>],
        related: &mut dyn Iterator<Item = &Arc<Pod>>,
        observed: &Observed<'_>,
        duties: &mut Vec<Duty>,
    ) {
        let (wanted, present) = (self.replicas.max(0) as usize, active.len());
        let (wanted_text, present_text) = (wanted.to_string(), present.to_string());
        if present < wanted {
            let Some(template) = self.template else { return };
            let why = Why::new("replicaset.create", &[&key.name, &wanted_text, &present_text]);
            let pod = pod_from_template(template, self.meta, controller_ref(self.kind, self.meta));
            let pod = Object::Pod(Arc::new(pod));
            for _ in 0..(wanted - present).min(BURST_REPLICAS) {
                duties.push(create_pod(key, why.clone(), pod.clone()));
            }
        } else if present > wanted {
            let surplus = (present - wanted).min(BURST_REPLICAS);
            for pod in pods_to_delete(active, related, surplus, observed.now) {
                let name = pod.metadata.name.as_deref().unwrap_or("");
                let why = Why::new(
                    "replicaset.delete",
                    &[&key.name, &wanted_text, &present_text, name],
                );
                duties.push(delete_pod(key, why, pod));
            }
        }
    }
}

pub(super) fn some_if_positive(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}

impl Component for ReplicaSets {
    fn name(&self) -> &'static str {
        "replicaset"
    }

    fn identity(&self) -> Identity {
        super::identity("replicaset-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all(Kind::ReplicaSet), Watch::indexed(Kind::Pod)]
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::ReplicaSet(_) => dirty.push(change.key.clone()),
            Object::Pod(pod) => {
                let sets = caches.list::<ReplicaSet>(&change.key.namespace);
                let mut sets = sets.filter_map(|set| Some((&set.metadata, &set.spec.as_ref()?.selector)));
                mark_selected(Kind::ReplicaSet, change, pod, &mut sets, dirty);
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(set) = observed.caches.by_key::<ReplicaSet>(key) else {
            return plan;
        };
        let Some(spec) = &set.spec else { return plan };
        let replicated = Replicated {
            kind: Kind::ReplicaSet,
            meta: &set.metadata,
            replicas: spec.replicas.unwrap_or(1),
            min_ready_seconds: spec.min_ready_seconds.unwrap_or(0),
            template: spec.template.as_ref(),
        };
        let owner = controller_of(&set.metadata);
        let sisters: Vec<&Arc<ReplicaSet>> = match owner {
            Some(owner) => observed
                .caches
                .list::<ReplicaSet>(&key.namespace)
                .filter(|other| controller_of(&other.metadata).is_some_and(|other| other.uid == owner.uid))
                .collect(),
            None => vec![set],
        };
        let mut related = sisters
            .iter()
            .filter_map(|sister| sister.metadata.uid.as_deref())
            .flat_map(|uid| observed.caches.pods().of(Kind::ReplicaSet, uid));
        let matches = |pod: &Pod| selector_matches(&spec.selector, pod.metadata.labels.as_ref());
        let counts = replicated.manage(key, matches, &mut related, observed, &mut plan);
        let known = set.status.as_ref();
        let failure = replicated.failure(key, &self.failures, counts);
        let conditions = Replicated::conditions(
            known.and_then(|status| status.conditions.clone()),
            failure,
            |condition| &condition.type_,
            |reason, message| ReplicaSetCondition {
                type_: REPLICA_FAILURE.to_owned(),
                status: "True".to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message.to_owned()),
                last_transition_time: Some(observed.now.meta_time()),
            },
        );
        let status = ReplicaSetStatus {
            replicas: counts.replicas,
            fully_labeled_replicas: some_if_positive(counts.fully_labeled),
            ready_replicas: some_if_positive(counts.ready),
            available_replicas: some_if_positive(counts.available),
            terminating_replicas: Some(counts.terminating),
            observed_generation: set.metadata.generation,
            conditions,
        };
        if known != Some(&status) {
            let (replicas, ready) = (counts.replicas.to_string(), counts.ready.to_string());
            let why = Why::new("replicaset.status", &[&key.name, &replicas, &ready]);
            let updated = ReplicaSet {
                metadata: set.metadata.clone(),
                spec: set.spec.clone(),
                status: Some(status),
            };
            Replicated::report(
                &mut plan,
                failure,
                Duty::api(why, Request::update_status(updated)),
            );
        }
        plan
    }

    fn answered(&mut self, key: &Key, _now: SimTime, refusal: Option<&Refusal>) {
        self.failures.answered(key, refusal);
    }

    fn hash(&self, hasher: &mut StateHasher) {
        self.failures.hash(hasher);
    }

    fn min_interval(&self) -> Duration {
        super::STATUS_INTERVAL
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::ReplicaSet).cloned().collect()
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

    fn set(replicas: i32) -> Value {
        json!({"metadata": {"name": "web", "namespace": "d", "uid": "u", "generation": 1},
               "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
                        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}}})
    }

    fn pod(name: &str, owned: bool, node: &str, ready: bool) -> Value {
        let owners = if owned {
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}])
        } else {
            json!([])
        };
        json!({"metadata": {"name": name, "namespace": "d", "labels": {"app": "web"}, "ownerReferences": owners},
               "spec": {"containers": [], "nodeName": node},
               "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]}})
    }

    #[test]
    fn creates_what_is_missing_and_reports() {
        let mut bench = Bench::new(ReplicaSets::default());
        bench
            .put(Kind::ReplicaSet, set(3))
            .put(Kind::Pod, pod("a", true, "n", true));
        let plan = bench.plan(Kind::ReplicaSet, "d", "web");
        assert_eq!(
            verbs(&plan),
            [
                "create pods web-",
                "create pods web-",
                "update replicasets/status web"
            ]
        );
        let created = body(&plan.duties[0]);
        assert_eq!(
            created["metadata"]["ownerReferences"][0]["blockOwnerDeletion"],
            true
        );
        assert_eq!(plan.duties[0].notes[0].message, "Created pod: {name}");
        let status = &body(&plan.duties[2])["status"];
        assert_eq!(
            *status,
            json!({"replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1, "terminatingReplicas": 0, "observedGeneration": 1})
        );
    }

    #[test]
    fn adopts_orphans_and_releases_strangers() {
        let mut bench = Bench::new(ReplicaSets::default());
        let mut stranger = pod("b", true, "n", true);
        stranger["metadata"]["labels"] = json!({"app": "other"});
        bench
            .put(Kind::ReplicaSet, set(1))
            .put(Kind::Pod, pod("a", false, "n", true))
            .put(Kind::Pod, stranger);
        assert!(bench.dirty.iter().any(|key| &*key.name == "web"));
        let plan = bench.plan(Kind::ReplicaSet, "d", "web");
        assert_eq!(
            verbs(&plan),
            ["patch pods b", "patch pods a", "update replicasets/status web"]
        );
    }

    #[test]
    fn deletes_as_upstream_ranks() {
        let mut bench = Bench::new(ReplicaSets::default());
        bench.put(Kind::ReplicaSet, set(1));
        bench
            .put(Kind::Pod, pod("alone", true, "n1", true))
            .put(Kind::Pod, pod("pair1", true, "n2", true));
        bench
            .put(Kind::Pod, pod("pair2", true, "n2", true))
            .put(Kind::Pod, pod("unready", true, "n3", false));
        let mut cheap = pod("cheap", true, "n4", true);
        cheap["metadata"]["annotations"] = json!({"controller.kubernetes.io/pod-deletion-cost": "-1"});
        bench
            .put(Kind::Pod, cheap)
            .put(Kind::Pod, pod("unbound", true, "", true));
        let plan = bench.plan(Kind::ReplicaSet, "d", "web");
        let deleted: Vec<_> = verbs(&plan);
        assert_eq!(
            deleted[..5],
            [
                "delete pods unbound",
                "delete pods unready",
                "delete pods cheap",
                "delete pods pair1",
                "delete pods pair2"
            ]
        );
    }

    #[test]
    fn says_that_it_cannot_create_and_that_it_can_again() {
        let mut bench = Bench::new(ReplicaSets::default());
        bench.put(Kind::ReplicaSet, set(1));
        let key = Key::new(Kind::ReplicaSet, "d", "web");
        let refusal = Refusal {
            kind: Some(Kind::Pod),
            message: "pods \"web-x\" is forbidden: exceeded quota: small".to_owned(),
        };
        bench.component.answered(&key, bench.now, Some(&refusal));
        let plan = bench.plan(Kind::ReplicaSet, "d", "web");
        assert_eq!(
            verbs(&plan),
            ["update replicasets/status web", "create pods web-"]
        );
        let mut said = body(&plan.duties[0]);
        let condition = &said["status"]["conditions"][0];
        assert_eq!(
            (&condition["type"], &condition["reason"], &condition["message"]),
            (
                &json!("ReplicaFailure"),
                &json!("FailedCreate"),
                &json!(refusal.message)
            )
        );
        said["metadata"] = set(1)["metadata"].clone();
        bench.put(Kind::ReplicaSet, said);
        assert_eq!(
            verbs(&bench.plan(Kind::ReplicaSet, "d", "web")),
            ["create pods web-"]
        );
        bench.component.answered(&key, bench.now, None);
        bench.put(Kind::Pod, pod("a", true, "n", true));
        let plan = bench.plan(Kind::ReplicaSet, "d", "web");
        assert_eq!(verbs(&plan), ["update replicasets/status web"]);
        assert_eq!(body(&plan.duties[0])["status"].get("conditions"), None);
    }

    #[test]
    fn waits_for_min_ready_seconds() {
        let mut bench = Bench::new(ReplicaSets::default());
        let mut wanted = set(1);
        wanted["spec"]["minReadySeconds"] = json!(10);
        let mut ready = pod("a", true, "n", true);
        ready["status"]["conditions"][0]["lastTransitionTime"] =
            json!((bench.now - Duration::from_secs(4)).timestamp().to_string());
        bench.put(Kind::ReplicaSet, wanted).put(Kind::Pod, ready);
        let plan = bench.plan(Kind::ReplicaSet, "d", "web");
        assert_eq!(plan.again_after, Some(Duration::from_secs(6)));
        assert_eq!(body(&plan.duties[0])["status"].get("availableReplicas"), None);
    }
}
