//! The desks: machines that people put up, unplug and plug in again.

use super::seats::Runner;
use super::{Cluster, Happening, ProcessId};
use crate::api::Kind;
use crate::etcd::Key;
use crate::node::kube_proxy::KubeProxy;
use crate::node::kubelet::Kubelet;
use crate::node::runtime::{ContainerId, SandboxId};
use crate::node::{ActionId, Completion, Machine, NodeAction, NodeError, NodeEvent, Output};
use crate::seat::{Mode, SeatId};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::Node;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Why a desk could not be added or reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskError {
    /// There is one of that name.
    Exists(String),
    /// Not a DNS-1123 subdomain.
    BadName(String),
    /// No machine of that name.
    Unknown(String),
    /// The Pod network has room for this many.
    Full(usize),
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeskError::Exists(name) => write!(f, "machine \"{name}\" already exists"),
            DeskError::BadName(name) => write!(
                f,
                "invalid machine name \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case \
                 alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
            ),
            DeskError::Unknown(name) => write!(f, "machine \"{name}\" not found"),
            DeskError::Full(limit) => write!(f, "the office has room for {limit} machines"),
        }
    }
}

/// Pod networks 10.244.0.0/24 to 10.247.255.0/24: one /24 a machine.
pub const MAX_DESKS: usize = 1024;

/// How many ended actions are remembered for the programs that wait for them.
const RESULTS: usize = 64;

/// The office network is 192.168.0.0/21; the first addresses are the router's and the reception's.
fn desk_ip(index: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(192, 168, 0, 11)) + index)
}

/// The Pod a machine's event is about, if it is about one.
fn pod_of(machine: &Machine, event: &NodeEvent) -> Option<Key> {
    let runtime = machine.runtime();
    let of_sandbox = |id: &SandboxId| {
        let sandbox = runtime.sandbox(id)?;
        Some(Key::new(Kind::Pod, &sandbox.namespace, &sandbox.pod_name))
    };
    let of_container = |id: &ContainerId| of_sandbox(&runtime.container(id)?.sandbox);
    match event {
        NodeEvent::ContainerExited { container, .. } => of_container(container),
        NodeEvent::Done { action, .. } => match action {
            NodeAction::RunPodSandbox { pod } => Some(Key::new(
                Kind::Pod,
                pod.metadata.namespace.as_deref().unwrap_or(""),
                pod.metadata.name.as_deref().unwrap_or(""),
            )),
            NodeAction::CreateContainer { sandbox, .. } => of_sandbox(sandbox),
            NodeAction::StartContainer { container } => of_container(container),
            _ => None,
        },
        NodeEvent::Fetch { .. } | NodeEvent::ConnectionsAged => None,
    }
}

/// How long a machine of a preset may take until its Node is Ready.
const SETUP_LIMIT: Duration = Duration::from_secs(30);

impl Cluster {
    /// Puts up a machine: bare, plugged in, without network or Node. Its kubelet and kube-proxy
    /// seats appear.
    pub fn add_desk(&mut self, name: &str) -> Result<(), DeskError> {
        if !crate::api::validation::content::dns1123_subdomain(name).is_empty() {
            return Err(DeskError::BadName(name.to_owned()));
        }
        if self.machines.contains_key(name) {
            return Err(DeskError::Exists(name.to_owned()));
        }
        if self.machines.len() >= MAX_DESKS {
            return Err(DeskError::Full(MAX_DESKS));
        }
        let used: Vec<Ipv4Addr> = self.machines.values().map(|machine| machine.ip).collect();
        let ip = (0..MAX_DESKS as u32)
            .map(desk_ip)
            .find(|ip| !used.contains(ip))
            .unwrap_or(desk_ip(0));
        let id: Arc<str> = name.into();
        self.machines
            .insert(id.clone(), Machine::new(name, ip, self.setup.hardware));
        let kubelet = Kubelet::new(name, self.setup.plain_kubelets);
        self.add_process(
            ProcessId::new(&format!("kubelet@{name}")),
            Some(id.clone()),
            vec![(SeatId::at("kubelet", name), Runner::Node(Box::new(kubelet)))],
        );
        self.add_process(
            ProcessId::new(&format!("kube-proxy@{name}")),
            Some(id),
            vec![(
                SeatId::at("kube-proxy", name),
                Runner::Node(Box::new(KubeProxy::new(name))),
            )],
        );
        Ok(())
    }

