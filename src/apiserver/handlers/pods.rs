//! The subresources of Pods: binding, eviction, and what a kubelet has to answer.

use super::super::{ApiServer, Body, Context, DeleteOptions, ProxyRequest, Reply, Request, Stage};
use super::{Handled, refused};
use crate::api::status::{StatusCause, StatusDetails};
use crate::api::{Kind, Object, Selector, Status};
use crate::etcd::Key;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use serde_json::json;
use std::sync::Arc;

impl ApiServer {
    /// Gives a Pod its node, once. Source: pkg/registry/core/pod/storage, assignPod.
    #[inline(never)]
    pub(super) fn bind(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let Body::Binding { node } = &request.body else {
            return Err(Status::bad_request("the request body must be a Binding"));
        };
        context.stage = Stage::Validation;
        let live = self.live(&request)?;
        let Object::Pod(pod) = &live else {
            return Err(super::method_not_allowed());
        };
        let name = live.name();
        let conflict = |why: String| {
            let mut status = Status::new(
                409,
                "Conflict",
                format!("Operation cannot be fulfilled on pods/binding \"{name}\": {why}"),
            );
            let details = StatusDetails {
                name: name.to_owned(),
                kind: "pods/binding".to_owned(),
                ..Default::default()
            };
            status.details = Some(Box::new(details));
            status
        };
        let spec = pod.spec.as_ref();
        if pod.metadata.deletion_timestamp.is_some() {
            return Err(conflict(format!(
                "pod {name} is being deleted, cannot be assigned to a host"
            )));
        }
        if let Some(assigned) = spec
            .and_then(|spec| spec.node_name.as_deref())
            .filter(|node| !node.is_empty())
        {
            return Err(conflict(format!(
                "pod {name} is already assigned to node \"{assigned}\""
            )));
        }
        if spec
            .and_then(|spec| spec.scheduling_gates.as_ref())
            .is_some_and(|gates| !gates.is_empty())
        {
            return Err(conflict(format!(
                "pod {name} has non-empty .spec.schedulingGates"
            )));
        }
        let mut pod = pod.clone();
        let bound = Arc::make_mut(&mut pod);
        bound.spec.get_or_insert_default().node_name = Some(node.to_string());
        set_scheduled(bound, context);
        context.stage = Stage::Storage;
        if !request.options.dry_run {
            let key = Key::of(&live);
            let bound = self
                .etcd
                .update(&key, pod.into(), live.revision(), context.request_id)
                .map_err(|error| refused(error, &live))?;
            self.managers.kept(&key, bound.revision());
        }
        let value =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
        Ok(Reply::Value { code: 201, value })
    }

    /// Deletes a Pod unless a PodDisruptionBudget needs it. Source: pkg/registry/core/pod/storage/eviction.go.
    #[inline(never)]
    pub(super) fn evict(&mut self, context: &mut Context<'_>, request: Request) -> Handled {
        let live = self.live(&request)?;
        let Object::Pod(pod) = &live else {
            return Err(super::method_not_allowed());
        };
        let options = match &request.body {
            Body::Delete(options) => options.clone(),
            _ => DeleteOptions::default(),
        };
        context.stage = Stage::Storage;
        if counts_against_budgets(pod) {
            self.spend_disruption(context, pod, request.options.dry_run)?;
        }
        self.delete_object(context, live, &options, request.options.dry_run)?;
        let value =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
        Ok(Reply::Value { code: 201, value })
    }

