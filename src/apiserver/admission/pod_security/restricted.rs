//! What only `restricted` asks for.
//!
//! Source: k8s.io/pod-security-admission/policy, a file per rule.

use super::baseline::note;
use super::{Check, View, Violation, named, plural, quoted, setters, violation};
use k8s_openapi::api::core::v1::Volume;

pub(super) const CHECKS: [Check; 6] = [
    Check {
        since: 8,
        run: privilege_escalation,
    },
    Check {
        since: 22,
        run: capabilities,
    },
    Check {
        since: 0,
        run: volumes,
    },
    Check {
        since: 0,
        run: non_root,
    },
    Check { since: 23, run: user },
    Check {
        since: 19,
        run: seccomp,
    },
];

fn privilege_escalation(pod: &View<'_>) -> Option<Violation> {
    if pod.is_windows() {
        return None;
    }
    let containers = pod.bad(|container| {
        container
            .context
            .and_then(|context| context.allow_privilege_escalation)
            != Some(false)
    });
    if containers.is_empty() {
        return None;
    }
    let who = named("container", &containers);
    violation(
        20,
        "allowPrivilegeEscalation != false",
        format!("{who} must set securityContext.allowPrivilegeEscalation=false"),
    )
}

fn capabilities(pod: &View<'_>) -> Option<Violation> {
    if pod.is_windows() {
        return None;
    }
    let list = |container: &super::Container<'_>, added: bool| -> Vec<String> {
        let capabilities = container
            .context
            .and_then(|context| context.capabilities.as_ref());
        let list = capabilities.and_then(|both| {
            if added {
                both.add.clone()
            } else {
                both.drop.clone()
            }
        });
        list.unwrap_or_default()
    };
    let keeping = pod.bad(|container| !list(container, false).iter().any(|name| name == "ALL"));
    let forbidden = |name: &String| name != "NET_BIND_SERVICE";
    let adding = pod.bad(|container| list(container, true).iter().any(forbidden));
    let mut added = Vec::new();
    for container in &pod.containers {
        list(container, true)
            .iter()
            .filter(|name| forbidden(name))
            .for_each(|name| note(&mut added, name));
    }
    let mut words = Vec::new();
    if !keeping.is_empty() {
        let who = named("container", &keeping);
        words.push(format!(
            "{who} must set securityContext.capabilities.drop=[\"ALL\"]"
        ));
    }
    if !adding.is_empty() {
        let (who, what) = (named("container", &adding), added.join(", "));
        words.push(format!(
            "{who} must not include {what} in securityContext.capabilities.add"
        ));
    }
    if words.is_empty() {
        return None;
    }
    violation(21, "unrestricted capabilities", words.join("; "))
}

/// The type of a volume nobody restricted may use.
fn restricted_type(volume: &Volume) -> Option<&'static str> {
    let allowed = volume.config_map.is_some()
        || volume.csi.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.ephemeral.is_some()
        || volume.image.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.projected.is_some()
        || volume.secret.is_some();
    if allowed {
        return None;
    }
    let types = [
        (volume.host_path.is_some(), "hostPath"),
        (volume.gce_persistent_disk.is_some(), "gcePersistentDisk"),
        (volume.aws_elastic_block_store.is_some(), "awsElasticBlockStore"),
        (volume.git_repo.is_some(), "gitRepo"),
        (volume.nfs.is_some(), "nfs"),
        (volume.iscsi.is_some(), "iscsi"),
        (volume.glusterfs.is_some(), "glusterfs"),
        (volume.rbd.is_some(), "rbd"),
        (volume.flex_volume.is_some(), "flexVolume"),
        (volume.cinder.is_some(), "cinder"),
        (volume.cephfs.is_some(), "cephfs"),
        (volume.flocker.is_some(), "flocker"),
        (volume.fc.is_some(), "fc"),
        (volume.azure_file.is_some(), "azureFile"),
        (volume.vsphere_volume.is_some(), "vsphereVolume"),
        (volume.quobyte.is_some(), "quobyte"),
        (volume.azure_disk.is_some(), "azureDisk"),
        (volume.portworx_volume.is_some(), "portworxVolume"),
        (volume.scale_io.is_some(), "scaleIO"),
        (volume.storageos.is_some(), "storageos"),
        (volume.photon_persistent_disk.is_some(), "photonPersistentDisk"),
    ];
    let found = types.iter().find(|(is_set, _)| *is_set);
    Some(found.map_or("unknown", |(_, name)| *name))
}