    /// Puts up a machine and sets it up as its autopilot would, until its Node is Ready and takes
    /// Pods; then the seats belong to whom they belonged.
    pub fn add_ready_desk(&mut self, name: &str) -> Result<(), DeskError> {
        self.add_desk(name)?;
        let seats = [
            SeatId::at("kubelet", name),
            SeatId::at("kube-proxy", name),
            SeatId::new("node-lifecycle"),
        ];
        let modes: Vec<Mode> = seats
            .iter()
            .map(|seat| self.seat(seat).map_or(Mode::Autopilot, |seat| seat.mode))
            .collect();
        for seat in &seats {
            self.set_mode(seat, Mode::Autopilot);
        }
        let limit = self.now + SETUP_LIMIT;
        while !self.takes_pods(name) && self.step(limit) {}
        for (seat, mode) in seats.iter().zip(modes) {
            self.set_mode(seat, mode);
        }
        Ok(())
    }

    /// Whether a desk's Node is Ready, untainted, and has its Lease.
    fn takes_pods(&self, name: &str) -> bool {
        let leased = self
            .api
            .etcd
            .get(&Key::new(Kind::Lease, "kube-node-lease", name))
            .is_some();
        let node = self
            .api
            .etcd
            .get(&Key::new(Kind::Node, "", name))
            .and_then(|value| value.object.get::<Node>());
        leased
            && node.is_some_and(|node| {
                let conditions = node
                    .status
                    .iter()
                    .flat_map(|status| status.conditions.iter().flatten());
                let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
                taints.is_none_or(Vec::is_empty)
                    && conditions
                        .into_iter()
                        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
            })
    }

    /// Pulls a machine's network cable: what runs there runs on, but nobody hears of it.
    pub fn unplug(&mut self, name: &str) -> Result<(), DeskError> {
        self.machine_mut(name)?.unplug();
        for process in self
            .processes
            .values_mut()
            .filter(|process| process.node.as_deref() == Some(name))
        {
            process.connected = false;
            process.inbox.clear();
        }
        for id in ["kubelet", "kube-proxy"].map(|component| SeatId::at(component, name)) {
            if let Some(seat) = self.seats.get_mut(&id) {
                seat.doubt_duties(self.now);
            }
            self.schedule_work(&id);
        }
        Ok(())
    }

    /// Plugs it in again; its kubelet and kube-proxy list anew what they missed.
    pub fn plug(&mut self, name: &str) -> Result<(), DeskError> {
        self.machine_mut(name)?.plug();
        let processes: Vec<ProcessId> = self
            .processes
            .iter()
            .filter(|(_, process)| process.node.as_deref() == Some(name))
            .map(|(id, _)| id.clone())
            .collect();
        for id in processes {
            self.relist(&id);
            self.wake_desk_seats(name, None, 0);
        }
        Ok(())
    }

