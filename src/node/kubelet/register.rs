//! The Node object, its status and its Lease.
//!
//! Source: pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus/setters.go,
//! k8s.io/component-helpers/apimachinery/lease.

use super::{Kubelet, LEASES, note};
use crate::api::order::StableSort;
use crate::api::{Kind, Object};
use crate::apiserver::{PatchType, Request, Subresource};
use crate::client::helpers::moment;
use crate::node::address::Cidr;
use crate::node::{Machine, NodeAction};
use crate::seat::{Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{
    ContainerImage, DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec,
    NodeStatus, NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How often the Lease is renewed, and for how long it speaks, in seconds.
const RENEW: Duration = Duration::from_secs(10);
const LEASE_SECONDS: i32 = 40;
/// How often the status is sent although nothing changed.
const REPORT: Duration = Duration::from_secs(5 * 60);
/// Source: `--node-status-max-images`.
const MAX_IMAGES: usize = 50;
const VERSION: &str = "v1.36.3";

/// The range for the Pods of a machine whose Node names none: a /24 of 10.244.0.0/14, by its place
/// in the office network.
fn own_range(ip: Ipv4Addr) -> Option<Cidr> {
    let place = u32::from(ip).wrapping_sub(10) & 0x3ff;
    Cidr::new(
        Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 244, 0, 0)) + (place << 8)),
        24,
    )
}

fn quantities(machine: &Machine) -> BTreeMap<String, Quantity> {
    let hardware = &machine.hardware;
    let cpu = match hardware.cpu_milli {
        cores if cores % 1000 == 0 => (cores / 1000).to_string(),
        milli => format!("{milli}m"),
    };
    // In canonical form, as the API server gives it back: what is equal must look equal.
    let binary = |bytes: u64| {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        crate::api::Quantity::new(bytes, crate::api::quantity::Format::BinarySi).to_string()
    };
    [
        ("cpu", cpu),
        ("memory", binary(hardware.memory_bytes)),
        ("ephemeral-storage", binary(hardware.ephemeral_storage_bytes)),
        ("hugepages-1Gi", "0".to_owned()),
        ("hugepages-2Mi", "0".to_owned()),
        ("pods", hardware.max_pods.to_string()),
    ]
    .into_iter()
    .map(|(name, amount)| (name.to_owned(), Quantity(amount)))
    .collect()
}