fn volumes(pod: &View<'_>) -> Option<Violation> {
    let (mut names, mut types) = (Vec::new(), Vec::new());
    for volume in pod.spec.volumes.iter().flatten() {
        if let Some(kind) = restricted_type(volume) {
            names.push(quoted(&volume.name));
            note(&mut types, kind);
        }
    }
    if names.is_empty() {
        return None;
    }
    let verb = if names.len() == 1 { "uses" } else { "use" };
    let words = plural("restricted volume type", types.len());
    let detail = format!("{} {verb} {words} {}", named("volume", &names), types.join(", "));
    violation(22, "restricted volume types", detail)
}

fn non_root(pod: &View<'_>) -> Option<Violation> {
    let of_pod = pod
        .spec
        .security_context
        .as_ref()
        .and_then(|context| context.run_as_non_root);
    let of = |container: &super::Container<'_>| container.context.and_then(|context| context.run_as_non_root);
    let explicit = pod.bad(|container| of(container) == Some(false));
    if let Some(who) = setters(of_pod == Some(false), &explicit) {
        let detail = format!("{who} must not set securityContext.runAsNonRoot=false");
        return violation(23, "runAsNonRoot != true", detail);
    }
    let implicit = pod.bad(|container| of(container).is_none());
    if of_pod == Some(true) || implicit.is_empty() {
        return None;
    }
    let who = named("container", &implicit);
    violation(
        23,
        "runAsNonRoot != true",
        format!("pod or {who} must set securityContext.runAsNonRoot=true"),
    )
}

fn user(pod: &View<'_>) -> Option<Violation> {
    let of_pod = pod
        .spec
        .security_context
        .as_ref()
        .and_then(|context| context.run_as_user);
    let containers =
        pod.bad(|container| container.context.and_then(|context| context.run_as_user) == Some(0));
    let who = setters(of_pod == Some(0), &containers)?;
    violation(24, "runAsUser=0", format!("{who} must not set runAsUser=0"))
}

fn seccomp(pod: &View<'_>) -> Option<Violation> {
    if pod.is_windows() {
        return None;
    }
    let context = pod.spec.security_context.as_ref();
    let of_pod = context.and_then(|context| context.seccomp_profile.as_ref());
    let of_pod = of_pod.map(|profile| profile.type_.as_str());
    let of = |container: &super::Container<'_>| {
        let profile = container
            .context
            .and_then(|context| context.seccomp_profile.as_ref());
        profile.map(|profile| profile.type_.clone())
    };
    let is_good = |kind: &str| matches!(kind, "RuntimeDefault" | "Localhost");
    let explicit = pod.bad(|container| of(container).is_some_and(|kind| !is_good(&kind)));
    let pod_is_bad = of_pod.is_some_and(|kind| !is_good(kind));
    if let Some(who) = setters(pod_is_bad, &explicit) {
        let mut values = Vec::new();
        of_pod
            .filter(|kind| !is_good(kind))
            .into_iter()
            .for_each(|kind| note(&mut values, kind));
        let kinds = pod.containers.iter().filter_map(of).filter(|kind| !is_good(kind));
        kinds.for_each(|kind| note(&mut values, &kind));
        let what = values.join(", ");
        return violation(
            25,
            "seccompProfile",
            format!("{who} must not set securityContext.seccompProfile.type to {what}"),
        );
    }
    let implicit = pod.bad(|container| of(container).is_none());
    if of_pod.is_some() || implicit.is_empty() {
        return None;
    }
    let who = named("container", &implicit);
    violation(
        25,
        "seccompProfile",
        format!(
            "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
        ),
    )
}
