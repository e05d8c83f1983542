//! Recounts what a namespace uses of its quotas.
//!
//! Source: pkg/controller/resourcequota. Creations are charged by admission; this corrects what
//! deletions and changes leave behind.

use crate::api::order::StableSort;
use crate::api::quantity::{Format, Quantity};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::resource_quota::{in_scope, usage_of};
use crate::apiserver::{Identity, Request};
use crate::client::helpers::pod_is_terminal;
use crate::client::{Caches, Change, Watch};
use crate::etcd::Key;
use crate::seat::{Component, Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota, ResourceQuotaStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The resourcequota controller.
#[derive(Clone, Debug, Default)]
pub struct ResourceQuotas;

/// Which kind a name in a quota counts; every kind that could is looked through for others.
fn kinds(resource: &str) -> Vec<Kind> {
    if let Some(counted) = resource.strip_prefix("count/") {
        return Kind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.info().qualified_resource() == counted)
            .collect();
    }
    match resource {
        "services" | "services.nodeports" | "services.loadbalancers" => vec![Kind::Service],
        "persistentvolumeclaims" | "requests.storage" => vec![Kind::PersistentVolumeClaim],
        "configmaps" => vec![Kind::ConfigMap],
        "secrets" => vec![Kind::Secret],
        "replicationcontrollers" => vec![Kind::ReplicationController],
        "resourcequotas" => vec![Kind::ResourceQuota],
        _ => vec![Kind::Pod],
    }
}

fn counts(quota: &ResourceQuota, object: &Object) -> bool {
    match object {
        Object::Pod(pod) => !pod_is_terminal(pod) && in_scope(quota, pod),
        _ => true,
    }
}

/// What is used of everything the quota limits.
fn used(caches: &Caches, quota: &ResourceQuota, namespace: &str) -> BTreeMap<String, Text> {
    let hard = quota.spec.as_ref().and_then(|spec| spec.hard.as_ref());
    let mut used: SortedMap<String, Quantity> = hard
        .into_iter()
        .flatten()
        .map(|(name, _)| (name.clone(), Quantity::new(0, Format::DecimalSi)))
        .collect();
    let mut looked: Vec<Kind> = used.keys().flat_map(|name| kinds(name)).collect();
    looked.stable_sort();
    looked.dedup();
    for kind in looked {
        for object in caches
            .keys_in(kind, namespace)
            .filter_map(|key| caches.get_object(key))
        {
            if !counts(quota, object) {
                continue;
            }
            for (name, amount) in usage_of(object) {
                if let Some(sum) = used.get_mut(&name) {
                    *sum = if sum.is_zero() { amount } else { *sum + amount };
                }
            }
        }
    }
    used.into_iter()
        .map(|(name, amount)| (name, amount.into()))
        .collect()
}

impl Component for ResourceQuotas {
    fn name(&self) -> &'static str {
        "resourcequota"
    }

    fn identity(&self) -> Identity {
        super::identity("resourcequota-controller")
    }

    fn watches(&self) -> Vec<Watch> {
        Kind::ALL
            .iter()
            .copied()
            .filter(|kind| kind.namespaced() && *kind != Kind::Event)
            .map(Watch::all)
            .collect()
    }

    fn observe(&mut self, caches: &Caches, change: &Change, dirty: &mut Vec<Key>) {
        if change.key.kind == Kind::ResourceQuota {
            dirty.push(change.key.clone());
        }
        // Upstream looks again when something is deleted or a Pod ends; what is created was charged.
        let ended = |object: &Option<Object>| {
            object
                .as_ref()
                .and_then(|o| o.get::<Pod>())
                .is_some_and(|pod| pod_is_terminal(pod))
        };
        if change.new.is_none() || (ended(&change.new) && !ended(&change.old)) {
            dirty.extend(
                caches
                    .keys_in(Kind::ResourceQuota, &change.key.namespace)
                    .cloned(),
            );
        }
    }

    fn reconcile(&self, observed: &Observed<'_>, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(quota) = observed.caches.by_key::<ResourceQuota>(key) else {
            return plan;
        };
        let status = ResourceQuotaStatus {
            hard: quota.spec.as_ref().and_then(|spec| spec.hard.clone()),
            used: Some(used(observed.caches, quota, &key.namespace)),
        };
        let same = |a: &Option<BTreeMap<String, Text>>, b: &Option<BTreeMap<String, Text>>| {
            let values = |map: &Option<BTreeMap<String, Text>>| -> Vec<(String, i64)> {
                map.iter()
                    .flatten()
                    .map(|(name, text)| (name.clone(), Quantity::of(text).milli_value()))
                    .collect()
            };
            values(a) == values(b)
        };
        let known = quota.status.clone().unwrap_or_default();
        if !same(&known.hard, &status.hard) || !same(&known.used, &status.used) {
            let mut updated: Arc<ResourceQuota> = quota.clone();
            Arc::make_mut(&mut updated).status = Some(status);
            let why = Why::new("resourcequota.status", &[&key.name, &key.namespace]);
            plan.duties.push(Duty::api(why, Request::update_status(updated)));
        }
        plan
    }

    fn min_interval(&self) -> Duration {
        Duration::from_millis(50)
    }

    fn all_keys(&self, caches: &Caches) -> Vec<Key> {
        caches.keys(Kind::ResourceQuota).cloned().collect()
    }

    fn boxed_clone(&self) -> Box<dyn Component> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::testing::{Bench, body};
    use serde_json::json;

    #[test]
    fn counts_what_is_there() {
        let mut bench = Bench::new(ResourceQuotas);
        bench.put(Kind::ResourceQuota, json!({"metadata": {"name": "q", "namespace": "d"},
            "spec": {"hard": {"configmaps": "5", "count/jobs.batch": "1", "pods": "3", "requests.cpu": "2"}}}));
        bench.put(
            Kind::ConfigMap,
            json!({"metadata": {"name": "c", "namespace": "d"}}),
        );
        let pod = |name: &str, phase: &str| {
            json!({"metadata": {"name": name, "namespace": "d"}, "status": {"phase": phase},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "250m"}}}]}})
        };
        bench
            .put(Kind::Pod, pod("a", "Running"))
            .put(Kind::Pod, pod("b", "Running"))
            .put(Kind::Pod, pod("c", "Succeeded"));
        let plan = bench.plan(Kind::ResourceQuota, "d", "q");
        let status = body(&plan.duties[0])["status"].clone();
        assert_eq!(
            status["used"],
            json!({"configmaps": "1", "count/jobs.batch": "0", "pods": "2", "requests.cpu": "500m"})
        );
        bench.put(Kind::ResourceQuota, body(&plan.duties[0]));
        assert_eq!(bench.plan(Kind::ResourceQuota, "d", "q").duties, []);
        bench.dirty.clear();
        bench.remove(Kind::ConfigMap, "d", "c");
        assert_eq!(bench.dirty.len(), 1);
    }
}
