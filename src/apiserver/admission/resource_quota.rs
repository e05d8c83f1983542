//! ResourceQuota: a namespace may hold only so much.
//!
//! Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota and pkg/quota/v1/evaluator/core. The
//! usage is charged to the quota's status here, so that two quick creations cannot both fit; the
//! quota controller corrects it when something is deleted.

use super::super::{ApiServer, Context};
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object, Quantity, Status};
use crate::etcd::Key;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use std::sync::Arc;

/// What an object uses of each countable thing.
pub type Usage = SortedMap<String, Quantity>;

pub(super) fn on_create(
    server: &mut ApiServer,
    context: &Context<'_>,
    object: &Object,
    dry_run: bool,
) -> Result<(), Status> {
    if object.namespace().is_empty() || object.kind() == Kind::Event {
        return Ok(());
    }
    let quotas: Vec<Arc<ResourceQuota>> = server
        .etcd
        .range(Kind::ResourceQuota, object.namespace())
        .filter_map(|(_, value)| value.object.get::<ResourceQuota>().cloned())
        .collect();
    if quotas.is_empty() {
        return Ok(());
    }
    let usage = usage_of(object);
    let mut charged = Vec::new();
    for quota in quotas {
        if let Some(changed) = charge(&quota, object, &usage)? {
            charged.push(changed);
        }
    }
    if dry_run {
        return Ok(());
    }
    for quota in charged {
        let object = Object::from(quota);
        let revision = object.revision();
        // Read above under the same borrow: nobody wrote in between.
        let _ = server
            .etcd
            .update(&Key::of(&object), object, revision, context.request_id);
    }
    Ok(())
}

/// The quota with the object's usage added, if it counts there.
#[inline(never)]
fn charge(
    quota: &Arc<ResourceQuota>,
    object: &Object,
    usage: &Usage,
) -> Result<Option<Arc<ResourceQuota>>, Status> {
    let spec = quota.spec.as_ref();
    if let Object::Pod(pod) = object {
        if !in_scope(quota, pod) {
            return Ok(None);
        }
    } else if spec.is_some_and(|spec| spec.scopes.is_some() || spec.scope_selector.is_some()) {
        return Ok(None);
    }
    let status = quota.status.as_ref();
    let hard = status
        .and_then(|status| status.hard.as_ref())
        .or_else(|| spec.and_then(|spec| spec.hard.as_ref()));
    let Some(hard) = hard else { return Ok(None) };
    let name = quota.metadata.name.as_deref().unwrap_or("");
    if let Object::Pod(_) = object {
        let missing: Vec<&str> = hard
            .keys()
            .filter(|resource| is_compute(resource) && !usage.contains_key(*resource))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let why = format!("failed quota: {name}: must specify {}", missing.join(","));
            return Err(Status::forbidden(object.kind().info(), object.name(), &why));
        }
    }
    let used = status.and_then(|status| status.used.clone()).unwrap_or_default();
    let mut next = used.clone();
    let mut exceeded: Vec<&String> = Vec::new();
    let mut touched = false;
    for (resource, limit) in hard {
        let Some(request) = usage.get(resource) else {
            continue;
        };
        let before = used.get(resource).map_or(
            Quantity::new(0, crate::api::quantity::Format::DecimalSi),
            Quantity::of,
        );
        let after = before + *request;
        if after > Quantity::of(limit) {
            exceeded.push(resource);
        }
        next.insert(resource.clone(), after.into());
        touched = true;
    }
    if !exceeded.is_empty() {
        let list = |value: &dyn Fn(&String) -> String| -> String {
            exceeded
                .iter()
                .map(|resource| format!("{resource}={}", value(resource)))
                .collect::<Vec<_>>()
                .join(",")
        };
        let requested = list(&|resource| usage.get(resource).map(Quantity::to_string).unwrap_or_default());
        let used_text = list(&|resource| {
            used.get(resource)
                .map_or_else(|| "0".to_owned(), |quantity| quantity.0.clone())
        });
        let limited = list(&|resource| {
            hard.get(resource)
                .map(|quantity| quantity.0.clone())
                .unwrap_or_default()
        });
        let why =
            format!("exceeded quota: {name}, requested: {requested}, used: {used_text}, limited: {limited}");
        return Err(Status::forbidden(object.kind().info(), object.name(), &why));
    }
    if !touched {
        return Ok(None);
    }
    let mut changed = quota.clone();
    let status = Arc::make_mut(&mut changed).status.get_or_insert_default();
    status.hard.get_or_insert_with(|| hard.clone());
    status.used = Some(next);
    Ok(Some(changed))
}

