//! A machine: a desk with a computer on it.

use super::action::{ActionId, NodeAction};
use super::address::{Cidr, Ipam};
use super::images::{self, HttpRequest, HttpResponse, Origin, program_for};
use super::ipvs::Ipvs;
use super::process::{Answered, Beside, Executed, Fetch, Surroundings};
use super::runtime::{Container, ContainerId, ImageName, Runtime, SandboxId};
use crate::api::sorted::SortedMap;
use crate::sim::{SimTime, StateHasher};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// What a machine is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    pub ephemeral_storage_bytes: u64,
    /// How many Pods its kubelet takes.
    pub max_pods: u32,
}

impl Default for Hardware {
    /// An office computer: 4 cores, 8 GiB, 100 GiB, and the kubelet's usual 110 Pods.
    fn default() -> Self {
        Hardware {
            cpu_milli: 4_000,
            memory_bytes: 8 << 30,
            ephemeral_storage_bytes: 100 << 30,
            max_pods: 110,
        }
    }
}

/// One machine and all that is on it. It knows no API server. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Machine {
    pub name: Arc<str>,
    /// Its address in the office network.
    pub ip: Ipv4Addr,
    pub hardware: Hardware,
    plugged: bool,
    powered: bool,
    pub(super) ipam: Option<Ipam>,
    pub(super) ipvs: Ipvs,
    pub(super) runtime: Runtime,
    pub(super) in_flight: SortedMap<ActionId, InFlight>,
    /// Numbers actions, sandboxes and containers.
    pub(super) counter: u64,
    /// Connections made from here.
    connections: u64,
}

/// An action that was begun and is not complete.
#[derive(Clone, Debug, PartialEq)]
pub struct InFlight {
    pub action: NodeAction,
    pub began: SimTime,
    pub done_at: SimTime,
}

/// What a connection to a port of this machine's Pods meets.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Http(HttpResponse),
    /// Something listens, and does not speak HTTP.
    NotHttp,
    /// Nothing listens there.
    Refused,
    /// No Pod here has this address.
    NobodyThere,
}

/// A command on its way in a container.
#[derive(Clone, Debug)]
pub struct Exec {
    container: ContainerId,
    beside: Beside,
}

impl Exec {
    /// What it waits for from the network, and since when.
    pub fn asks(&self) -> Option<(SimTime, &Fetch)> {
        self.beside.fetch()
    }

    pub fn answer(&mut self, took: Duration, answer: &Answered) {
        self.beside.answer(took, answer);
    }
}

impl Machine {
    /// A computer just unpacked: powered, plugged in, nothing set up.
    pub fn new(name: &str, ip: Ipv4Addr, hardware: Hardware) -> Machine {
        Machine {
            name: name.into(),
            ip,
            hardware,
            plugged: true,
            powered: true,
            ipam: None,
            ipvs: Ipvs::default(),
            runtime: Runtime::default(),
            in_flight: SortedMap::new(),
            counter: 0,
            connections: 0,
        }
    }

    /// Whether the network cable is in. Without it containers keep running, and nothing the machine
    /// sends arrives, nor anything sent to it.
    pub fn plugged(&self) -> bool {
        self.plugged
    }

    pub fn powered(&self) -> bool {
        self.powered
    }

    /// Whether others can hear from it.
    pub fn reachable(&self) -> bool {
        self.plugged && self.powered
    }

    pub fn unplug(&mut self) {
        self.plugged = false;
    }

    pub fn plug(&mut self) {
        self.plugged = true;
    }

    /// Pulls the power plug: every container dies, work in progress is lost, kernel tables are gone.
    /// What is on disk stays: images, dead containers, the network's set-up.
    pub fn power_off(&mut self, now: SimTime) {
        if !self.powered {
            return;
        }
        self.powered = false;
        self.in_flight.clear();
        self.ipvs.reset();
        let running: Vec<_> = self
            .runtime
            .containers()
            .filter(|container| container.is_running())
            .map(|c| c.id.clone())
            .collect();
        for id in running {
            self.runtime
                .with_container(&id, |container| container.exit(now, 255, "Unknown"));
        }
        let sandboxes: Vec<_> = self
            .runtime
            .sandboxes()
            .map(|sandbox| sandbox.id.clone())
            .collect();
        for id in sandboxes {
            self.stop_sandbox(&id);
        }
    }

