//! The seats and who sits in them.

use super::work::Round;
use super::{Cluster, Process, ProcessId};
use crate::api::Object;
use crate::api::sorted::SortedMap;
use crate::apiserver::Identity;
use crate::client::{Caches, Change, WorkQueue};
use crate::etcd::Key;
use crate::node::{Machine, NodeAction};
use crate::scheduler::{Scheduler, Verdict};
use crate::seat::{Component, Duty, Fact, Mode, Note, Observed, Plan, Refusal, SeatId};
use crate::sim::{SimTime, StateHasher};
use std::sync::Arc;

/// Who sits where at the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Every seat of the story is held by a person. Housekeeping that the story does not tell of
    /// (default accounts, garbage collection, …) runs by itself until somebody takes it.
    CompanyX,
    /// Nobody is needed.
    Autopilot,
    /// One component is held by a person, on every node if it is a node's.
    Only(String),
}

/// The components of the story.
const STORY: [&str; 8] = [
    "scheduler",
    "replicaset",
    "deployment",
    "endpoints",
    "endpointslice",
    "node-lifecycle",
    "kubelet",
    "kube-proxy",
];

impl Preset {
    /// `company-x`, `autopilot`, or a component's name.
    pub fn parse(name: &str) -> Preset {
        match name {
            "company-x" => Preset::CompanyX,
            "autopilot" => Preset::Autopilot,
            component => Preset::Only(component.to_owned()),
        }
    }

    /// What [`Preset::parse`] reads.
    pub fn name(&self) -> &str {
        match self {
            Preset::CompanyX => "company-x",
            Preset::Autopilot => "autopilot",
            Preset::Only(component) => component,
        }
    }

    pub fn mode(&self, seat: &SeatId) -> Mode {
        let human = match self {
            Preset::CompanyX => STORY.contains(&seat.component()),
            Preset::Autopilot => false,
            Preset::Only(component) => seat.component() == component || seat.as_str() == component,
        };
        if human { Mode::Human } else { Mode::Autopilot }
    }
}

/// A component with or without a machine below it.
#[derive(Clone)]
pub(super) enum Runner {
    Control(Box<dyn Component>),
    Node(Box<dyn Component<Machine, NodeAction>>),
}

/// One seat: its component, who sits in it, what waits.
#[derive(Clone)]
pub struct SeatState {
    pub id: SeatId,
    pub mode: Mode,
    pub process: ProcessId,
    pub(super) runner: Runner,
    pub(super) queue: WorkQueue,
    /// What a person in this seat has to do, by key.
    duties: SortedMap<Key, Vec<Duty<NodeAction>>>,
    last_look: SortedMap<Key, SimTime>,
    /// What held when the autopilot last looked, by key.
    facts: SortedMap<Key, Vec<Fact>>,
    /// What the autopilot has begun.
    pub(super) round: Option<Round>,
    /// The `Work` that is in the event queue.
    pub(super) work: Option<crate::sim::EventId>,
    /// Grows whenever the duties change; the page compares it.
    pub duties_version: u64,
}

impl SeatState {
    pub(super) fn new(id: SeatId, mode: Mode, process: ProcessId, runner: Runner) -> SeatState {
        SeatState {
            id,
            mode,
            process,
            runner,
            queue: WorkQueue::default(),
            duties: SortedMap::new(),
            last_look: SortedMap::new(),
            facts: SortedMap::new(),
            round: None,
            work: None,
            duties_version: 0,
        }
    }

    /// The duties of a person in this seat, in a stable order. Empty on autopilot.
    pub fn duties(&self) -> impl Iterator<Item = (&Key, &Duty<NodeAction>)> {
        self.duties
            .iter()
            .flat_map(|(key, duties)| duties.iter().map(move |duty| (key, duty)))
    }

    pub fn duty_count(&self) -> usize {
        self.duties.values().map(Vec::len).sum()
    }

    pub(super) fn observe(&mut self, caches: &Caches, change: &Change, now: SimTime) {
        let mut dirty = Vec::new();
        match &mut self.runner {
            Runner::Control(component) => component.observe(caches, change, &mut dirty),
            Runner::Node(component) => component.observe(caches, change, &mut dirty),
        }
        for key in dirty {
            self.look_at(key, now, change.request);
        }
    }

