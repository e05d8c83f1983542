//! LimitRanger: a namespace's default requests and limits, and the bounds nobody may leave.
//!
//! Source: k8s.io/kubernetes/plugin/pkg/admission/limitranger.

use super::super::ApiServer;
use crate::api::{Kind, Object, Quantity, Status};
use k8s_openapi::api::core::v1::{Container, LimitRange, LimitRangeItem, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use std::collections::BTreeMap;
use std::sync::Arc;

type Resources = BTreeMap<String, Text>;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

pub(super) fn on_create(server: &ApiServer, object: &mut Object) -> Result<(), Status> {
    if !matches!(object.kind(), Kind::Pod | Kind::PersistentVolumeClaim) {
        return Ok(());
    }
    let ranges: Vec<Arc<LimitRange>> = server
        .etcd
        .range(Kind::LimitRange, object.namespace())
        .filter_map(|(_, value)| value.object.get::<LimitRange>().cloned())
        .collect();
    for range in &ranges {
        if let Object::Pod(pod) = object {
            apply_defaults(Arc::make_mut(pod), range);
        }
        let errors = check(object, range);
        if !errors.is_empty() {
            let why = if errors.len() == 1 {
                errors[0].clone()
            } else {
                format!("[{}]", errors.join(", "))
            };
            return Err(Status::forbidden(object.kind().info(), object.name(), &why));
        }
    }
    Ok(())
}

fn items<'a>(range: &'a LimitRange, kind: &'a str) -> impl Iterator<Item = &'a LimitRangeItem> {
    range
        .spec
        .iter()
        .flat_map(|spec| &spec.limits)
        .filter(move |item| item.type_ == kind)
}

#[inline(never)]
fn apply_defaults(pod: &mut Pod, range: &LimitRange) {
    let mut requests = Resources::new();
    let mut limits = Resources::new();
    for item in items(range, "Container") {
        requests.extend(item.default_request.clone().unwrap_or_default());
        limits.extend(item.default.clone().unwrap_or_default());
    }
    if requests.is_empty() && limits.is_empty() {
        return;
    }
    let mut notes = Vec::new();
    if let Some(spec) = pod.spec.as_mut() {
        for container in &mut spec.containers {
            fill(container, "container", &requests, &limits, &mut notes);
        }
        for container in spec.init_containers.iter_mut().flatten() {
            fill(container, "init container", &requests, &limits, &mut notes);
        }
    }
    if !notes.is_empty() {
        let text = format!("LimitRanger plugin set: {}", notes.join("; "));
        pod.metadata
            .annotations
            .get_or_insert_default()
            .insert(ANNOTATION.to_owned(), text);
    }
}

fn fill(
    container: &mut Container,
    what: &str,
    requests: &Resources,
    limits: &Resources,
    notes: &mut Vec<String>,
) {
    let name = container.name.clone();
    let resources = container.resources.get_or_insert_default();
    for (list, defaults, word) in [
        (&mut resources.requests, requests, "request"),
        (&mut resources.limits, limits, "limit"),
    ] {
        let mut set = Vec::new();
        for (resource, quantity) in defaults {
            let own = list.get_or_insert_default();
            if !own.contains_key(resource) {
                own.insert(resource.clone(), quantity.clone());
                set.push(resource.as_str());
            }
        }
        if list.as_ref().is_some_and(BTreeMap::is_empty) {
            *list = None;
        }
        if !set.is_empty() {
            notes.push(format!("{} {word} for {what} {name}", set.join(", ")));
        }
    }
}

#[inline(never)]
fn check(object: &Object, range: &LimitRange) -> Vec<String> {
    let mut errors = Vec::new();
    match object {
        Object::Pod(pod) => {
            let Some(spec) = &pod.spec else { return errors };
            let empty = Resources::new();
            for item in items(range, "Container") {
                for container in spec
                    .containers
                    .iter()
                    .chain(spec.init_containers.iter().flatten())
                {
                    let resources = container.resources.as_ref();
                    let requests = resources.and_then(|r| r.requests.as_ref()).unwrap_or(&empty);
                    let limits = resources.and_then(|r| r.limits.as_ref()).unwrap_or(&empty);
                    bounds(item, requests, limits, &mut errors);
                }
            }
            for item in items(range, "Pod") {
                let sum = |pick: fn(&Container) -> Option<&Resources>| {
                    let mut total = Resources::new();
                    for container in &spec.containers {
                        for (name, quantity) in pick(container).into_iter().flatten() {
                            let sum = total.get(name).map_or(Quantity::of(quantity), |old| {
                                Quantity::of(old) + Quantity::of(quantity)
                            });
                            total.insert(name.clone(), sum.into());
                        }
                    }
                    total
                };
                let requests = sum(|c| c.resources.as_ref().and_then(|r| r.requests.as_ref()));
                let limits = sum(|c| c.resources.as_ref().and_then(|r| r.limits.as_ref()));
                bounds(item, &requests, &limits, &mut errors);
            }
        }
        Object::PersistentVolumeClaim(claim) => {
            let empty = Resources::new();
            let requests = claim
                .spec
                .as_ref()
                .and_then(|spec| spec.resources.as_ref())
                .and_then(|resources| resources.requests.as_ref())
                .unwrap_or(&empty);
            for item in items(range, "PersistentVolumeClaim") {
                bounds(item, requests, requests, &mut errors);
            }
        }
        _ => {}
    }
    errors
}

/// The three rules of an item, in upstream's order and words.
fn bounds(item: &LimitRangeItem, requests: &Resources, limits: &Resources, errors: &mut Vec<String>) {
    let kind = &item.type_;
    for (resource, bound) in item.min.iter().flatten() {
        let minimum = Quantity::of(bound);
        match (requests.get(resource), limits.get(resource)) {
            (None, _) => errors.push(format!(
                "minimum {resource} usage per {kind} is {}.  No request is specified",
                bound.0
            )),
            (Some(request), _) if Quantity::of(request) < minimum => errors.push(format!(
                "minimum {resource} usage per {kind} is {}, but request is {}",
                bound.0, request.0
            )),
            (_, Some(limit)) if Quantity::of(limit) < minimum => {
                errors.push(format!(
                    "minimum {resource} usage per {kind} is {}, but limit is {}",
                    bound.0, limit.0
                ));
            }
            _ => {}
        }
    }
    for (resource, bound) in item.max.iter().flatten() {
        let maximum = Quantity::of(bound);
        match (requests.get(resource), limits.get(resource)) {
            (_, None) => errors.push(format!(
                "maximum {resource} usage per {kind} is {}.  No limit is specified",
                bound.0
            )),
            (_, Some(limit)) if Quantity::of(limit) > maximum => {
                errors.push(format!(
                    "maximum {resource} usage per {kind} is {}, but limit is {}",
                    bound.0, limit.0
                ));
            }
            (Some(request), _) if Quantity::of(request) > maximum => errors.push(format!(
                "maximum {resource} usage per {kind} is {}, but request is {}",
                bound.0, request.0
            )),
            _ => {}
        }
    }
    for (resource, ratio) in item.max_limit_request_ratio.iter().flatten() {
        let (Some(request), Some(limit)) = (requests.get(resource), limits.get(resource)) else {
            errors.push(format!(
                "{resource} max limit to request ratio per {kind} is {}, but no request is specified or request is 0",
                ratio.0
            ));
            continue;
        };
        let (request, limit) = (
            Quantity::of(request).milli_value(),
            Quantity::of(limit).milli_value(),
        );
        let provided = if request > 0 {
            limit as f64 / request as f64
        } else {
            f64::INFINITY
        };
        if provided > Quantity::of(ratio).milli_value() as f64 / 1000.0 {
            errors.push(format!(
                "{resource} max limit to request ratio per {kind} is {}, but provided ratio is {provided:.6}",
                ratio.0
            ));
        }
    }
}
