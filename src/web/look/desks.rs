//! Desks: machines, with what the API server knows of them.

use crate::api::sorted::SortedMap;
use std::rc::Rc;

use k8s_openapi::api::core::v1 as core;

use super::pods::Shelf;
use super::{keep, keep_list, keep_one, seat_of, text};
use crate::api::{Kind, Object};
use crate::cluster::Cluster;
use crate::cluster::view::{BoardRow, Desk, Gauge, Pod, Readiness, RealServer, Rows, Seat, Setup, Tone};
use crate::etcd::Key;
use crate::node::Machine;
use crate::scheduler::{milli_value, value};
use crate::seat::SeatId;

/// IPVS rows of a desk that are drawn.
const BOARD: usize = 64;

#[inline(never)]
pub fn desks(old: &Rows<Desk>, cluster: &Cluster, shelf: &Shelf, dense: bool) -> Rows<Desk> {
    let mut by_node: SortedMap<&str, Vec<&Rc<Pod>>> = SortedMap::new();
    for pod in shelf.iter() {
        if let Some(node) = &pod.node {
            by_node.entry(node).or_default().push(pod);
        }
    }
    let known: SortedMap<&str, &Rc<Desk>> = old.iter().map(|desk| (&*desk.name, desk)).collect();
    let rows = cluster.machines.values().map(|machine| {
        let pods = by_node.remove(&*machine.name).unwrap_or_default();
        let before = known.get(&*machine.name);
        let desk = desk(before.copied(), cluster, machine, &pods, dense);
        match before {
            Some(before) => keep_one(before, desk),
            None => Rc::new(desk),
        }
    });
    keep_list(old, rows.collect())
}

fn desk(
    before: Option<&Rc<Desk>>,
    cluster: &Cluster,
    machine: &Machine,
    pods: &[&Rc<Pod>],
    dense: bool,
) -> Desk {
    let node = match cluster
        .api
        .etcd
        .get(&Key::new(Kind::Node, "", &machine.name))
        .map(|value| &value.object)
    {
        Some(Object::Node(node)) => Some(node),
        _ => None,
    };
    let spec = node.and_then(|node| node.spec.as_ref());
    let (cpu_total, memory_total) = allocatable(node.map(|node| &**node));
    // What is over uses nothing.
    let live = || pods.iter().filter(|pod| pod.tone != Tone::Done);
    let cidr = spec
        .and_then(|spec| spec.pod_cidr.clone())
        .or_else(|| machine.pod_cidr().map(|cidr| cidr.to_string()));
    let seat = |component: &str, old: Option<&Rc<Seat>>| {
        let id = SeatId::at(component, &machine.name);
        let seat = cluster.seat(&id).map_or_else(
            || Seat {
                id: text(id.as_str()),
                title: text(component),
                human: false,
                duties: 0,
            },
            seat_of,
        );
        match old {
            Some(old) => keep_one(old, seat),
            None => Rc::new(seat),
        }
    };
    let empty_pods = Rows::<Pod>::default();
    let empty_board = Rows::<BoardRow>::default();
    Desk {
        name: text(&machine.name),
        setup: Setup {
            network: machine.cni_installed(),
            ipvs: machine.ipvs().loaded(),
            registered: node.is_some(),
        },
        ready: readiness(node.map(|node| &**node)),
        plugged: machine.reachable(),
        cordoned: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
        pod_cidr: text(cidr.as_deref().unwrap_or("")),
        ip: text(&machine.ip.to_string()),
        cpu: Gauge {
            used: live().map(|pod| pod.cpu_milli).sum(),
            total: cpu_total,
        },
        memory: Gauge {
            used: live().map(|pod| pod.memory_bytes).sum(),
            total: memory_total,
        },
        pods: keep_list(
            before.map_or(&empty_pods, |desk| &desk.pods),
            pods.iter()
                // A square has no room for what the machine says.
                .map(|pod| match dense {
                    true => (*pod).clone(),
                    false => with_machine(before, machine, pod),
                })
                .collect(),
        ),
        pod_count: pods.len(),
        board: if dense {
            empty_board
        } else {
            keep(before.map_or(&empty_board, |desk| &desk.board), board(machine))
        },
        kubelet: seat("kubelet", before.map(|desk| &desk.kubelet)),
        proxy: seat("kube-proxy", before.map(|desk| &desk.proxy)),
    }
}

