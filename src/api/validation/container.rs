//! Containers: ports, environment, mounts, probes and hooks.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, Errors, NEGATIVE};
use super::resources::{self, Scope};
use super::{network, security, text};
use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, ExecAction, HTTPGetAction, LifecycleHandler,
    ObjectFieldSelector, Probe, ResourceFieldSelector, SleepAction, TCPSocketAction, Volume, VolumeDevice,
    VolumeMount,
};

/// What a container is checked against.
pub struct Surroundings<'a> {
    pub volumes: &'a [Volume],
    /// Names of the volumes that are valid themselves; a mount of another is not found.
    pub usable_volumes: &'a [&'a str],
    /// Names of the Pod's resource claims.
    pub claims: &'a [&'a str],
    /// The Pod's; `None` when it is not set.
    pub grace_period: Option<i64>,
    pub restart_policy: &'a str,
    pub host_users: bool,
}

impl Surroundings<'_> {
    fn volume(&self, name: &str) -> Option<&Volume> {
        if !self.usable_volumes.contains(&name) {
            return None;
        }
        self.volumes.iter().find(|volume| volume.name == name)
    }
}

/// Regular containers.
pub fn containers(containers: &[Container], around: &Surroundings, path: &Path, errors: &mut Errors) {
    if containers.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    for (i, container) in containers.iter().enumerate() {
        let path = &path.index(i);
        common(container, around, path, errors);
        if containers[..i].iter().any(|other| other.name == container.name) {
            errors.push(FieldError::duplicate(&path.child("name"), &container.name));
        }
        hooks_and_probes(container, around, path, errors);
        restart_policy(container, path, errors);
    }
    host_port_conflicts(containers, path, errors);
}

/// Init containers, sidecars among them.
pub fn init_containers(
    containers: &[Container],
    regular: &[Container],
    around: &Surroundings,
    path: &Path,
    errors: &mut Errors,
) {
    for (i, container) in containers.iter().enumerate() {
        let list = path;
        let path = &path.index(i);
        common(container, around, path, errors);
        restart_policy(container, path, errors);
        let taken = |other: &Container| !container.name.is_empty() && other.name == container.name;
        if regular.iter().chain(&containers[..i]).any(taken) {
            errors.push(FieldError::duplicate(&path.child("name"), &container.name));
        }
        host_port_conflicts(std::slice::from_ref(container), list, errors);
        if container.restart_policy.as_deref() == Some("Always") {
            hooks_and_probes(container, around, path, errors);
            continue;
        }
        for (name, set) in [
            ("lifecycle", container.lifecycle.is_some()),
            ("livenessProbe", container.liveness_probe.is_some()),
            ("readinessProbe", container.readiness_probe.is_some()),
            ("startupProbe", container.startup_probe.is_some()),
        ] {
            if set {
                let why = "may not be set for init containers without restartPolicy=Always";
                errors.push(FieldError::forbidden(&path.child(name), why));
            }
        }
    }
}

fn restart_policy(container: &Container, path: &Path, errors: &mut Errors) {
    match container.restart_policy.as_deref() {
        None => {
            if container
                .restart_policy_rules
                .as_ref()
                .is_some_and(|rules| !rules.is_empty())
            {
                let why = "must specify restartPolicy when restart rules are used";
                errors.push(FieldError::required(&path.child("restartPolicy"), why));
            }
        }
        Some("Always" | "OnFailure" | "Never") => {}
        Some(other) => {
            let supported = &["Always", "Never", "OnFailure"];
            errors.push(FieldError::not_supported(
                &path.child("restartPolicy"),
                other,
                supported,
            ));
        }
    }
}

