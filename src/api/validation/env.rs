//! Environment variables and the fields they refer to.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, Errors};
use super::text;
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector};

pub fn env(variables: &[EnvVar], path: &Path, errors: &mut Errors) {
    for (i, variable) in variables.iter().enumerate() {
        let path = &path.index(i);
        if variable.name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else {
            meta::check(
                content::env_var_name(&variable.name),
                &variable.name,
                &path.child("name"),
                errors,
            );
        }
        if variable.value_from.is_some() {
            value_from(variable, &path.child("valueFrom"), errors);
        }
    }
}

const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// What a container may learn about its resources.
const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

fn value_from(variable: &EnvVar, path: &Path, errors: &mut Errors) {
    let Some(source) = &variable.value_from else {
        return;
    };
    let mut sources = 0;
    if let Some(field) = &source.field_ref {
        sources += 1;
        object_field(field, ENV_FIELDS, &path.child("fieldRef"), errors);
    }
    if let Some(field) = &source.resource_field_ref {
        sources += 1;
        resource_field(field, false, &path.child("resourceFieldRef"), errors);
    }
    if let Some(key) = &source.config_map_key_ref {
        sources += 1;
        key_selector(&key.name, &key.key, &path.child("configMapKeyRef"), errors);
    }
    if let Some(key) = &source.secret_key_ref {
        sources += 1;
        key_selector(&key.name, &key.key, &path.child("secretKeyRef"), errors);
    }
    if source.file_key_ref.is_some() {
        sources += 1;
    }
    let why = if sources == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
    } else if !text(&variable.value).is_empty() {
        "may not be specified when `value` is not empty"
    } else if sources > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    errors.push(FieldError::invalid(path, "", why));
}

fn key_selector(name: &str, key: &str, path: &Path, errors: &mut Errors) {
    meta::check(
        content::dns1123_subdomain(name),
        name,
        &path.child("name"),
        errors,
    );
    if key.is_empty() {
        errors.push(FieldError::required(&path.child("key"), ""));
    } else {
        meta::check(content::config_map_key(key), key, &path.child("key"), errors);
    }
}

/// A reference to a field of the Pod; `allowed` are the plain ones.
pub fn object_field(field: &ObjectFieldSelector, allowed: &[&str], path: &Path, errors: &mut Errors) {
    if text(&field.api_version).is_empty() {
        errors.push(FieldError::required(&path.child("apiVersion"), ""));
        return;
    }
    let label = field.field_path.as_str();
    if label.is_empty() {
        errors.push(FieldError::required(&path.child("fieldPath"), ""));
        return;
    }
    // `metadata.labels['key']`
    let subscript = label
        .split_once("['")
        .and_then(|(field, rest)| Some((field, rest.strip_suffix("']")?)));
    let known = match subscript {
        Some((field, _)) => matches!(field, "metadata.labels" | "metadata.annotations"),
        None => {
            matches!(
                label,
                "metadata.labels"
                    | "metadata.annotations"
                    | "spec.restartPolicy"
                    | "status.phase"
                    | "spec.host"
            ) || ENV_FIELDS.contains(&label)
        }
    };
    if text(&field.api_version) != "v1" || !known {
        let why = match subscript {
            Some((field, _)) => {
                format!("error converting fieldPath: field label does not support subscript: {field}")
            }
            None if text(&field.api_version) != "v1" => {
                format!(
                    "error converting fieldPath: unsupported pod version: {}",
                    text(&field.api_version)
                )
            }
            None => format!("error converting fieldPath: field label not supported: {label}"),
        };
        errors.push(FieldError::invalid(&path.child("fieldPath"), label, why));
        return;
    }
    match subscript {
        Some(("metadata.annotations", key)) => meta::label_name(&key.to_lowercase(), path, errors),
        Some((_, key)) => meta::label_name(key, path, errors),
        None if !allowed.contains(&label) => {
            errors.push(FieldError::not_supported(
                &path.child("fieldPath"),
                label,
                allowed,
            ));
        }
        None => {}
    }
}

/// A reference to a container's requests or limits; volumes must name the container.
pub fn resource_field(field: &ResourceFieldSelector, in_volume: bool, path: &Path, errors: &mut Errors) {
    let name = field.resource.as_str();
    let huge = name.starts_with("requests.hugepages-") || name.starts_with("limits.hugepages-");
    if in_volume && text(&field.container_name).is_empty() {
        errors.push(FieldError::required(&path.child("containerName"), ""));
    } else if name.is_empty() {
        errors.push(FieldError::required(&path.child("resource"), ""));
    } else if !RESOURCE_FIELDS.contains(&name) && !huge {
        errors.push(FieldError::not_supported(
            &path.child("resource"),
            name,
            RESOURCE_FIELDS,
        ));
    }
    let Some(divisor) = field
        .divisor
        .as_ref()
        .map(Quantity::of)
        .filter(|divisor| !divisor.is_zero())
    else {
        return;
    };
    let divisor = divisor.to_string();
    let sizes = [
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ];
    let (allowed, what): (&[&str], _) = match name {
        "limits.cpu" | "requests.cpu" => (
            &["1m", "1"],
            "only divisor's values 1m and 1 are supported with the cpu resource",
        ),
        "limits.memory" | "requests.memory" => (
            &sizes,
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
        ),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => (
            &sizes,
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource",
        ),
        _ if huge => (
            &sizes,
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource",
        ),
        _ => return,
    };
    if !allowed.contains(&divisor.as_str()) {
        errors.push(FieldError::invalid(&path.child("divisor"), name, what));
    }
}

pub fn env_from(sources: &[EnvFromSource], path: &Path, errors: &mut Errors) {
    for (i, source) in sources.iter().enumerate() {
        let list = path;
        let path = &path.index(i);
        let prefix = text(&source.prefix);
        if !prefix.is_empty() {
            meta::check(
                content::env_var_name(prefix),
                prefix,
                &path.child("prefix"),
                errors,
            );
        }
        let mut count = 0;
        for (field, name) in [
            (
                "configMapRef",
                source.config_map_ref.as_ref().map(|r| r.name.as_str()),
            ),
            ("secretRef", source.secret_ref.as_ref().map(|r| r.name.as_str())),
        ] {
            let Some(name) = name else { continue };
            count += 1;
            let path = path.child(field);
            if name.is_empty() {
                errors.push(FieldError::required(&path.child("name"), ""));
            } else {
                meta::check(
                    content::dns1123_subdomain(name),
                    name,
                    &path.child("name"),
                    errors,
                );
            }
        }
        if count == 0 {
            errors.push(FieldError::invalid(
                list,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            ));
        } else if count > 1 {
            errors.push(FieldError::invalid(
                list,
                "",
                "may not have more than one field specified at a time",
            ));
        }
    }
}
