//! Pods with names and volumes of their own, one after the other.
//!
//! Source: pkg/controller/statefulset (stateful_set_control.go, stateful_set_utils.go,
//! stateful_pod_control.go).

use super::claim::claim_pods;
use super::owned::{mark_selected, owner_keys};
use super::pods::{normal, on_failure, pod_from_template, warning};
use super::revisions::{History, Present};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Request};
use crate::client::helpers::{
    Labels, controller_ref, pod_is_available, pod_is_ready, pod_is_terminal, pod_phase, selector_matches,
};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetSpec, StatefulSetStatus};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodTemplateSpec, Volume,
};
use std::sync::Arc;

const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";
const REVISION: &str = "controller-revision-hash";
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// The statefulset controller.
#[derive(Clone, Debug, Default)]
pub struct StatefulSets;

/// The number in `web-3`, if the Pod is one of the set `web`.
fn ordinal(set: &str, pod: &Pod) -> Option<i32> {
    let (parent, number) = pod.metadata.name.as_deref()?.rsplit_once('-')?;
    (parent == set).then(|| number.parse().ok())?
}

fn revision_of(pod: &Pod) -> &str {
    pod.metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(REVISION))
        .map_or("", String::as_str)
}

fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Running and ready, and not on its way out.
fn is_healthy(pod: &Pod) -> bool {
    pod_phase(pod) == "Running" && pod_is_ready(pod) && !is_terminating(pod)
}

struct Look<'a> {
    key: &'a Key,
    set: &'a Arc<StatefulSet>,
    spec: &'a StatefulSetSpec,
    caches: &'a Caches,
    now: SimTime,
    /// The revision in use before the present rollout, and the one rolled out.
    current: String,
    update: Present,
}