    pub fn power_on(&mut self) {
        self.powered = true;
    }

    pub fn cni_installed(&self) -> bool {
        self.ipam.is_some()
    }

    /// The range its Pods get their addresses from, once the network is set up.
    pub fn pod_cidr(&self) -> Option<Cidr> {
        self.ipam.as_ref().map(Ipam::cidr)
    }

    /// The bridge's address in the Pod network.
    pub fn pod_gateway(&self) -> Option<Ipv4Addr> {
        self.ipam.as_ref().map(Ipam::gateway)
    }

    /// Pod addresses in use.
    pub fn pod_addresses(&self) -> usize {
        self.ipam.as_ref().map_or(0, Ipam::used)
    }

    pub fn ipvs(&self) -> &Ipvs {
        &self.ipvs
    }

    /// For packets that count connections, and for a kube-proxy that makes many changes at once.
    pub fn ipvs_mut(&mut self) -> &mut Ipvs {
        &mut self.ipvs
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Work that was begun and is not complete, oldest first.
    pub fn in_flight(&self) -> impl ExactSizeIterator<Item = (ActionId, &InFlight)> {
        self.in_flight.iter().map(|(id, work)| (*id, work))
    }

    /// Whether this very action is being done.
    pub fn is_doing(&self, action: &NodeAction) -> bool {
        self.in_flight.values().any(|work| work.action == *action)
    }

    /// The local port of the next connection made from here, from the kernel's usual range.
    pub fn next_port(&mut self) -> u16 {
        self.connections += 1;
        32_768 + (self.connections * 2 % 28_232) as u16
    }

    /// Gives a Pod address back.
    pub(super) fn stop_sandbox(&mut self, id: &SandboxId) {
        if let Some(ip) = self.runtime.stop_sandbox(id)
            && let Some(ipam) = &mut self.ipam
        {
            ipam.release(ip);
        }
    }

    /// The container of the Pod with this address that listens on this port. For the machine's own
    /// address: those of Pods with `hostNetwork`.
    pub fn listener(&self, ip: Ipv4Addr, port: u16) -> Option<&Arc<Container>> {
        let on =
            |container: &&Arc<Container>| container.is_running() && container.process.server(port).is_some();
        if ip == self.ip {
            let hosts = |container: &&Arc<Container>| {
                self.runtime
                    .sandbox(&container.sandbox)
                    .is_some_and(|sandbox| sandbox.host_network)
            };
            return self.runtime.containers().filter(hosts).find(on);
        }
        let sandbox = &self.runtime.sandbox_at(ip)?.id;
        self.runtime
            .containers()
            .filter(|container| container.sandbox == *sandbox)
            .find(on)
    }

    /// Connects to a port at an address of this machine (its Pods' or its own) and asks over HTTP.
    /// The server writes its access log at `now`.
    pub fn serve(&mut self, now: SimTime, to: Ipv4Addr, port: u16, request: &HttpRequest<'_>) -> Answer {
        if !self.powered {
            return Answer::NobodyThere;
        }
        let Some(id) = self.listener(to, port).map(|container| container.id.clone()) else {
            let here = to == self.ip || self.runtime.sandbox_at(to).is_some();
            return if here {
                Answer::Refused
            } else {
                Answer::NobodyThere
            };
        };
        let hostname = self.hostname(&id);
        let answer = self.runtime.with_container(&id, |container| {
            container.process.serve();
            let server = container.process.server(port)?;
            let started = container.started_at.unwrap_or(now);
            let site = images::Site {
                hostname: &hostname,
                started,
                process: &container.process,
            };
            let (response, line) = images::respond(server, &site, request, now)?;
            if let Some(line) = line {
                container.write(now, false, &line);
            }
            Some(response)
        });
        answer.flatten().map_or(Answer::NotHttp, Answer::Http)
    }

    /// Whether something accepts connections there (a TCP probe).
    pub fn accepts(&self, to: Ipv4Addr, port: u16) -> bool {
        self.powered && self.listener(to, port).is_some()
    }

    /// Runs a command in a running container, in its files (`crictl exec`, exec probes), without a
    /// network: what it fetches times out at once. See `network::exec`.
    /// The error is runc's.
    pub fn exec(&mut self, now: SimTime, id: &ContainerId, argv: &[String]) -> Result<Executed, String> {
        let mut exec = self.exec_begin(now, id, argv)?;
        loop {
            if let Some(executed) = self.exec_run(&mut exec) {
                return Ok(executed);
            }
            exec.answer(Duration::ZERO, &Answered::timed_out());
        }
    }

    /// Begins a command that may need the network: [`Machine::exec_run`] takes it further.
    pub fn exec_begin(&self, now: SimTime, id: &ContainerId, argv: &[String]) -> Result<Exec, String> {
        let container = self
            .runtime
            .container(id)
            .filter(|container| container.is_running());
        let Some(container) = container else {
            return Err(format!("container is not in the state running: {id}"));
        };
        let name = ImageName::parse(&container.config.image).map_err(|error| error.to_string())?;
        let origin = images::find(&name).map(|entry| Origin {
            entry,
            tag: name.tag().unwrap_or("latest"),
        });
        let program = program_for(origin, argv, &container.config.env).map_err(|missing| {
            format!(
                "OCI runtime exec failed: exec failed: unable to start container process: {}: unknown",
                missing.0
            )
        })?;
        Ok(Exec {
            container: id.clone(),
            beside: container.process.beside(program, now),
        })
    }

    /// Lets a command go on until it ends, or (`None`) asks something of the network: see
    /// [`Exec::asks`] and [`Exec::answer`].
    pub fn exec_run(&mut self, exec: &mut Exec) -> Option<Executed> {
        let hostname = self.hostname(&exec.container);
        let config = self
            .runtime
            .container(&exec.container)
            .map(|container| container.config.clone());
        let env = config.as_ref().map_or(&[][..], |config| &config.env);
        let executed = exec.beside.run(Surroundings {
            hostname: &hostname,
            env,
        })?;
        self.runtime.with_container(&exec.container, |container| {
            container.process.take_files(&exec.beside)
        });
        Some(executed)
    }

    /// What a container's process waits for from the network, and the sandbox it is in.
    pub fn waiting_for(&self, id: &ContainerId) -> Option<(&Fetch, &SandboxId)> {
        let container = self
            .runtime
            .container(id)
            .filter(|container| container.is_running())?;
        Some((container.process.fetch()?, &container.sandbox))
    }

    /// Gives a process the network's answer; it goes on at `at` (see [`Machine::next_deadline`]).
    pub fn fetched(&mut self, id: &ContainerId, at: SimTime, answer: &Answered) {
        self.runtime
            .with_container(id, |container| container.process.fetched(at, answer));
    }

    pub(super) fn hostname(&self, id: &ContainerId) -> Arc<str> {
        let sandbox = self
            .runtime
            .container(id)
            .and_then(|container| self.runtime.sandbox(&container.sandbox));
        sandbox.map_or_else(|| self.name.clone(), |sandbox| sandbox.hostname.clone())
    }

    /// CPU in thousandths of a core and memory in bytes of all its containers.
    pub fn usage(&self, now: SimTime) -> (u64, u64) {
        let usages = self.runtime.containers().map(|container| container.usage(now));
        usages.fold((0, 0), |(cpu, memory), (c, m)| (cpu + c, memory + m))
    }

    pub fn hash_state(&self, hasher: &mut StateHasher) {
        hasher.text(&self.name);
        hasher.number(u64::from(u32::from(self.ip)));
        let Hardware {
            cpu_milli,
            memory_bytes,
            ephemeral_storage_bytes,
            max_pods,
        } = self.hardware;
        for number in [
            cpu_milli,
            memory_bytes,
            ephemeral_storage_bytes,
            u64::from(max_pods),
            self.counter,
            self.connections,
        ] {
            hasher.number(number);
        }
        hasher.number(u64::from(self.plugged) + 2 * u64::from(self.powered));
        hasher.number(u64::from(self.ipam.is_some()));
        if let Some(ipam) = &self.ipam {
            ipam.hash(hasher);
        }
        self.ipvs.hash(hasher);
        self.runtime.hash(hasher);
        hasher.number(self.in_flight.len() as u64);
        for (id, work) in &self.in_flight {
            hasher.number(id.0);
            hasher.text(&work.action.to_string());
            hasher.number(work.done_at.as_micros());
        }
    }
}
