//! Volumes of Pods, PersistentVolumes and their claims.
//!
//! Source: kubernetes/pkg/apis/core/v1/defaults.go.

use super::quantities::canonical_list;
use super::{always, missing, pod, text};
use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim,
    PersistentVolumeClaimSpec, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

/// 0644, the mode of the files that Secrets and ConfigMaps become.
const FILE_MODE: i32 = 0o644;

pub(super) fn volume(volume: &mut Volume) {
    if has_no_source(volume) {
        volume.empty_dir = Some(Default::default());
    }
    if let Some(source) = &mut volume.secret {
        missing(&mut source.default_mode, FILE_MODE);
    }
    if let Some(source) = &mut volume.config_map {
        missing(&mut source.default_mode, FILE_MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        missing(&mut source.default_mode, FILE_MODE);
        downward_items(source.items.as_mut());
    }
    if let Some(source) = &mut volume.projected {
        missing(&mut source.default_mode, FILE_MODE);
        for projection in source.sources.iter_mut().flatten() {
            if let Some(token) = &mut projection.service_account_token {
                missing(&mut token.expiration_seconds, 3600);
            }
            if let Some(source) = &mut projection.downward_api {
                downward_items(source.items.as_mut());
            }
        }
    }
    if let Some(source) = &mut volume.host_path {
        host_path(source);
    }
    if let Some(source) = &mut volume.ephemeral {
        if let Some(template) = &mut source.volume_claim_template {
            always(&mut template.metadata);
            claim_spec(&mut template.spec);
        }
    }
    if let Some(source) = &mut volume.image {
        let reference = source.reference.as_deref();
        pod::image_pull_policy(&mut source.pull_policy, reference);
    }
    if let Some(source) = &mut volume.iscsi {
        text(&mut source.iscsi_interface, "default");
    }
    if let Some(source) = &mut volume.rbd {
        text(&mut source.pool, "rbd");
        text(&mut source.user, "admin");
        text(&mut source.keyring, "/etc/ceph/keyring");
    }
    if let Some(source) = &mut volume.scale_io {
        text(&mut source.storage_mode, "ThinProvisioned");
        text(&mut source.fs_type, "xfs");
    }
    if let Some(source) = &mut volume.azure_disk {
        text(&mut source.caching_mode, "ReadWrite");
        text(&mut source.kind, "Shared");
        text(&mut source.fs_type, "ext4");
        missing(&mut source.read_only, false);
    }
}

fn has_no_source(volume: &Volume) -> bool {
    volume.empty_dir.is_none()
        && volume.secret.is_none()
        && volume.config_map.is_none()
        && volume.projected.is_none()
        && volume.host_path.is_none()
        && volume.persistent_volume_claim.is_none()
        && volume.downward_api.is_none()
        && *volume
            == Volume {
                name: volume.name.clone(),
                ..Volume::default()
            }
}

fn downward_items(items: Option<&mut Vec<DownwardAPIVolumeFile>>) {
    for item in items.into_iter().flatten() {
        if let Some(field) = &mut item.field_ref {
            text(&mut field.api_version, "v1");
        }
        if let Some(field) = &mut item.resource_field_ref {
            missing(&mut field.divisor, Text("0".to_owned()));
        }
    }
}

fn host_path(source: &mut HostPathVolumeSource) {
    missing(&mut source.type_, String::new());
}

pub(super) fn claim_spec(spec: &mut PersistentVolumeClaimSpec) {
    text(&mut spec.volume_mode, "Filesystem");
    let resources = always(&mut spec.resources);
    for list in [&mut resources.limits, &mut resources.requests]
        .into_iter()
        .flatten()
    {
        canonical_list(list);
    }
    // Two generations of the same field follow each other for the kinds the old one can name.
    if let (Some(source), None) = (&spec.data_source, &spec.data_source_ref) {
        spec.data_source_ref = Some(k8s_openapi::api::core::v1::TypedObjectReference {
            api_group: source.api_group.clone(),
            kind: source.kind.clone(),
            name: source.name.clone(),
            namespace: None,
        });
    }
}

pub(super) fn persistent_volume_claim(claim: &mut PersistentVolumeClaim) {
    claim_spec(always(&mut claim.spec));
    let status = always(&mut claim.status);
    text(&mut status.phase, "Pending");
    if let Some(capacity) = &mut status.capacity {
        canonical_list(capacity);
    }
}

pub(super) fn persistent_volume(volume: &mut PersistentVolume) {
    text(&mut always(&mut volume.status).phase, "Pending");
    let spec = always(&mut volume.spec);
    text(&mut spec.persistent_volume_reclaim_policy, "Retain");
    text(&mut spec.volume_mode, "Filesystem");
    if let Some(capacity) = &mut spec.capacity {
        canonical_list(capacity);
    }
    if let Some(source) = &mut spec.host_path {
        host_path(source);
    }
    if let Some(source) = &mut spec.iscsi {
        text(&mut source.iscsi_interface, "default");
    }
}
