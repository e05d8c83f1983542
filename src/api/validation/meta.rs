//! Metadata: names, labels, annotations, owners and finalizers, and what may not change.
//!
//! Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go, …/pkg/apis/meta/v1/validation.

use super::content::{self, Complaints};
use super::field::{FieldError, Json, Path};
use crate::api::Kind;
use crate::api::codec::Encode;
use crate::api::order::StableSort;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use std::collections::BTreeMap;

pub type Errors = Vec<FieldError>;

pub const IMMUTABLE: &str = "field is immutable";
pub const NEGATIVE: &str = "must be greater than or equal to 0";
pub const NOT_POSITIVE: &str = "must be greater than zero";

/// All annotations of an object together, keys and values, in bytes.
const ANNOTATIONS_MAX: usize = 256 << 10;

const METADATA: Path = Path::root("metadata");

/// What the kind's names must look like. A prefix (`generateName`) may end in dashes.
fn name_complaints(kind: Kind, name: &str, prefix: bool) -> Complaints {
    // What will be appended to a prefix makes its last character an inner one.
    let masked;
    let text = if prefix && name.len() > 1 && name.ends_with('-') {
        masked = format!("{}a", &name[..name.len() - 1]);
        masked.as_str()
    } else {
        name
    };
    match kind {
        Kind::Namespace | Kind::Service | Kind::StatefulSet => content::dns1123_label(text),
        Kind::Role
        | Kind::RoleBinding
        | Kind::ClusterRole
        | Kind::ClusterRoleBinding
        | Kind::Event
        | Kind::PodDisruptionBudget => content::path_segment_name(name),
        _ => content::dns1123_subdomain(text),
    }
}

/// The metadata of an object that is being created.
pub fn create(kind: Kind, meta: &ObjectMeta, errors: &mut Errors) {
    let path = &METADATA;
    if let Some(prefix) = meta.generate_name.as_deref().filter(|prefix| !prefix.is_empty()) {
        for why in name_complaints(kind, prefix, true) {
            errors.push(FieldError::invalid(&path.child("generateName"), prefix, why));
        }
    }
    match meta.name.as_deref().filter(|name| !name.is_empty()) {
        None => errors.push(FieldError::required(
            &path.child("name"),
            "name or generateName is required",
        )),
        Some(name) => {
            for why in name_complaints(kind, name, false) {
                errors.push(FieldError::invalid(&path.child("name"), name, why));
            }
        }
    }
    let namespace = meta
        .namespace
        .as_deref()
        .filter(|namespace| !namespace.is_empty());
    match (kind.namespaced(), namespace) {
        (true, None) => errors.push(FieldError::required(&path.child("namespace"), "")),
        (true, Some(namespace)) => {
            for why in content::dns1123_label(namespace) {
                errors.push(FieldError::invalid(&path.child("namespace"), namespace, why));
            }
        }
        (false, Some(_)) => errors.push(FieldError::forbidden(
            &path.child("namespace"),
            "not allowed on this type",
        )),
        (false, None) => {}
    }
    nonnegative(meta.generation.unwrap_or(0), &path.child("generation"), errors);
    common(meta, errors);
}

/// The metadata of an object that is being changed.
pub fn update(new: &ObjectMeta, old: &ObjectMeta, errors: &mut Errors) {
    let path = &METADATA;
    if old.deletion_timestamp.is_some() {
        let before = old.finalizers.as_deref().unwrap_or(&[]);
        let mut added: Vec<&String> = new
            .finalizers
            .iter()
            .flatten()
            .filter(|f| !before.contains(f))
            .collect();
        added.stable_sort();
        added.dedup();
        if !added.is_empty() {
            let list: Vec<String> = added.iter().map(|f| super::field::go_quote(f)).collect();
            errors.push(FieldError::forbidden(
                &path.child("finalizers"),
                format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    list.join(", ")
                ),
            ));
        }
    }
    let generation = new.generation.unwrap_or(0);
    if generation < old.generation.unwrap_or(0) {
        errors.push(FieldError::invalid(
            &path.child("generation"),
            generation,
            "must not be decremented",
        ));
    }
    immutable_text(&new.name, &old.name, &path.child("name"), errors);
    immutable_text(&new.namespace, &old.namespace, &path.child("namespace"), errors);
    immutable_text(&new.uid, &old.uid, &path.child("uid"), errors);
    immutable(
        &new.creation_timestamp,
        &old.creation_timestamp,
        &path.child("creationTimestamp"),
        errors,
    );
    immutable(
        &new.deletion_timestamp,
        &old.deletion_timestamp,
        &path.child("deletionTimestamp"),
        errors,
    );
    immutable(
        &new.deletion_grace_period_seconds,
        &old.deletion_grace_period_seconds,
        &path.child("deletionGracePeriodSeconds"),
        errors,
    );
    common(new, errors);
}

fn common(meta: &ObjectMeta, errors: &mut Errors) {
    let path = &METADATA;
    if let Some(labels) = &meta.labels {
        self::labels(labels, &path.child("labels"), errors);
    }
    if let Some(annotations) = &meta.annotations {
        self::annotations(annotations, &path.child("annotations"), errors);
    }
    if let Some(owners) = &meta.owner_references {
        owner_references(owners, &path.child("ownerReferences"), errors);
    }
    if let Some(names) = &meta.finalizers {
        finalizers(names, &path.child("finalizers"), errors);
    }
}

