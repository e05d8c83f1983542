//! ResourceQuotas and LimitRanges.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::core::{SPEC, STATUS};
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors, IMMUTABLE};
use super::resources::{self, ResourceList};
use crate::api::quantity::Quantity;
use crate::api::sorted::SortedSet;
use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec};

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

#[inline(never)]
pub fn resource_quota(quota: &ResourceQuota, errors: &mut Errors) {
    if let Some(spec) = &quota.spec {
        quota_list(spec.hard.as_ref(), &SPEC.child("hard"), errors);
        scopes(spec, errors);
    }
    quota_status(quota, errors);
}

pub fn quota_status(quota: &ResourceQuota, errors: &mut Errors) {
    if let Some(status) = &quota.status {
        quota_list(status.hard.as_ref(), &STATUS.child("hard"), errors);
        quota_list(status.used.as_ref(), &STATUS.child("used"), errors);
    }
}

fn quota_list(list: Option<&ResourceList>, path: &Path, errors: &mut Errors) {
    for (name, amount) in list.into_iter().flatten() {
        let path = &path.key(name);
        resources::quota_resource_name(name, path, errors);
        resources::quantity_value(name, Quantity::of(amount), path, errors);
    }
}

fn scope_fits(scope: &str, name: &str) -> bool {
    match scope {
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => {
            name == "pods"
                || matches!(name, "cpu" | "memory" | "ephemeral-storage")
                || name.starts_with("requests.") && name != "requests.storage"
                || name.starts_with("limits.")
        }
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

fn scopes(spec: &ResourceQuotaSpec, errors: &mut Errors) {
    let names: Vec<&String> = spec.hard.iter().flatten().map(|(name, _)| name).collect();
    let misfits = |scope: &str| {
        let misfit = |name: &&&String| resources::is_standard_for_quota(name) && !scope_fits(scope, name);
        names.iter().filter(misfit).count()
    };
    let conflicts = |scopes: &[&str]| {
        let has = |scope: &str| scopes.contains(&scope);
        usize::from(has("BestEffort") && has("NotBestEffort"))
            + usize::from(has("Terminating") && has("NotTerminating"))
    };
    let own: Vec<&str> = spec.scopes.iter().flatten().map(String::as_str).collect();
    let path = &SPEC.child("scopes");
    for scope in &own {
        if !SCOPES.contains(scope) {
            errors.push(FieldError::invalid(path, Json(&own), "unsupported scope"));
        }
        for _ in 0..misfits(scope) {
            errors.push(FieldError::invalid(
                path,
                Json(&own),
                "unsupported scope applied to resource",
            ));
        }
    }
    for _ in 0..conflicts(&own) {
        errors.push(FieldError::invalid(path, Json(&own), "conflicting scopes"));
    }
    let Some(selector) = &spec.scope_selector else {
        return;
    };
    let selector_path = SPEC.child("scopeSelector");
    let path = &selector_path.child("matchExpressions");
    for expression in selector.match_expressions.iter().flatten() {
        let scope = expression.scope_name.as_str();
        if !SCOPES.contains(&scope) {
            errors.push(FieldError::invalid(
                &path.child("scopeName"),
                scope,
                "unsupported scope",
            ));
        }
        for _ in 0..misfits(scope) {
            errors.push(FieldError::invalid(
                path,
                Json(selector),
                "unsupported scope applied to resource",
            ));
        }
        let only_exists = matches!(
            scope,
            "BestEffort" | "NotBestEffort" | "Terminating" | "NotTerminating" | "CrossNamespacePodAffinity"
        );
        let operator = expression.operator.as_str();
        if only_exists && operator != "Exists" {
            let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                       ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                       ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.push(FieldError::invalid(&path.child("operator"), operator, why));
        }
        let values = expression.values.as_deref().unwrap_or(&[]);
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                errors.push(FieldError::required(&path.child("values"), why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                errors.push(FieldError::invalid(&path.child("values"), Json(values), why));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let why = "not a valid selector operator";
                errors.push(FieldError::invalid(&path.child("operator"), other, why));
            }
        }
    }
}

#[inline(never)]
pub fn resource_quota_update(new: &ResourceQuota, old: &ResourceQuota, errors: &mut Errors) {
    if let Some(spec) = &new.spec {
        quota_list(spec.hard.as_ref(), &SPEC.child("hard"), errors);
        scopes(spec, errors);
    }
    let scopes = |quota: &ResourceQuota| -> SortedSet<String> {
        quota
            .spec
            .iter()
            .flat_map(|spec| spec.scopes.iter().flatten())
            .cloned()
            .collect()
    };
    if scopes(new) != scopes(old) {
        let own = new.spec.as_ref().and_then(|spec| spec.scopes.as_ref());
        errors.push(FieldError::invalid(&SPEC.child("scopes"), Json(own), IMMUTABLE));
    }
}

#[inline(never)]
pub fn limit_range(range: &LimitRange, errors: &mut Errors) {
    let limits = range.spec.as_ref().map_or(&[][..], |spec| spec.limits.as_slice());
    let path = SPEC.child("limits");
    for (i, limit) in limits.iter().enumerate() {
        let path = &path.index(i);
        let kind = limit.type_.as_str();
        let before = errors.len();
        meta::label_name(kind, &path.child("type"), errors);
        if errors.len() == before
            && !kind.contains('/')
            && !matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim")
        {
            let why = "must be a standard limit type or fully qualified";
            errors.push(FieldError::invalid(&path.child("type"), kind, why));
        }
        if limits[..i].iter().any(|other| other.type_ == limit.type_) {
            errors.push(FieldError::duplicate(&path.child("type"), kind));
        }
        limit_names(limit, path, errors);
        limit_order(limit, path, errors);
    }
}

fn limit_names(limit: &LimitRangeItem, path: &Path, errors: &mut Errors) {
    let check = |list: &Option<ResourceList>, field: &str, errors: &mut Errors| {
        let path = path.child(field);
        for name in list.iter().flatten().map(|(name, _)| name) {
            if matches!(limit.type_.as_str(), "Pod" | "Container") {
                resources::container_resource_name(name, &path.key(name), errors);
            } else {
                resources::resource_name(name, &path.key(name), errors);
            }
        }
    };
    check(&limit.max, "max", errors);
    check(&limit.min, "min", errors);
    if limit.type_ == "Pod" {
        for (field, list) in [
            ("default", &limit.default),
            ("defaultRequest", &limit.default_request),
        ] {
            if list.as_ref().is_some_and(|list| !list.is_empty()) {
                let why = "may not be specified when `type` is 'Pod'";
                errors.push(FieldError::forbidden(&path.child(field), why));
            }
        }
    } else {
        check(&limit.default, "default", errors);
        check(&limit.default_request, "defaultRequest", errors);
    }
    let storage =
        |list: &Option<ResourceList>| list.as_ref().is_some_and(|list| list.contains_key("storage"));
    if limit.type_ == "PersistentVolumeClaim" && !storage(&limit.min) && !storage(&limit.max) {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.push(FieldError::required(&path.child("limits"), why));
    }
    check(&limit.max_limit_request_ratio, "maxLimitRequestRatio", errors);
}

/// min ≤ defaultRequest ≤ default ≤ max, and a ratio that can be kept.
fn limit_order(limit: &LimitRangeItem, path: &Path, errors: &mut Errors) {
    let is_pod = limit.type_ == "Pod";
    let lists = [
        &limit.max,
        &limit.min,
        &limit.default,
        &limit.default_request,
        &limit.max_limit_request_ratio,
    ];
    let names: SortedSet<&String> = lists
        .iter()
        .flat_map(|list| list.iter().flatten())
        .map(|(name, _)| name)
        .collect();
    for name in names {
        let of =
            |list: &Option<ResourceList>| list.as_ref().and_then(|list| list.get(name)).map(Quantity::of);
        let (min, max, ratio) = (of(&limit.min), of(&limit.max), of(&limit.max_limit_request_ratio));
        let default = of(&limit.default).filter(|_| !is_pod);
        let request = of(&limit.default_request).filter(|_| !is_pod);
        let mut wrong = |field: &str, value: Quantity, why: String| {
            errors.push(FieldError::invalid(
                &path.child(field).key(name),
                &value.to_string(),
                why,
            ));
        };
        let above = |a: Option<Quantity>, b: Option<Quantity>| a.zip(b).filter(|(a, b)| a > b);
        if let Some((min, max)) = above(min, max) {
            wrong(
                "min",
                min,
                format!("min value {min} is greater than max value {max}"),
            );
        }
        if let Some((min, request)) = above(min, request) {
            wrong(
                "defaultRequest",
                request,
                format!("min value {min} is greater than default request value {request}"),
            );
        }
        if let Some((request, max)) = above(request, max) {
            wrong(
                "defaultRequest",
                request,
                format!("default request value {request} is greater than max value {max}"),
            );
        }
        if let Some((request, default)) = above(request, default) {
            let why =
                format!("default request value {request} is greater than default limit value {default}");
            wrong("defaultRequest", request, why);
        }
        if let Some((min, default)) = above(min, default) {
            wrong(
                "default",
                min,
                format!("min value {min} is greater than default value {default}"),
            );
        }
        if let Some((default, max)) = above(default, max) {
            wrong(
                "default",
                max,
                format!("default value {default} is greater than max value {max}"),
            );
        }
        let Some(ratio) = ratio else { continue };
        if ratio.milli_value() < 1000 {
            wrong(
                "maxLimitRequestRatio",
                ratio,
                format!("ratio {ratio} is less than 1"),
            );
        }
        if let (Some(min), Some(max)) = (min, max) {
            let most = max.milli_value() as f64 / min.milli_value() as f64;
            if ratio.milli_value() as f64 / 1000.0 > most {
                wrong(
                    "maxLimitRequestRatio",
                    ratio,
                    format!("ratio {ratio} is greater than max/min = {most:.6}"),
                );
            }
        }
    }
}
