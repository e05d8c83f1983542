//! What `baseline` and `restricted` forbid alike, and the two rules `restricted` has its own of.
//!
//! Source: k8s.io/pod-security-admission/policy, a file per rule.

use super::{Check, Container, View, Violation, named, plural, quoted, setters, violation};
use crate::api::order::StableSort;
use k8s_openapi::api::core::v1::{PodSecurityContext, SELinuxOptions, SecurityContext};

pub(super) const ALWAYS: [Check; 10] = [
    Check {
        since: 0,
        run: app_armor,
    },
    Check {
        since: 0,
        run: host_namespaces,
    },
    Check {
        since: 0,
        run: host_path_volumes,
    },
    Check {
        since: 0,
        run: host_ports,
    },
    Check {
        since: 34,
        run: probe_hosts,
    },
    Check {
        since: 0,
        run: privileged,
    },
    Check {
        since: 0,
        run: proc_mount,
    },
    Check {
        since: 0,
        run: se_linux,
    },
    Check {
        since: 0,
        run: sysctls,
    },
    Check {
        since: 0,
        run: windows_host_process,
    },
];

pub(super) const UNLESS_RESTRICTED: [Check; 2] = [
    Check {
        since: 0,
        run: capabilities,
    },
    Check {
        since: 0,
        run: seccomp,
    },
];

/// What a container runtime gives a container anyway.
const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SAFE_SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];

fn in_context<T>(container: &Container<'_>, get: impl Fn(&SecurityContext) -> Option<T>) -> Option<T> {
    container.context.and_then(get)
}

/// Keeps a value once, in order.
pub(super) fn note(values: &mut Vec<String>, value: &str) {
    let value = quoted(value);
    if let Err(at) = values.binary_search(&value) {
        values.insert(at, value);
    }
}

/// Who sets a profile type other than the two harmless ones, and which types those are.
fn profiles(
    pod: &View<'_>,
    of_pod: impl Fn(&PodSecurityContext) -> Option<&str>,
    of_container: impl Fn(&SecurityContext) -> Option<&str>,
) -> Option<(String, Vec<String>)> {
    let mut values = Vec::new();
    let mut is_bad = |kind: Option<&str>| {
        let bad = kind.filter(|kind| !matches!(*kind, "RuntimeDefault" | "Localhost"));
        bad.inspect(|kind| note(&mut values, kind)).is_some()
    };
    let pod_is_bad = is_bad(pod.spec.security_context.as_ref().and_then(of_pod));
    let bad = pod
        .containers
        .iter()
        .filter(|container| is_bad(container.context.and_then(&of_container)));
    let containers: Vec<String> = bad.map(|container| quoted(container.name)).collect();
    Some((setters(pod_is_bad, &containers)?, values))
}

fn app_armor(pod: &View<'_>) -> Option<Violation> {
    let (who, values) = profiles(
        pod,
        |context| {
            context
                .app_armor_profile
                .as_ref()
                .map(|profile| profile.type_.as_str())
        },
        |context| {
            context
                .app_armor_profile
                .as_ref()
                .map(|profile| profile.type_.as_str())
        },
    )?;
    let reason = plural("forbidden AppArmor profile", values.len());
    violation(
        0,
        &reason,
        format!(
            "{who} must not set AppArmor profile type to {}",
            values.join(", ")
        ),
    )
}

fn capabilities(pod: &View<'_>) -> Option<Violation> {
    let mut added = Vec::new();
    let mut containers = Vec::new();
    for container in &pod.containers {
        let capabilities = container
            .context
            .and_then(|context| context.capabilities.as_ref());
        let list = capabilities.and_then(|capabilities| capabilities.add.as_ref());
        let before = containers.len();
        for name in list
            .into_iter()
            .flatten()
            .filter(|name| !DEFAULT_CAPABILITIES.contains(&name.as_str()))
        {
            note(&mut added, name);
            if containers.len() == before {
                containers.push(quoted(container.name));
            }
        }
    }
    if containers.is_empty() {
        return None;
    }
    let (who, what) = (named("container", &containers), added.join(", "));
    violation(
        1,
        "non-default capabilities",
        format!("{who} must not include {what} in securityContext.capabilities.add"),
    )
}

