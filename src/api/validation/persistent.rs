//! PersistentVolumes and the claims to them.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::mounts::no_backsteps;
use super::resources::{positive_quantity, quantity_value};
use super::volume::{MORE_THAN_ONE, driver_name, host_path, nfs, required};
use super::{affinity, diff, internal, text};
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSpec,
};
use serde_json::Value;

const ACCESS_MODES: &[&str] = &[
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];

fn access_modes(modes: Option<&[String]>, path: &Path, errors: &mut Errors) {
    let modes = modes.unwrap_or(&[]);
    if modes.is_empty() {
        errors.push(FieldError::required(path, "at least 1 access mode is required"));
    }
    let mut others = false;
    for mode in modes {
        if !ACCESS_MODES.contains(&mode.as_str()) {
            errors.push(FieldError::not_supported(path, mode, ACCESS_MODES));
        } else if mode != "ReadWriteOncePod" {
            others = true;
        }
    }
    if others && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        errors.push(FieldError::forbidden(
            path,
            "may not use ReadWriteOncePod with other access modes",
        ));
    }
}

fn volume_mode(mode: &Option<String>, path: &Path, errors: &mut Errors) {
    if let Some(mode) = mode
        .as_deref()
        .filter(|mode| !matches!(*mode, "Block" | "Filesystem"))
    {
        errors.push(FieldError::not_supported(path, mode, &["Block", "Filesystem"]));
    }
}

#[inline(never)]
pub fn persistent_volume(volume: &PersistentVolume, errors: &mut Errors) {
    let Some(spec) = &volume.spec else { return };
    let path = &Path::root("spec");
    access_modes(spec.access_modes.as_deref(), &path.child("accessModes"), errors);
    let capacity = spec.capacity.as_ref().filter(|capacity| !capacity.is_empty());
    let capacity_path = &path.child("capacity");
    match capacity {
        None => {
            errors.push(FieldError::required(capacity_path, ""));
            errors.push(FieldError::not_supported(
                capacity_path,
                Json(Value::Null),
                &["storage"],
            ));
        }
        Some(capacity) => {
            if !capacity.contains_key("storage") || capacity.len() > 1 {
                errors.push(FieldError::not_supported(
                    capacity_path,
                    Json(capacity),
                    &["storage"],
                ));
            }
            for (name, amount) in capacity {
                let quantity = Quantity::of(amount);
                let own = &capacity_path.key(name);
                if quantity.value() < 0 {
                    let why = "must be a valid resource quantity";
                    errors.push(FieldError::invalid(own, quantity.value(), why));
                } else {
                    positive_quantity(quantity, own, errors);
                }
            }
        }
    }
    let policy = text(&spec.persistent_volume_reclaim_policy);
    if !policy.is_empty() && !matches!(policy, "Delete" | "Recycle" | "Retain") {
        let path = &path.child("persistentVolumeReclaimPolicy");
        errors.push(FieldError::not_supported(
            path,
            policy,
            &["Delete", "Recycle", "Retain"],
        ));
    }
    if let Some(node_affinity) = &spec.node_affinity {
        let path = path.child("nodeAffinity");
        match &node_affinity.required {
            Some(selector) => affinity::node_selector(selector, &path.child("required"), errors),
            None => {
                errors.push(FieldError::required(
                    &path.child("required"),
                    "must specify required node constraints",
                ));
            }
        }
    }
    volume_source(spec, path, errors);
    let class = text(&spec.storage_class_name);
    if !class.is_empty() {
        meta::check(
            content::dns1123_subdomain(class),
            class,
            &path.child("storageClassName"),
            errors,
        );
    }
    volume_mode(&spec.volume_mode, &path.child("volumeMode"), errors);
}

