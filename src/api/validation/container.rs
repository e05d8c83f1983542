//! Containers.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::env::{env, env_from};
use super::field::{FieldError, Path};
use super::meta::{self, Errors};
use super::mounts::{volume_devices, volume_mounts};
use super::probe::hooks_and_probes;
use super::resources::{self, Scope};
use super::{network, security, text};
use k8s_openapi::api::core::v1::{Container, ContainerPort, Volume};

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
    pub fn volume(&self, name: &str) -> Option<&Volume> {
        if !self.usable_volumes.contains(&name) {
            return None;
        }
        self.volumes.iter().find(|volume| volume.name == name)
    }
}

/// Regular containers.
#[inline(never)]
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
#[inline(never)]
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

#[inline(never)]
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