    /// Takes a machine away with everything on it. Its Node object stays until somebody deletes it.
    pub fn remove_desk(&mut self, name: &str) -> Result<(), DeskError> {
        if self.machines.remove(name).is_none() {
            return Err(DeskError::Unknown(name.to_owned()));
        }
        if let Some(deadline) = self.deadlines.remove(name) {
            self.queue.cancel(deadline);
        }
        let gone: Vec<ProcessId> = self
            .processes
            .iter()
            .filter(|(_, process)| process.node.as_deref() == Some(name))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.routes.remove(&id);
            if let Some(process) = self.processes.remove(&id) {
                for seat in process.seats {
                    if let Some(work) = self.seats.remove(&seat).and_then(|seat| seat.work) {
                        self.queue.cancel(work);
                    }
                }
            }
        }
        Ok(())
    }

    pub fn machine(&self, name: &str) -> Result<&Machine, DeskError> {
        self.machines
            .get(name)
            .ok_or_else(|| DeskError::Unknown(name.to_owned()))
    }

    fn machine_mut(&mut self, name: &str) -> Result<&mut Machine, DeskError> {
        self.machines
            .get_mut(name)
            .ok_or_else(|| DeskError::Unknown(name.to_owned()))
    }

    /// Whether what runs on a machine can talk to the API server.
    pub fn reaches_api(&self, name: &str) -> bool {
        self.machines.get(name).is_some_and(Machine::reachable)
    }

    /// A person does something on a machine itself; its seats see the change at once. Answers the
    /// number of the action begun and when it is done. The error is the tool's own.
    pub fn local(&mut self, name: &str, action: NodeAction) -> Result<Completion, NodeError> {
        let completion = self.begin_local(name, action, 0)?;
        self.wake_desk_seats(name, None, 0);
        Ok(completion)
    }

    /// Begins an action and makes sure its end happens. Kernel calls end at once.
    /// `cause` is the request that led to it.
    pub(super) fn begin_local(
        &mut self,
        name: &str,
        action: NodeAction,
        cause: u64,
    ) -> Result<Completion, NodeError> {
        let now = self.now;
        let Some(machine) = self.machines.get_mut(name) else {
            return Err(NodeError::Off);
        };
        if let NodeAction::Ipvs(change) = &action {
            if !machine.powered() {
                return Err(NodeError::Off);
            }
            machine.ipvs_mut().apply(change)?;
            self.note_rule(name, cause, &action);
            return Ok(Completion {
                id: ActionId(0),
                after: Duration::ZERO,
            });
        }
        let completion = machine.begin(now, action, &mut self.rng)?;
        let id: Arc<str> = machine.name.clone();
        let deadline = machine.next_deadline();
        self.queue
            .push(now + completion.after, Happening::Done(id, completion.id));
        self.schedule_desk(name, deadline);
        self.note_begun(name, completion.id, cause);
        Ok(completion)
    }

    /// An action on a machine comes to its end.
    #[inline(never)]
    pub(super) fn action_done(&mut self, name: &Arc<str>, id: ActionId) {
        let now = self.now;
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let events = machine.complete(now, id);
        for event in &events {
            if let NodeEvent::Done { result, .. } = event {
                let made = result.clone().map(|output| match output {
                    Output::None => String::new(),
                    Output::Image(id) => format!("Image is up to date for {id}\n"),
                    Output::Sandbox(id) => format!("{id}\n"),
                    Output::Container(id) => format!("{id}\n"),
                });
                self.results.push_back((name.clone(), id, made));
                if self.results.len() > RESULTS {
                    self.results.pop_front();
                }
            }
        }
        let cause = self.take_cause(name, id);
        self.desk_changed(name, &events, cause);
    }

    /// How an action ended that is no longer in flight: what `crictl` prints of it, or the refusal.
    pub fn result_of(&self, name: &str, id: ActionId) -> Option<Result<String, NodeError>> {
        let found = self
            .results
            .iter()
            .rev()
            .find(|(machine, own, _)| &**machine == name && *own == id);
        found.map(|(.., result)| result.clone())
    }

    /// Pulls a machine's power plug, or puts it back.
    pub fn power(&mut self, name: &str, on: bool) -> Result<(), DeskError> {
        let now = self.now;
        let machine = self.machine_mut(name)?;
        if on == machine.powered() {
            return Ok(());
        }
        if on {
            machine.power_on();
            self.plug(name)
        } else {
            machine.power_off(now);
            for process in self
                .processes
                .values_mut()
                .filter(|process| process.node.as_deref() == Some(name))
            {
                process.connected = false;
                process.inbox.clear();
            }
            Ok(())
        }
    }

    /// Something on a machine is due by itself: a container exits, connections are forgotten.
    #[inline(never)]
    pub(super) fn desk_happens(&mut self, name: &Arc<str>) {
        let now = self.now;
        self.deadlines.remove(name);
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let events = machine.tick(now);
        self.desk_changed(name, &events, 0);
    }

    /// Tells a desk's kubelet what happened below it, and which request led to that.
    fn desk_changed(&mut self, name: &Arc<str>, events: &[NodeEvent], cause: u64) {
        self.refresh_desk(name);
        for event in events {
            match event {
                NodeEvent::ConnectionsAged => continue,
                NodeEvent::Fetch { container } => {
                    self.container_fetches(name, container);
                    self.refresh_desk(name);
                    continue;
                }
                NodeEvent::Done { .. } | NodeEvent::ContainerExited { .. } => {}
            }
            let pod = self.machines.get(name).and_then(|machine| pod_of(machine, event));
            self.wake_desk_seats(name, pod.as_ref(), cause);
        }
        self.dispatch();
    }

    /// Looks when the machine has something to do by itself next.
    fn refresh_desk(&mut self, name: &str) {
        let deadline = self.machines.get(name).and_then(Machine::next_deadline);
        self.schedule_desk(name, deadline);
    }

    pub(super) fn schedule_desk(&mut self, name: &str, deadline: Option<SimTime>) {
        let Some(at) = deadline else { return };
        let at = at.max(self.now);
        match self.deadlines.get(name) {
            Some((known, _)) if *known <= at => {}
            known => {
                if let Some(later) = known.copied() {
                    self.queue.cancel(later);
                }
                self.deadlines
                    .insert(name.into(), self.queue.push(at, Happening::Desk(name.into())));
            }
        }
    }

    /// Lets the desk's seats look again: at one Pod, or at everything.
    fn wake_desk_seats(&mut self, name: &str, pod: Option<&Key>, cause: u64) {
        for component in ["kubelet", "kube-proxy"] {
            let id = SeatId::at(component, name);
            let Some(seat) = self.seats.get_mut(&id) else {
                continue;
            };
            match pod {
                Some(_) if component == "kube-proxy" => continue,
                Some(key) => seat.look_at(key.clone(), self.now, cause),
                None => {
                    if let Some(process) = self.processes.get(&seat.process) {
                        seat.look_at_everything(&process.caches, self.machines.get(name), self.now, cause);
                    }
                }
            }
            self.schedule_work(&id);
        }
    }
}