/// A map of labels, node selectors among them.
pub fn labels(labels: &BTreeMap<String, String>, path: &Path, errors: &mut Errors) {
    for (key, value) in labels {
        label_name(key, path, errors);
        for why in content::label_value(value) {
            errors.push(FieldError::invalid(path, value, why));
        }
    }
}

pub fn label_name(name: &str, path: &Path, errors: &mut Errors) {
    for why in content::qualified_name(name) {
        errors.push(FieldError::invalid(path, name, why));
    }
}

pub fn annotations(annotations: &BTreeMap<String, String>, path: &Path, errors: &mut Errors) {
    let mut size = 0;
    for (key, value) in annotations {
        size += key.len() + value.len();
        let lower = key
            .bytes()
            .any(|b| b.is_ascii_uppercase())
            .then(|| key.to_lowercase());
        for why in content::qualified_name(lower.as_deref().unwrap_or(key)) {
            errors.push(FieldError::invalid(path, key, why));
        }
    }
    if size > ANNOTATIONS_MAX {
        errors.push(FieldError::too_long(path, ANNOTATIONS_MAX));
    }
}

fn owner_references(owners: &[OwnerReference], path: &Path, errors: &mut Errors) {
    let mut controller: Option<String> = None;
    for owner in owners {
        let version = owner.api_version.rsplit('/').next().unwrap_or("");
        if version.is_empty() || owner.api_version.matches('/').count() > 1 {
            let child = path.child("apiVersion");
            errors.push(FieldError::invalid(
                &child,
                &owner.api_version,
                "version must not be empty",
            ));
        }
        for (field, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
            if value.is_empty() {
                errors.push(FieldError::invalid(
                    &path.child(field),
                    value,
                    "must not be empty",
                ));
            }
        }
        if owner.api_version == "v1" && owner.kind == "Event" {
            errors.push(FieldError::invalid(
                path,
                Json(owner),
                "/v1, Kind=Event is disallowed from being an owner",
            ));
        }
        if owner.controller == Some(true) {
            let name = format!("{}/{}", owner.kind, owner.name);
            match &controller {
                None => controller = Some(name),
                Some(first) => errors.push(FieldError::invalid(
                    path,
                    Json(owners),
                    format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} \
                         and {name}"
                    ),
                )),
            }
        }
    }
}

fn finalizers(names: &[String], path: &Path, errors: &mut Errors) {
    for name in names {
        label_name(name, path, errors);
    }
    let has = |name: &str| names.iter().any(|own| own == name);
    if has("orphan") && has("foregroundDeletion") {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(path, Json(names), why));
    }
    for (i, name) in names.iter().enumerate() {
        finalizer_name(name, &path.index(i), errors);
    }
}

/// A name without a domain must be one of Kubernetes' own.
pub fn finalizer_name(name: &str, path: &Path, errors: &mut Errors) {
    if !name.contains('/') && !matches!(name, "kubernetes" | "orphan" | "foregroundDeletion") {
        let why = "name is neither a standard finalizer name nor is it fully qualified";
        errors.push(FieldError::invalid(path, name, why));
    }
}

/// A label selector's terms.
pub fn label_selector(selector: &LabelSelector, path: &Path, errors: &mut Errors) {
    if let Some(map) = &selector.match_labels {
        labels(map, &path.child("matchLabels"), errors);
    }
    let expressions = path.child("matchExpressions");
    for (i, expression) in selector.match_expressions.iter().flatten().enumerate() {
        let path = &expressions.index(i);
        let values = expression.values.as_deref().unwrap_or(&[]);
        match expression.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                &path.child("values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                &path.child("values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                errors.push(FieldError::invalid(
                    &path.child("operator"),
                    other,
                    "not a valid selector operator",
                ));
            }
        }
        label_name(&expression.key, &path.child("key"), errors);
        let value_path = path.child("values");
        for (j, value) in values.iter().enumerate() {
            for why in content::label_value(value) {
                errors.push(FieldError::invalid(&value_path.index(j), value, why));
            }
        }
    }
}

pub fn nonnegative(value: i64, path: &Path, errors: &mut Errors) {
    if value < 0 {
        errors.push(FieldError::invalid(path, value, NEGATIVE));
    }
}

pub fn nonnegative_opt(value: Option<i32>, path: &Path, errors: &mut Errors) {
    nonnegative(i64::from(value.unwrap_or(0)), path, errors);
}

/// Any field that may not change.
pub fn immutable<T: PartialEq + Encode>(new: &T, old: &T, path: &Path, errors: &mut Errors) {
    if new != old {
        errors.push(FieldError::invalid(path, Json(new), IMMUTABLE));
    }
}

/// A text that may not change; missing and empty are the same.
pub fn immutable_text(new: &Option<String>, old: &Option<String>, path: &Path, errors: &mut Errors) {
    let (new, old) = (new.as_deref().unwrap_or(""), old.as_deref().unwrap_or(""));
    if new != old {
        errors.push(FieldError::invalid(path, new, IMMUTABLE));
    }
}

/// Adds a field error per complaint about a text.
pub fn check(complaints: Complaints, text: &str, path: &Path, errors: &mut Errors) {
    for why in complaints {
        errors.push(FieldError::invalid(path, text, why));
    }
}
