//! Deletes finished Jobs.

use super::finished;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Identity, Propagation, Request};
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::batch::v1::Job;
use std::time::Duration;

/// Deletes finished Jobs after their time to live.
///
/// Source: pkg/controller/ttlafterfinished.
#[derive(Clone, Debug, Default)]
pub struct TtlAfterFinished;

impl Component for TtlAfterFinished {
    fn name(&self) -> &'static str {
        "ttl-after-finished"
    }

    fn identity(&self) -> Identity {
        crate::controllers::identity("ttl-after-finished-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        vec![Watch::all(Kind::Job)]
    }

    fn observe(&mut self, _caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if let Some(Object::Job(job)) = &change.new
            && finished(job).is_some()
        {
            dirty.push(change.key.clone());
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(job) = observed.caches.by_key::<Job>(key) else {
            return plan;
        };
        let ttl = job.spec.as_ref().and_then(|spec| spec.ttl_seconds_after_finished);
        let (Some(ttl), Some((_, Some(since)))) = (ttl, finished(job)) else {
            return plan;
        };
        if job.metadata.deletion_timestamp.is_some() {
            return plan;
        }
        let due = since + Duration::from_secs(ttl.max(0) as u64);
        if due > observed.now {
            plan.again_after(due.since(observed.now));
            return plan;
        }
        let options = DeleteOptions {
            propagation: Some(Propagation::Foreground),
            precondition_uid: job.metadata.uid.clone(),
            ..Default::default()
        };
        let why = Why::new("job.expired", &[&key.name, &ttl.to_string()]);
        plan.duties.push(Duty::api(
            why,
            Request::delete(Kind::Job, &key.namespace, &key.name, options),
        ));
        plan
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::Job).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}
