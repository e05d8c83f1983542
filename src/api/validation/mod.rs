//! Validation: what the API server refuses, field by field, with upstream's words.
//!
//! Source: kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/api/validation.

mod affinity;
mod autoscaling;
mod batch;
mod config;
mod container;
pub mod content;
mod core;
mod cron;
mod cron_job;
mod daemon;
mod diff;
mod endpoints;
mod env;
pub mod field;
mod ingress;
mod internal;
mod job_policy;
mod job_status;
mod meta;
mod mounts;
mod network;
mod network_policy;
mod persistent;
mod pod;
mod pod_names;
mod pod_resize;
mod pod_status;
mod pod_update;
mod policy;
mod probe;
mod quota;
mod rbac;
mod replication;
mod resources;
mod security;
mod service;
mod service_update;
mod stateful;
#[cfg(test)]
mod tests;
mod volume;
mod workloads;

pub use field::{FieldError, FieldErrorKind};

use super::Object;

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or("")
}

/// What is wrong with an object that is to be created. It has already been defaulted.
pub fn create(object: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let out = &mut errors;
    meta::create(object.kind(), object.meta(), out);
    match object {
        Object::Namespace(namespace) => core::namespace(namespace, out),
        Object::Node(node) => core::node(node, out),
        Object::Pod(pod) => pod::create(pod, out),
        Object::Service(service) => service::service(service, out),
        Object::Endpoints(endpoints) => endpoints::endpoints(endpoints, out),
        Object::ConfigMap(map) => config::config_map(map, out),
        Object::Secret(secret) => config::secret(secret, out),
        Object::Event(event) => core::event(event, out),
        Object::ServiceAccount(_) => {}
        Object::ReplicationController(controller) => replication::replication_controller(controller, out),
        Object::PersistentVolume(volume) => persistent::persistent_volume(volume, out),
        Object::PersistentVolumeClaim(claim) => persistent::claim(claim, out),
        Object::LimitRange(range) => quota::limit_range(range, out),
        Object::ResourceQuota(quota) => quota::resource_quota(quota, out),
        Object::Deployment(deployment) => workloads::deployment(deployment, out),
        Object::ReplicaSet(set) => replication::replica_set(set, out),
        Object::StatefulSet(set) => stateful::create(set, out),
        Object::DaemonSet(set) => daemon::daemon_set(set, out),
        Object::ControllerRevision(revision) => daemon::controller_revision(revision, out),
        Object::Job(job) => batch::job(job, out),
        Object::CronJob(job) => cron_job::cron_job(job, out),
        Object::EndpointSlice(slice) => endpoints::endpoint_slice(slice, out),
        Object::Ingress(ingress) => ingress::create(ingress, out),
        Object::IngressClass(class) => ingress::class(class, out),
        Object::NetworkPolicy(policy) => network_policy::network_policy(policy, out),
        Object::HorizontalPodAutoscaler(scaler) => autoscaling::autoscaler(scaler, 1, out),
        Object::PodDisruptionBudget(budget) => policy::disruption_budget(budget, out),
        Object::PriorityClass(class) => policy::priority_class(class, out),
        Object::Lease(lease) => core::lease(lease, out),
        Object::StorageClass(class) => policy::storage_class(class, out),
        Object::Role(role) => rbac::role(role, out),
        Object::RoleBinding(binding) => rbac::role_binding(binding, out),
        Object::ClusterRole(role) => rbac::cluster_role(role, out),
        Object::ClusterRoleBinding(binding) => rbac::cluster_role_binding(binding, out),
    }
    errors
}

