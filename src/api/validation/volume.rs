//! The volumes of Pods.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::env::{object_field, resource_field};
use super::field::{FieldError, Path};
use super::meta::{self, Errors};
use super::mounts::{local_descending_path, no_backsteps};
use super::persistent::claim_spec;
use super::text;
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, ProjectedVolumeSource, Volume,
};

pub const MORE_THAN_ONE: &str = "may not specify more than 1 volume type";

const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

const DUPLICATE_PATHS: &str = "conflicting duplicate paths";

/// The volumes of a Pod; answers the names of those that can be mounted.
#[inline(never)]
pub fn volumes<'a>(
    volumes: &'a [Volume],
    pod_name: Option<&str>,
    path: &Path,
    errors: &mut Errors,
) -> Vec<&'a str> {
    let mut usable = Vec::with_capacity(volumes.len());
    for (i, volume) in volumes.iter().enumerate() {
        let path = &path.index(i);
        let before = errors.len();
        source(volume, pod_name, path, errors);
        let name = volume.name.as_str();
        if name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else {
            meta::check(content::dns1123_label(name), name, &path.child("name"), errors);
        }
        if usable.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        if errors.len() == before {
            usable.push(name);
        }
        if let (Some(claim), Some(pod_name)) = (&volume.persistent_volume_claim, pod_name) {
            let made = |other: &Volume| {
                other.ephemeral.is_some()
                    && claim
                        .claim_name
                        .strip_prefix(pod_name)
                        .and_then(|rest| rest.strip_prefix('-'))
                        == Some(other.name.as_str())
            };
            if volumes.iter().any(made) {
                let path = path.child("persistentVolumeClaim");
                let why = "must not reference a PVC that gets created for an ephemeral volume";
                errors.push(FieldError::invalid(
                    &path.child("claimName"),
                    &claim.claim_name,
                    why,
                ));
            }
        }
    }
    usable
}