    /// Queues a key, not sooner than the component's pace allows.
    pub(super) fn look_at(&mut self, key: Key, now: SimTime, cause: u64) {
        let interval = match &self.runner {
            Runner::Control(component) => component.min_interval(),
            Runner::Node(component) => component.min_interval(),
        };
        // A person's list is to be right at once; only the autopilot works in batches.
        let due = match self.last_look.get(&key) {
            Some(last) if self.mode == Mode::Autopilot => now.max(*last + interval),
            _ => now,
        };
        if interval.is_zero() || self.mode == Mode::Human {
            self.queue.add(key, now, cause);
        } else {
            self.queue.add(key, due, cause);
        }
    }

    pub(super) fn note_look(&mut self, key: &Key, now: SimTime) {
        let paced = match &self.runner {
            Runner::Control(component) => !component.min_interval().is_zero(),
            Runner::Node(component) => !component.min_interval().is_zero(),
        };
        if paced {
            self.last_look.insert(key.clone(), now);
        }
    }

    pub(super) fn look_at_everything(
        &mut self,
        caches: &Caches,
        machine: Option<&Machine>,
        now: SimTime,
        cause: u64,
    ) {
        let mut keys = match &self.runner {
            Runner::Control(component) => component.all_keys(caches),
            Runner::Node(component) => component.all_keys(caches),
        };
        if let (Runner::Node(component), Some(machine)) = (&self.runner, machine) {
            keys.extend(component.keys_of_host(machine));
        }
        for key in keys {
            self.queue.add(key, now, cause);
        }
        self.doubt_duties(now);
    }

    pub fn identity(&self) -> Identity {
        match &self.runner {
            Runner::Control(component) => component.identity(),
            Runner::Node(component) => component.identity(),
        }
    }

    pub(super) fn answered(&mut self, key: &Key, now: SimTime, refusal: Option<&Refusal>) {
        match &mut self.runner {
            Runner::Control(component) => component.answered(key, now, refusal),
            Runner::Node(component) => component.answered(key, now, refusal),
        }
    }

    /// The Events of what holds now and did not at the last look.
    pub(super) fn new_facts(&mut self, key: &Key, facts: Vec<Fact>) -> Vec<Note> {
        let known = self.facts.get(key).map_or(&[][..], Vec::as_slice);
        let new = facts.iter().filter(|fact| !known.contains(fact));
        let new = new.map(|fact| fact.note.clone()).collect();
        if facts.is_empty() {
            self.facts.remove(key);
        } else {
            self.facts.insert(key.clone(), facts);
        }
        new
    }

    /// The component's answer for one key; a node's seat needs its machine.
    pub(super) fn reconcile(
        &self,
        caches: &Caches,
        machine: Option<&Machine>,
        now: SimTime,
        key: &Key,
    ) -> Plan<NodeAction> {
        match (&self.runner, machine) {
            (Runner::Control(component), _) => component
                .reconcile(
                    &Observed {
                        caches,
                        host: &(),
                        now,
                    },
                    key,
                )
                .widen(),
            (Runner::Node(component), Some(host)) => {
                component.reconcile(&Observed { caches, host, now }, key)
            }
            (Runner::Node(_), None) => Plan::default(),
        }
    }

    /// Replaces what a person has to do about one key.
    pub(super) fn set_duties(&mut self, key: Key, duties: Vec<Duty<NodeAction>>) {
        let changed = match self.duties.get(&key) {
            Some(known) => *known != duties,
            None => !duties.is_empty(),
        };
        if !changed {
            return;
        }
        self.duties_version += 1;
        if duties.is_empty() {
            self.duties.remove(&key);
        } else {
            self.duties.insert(key, duties);
        }
    }

    /// A person's list must not show what is already done. Components mark only what may need
    /// work, so after any change everything on the list is looked at once more.
    pub(super) fn doubt_duties(&mut self, now: SimTime) {
        for key in self.duties.keys() {
            self.queue.add(key.clone(), now, 0);
        }
    }

    pub(super) fn clear_duties(&mut self) {
        if !self.duties.is_empty() {
            self.duties.clear();
            self.duties_version += 1;
        }
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(u64::from(self.mode == Mode::Human));
        match &self.runner {
            Runner::Control(component) => component.hash(hasher),
            Runner::Node(component) => component.hash(hasher),
        }
        self.queue.hash(hasher);
        if let Some(round) = &self.round {
            round.hash(hasher);
        }
        hasher.number(self.duty_count() as u64);
        for (_, duty) in self.duties() {
            hasher.text(duty.why.sentence);
            duty.why.args.iter().for_each(|arg| hasher.text(arg));
        }
        for (key, at) in &self.last_look {
            hasher.text(&key.to_string());
            hasher.number(at.as_micros());
        }
        for (key, facts) in &self.facts {
            hasher.text(&key.to_string());
            for fact in facts {
                hasher.text(&fact.note.message);
                hasher.number(fact.at.map_or(0, |at| at.as_micros() + 1));
            }
        }
    }
}