impl Look<'_> {
    fn first(&self) -> i32 {
        self.spec
            .ordinals
            .as_ref()
            .and_then(|ordinals| ordinals.start)
            .unwrap_or(0)
    }

    fn end(&self) -> i32 {
        self.first() + self.spec.replicas.unwrap_or(1)
    }

    fn partition(&self) -> i32 {
        let rolling = self
            .spec
            .update_strategy
            .as_ref()
            .and_then(|strategy| strategy.rolling_update.as_ref());
        rolling.and_then(|rolling| rolling.partition).unwrap_or(0)
    }

    fn rolls(&self) -> bool {
        self.spec
            .update_strategy
            .as_ref()
            .and_then(|strategy| strategy.type_.as_deref())
            != Some("OnDelete")
    }

    fn one_by_one(&self) -> bool {
        self.spec.pod_management_policy.as_deref() != Some("Parallel")
    }

    fn available(&self, pod: &Pod, plan: &mut Plan) -> bool {
        match pod_is_available(pod, self.spec.min_ready_seconds.unwrap_or(0), self.now) {
            Ok(available) => available && is_healthy(pod),
            Err(missing) => {
                plan.again_after(missing);
                false
            }
        }
    }

    /// Which revision a Pod of this number is made from.
    fn revision_for(&self, ordinal: i32) -> &str {
        if self.rolls() && ordinal < self.first() + self.partition() {
            &self.current
        } else {
            &self.update.name
        }
    }

    fn template(&self, revision: &str) -> PodTemplateSpec {
        if revision != self.update.name
            && let Some(known) = self
                .caches
                .get::<ControllerRevision>(&self.key.namespace, revision)
            && let Some(template) = known
                .data
                .as_ref()
                .and_then(|raw| raw.0.get("spec")?.get("template"))
        {
            let mut template = template.clone();
            if let Some(fields) = template.as_object_mut() {
                fields.remove("$patch");
            }
            // A template has the form of a Pod, whose decoder is there anyway.
            if let Ok(Object::Pod(pod)) = Object::from_value(Kind::Pod, template) {
                return PodTemplateSpec {
                    metadata: Some(pod.metadata.clone()),
                    spec: pod.spec.clone(),
                };
            }
        }
        self.spec.template.clone()
    }

    fn claim_name(&self, template: &PersistentVolumeClaim, pod: &str) -> String {
        format!("{}-{pod}", template.metadata.name.as_deref().unwrap_or(""))
    }

    fn create(&self, ordinal: i32, plan: &mut Plan) {
        let (namespace, set) = (&*self.key.namespace, &*self.key.name);
        let name = format!("{set}-{ordinal}");
        let revision = self.revision_for(ordinal).to_owned();
        let mut pod = pod_from_template(
            &self.template(&revision),
            &self.set.metadata,
            controller_ref(Kind::StatefulSet, &self.set.metadata),
        );
        pod.metadata.generate_name = Some(format!("{set}-"));
        pod.metadata.name = Some(name.clone());
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(POD_NAME.to_owned(), name.clone());
        labels.insert(POD_INDEX.to_owned(), ordinal.to_string());
        labels.insert(REVISION.to_owned(), revision);
        let spec = pod.spec.get_or_insert_default();
        spec.hostname = Some(name.clone());
        spec.subdomain = self
            .spec
            .service_name
            .clone()
            .filter(|service| !service.is_empty());
        for template in self.spec.volume_claim_templates.iter().flatten() {
            let claim_name = self.claim_name(template, &name);
            let volume_name = template.metadata.name.clone().unwrap_or_default();
            let volumes = spec.volumes.get_or_insert_default();
            volumes.retain(|volume| volume.name != volume_name);
            volumes.push(Volume {
                name: volume_name,
                persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                    claim_name: claim_name.clone(),
                    read_only: None,
                }),
                ..Volume::default()
            });
            if self
                .caches
                .get::<PersistentVolumeClaim>(namespace, &claim_name)
                .is_none()
            {
                let mut claim = template.clone();
                claim.metadata.name = Some(claim_name.clone());
                claim.metadata.namespace = Some(namespace.to_owned());
                claim
                    .metadata
                    .labels
                    .get_or_insert_with(Labels::new)
                    .extend(self.spec.selector.match_labels.clone().unwrap_or_default());
                claim.status = None;
                let message = format!("create Claim {claim_name} Pod {name} in StatefulSet {set} success");
                let failed = format!(
                    "create Claim {claim_name} for Pod {name} in StatefulSet {set} failed error: {{error}}"
                );
                let why = Why::new("statefulset.claim", &[set, &claim_name]);
                plan.duties.push(
                    Duty::api(why, Request::create(claim))
                        .note(normal(self.key, "SuccessfulCreate", message))
                        .note(on_failure(self.key, "FailedCreate", failed)),
                );
            }
        }
        let message = format!("create Pod {name} in StatefulSet {set} successful");
        let failed = format!("create Pod {name} in StatefulSet {set} failed error: {{error}}");
        plan.duties.push(
            Duty::api(
                Why::new("statefulset.create", &[set, &name]),
                Request::create(pod),
            )
            .note(normal(self.key, "SuccessfulCreate", message))
            .note(on_failure(self.key, "FailedCreate", failed)),
        );
    }

    fn delete(&self, pod: &Pod, sentence: &'static str, plan: &mut Plan) {
        let (set, name) = (&*self.key.name, pod.metadata.name.as_deref().unwrap_or(""));
        let message = format!("delete Pod {name} in StatefulSet {set} successful");
        let failed = format!("delete Pod {name} in StatefulSet {set} failed error: {{error}}");
        let request = Request::delete(Kind::Pod, &self.key.namespace, name, DeleteOptions::default());
        plan.duties.push(
            Duty::api(Why::new(sentence, &[set, name]), request)
                .note(normal(self.key, "SuccessfulDelete", message))
                .note(on_failure(self.key, "FailedDelete", failed)),
        );
    }

    /// Creates, replaces and removes Pods in the order of their numbers.
    fn manage(&self, pods: &SortedMap<i32, &Arc<Pod>>, plan: &mut Plan) {
        let orderly = self.one_by_one();
        for ordinal in self.first()..self.end() {
            match pods.get(&ordinal) {
                None => {
                    self.create(ordinal, plan);
                    if orderly {
                        return;
                    }
                }
                Some(pod) if pod_is_terminal(pod) && !is_terminating(pod) => {
                    let name = pod.metadata.name.as_deref().unwrap_or("");
                    let message = format!(
                        "StatefulSet {}/{} is recreating {} Pod {name}",
                        self.key.namespace,
                        self.key.name,
                        pod_phase(pod).to_lowercase()
                    );
                    plan.notes.push(warning(self.key, "RecreatingFailedPod", message));
                    self.delete(pod, "statefulset.replace", plan);
                    if orderly {
                        return;
                    }
                }
                Some(pod) => {
                    if orderly && (is_terminating(pod) || !self.available(pod, plan)) {
                        return;
                    }
                }
            }
        }
        // From the highest number down.
        let condemned: Vec<_> = pods
            .iter()
            .rev()
            .filter(|(ordinal, _)| **ordinal < self.first() || **ordinal >= self.end())
            .collect();
        for (_, pod) in &condemned {
            if is_terminating(pod) {
                if orderly {
                    return;
                }
                continue;
            }
            self.delete(pod, "statefulset.scale_down", plan);
            if orderly {
                return;
            }
        }
        if condemned.is_empty() && self.rolls() {
            self.roll(pods, plan);
        }
    }

    /// Replaces the Pod with the highest number that is of an older template.
    fn roll(&self, pods: &SortedMap<i32, &Arc<Pod>>, plan: &mut Plan) {
        for ordinal in (self.first() + self.partition()..self.end()).rev() {
            let Some(pod) = pods.get(&ordinal) else { return };
            if revision_of(pod) != self.update.name && !is_terminating(pod) {
                self.delete(pod, "statefulset.roll", plan);
                return;
            }
            if !is_healthy(pod) || !self.available(pod, plan) {
                return;
            }
        }
    }

    fn status(&self, pods: &SortedMap<i32, &Arc<Pod>>, plan: &mut Plan) -> StatefulSetStatus {
        let known = self.set.status.clone().unwrap_or_default();
        let none = |count: i32| (count != 0).then_some(count);
        let count = |test: &dyn Fn(&Pod) -> bool| pods.values().filter(|pod| test(pod)).count() as i32;
        let live = |pod: &Pod| !is_terminating(pod);
        let available: i32 = pods
            .values()
            .map(|pod| i32::from(self.available(pod, plan)))
            .sum();
        let replicas = pods.len() as i32;
        let ready = count(&|pod| pod_phase(pod) == "Running" && pod_is_ready(pod));
        let updated = count(&|pod| live(pod) && revision_of(pod) == self.update.name);
        let mut current = count(&|pod| live(pod) && revision_of(pod) == self.current);
        let mut current_revision = self.current.clone();
        // The rollout is over: what was new is what is current.
        if self.rolls()
            && updated == replicas
            && ready == replicas
            && self.partition() == 0
            && current_revision != self.update.name
        {
            current_revision = self.update.name.clone();
            current = updated;
        }
        StatefulSetStatus {
            replicas,
            ready_replicas: none(ready),
            available_replicas: Some(available),
            current_replicas: none(current),
            updated_replicas: none(updated),
            current_revision: Some(current_revision),
            update_revision: Some(self.update.name.clone()),
            collision_count: Some(known.collision_count.unwrap_or(0)),
            observed_generation: self.set.metadata.generation,
            conditions: known.conditions,
        }
    }
}