    /// Takes one allowed disruption from the budget that covers a Pod.
    fn spend_disruption(&mut self, context: &Context<'_>, pod: &Pod, dry_run: bool) -> Result<(), Status> {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("");
        let empty = Default::default();
        let labels = pod.metadata.labels.as_ref().unwrap_or(&empty);
        let budgets: Vec<Object> = self
            .etcd
            .range(Kind::PodDisruptionBudget, namespace)
            .map(|(_, value)| value.object.clone())
            .filter(|object| match object {
                Object::PodDisruptionBudget(budget) => budget
                    .spec
                    .as_ref()
                    .and_then(|spec| Selector::from_label_selector(spec.selector.as_ref()).ok())
                    .is_some_and(|selector| selector.matches(labels)),
                _ => false,
            })
            .collect();
        if budgets.len() > 1 {
            return Err(Status::new(
                500,
                "InternalError",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        }
        let Some(Object::PodDisruptionBudget(budget)) = budgets.first() else {
            return Ok(());
        };
        let name = budget.metadata.name.as_deref().unwrap_or("");
        let status = budget.status.clone().unwrap_or_default();
        let observed = status.observed_generation.unwrap_or(0) >= budget.metadata.generation.unwrap_or(0);
        if !observed || status.disruptions_allowed.unwrap_or(0) <= 0 {
            let message = if observed {
                format!(
                    "The disruption budget {name} needs {} healthy pods and has {} currently",
                    status.desired_healthy.unwrap_or(0),
                    status.current_healthy.unwrap_or(0)
                )
            } else {
                format!("The disruption budget {name} is still being processed by the server.")
            };
            let cause = StatusCause {
                reason: "DisruptionBudget".to_owned(),
                message,
                field: String::new(),
            };
            let mut refusal = Status::new(
                429,
                "TooManyRequests",
                "Cannot evict pod as it would violate the pod's disruption budget.",
            );
            refusal.details = Some(Box::new(StatusDetails {
                causes: vec![cause],
                ..StatusDetails::default()
            }));
            return Err(refusal);
        }
        if dry_run {
            return Ok(());
        }
        let mut budget = budget.clone();
        let changed = Arc::make_mut(&mut budget).status.get_or_insert_default();
        changed.disruptions_allowed = Some(changed.disruptions_allowed.unwrap_or(0) - 1);
        changed.disrupted_pods.get_or_insert_default().insert(
            pod.metadata.name.clone().unwrap_or_default(),
            context.now.meta_time(),
        );
        let object = Object::from(budget);
        let revision = budgets[0].revision();
        self.etcd
            .update(&Key::of(&object), object.clone(), revision, context.request_id)
            .map_err(|error| refused(error, &object))?;
        Ok(())
    }

    /// Logs and exec are the kubelet's to answer; the API server checks and passes them on.
    pub(super) fn proxy_to_kubelet(&self, request: &Request) -> Handled {
        let live = self.live(request)?;
        let Object::Pod(pod) = &live else {
            return Err(super::method_not_allowed());
        };
        let parameters = match &request.body {
            Body::Value(value) => value.clone(),
            _ => json!({}),
        };
        let containers: Vec<&str> = pod
            .spec
            .iter()
            .flat_map(|spec| {
                spec.containers
                    .iter()
                    .chain(spec.init_containers.iter().flatten())
            })
            .map(|container| container.name.as_str())
            .collect();
        let main: Vec<&str> = pod
            .spec
            .iter()
            .flat_map(|spec| &spec.containers)
            .map(|container| container.name.as_str())
            .collect();
        let name = live.name();
        let asked = parameters["container"].as_str().unwrap_or("");
        let container = match asked {
            "" if main.len() == 1 => main[0],
            "" => {
                let names = main.join(" ");
                return Err(Status::bad_request(format!(
                    "a container name must be specified for pod {name}, choose one of: [{names}]"
                )));
            }
            asked if containers.contains(&asked) => asked,
            asked => {
                return Err(Status::bad_request(format!(
                    "container {asked} is not valid for pod {name}"
                )));
            }
        };
        let node = pod
            .spec
            .as_ref()
            .and_then(|spec| spec.node_name.clone())
            .unwrap_or_default();
        if node.is_empty() && request.subresource.is_stream() {
            return Err(Status::bad_request(format!(
                "pod {name} does not have a host assigned"
            )));
        }
        Ok(Reply::Proxy(Box::new(ProxyRequest {
            pod: pod.clone(),
            container: container.to_owned(),
            node,
            subresource: request.subresource,
            parameters,
        })))
    }
}

/// A finished or never started Pod may go without asking a budget.
fn counts_against_budgets(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("");
    !matches!(phase, "Succeeded" | "Failed" | "Pending") && pod.metadata.deletion_timestamp.is_none()
}

fn set_scheduled(pod: &mut Pod, context: &Context<'_>) {
    let conditions = pod
        .status
        .get_or_insert_default()
        .conditions
        .get_or_insert_default();
    conditions.retain(|condition| condition.type_ != "PodScheduled");
    conditions.push(PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "True".to_owned(),
        last_transition_time: Some(context.now.meta_time()),
        ..PodCondition::default()
    });
}
