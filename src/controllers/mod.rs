//! kube-controller-manager: a file per controller, each a seat of its own.

pub mod autoscaling;
mod claim;
pub mod cronjob;
pub mod daemonset;
pub mod deployment;
pub mod disruption;
pub mod endpoints;
pub mod endpointslice;
pub mod garbage_collector;
pub mod job;
pub mod mirroring;
pub mod namespace;
pub mod node_lifecycle;
mod owned;
pub mod pod_gc;
mod pods;
pub mod replicaset;
pub mod replication;
pub mod resource_quota;
mod revisions;
mod schedule;
mod selected;
pub mod statefulset;
pub mod taint_eviction;
pub mod ttl;
pub mod volumes;
mod words;

pub use words::WORDS;

use crate::apiserver::Identity;
use crate::seat::Component;

/// The identity of one controller of kube-controller-manager.
fn identity(account: &str) -> Identity {
    let user = format!("system:serviceaccount:kube-system:{account}");
    let groups = [
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
        "system:authenticated",
    ];
    Identity::component(&user, &groups, "kube-controller-manager")
}

/// How often a status that counts Pods is written while they start: upstream is held back by its
/// client's 20 requests per second.
const STATUS_INTERVAL: std::time::Duration = std::time::Duration::from_millis(50);

/// Every controller, in the order seats are listed.
pub fn all() -> Vec<Box<dyn Component>> {
    vec![
        Box::new(deployment::Deployments),
        Box::new(replicaset::ReplicaSets::default()),
        Box::new(replication::ReplicationControllers::default()),
        Box::new(statefulset::StatefulSets),
        Box::new(daemonset::DaemonSets),
        Box::new(job::Jobs),
        Box::new(cronjob::CronJobs),
        Box::new(job::TtlAfterFinished),
        Box::new(endpoints::EndpointsController::default()),
        Box::new(endpointslice::EndpointSlices::default()),
        Box::new(node_lifecycle::NodeLifecycle),
        Box::new(taint_eviction::TaintEviction),
        Box::new(garbage_collector::GarbageCollector::default()),
        Box::new(namespace::Namespaces),
        Box::new(namespace::Furnisher::ServiceAccount),
        Box::new(namespace::Furnisher::RootCa),
        Box::new(resource_quota::ResourceQuotas),
        Box::new(disruption::Disruptions),
        Box::new(autoscaling::Autoscaler),
        Box::new(volumes::VolumeBinder),
        Box::new(volumes::Protection::Claims),
        Box::new(volumes::Protection::Volumes),
        Box::new(pod_gc::PodGarbageCollector::default()),
        Box::new(mirroring::Mirroring),
        Box::new(ttl::Ttl),
    ]
}

#[cfg(test)]
mod testing;
