//! Where containers have their volumes.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::container::Surroundings;
use super::field::{FieldError, Path};
use super::meta::Errors;
use super::text;
use k8s_openapi::api::core::v1::{Container, VolumeDevice, VolumeMount};

pub fn volume_mounts(
    mounts: &[VolumeMount],
    devices: &[VolumeDevice],
    container: &Container,
    around: &Surroundings,
    path: &Path,
    errors: &mut Errors,
) {
    for (i, mount) in mounts.iter().enumerate() {
        let list = path;
        let path = &path.index(i);
        let volume = around.volume(&mount.name);
        if mount.name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        }
        if volume.is_none() {
            errors.push(FieldError::not_found(&path.child("name"), &mount.name));
        }
        if mount.mount_path.is_empty() {
            errors.push(FieldError::required(&path.child("mountPath"), ""));
        }
        if mounts[..i]
            .iter()
            .any(|other| other.mount_path == mount.mount_path)
        {
            errors.push(FieldError::invalid(
                &path.child("mountPath"),
                &mount.mount_path,
                "must be unique",
            ));
        }
        if devices.iter().any(|device| device.name == mount.name) {
            let why = "must not already exist in volumeDevices";
            errors.push(FieldError::invalid(&path.child("name"), &mount.name, why));
        }
        if devices
            .iter()
            .any(|device| device.device_path == mount.mount_path)
        {
            let why = "must not already exist as a path in volumeDevices";
            errors.push(FieldError::invalid(
                &path.child("mountPath"),
                &mount.mount_path,
                why,
            ));
        }
        let (sub_path, expression) = (text(&mount.sub_path), text(&mount.sub_path_expr));
        if !sub_path.is_empty() {
            local_descending_path(sub_path, &list.child("subPath"), errors);
        }
        if !expression.is_empty() {
            if !sub_path.is_empty() {
                let why = "subPathExpr and subPath are mutually exclusive";
                errors.push(FieldError::invalid(&path.child("subPathExpr"), expression, why));
            }
            local_descending_path(expression, &list.child("subPathExpr"), errors);
        }
        mount_propagation(mount, container, &list.child("mountPropagation"), errors);
        recursive_read_only(mount, &list.child("recursiveReadOnly"), errors);
    }
}

fn mount_propagation(mount: &VolumeMount, container: &Container, path: &Path, errors: &mut Errors) {
    let Some(mode) = mount.mount_propagation.as_deref() else {
        return;
    };
    if !matches!(mode, "None" | "HostToContainer" | "Bidirectional") {
        errors.push(FieldError::not_supported(
            path,
            mode,
            &["Bidirectional", "HostToContainer", "None"],
        ));
    }
    let privileged = container.security_context.as_ref().and_then(|c| c.privileged) == Some(true);
    if mode == "Bidirectional" && !privileged {
        let why = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(path, why));
    }
}

fn recursive_read_only(mount: &VolumeMount, path: &Path, errors: &mut Errors) {
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                errors.push(FieldError::forbidden(
                    path,
                    "may only be specified when readOnly is true",
                ));
            }
            if mount
                .mount_propagation
                .as_deref()
                .is_some_and(|mode| mode != "None")
            {
                let why = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(path, why));
            }
        }
        Some(other) => {
            errors.push(FieldError::not_supported(
                path,
                other,
                &["Disabled", "Enabled", "IfPossible"],
            ));
        }
    }
}

pub fn volume_devices(
    devices: &[VolumeDevice],
    mounts: &[VolumeMount],
    around: &Surroundings,
    path: &Path,
    errors: &mut Errors,
) {
    for (i, device) in devices.iter().enumerate() {
        let path = &path.index(i);
        let (name, place) = (device.name.as_str(), device.device_path.as_str());
        let (name_path, place_path) = (&path.child("name"), &path.child("devicePath"));
        if name.is_empty() {
            errors.push(FieldError::required(name_path, ""));
        } else if devices[..i].iter().any(|other| other.name == name) {
            errors.push(FieldError::invalid(name_path, name, "must be unique"));
        }
        match around.volume(name) {
            None => errors.push(FieldError::not_found(name_path, name)),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let why =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(FieldError::invalid(name_path, name, why));
            }
            Some(_) => {}
        }
        if place.is_empty() {
            errors.push(FieldError::required(place_path, ""));
        }
        if devices[..i].iter().any(|other| other.device_path == place) {
            errors.push(FieldError::invalid(place_path, place, "must be unique"));
        }
        if place.split('/').any(|part| part == "..") {
            errors.push(FieldError::invalid(
                place_path,
                place,
                "can not contain backsteps ('..')",
            ));
        }
        if mounts.iter().any(|mount| mount.name == name) {
            errors.push(FieldError::invalid(
                name_path,
                name,
                "must not already exist in volumeMounts",
            ));
        }
        if mounts.iter().any(|mount| mount.mount_path == place) {
            let why = "must not already exist as a path in volumeMounts";
            errors.push(FieldError::invalid(place_path, place, why));
        }
    }
}

/// A path that stays below where it starts.
pub fn local_descending_path(target: &str, path: &Path, errors: &mut Errors) {
    if target.starts_with('/') {
        errors.push(FieldError::invalid(path, target, "must be a relative path"));
    }
    no_backsteps(target, path, errors);
}

pub fn no_backsteps(target: &str, path: &Path, errors: &mut Errors) {
    if target.split('/').any(|part| part == "..") {
        errors.push(FieldError::invalid(path, target, "must not contain '..'"));
    }
}