/// What is wrong with changing `old` into `new`, subresources that change specs among them.
pub fn update(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let out = &mut errors;
    meta::update(new.meta(), old.meta(), out);
    match (new, old) {
        (Object::Namespace(new), _) => core::namespace(new, out),
        (Object::Node(new), Object::Node(old)) => core::node_update(new, old, out),
        (Object::Pod(new), Object::Pod(old)) => pod_update::update(new, old, out),
        (Object::Service(new), Object::Service(old)) => service_update::service_update(new, old, out),
        (Object::Endpoints(new), _) => endpoints::endpoints(new, out),
        (Object::ConfigMap(new), Object::ConfigMap(old)) => config::config_map_update(new, old, out),
        (Object::Secret(new), Object::Secret(old)) => config::secret_update(new, old, out),
        (Object::Event(new), _) => core::event(new, out),
        (Object::ReplicationController(new), _) => replication::replication_controller(new, out),
        (Object::PersistentVolume(new), Object::PersistentVolume(old)) => {
            persistent::persistent_volume_update(new, old, out);
        }
        (Object::PersistentVolumeClaim(new), Object::PersistentVolumeClaim(old)) => {
            persistent::claim_update(new, old, out);
        }
        (Object::LimitRange(new), _) => quota::limit_range(new, out),
        (Object::ResourceQuota(new), Object::ResourceQuota(old)) => {
            quota::resource_quota_update(new, old, out)
        }
        (Object::Deployment(new), Object::Deployment(old)) => workloads::deployment_update(new, old, out),
        (Object::ReplicaSet(new), Object::ReplicaSet(old)) => replication::replica_set_update(new, old, out),
        (Object::StatefulSet(new), Object::StatefulSet(old)) => stateful::update(new, old, out),
        (Object::DaemonSet(new), Object::DaemonSet(old)) => daemon::daemon_set_update(new, old, out),
        (Object::ControllerRevision(new), Object::ControllerRevision(old)) => {
            daemon::controller_revision_update(new, old, out);
        }
        (Object::Job(new), Object::Job(old)) => batch::job_update(new, old, out),
        (Object::CronJob(new), Object::CronJob(old)) => cron_job::cron_job_update(new, old, out),
        (Object::EndpointSlice(new), Object::EndpointSlice(old)) => {
            endpoints::endpoint_slice_update(new, old, out)
        }
        (Object::Ingress(new), _) => ingress::ingress(new, out),
        (Object::IngressClass(new), Object::IngressClass(old)) => ingress::class_update(new, old, out),
        (Object::NetworkPolicy(new), _) => network_policy::network_policy(new, out),
        (Object::HorizontalPodAutoscaler(new), Object::HorizontalPodAutoscaler(old)) => {
            autoscaling::update(new, old, out);
        }
        (Object::PodDisruptionBudget(new), _) => policy::disruption_budget(new, out),
        (Object::PriorityClass(new), Object::PriorityClass(old)) => {
            policy::priority_class_update(new, old, out)
        }
        (Object::Lease(new), _) => core::lease(new, out),
        (Object::StorageClass(new), Object::StorageClass(old)) => policy::storage_class_update(new, old, out),
        (Object::Role(new), _) => rbac::role(new, out),
        (Object::ClusterRole(new), _) => rbac::cluster_role(new, out),
        (Object::RoleBinding(new), Object::RoleBinding(old)) => {
            rbac::role_ref_update(&new.role_ref, &old.role_ref, out);
            rbac::role_binding(new, out);
        }
        (Object::ClusterRoleBinding(new), Object::ClusterRoleBinding(old)) => {
            rbac::role_ref_update(&new.role_ref, &old.role_ref, out);
            rbac::cluster_role_binding(new, out);
        }
        _ => {}
    }
    errors
}

/// What is wrong with the status that `new` brings to `old`.
pub fn status_update(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let out = &mut errors;
    meta::update(new.meta(), old.meta(), out);
    match (new, old) {
        (Object::Namespace(new), _) => core::namespace_status(new, out),
        (Object::Node(new), Object::Node(old)) => core::node_update(new, old, out),
        (Object::Pod(new), Object::Pod(old)) => pod_status::status_update(new, old, out),
        (Object::Service(new), _) => service_update::service_status(new, out),
        (Object::ReplicationController(new), _) => replication::replication_controller_status(new, out),
        (Object::ResourceQuota(new), _) => quota::quota_status(new, out),
        (Object::Deployment(new), Object::Deployment(old)) => workloads::deployment_status(new, old, out),
        (Object::ReplicaSet(new), _) => replication::replica_set_status(new, out),
        (Object::StatefulSet(new), Object::StatefulSet(old)) => stateful::status(new, old, out),
        (Object::DaemonSet(new), Object::DaemonSet(old)) => daemon::daemon_set_status(new, old, out),
        (Object::Job(new), Object::Job(old)) => job_status::status(new, old, out),
        (Object::Ingress(new), _) => ingress::ingress_status(new, out),
        (Object::HorizontalPodAutoscaler(new), _) => autoscaling::status(new, out),
        (Object::PodDisruptionBudget(new), _) => policy::disruption_budget_status(new, out),
        _ => {}
    }
    errors
}

/// Only ephemeral containers may be added. `new` and `old` are Pods.
pub fn ephemeral_containers_update(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let (Object::Pod(new), Object::Pod(old)) = (new, old) {
        meta::update(&new.metadata, &old.metadata, &mut errors);
        pod_resize::ephemeral_containers_update(new, old, &mut errors);
    }
    errors
}

/// Only the resources of containers may change. `new` and `old` are Pods.
pub fn resize(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let (Object::Pod(new), Object::Pod(old)) = (new, old) {
        meta::update(&new.metadata, &old.metadata, &mut errors);
        pod_resize::resize(new, old, &mut errors);
    }
    errors
}
