//! Defaulting: what the API server fills in before it validates and stores.
//!
//! Besides upstream's SetDefaults_* functions this does what its conversions do on every read:
//! structures that are always written (`resources: {}`, `status: {}`) come to be, a Secret's
//! `stringData` moves into `data`, deprecated twins of fields follow their successors, and
//! quantities take their canonical form.
//!
//! Source: kubernetes/pkg/apis/*/v1/defaults.go and conversion.go.

mod core;
mod pod;
mod policy;
mod quantities;
mod volume;
mod workloads;

use super::Object;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

pub use pod::pod_template_defaults;

/// Fills in the defaults of an object's kind. Copies the object only if it is shared.
pub fn apply(object: &mut Object) {
    match object {
        Object::Pod(pod) => pod::pod(Arc::make_mut(pod)),
        Object::Namespace(namespace) => core::namespace(Arc::make_mut(namespace)),
        Object::Node(node) => core::node(Arc::make_mut(node)),
        Object::Service(service) => core::service(Arc::make_mut(service)),
        Object::Endpoints(endpoints) => core::endpoints(Arc::make_mut(endpoints)),
        Object::Secret(secret) => core::secret(Arc::make_mut(secret)),
        Object::Event(event) => core::event(Arc::make_mut(event)),
        Object::LimitRange(range) => core::limit_range(Arc::make_mut(range)),
        Object::ResourceQuota(quota) => core::resource_quota(Arc::make_mut(quota)),
        Object::PersistentVolume(volume) => volume::persistent_volume(Arc::make_mut(volume)),
        Object::PersistentVolumeClaim(claim) => volume::persistent_volume_claim(Arc::make_mut(claim)),
        Object::ReplicationController(rc) => workloads::replication_controller(Arc::make_mut(rc)),
        Object::Deployment(deployment) => workloads::deployment(Arc::make_mut(deployment)),
        Object::ReplicaSet(set) => workloads::replica_set(Arc::make_mut(set)),
        Object::StatefulSet(set) => workloads::stateful_set(Arc::make_mut(set)),
        Object::DaemonSet(set) => workloads::daemon_set(Arc::make_mut(set)),
        Object::Job(job) => workloads::job(Arc::make_mut(job)),
        Object::CronJob(job) => workloads::cron_job(Arc::make_mut(job)),
        Object::EndpointSlice(slice) => policy::endpoint_slice(Arc::make_mut(slice)),
        Object::Ingress(ingress) => policy::ingress(Arc::make_mut(ingress)),
        Object::IngressClass(class) => policy::ingress_class(Arc::make_mut(class)),
        Object::NetworkPolicy(policy) => policy::network_policy(Arc::make_mut(policy)),
        Object::HorizontalPodAutoscaler(hpa) => policy::horizontal_pod_autoscaler(Arc::make_mut(hpa)),
        Object::PodDisruptionBudget(budget) => policy::pod_disruption_budget(Arc::make_mut(budget)),
        Object::PriorityClass(class) => policy::priority_class(Arc::make_mut(class)),
        Object::StorageClass(class) => policy::storage_class(Arc::make_mut(class)),
        Object::Lease(lease) => {
            if lease.spec.is_none() {
                Arc::make_mut(lease).spec = Some(Default::default());
            }
        }
        Object::RoleBinding(binding) => {
            let binding = Arc::make_mut(binding);
            policy::role_ref(&mut binding.role_ref);
            policy::subjects(binding.subjects.as_mut());
        }
        Object::ClusterRoleBinding(binding) => {
            let binding = Arc::make_mut(binding);
            policy::role_ref(&mut binding.role_ref);
            policy::subjects(binding.subjects.as_mut());
        }
        Object::Role(_)
        | Object::ClusterRole(_)
        | Object::ConfigMap(_)
        | Object::ServiceAccount(_)
        | Object::ControllerRevision(_) => {}
    }
}

/// Sets a text that is missing or empty.
fn text(field: &mut Option<String>, value: &str) {
    if field.as_ref().is_none_or(String::is_empty) {
        *field = Some(value.to_owned());
    }
}

/// Sets what is missing.
fn missing<T>(field: &mut Option<T>, value: T) {
    if field.is_none() {
        *field = Some(value);
    }
}

/// Sets a number that is missing or zero.
fn number(field: &mut Option<i32>, value: i32) {
    if field.unwrap_or(0) == 0 {
        *field = Some(value);
    }
}

/// A structure that is always there.
fn always<T: Default>(field: &mut Option<T>) -> &mut T {
    field.get_or_insert_with(T::default)
}

fn percent(text: &str) -> IntOrString {
    IntOrString::String(text.to_owned())
}

#[cfg(test)]
mod tests;