pub fn volume_source(spec: &PersistentVolumeSpec, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    let mut first = |name: &'static str, errors: &mut Errors| {
        count += 1;
        if count > 1 {
            errors.push(FieldError::forbidden(&path.child(name), MORE_THAN_ONE));
        }
        count == 1
    };
    if let Some(source) = &spec.host_path {
        if first("hostPath", errors) {
            host_path(source, &path.child("hostPath"), errors);
        }
        let root = !source.path.is_empty() && source.path.bytes().all(|b| b == b'/');
        if root && text(&spec.persistent_volume_reclaim_policy) == "Recycle" {
            let why = "may not be 'recycle' for a hostPath mount of '/'";
            errors.push(FieldError::forbidden(
                &path.child("persistentVolumeReclaimPolicy"),
                why,
            ));
        }
    }
    if let Some(source) = &spec.nfs {
        if first("nfs", errors) {
            nfs(&source.server, &source.path, &path.child("nfs"), errors);
        }
    }
    if let Some(source) = &spec.local {
        if first("local", errors) {
            let own = path.child("local");
            required(&source.path, &own.child("path"), errors);
            if !source.path.is_empty() {
                no_backsteps(&source.path, &own.child("path"), errors);
            }
            if spec.node_affinity.is_none() {
                let why = "Local volume requires node affinity";
                errors.push(FieldError::required(&path.child("nodeAffinity"), why));
            }
        }
    }
    if let Some(source) = &spec.csi {
        if first("csi", errors) {
            let own = path.child("csi");
            driver_name(&source.driver, &own.child("driver"), errors);
            required(&source.volume_handle, &own.child("volumeHandle"), errors);
        }
    }
    for (name, set) in [
        ("gcePersistentDisk", spec.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", spec.aws_elastic_block_store.is_some()),
        ("glusterfs", spec.glusterfs.is_some()),
        ("flocker", spec.flocker.is_some()),
        ("rbd", spec.rbd.is_some()),
        ("quobyte", spec.quobyte.is_some()),
        ("cephFS", spec.cephfs.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("cinder", spec.cinder.is_some()),
        ("fc", spec.fc.is_some()),
        ("flexVolume", spec.flex_volume.is_some()),
        ("azureFile", spec.azure_file.is_some()),
        ("vsphereVolume", spec.vsphere_volume.is_some()),
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some()),
        ("portworxVolume", spec.portworx_volume.is_some()),
        ("azureDisk", spec.azure_disk.is_some()),
        ("scaleIO", spec.scale_io.is_some()),
        ("storageos", spec.storageos.is_some()),
    ] {
        if set {
            first(name, errors);
        }
    }
    if count == 0 {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
}

/// What a PersistentVolume is made of: its spec without what may change.
fn only_source(spec: &PersistentVolumeSpec) -> PersistentVolumeSpec {
    PersistentVolumeSpec {
        access_modes: None,
        capacity: None,
        claim_ref: None,
        mount_options: None,
        node_affinity: None,
        persistent_volume_reclaim_policy: None,
        storage_class_name: None,
        volume_attributes_class_name: None,
        volume_mode: None,
        ..spec.clone()
    }
}

#[inline(never)]
pub fn persistent_volume_update(new: &PersistentVolume, old: &PersistentVolume, errors: &mut Errors) {
    persistent_volume(new, errors);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else {
        return;
    };
    let (new_source, old_source) = (only_source(new), only_source(old));
    if new_source != old_source {
        let spec = Path::root("spec");
        let why = format!(
            "spec.persistentvolumesource is immutable after creation\n{}",
            diff::of(
                &internal::volume_source(&old_source),
                &internal::volume_source(&new_source)
            )
        );
        errors.push(FieldError::forbidden(&spec.child("persistentvolumesource"), why));
    }
    meta::immutable(
        &new.volume_mode,
        &old.volume_mode,
        &Path::root("volumeMode"),
        errors,
    );
    if old.node_affinity.is_some() && new.node_affinity != old.node_affinity {
        let why = "field is immutable, except for updating from beta label to GA";
        errors.push(FieldError::invalid(
            &Path::root("nodeAffinity"),
            Json(&new.node_affinity),
            why,
        ));
    }
}

#[inline(never)]
pub fn claim(claim: &PersistentVolumeClaim, errors: &mut Errors) {
    if let Some(spec) = &claim.spec {
        claim_spec(spec, &Path::root("spec"), errors);
    }
}

pub fn claim_spec(spec: &PersistentVolumeClaimSpec, path: &Path, errors: &mut Errors) {
    // A claim's errors about modes come in another order than a volume's.
    let modes = spec.access_modes.as_deref().unwrap_or(&[]);
    if modes.is_empty() {
        errors.push(FieldError::required(
            &path.child("accessModes"),
            "at least 1 access mode is required",
        ));
    }
    if let Some(selector) = &spec.selector {
        meta::label_selector(selector, &path.child("selector"), errors);
    }
    if !modes.is_empty() {
        access_modes(Some(modes), &path.child("accessModes"), errors);
    }
    let resources = path.child("resources");
    let storage = &resources.key("storage");
    let requests = spec
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref());
    match requests
        .and_then(|requests| requests.get("storage"))
        .map(Quantity::of)
    {
        None => errors.push(FieldError::required(storage, "")),
        Some(quantity) => {
            if positive_quantity(quantity, storage, errors) {
                quantity_value("storage", quantity, storage, errors);
            }
        }
    }
    let class = text(&spec.storage_class_name);
    if !class.is_empty() {
        meta::check(
            content::dns1123_subdomain(class),
            class,
            &path.child("storageClassName"),
            errors,
        );
    }
    volume_mode(&spec.volume_mode, &path.child("volumeMode"), errors);
    if let Some(source) = &spec.data_source {
        let group = text(&source.api_group);
        data_source(
            group,
            &source.kind,
            &source.name,
            &path.child("dataSource"),
            errors,
        );
    }
    if let Some(source) = &spec.data_source_ref {
        let group = text(&source.api_group);
        data_source(
            group,
            &source.kind,
            &source.name,
            &path.child("dataSourceRef"),
            errors,
        );
    }
}

