//! Rolls a Deployment's template out through ReplicaSets.
//!
//! Source: pkg/controller/deployment (deployment_controller.go, sync.go, rolling.go, recreate.go,
//! progress.go).

mod progress;
mod strategy;
mod sync;
mod util;

use super::claim::{adopt, release};
use crate::api::{Kind, Object};
use crate::apiserver::Identity;
use crate::client::helpers::{
    controller_of, controller_ref, pod_is_terminal, selector_is_empty, selector_matches,
};
use crate::client::{Caches, Change, PodIndex, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet};
use std::sync::Arc;
use std::time::Duration;
use util::{Wanted, by_age, name, same_template};
pub(super) use util::{safe_encode, scaled_value};

/// The deployment controller.
#[derive(Clone, Debug, Default)]
pub struct Deployments;

/// One look at one Deployment.
struct Rollout<'a> {
    pods: &'a PodIndex,
    key: &'a Key,
    deployment: &'a Arc<Deployment>,
    wanted: Wanted,
    now: SimTime,
    new: Option<Arc<ReplicaSet>>,
    old: Vec<&'a Arc<ReplicaSet>>,
    /// As it will be written at the end, if it changed.
    status: DeploymentStatus,
    new_revision: Option<String>,
    plan: Plan,
}

impl Deployments {
    /// The ReplicaSets of a Deployment, once orphans are adopted and strangers released.
    fn claim<'a>(
        &self,
        caches: &'a Caches,
        deployment: &Deployment,
        key: &Key,
        duties: &mut Vec<Duty>,
    ) -> Vec<&'a Arc<ReplicaSet>> {
        let Some(spec) = &deployment.spec else {
            return Vec::new();
        };
        let uid = deployment.metadata.uid.as_deref().unwrap_or("");
        let deleting = deployment.metadata.deletion_timestamp.is_some();
        let mut claimed = Vec::new();
        for set in caches.list::<ReplicaSet>(&key.namespace) {
            let matches = selector_matches(&spec.selector, set.metadata.labels.as_ref());
            let object = || Object::ReplicaSet(set.clone());
            match controller_of(&set.metadata) {
                Some(owner) if owner.uid == uid && matches => claimed.push(set),
                Some(owner) if owner.uid == uid && !deleting => {
                    duties.push(Duty::api(
                        Why::new("deployment.release", &[name(set), &key.name]),
                        release(uid, &object()),
                    ));
                }
                None if matches && !deleting && set.metadata.deletion_timestamp.is_none() => {
                    let owner = controller_ref(Kind::Deployment, &deployment.metadata);
                    duties.push(Duty::api(
                        Why::new("deployment.adopt", &[name(set), &key.name]),
                        adopt(&owner, &object()),
                    ));
                    claimed.push(set);
                }
                _ => {}
            }
        }
        claimed
    }
}

impl Component for Deployments {
    fn name(&self) -> &'static str {
        "deployment"
    }

    fn identity(&self) -> Identity {
        super::identity("deployment-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        [Kind::Deployment, Kind::ReplicaSet, Kind::Pod]
            .map(Watch::indexed)
            .to_vec()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        match change.object() {
            Object::Deployment(_) => dirty.push(change.key.clone()),
            Object::ReplicaSet(set) => {
                super::owned::owner_keys(Kind::Deployment, change, dirty);
                if controller_of(&set.metadata).is_none() && change.new.is_some() {
                    for deployment in caches.list::<Deployment>(&change.key.namespace) {
                        let spec = deployment.spec.as_ref();
                        if spec.is_some_and(|spec| {
                            selector_matches(&spec.selector, set.metadata.labels.as_ref())
                        }) {
                            let name = deployment.metadata.name.as_deref().unwrap_or("");
                            dirty.push(Key::new(Kind::Deployment, &change.key.namespace, name));
                        }
                    }
                }
            }
            Object::Pod(pod) => {
                // Recreate waits for the last old Pod to be gone.
                let gone = change.new.is_none() || pod_is_terminal(pod);
                if gone
                    && let Some(owner) = controller_of(&pod.metadata)
                    && let Some(set) = caches.get::<ReplicaSet>(&change.key.namespace, &owner.name)
                    && let Some(owner) = controller_of(&set.metadata)
                {
                    let deployment = caches.get::<Deployment>(&change.key.namespace, &owner.name);
                    if deployment.is_some_and(|deployment| !Wanted::of(deployment).rolling) {
                        dirty.push(Key::new(Kind::Deployment, &change.key.namespace, &owner.name));
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let Some(deployment) = observed.caches.by_key::<Deployment>(key) else {
            return Plan::default();
        };
        let Some(spec) = &deployment.spec else {
            return Plan::default();
        };
        if selector_is_empty(&spec.selector) {
            return Plan::default();
        }
        let mut plan = Plan::default();
        let mut all = self.claim(observed.caches, deployment, key, &mut plan.duties);
        by_age(&mut all);
        let new = all.iter().copied().find(|set| same_template(set, &spec.template));
        let old = all
            .into_iter()
            .filter(|set| new.is_none_or(|new| !Arc::ptr_eq(set, new)))
            .collect();
        let mut rollout = Rollout {
            pods: observed.caches.pods(),
            key,
            deployment,
            wanted: Wanted::of(deployment),
            now: observed.now,
            new: new.cloned(),
            old,
            status: deployment.status.clone().unwrap_or_default(),
            new_revision: None,
            plan,
        };
        if deployment.metadata.deletion_timestamp.is_some() {
            rollout.count();
            return rollout.report();
        }
        rollout.check_paused();
        if rollout.paused() || rollout.is_scaling_event() {
            rollout.sync_revision(false);
            rollout.resize();
            if rollout.paused() {
                rollout.clean_history();
            }
            rollout.count();
        } else {
            if rollout.wanted.rolling {
                rollout.roll()
            } else {
                rollout.recreate()
            }
            rollout.count();
            rollout.progress();
            rollout.failures();
        }
        rollout.report()
    }

    fn min_interval(&self) -> Duration {
        super::STATUS_INTERVAL
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Deployment).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
