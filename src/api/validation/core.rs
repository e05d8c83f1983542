//! The core group besides Pods, Services and volumes; Leases.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go and events.go.

use super::content;
use super::field::{self, FieldError, Internal, Json, Path};
use super::meta::{self, Errors, IMMUTABLE};
use super::resources::{self, ResourceList};
use super::{affinity, network, text};
use crate::api::quantity::Quantity;
use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ConfigMap, Event, LimitRange, LimitRangeItem, Namespace, Node, ResourceQuota, ResourceQuotaSpec, Secret,
};
use std::collections::{BTreeMap, BTreeSet};

/// All data of a Secret or ConfigMap together, in bytes.
const MAX_DATA: usize = 1 << 20;
const WHEN_IMMUTABLE: &str = "field is immutable when `immutable` is set";
const SPEC: Path = Path::root("spec");
const STATUS: Path = Path::root("status");

pub fn namespace(namespace: &Namespace, errors: &mut Errors) {
    let names = namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref());
    let path = &SPEC.child("finalizers");
    for name in names.into_iter().flatten() {
        meta::label_name(name, path, errors);
        meta::finalizer_name(name, path, errors);
    }
}

pub fn namespace_status(new: &Namespace, errors: &mut Errors) {
    let phase = new.status.as_ref().map_or("", |status| text(&status.phase));
    let path = &STATUS.child("Phase");
    match new.metadata.deletion_timestamp.is_some() {
        false if phase != "Active" => {
            let why = "may only be 'Active' if `deletionTimestamp` is empty";
            errors.push(FieldError::invalid(path, phase, why));
        }
        true if phase != "Terminating" => {
            let why = "may only be 'Terminating' if `deletionTimestamp` is not empty";
            errors.push(FieldError::invalid(path, phase, why));
        }
        _ => {}
    }
}

pub fn node(node: &Node, errors: &mut Errors) {
    taints(node, errors);
    node_resources(node, errors);
    let cidrs = node
        .spec
        .as_ref()
        .and_then(|spec| spec.pod_cidrs.as_deref())
        .unwrap_or(&[]);
    let path = &SPEC.child("podCIDRs");
    for (i, cidr) in cidrs.iter().enumerate() {
        network::cidr(cidr, &path.index(i), errors);
    }
    if cidrs.len() > 1 {
        let addresses = cidrs
            .iter()
            .filter_map(|cidr| cidr.split_once('/'))
            .map(|(address, _)| address);
        if cidrs.len() > 2 || !network::is_dual_stack(addresses) {
            let why = "may specify no more than one CIDR for each IP family";
            errors.push(FieldError::invalid(path, Json(cidrs), why));
        }
    }
}

fn taints(node: &Node, errors: &mut Errors) {
    // Upstream reports a taint as if it were part of the metadata.
    let metadata = Path::root("metadata");
    let taints = node
        .spec
        .as_ref()
        .and_then(|spec| spec.taints.as_deref())
        .unwrap_or(&[]);
    affinity::taints(taints, &metadata.child("taints"), errors);
}

fn node_resources(node: &Node, errors: &mut Errors) {
    let Some(status) = &node.status else { return };
    for (field, list) in [
        ("capacity", &status.capacity),
        ("allocatable", &status.allocatable),
    ] {
        let path = STATUS.child(field);
        for (name, amount) in list.iter().flatten() {
            resources::quantity_value(name, Quantity::of(amount), &path.child(name), errors);
        }
    }
}

pub fn node_update(new: &Node, old: &Node, errors: &mut Errors) {
    node_resources(new, errors);
    let addresses = new
        .status
        .as_ref()
        .and_then(|status| status.addresses.as_deref())
        .unwrap_or(&[]);
    let path = STATUS.child("addresses");
    for (i, address) in addresses.iter().enumerate() {
        if addresses[..i].contains(address) {
            let internal = Internal([
                ("Type", field::value(&address.type_)),
                ("Address", field::value(&address.address)),
            ]);
            errors.push(FieldError::duplicate(&path.index(i), internal));
        }
    }
    let cidrs = |node: &Node| {
        node.spec
            .as_ref()
            .and_then(|spec| spec.pod_cidrs.clone())
            .unwrap_or_default()
    };
    if !cidrs(old).is_empty() && cidrs(old) != cidrs(new) {
        let why = "node updates may not change podCIDR except from \"\" to valid";
        errors.push(FieldError::forbidden(&SPEC.child("podCIDRs"), why));
    }
    let provider = |node: &Node| {
        node.spec
            .as_ref()
            .and_then(|spec| spec.provider_id.clone())
            .unwrap_or_default()
    };
    if !provider(old).is_empty() && provider(old) != provider(new) {
        let why = "node updates may not change providerID except from \"\" to valid";
        errors.push(FieldError::forbidden(&SPEC.child("providerID"), why));
    }
    taints(new, errors);
    let external = |node: &Node| {
        node.spec
            .as_ref()
            .and_then(|spec| spec.external_id.clone())
            .unwrap_or_default()
    };
    if external(old) != external(new) {
        errors.push(FieldError::forbidden(
            &SPEC.child("externalID"),
            "may not be updated",
        ));
    }
}

