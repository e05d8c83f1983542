//! `describe node`, with the sums of what its Pods request.

use super::super::super::print::times::{age, rfc1123};
use super::super::failure::Result;
use super::super::kube::{Kube, list, map, text, with_query};
use super::super::resource::{known, list_pages};
use super::{Lines, conditions, or};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::api::quantity::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn describe(kube: &mut Kube, node: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let name = text(node, "/metadata/name").to_owned();
    let (spec, status) = (&node["spec"], &node["status"]);
    out.line(0, format!("Name:\t{name}"));
    let mut roles: Vec<&str> = map(node, "/metadata/labels")
        .into_iter()
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) if !role.is_empty() => Some(role),
                _ if key == "kubernetes.io/role" && !value.is_empty() => Some(value),
                _ => None,
            },
        )
        .collect();
    roles.stable_sort();
    roles.dedup();
    out.line(0, format!("Roles:\t{}", or(&roles.join(","), "<none>")));
    out.labels("Labels", &map(node, "/metadata/labels"));
    out.annotations("Annotations", node);
    out.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            rfc1123(&node["metadata"]["creationTimestamp"])
        ),
    );
    taints(out, list(spec, "/taints"));
    out.line(0, format!("Unschedulable:\t{}", spec["unschedulable"] == true));
    match kube.get(&known(Kind::Lease).path("kube-node-lease", &name)) {
        Err(failure) => out.line(
            0,
            format!("Lease:\tFailed to get lease: {}", super::inline_failure(&failure)),
        ),
        Ok(lease) => {
            out.line(0, "Lease:");
            let time = |field: &str| {
                if lease["spec"][field].is_string() {
                    rfc1123(&lease["spec"][field])
                } else {
                    "<unset>".to_owned()
                }
            };
            out.line(
                1,
                format!(
                    "HolderIdentity:\t{}",
                    or(text(&lease, "/spec/holderIdentity"), "<unset>")
                ),
            );
            out.line(1, format!("AcquireTime:\t{}", time("acquireTime")));
            out.line(1, format!("RenewTime:\t{}", time("renewTime")));
        }
    }
    conditions(out, status, "LastHeartbeatTime");
    out.line(0, "Addresses:");
    list(status, "/addresses")
        .iter()
        .for_each(|a| out.line(1, format!("{}:\t{}", text(a, "/type"), text(a, "/address"))));
    for (title, field) in [("Capacity", "/capacity"), ("Allocatable", "/allocatable")] {
        let amounts = map(status, field);
        if !amounts.is_empty() {
            out.line(0, format!("{title}:"));
            amounts
                .iter()
                .for_each(|(name, amount)| out.line(1, format!("{name}:\t{amount}")));
        }
    }
    out.line(0, "System Info:");
    for (label, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        out.line(
            1,
            format!("{label}:\t{}", status["nodeInfo"][field].as_str().unwrap_or("")),
        );
    }
    if !text(spec, "/podCIDR").is_empty() {
        out.line(0, format!("PodCIDR:\t{}", text(spec, "/podCIDR")));
    }
    let ranges: Vec<&str> = list(spec, "/podCIDRs").iter().filter_map(Value::as_str).collect();
    if !ranges.is_empty() {
        out.line(0, format!("PodCIDRs:\t{}", ranges.join(",")));
    }
    if !text(spec, "/providerID").is_empty() {
        out.line(0, format!("ProviderID:\t{}", text(spec, "/providerID")));
    }
    let fields = format!("spec.nodeName={name},status.phase!=Failed,status.phase!=Succeeded");
    let pods = list_pages(
        kube,
        &with_query("/api/v1/pods", &[("fieldSelector", &fields), ("limit", "500")]),
    )?;
    resources(kube, out, node, &pods);
    out.events(kube, events);
    Ok(())
}

fn taints(out: &mut Lines, all: &[Value]) {
    if all.is_empty() {
        return out.line(0, "Taints:\t<none>");
    }
    let mut shown: Vec<String> = all
        .iter()
        .map(|t| match text(t, "/value") {
            "" => format!("{}:{}", text(t, "/key"), text(t, "/effect")),
            value => format!("{}={value}:{}", text(t, "/key"), text(t, "/effect")),
        })
        .collect();
    shown.stable_sort();
    for (i, taint) in shown.iter().enumerate() {
        out.line(0, format!("{}\t{taint}", if i == 0 { "Taints:" } else { "" }));
    }
}

