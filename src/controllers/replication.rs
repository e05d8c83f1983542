//! The ReplicationController's controller: a ReplicaSet's with an older selector.
//!
//! Source: pkg/controller/replication.

use super::owned::mark;
use super::replicaset::{Failures, REPLICA_FAILURE, Replicated, some_if_positive};
use crate::api::{Kind, Object};
use crate::apiserver::{Identity, Request};
use crate::client::helpers::pairs_match;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Refusal, Why};
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::core::v1::{
    Pod, ReplicationController, ReplicationControllerCondition, ReplicationControllerStatus,
};
use std::sync::Arc;

/// The replication controller.
#[derive(Clone, Debug, Default)]
pub struct ReplicationControllers {
    failures: Failures,
}

impl Component for ReplicationControllers {
    fn name(&self) -> &'static str {
        "replicationcontroller"
    }

    fn identity(&self) -> Identity {
        super::identity("replication-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::ReplicationController, Kind::Pod]
            .map(Watch::indexed)
            .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::ReplicationController(_) => dirty.push(change.key.clone()),
            Object::Pod(pod) => {
                let selects = |controller: &&Arc<ReplicationController>| {
                    let selector = controller.spec.as_ref().and_then(|spec| spec.selector.as_ref());
                    selector.is_some_and(|s| !s.is_empty() && pairs_match(s, pod.metadata.labels.as_ref()))
                };
                let controllers = caches
                    .list::<ReplicationController>(&change.key.namespace)
                    .filter(selects);
                mark(
                    Kind::ReplicationController,
                    change,
                    &mut controllers.map(|controller| &controller.metadata),
                    dirty,
                );
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(controller) = observed.caches.by_key::<ReplicationController>(key) else {
            return plan;
        };
        let Some(spec) = &controller.spec else { return plan };
        let replicated = Replicated {
            kind: Kind::ReplicationController,
            meta: &controller.metadata,
            replicas: spec.replicas.unwrap_or(1),
            min_ready_seconds: spec.min_ready_seconds.unwrap_or(0),
            template: spec.template.as_ref(),
        };
        let Some(selector) = spec.selector.as_ref().filter(|selector| !selector.is_empty()) else {
            return plan;
        };
        let matches = |pod: &Pod| pairs_match(selector, pod.metadata.labels.as_ref());
        let uid = controller.metadata.uid.as_deref().unwrap_or("");
        let mut related = observed.caches.pods().of(replicated.kind, uid);
        let counts = replicated.manage(key, matches, &mut related, observed, &mut plan);
        let known = controller.status.as_ref();
        let failure = replicated.failure(key, &self.failures, counts);
        let conditions = Replicated::conditions(
            known.and_then(|status| status.conditions.clone()),
            failure,
            |condition| &condition.type_,
            |reason, message| ReplicationControllerCondition {
                type_: REPLICA_FAILURE.to_owned(),
                status: "True".to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message.to_owned()),
                last_transition_time: Some(observed.now.meta_time()),
            },
        );
        let status = ReplicationControllerStatus {
            replicas: counts.replicas,
            fully_labeled_replicas: some_if_positive(counts.fully_labeled),
            ready_replicas: some_if_positive(counts.ready),
            available_replicas: some_if_positive(counts.available),
            observed_generation: controller.metadata.generation,
            conditions,
        };
        if known != Some(&status) {
            let (replicas, ready) = (counts.replicas.to_string(), counts.ready.to_string());
            let why = Why::new("replicaset.status", &[&key.name, &replicas, &ready]);
            let mut updated = (**controller).clone();
            updated.status = Some(status);
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

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::ReplicationController).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body, verbs};
    use serde_json::json;

    #[test]
    fn creates_pods_it_owns() {
        let mut bench = Bench::new(ReplicationControllers::default());
        bench.put(Kind::ReplicationController, json!({"metadata": {"name": "rc", "namespace": "d", "uid": "u"},
            "spec": {"replicas": 2, "selector": {"a": "b"}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}}));
        let plan = bench.plan(Kind::ReplicationController, "d", "rc");
        assert_eq!(
            verbs(&plan),
            [
                "create pods rc-",
                "create pods rc-",
                "update replicationcontrollers/status rc"
            ]
        );
        assert_eq!(
            body(&plan.duties[0])["metadata"]["ownerReferences"][0]["kind"],
            "ReplicationController"
        );
    }
}