fn common(container: &Container, around: &Surroundings, path: &Path, errors: &mut Errors) {
    if container.name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), ""));
    } else {
        meta::check(
            content::dns1123_label(&container.name),
            &container.name,
            &path.child("name"),
            errors,
        );
    }
    if text(&container.image).is_empty() {
        errors.push(FieldError::required(&path.child("image"), ""));
    }
    match text(&container.termination_message_policy) {
        "File" | "FallbackToLogsOnError" => {}
        "" => errors.push(FieldError::required(&path.child("terminationMessagePolicy"), "")),
        other => {
            let supported = &["File", "FallbackToLogsOnError"];
            errors.push(FieldError::not_supported(
                &path.child("terminationMessagePolicy"),
                other,
                supported,
            ));
        }
    }
    if let Some(list) = &container.ports {
        ports(list, &path.child("ports"), errors);
    }
    if let Some(list) = &container.env {
        env(list, &path.child("env"), errors);
    }
    if let Some(list) = &container.env_from {
        env_from(list, &path.child("envFrom"), errors);
    }
    let mounts = container.volume_mounts.as_deref().unwrap_or(&[]);
    let devices = container.volume_devices.as_deref().unwrap_or(&[]);
    volume_mounts(
        mounts,
        devices,
        container,
        around,
        &path.child("volumeMounts"),
        errors,
    );
    volume_devices(devices, mounts, around, &path.child("volumeDevices"), errors);
    match text(&container.image_pull_policy) {
        "Always" | "IfNotPresent" | "Never" => {}
        "" => errors.push(FieldError::required(&path.child("imagePullPolicy"), "")),
        other => {
            let supported = &["Always", "IfNotPresent", "Never"];
            errors.push(FieldError::not_supported(
                &path.child("imagePullPolicy"),
                other,
                supported,
            ));
        }
    }
    if let Some(requirements) = &container.resources {
        resources::requirements(
            requirements,
            Scope::Container,
            around.claims,
            &path.child("resources"),
            errors,
        );
    }
    resize_policy(
        container,
        around.restart_policy,
        &path.child("resizePolicy"),
        errors,
    );
    if let Some(context) = &container.security_context {
        security::container_context(context, around.host_users, &path.child("securityContext"), errors);
    }
}

fn ports(ports: &[ContainerPort], path: &Path, errors: &mut Errors) {
    for (i, port) in ports.iter().enumerate() {
        let path = &path.index(i);
        let name = text(&port.name);
        if !name.is_empty() {
            let complaints = content::port_name(name);
            if complaints.is_empty() && ports[..i].iter().any(|other| text(&other.name) == name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            }
            meta::check(complaints, name, &path.child("name"), errors);
        }
        if port.container_port == 0 {
            errors.push(FieldError::required(&path.child("containerPort"), ""));
        } else {
            network::port_number(port.container_port, &path.child("containerPort"), errors);
        }
        let host_port = port.host_port.unwrap_or(0);
        if host_port != 0 {
            network::port_number(host_port, &path.child("hostPort"), errors);
        }
        network::protocol(text(&port.protocol), &path.child("protocol"), errors);
    }
}

fn host_port_conflicts(containers: &[Container], path: &Path, errors: &mut Errors) {
    let mut taken: Vec<(&str, &str, i32)> = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        for (j, port) in container.ports.iter().flatten().enumerate() {
            let number = port.host_port.unwrap_or(0);
            if number == 0 {
                continue;
            }
            let key = (text(&port.protocol), text(&port.host_ip), number);
            if taken.contains(&key) {
                let (container, value) = (path.index(i), format!("{}/{}/{}", key.0, key.1, key.2));
                let ports = container.child("ports");
                errors.push(FieldError::duplicate(&ports.index(j).child("hostPort"), &value));
            } else {
                taken.push(key);
            }
        }
    }
}