fn data_source(group: &str, kind: &str, name: &str, path: &Path, errors: &mut Errors) {
    required(name, &path.child("name"), errors);
    required(kind, &path.child("kind"), errors);
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.push(FieldError::invalid(path, kind, why));
    }
    if !group.is_empty() {
        meta::check(
            content::dns1123_subdomain(group),
            group,
            &path.child("apiGroup"),
            errors,
        );
    }
}

fn storage_request(
    spec: &PersistentVolumeClaimSpec,
) -> Option<&k8s_openapi::apimachinery::pkg::api::resource::Quantity> {
    spec.resources.as_ref()?.requests.as_ref()?.get("storage")
}

#[inline(never)]
pub fn claim_update(new: &PersistentVolumeClaim, old: &PersistentVolumeClaim, errors: &mut Errors) {
    claim(new, errors);
    let (Some(spec), Some(old_spec)) = (&new.spec, &old.spec) else {
        return;
    };
    let path = &Path::root("spec");
    let bound = new
        .status
        .as_ref()
        .is_some_and(|status| text(&status.phase) == "Bound");
    let mut masked = spec.clone();
    if text(&old_spec.volume_name).is_empty() {
        masked.volume_name = old_spec.volume_name.clone();
    }
    if old_spec.storage_class_name.is_none() && spec.storage_class_name.is_some() {
        masked.storage_class_name = None;
    }
    if bound {
        if let (Some(requests), Some(old)) = (
            masked
                .resources
                .as_mut()
                .and_then(|resources| resources.requests.as_mut()),
            storage_request(old_spec),
        ) {
            requests.insert("storage".to_owned(), old.clone());
        }
        if spec.volume_attributes_class_name.is_some() {
            masked.volume_attributes_class_name = old_spec.volume_attributes_class_name.clone();
        }
    }
    if masked != *old_spec {
        let why = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
             claims\n{}",
            diff::of(&internal::claim_spec(old_spec), &internal::claim_spec(&masked))
        );
        errors.push(FieldError::forbidden(path, why));
    }
    let size = |spec: &PersistentVolumeClaimSpec| storage_request(spec).map_or(Quantity::ZERO, Quantity::of);
    let held = old
        .status
        .as_ref()
        .and_then(|status| status.capacity.as_ref()?.get("storage"));
    if size(spec) < size(old_spec) && size(spec) <= held.map_or(Quantity::ZERO, Quantity::of) {
        let requests = path.child("resources");
        let requests = requests.child("requests");
        let why = "field can not be less than status.capacity";
        errors.push(FieldError::forbidden(&requests.child("storage"), why));
    }
    meta::immutable(
        &spec.volume_mode,
        &old_spec.volume_mode,
        &Path::root("volumeMode"),
        errors,
    );
}