pub fn config_map(map: &ConfigMap, errors: &mut Errors) {
    let (data, binary) = (Path::root("data"), Path::root("binaryData"));
    let mut size = 0;
    for (key, value) in map.data.iter().flatten() {
        meta::check(content::config_map_key(key), key, &data.key(key), errors);
        if map
            .binary_data
            .as_ref()
            .is_some_and(|binary| binary.contains_key(key))
        {
            errors.push(FieldError::invalid(
                &data.key(key),
                key,
                "duplicate of key present in binaryData",
            ));
        }
        size += value.len();
    }
    for (key, value) in map.binary_data.iter().flatten() {
        meta::check(content::config_map_key(key), key, &binary.key(key), errors);
        size += value.0.len();
    }
    if size > MAX_DATA {
        errors.push(FieldError::too_long(&Path::root(""), MAX_DATA));
    }
}

fn frozen(flag: Option<bool>, errors: &mut Errors) {
    if flag != Some(true) {
        errors.push(FieldError::forbidden(&Path::root("immutable"), WHEN_IMMUTABLE));
    }
}

fn same_map<V: PartialEq>(a: &Option<BTreeMap<String, V>>, b: &Option<BTreeMap<String, V>>) -> bool {
    a == b || (a.iter().flatten().next().is_none() && b.iter().flatten().next().is_none())
}

pub fn config_map_update(new: &ConfigMap, old: &ConfigMap, errors: &mut Errors) {
    if old.immutable == Some(true) {
        frozen(new.immutable, errors);
        if !same_map(&new.data, &old.data) {
            errors.push(FieldError::forbidden(&Path::root("data"), WHEN_IMMUTABLE));
        }
        if !same_map(&new.binary_data, &old.binary_data) {
            errors.push(FieldError::forbidden(&Path::root("binaryData"), WHEN_IMMUTABLE));
        }
    }
    config_map(new, errors);
}

pub fn secret(secret: &Secret, errors: &mut Errors) {
    const NAME: &str = "kubernetes.io/service-account.name";
    let path = &Path::root("data");
    let empty = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&empty);
    let mut size = 0;
    for (key, value) in data {
        meta::check(content::config_map_key(key), key, &path.key(key), errors);
        size += value.0.len();
    }
    if size > MAX_DATA {
        errors.push(FieldError::too_long(path, MAX_DATA));
    }
    let missing = |key: &str| !data.contains_key(key);
    match text(&secret.type_) {
        "kubernetes.io/service-account-token" => {
            let annotations = secret.metadata.annotations.as_ref();
            if annotations.and_then(|a| a.get(NAME)).is_none_or(String::is_empty) {
                let metadata = Path::root("metadata");
                errors.push(FieldError::required(&metadata.child("annotations").key(NAME), ""));
            }
        }
        "kubernetes.io/dockercfg" => json_value(data, ".dockercfg", path, errors),
        "kubernetes.io/dockerconfigjson" => json_value(data, ".dockerconfigjson", path, errors),
        "kubernetes.io/basic-auth" if missing("username") && missing("password") => {
            errors.push(FieldError::required(&path.key("username"), ""));
            errors.push(FieldError::required(&path.key("password"), ""));
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_none_or(|value| value.0.is_empty()) => {
            errors.push(FieldError::required(&path.key("ssh-privatekey"), ""));
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"].into_iter().filter(|key| missing(key)) {
                errors.push(FieldError::required(&path.key(key), ""));
            }
        }
        _ => {}
    }
}