pub fn source(volume: &Volume, pod_name: Option<&str>, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    // True for the first source of the volume; the others are refused.
    let mut first = |name: &'static str, errors: &mut Errors| {
        count += 1;
        if count > 1 {
            errors.push(FieldError::forbidden(&path.child(name), MORE_THAN_ONE));
        }
        count == 1
    };
    if let Some(source) = &volume.empty_dir {
        first("emptyDir", errors);
        if source
            .size_limit
            .as_ref()
            .is_some_and(|limit| Quantity::of(limit).is_negative())
        {
            let path = path.child("emptyDir");
            let why = "SizeLimit field must be a valid resource quantity";
            errors.push(FieldError::forbidden(&path.child("sizeLimit"), why));
        }
    }
    if let Some(source) = &volume.host_path {
        if first("hostPath", errors) {
            host_path(source, &path.child("hostPath"), errors);
        }
    }
    if let Some(source) = &volume.secret {
        if first("secret", errors) {
            let path = &path.child("secret");
            if text(&source.secret_name).is_empty() {
                errors.push(FieldError::required(&path.child("secretName"), ""));
            }
            mode(source.default_mode, &path.child("defaultMode"), errors);
            keys_to_paths(source.items.as_deref(), &path.child("items"), errors);
        }
    }
    if let Some(source) = &volume.nfs {
        if first("nfs", errors) {
            nfs(&source.server, &source.path, &path.child("nfs"), errors);
        }
    }
    if let Some(source) = &volume.iscsi {
        if first("iscsi", errors) {
            let path = path.child("iscsi");
            required(&source.target_portal, &path.child("targetPortal"), errors);
            required(&source.iqn, &path.child("iqn"), errors);
        }
    }
    if let Some(source) = &volume.persistent_volume_claim {
        if first("persistentVolumeClaim", errors) {
            required(
                &source.claim_name,
                &path.child("persistentVolumeClaim").child("claimName"),
                errors,
            );
        }
    }
    if let Some(source) = &volume.downward_api {
        if first("downwardAPI", errors) {
            let path = &path.child("downwardAPI");
            mode(source.default_mode, &path.child("defaultMode"), errors);
            for item in source.items.iter().flatten() {
                downward_file(item, path, errors);
            }
        }
    }
    if let Some(source) = &volume.config_map {
        if first("configMap", errors) {
            let path = &path.child("configMap");
            required(&source.name, &path.child("name"), errors);
            mode(source.default_mode, &path.child("defaultMode"), errors);
            keys_to_paths(source.items.as_deref(), &path.child("items"), errors);
        }
    }
    if let Some(source) = &volume.projected {
        if first("projected", errors) {
            projected(source, &path.child("projected"), errors);
        }
    }
    if let Some(source) = &volume.csi {
        if first("csi", errors) {
            driver_name(&source.driver, &path.child("csi").child("driver"), errors);
        }
    }
    if let Some(source) = &volume.ephemeral {
        if first("ephemeral", errors) {
            let own = path.child("ephemeral");
            let template_path = own.child("volumeClaimTemplate");
            match &source.volume_claim_template {
                None => errors.push(FieldError::required(&template_path, "")),
                Some(template) => claim_spec(&template.spec, &template_path.child("spec"), errors),
            }
            if let Some(pod_name) = pod_name.filter(|_| !volume.name.is_empty()) {
                let claim = format!("{pod_name}-{}", volume.name);
                for why in content::dns1123_subdomain(&claim) {
                    let why = format!("PVC name \"{claim}\": {why}");
                    errors.push(FieldError::invalid(&path.child("name"), &volume.name, why));
                }
            }
        }
    }
    if let Some(source) = &volume.image {
        if first("image", errors) {
            let path = &path.child("image");
            if text(&source.reference).is_empty() {
                errors.push(FieldError::required(&path.child("reference"), ""));
            }
            match text(&source.pull_policy) {
                "Always" | "IfNotPresent" | "Never" => {}
                "" => errors.push(FieldError::required(&path.child("pullPolicy"), "")),
                other => {
                    let supported = &["Always", "IfNotPresent", "Never"];
                    errors.push(FieldError::not_supported(
                        &path.child("pullPolicy"),
                        other,
                        supported,
                    ));
                }
            }
        }
    }
    for (name, set) in [
        ("gitRepo", volume.git_repo.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephFS", volume.cephfs.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
    ] {
        if set {
            first(name, errors);
        }
    }
    if count == 0 {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
}

pub fn required(value: &str, path: &Path, errors: &mut Errors) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
}

pub fn mode(mode: Option<i32>, path: &Path, errors: &mut Errors) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        errors.push(FieldError::invalid(path, mode, FILE_MODE));
    }
}

pub fn host_path(source: &HostPathVolumeSource, path: &Path, errors: &mut Errors) {
    if source.path.is_empty() {
        errors.push(FieldError::required(&path.child("path"), ""));
        return;
    }
    no_backsteps(&source.path, &path.child("path"), errors);
    let kinds = &[
        "",
        "BlockDevice",
        "CharDevice",
        "Directory",
        "DirectoryOrCreate",
        "File",
        "FileOrCreate",
        "Socket",
    ];
    let kind = text(&source.type_);
    if !kinds.contains(&kind) {
        errors.push(FieldError::not_supported(&path.child("type"), kind, kinds));
    }
}

pub fn nfs(server: &str, place: &str, path: &Path, errors: &mut Errors) {
    required(server, &path.child("server"), errors);
    required(place, &path.child("path"), errors);
    if !place.is_empty() && !place.starts_with('/') {
        errors.push(FieldError::invalid(
            &path.child("path"),
            place,
            "must be an absolute path",
        ));
    }
}

pub fn driver_name(driver: &str, path: &Path, errors: &mut Errors) {
    required(driver, path, errors);
    if driver.len() > 63 {
        errors.push(FieldError::too_long(path, 63));
    }
    if !driver.is_empty() {
        let lower = driver.to_lowercase();
        for why in content::dns1123_subdomain(&lower) {
            errors.push(FieldError::invalid(path, driver, why));
        }
    }
}

