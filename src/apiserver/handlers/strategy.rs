//! What differs by kind when an object is written.
//!
//! Source: the `strategy.go` files below k8s.io/kubernetes/pkg/registry.

use super::super::Subresource;
use crate::api::{Kind, Object};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    NamespaceSpec, NamespaceStatus, PersistentVolumeClaimStatus, PersistentVolumeStatus, Pod, PodCondition,
    PodStatus,
};
use std::sync::Arc;

/// Kinds whose `metadata.generation` counts changes of the spec.
pub(super) fn has_generation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicationController
            | Kind::Job
            | Kind::CronJob
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::NetworkPolicy
            | Kind::PodDisruptionBudget
            | Kind::PriorityClass
            | Kind::EndpointSlice
    )
}

/// Kinds that `PUT` creates when they are not there.
pub(super) fn allows_create_on_update(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Endpoints
            | Kind::Event
            | Kind::LimitRange
            | Kind::Lease
            | Kind::Role
            | Kind::RoleBinding
            | Kind::ClusterRole
            | Kind::ClusterRoleBinding
    )
}

/// Kinds that may only be updated with the `resourceVersion` they were read at.
pub(super) fn needs_resource_version(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Lease | Kind::EndpointSlice | Kind::PodDisruptionBudget
    )
}