fn json_value(data: &BTreeMap<String, ByteString>, key: &str, path: &Path, errors: &mut Errors) {
    let path = &path.key(key);
    let Some(value) = data.get(key) else {
        errors.push(FieldError::required(path, ""));
        return;
    };
    let parsed: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_slice(&value.0);
    if parsed.is_err() {
        let why = match value.0.iter().copied().find(|b| !b.is_ascii_whitespace()) {
            None => "unexpected end of JSON input".to_owned(),
            Some(b'{') => "unexpected end of JSON input".to_owned(),
            Some(first) => format!(
                "invalid character '{}' looking for beginning of value",
                char::from(first)
            ),
        };
        errors.push(FieldError::invalid(path, "<secret contents redacted>", why));
    }
}

pub fn secret_update(new: &Secret, old: &Secret, errors: &mut Errors) {
    meta::immutable_text(&new.type_, &old.type_, &Path::root("type"), errors);
    if old.immutable == Some(true) {
        frozen(new.immutable, errors);
        if !same_map(&new.data, &old.data) {
            errors.push(FieldError::forbidden(&Path::root("data"), WHEN_IMMUTABLE));
        }
    }
    secret(new, errors);
}

pub fn event(event: &Event, errors: &mut Errors) {
    let namespace = text(&event.metadata.namespace);
    let about = text(&event.involved_object.namespace);
    let involved = Path::root("involvedObject");
    let mismatch = match (&event.event_time, about) {
        (None, "") => !matches!(namespace, "" | "default"),
        (None, about) => about != namespace,
        (Some(_), "") => !matches!(namespace, "default" | "kube-system"),
        (Some(_), _) => false,
    };
    if mismatch {
        errors.push(FieldError::invalid(
            &involved.child("namespace"),
            about,
            "does not match event.namespace",
        ));
    }
    if event.event_time.is_some() {
        let controller = text(&event.reporting_component);
        let path = &Path::root("reportingController");
        if controller.is_empty() {
            errors.push(FieldError::required(path, ""));
        }
        meta::label_name(controller, path, errors);
        let required = [
            ("reportingInstance", text(&event.reporting_instance), 128, true),
            ("action", text(&event.action), 128, true),
            ("reason", text(&event.reason), 128, true),
            ("message", text(&event.message), 1024, false),
        ];
        for (field, value, max, required) in required {
            let path = &Path::root(field);
            if required && value.is_empty() {
                errors.push(FieldError::required(path, ""));
            }
            if value.len() > max {
                errors.push(FieldError::invalid(
                    path,
                    "",
                    format!("can have at most {max} characters"),
                ));
            }
        }
    }
    meta::check(
        content::dns1123_subdomain(namespace),
        namespace,
        &Path::root("namespace"),
        errors,
    );
}

pub fn lease(lease: &Lease, errors: &mut Errors) {
    let Some(spec) = &lease.spec else { return };
    if let Some(seconds) = spec.lease_duration_seconds.filter(|seconds| *seconds <= 0) {
        errors.push(FieldError::invalid(
            &SPEC.child("leaseDurationSeconds"),
            seconds,
            "must be greater than 0",
        ));
    }
    if let Some(count) = spec.lease_transitions.filter(|count| *count < 0) {
        let why = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(&SPEC.child("leaseTransitions"), count, why));
    }
    if let Some(strategy) = spec.strategy.as_deref() {
        if strategy != "OldestEmulationVersion" && !strategy.contains('/') {
            meta::label_name(strategy, &SPEC.child("strategy"), errors);
        }
    }
    if spec
        .preferred_holder
        .as_deref()
        .is_some_and(|holder| !holder.is_empty())
        && spec.strategy.as_deref().is_none_or(str::is_empty)
    {
        let why = "may only be specified if `strategy` is defined";
        errors.push(FieldError::forbidden(&SPEC.child("preferredHolder"), why));
    }
}

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

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

pub fn resource_quota_update(new: &ResourceQuota, old: &ResourceQuota, errors: &mut Errors) {
    if let Some(spec) = &new.spec {
        quota_list(spec.hard.as_ref(), &SPEC.child("hard"), errors);
        scopes(spec, errors);
    }
    let scopes = |quota: &ResourceQuota| -> BTreeSet<String> {
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
    let names: BTreeSet<&String> = lists
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
