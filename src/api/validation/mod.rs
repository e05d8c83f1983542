//! Validation: what the API server refuses, field by field, with upstream's words.
//!
//! Source: kubernetes/pkg/apis/*/validation and k8s.io/apimachinery/pkg/api/validation.

mod affinity;
mod autoscaling;
mod batch;
mod container;
pub mod content;
mod core;
mod cron;
mod diff;
pub mod field;
mod ingress;
mod internal;
mod job_policy;
mod meta;
mod network;
mod pod;
mod pod_update;
mod policy;
mod rbac;
mod resources;
mod security;
mod service;
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
        Object::Endpoints(endpoints) => service::endpoints(endpoints, out),
        Object::ConfigMap(map) => core::config_map(map, out),
        Object::Secret(secret) => core::secret(secret, out),
        Object::Event(event) => core::event(event, out),
        Object::ServiceAccount(_) => {}
        Object::ReplicationController(controller) => workloads::replication_controller(controller, out),
        Object::PersistentVolume(volume) => volume::persistent_volume(volume, out),
        Object::PersistentVolumeClaim(claim) => volume::claim(claim, out),
        Object::LimitRange(range) => core::limit_range(range, out),
        Object::ResourceQuota(quota) => core::resource_quota(quota, out),
        Object::Deployment(deployment) => workloads::deployment(deployment, out),
        Object::ReplicaSet(set) => workloads::replica_set(set, out),
        Object::StatefulSet(set) => stateful::create(set, out),
        Object::DaemonSet(set) => workloads::daemon_set(set, out),
        Object::ControllerRevision(revision) => workloads::controller_revision(revision, out),
        Object::Job(job) => batch::job(job, out),
        Object::CronJob(job) => batch::cron_job(job, out),
        Object::EndpointSlice(slice) => service::endpoint_slice(slice, out),
        Object::Ingress(ingress) => ingress::create(ingress, out),
        Object::IngressClass(class) => ingress::class(class, out),
        Object::NetworkPolicy(policy) => ingress::network_policy(policy, out),
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
        (Object::Service(new), Object::Service(old)) => service::service_update(new, old, out),
        (Object::Endpoints(new), _) => service::endpoints(new, out),
        (Object::ConfigMap(new), Object::ConfigMap(old)) => core::config_map_update(new, old, out),
        (Object::Secret(new), Object::Secret(old)) => core::secret_update(new, old, out),
        (Object::Event(new), _) => core::event(new, out),
        (Object::ReplicationController(new), _) => workloads::replication_controller(new, out),
        (Object::PersistentVolume(new), Object::PersistentVolume(old)) => {
            volume::persistent_volume_update(new, old, out);
        }
        (Object::PersistentVolumeClaim(new), Object::PersistentVolumeClaim(old)) => {
            volume::claim_update(new, old, out);
        }
        (Object::LimitRange(new), _) => core::limit_range(new, out),
        (Object::ResourceQuota(new), Object::ResourceQuota(old)) => {
            core::resource_quota_update(new, old, out)
        }
        (Object::Deployment(new), Object::Deployment(old)) => workloads::deployment_update(new, old, out),
        (Object::ReplicaSet(new), Object::ReplicaSet(old)) => workloads::replica_set_update(new, old, out),
        (Object::StatefulSet(new), Object::StatefulSet(old)) => stateful::update(new, old, out),
        (Object::DaemonSet(new), Object::DaemonSet(old)) => workloads::daemon_set_update(new, old, out),
        (Object::ControllerRevision(new), Object::ControllerRevision(old)) => {
            workloads::controller_revision_update(new, old, out);
        }
        (Object::Job(new), Object::Job(old)) => batch::job_update(new, old, out),
        (Object::CronJob(new), Object::CronJob(old)) => batch::cron_job_update(new, old, out),
        (Object::EndpointSlice(new), Object::EndpointSlice(old)) => {
            service::endpoint_slice_update(new, old, out)
        }
        (Object::Ingress(new), _) => ingress::ingress(new, out),
        (Object::IngressClass(new), Object::IngressClass(old)) => ingress::class_update(new, old, out),
        (Object::NetworkPolicy(new), _) => ingress::network_policy(new, out),
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
        (Object::Pod(new), Object::Pod(old)) => pod_update::status_update(new, old, out),
        (Object::Service(new), _) => service::service_status(new, out),
        (Object::ReplicationController(new), _) => workloads::replication_controller_status(new, out),
        (Object::ResourceQuota(new), _) => core::quota_status(new, out),
        (Object::Deployment(new), Object::Deployment(old)) => workloads::deployment_status(new, old, out),
        (Object::ReplicaSet(new), _) => workloads::replica_set_status(new, out),
        (Object::StatefulSet(new), Object::StatefulSet(old)) => stateful::status(new, old, out),
        (Object::DaemonSet(new), Object::DaemonSet(old)) => workloads::daemon_set_status(new, old, out),
        (Object::Job(new), Object::Job(old)) => batch::job_status(new, old, out),
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
        pod_update::ephemeral_containers_update(new, old, &mut errors);
    }
    errors
}

/// Only the resources of containers may change. `new` and `old` are Pods.
pub fn resize(new: &Object, old: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let (Object::Pod(new), Object::Pod(old)) = (new, old) {
        meta::update(&new.metadata, &old.metadata, &mut errors);
        pod_update::resize(new, old, &mut errors);
    }
    errors
}
