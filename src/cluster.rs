//! The whole machine: API server, seats, desks and network under one virtual clock.
//!
//! A discrete-event simulation. Nothing happens between events; the same seed and the same
//! commands at the same virtual times give the same state, whatever the step size.

mod desks;
mod dispatch;
mod faults;
mod process;
mod recorder;
mod rules;
mod seats;
pub mod traffic;
pub mod view;
mod work;

use crate::api::sorted::SortedMap;
pub use desks::{DeskError, MAX_DESKS};
pub use faults::Fault;
pub use process::{Process, ProcessId};
pub use rules::RuleChange;
pub use seats::{Preset, SeatState};
pub use traffic::{Client, Flight, KubeletAnswer, Traffic};

use crate::apiserver::{Answer, ApiServer, Config, Identity, Request};
use crate::node::{ActionId, Hardware, Machine, NodeError};
use crate::seat::SeatId;
use crate::sim::{EventQueue, Rng, SimTime, StateHasher};
use recorder::Recorder;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What can happen next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Watch events reach a process.
    Deliver(ProcessId),
    /// A process opens the watches it lost.
    Reconnect(ProcessId),
    /// A seat looks at its next key.
    Work(SeatId),
    /// An action on a desk comes to its end.
    Done(Arc<str>, ActionId),
    /// Something on a desk is due by itself.
    Desk(Arc<str>),
    /// A client sends its next request.
    Ask(u64),
    /// Leases in etcd end.
    Expire,
}

/// How a cluster starts.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub preset: Preset,
    /// Names of the desks that are there and set up from the beginning.
    pub desks: Vec<String>,
    /// What each desk's machine is made of.
    pub hardware: Hardware,
    /// Whether kubelets report Running and Ready in one update, without the work in between.
    pub plain_kubelets: bool,
    pub service_account_admission: bool,
    /// The port at which the API server says it is.
    pub api_port: u16,
    /// The machine the control plane runs on; the scheduler signs its Events with it.
    pub host: Arc<str>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            seed: 1,
            preset: Preset::CompanyX,
            desks: Vec::new(),
            hardware: Hardware::default(),
            plain_kubelets: false,
            service_account_admission: false,
            api_port: 6443,
            host: "company-x".into(),
        }
    }
}

/// The machine.
#[derive(Clone)]
pub struct Cluster {
    pub setup: Setup,
    pub api: ApiServer,
    now: SimTime,
    queue: EventQueue<Happening>,
    processes: SortedMap<ProcessId, Process>,
    seats: SortedMap<SeatId, SeatState>,
    routes: dispatch::Routes,
    /// Watch events up to this revision have been handed to the processes.
    dispatched: u64,
    pub machines: SortedMap<Arc<str>, Machine>,
    traffic: Traffic,
    rules: rules::Rules,
    /// How actions that a person began on a machine ended; the last few.
    results: VecDeque<(Arc<str>, ActionId, Result<String, NodeError>)>,
    /// The `Desk` that is in the event queue, by machine.
    deadlines: SortedMap<Arc<str>, crate::sim::EventId>,
    recorder: Recorder,
    rng: Rng,
    /// Counts what happened; a cheap sign for the page that something changed.
    pub happenings: u64,
    expiry: Option<SimTime>,
}

/// The person at the console.
pub fn admin() -> Identity {
    Identity::component(
        "kubernetes-admin",
        &["kubeadm:cluster-admins", "system:masters", "system:authenticated"],
        "kubectl",
    )
}

impl Cluster {
    pub fn new(setup: Setup) -> Cluster {
        let config = Config {
            seed: setup.seed,
            service_account_admission: setup.service_account_admission,
            secure_port: setup.api_port,
            ..Config::default()
        };
        let mut cluster = Cluster {
            api: ApiServer::new(config),
            now: SimTime::ZERO,
            queue: EventQueue::default(),
            processes: SortedMap::new(),
            seats: SortedMap::new(),
            routes: dispatch::Routes::default(),
            dispatched: 0,
            machines: SortedMap::new(),
            traffic: Traffic::default(),
            rules: rules::Rules::default(),
            results: VecDeque::new(),
            deadlines: SortedMap::new(),
            recorder: Recorder::new(setup.seed),
            rng: Rng::stream(setup.seed, "machines"),
            happenings: 0,
            expiry: None,
            setup,
        };
        cluster.seat_control_plane();
        for name in cluster.setup.desks.clone() {
            // Names of a preset are valid and differ.
            let _ = cluster.add_ready_desk(&name);
        }
        cluster
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Serves a request from outside and passes on what it changed.
    pub fn call(&mut self, identity: &Identity, request: Request) -> Answer {
        let answer = self.api.call(self.now, identity, 0, request);
        self.dispatch();
        answer
    }

    /// When something happens next.
    pub fn next_at(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    /// Lets one thing happen, if something is due by `limit`.
    pub fn step(&mut self, limit: SimTime) -> bool {
        if self.queue.next_at().is_none_or(|at| at > limit) {
            return false;
        }
        let Some((at, happening)) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(at);
        self.happenings += 1;
        match happening {
            Happening::Deliver(process) => self.deliver(&process),
            Happening::Reconnect(process) => self.reconnect(&process),
            Happening::Work(seat) => self.work(&seat),
            Happening::Done(name, action) => self.action_done(&name, action),
            Happening::Desk(name) => self.desk_happens(&name),
            Happening::Ask(client) => self.client_asks(client),
            Happening::Expire => {
                self.expiry = None;
                self.api.expire(self.now);
                self.dispatch();
            }
        }
        true
    }

    /// Runs up to a moment, which becomes the present.
    pub fn run_until(&mut self, moment: SimTime) {
        while self.step(moment) {}
        self.settle_at(moment);
    }

    /// Lets time pass without anything happening; `moment` must not skip a due event.
    pub fn settle_at(&mut self, moment: SimTime) {
        if self.queue.next_at().is_none_or(|at| at > moment) {
            self.now = self.now.max(moment);
        }
    }

    pub fn advance(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Everything the machine knows, as one number: equal hashes, equal futures.
    pub fn hash(&self) -> String {
        let mut hasher = StateHasher::new();
        hasher.number(self.now.as_micros());
        self.api.hash(&mut hasher);
        for (name, machine) in &self.machines {
            hasher.text(name);
            machine.hash_state(&mut hasher);
        }
        for (id, process) in &self.processes {
            hasher.text(&id.0);
            process.hash(&mut hasher);
        }
        for (id, seat) in &self.seats {
            hasher.text(id.as_str());
            seat.hash(&mut hasher);
        }
        self.traffic.hash(&mut hasher);
        hasher.number(self.rng.state());
        hasher.number(self.recorder.state());
        hasher.number(self.queue.len() as u64);
        for (at, happening) in self.queue.iter() {
            hasher.number(at.as_micros());
            hasher.text(&format!("{happening:?}"));
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests;