fn conditions(machine: &Machine, known: &[NodeCondition], now: SimTime) -> Vec<NodeCondition> {
    let (ready, reason, message) = if machine.cni_installed() {
        ("True", "KubeletReady", "kubelet is posting ready status")
    } else {
        let why = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady \
                   message:Network plugin returns error: cni plugin not initialized";
        ("False", "KubeletNotReady", why)
    };
    let wanted = [
        (
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        (
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        (
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
        ("Ready", ready, reason, message),
    ];
    let mut all: Vec<NodeCondition> = known
        .iter()
        .filter(|own| !wanted.iter().any(|(of, ..)| *of == own.type_))
        .cloned()
        .collect();
    for (of, status, reason, message) in wanted {
        let before = known.iter().find(|own| own.type_ == of && own.status == status);
        let since = before.and_then(|before| before.last_transition_time.clone());
        all.push(NodeCondition {
            type_: of.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            last_heartbeat_time: Some(now.meta_time()),
            last_transition_time: Some(since.unwrap_or_else(|| now.meta_time())),
        });
    }
    all
}

fn images(machine: &Machine) -> Option<Vec<ContainerImage>> {
    let mut images: Vec<_> = machine.runtime().images().collect();
    images.stable_sort_by(|a, b| {
        b.size_bytes
            .cmp(&a.size_bytes)
            .then_with(|| a.reference.cmp(&b.reference))
    });
    let listed: Vec<ContainerImage> = images
        .into_iter()
        .take(MAX_IMAGES)
        .map(|image| ContainerImage {
            names: Some(vec![image.digest.to_string(), image.reference.to_string()]),
            size_bytes: Some(image.size_bytes as i64),
        })
        .collect();
    (!listed.is_empty()).then_some(listed)
}

fn status(machine: &Machine, known: &NodeStatus, now: SimTime) -> NodeStatus {
    let address = |of: &str, address: String| NodeAddress {
        type_: of.to_owned(),
        address,
    };
    // Ids a real machine would have, made from its name.
    let id = |what: &str| {
        let hex = crate::node::images::hex64(&[&machine.name, what]);
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..32]
        )
    };
    NodeStatus {
        capacity: Some(quantities(machine)),
        allocatable: Some(quantities(machine)),
        addresses: Some(vec![
            address("InternalIP", machine.ip.to_string()),
            address("Hostname", machine.name.to_string()),
        ]),
        conditions: Some(conditions(
            machine,
            known.conditions.as_deref().unwrap_or_default(),
            now,
        )),
        daemon_endpoints: Some(NodeDaemonEndpoints {
            kubelet_endpoint: Some(DaemonEndpoint { port: 10250 }),
        }),
        images: images(machine),
        node_info: Some(NodeSystemInfo {
            architecture: "amd64".to_owned(),
            boot_id: id("boot"),
            container_runtime_version: "containerd://2.2.1".to_owned(),
            kernel_version: "6.12.57".to_owned(),
            kube_proxy_version: String::new(),
            kubelet_version: VERSION.to_owned(),
            machine_id: id("machine").replace('-', ""),
            operating_system: "linux".to_owned(),
            os_image: "Debian GNU/Linux 13 (trixie)".to_owned(),
            system_uuid: id("system"),
            ..NodeSystemInfo::default()
        }),
        ..known.clone()
    }
}

/// The status a Node is registered with: a kubelet that has just started has not heard from its
/// container runtime yet, and says so.
fn first_status(machine: &Machine, now: SimTime) -> NodeStatus {
    let mut first = status(machine, &NodeStatus::default(), now);
    for condition in first
        .conditions
        .iter_mut()
        .flatten()
        .filter(|condition| condition.type_ == "Ready")
    {
        condition.status = "False".to_owned();
        condition.reason = Some("KubeletNotReady".to_owned());
        condition.message = Some("container runtime status check may not have completed yet".to_owned());
    }
    first
}

/// Whether two statuses differ in more than their heartbeats.
fn differs(known: &NodeStatus, wanted: &NodeStatus) -> bool {
    let bare =
        |conditions: &Option<Vec<NodeCondition>>| -> Vec<(String, String, Option<String>, Option<String>)> {
            let mut bare: Vec<_> = conditions
                .iter()
                .flatten()
                .map(|c| {
                    (
                        c.type_.clone(),
                        c.status.clone(),
                        c.reason.clone(),
                        c.message.clone(),
                    )
                })
                .collect();
            bare.stable_sort();
            bare
        };
    let rest = |status: &NodeStatus| {
        (
            status.addresses.clone(),
            status.images.clone(),
            status.capacity.clone(),
        )
    };
    bare(&known.conditions) != bare(&wanted.conditions)
        || rest(known) != rest(wanted)
        || known.allocatable.is_none()
        || known.node_info.as_ref().map(|info| &info.kubelet_version)
            != wanted.node_info.as_ref().map(|info| &info.kubelet_version)
}

/// The fields of the status that are not as they were. A patch, so that a Node someone else has
/// written since is no reason to refuse it.
///
/// Source: k8s.io/component-helpers/node/util/status.go (`PatchNodeStatus`).
fn status_patch(node: &Node, wanted: NodeStatus) -> Request {
    let mut updated = node.clone();
    updated.status = Some(wanted);
    let known = Object::from(node.clone()).to_value();
    let mut updated = Object::from(updated).to_value();
    let mut status = updated["status"].take();
    if let Some(fields) = status.as_object_mut() {
        fields.retain(|name, value| known["status"].get(name) != Some(value));
    }
    let name = node.metadata.name.as_deref().unwrap_or("");
    let patch = json!({"status": status});
    Request {
        subresource: Subresource::Status,
        ..Request::patch(Kind::Node, "", name, PatchType::Strategic, patch)
    }
}

impl Kubelet {
    /// The Node as it is registered. A plain kubelet has no volumes to attach, and says how the machine is
    /// afterwards, as simulated ones do.
    fn new_node(&self, machine: &Machine, now: SimTime) -> Node {
        let labels = [
            ("beta.kubernetes.io/arch", "amd64"),
            ("beta.kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/hostname", &*self.node),
            ("kubernetes.io/os", "linux"),
        ];
        let range = machine.pod_cidr().map(|range| range.to_string());
        Node {
            metadata: ObjectMeta {
                name: Some(self.node.to_string()),
                labels: Some(
                    labels
                        .map(|(key, value)| (key.to_owned(), value.to_owned()))
                        .into(),
                ),
                annotations: (!self.plain).then(|| {
                    BTreeMap::from([(
                        "volumes.kubernetes.io/controller-managed-attach-detach".to_owned(),
                        "true".to_owned(),
                    )])
                }),
                ..ObjectMeta::default()
            },
            spec: Some(NodeSpec {
                pod_cidr: range.clone(),
                pod_cidrs: range.map(|range| vec![range]),
                ..NodeSpec::default()
            }),
            status: (!self.plain).then(|| first_status(machine, now)),
        }
    }

    /// Sets up the Pod network, registers the Node and keeps its status true.
    #[inline(never)]
    pub(super) fn node_plan(&self, observed: &Observed<'_, Machine>) -> Plan<NodeAction> {
        let mut plan = Plan::default();
        let (machine, now, key) = (observed.host, observed.now, self.node_key());
        let node = observed.caches.by_key::<Node>(&key);
        let given = node.and_then(|node| node.spec.as_ref()?.pod_cidr.as_deref()?.parse().ok());
        if !machine.cni_installed() {
            let installing = machine
                .in_flight()
                .any(|(_, work)| matches!(work.action, NodeAction::InstallCni { .. }));
            if !installing && let Some(pod_cidr) = given.or_else(|| own_range(machine.ip)) {
                let action = NodeAction::InstallCni { pod_cidr };
                plan.duties
                    .push(Duty::local(Why::new("kubelet.cni", &[&self.node]), action));
            }
            if node.is_none() {
                return plan;
            }
        }
        let Some(node) = node else {
            let why = Why::new("kubelet.register", &[&self.node]);
            let duty = Duty::api(why, Request::create(self.new_node(machine, now)));
            let starting = note(&key, false, "Starting", "Starting kubelet.".to_owned());
            plan.duties
                .push(if self.plain { duty } else { duty.note(starting) });
            return plan;
        };
        let known = node.status.clone().unwrap_or_default();
        let wanted = status(machine, &known, now);
        let ready = known
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "Ready");
        let heard = ready.and_then(|condition| moment(&condition.last_heartbeat_time));
        let due = heard.map_or(now, |heard| heard + REPORT);
        if !differs(&known, &wanted) && now < due {
            plan.again_after(due.since(now));
            return plan;
        }
        let was_ready = ready.is_some_and(|condition| condition.status == "True");
        let is_ready = machine.cni_installed();
        let mut duty = Duty::api(
            Why::new("kubelet.node_status", &[&self.node]),
            status_patch(node, wanted),
        );
        if was_ready != is_ready && !self.plain {
            let reason = if is_ready { "NodeReady" } else { "NodeNotReady" };
            duty = duty.note(note(
                &key,
                false,
                reason,
                format!("Node {} status is now: {reason}", self.node),
            ));
        }
        plan.duties.push(duty);
        plan.again_after(REPORT);
        plan
    }

    /// Renews the Lease.
    #[inline(never)]
    pub(super) fn lease_plan(&self, observed: &Observed<'_, Machine>) -> Plan<NodeAction> {
        let mut plan = Plan::default();
        let now = observed.now;
        let Some(node) = observed.caches.get::<Node>("", &self.node) else {
            return plan;
        };
        let why = Why::new("kubelet.heartbeat", &[&self.node]);
        match observed.caches.get::<Lease>(LEASES, &self.node) {
            None => {
                let lease = Lease {
                    metadata: ObjectMeta {
                        name: Some(self.node.to_string()),
                        namespace: Some(LEASES.to_owned()),
                        owner_references: Some(vec![OwnerReference {
                            api_version: Kind::Node.info().api_version(),
                            kind: "Node".to_owned(),
                            name: self.node.to_string(),
                            uid: node.metadata.uid.clone().unwrap_or_default(),
                            ..OwnerReference::default()
                        }]),
                        ..ObjectMeta::default()
                    },
                    spec: Some(LeaseSpec {
                        holder_identity: Some(self.node.to_string()),
                        lease_duration_seconds: Some(LEASE_SECONDS),
                        renew_time: Some(now.micro_time()),
                        ..LeaseSpec::default()
                    }),
                };
                plan.duties.push(Duty::api(why, Request::create(lease)));
            }
            Some(lease) => {
                let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref());
                let due = renewed.map_or(now, |time| SimTime::from_timestamp(time.0) + RENEW);
                if now < due {
                    plan.again_after(due.since(now));
                    return plan;
                }
                let mut renewed = (**lease).clone();
                let spec = renewed.spec.get_or_insert_default();
                spec.renew_time = Some(now.micro_time());
                spec.holder_identity = Some(self.node.to_string());
                spec.lease_duration_seconds = Some(LEASE_SECONDS);
                plan.duties.push(Duty::api(why, Request::update(renewed)));
            }
        }
        plan.again_after(RENEW);
        plan
    }
}