fn is_compute(resource: &str) -> bool {
    matches!(
        resource,
        "cpu" | "memory" | "requests.cpu" | "requests.memory" | "limits.cpu" | "limits.memory"
    )
}

/// Whether a quota's scopes cover a Pod.
pub fn in_scope(quota: &ResourceQuota, pod: &Pod) -> bool {
    let terminating = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.active_deadline_seconds.is_some());
    let best_effort = crate::api::pod_qos_class(pod.spec.as_ref()) == "BestEffort";
    quota
        .spec
        .iter()
        .flat_map(|spec| spec.scopes.iter().flatten())
        .all(|scope| match scope.as_str() {
            "Terminating" => terminating,
            "NotTerminating" => !terminating,
            "BestEffort" => best_effort,
            "NotBestEffort" => !best_effort,
            _ => true,
        })
}

/// What an object uses, under every name a quota may count it by.
#[inline(never)]
pub fn usage_of(object: &Object) -> Usage {
    let one = || Quantity::new(1, crate::api::quantity::Format::DecimalSi);
    let info = object.kind().info();
    let mut usage = Usage::new();
    usage.insert(format!("count/{}", info.qualified_resource()), one());
    match object {
        Object::Pod(pod) => pod_usage(pod, &mut usage),
        Object::Service(service) => {
            usage.insert("services".to_owned(), one());
            let spec = service.spec.as_ref();
            let kind = spec.and_then(|spec| spec.type_.as_deref()).unwrap_or("ClusterIP");
            if kind == "LoadBalancer" {
                usage.insert("services.loadbalancers".to_owned(), one());
            }
            if matches!(kind, "NodePort" | "LoadBalancer") {
                let ports = spec.and_then(|spec| spec.ports.as_ref()).map_or(0, Vec::len);
                let ports = Quantity::new(ports as i64, crate::api::quantity::Format::DecimalSi);
                usage.insert("services.nodeports".to_owned(), ports);
            }
        }
        Object::PersistentVolumeClaim(claim) => {
            usage.insert("persistentvolumeclaims".to_owned(), one());
            let storage = claim
                .spec
                .as_ref()
                .and_then(|spec| spec.resources.as_ref())
                .and_then(|resources| resources.requests.as_ref())
                .and_then(|requests| requests.get("storage"));
            if let Some(storage) = storage {
                usage.insert("requests.storage".to_owned(), Quantity::of(storage));
            }
        }
        Object::ConfigMap(_)
        | Object::Secret(_)
        | Object::ReplicationController(_)
        | Object::ResourceQuota(_) => {
            usage.insert(info.plural.to_owned(), one());
        }
        _ => {}
    }
    usage
}

fn pod_usage(pod: &Pod, usage: &mut Usage) {
    let one = Quantity::new(1, crate::api::quantity::Format::DecimalSi);
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        return;
    }
    usage.insert("pods".to_owned(), one);
    let Some(spec) = &pod.spec else { return };
    for container in &spec.containers {
        let resources = container.resources.as_ref();
        for (prefix, list) in [
            ("requests.", resources.and_then(|r| r.requests.as_ref())),
            ("limits.", resources.and_then(|r| r.limits.as_ref())),
        ] {
            for (resource, quantity) in list.into_iter().flatten() {
                let mut add = |name: String| {
                    let total = usage
                        .get(&name)
                        .map_or(Quantity::of(quantity), |old| *old + Quantity::of(quantity));
                    usage.insert(name, total);
                };
                add(format!("{prefix}{resource}"));
                if prefix == "requests." {
                    add(resource.clone());
                }
            }
        }
    }
}