/// Adds what the machine says to a card, if the API server does not believe the same.
#[inline(never)]
fn with_machine(before: Option<&Rc<Desk>>, machine: &Machine, pod: &Rc<Pod>) -> Rc<Pod> {
    let sandbox = machine
        .runtime()
        .sandboxes()
        .find(|sandbox| *sandbox.pod_name == *pod.name && *sandbox.namespace == *pod.namespace);
    let Some(sandbox) = sandbox else {
        return pod.clone();
    };
    let containers = machine.runtime().containers_of(&sandbox.pod_uid);
    let running = containers
        .iter()
        .filter(|container| container.is_running())
        .count();
    // One that was started again is still there as it ended, and is the same container.
    let earlier = |index: usize| {
        let name = &containers[index].config.name;
        containers[..index].iter().any(|other| other.config.name == *name)
    };
    let count = (0..containers.len()).filter(|index| !earlier(*index)).count();
    let word = match (count, running) {
        (0, _) => "sandbox ready".to_string(),
        (count, running) if running == count => "running".to_string(),
        (count, running) => format!("{running}/{count} running"),
    };
    let believed = (&*pod.status == "Running" && word == "running") || pod.tone == Tone::Bad;
    if believed {
        return pod.clone();
    }
    let changed = Pod {
        machine: word.into(),
        ..(**pod).clone()
    };
    let known = before.and_then(|desk| desk.pods.iter().find(|known| ***known == changed));
    known.cloned().unwrap_or_else(|| Rc::new(changed))
}

fn allocatable(node: Option<&core::Node>) -> (u64, u64) {
    let status = node.and_then(|node| node.status.as_ref());
    let Some(list) = status.and_then(|status| status.allocatable.as_ref().or(status.capacity.as_ref()))
    else {
        return (0, 0);
    };
    let of = |name: &str, read: fn(&str) -> i64| {
        list.get(name)
            .map_or(0, |quantity| read(&quantity.0).max(0) as u64)
    };
    (of("cpu", milli_value), of("memory", value))
}

fn readiness(node: Option<&core::Node>) -> Readiness {
    let Some(node) = node else {
        return Readiness::Unregistered;
    };
    let conditions = node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    match conditions
        .filter(|condition| condition.type_ == "Ready")
        .map(|condition| condition.status.as_str())
        .next()
    {
        Some("True") => Readiness::Ready,
        Some("False") | None => Readiness::NotReady,
        Some(_) => Readiness::Unknown,
    }
}

/// The machine's IPVS table, as `ipvsadm -Ln` sorts it.
fn board(machine: &Machine) -> impl Iterator<Item = BoardRow> + '_ {
    let rows = machine.ipvs().services().flat_map(|(key, service)| {
        let protocol = key.protocol.name();
        let address = format!("{}:{}", key.address, key.port);
        let servers = service.servers().map({
            let address = address.clone();
            move |(at, server)| BoardRow {
                key: format!("{protocol} {address} {at} {}", server.id).into(),
                protocol: text(protocol),
                address: at.to_string().into(),
                real: Some(RealServer {
                    forward: text(server.settings.forward.name()),
                    weight: u32::from(server.settings.weight),
                    active: server.active_connections(),
                    inactive: server.inactive_connections(),
                }),
                scheduler: text(""),
            }
        });
        let head = BoardRow {
            key: format!("{protocol} {address} {}", service.id).into(),
            protocol: text(protocol),
            scheduler: text(service.settings.scheduler.name()),
            address: address.into(),
            real: None,
        };
        std::iter::once(head).chain(servers)
    });
    rows.take(BOARD)
}