fn env(variables: &[EnvVar], path: &Path, errors: &mut Errors) {
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
pub const RESOURCE_FIELDS: &[&str] = &[
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

fn env_from(sources: &[EnvFromSource], path: &Path, errors: &mut Errors) {
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

fn volume_mounts(
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

fn volume_devices(
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

fn resize_policy(container: &Container, pod_policy: &str, path: &Path, errors: &mut Errors) {
    let policies = container.resize_policy.as_deref().unwrap_or(&[]);
    for (i, policy) in policies.iter().enumerate() {
        if policies[..i]
            .iter()
            .any(|other| other.resource_name == policy.resource_name)
        {
            errors.push(FieldError::duplicate(&path.index(i), &policy.resource_name));
        }
        match policy.resource_name.as_str() {
            "cpu" | "memory" => {}
            "" => errors.push(FieldError::required(path, "")),
            other => errors.push(FieldError::not_supported(path, other, &["cpu", "memory"])),
        }
        match policy.restart_policy.as_str() {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.push(FieldError::required(path, "")),
            other => errors.push(FieldError::not_supported(
                path,
                other,
                &["NotRequired", "RestartContainer"],
            )),
        }
        if pod_policy == "Never" && policy.restart_policy != "NotRequired" {
            let why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, &policy.restart_policy, why));
        }
    }
}

fn hooks_and_probes(container: &Container, around: &Surroundings, path: &Path, errors: &mut Errors) {
    if let Some(lifecycle) = &container.lifecycle {
        let path = path.child("lifecycle");
        for (name, hook) in [
            ("postStart", &lifecycle.post_start),
            ("preStop", &lifecycle.pre_stop),
        ] {
            if let Some(hook) = hook {
                handler(
                    &Handler::of_hook(hook),
                    around.grace_period,
                    &path.child(name),
                    errors,
                );
            }
        }
    }
    if let Some(probe) = &container.liveness_probe {
        let path = &path.child("livenessProbe");
        self::probe(probe, path, errors);
        success_threshold_is_one(probe, path, errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = &path.child("readinessProbe");
        self::probe(probe, path, errors);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let path = &path.child("terminationGracePeriodSeconds");
            errors.push(FieldError::invalid(
                path,
                seconds,
                "must not be set for readinessProbes",
            ));
        }
    }
    if let Some(probe) = &container.startup_probe {
        let path = &path.child("startupProbe");
        self::probe(probe, path, errors);
        success_threshold_is_one(probe, path, errors);
    }
}

fn success_threshold_is_one(probe: &Probe, path: &Path, errors: &mut Errors) {
    let threshold = probe.success_threshold.unwrap_or(0);
    if threshold != 1 {
        errors.push(FieldError::invalid(
            &path.child("successThreshold"),
            threshold,
            "must be 1",
        ));
    }
}

fn probe(probe: &Probe, path: &Path, errors: &mut Errors) {
    handler(&Handler::of_probe(probe), None, path, errors);
    for (name, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        if let Some(value) = value.filter(|value| *value < 0) {
            errors.push(FieldError::invalid(&path.child(name), value, NEGATIVE));
        }
    }
    if let Some(seconds) = probe
        .termination_grace_period_seconds
        .filter(|seconds| *seconds <= 0)
    {
        let path = &path.child("terminationGracePeriodSeconds");
        errors.push(FieldError::invalid(path, seconds, "must be greater than 0"));
    }
}

/// What probes and hooks share.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc_port: Option<i32>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> Handler<'a> {
    fn of_probe(probe: &'a Probe) -> Handler<'a> {
        Handler {
            exec: probe.exec.as_ref(),
            http_get: probe.http_get.as_ref(),
            tcp_socket: probe.tcp_socket.as_ref(),
            grpc_port: probe.grpc.as_ref().map(|grpc| grpc.port),
            sleep: None,
        }
    }

    fn of_hook(hook: &'a LifecycleHandler) -> Handler<'a> {
        Handler {
            exec: hook.exec.as_ref(),
            http_get: hook.http_get.as_ref(),
            tcp_socket: hook.tcp_socket.as_ref(),
            grpc_port: None,
            sleep: hook.sleep.as_ref(),
        }
    }
}

fn handler(handler: &Handler, grace_period: Option<i64>, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    let mut first = |name: &'static str, errors: &mut Errors| {
        count += 1;
        if count > 1 {
            errors.push(FieldError::forbidden(
                &path.child(name),
                "may not specify more than 1 handler type",
            ));
        }
        count == 1
    };
    if let Some(exec) = handler.exec {
        if first("exec", errors) && exec.command.as_ref().is_none_or(Vec::is_empty) {
            errors.push(FieldError::required(&path.child("exec").child("command"), ""));
        }
    }
    if let Some(get) = handler.http_get {
        if first("httpGet", errors) {
            http_get(get, &path.child("httpGet"), errors);
        }
    }
    if let Some(tcp) = handler.tcp_socket {
        if first("tcpSocket", errors) {
            network::port_number_or_name(&tcp.port, &path.child("tcpSocket").child("port"), errors);
        }
    }
    if let Some(port) = handler.grpc_port {
        if first("grpc", errors) {
            network::port_number(port, &path.child("grpc").child("port"), errors);
        }
    }
    if let Some(sleep) = handler.sleep {
        if first("sleep", errors) {
            if let Some(grace) = grace_period.filter(|grace| sleep.seconds < 0 || sleep.seconds > *grace) {
                let why =
                    format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                errors.push(FieldError::invalid(&path.child("sleep"), sleep.seconds, why));
            }
        }
    }
    if count == 0 {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

fn http_get(get: &HTTPGetAction, path: &Path, errors: &mut Errors) {
    if text(&get.path).is_empty() {
        errors.push(FieldError::required(&path.child("path"), ""));
    }
    network::port_number_or_name(&get.port, &path.child("port"), errors);
    let scheme = text(&get.scheme);
    if !matches!(scheme, "HTTP" | "HTTPS") {
        errors.push(FieldError::not_supported(
            &path.child("scheme"),
            scheme,
            &["HTTP", "HTTPS"],
        ));
    }
    for header in get.http_headers.iter().flatten() {
        meta::check(
            content::http_header_name(&header.name),
            &header.name,
            &path.child("httpHeaders"),
            errors,
        );
    }
}

/// What holds for the containers of Pods, but not of templates.
pub fn only_for_pods(containers: &[Container], path: &Path, errors: &mut Errors) {
    for (i, container) in containers.iter().enumerate() {
        let image = text(&container.image);
        if image.trim().len() != image.len() {
            let why = "must not have leading or trailing whitespace";
            errors.push(FieldError::invalid(&path.index(i).child("image"), image, why));
        }
    }
}

/// The few fields of a debugging container that mean something.
pub fn ephemeral_fields(
    container: &k8s_openapi::api::core::v1::EphemeralContainer,
    path: &Path,
    errors: &mut Errors,
) {
    let has_resources = container
        .resources
        .as_ref()
        .is_some_and(|resources| *resources != Default::default());
    for (name, set) in [
        (
            "ports",
            container.ports.as_ref().is_some_and(|list| !list.is_empty()),
        ),
        ("resources", has_resources),
        (
            "resizePolicy",
            container
                .resize_policy
                .as_ref()
                .is_some_and(|list| !list.is_empty()),
        ),
        ("restartPolicy", container.restart_policy.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ] {
        if set {
            errors.push(FieldError::forbidden(
                &path.child(name),
                "cannot be set for an Ephemeral Container",
            ));
        }
    }
    let mounts = path.child("volumeMounts");
    for (i, mount) in container.volume_mounts.iter().flatten().enumerate() {
        for (name, value) in [
            ("subPath", &mount.sub_path),
            ("subPathExpr", &mount.sub_path_expr),
        ] {
            if !text(value).is_empty() {
                let path = &mounts.index(i);
                errors.push(FieldError::forbidden(
                    &path.child(name),
                    "cannot be set for an Ephemeral Container",
                ));
            }
        }
    }
}
