//! Making Pods from templates and choosing which ones to delete.
//!
//! Source: k8s.io/kubernetes/pkg/controller/controller_utils.go (`GetPodFromTemplate`,
//! `ActivePodsWithRanks`).

use crate::api::order::StableSort;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::apiserver::{DeleteOptions, Request};
use crate::client::helpers::{moment, pod_is_ready, pod_node, pod_phase, pod_ready_since};
use crate::etcd::Key;
use crate::seat::{Duty, Note, Why};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use std::cmp::Ordering;
use std::sync::Arc;

/// Source: pkg/controller, `PodDeletionCost`.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// A Pod as the template of `owner` wants it, named by the API server.
pub fn pod_from_template(template: &PodTemplateSpec, owner: &ObjectMeta, reference: OwnerReference) -> Pod {
    let meta = template.metadata.as_ref();
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", owner.name.as_deref().unwrap_or(""))),
            namespace: owner.namespace.clone(),
            labels: meta.and_then(|meta| meta.labels.clone()),
            annotations: meta.and_then(|meta| meta.annotations.clone()),
            finalizers: meta.and_then(|meta| meta.finalizers.clone()),
            owner_references: Some(vec![reference]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

pub fn normal(about: &Key, reason: &'static str, message: impl Into<String>) -> Note {
    Note {
        about: about.clone(),
        warning: false,
        reason,
        message: message.into(),
        on_failure: false,
        field_path: String::new(),
    }
}

pub fn warning(about: &Key, reason: &'static str, message: impl Into<String>) -> Note {
    Note {
        warning: true,
        ..normal(about, reason, message)
    }
}

pub fn on_failure(about: &Key, reason: &'static str, message: impl Into<String>) -> Note {
    Note {
        on_failure: true,
        ..warning(about, reason, message)
    }
}

/// The duty to create one Pod for `about`, with upstream's Events.
pub fn create_pod(about: &Key, why: Why, pod: Object) -> Duty {
    Duty::api(why, Request::create(pod))
        .note(normal(about, "SuccessfulCreate", "Created pod: {name}"))
        .note(on_failure(about, "FailedCreate", "Error creating: {error}"))
}

/// The duty to delete one Pod for `about`, with upstream's Events.
pub fn delete_pod(about: &Key, why: Why, pod: &Pod) -> Duty {
    let name = pod.metadata.name.as_deref().unwrap_or("");
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
    Duty::api(
        why,
        Request::delete(Kind::Pod, namespace, name, DeleteOptions::default()),
    )
    .note(normal(about, "SuccessfulDelete", format!("Deleted pod: {name}")))
    .note(on_failure(about, "FailedDelete", "Error deleting: {error}"))
}

fn phase_order(pod: &Pod) -> u8 {
    match pod_phase(pod) {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    }
}

fn deletion_cost(pod: &Pod) -> i32 {
    let annotation = pod
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(DELETION_COST));
    annotation.and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

/// The highest restart count of the ordinary containers, and that of the sidecars.
fn restarts(pod: &Pod) -> (i32, i32) {
    let Some(status) = &pod.status else { return (0, 0) };
    let highest = |statuses: &mut dyn Iterator<Item = &k8s_openapi::api::core::v1::ContainerStatus>| {
        statuses.map(|status| status.restart_count).max().unwrap_or(0)
    };
    let sidecar = |name: &str| {
        let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
        init.into_iter()
            .flatten()
            .any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
    };
    let ordinary = highest(&mut status.container_statuses.iter().flatten());
    let side = highest(
        &mut status
            .init_container_statuses
            .iter()
            .flatten()
            .filter(|s| sidecar(&s.name)),
    );
    (ordinary, side)
}

/// Ages are compared by the power of two of their nanoseconds, so that one of several Pods of
/// about the same age is picked as if at random: by uid.
fn by_age(a: SimTime, b: SimTime, now: SimTime, uids: impl Fn() -> Ordering) -> Ordering {
    let rank = |time: SimTime| {
        let nanos = now.since(time).as_nanos();
        if nanos == 0 { -1 } else { nanos.ilog2() as i64 }
    };
    rank(a).cmp(&rank(b)).then_with(uids)
}

/// What of a Pod matters for who is deleted first.
struct Ranked<'a> {
    pod: &'a Arc<Pod>,
    ready: bool,
    cost: i32,
    /// How many related Pods are on the same node.
    together: usize,
    ready_since: Option<SimTime>,
    restarts: (i32, i32),
    created: Option<SimTime>,
}

fn deleted_first(a: &Ranked<'_>, b: &Ranked<'_>, now: SimTime) -> Ordering {
    let uids = || a.pod.metadata.uid.cmp(&b.pod.metadata.uid);
    (!pod_node(a.pod).is_empty())
        .cmp(&!pod_node(b.pod).is_empty())
        .then_with(|| phase_order(a.pod).cmp(&phase_order(b.pod)))
        .then_with(|| a.ready.cmp(&b.ready))
        .then_with(|| a.cost.cmp(&b.cost))
        .then_with(|| b.together.cmp(&a.together))
        .then_with(|| match (a.ready_since, b.ready_since) {
            (Some(first), Some(second)) if first != second => by_age(first, second, now, uids),
            _ => Ordering::Equal,
        })
        .then_with(|| b.restarts.cmp(&a.restarts))
        .then_with(|| match (a.created, b.created) {
            (Some(first), Some(second)) if first != second => by_age(first, second, now, uids),
            _ => Ordering::Equal,
        })
        // Upstream leaves the rest to an unstable sort.
        .then_with(uids)
}

/// The `count` Pods upstream would delete first. `related` are all Pods of the sets of the same
/// owner: where several share a node, one of those goes first.
pub fn pods_to_delete<'a>(
    pods: &[&'a Arc<Pod>],
    related: &mut dyn Iterator<Item = &Arc<Pod>>,
    count: usize,
    now: SimTime,
) -> Vec<&'a Arc<Pod>> {
    if count >= pods.len() {
        return pods.to_vec();
    }
    let mut on_node: SortedMap<&str, usize> = SortedMap::new();
    let related: Vec<_> = related.collect();
    for pod in &related {
        if crate::client::helpers::pod_is_active(pod) {
            *on_node.entry(pod_node(pod)).or_default() += 1;
        }
    }
    let mut ranked: Vec<Ranked<'a>> = pods
        .iter()
        .map(|&pod| Ranked {
            pod,
            ready: pod_is_ready(pod),
            cost: deletion_cost(pod),
            together: on_node.get(pod_node(pod)).copied().unwrap_or(0),
            ready_since: pod_ready_since(pod),
            restarts: restarts(pod),
            created: moment(&pod.metadata.creation_timestamp),
        })
        .collect();
    ranked.stable_sort_by(|a, b| deleted_first(a, b, now));
    ranked.into_iter().take(count).map(|ranked| ranked.pod).collect()
}