fn host_namespaces(pod: &View<'_>) -> Option<Violation> {
    let spec = pod.spec;
    let shared = [
        (spec.host_network, "hostNetwork=true"),
        (spec.host_pid, "hostPID=true"),
        (spec.host_ipc, "hostIPC=true"),
    ];
    let shared: Vec<&str> = shared
        .iter()
        .filter(|(flag, _)| *flag == Some(true))
        .map(|(_, word)| *word)
        .collect();
    if shared.is_empty() {
        return None;
    }
    violation(2, "host namespaces", shared.join(", "))
}

fn host_path_volumes(pod: &View<'_>) -> Option<Violation> {
    let volumes = pod
        .spec
        .volumes
        .iter()
        .flatten()
        .filter(|volume| volume.host_path.is_some());
    let names: Vec<String> = volumes.map(|volume| quoted(&volume.name)).collect();
    if names.is_empty() {
        return None;
    }
    violation(3, "hostPath volumes", named("volume", &names))
}

fn host_ports(pod: &View<'_>) -> Option<Violation> {
    let used = |container: &Container<'_>| -> Vec<i32> {
        let ports = container.ports.iter().filter_map(|port| port.host_port);
        ports.filter(|port| *port != 0).collect()
    };
    let containers = pod.bad(|container| !used(container).is_empty());
    if containers.is_empty() {
        return None;
    }
    let mut ports: Vec<String> = pod
        .containers
        .iter()
        .flat_map(used)
        .map(|port| port.to_string())
        .collect();
    ports.stable_sort();
    ports.dedup();
    let reason = plural("hostPort", ports.len());
    let verb = if containers.len() == 1 { "uses" } else { "use" };
    let detail = format!(
        "{} {verb} {reason} {}",
        named("container", &containers),
        ports.join(", ")
    );
    violation(4, &reason, detail)
}

fn probe_hosts(pod: &View<'_>) -> Option<Violation> {
    let mut hosts = Vec::new();
    let mut containers = Vec::new();
    for container in &pod.containers {
        let mut used: Vec<&String> = Vec::new();
        for probe in container.probes.iter().flatten() {
            used.extend(probe.http_get.iter().filter_map(|get| get.host.as_ref()));
            used.extend(probe.tcp_socket.iter().filter_map(|socket| socket.host.as_ref()));
        }
        if let Some(lifecycle) = container.lifecycle {
            for handler in [&lifecycle.post_start, &lifecycle.pre_stop].into_iter().flatten() {
                used.extend(handler.http_get.iter().filter_map(|get| get.host.as_ref()));
                used.extend(
                    handler
                        .tcp_socket
                        .iter()
                        .filter_map(|socket| socket.host.as_ref()),
                );
            }
        }
        used.retain(|host| !host.is_empty());
        if !used.is_empty() {
            containers.push(quoted(container.name));
        }
        used.into_iter().for_each(|host| note(&mut hosts, host));
    }
    if containers.is_empty() {
        return None;
    }
    let reason = plural("probe or lifecycle host", hosts.len());
    let verb = if containers.len() == 1 { "uses" } else { "use" };
    let detail = format!(
        "{} {verb} {reason} {}",
        named("container", &containers),
        hosts.join(", ")
    );
    violation(5, &reason, detail)
}

fn privileged(pod: &View<'_>) -> Option<Violation> {
    let containers = pod.bad(|container| in_context(container, |context| context.privileged) == Some(true));
    if containers.is_empty() {
        return None;
    }
    let who = named("container", &containers);
    violation(
        6,
        "privileged",
        format!("{who} must not set securityContext.privileged=true"),
    )
}

