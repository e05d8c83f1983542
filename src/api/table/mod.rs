//! The server's Tables: what `kubectl get` shows of an object, computed by the API server.
//!
//! Source: kubernetes/pkg/printers/internalversion/printers.go. Servers always make the cells of
//! wide output too.

mod columns;
mod config;
mod core_columns;
mod network;
mod pods;
mod scaling;
mod storage;
#[cfg(test)]
mod tests;
mod workloads;

pub use columns::columns;
pub use pods::pod_status;

use super::{Object, duration};
use crate::api::codec;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Container;
use serde::Serialize;
use serde_json::{Value, json};

/// A `TableColumnDefinition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub format: &'static str,
    pub description: &'static str,
    /// Above zero only wide output shows it.
    pub priority: i32,
}

/// A row from its values.
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(serde_json::Value::from($value)),*] };
}
use row;

/// The cells of an object's row, one per column of its kind.
pub fn cells(object: &Object, now: Timestamp) -> Vec<Value> {
    let name = object.name();
    let age = duration::since(object.meta().creation_timestamp.as_ref(), now);
    match object {
        Object::Namespace(namespace) => row![name, config::phase(namespace), age],
        Object::Node(node) => config::node(node, age),
        Object::Pod(pod) => pods::pod(pod, age, now),
        Object::Service(service) => network::service(service, age),
        Object::Endpoints(endpoints) => row![name, network::endpoints(endpoints), age],
        Object::ConfigMap(map) => row![name, config::entries(map), age],
        Object::Secret(secret) => row![
            name,
            secret.type_.as_deref().unwrap_or(""),
            secret.data.as_ref().map_or(0, |data| data.len()),
            age
        ],
        Object::Event(event) => config::event(event, now),
        Object::ServiceAccount(_) => row![name, age],
        Object::ReplicationController(controller) => workloads::replication_controller(controller, age),
        Object::PersistentVolume(volume) => storage::volume(volume, age),
        Object::PersistentVolumeClaim(claim) => storage::claim(claim, age),
        Object::ResourceQuota(quota) => config::quota(quota, age),
        Object::Deployment(deployment) => workloads::deployment(deployment, age),
        Object::ReplicaSet(set) => workloads::replica_set(set, age),
        Object::StatefulSet(set) => workloads::stateful_set(set, age),
        Object::DaemonSet(set) => workloads::daemon_set(set, age),
        Object::ControllerRevision(revision) => workloads::controller_revision(revision, age),
        Object::Job(job) => workloads::job(job, age, now),
        Object::CronJob(job) => workloads::cron_job(job, age, now),
        Object::EndpointSlice(slice) => network::endpoint_slice(slice, age),
        Object::Ingress(ingress) => network::ingress(ingress, age),
        Object::IngressClass(class) => network::ingress_class(class, age),
        Object::NetworkPolicy(policy) => network::network_policy(policy, age),
        Object::HorizontalPodAutoscaler(scaler) => scaling::autoscaler(scaler, age),
        Object::PodDisruptionBudget(budget) => scaling::disruption_budget(budget, age),
        Object::PriorityClass(class) => row![
            name,
            class.value.unwrap_or(0),
            class.global_default.unwrap_or(false),
            age,
            class.preemption_policy.as_deref().unwrap_or("")
        ],
        Object::Lease(lease) => {
            row![
                name,
                lease
                    .spec
                    .as_ref()
                    .and_then(|spec| spec.holder_identity.as_deref())
                    .unwrap_or(""),
                age
            ]
        }
        Object::StorageClass(class) => storage::class(class, age),
        Object::RoleBinding(binding) => {
            config::binding(name, &binding.role_ref, binding.subjects.as_deref(), age)
        }
        Object::ClusterRoleBinding(binding) => {
            config::binding(name, &binding.role_ref, binding.subjects.as_deref(), age)
        }
        // Kinds without a printer show when they were made.
        Object::LimitRange(_) | Object::Role(_) | Object::ClusterRole(_) => {
            let created = object.meta().creation_timestamp.as_ref();
            vec![name.into(), created.map(codec::to_value).unwrap_or_default()]
        }
    }
}

/// `conditions` of a row: Pods that have ended are marked.
pub fn row_conditions(object: &Object) -> Option<Value> {
    let Object::Pod(pod) = object else { return None };
    let phase = pod.status.as_ref()?.phase.as_deref()?;
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": phase, "message": message}]))
}

/// The names and the images of containers.
fn containers(containers: &[Container]) -> (String, String) {
    let join = |part: fn(&Container) -> &str| containers.iter().map(part).collect::<Vec<_>>().join(",");
    (
        join(|container| &container.name),
        join(|container| container.image.as_deref().unwrap_or("")),
    )
}

/// The first few of a list, and how many there are besides.
fn some_of(shown: &[String], all: usize, max: usize) -> String {
    let text = shown.join(",");
    if all > max {
        format!("{text} + {} more...", all - max)
    } else {
        text
    }
}