impl Cluster {
    pub fn seats(&self) -> impl Iterator<Item = &SeatState> {
        self.seats.values()
    }

    pub fn seat(&self, id: &SeatId) -> Option<&SeatState> {
        self.seats.get(id)
    }

    /// What the scheduler would say about a Pod on every node, whoever sits in its seat.
    pub fn verdict(&self, pod: &Arc<k8s_openapi::api::core::v1::Pod>) -> Option<Verdict> {
        let process = self.processes.get(&ProcessId::new("kube-scheduler"))?;
        let mut scheduler = Scheduler::default();
        let mut ignored = Vec::new();
        for (key, object) in process.caches.all() {
            let change = Change {
                key: key.clone(),
                old: None,
                new: Some(object.clone()),
                request: 0,
            };
            scheduler.observe(&process.caches, &change, &mut ignored);
        }
        Some(crate::scheduler::verdict(scheduler.state(), &process.caches, pod))
    }

    pub fn process(&self, id: &ProcessId) -> Option<&Process> {
        self.processes.get(id)
    }

    /// Puts a person or the autopilot into a seat; false if there is no such seat.
    pub fn set_mode(&mut self, id: &SeatId, mode: Mode) -> bool {
        let Some(seat) = self.seats.get_mut(id) else {
            return false;
        };
        if seat.mode == mode {
            return true;
        }
        seat.mode = mode;
        seat.clear_duties();
        if let Some(round) = seat.round.take() {
            round.leave(&mut seat.queue, self.now, self.api.etcd.revision());
        }
        if let Some(process) = self.processes.get(&seat.process) {
            let machine = process.node.as_ref().and_then(|node| self.machines.get(node));
            seat.look_at_everything(&process.caches, machine, self.now, 0);
        }
        self.schedule_work(id);
        true
    }

    /// The seats that watch an object: those that are told when it is written.
    pub fn watchers(&self, object: &Object) -> impl Iterator<Item = &SeatId> {
        self.seats.values().filter_map(move |seat| {
            let watches = match &seat.runner {
                Runner::Control(component) => component.watches(),
                Runner::Node(component) => component.watches(),
            };
            watches
                .iter()
                .any(|watch| watch.selects(object))
                .then_some(&seat.id)
        })
    }

    /// Adds a process with its seats and lets it list what it watches.
    pub(super) fn add_process(
        &mut self,
        id: ProcessId,
        node: Option<Arc<str>>,
        runners: Vec<(SeatId, Runner)>,
    ) {
        let mut watches = Vec::new();
        for (_, runner) in &runners {
            let own = match runner {
                Runner::Control(component) => component.watches(),
                Runner::Node(component) => component.watches(),
            };
            for watch in own {
                if !watches.contains(&watch) {
                    watches.push(watch);
                }
            }
        }
        self.routes.add(&id, &watches);
        let seats = runners.iter().map(|(seat, _)| seat.clone()).collect();
        self.processes.insert(
            id.clone(),
            Process {
                caches: Caches::new(watches),
                inbox: Default::default(),
                delivery: None,
                held_until: SimTime::ZERO,
                seats,
                node,
                connected: true,
            },
        );
        for (seat, runner) in runners {
            let mode = self.setup.preset.mode(&seat);
            self.seats
                .insert(seat.clone(), SeatState::new(seat, mode, id.clone(), runner));
        }
        self.relist(&id);
        if let Some(process) = self.processes.get(&id) {
            for seat in &process.seats {
                if let Some(seat) = self.seats.get_mut(seat) {
                    let machine = process.node.as_ref().and_then(|node| self.machines.get(node));
                    seat.look_at_everything(&process.caches, machine, self.now, 0);
                }
            }
        }
        for seat in self
            .processes
            .get(&id)
            .map(|process| process.seats.clone())
            .unwrap_or_default()
        {
            self.schedule_work(&seat);
        }
    }

    pub(super) fn seat_control_plane(&mut self) {
        let scheduler: Box<dyn Component> = Box::new(Scheduler::default());
        self.add_process(
            ProcessId::new("kube-scheduler"),
            None,
            vec![(SeatId::new("scheduler"), Runner::Control(scheduler))],
        );
        let controllers = crate::controllers::all()
            .into_iter()
            .map(|component| (SeatId::new(component.name()), Runner::Control(component)))
            .collect();
        self.add_process(ProcessId::new("kube-controller-manager"), None, controllers);
    }
}