#[inline(never)]
pub(super) fn prepare_for_create(object: &mut Object) {
    if has_generation(object.kind()) {
        object.meta_mut().generation = Some(1);
    } else if object.meta().generation.is_some() {
        object.meta_mut().generation = None;
    }
    // A node and a ReplicaSet's siblings report themselves later; what a client writes into the
    // status of a new object is dropped. Nodes are the exception: kubelets register with one.
    object.clear_status();
    match object {
        Object::Pod(pod) => {
            let gated = pod
                .spec
                .as_ref()
                .and_then(|s| s.scheduling_gates.as_ref())
                .is_some_and(|g| !g.is_empty());
            let pod = Arc::make_mut(pod);
            let qos = crate::api::pod_qos_class(pod.spec.as_ref());
            pod.status = Some(PodStatus {
                phase: Some("Pending".to_owned()),
                qos_class: Some(qos.to_owned()),
                conditions: gated.then(|| {
                    vec![PodCondition {
                        type_: "PodScheduled".to_owned(),
                        status: "False".to_owned(),
                        reason: Some("SchedulingGated".to_owned()),
                        message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
                        ..PodCondition::default()
                    }]
                }),
                ..PodStatus::default()
            });
        }
        Object::Namespace(namespace) => {
            let namespace = Arc::make_mut(namespace);
            let finalizers = namespace
                .spec
                .get_or_insert_with(NamespaceSpec::default)
                .finalizers
                .get_or_insert_default();
            if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
                finalizers.push("kubernetes".to_owned());
            }
            namespace.status = Some(NamespaceStatus {
                phase: Some("Active".to_owned()),
                ..NamespaceStatus::default()
            });
        }
        Object::Service(service) => Arc::make_mut(service).status = Some(Default::default()),
        Object::PersistentVolume(volume) => {
            Arc::make_mut(volume).status = Some(PersistentVolumeStatus {
                phase: Some("Pending".to_owned()),
                ..Default::default()
            });
        }
        Object::PersistentVolumeClaim(claim) => {
            Arc::make_mut(claim).status = Some(PersistentVolumeClaimStatus {
                phase: Some("Pending".to_owned()),
                ..Default::default()
            });
        }
        Object::Deployment(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::ReplicaSet(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::StatefulSet(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::DaemonSet(o) => {
            let set = Arc::make_mut(o);
            set.status = Some(Default::default());
            set_template_generation(set, 1);
        }
        Object::ReplicationController(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::Job(o) => {
            let job = Arc::make_mut(o);
            job.status = Some(Default::default());
            select_own_pods(job);
        }
        Object::CronJob(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::Ingress(o) => {
            let status = k8s_openapi::api::networking::v1::IngressStatus {
                load_balancer: Some(Default::default()),
            };
            Arc::make_mut(o).status = Some(status);
        }
        Object::HorizontalPodAutoscaler(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::PodDisruptionBudget(o) => Arc::make_mut(o).status = Some(Default::default()),
        Object::ResourceQuota(o) => Arc::make_mut(o).status = Some(Default::default()),
        _ => {}
    }
}

/// What admission may have changed the reason for.
#[inline(never)]
pub(super) fn after_admission(object: &mut Object) {
    if let Object::Pod(pod) = object {
        let class = crate::api::pod_qos_class(pod.spec.as_ref());
        if pod
            .status
            .as_ref()
            .is_some_and(|status| status.qos_class.as_deref() != Some(class))
        {
            Arc::make_mut(pod).status.get_or_insert_default().qos_class = Some(class.to_owned());
        }
    }
}

/// Notes when a volume came into its phase.
pub(super) fn stamp_phase(object: &mut Object, live: Option<&Object>, now: crate::sim::SimTime) {
    let Object::PersistentVolume(volume) = object else {
        return;
    };
    let phase = |object: &Object| match object {
        Object::PersistentVolume(volume) => volume.status.as_ref().and_then(|status| status.phase.clone()),
        _ => None,
    };
    let status = volume.status.as_ref();
    if live.is_none_or(|live| phase(live).as_ref() != status.and_then(|status| status.phase.as_ref())) {
        let status = Arc::make_mut(volume).status.get_or_insert_default();
        status.last_phase_transition_time = Some(now.meta_time());
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Counts changes of a DaemonSet's template, as its first version did. Source:
/// pkg/apis/apps/v1/conversion.go.
fn set_template_generation(set: &mut DaemonSet, generation: i64) {
    set.metadata
        .annotations
        .get_or_insert_default()
        .insert(TEMPLATE_GENERATION.to_owned(), generation.to_string());
}

/// Gives a Job a selector that finds its own Pods and nobody else's. Source:
/// pkg/registry/batch/job/strategy.go, generateSelector.
fn select_own_pods(job: &mut Job) {
    let (uid, name) = (
        job.metadata.uid.clone().unwrap_or_default(),
        job.metadata.name.clone().unwrap_or_default(),
    );
    let Some(spec) = &mut job.spec else { return };
    if spec.manual_selector == Some(true) {
        return;
    }
    let labels = spec
        .template
        .metadata
        .get_or_insert_default()
        .labels
        .get_or_insert_default();
    for (key, value) in [("job-name", &name), ("controller-uid", &uid)] {
        labels.entry(key.to_owned()).or_insert_with(|| value.clone());
        labels
            .entry(format!("batch.kubernetes.io/{key}"))
            .or_insert_with(|| value.clone());
    }
    let selector = spec
        .selector
        .get_or_insert_default()
        .match_labels
        .get_or_insert_default();
    selector
        .entry("batch.kubernetes.io/controller-uid".to_owned())
        .or_insert(uid);
}

/// The main resource: the status stays what it was.
#[inline(never)]
pub(super) fn prepare_for_update(object: &mut Object, live: &Object, subresource: Subresource) {
    object.take_status(live);
    match (object, live) {
        // `finalize` alone may change a namespace's own finalizers.
        (Object::Namespace(new), Object::Namespace(old)) if subresource != Subresource::Finalize => {
            if new.spec != old.spec {
                Arc::make_mut(new).spec = old.spec.clone();
            }
        }
        (Object::DaemonSet(new), Object::DaemonSet(old)) => {
            let known = old
                .metadata
                .annotations
                .as_ref()
                .and_then(|own| own.get(TEMPLATE_GENERATION)?.parse::<i64>().ok());
            let known = known.unwrap_or(1);
            let template = |set: &DaemonSet| set.spec.as_ref().map(|spec| spec.template.clone());
            let next = if template(new) == template(old) {
                known
            } else {
                known + 1
            };
            set_template_generation(Arc::make_mut(new), next);
        }
        _ => {}
    }
}

/// The status subresource: the spec stays what it was. Labels and annotations may change here, as upstream lets
/// them, but for a Deployment's labels and a Pod's owners. Source: the status strategies' PrepareForUpdate in
/// pkg/registry.
#[inline(never)]
pub(super) fn prepare_for_status_update(object: &mut Object, live: &Object) {
    object.take_spec(live);
    match (object, live) {
        (Object::Deployment(new), Object::Deployment(old)) if new.metadata.labels != old.metadata.labels => {
            Arc::make_mut(new)
                .metadata
                .labels
                .clone_from(&old.metadata.labels);
        }
        (Object::Pod(new), Object::Pod(old)) => keep_pod_status(new, old),
        _ => {}
    }
}

/// What older kubelets leave out of a Pod's status, or spoil. Source: pkg/registry/core/pod/strategy.go.
#[inline(never)]
fn keep_pod_status(new: &mut Arc<Pod>, old: &Arc<Pod>) {
    if new.metadata.owner_references != old.metadata.owner_references {
        let owners = &mut Arc::make_mut(new).metadata.owner_references;
        owners.clone_from(&old.metadata.owner_references);
    }
    let Some(old) = &old.status else { return };
    let lost = |new: &PodStatus| {
        new.qos_class.is_none() && old.qos_class.is_some()
            || new.observed_generation.is_none() && old.observed_generation.is_some()
    };
    if new.status.as_ref().is_none_or(lost) {
        let status = Arc::make_mut(new).status.get_or_insert_default();
        status.qos_class = status.qos_class.take().or_else(|| old.qos_class.clone());
        status.observed_generation = status.observed_generation.or(old.observed_generation);
    }
    for condition in old.conditions.iter().flatten() {
        let lost = |new: &PodCondition| {
            new.type_ == condition.type_
                && new.observed_generation.is_none()
                && condition.observed_generation.is_some()
        };
        let conditions = new.status.as_ref().and_then(|status| status.conditions.as_ref());
        let Some(at) = conditions.and_then(|conditions| conditions.iter().position(lost)) else {
            continue;
        };
        let status = Arc::make_mut(new).status.get_or_insert_default();
        status.conditions.get_or_insert_default()[at].observed_generation = condition.observed_generation;
    }
}