fn keys_to_paths(items: Option<&[KeyToPath]>, path: &Path, errors: &mut Errors) {
    for (i, item) in items.unwrap_or(&[]).iter().enumerate() {
        key_to_path(item, &path.index(i), errors);
    }
}

fn key_to_path(item: &KeyToPath, path: &Path, errors: &mut Errors) {
    required(&item.key, &path.child("key"), errors);
    required(&item.path, &path.child("path"), errors);
    local_non_reserved_path(&item.path, &path.child("path"), errors);
    mode(item.mode, &path.child("mode"), errors);
}

fn local_non_reserved_path(target: &str, path: &Path, errors: &mut Errors) {
    local_descending_path(target, path, errors);
    if target.starts_with("..") && !target.starts_with("../") && target != ".." {
        errors.push(FieldError::invalid(path, target, "must not start with '..'"));
    }
}

const DOWNWARD_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

fn downward_file(file: &DownwardAPIVolumeFile, path: &Path, errors: &mut Errors) {
    required(&file.path, &path.child("path"), errors);
    local_non_reserved_path(&file.path, &path.child("path"), errors);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(field), resource) => {
            object_field(field, DOWNWARD_FIELDS, &path.child("fieldRef"), errors);
            if resource.is_some() {
                let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(path, "resource", why));
            }
        }
        (None, Some(resource)) => resource_field(resource, true, &path.child("resourceFieldRef"), errors),
        (None, None) => errors.push(FieldError::required(
            path,
            "one of fieldRef and resourceFieldRef is required",
        )),
    }
    mode(file.mode, &path.child("mode"), errors);
}

fn projected(source: &ProjectedVolumeSource, path: &Path, errors: &mut Errors) {
    mode(source.default_mode, &path.child("defaultMode"), errors);
    let mut paths: Vec<&str> = Vec::new();
    let sources = path.child("sources");
    for (i, projection) in source.sources.iter().flatten().enumerate() {
        let own = &sources.index(i);
        let mut count = 0;
        for (field, keyed) in [
            ("secret", projection.secret.as_ref().map(|s| (&s.name, &s.items))),
            (
                "configMap",
                projection.config_map.as_ref().map(|s| (&s.name, &s.items)),
            ),
        ] {
            let Some((name, items)) = keyed else { continue };
            count += 1;
            let projection_path = own.child(field);
            required(name, &projection_path.child("name"), errors);
            let items_path = projection_path.child("items");
            for (j, item) in items.iter().flatten().enumerate() {
                key_to_path(item, &items_path.index(j), errors);
                if !item.path.is_empty() && paths.contains(&item.path.as_str()) {
                    errors.push(FieldError::invalid(path, name, DUPLICATE_PATHS));
                }
                paths.push(&item.path);
            }
        }
        if let Some(downward) = &projection.downward_api {
            count += 1;
            let own = &own.child("downwardAPI");
            for file in downward.items.iter().flatten() {
                downward_file(file, own, errors);
                if !file.path.is_empty() && paths.contains(&file.path.as_str()) {
                    errors.push(FieldError::invalid(path, &file.path, DUPLICATE_PATHS));
                }
                paths.push(&file.path);
            }
        }
        if let Some(token) = &projection.service_account_token {
            count += 1;
            let own = own.child("serviceAccountToken");
            let seconds = token.expiration_seconds.unwrap_or(0);
            if seconds < 600 {
                let why = "may not specify a duration less than 10 minutes";
                errors.push(FieldError::invalid(&own.child("expirationSeconds"), seconds, why));
            }
            if seconds > 1 << 32 {
                let why = "may not specify a duration larger than 2^32 seconds";
                errors.push(FieldError::invalid(&own.child("expirationSeconds"), seconds, why));
            }
            if token.path.is_empty() {
                errors.push(FieldError::required(&path.child("path"), ""));
            } else {
                local_non_reserved_path(&token.path, &path.child("path"), errors);
            }
        }
        count += usize::from(projection.cluster_trust_bundle.is_some());
        if count > 1 {
            let why = "may not specify more than 1 volume type per source";
            errors.push(FieldError::forbidden(own, why));
        }
    }
}
