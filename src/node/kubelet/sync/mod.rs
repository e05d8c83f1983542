//! From a Pod and what is on the machine to the next pieces of work.
//!
//! Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go (`computePodActions`, `doBackOff`),
//! pkg/kubelet/images/image_manager.go, pkg/kubelet/pod_workers.go (how Pods end).

mod containers;
mod ending;

pub use ending::clean_up;

use super::environment::Around;
use super::{PodMemory, Seen, admission, container_note, note, status};
use crate::api::sorted::SortedMap;
use crate::apiserver::Request;
use crate::client::helpers::{moment, pod_is_terminal};
use crate::etcd::Key;
use crate::node::runtime::{Container, ContainerState, Sandbox, SandboxState};
use crate::node::{Machine, NodeAction};
use crate::seat::{Duty, Note, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{self as core, Node, Pod, PodStatus};
use std::sync::Arc;
use std::time::Duration;

/// Between attempts to mount volumes, twice as long each time.
const MOUNT_BACK_OFF: Duration = Duration::from_millis(500);
const MAX_MOUNT_BACK_OFF: Duration = Duration::from_secs(122);

/// How a container answers its probes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    pub started: bool,
    pub ready: bool,
}

/// Why a container waits: reason and message.
pub type Waiting = (&'static str, String);

/// One look at one Pod.
pub struct Sync<'a, 'm> {
    pub key: &'a Key,
    pub pod: &'a Arc<Pod>,
    pub machine: &'a Machine,
    pub now: SimTime,
    observed: &'a Observed<'a, Machine>,
    memory: &'m mut PodMemory,
    uid: &'a str,
    plan: Plan<NodeAction>,
    /// Newest first.
    pub containers: Vec<&'a Arc<Container>>,
    pub sandbox: Option<&'a Sandbox>,
    pub waiting: SortedMap<&'a str, Waiting>,
    pub health: SortedMap<&'a str, Health>,
    pub initialised: bool,
}

impl<'a, 'm> Sync<'a, 'm> {
    pub fn new(
        observed: &'a Observed<'a, Machine>,
        key: &'a Key,
        pod: &'a Arc<Pod>,
        memory: &'m mut PodMemory,
    ) -> Self {
        let machine = observed.host;
        let uid = pod.metadata.uid.as_deref().unwrap_or("");
        let sandboxes = machine.runtime().sandboxes_of(uid);
        Sync {
            key,
            pod,
            machine,
            now: observed.now,
            observed,
            memory,
            uid,
            plan: Plan::default(),
            containers: machine.runtime().containers_of(uid),
            sandbox: sandboxes
                .into_iter()
                .find(|sandbox| sandbox.state == SandboxState::Ready),
            waiting: SortedMap::new(),
            health: SortedMap::new(),
            initialised: true,
        }
    }

    pub fn plan(mut self) -> Plan<NodeAction> {
        self.note_what_is_new();
        if self.pod.metadata.deletion_timestamp.is_some() {
            self.terminate();
            return self.plan;
        }
        if pod_is_terminal(self.pod) {
            self.stop_containers("kubelet.stop");
            self.release_sandbox();
            return self.plan;
        }
        if !self.admit() {
            return self.plan;
        }
        self.work();
        self.forget_old_containers();
        let status = status::of(&self, false);
        self.report(status);
        self.plan
    }

    fn spec(&self) -> Option<&'a core::PodSpec> {
        self.pod.spec.as_ref()
    }

    fn why(&self, sentence: &'static str, more: &[&str]) -> Why {
        let mut args = vec![&*self.key.name];
        args.extend_from_slice(more);
        Why::new(sentence, &args)
    }

    fn doing(&self, test: impl Fn(&NodeAction) -> bool) -> bool {
        self.machine.in_flight().any(|(_, work)| test(&work.action))
    }

    fn is_init(&self, name: &str) -> bool {
        self.spec().is_some_and(|spec| {
            spec.init_containers
                .iter()
                .flatten()
                .any(|init| init.name == name)
        })
    }

    /// The newest container of this name.
    pub fn newest(&self, name: &str) -> Option<&'a Arc<Container>> {
        self.containers
            .iter()
            .find(|container| container.config.name == name)
            .copied()
    }

    fn note(&mut self, container: &str, warning: bool, reason: &'static str, message: String) {
        let init = self.is_init(container);
        self.plan.notes.push(container_note(
            self.key, init, container, warning, reason, message,
        ));
    }

    /// Says something about a waiting container unless it was the last thing said.
    fn say(&mut self, container: &str, what: &'static str, notes: Vec<(bool, &'static str, String)>) {
        if self.memory.said.get(container) != Some(&what) {
            self.memory.said.insert(container.to_owned(), what);
            for (warning, reason, message) in notes {
                self.note(container, warning, reason, message);
            }
        }
    }

    /// Containers that came, started or could not start since the last look.
    #[inline(never)]
    fn note_what_is_new(&mut self) {
        for at in (0..self.containers.len()).rev() {
            let container = self.containers[at];
            let name = container.config.name.as_str();
            let before = self.memory.seen.get(&container.id).copied();
            let stage = match container.state {
                ContainerState::Created => Seen::Created,
                ContainerState::Running => Seen::Started,
                ContainerState::Exited => Seen::Ended,
            };
            if before == Some(stage) {
                continue;
            }
            if before.is_none() {
                self.note(name, false, "Created", "Container created".to_owned());
            }
            if before < Some(Seen::Started) && stage >= Seen::Started {
                if container.started_at.is_some() {
                    self.note(name, false, "Started", "Container started".to_owned());
                    self.memory.said.remove(name);
                } else if !container.message.is_empty() {
                    self.note(name, true, "Failed", format!("Error: {}", container.message));
                }
            }
            self.memory.seen.insert(container.id.clone(), stage);
        }
        let kept = &self.containers;
        self.memory
            .seen
            .retain(|id, _| kept.iter().any(|container| container.id == *id));
    }

    /// Refuses what cannot run here; a refused Pod has failed for good.
    #[inline(never)]
    fn admit(&mut self) -> bool {
        let started = self
            .pod
            .status
            .as_ref()
            .is_some_and(|status| status.start_time.is_some());
        if self.memory.admitted || started || self.sandbox.is_some() || !self.containers.is_empty() {
            self.memory.admitted = true;
            return true;
        }
        let running = |other: &&Arc<Pod>| {
            let uid = other.metadata.uid.as_deref().unwrap_or("");
            let started = other
                .status
                .as_ref()
                .is_some_and(|status| status.start_time.is_some());
            let starting = |action: &NodeAction| matches!(action, NodeAction::RunPodSandbox { pod } if pod.metadata.uid.as_deref() == Some(uid));
            started || !self.machine.runtime().sandboxes_of(uid).is_empty() || self.doing(starting)
        };
        let others = self.observed.caches.list::<Pod>("").filter(running);
        let node = self.observed.caches.list::<Node>("").next();
        let Some(refusal) = admission::refuses(self.machine, node.map(|node| &**node), self.pod, others)
        else {
            self.memory.admitted = true;
            return true;
        };
        let mut refused = PodStatus {
            phase: Some("Failed".to_owned()),
            reason: Some(refusal.reason.clone()),
            message: Some(format!("Pod was rejected: {}", refusal.message)),
            start_time: Some(self.now.meta_time()),
            ..self.pod.status.clone().unwrap_or_default()
        };
        refused.observed_generation = self.pod.metadata.generation;
        let why = self.why("kubelet.reject", &[&refusal.message]);
        let reason: &'static str = match refusal.reason.as_str() {
            "OutOfcpu" => "OutOfcpu",
            "OutOfmemory" => "OutOfmemory",
            "OutOfpods" => "OutOfpods",
            "OutOfephemeral-storage" => "OutOfephemeral-storage",
            "NodeAffinity" => "NodeAffinity",
            "NodePorts" => "NodePorts",
            "TaintToleration" => "TaintToleration",
            _ => "UnexpectedAdmissionError",
        };
        let duty = Duty::api(why, Request::update_status(self.with_status(refused)));
        self.plan
            .duties
            .push(duty.note(note(self.key, true, reason, refusal.message)));
        false
    }

    fn with_status(&self, status: PodStatus) -> Pod {
        Pod {
            metadata: self.pod.metadata.clone(),
            spec: self.pod.spec.clone(),
            status: Some(status),
        }
    }

    /// The work that is left until everything runs that should.
    fn work(&mut self) {
        let Some(spec) = self.spec() else { return };
        let finished = spec
            .containers
            .iter()
            .all(|container| self.finished(container, spec));
        if self.sandbox.is_none() {
            if !finished && !self.failed_to_initialise(spec) && self.mount_volumes() {
                self.run_sandbox();
            }
            self.initialised =
                !self.containers.is_empty() && spec.containers.iter().any(|c| self.newest(&c.name).is_some());
            return;
        }
        self.initialised = self.initialise(spec, finished);
        if !self.initialised {
            return;
        }
        for container in &spec.containers {
            self.keep_running(
                container,
                spec.restart_policy.as_deref().unwrap_or("Always"),
                false,
            );
        }
        if finished {
            // Sidecars have nothing left to help with.
            self.stop_containers("kubelet.stop");
            if !self.containers.iter().any(|container| container.is_running()) {
                self.release_sandbox();
            }
        }
    }

    /// Sets up what the containers mount; false while it cannot be done.
    /// Source: pkg/volume/util/nestedpendingoperations and goroutinemap/exponentialbackoff.
    #[inline(never)]
    fn mount_volumes(&mut self) -> bool {
        let (times, next) = self.memory.unmounted.unwrap_or((0, self.now));
        if self.now < next {
            self.plan.again_after(next.since(self.now));
            return false;
        }
        let failed = self
            .around("")
            .unmountable()
            .map(|(volume, why)| format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}"));
        let Some(message) = failed else {
            self.memory.unmounted = None;
            return true;
        };
        let pause = MOUNT_BACK_OFF
            .saturating_mul(1 << times.min(16))
            .min(MAX_MOUNT_BACK_OFF);
        self.memory.unmounted = Some((times + 1, self.now + pause));
        self.plan.again_after(pause);
        self.plan.notes.push(note(self.key, true, "FailedMount", message));
        false
    }

    /// What a container of the Pod finds around it.
    fn around(&self, pod_ip: &str) -> Around<'a> {
        Around {
            caches: self.observed.caches,
            pod: self.pod,
            node: &self.machine.name,
            host_ip: self.machine.ip.to_string(),
            pod_ip: pod_ip.to_owned(),
        }
    }

    #[inline(never)]
    fn run_sandbox(&mut self) {
        let uid = self.uid;
        if self.doing(|action| matches!(action, NodeAction::RunPodSandbox { pod } if pod.metadata.uid.as_deref() == Some(uid))) {
            return;
        }
        // A Pod of the same name that is gone may have left something.
        let left = clean_up(self.observed, self.key, Some(uid));
        self.plan.duties.extend(left.duties);
        let mut duty = Duty::local(
            self.why("kubelet.sandbox", &[]),
            NodeAction::RunPodSandbox {
                pod: self.pod.clone(),
            },
        );
        duty.notes.push(Note {
            on_failure: true,
            ..note(
                self.key,
                true,
                "FailedCreatePodSandBox",
                "Failed to create pod sandbox: {error}".to_owned(),
            )
        });
        if !self.containers.is_empty() {
            let changed = "Pod sandbox changed, it will be killed and re-created.".to_owned();
            duty.notes.push(note(self.key, false, "SandboxChanged", changed));
        }
        self.plan.duties.push(duty);
    }

    /// The duty to report a status that the API server does not have yet.
    fn report(&mut self, status: PodStatus) {
        if self.pod.status.as_ref() == Some(&status) {
            return;
        }
        let summary = status::summary(&status);
        let why = self.why("kubelet.report", &[&summary]);
        self.plan
            .duties
            .push(Duty::api(why, Request::update_status(self.with_status(status))));
    }

    /// When the Pod was first seen here.
    pub fn start_time(&self) -> SimTime {
        self.pod
            .status
            .as_ref()
            .and_then(|status| moment(&status.start_time))
            .unwrap_or(self.now)
    }
}
