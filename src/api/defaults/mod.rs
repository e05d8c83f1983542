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
        Object::Pod(pod) => of(pod, pod::pod),
        Object::Namespace(namespace) => of(namespace, core::namespace),
        Object::Node(node) => of(node, core::node),
        Object::Service(service) => of(service, core::service),
        Object::Endpoints(endpoints) => of(endpoints, core::endpoints),
        Object::Secret(secret) => of(secret, core::secret),
        Object::Event(event) => of(event, core::event),
        Object::LimitRange(range) => of(range, core::limit_range),
        Object::ResourceQuota(quota) => of(quota, core::resource_quota),
        Object::PersistentVolume(volume) => of(volume, volume::persistent_volume),
        Object::PersistentVolumeClaim(claim) => of(claim, volume::persistent_volume_claim),
        Object::ReplicationController(rc) => of(rc, workloads::replication_controller),
        Object::Deployment(deployment) => of(deployment, workloads::deployment),
        Object::ReplicaSet(set) => of(set, workloads::replica_set),
        Object::StatefulSet(set) => of(set, workloads::stateful_set),
        Object::DaemonSet(set) => of(set, workloads::daemon_set),
        Object::Job(job) => of(job, workloads::job),
        Object::CronJob(job) => of(job, workloads::cron_job),
        Object::EndpointSlice(slice) => of(slice, policy::endpoint_slice),
        Object::Ingress(ingress) => of(ingress, policy::ingress),
        Object::IngressClass(class) => of(class, policy::ingress_class),
        Object::NetworkPolicy(policy) => of(policy, policy::network_policy),
        Object::HorizontalPodAutoscaler(hpa) => of(hpa, policy::horizontal_pod_autoscaler),
        Object::PodDisruptionBudget(budget) => of(budget, policy::pod_disruption_budget),
        Object::PriorityClass(class) => of(class, policy::priority_class),
        Object::StorageClass(class) => of(class, policy::storage_class),
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

/// One kind's defaults, by themselves: see `lib.rs` on what is not inlined.
#[inline(never)]
fn of<T: Clone>(object: &mut Arc<T>, fill: fn(&mut T)) {
    fill(Arc::make_mut(object));
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
