//! Resource names and amounts: requests, limits, quotas.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go, pkg/apis/core/helper/helpers.go.

use super::content;
use super::field::{FieldError, Path};
use super::meta::{Errors, NEGATIVE, NOT_POSITIVE};
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use std::collections::BTreeMap;

pub type ResourceList = BTreeMap<String, Text>;

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_standard(name: &str) -> bool {
    is_standard_for_quota(name) || matches!(name, "storage" | "requests.storage")
}

fn is_standard_for_containers(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_page(name)
}

pub fn is_standard_for_quota(name: &str) -> bool {
    matches!(
        name,
        "cpu"
            | "memory"
            | "ephemeral-storage"
            | "requests.cpu"
            | "requests.memory"
            | "requests.storage"
            | "requests.ephemeral-storage"
            | "limits.cpu"
            | "limits.memory"
            | "limits.ephemeral-storage"
            | "pods"
            | "resourcequotas"
            | "services"
            | "replicationcontrollers"
            | "secrets"
            | "persistentvolumeclaims"
            | "configmaps"
            | "services.nodeports"
            | "services.loadbalancers"
    ) || is_huge_page(name)
        || name.starts_with("requests.hugepages-")
}

/// Kubernetes' own, not an extension's.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && content::qualified_name(&format!("requests.{name}")).is_empty()
}

fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

fn is_integer(name: &str) -> bool {
    matches!(
        name,
        "pods"
            | "resourcequotas"
            | "services"
            | "replicationcontrollers"
            | "secrets"
            | "configmaps"
            | "persistentvolumeclaims"
            | "services.nodeports"
            | "services.loadbalancers"
    ) || is_extended(name)
}

pub fn resource_name(name: &str, path: &Path, errors: &mut Errors) -> bool {
    let complaints = content::qualified_name(name);
    if !complaints.is_empty() {
        errors.extend(
            complaints
                .into_iter()
                .map(|why| FieldError::invalid(path, name, why)),
        );
        return false;
    }
    if !name.contains('/') && !is_standard(name) {
        errors.push(FieldError::invalid(
            path,
            name,
            "must be a standard resource type or fully qualified",
        ));
        return false;
    }
    true
}

pub fn container_resource_name(name: &str, path: &Path, errors: &mut Errors) {
    if is_standard_for_containers(name) && name.len() < 20 {
        return;
    }
    resource_name(name, path, errors);
    if !name.contains('/') {
        if !is_standard_for_containers(name) {
            errors.push(FieldError::invalid(
                path,
                name,
                "must be a standard resource for containers",
            ));
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.push(FieldError::invalid(
            path,
            name,
            "doesn't follow extended resource name standard",
        ));
    }
}

fn pod_resource_name(name: &str, path: &Path, errors: &mut Errors) {
    if resource_name(name, path, errors) && !matches!(name, "cpu" | "memory") && !is_huge_page(name) {
        errors.push(FieldError::not_supported(
            path,
            name,
            &["cpu", "hugepages-", "memory"],
        ));
    }
}

pub fn quota_resource_name(name: &str, path: &Path, errors: &mut Errors) {
    resource_name(name, path, errors);
    if !name.contains('/') && !is_standard_for_quota(name) {
        errors.push(FieldError::invalid(
            path,
            name,
            "must be a standard resource for quota",
        ));
    }
}

pub fn nonnegative_quantity(quantity: Quantity, path: &Path, errors: &mut Errors) {
    if quantity.is_negative() {
        errors.push(FieldError::invalid(path, &quantity.to_string(), NEGATIVE));
    }
}

pub fn positive_quantity(quantity: Quantity, path: &Path, errors: &mut Errors) -> bool {
    let positive = !quantity.is_negative() && !quantity.is_zero();
    if !positive {
        errors.push(FieldError::invalid(path, &quantity.to_string(), NOT_POSITIVE));
    }
    positive
}

/// The amount of one resource.
pub fn quantity_value(name: &str, quantity: Quantity, path: &Path, errors: &mut Errors) {
    nonnegative_quantity(quantity, path, errors);
    if !quantity.is_integer() && is_integer(name) {
        errors.push(FieldError::invalid(
            path,
            &quantity.to_string(),
            "must be an integer",
        ));
    }
}

fn huge_page_value(name: &str, quantity: Quantity, path: &Path, errors: &mut Errors) {
    let size = Quantity::parse(&name["hugepages-".len()..])
        .unwrap_or(Quantity::ZERO)
        .value();
    if size <= 0 || quantity.value() % size != 0 {
        let why = format!("{quantity} is not positive integer multiple of {name}");
        errors.push(FieldError::invalid(path, &quantity.to_string(), why));
    }
}

/// Whose requests and limits are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Container,
    Pod,
}

/// Requests and limits. `claims`: the names of the Pod's resource claims.
pub fn requirements(
    requirements: &ResourceRequirements,
    scope: Scope,
    claims: &[&str],
    path: &Path,
    errors: &mut Errors,
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let name_of = |name: &str, path: &Path, errors: &mut Errors| match scope {
        Scope::Container => container_resource_name(name, path, errors),
        Scope::Pod => pod_resource_name(name, path, errors),
    };
    let (mut computes, mut huge) = (false, false);
    let limits = requirements.limits.as_ref();
    for (name, amount) in limits.into_iter().flatten() {
        let (path, quantity) = (&limits_path.key(name), Quantity::of(amount));
        name_of(name, path, errors);
        quantity_value(name, quantity, path, errors);
        if is_huge_page(name) {
            huge = true;
            huge_page_value(name, quantity, path, errors);
        }
        computes |= matches!(name.as_str(), "cpu" | "memory");
    }
    for (name, amount) in requirements.requests.iter().flatten() {
        let (path, quantity) = (&requests_path.key(name), Quantity::of(amount));
        name_of(name, path, errors);
        quantity_value(name, quantity, path, errors);
        match limits.and_then(|limits| limits.get(name)).map(Quantity::of) {
            Some(limit) if quantity != limit && !is_overcommit_allowed(name) => {
                let why = format!("must be equal to {name} limit of {limit}");
                errors.push(FieldError::invalid(&requests_path, &quantity.to_string(), why));
            }
            Some(limit) if quantity > limit => {
                let why = format!("must be less than or equal to {name} limit of {limit}");
                errors.push(FieldError::invalid(&requests_path, &quantity.to_string(), why));
            }
            None if !is_overcommit_allowed(name) => {
                errors.push(FieldError::required(
                    &limits_path,
                    "Limit must be set for non overcommitable resources",
                ));
            }
            _ => {}
        }
        if is_huge_page(name) {
            huge = true;
            huge_page_value(name, quantity, path, errors);
        }
        computes |= matches!(name.as_str(), "cpu" | "memory");
    }
    if huge && !computes {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
    let claims_path = path.child("claims");
    for (i, claim) in requirements.claims.iter().flatten().enumerate() {
        let path = &claims_path.index(i);
        if claim.name.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if !claims.contains(&claim.name.as_str()) {
            let mut error = FieldError::not_found(path, &claim.name);
            error.detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            error.detail += &if claims.is_empty() {
                " which is empty".to_owned()
            } else {
                format!(": {}", claims.join(", "))
            };
            errors.push(error);
        }
    }
}