impl Component for StatefulSets {
    fn name(&self) -> &'static str {
        "statefulset"
    }

    fn identity(&self) -> Identity {
        super::identity("statefulset-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [
            Kind::StatefulSet,
            Kind::Pod,
            Kind::PersistentVolumeClaim,
            Kind::ControllerRevision,
        ]
        .map(Watch::indexed)
        .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::StatefulSet(_) => dirty.push(change.key.clone()),
            Object::ControllerRevision(_) => owner_keys(Kind::StatefulSet, change, dirty),
            Object::Pod(pod) => {
                let sets = caches.list::<StatefulSet>(&change.key.namespace);
                let mut sets = sets.filter_map(|set| Some((&set.metadata, &set.spec.as_ref()?.selector)));
                mark_selected(Kind::StatefulSet, change, pod, &mut sets, dirty);
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(set) = observed.caches.by_key::<StatefulSet>(key) else {
            return plan;
        };
        let Some(spec) = &set.spec else { return plan };
        let history = History {
            kind: Kind::StatefulSet,
            owner: &set.metadata,
            template: &spec.template,
            hash_label: HASH_LABEL,
            limit: spec.revision_history_limit.unwrap_or(10),
        };
        let update = history.sync(observed.caches, &mut plan.duties);
        let known = set
            .status
            .as_ref()
            .and_then(|status| status.current_revision.clone());
        let current = known
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| update.name.clone());
        let matches = |pod: &Pod| {
            selector_matches(&spec.selector, pod.metadata.labels.as_ref())
                && ordinal(&key.name, pod).is_some()
        };
        let uid = set.metadata.uid.as_deref().unwrap_or("");
        let claimed = claim_pods(
            Kind::StatefulSet,
            &set.metadata,
            matches,
            observed.caches.pods().of(Kind::StatefulSet, uid),
            observed.caches.pods().orphans(&key.namespace),
            &mut plan.duties,
        );
        let pods: SortedMap<i32, &Arc<Pod>> = claimed
            .into_iter()
            .filter_map(|pod| Some((ordinal(&key.name, pod)?, pod)))
            .collect();
        let look = Look {
            key,
            set,
            spec,
            caches: observed.caches,
            now: observed.now,
            current,
            update,
        };
        if set.metadata.deletion_timestamp.is_none() {
            look.manage(&pods, &mut plan);
        }
        let used = |revision: &ControllerRevision| {
            let name = revision.metadata.name.as_deref().unwrap_or("");
            name == look.current
                || name == look.update.name
                || pods.values().any(|pod| revision_of(pod) == name)
        };
        history.truncate(observed.caches, used, &mut plan.duties);
        let status = look.status(&pods, &mut plan);
        if set.status.as_ref() != Some(&status) {
            let ready = status.ready_replicas.unwrap_or(0).to_string();
            let mut updated = (**set).clone();
            updated.status = Some(status);
            let why = Why::new("statefulset.status", &[&key.name, &ready]);
            plan.duties.push(Duty::api(why, Request::update_status(updated)));
        }
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::StatefulSet).cloned().collect()
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

    fn set(replicas: i32, image: &str) -> Value {
        json!({"metadata": {"name": "db", "namespace": "d", "uid": "u", "generation": 1},
               "spec": {"replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"a": "b"}},
                        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
                        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
    }

    /// Does everything until nothing is left, Pods ready at once; answers what happened to Pods.
    fn settle(bench: &mut Bench<StatefulSets>, wanted: Value) -> Vec<String> {
        let mut done = Vec::new();
        let mut set = wanted;
        bench.put(Kind::StatefulSet, set.clone());
        for _ in 0..40 {
            let plan = bench.plan(Kind::StatefulSet, "d", "db");
            if plan.duties.is_empty() {
                return done;
            }
            done.extend(verbs(&plan).into_iter().filter(|line| line.contains(" pods ")));
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
                        object["status"] =
                            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
                        bench.put(Kind::Pod, object);
                    }
                    (Kind::StatefulSet, _) => {
                        set["status"] = object["status"].clone();
                        bench.put(Kind::StatefulSet, set.clone());
                    }
                    (kind, _) => {
                        bench.put(kind, object);
                    }
                }
            }
        }
        panic!("does not settle: {done:?}")
    }

    #[test]
    fn in_order_up_down_and_through_an_update() {
        let mut bench = Bench::new(StatefulSets);
        assert_eq!(
            settle(&mut bench, set(2, "a")),
            ["create pods db-0", "create pods db-1"]
        );
        let pod = bench.caches.get::<Pod>("d", "db-1").unwrap();
        let spec = pod.spec.as_ref().unwrap();
        assert_eq!(
            (spec.hostname.as_deref(), spec.subdomain.as_deref()),
            (Some("db-1"), Some("db"))
        );
        assert_eq!(
            spec.volumes.as_ref().unwrap()[0]
                .persistent_volume_claim
                .as_ref()
                .unwrap()
                .claim_name,
            "data-db-1"
        );
        assert!(
            bench
                .caches
                .get::<PersistentVolumeClaim>("d", "data-db-0")
                .is_some()
        );
        let first = revision_of(pod).to_owned();
        let mut newer = set(2, "b");
        newer["status"] =
            serde_json::to_value(&bench.caches.get::<StatefulSet>("d", "db").unwrap().status).unwrap();
        let steps = settle(&mut bench, newer.clone());
        assert_eq!(
            steps,
            [
                "delete pods db-1",
                "create pods db-1",
                "delete pods db-0",
                "create pods db-0"
            ]
        );
        let status = bench
            .caches
            .get::<StatefulSet>("d", "db")
            .unwrap()
            .status
            .clone()
            .unwrap();
        assert_eq!(status.current_revision, status.update_revision);
        assert_ne!(status.current_revision.as_deref(), Some(&*first));
        newer["spec"]["replicas"] = json!(0);
        newer["status"] = serde_json::to_value(&status).unwrap();
        assert_eq!(
            settle(&mut bench, newer),
            ["delete pods db-1", "delete pods db-0"]
        );
    }

    #[test]
    fn waits_for_an_unready_pod_unless_parallel() {
        let mut bench = Bench::new(StatefulSets);
        bench.put(Kind::StatefulSet, set(2, "a"));
        bench.put(Kind::Pod, json!({"metadata": {"name": "db-0", "namespace": "d", "labels": {"a": "b"}, "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": true}]}}));
        assert!(!verbs(&bench.plan(Kind::StatefulSet, "d", "db")).contains(&"create pods db-1".to_owned()));
        let mut parallel = set(2, "a");
        parallel["spec"]["podManagementPolicy"] = json!("Parallel");
        bench.put(Kind::StatefulSet, parallel);
        assert!(verbs(&bench.plan(Kind::StatefulSet, "d", "db")).contains(&"create pods db-1".to_owned()));
    }
}
