//! Security contexts of Pods and containers.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{self, FieldError, Internal, Json, Path};
use super::meta::Errors;
use super::mounts::local_descending_path;
use k8s_openapi::api::core::v1::{
    AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl,
};

fn id(value: Option<i64>, name: &str, path: &Path, errors: &mut Errors) {
    if let Some(value) = value {
        for why in content::user_id(value) {
            errors.push(FieldError::invalid(&path.child(name), value, why));
        }
    }
}

#[inline(never)]
pub fn pod_context(context: &PodSecurityContext, spec: &PodSpec, path: &Path, errors: &mut Errors) {
    id(context.fs_group, "fsGroup", path, errors);
    id(context.run_as_user, "runAsUser", path, errors);
    id(context.run_as_group, "runAsGroup", path, errors);
    let groups = path.child("supplementalGroups");
    for (i, group) in context.supplemental_groups.iter().flatten().enumerate() {
        for why in content::user_id(*group) {
            errors.push(FieldError::invalid(&groups.index(i), *group, why));
        }
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(
            &path.child("shareProcessNamespace"),
            true,
            why,
        ));
    }
    if let Some(sysctls) = &context.sysctls {
        self::sysctls(sysctls, spec, &path.child("sysctls"), errors);
    }
    choice(
        &context.fs_group_change_policy,
        &["Always", "OnRootMismatch"],
        &path.child("fsGroupChangePolicy"),
        errors,
    );
    seccomp(
        context.seccomp_profile.as_ref(),
        &path.child("seccompProfile"),
        errors,
    );
    app_armor(
        context.app_armor_profile.as_ref(),
        &path.child("appArmorProfile"),
        errors,
    );
    choice(
        &context.supplemental_groups_policy,
        &["Merge", "Strict"],
        &path.child("supplementalGroupsPolicy"),
        errors,
    );
    choice(
        &context.se_linux_change_policy,
        &["MountOption", "Recursive"],
        &path.child("seLinuxChangePolicy"),
        errors,
    );
}

fn choice(value: &Option<String>, supported: &[&str], path: &Path, errors: &mut Errors) {
    if let Some(value) = value.as_deref().filter(|value| !supported.contains(value)) {
        errors.push(FieldError::not_supported(path, value, supported));
    }
}

fn sysctls(sysctls: &[Sysctl], spec: &PodSpec, path: &Path, errors: &mut Errors) {
    for (i, sysctl) in sysctls.iter().enumerate() {
        let item = path.index(i);
        let path = &item.child("name");
        let name = sysctl.name.as_str();
        let segment = |part: &str| {
            let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            edge(part.as_bytes().first())
                && edge(part.as_bytes().last())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        };
        if name.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if name.len() > 253 || !name.split(['.', '/']).all(segment) {
            let why = "must have at most 253 characters and match regex \
                       ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            errors.push(FieldError::invalid(path, name, why));
        } else if sysctls[..i].iter().any(|other| other.name == name) {
            errors.push(FieldError::duplicate(path, name));
        }
        let dotted = name.replace('/', ".");
        if spec.host_network == Some(true) && dotted.starts_with("net.") {
            errors.push(FieldError::invalid(
                path,
                name,
                "may not be specified when 'hostNetwork' is true",
            ));
        }
        let ipc = ["kernel.sem", "kernel.shm", "kernel.msg", "fs.mqueue."];
        if spec.host_ipc == Some(true) && ipc.iter().any(|prefix| dotted.starts_with(prefix)) {
            errors.push(FieldError::invalid(
                path,
                name,
                "may not be specified when 'hostIPC' is true",
            ));
        }
    }
}

pub fn container_context(context: &SecurityContext, host_users: bool, path: &Path, errors: &mut Errors) {
    id(context.run_as_user, "runAsUser", path, errors);
    id(context.run_as_group, "runAsGroup", path, errors);
    if let Some(proc_mount) = context.proc_mount.as_deref() {
        let path = &path.child("procMount");
        if !matches!(proc_mount, "Default" | "Unmasked") {
            errors.push(FieldError::not_supported(
                path,
                proc_mount,
                &["Default", "Unmasked"],
            ));
        }
        if host_users && proc_mount == "Unmasked" {
            errors.push(FieldError::invalid(
                path,
                proc_mount,
                "`hostUsers` must be false to use `Unmasked`",
            ));
        }
    }
    seccomp(
        context.seccomp_profile.as_ref(),
        &path.child("seccompProfile"),
        errors,
    );
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(FieldError::invalid(path, Json(context), why));
        }
        let added = context
            .capabilities
            .as_ref()
            .and_then(|capabilities| capabilities.add.as_ref());
        if added.is_some_and(|added| added.iter().any(|name| name == "CAP_SYS_ADMIN")) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.push(FieldError::invalid(path, Json(context), why));
        }
    }
    app_armor(
        context.app_armor_profile.as_ref(),
        &path.child("appArmorProfile"),
        errors,
    );
}