fn proc_mount(pod: &View<'_>) -> Option<Violation> {
    let mut values = Vec::new();
    let mut containers = Vec::new();
    for container in &pod.containers {
        let mount = in_context(container, |context| context.proc_mount.clone());
        if let Some(mount) = mount.filter(|mount| mount != "Default") {
            note(&mut values, &mount);
            containers.push(quoted(container.name));
        }
    }
    if containers.is_empty() {
        return None;
    }
    let (who, what) = (named("container", &containers), values.join(", "));
    violation(
        7,
        "procMount",
        format!("{who} must not set securityContext.procMount to {what}"),
    )
}

fn se_linux(pod: &View<'_>) -> Option<Violation> {
    let mut types = Vec::new();
    let (mut user, mut role) = (false, false);
    let mut is_bad = |options: Option<&SELinuxOptions>| {
        let Some(options) = options else { return false };
        let kind = options.type_.as_deref().unwrap_or("");
        let allowed = [
            "",
            "container_t",
            "container_init_t",
            "container_kvm_t",
            "container_engine_t",
        ];
        let bad_type = !allowed.contains(&kind);
        if bad_type {
            note(&mut types, kind);
        }
        let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        user |= is_set(&options.user);
        role |= is_set(&options.role);
        bad_type || is_set(&options.user) || is_set(&options.role)
    };
    let context = pod.spec.security_context.as_ref();
    let of_pod = is_bad(context.and_then(|context| context.se_linux_options.as_ref()));
    let mut containers = Vec::new();
    for container in &pod.containers {
        if is_bad(
            container
                .context
                .and_then(|context| context.se_linux_options.as_ref()),
        ) {
            containers.push(quoted(container.name));
        }
    }
    let who = setters(of_pod, &containers)?;
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", types.len()), types.join(", ")));
    }
    if user {
        what.push("user may not be set".to_owned());
    }
    if role {
        what.push("role may not be set".to_owned());
    }
    let what = what.join("; ");
    violation(
        8,
        "seLinuxOptions",
        format!("{who} set forbidden securityContext.seLinuxOptions: {what}"),
    )
}

fn seccomp(pod: &View<'_>) -> Option<Violation> {
    let (who, values) = profiles(
        pod,
        |context| {
            context
                .seccomp_profile
                .as_ref()
                .map(|profile| profile.type_.as_str())
        },
        |context| {
            context
                .seccomp_profile
                .as_ref()
                .map(|profile| profile.type_.as_str())
        },
    )?;
    let what = values.join(", ");
    violation(
        9,
        "seccompProfile",
        format!("{who} must not set securityContext.seccompProfile.type to {what}"),
    )
}

fn sysctls(pod: &View<'_>) -> Option<Violation> {
    let context = pod.spec.security_context.as_ref()?;
    let names = context
        .sysctls
        .iter()
        .flatten()
        .map(|sysctl| sysctl.name.as_str());
    let bad: Vec<&str> = names.filter(|name| !SAFE_SYSCTLS.contains(name)).collect();
    if bad.is_empty() {
        return None;
    }
    violation(10, "forbidden sysctls", bad.join(", "))
}

fn windows_host_process(pod: &View<'_>) -> Option<Violation> {
    let context = pod.spec.security_context.as_ref();
    let windows = context.and_then(|context| context.windows_options.as_ref());
    let of_pod = windows.and_then(|windows| windows.host_process) == Some(true);
    let containers = pod.bad(|container| {
        let windows = container
            .context
            .and_then(|context| context.windows_options.as_ref());
        windows.and_then(|windows| windows.host_process) == Some(true)
    });
    let who = setters(of_pod, &containers)?;
    violation(
        11,
        "hostProcess",
        format!("{who} must not set securityContext.windowsOptions.hostProcess=true"),
    )
}