/// Amounts by resource name.
type Amounts = BTreeMap<String, Quantity>;

fn amounts(value: &Value, field: &str) -> Amounts {
    map(value, field)
        .into_iter()
        .filter_map(|(k, v)| Some((k.to_owned(), Quantity::parse(v).ok()?)))
        .collect()
}

fn sum(a: Quantity, b: Quantity) -> Quantity {
    if a.is_zero() {
        return b;
    }
    let total = i128::from(a.milli_value()) + i128::from(b.milli_value());
    let milli = i64::try_from(total).unwrap_or(i64::MAX);
    if milli % 1000 == 0 {
        Quantity::new(milli / 1000, a.format())
    } else {
        Quantity::from_milli(milli)
    }
}

fn most(a: &mut Amounts, b: Amounts) {
    for (name, amount) in b {
        let held = a.entry(name).or_insert(Quantity::ZERO);
        if amount.milli_value() > held.milli_value() {
            *held = amount;
        }
    }
}

/// What a Pod requests or is limited to: the sum of its containers, at least what an init
/// container needs, sidecars counted with both.
fn of_pod(pod: &Value, field: &str) -> Amounts {
    let add = |into: &mut Amounts, from: Amounts| {
        for (name, amount) in from {
            let held = into.entry(name).or_insert(Quantity::ZERO);
            *held = sum(*held, amount);
        }
    };
    let pointer = format!("/resources/{field}");
    let mut total = Amounts::new();
    list(pod, "/spec/containers")
        .iter()
        .for_each(|c| add(&mut total, amounts(c, &pointer)));
    let (mut sidecars, mut peak) = (Amounts::new(), Amounts::new());
    for container in list(pod, "/spec/initContainers") {
        if container["restartPolicy"] == "Always" {
            add(&mut total, amounts(container, &pointer));
            add(&mut sidecars, amounts(container, &pointer));
            most(&mut peak, sidecars.clone());
        } else {
            let mut with = sidecars.clone();
            add(&mut with, amounts(container, &pointer));
            most(&mut peak, with);
        }
    }
    most(&mut total, peak);
    add(&mut total, amounts(pod, "/spec/overhead"));
    total
}

fn resources(kube: &Kube, out: &mut Lines, node: &Value, pods: &[Value]) {
    out.line(0, format!("Non-terminated Pods:\t({} in total)", pods.len()));
    out.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    out.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    let field = if map(&node["status"], "/allocatable").is_empty() {
        "/status/capacity"
    } else {
        "/status/allocatable"
    };
    let room = amounts(node, field);
    let get = |amounts: &Amounts, name: &str| amounts.get(name).copied().unwrap_or(Quantity::ZERO);
    let share = |used: Quantity, name: &str| {
        let all = get(&room, name).milli_value();
        if all == 0 {
            0
        } else {
            (i128::from(used.milli_value()) * 100 / i128::from(all)) as i64
        }
    };
    let cell = |amounts: &Amounts, name: &str| {
        let used = get(amounts, name);
        format!("{used} ({}%)", share(used, name))
    };
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let (request, limit) = (of_pod(pod, "requests"), of_pod(pod, "limits"));
        out.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                text(pod, "/metadata/namespace"),
                text(pod, "/metadata/name"),
                cell(&request, "cpu"),
                cell(&limit, "cpu"),
                cell(&request, "memory"),
                cell(&limit, "memory"),
                age(&pod["metadata"]["creationTimestamp"], kube.now())
            ),
        );
        for (total, part) in [(&mut requests, request), (&mut limits, limit)] {
            for (name, amount) in part {
                let held = total.entry(name).or_insert(Quantity::ZERO);
                *held = sum(*held, amount);
            }
        }
    }
    out.line(0, "Allocated resources:");
    out.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    out.line(1, "Resource\tRequests\tLimits");
    out.line(1, "--------\t--------\t------");
    for name in ["cpu", "memory", "ephemeral-storage"] {
        out.line(
            1,
            format!("{name}\t{}\t{}", cell(&requests, name), cell(&limits, name)),
        );
    }
    for name in room.keys() {
        let standard = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage" | "pods");
        if name.starts_with("hugepages-") {
            out.line(
                1,
                format!("{name}\t{}\t{}", cell(&requests, name), cell(&limits, name)),
            );
        } else if !standard && name.contains('/') {
            out.line(
                1,
                format!("{name}\t{}\t{}", get(&requests, name), get(&limits, name)),
            );
        }
    }
}
