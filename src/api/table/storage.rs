//! Rows of volumes, claims and storage classes.

use super::row;
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;
use std::collections::BTreeMap;

const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_CLASS: [&str; 2] = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

fn annotation<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

fn storage_of(list: Option<&BTreeMap<String, Text>>) -> String {
    let size = list.and_then(|list| list.get("storage"));
    size.map_or_else(|| "0".to_owned(), |size| Quantity::of(size).to_string())
}

/// `RWO,RWX`, each once, in upstream's order.
fn access_modes(modes: Option<&[String]>) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let modes = modes.unwrap_or(&[]);
    let short: Vec<&str> = SHORT
        .iter()
        .filter(|(mode, _)| modes.iter().any(|own| own == mode))
        .map(|(_, short)| *short)
        .collect();
    short.join(",")
}

/// The phase, unless it is being deleted.
fn state<'a>(metadata: &ObjectMeta, phase: Option<&'a str>) -> &'a str {
    if metadata.deletion_timestamp.is_some() {
        "Terminating"
    } else {
        phase.unwrap_or("")
    }
}

pub fn volume(volume: &PersistentVolume, age: String) -> Vec<Value> {
    let spec = volume.spec.clone().unwrap_or_default();
    let status = volume.status.as_ref();
    let claim = spec.claim_ref.as_ref().map(|claim| {
        format!(
            "{}/{}",
            claim.namespace.as_deref().unwrap_or(""),
            claim.name.as_deref().unwrap_or("")
        )
    });
    let class = annotation(&volume.metadata, OLD_CLASS).or(spec.storage_class_name.as_deref());
    row![
        volume.metadata.name.as_deref().unwrap_or(""),
        storage_of(spec.capacity.as_ref()),
        access_modes(spec.access_modes.as_deref()),
        spec.persistent_volume_reclaim_policy.as_deref().unwrap_or(""),
        state(
            &volume.metadata,
            status.and_then(|status| status.phase.as_deref())
        ),
        claim.unwrap_or_default(),
        class.unwrap_or(""),
        spec.volume_attributes_class_name.as_deref().unwrap_or("<unset>"),
        status.and_then(|status| status.reason.as_deref()).unwrap_or(""),
        age,
        spec.volume_mode.as_deref().unwrap_or("<unset>"),
    ]
}

pub fn claim(claim: &PersistentVolumeClaim, age: String) -> Vec<Value> {
    let spec = claim.spec.clone().unwrap_or_default();
    let status = claim.status.as_ref();
    let volume = spec.volume_name.as_deref().unwrap_or("");
    let (capacity, modes) = if volume.is_empty() {
        (String::new(), String::new())
    } else {
        (
            storage_of(status.and_then(|status| status.capacity.as_ref())),
            access_modes(status.and_then(|status| status.access_modes.as_deref())),
        )
    };
    let class = annotation(&claim.metadata, OLD_CLASS).or(spec.storage_class_name.as_deref());
    row![
        claim.metadata.name.as_deref().unwrap_or(""),
        state(&claim.metadata, status.and_then(|status| status.phase.as_deref())),
        volume,
        capacity,
        modes,
        class.unwrap_or(""),
        spec.volume_attributes_class_name.as_deref().unwrap_or("<unset>"),
        age,
        spec.volume_mode.as_deref().unwrap_or("<unset>"),
    ]
}

pub fn class(class: &StorageClass, age: String) -> Vec<Value> {
    let name = class.metadata.name.as_deref().unwrap_or("");
    let default = DEFAULT_CLASS
        .iter()
        .any(|key| annotation(&class.metadata, key) == Some("true"));
    row![
        if default {
            format!("{name} (default)")
        } else {
            name.to_owned()
        },
        class.provisioner.as_str(),
        class.reclaim_policy.as_deref().unwrap_or("Delete"),
        class.volume_binding_mode.as_deref().unwrap_or("Immediate"),
        class.allow_volume_expansion.unwrap_or(false),
        age,
    ]
}