fn seccomp(profile: Option<&SeccompProfile>, path: &Path, errors: &mut Errors) {
    let Some(profile) = profile else { return };
    let kinds = &["Localhost", "RuntimeDefault", "Unconfined"];
    match profile.type_.as_str() {
        "" => {
            errors.push(FieldError::required(
                &path.child("type"),
                "type is required when seccompProfile is set",
            ));
        }
        other if !kinds.contains(&other) => {
            errors.push(FieldError::not_supported(&path.child("type"), other, kinds));
        }
        _ => {}
    }
    let place = &path.child("localhostProfile");
    match (profile.type_.as_str(), profile.localhost_profile.as_deref()) {
        ("Localhost", None) => {
            errors.push(FieldError::required(
                place,
                "must be set when seccomp type is Localhost",
            ));
        }
        ("Localhost", Some(profile)) => local_descending_path(profile, place, errors),
        (_, Some(_)) => {
            let why = "can only be set when seccomp type is Localhost";
            let internal = Internal([
                ("Type", field::value(&profile.type_)),
                ("LocalhostProfile", field::value(&profile.localhost_profile)),
            ]);
            errors.push(FieldError::invalid(place, internal, why));
        }
        (_, None) => {}
    }
}

fn app_armor(profile: Option<&AppArmorProfile>, path: &Path, errors: &mut Errors) {
    let Some(profile) = profile else { return };
    let place = &path.child("localhostProfile");
    let local = profile.localhost_profile.as_deref();
    match profile.type_.as_str() {
        "Localhost" => match local {
            None => errors.push(FieldError::required(
                place,
                "must be set when AppArmor type is Localhost",
            )),
            Some(name) => {
                if name.trim() != name {
                    errors.push(FieldError::invalid(
                        place,
                        name,
                        "must not be padded with whitespace",
                    ));
                } else if name.is_empty() {
                    errors.push(FieldError::required(
                        place,
                        "must be set when AppArmor type is Localhost",
                    ));
                }
                if name.len() > 4095 {
                    errors.push(FieldError::too_long(place, 4095));
                }
            }
        },
        "RuntimeDefault" | "Unconfined" => {
            if let Some(name) = local {
                errors.push(FieldError::invalid(
                    place,
                    name,
                    "can only be set when AppArmor type is Localhost",
                ));
            }
        }
        "" => {
            errors.push(FieldError::required(
                &path.child("type"),
                "type is required when appArmorProfile is set",
            ));
        }
        other => {
            let supported = &["Localhost", "RuntimeDefault", "Unconfined"];
            errors.push(FieldError::not_supported(&path.child("type"), other, supported));
        }
    }
}

/// Linux's settings mean nothing to Windows, and the other way around.
#[inline(never)]
pub fn operating_system(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    let Some(os) = &spec.os else { return };
    let own = path.child("os");
    match os.name.as_str() {
        "" => errors.push(FieldError::required(&own.child("name"), "cannot be empty")),
        "linux" => {
            let windows = spec
                .security_context
                .as_ref()
                .is_some_and(|c| c.windows_options.is_some());
            if windows {
                let path = path.child("securityContext");
                let why = "windows options cannot be set for a linux pod";
                errors.push(FieldError::forbidden(&path.child("windowsOptions"), why));
            }
        }
        "windows" => {
            let context = spec.security_context.clone().unwrap_or_default();
            let forbidden = [
                ("appArmorProfile", context.app_armor_profile.is_some()),
                ("seLinuxOptions", context.se_linux_options.is_some()),
                ("seccompProfile", context.seccomp_profile.is_some()),
                ("fsGroup", context.fs_group.is_some()),
                ("fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
                (
                    "sysctls",
                    context.sysctls.as_ref().is_some_and(|list| !list.is_empty()),
                ),
                ("runAsUser", context.run_as_user.is_some()),
                ("runAsGroup", context.run_as_group.is_some()),
                ("supplementalGroups", context.supplemental_groups.is_some()),
                (
                    "supplementalGroupsPolicy",
                    context.supplemental_groups_policy.is_some(),
                ),
                ("seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
            ];
            let own = path.child("securityContext");
            for (name, _) in forbidden.iter().filter(|(_, set)| *set) {
                errors.push(FieldError::forbidden(
                    &own.child(name),
                    "cannot be set for a windows pod",
                ));
            }
            for (name, set) in [
                ("hostUsers", spec.host_users.is_some()),
                ("hostPID", spec.host_pid == Some(true)),
                ("hostIPC", spec.host_ipc == Some(true)),
                ("shareProcessNamespace", spec.share_process_namespace.is_some()),
            ] {
                if set {
                    errors.push(FieldError::forbidden(
                        &path.child(name),
                        "cannot be set for a windows pod",
                    ));
                }
            }
        }
        other => errors.push(FieldError::not_supported(&own, other, &["linux", "windows"])),
    }
}

/// A user namespace of its own excludes the node's other namespaces.
#[inline(never)]
pub fn host_users(spec: &PodSpec, path: &Path, errors: &mut Errors) {
    if spec.host_users != Some(false) {
        return;
    }
    for (name, set) in [
        ("hostNetwork", spec.host_network == Some(true)),
        ("HostPID", spec.host_pid == Some(true)),
        ("HostIPC", spec.host_ipc == Some(true)),
    ] {
        if set {
            errors.push(FieldError::forbidden(
                &path.child(name),
                "when `pod.Spec.HostUsers` is false",
            ));
        }
    }
}
