//! ServiceAccount: every Pod runs as an account, and carries its token in a projected volume.

use super::super::ApiServer;
use crate::api::{Kind, Object, Status};
use crate::etcd::Key;
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector,
    ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeMount,
    VolumeProjection,
};
use std::sync::Arc;

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Seconds; an odd number on purpose, so that it can be told from one a person chose.
const TOKEN_SECONDS: i64 = 3607;

#[inline(never)]
pub(super) fn on_create(server: &mut ApiServer, object: &mut Object) -> Result<(), Status> {
    let namespace = object.namespace().to_owned();
    let pod_name = object.name().to_owned();
    let Object::Pod(pod) = object else { return Ok(()) };
    let Some(spec) = pod.spec.as_ref() else {
        return Ok(());
    };
    let name = spec
        .service_account_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    let account = match server
        .etcd
        .get(&Key::new(Kind::ServiceAccount, &namespace, &name))
        .map(|value| &value.object)
    {
        Some(Object::ServiceAccount(account)) => account.clone(),
        _ => {
            let why = format!(
                "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
            );
            return Err(Status::forbidden(Kind::Pod.info(), &pod_name, &why));
        }
    };
    let mounts_token = spec
        .automount_service_account_token
        .or(account.automount_service_account_token)
        .unwrap_or(true);
    let suffix = server.names.name_suffix(5);
    let Some(spec) = Arc::make_mut(pod).spec.as_mut() else {
        return Ok(());
    };
    spec.service_account_name = Some(name.clone());
    spec.service_account = Some(name);
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        spec.image_pull_secrets.clone_from(&account.image_pull_secrets);
    }
    if mounts_token {
        mount_token(spec, &account, &format!("kube-api-access-{suffix}"));
    }
    Ok(())
}

#[inline(never)]
fn mount_token(spec: &mut k8s_openapi::api::core::v1::PodSpec, _account: &ServiceAccount, volume: &str) {
    let mut used = false;
    for container in spec
        .containers
        .iter_mut()
        .chain(spec.init_containers.iter_mut().flatten())
    {
        let mounts = container.volume_mounts.get_or_insert_default();
        if mounts.iter().any(|mount| mount.mount_path == TOKEN_PATH) {
            continue;
        }
        used = true;
        mounts.push(VolumeMount {
            name: volume.to_owned(),
            mount_path: TOKEN_PATH.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
    }
    if used {
        spec.volumes.get_or_insert_default().push(token_volume(volume));
    }
}

fn token_volume(name: &str) -> Volume {
    let token = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            expiration_seconds: Some(TOKEN_SECONDS),
            path: "token".to_owned(),
            ..ServiceAccountTokenProjection::default()
        }),
        ..VolumeProjection::default()
    };
    let root_ca = VolumeProjection {
        config_map: Some(ConfigMapProjection {
            name: "kube-root-ca.crt".to_owned(),
            items: Some(vec![KeyToPath {
                key: "ca.crt".to_owned(),
                path: "ca.crt".to_owned(),
                mode: None,
            }]),
            ..ConfigMapProjection::default()
        }),
        ..VolumeProjection::default()
    };
    let namespace = VolumeProjection {
        downward_api: Some(DownwardAPIProjection {
            items: Some(vec![DownwardAPIVolumeFile {
                path: "namespace".to_owned(),
                field_ref: Some(ObjectFieldSelector {
                    api_version: Some("v1".to_owned()),
                    field_path: "metadata.namespace".to_owned(),
                }),
                ..DownwardAPIVolumeFile::default()
            }]),
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name: name.to_owned(),
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(0o644),
            sources: Some(vec![token, root_ca, namespace]),
        }),
        ..Volume::default()
    }
}
