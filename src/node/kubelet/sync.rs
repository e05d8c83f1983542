//! From a Pod and what is on the machine to the next pieces of work.
//!
//! Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go (`computePodActions`, `doBackOff`),
//! pkg/kubelet/images/image_manager.go, pkg/kubelet/pod_workers.go (how Pods end).

use super::environment::Around;
use super::probes::{ProbeKind, Probing};
use super::{PodMemory, Seen, admission, container_note, note, status};
use crate::api::Kind;
use crate::api::sorted::SortedMap;
use crate::apiserver::{DeleteOptions, Request};
use crate::client::helpers::{moment, pod_is_terminal};
use crate::etcd::Key;
use crate::node::runtime::{Container, ContainerConfig, ContainerState, Sandbox, SandboxState};
use crate::node::{Machine, NodeAction};
use crate::seat::{Duty, Note, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{self as core, Node, Pod, PodStatus};
use std::sync::Arc;
use std::time::Duration;

/// Source: pkg/kubelet/kubelet.go, `MaxCrashLoopBackOff` and `backOffPeriod`.
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
const MAX_BACK_OFF: Duration = Duration::from_secs(300);
/// A container that ran this long starts over without back-off.
const CALM: Duration = Duration::from_secs(600);
/// How long a failed pull shows as such before it shows as backing off.
const SHOW_FAILED_PULL: Duration = Duration::from_secs(2);
/// Killed for a failed probe, a container gets the Pod's own grace period.
const DEFAULT_GRACE: i64 = 30;
/// Between attempts to mount volumes, twice as long each time.
const MOUNT_BACK_OFF: Duration = Duration::from_millis(500);
const MAX_MOUNT_BACK_OFF: Duration = Duration::from_secs(122);

/// `1.234s`, `812ms`, `2m40s`: a duration as Go prints it, to the millisecond.
pub fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return if millis == 0 {
            "0s".to_owned()
        } else {
            format!("{millis}ms")
        };
    }
    let (minutes, millis) = (millis / 60_000, millis % 60_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let fraction = format!("{:03}", millis % 1000);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let seconds = format!("{}{dot}{fraction}s", millis / 1000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

fn back_off(streak: u32) -> Duration {
    match streak {
        0 => Duration::ZERO,
        n => FIRST_BACK_OFF
            .saturating_mul(1u32.checked_shl(n - 1).unwrap_or(u32::MAX))
            .min(MAX_BACK_OFF),
    }
}

fn is_sidecar(container: &core::Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

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
            started || self.doing(starting) || !self.machine.runtime().sandboxes_of(uid).is_empty()
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

    /// Whether a container has ended and is not to run again.
    pub fn finished(&self, container: &core::Container, spec: &core::PodSpec) -> bool {
        self.newest(&container.name).is_some_and(|newest| {
            newest.state == ContainerState::Exited
                && !restarts(spec.restart_policy.as_deref(), newest.exit_code)
        })
    }

    /// An init container that failed in a Pod that never restarts.
    pub fn failed_to_initialise(&self, spec: &core::PodSpec) -> bool {
        spec.restart_policy.as_deref() == Some("Never")
            && spec
                .init_containers
                .iter()
                .flatten()
                .filter(|init| !is_sidecar(init))
                .any(|init| {
                    self.newest(&init.name)
                        .is_some_and(|newest| newest.state == ContainerState::Exited && newest.exit_code != 0)
                })
    }

    /// Sets up what the containers mount; false while it cannot be done.
    /// Source: pkg/volume/util/nestedpendingoperations and goroutinemap/exponentialbackoff.
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

    /// Runs the init containers one after the other; true once the others may start.
    fn initialise(&mut self, spec: &'a core::PodSpec, finished: bool) -> bool {
        let main_started = spec
            .containers
            .iter()
            .any(|container| self.newest(&container.name).is_some());
        for init in spec.init_containers.iter().flatten() {
            let newest = self.newest(&init.name);
            if is_sidecar(init) {
                if finished {
                    continue;
                }
                self.keep_running(init, "Always", true);
                if !main_started
                    && !self
                        .health
                        .get(init.name.as_str())
                        .is_some_and(|health| health.started)
                {
                    return false;
                }
                continue;
            }
            if main_started
                || newest
                    .is_some_and(|newest| newest.state == ContainerState::Exited && newest.exit_code == 0)
            {
                continue;
            }
            let policy = if spec.restart_policy.as_deref() == Some("Never") {
                "Never"
            } else {
                "OnFailure"
            };
            self.keep_running(init, policy, true);
            return false;
        }
        true
    }

    /// Starts a container, starts it again, or watches over it.
    fn keep_running(&mut self, container: &'a core::Container, policy: &str, init: bool) {
        let Some(newest) = self.newest(&container.name) else {
            let since = self.sandbox.map_or(self.now, |sandbox| sandbox.created_at);
            self.create(container, 0, since, "kubelet.create");
            return;
        };
        match newest.state {
            ContainerState::Created => {
                let start = NodeAction::StartContainer {
                    container: newest.id.clone(),
                };
                if !self.machine.is_doing(&start) {
                    self.plan
                        .duties
                        .push(Duty::local(self.why("kubelet.start", &[&container.name]), start));
                }
            }
            ContainerState::Running => self.probe(container, newest),
            ContainerState::Exited if restarts(Some(policy), newest.exit_code) => {
                self.restart(container, newest)
            }
            ContainerState::Exited => {}
        }
        if init && newest.is_running() && !is_sidecar(container) {
            self.health.insert(
                &container.name,
                Health {
                    started: true,
                    ready: false,
                },
            );
        }
    }

    fn restart(&mut self, container: &'a core::Container, ended: &'a Arc<Container>) {
        let name = container.name.as_str();
        let attempt = ended.config.attempt;
        let finished = ended.finished_at.unwrap_or(self.now);
        if ended
            .started_at
            .is_some_and(|started| finished.since(started) >= CALM)
        {
            self.memory.calm_since.insert(name.to_owned(), attempt);
        }
        let calm_since = self.memory.calm_since.get(name).copied().unwrap_or(0);
        let delay = back_off(attempt.saturating_sub(calm_since));
        let due = finished + delay;
        if self.now < due {
            let (namespace, pod, uid) = (&*self.key.namespace, &*self.key.name, self.uid);
            let message = format!(
                "back-off {} restarting failed container={name} pod={pod}_{namespace}({uid})",
                go_duration(delay)
            );
            self.waiting.insert(name, ("CrashLoopBackOff", message));
            let event =
                format!("Back-off restarting failed container {name} in pod {pod}_{namespace}({uid})");
            self.say(name, "CrashLoopBackOff", vec![(true, "BackOff", event)]);
            self.plan.again_after(due.since(self.now));
            return;
        }
        self.create(container, attempt + 1, finished, "kubelet.restart");
    }

    /// Creates a container once its image and its configuration are there.
    fn create(
        &mut self,
        container: &'a core::Container,
        attempt: u32,
        since: SimTime,
        sentence: &'static str,
    ) {
        let Some(sandbox) = self.sandbox else { return };
        let name = container.name.as_str();
        let being_made = |action: &NodeAction| matches!(action, NodeAction::CreateContainer { sandbox: of, config } if *of == sandbox.id && config.name == name);
        if self.doing(being_made) || !self.has_image(container, since) {
            return;
        }
        let around = self.around(&sandbox.ip.to_string());
        let config = around.variables(container).and_then(|env| {
            let mut config = ContainerConfig::new(container, attempt, env);
            config.files = around.files(container)?;
            Ok(config)
        });
        let config = match config {
            Ok(config) => Arc::new(config),
            Err(why) => {
                self.say(
                    name,
                    "CreateContainerConfigError",
                    vec![(true, "Failed", format!("Error: {why}"))],
                );
                self.waiting.insert(name, ("CreateContainerConfigError", why));
                return;
            }
        };
        let image = container.image.as_deref().unwrap_or("");
        let pulled = match (
            self.memory.pulls.remove(image),
            self.machine.runtime().image(image),
        ) {
            (Some(began), Some(found)) => {
                let took = go_duration(found.pulled_at.since(began));
                let size = found.size_bytes;
                format!(
                    "Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {size} bytes."
                )
            }
            _ => format!(
                "Container image \"{image}\" already present on machine and can be accessed by the pod"
            ),
        };
        let init = self.is_init(name);
        let action = NodeAction::CreateContainer {
            sandbox: sandbox.id.clone(),
            config,
        };
        let failed = container_note(self.key, init, name, true, "Failed", "Error: {error}".to_owned());
        let duty = Duty::local(self.why(sentence, &[name]), action)
            .note(container_note(self.key, init, name, false, "Pulled", pulled))
            .note(Note {
                on_failure: true,
                ..failed
            });
        self.plan.duties.push(duty);
    }

    /// Whether the image is here as the pull policy wants it; asks for it otherwise.
    fn has_image(&mut self, container: &'a core::Container, since: SimTime) -> bool {
        let (name, image) = (container.name.as_str(), container.image.as_deref().unwrap_or(""));
        let runtime = self.machine.runtime();
        let here = runtime.image(image);
        let pulling = self
            .machine
            .in_flight()
            .find(|(_, work)| matches!(&work.action, NodeAction::PullImage { image: of } if of == image));
        if let Some((_, work)) = pulling {
            self.memory.pulls.entry(image.to_owned()).or_insert(work.began);
            return false;
        }
        match (container.image_pull_policy.as_deref(), here) {
            (Some("Always"), Some(found)) if found.pulled_at >= since => return true,
            (Some("Always"), _) => {}
            (_, Some(_)) => return true,
            (Some("Never"), None) => {
                let message = format!("Container image \"{image}\" is not present with pull policy of Never");
                let error = "Error: ErrImageNeverPull".to_owned();
                self.say(
                    name,
                    "ErrImageNeverPull",
                    vec![
                        (true, "ErrImageNeverPull", message.clone()),
                        (true, "Failed", error),
                    ],
                );
                self.waiting.insert(name, ("ErrImageNeverPull", message));
                return false;
            }
            (_, None) => {}
        }
        if crate::node::runtime::ImageName::parse(image).is_err() {
            let why = format!("couldn't parse image name \"{image}\": invalid reference format");
            let message = format!("Failed to apply default image tag \"{image}\": {why}");
            self.say(
                name,
                "InvalidImageName",
                vec![
                    (true, "InspectFailed", message.clone()),
                    (true, "Failed", "Error: InvalidImageName".to_owned()),
                ],
            );
            self.waiting.insert(name, ("InvalidImageName", message));
            return false;
        }
        if let Some(failed) = runtime.failed_pull(image) {
            let due = failed.at + back_off(failed.attempts);
            if self.now < due {
                let error = &failed.error;
                let shown_until = failed.at + SHOW_FAILED_PULL;
                let failed_note = || format!("Failed to pull image \"{image}\": {error}");
                if self.now < shown_until {
                    self.say(
                        name,
                        "ErrImagePull",
                        vec![
                            (true, "Failed", failed_note()),
                            (true, "Failed", "Error: ErrImagePull".to_owned()),
                        ],
                    );
                    self.waiting.insert(name, ("ErrImagePull", error.to_string()));
                    self.plan.again_after(shown_until.since(self.now));
                } else {
                    let backing = format!("Back-off pulling image \"{image}\"");
                    let message = format!("{backing}: ErrImagePull: {error}");
                    self.say(
                        name,
                        "ImagePullBackOff",
                        vec![
                            (false, "BackOff", backing),
                            (true, "Failed", "Error: ImagePullBackOff".to_owned()),
                        ],
                    );
                    self.waiting.insert(name, ("ImagePullBackOff", message));
                    self.plan.again_after(due.since(self.now));
                }
                self.memory.pulls.remove(image);
                return false;
            }
        }
        let asked = self.plan.duties.iter().any(|duty| {
            matches!(&duty.action, crate::seat::Action::Local(NodeAction::PullImage { image: of }) if of == image)
        });
        if !asked {
            self.memory.pulls.insert(image.to_owned(), self.now);
            let pulling = container_note(
                self.key,
                self.is_init(name),
                name,
                false,
                "Pulling",
                format!("Pulling image \"{image}\""),
            );
            let duty = Duty::local(
                self.why("kubelet.pull", &[image]),
                NodeAction::PullImage {
                    image: image.to_owned(),
                },
            );
            self.plan.duties.push(duty.note(pulling));
        }
        false
    }

    /// Probes a running container and kills it when it failed too often.
    fn probe(&mut self, container: &'a core::Container, running: &'a Arc<Container>) {
        let (name, now) = (container.name.as_str(), self.now);
        let started_at = running.started_at.unwrap_or(now);
        let ip = self.sandbox.map_or(self.machine.ip, |sandbox| sandbox.ip);
        let mut health = Health {
            started: true,
            ready: true,
        };
        for kind in [ProbeKind::Startup, ProbeKind::Readiness, ProbeKind::Liveness] {
            let Some(probe) = kind.of(container) else { continue };
            if kind != ProbeKind::Startup && !health.started {
                health.ready = false;
                continue;
            }
            let id = (running.id.clone(), kind);
            let state = self
                .memory
                .probes
                .entry(id)
                .or_insert_with(|| Probing::new(kind, probe, started_at));
            if !running.stopping {
                // After a long startup probe the others begin when it is through.
                let outcome = state.look(kind, probe, self.machine, running, container, ip, now);
                if !state.given_up {
                    self.plan.again_after(state.next.since(now));
                }
                let (good, given_up) = (state.good, state.given_up);
                if let Some(failure) = outcome.failure {
                    self.note(name, true, "Unhealthy", failure);
                }
                if given_up {
                    self.kill(container, running, kind, probe);
                }
                match kind {
                    ProbeKind::Startup => health.started = good,
                    ProbeKind::Readiness => health.ready = good,
                    ProbeKind::Liveness => {}
                }
            } else if kind == ProbeKind::Readiness {
                health.ready = state.good;
            }
        }
        health.ready &= health.started;
        self.health.insert(name, health);
    }

    fn kill(
        &mut self,
        container: &core::Container,
        running: &Arc<Container>,
        kind: ProbeKind,
        probe: &core::Probe,
    ) {
        let name = container.name.as_str();
        let own = self.spec().and_then(|spec| spec.termination_grace_period_seconds);
        let seconds = probe
            .termination_grace_period_seconds
            .or(own)
            .unwrap_or(DEFAULT_GRACE);
        let message = format!(
            "Container {name} failed {} probe, will be restarted",
            kind.name().to_lowercase()
        );
        let init = self.is_init(name);
        let grace = Duration::from_secs(seconds.max(0) as u64);
        let action = NodeAction::StopContainer {
            container: running.id.clone(),
            grace,
        };
        let duty = Duty::local(self.why("kubelet.unhealthy", &[name]), action);
        self.plan
            .duties
            .push(duty.note(container_note(self.key, init, name, false, "Killing", message)));
    }

    /// Asks every running container to stop; true if one still runs.
    fn stop_containers(&mut self, sentence: &'static str) -> bool {
        let seconds = match self.pod.metadata.deletion_timestamp {
            Some(_) => self.pod.metadata.deletion_grace_period_seconds,
            None => self.spec().and_then(|spec| spec.termination_grace_period_seconds),
        };
        // Even who is to go at once gets a moment. Source: `minimumGracePeriodInSeconds`.
        let grace = Duration::from_secs(seconds.unwrap_or(DEFAULT_GRACE).max(2) as u64);
        let running: Vec<_> = self
            .containers
            .iter()
            .copied()
            .filter(|container| container.is_running())
            .collect();
        for container in &running {
            if container.stopping {
                continue;
            }
            let name = container.config.name.as_str();
            let action = NodeAction::StopContainer {
                container: container.id.clone(),
                grace,
            };
            let killing = container_note(
                self.key,
                self.is_init(name),
                name,
                false,
                "Killing",
                format!("Stopping container {name}"),
            );
            self.plan
                .duties
                .push(Duty::local(self.why(sentence, &[name]), action).note(killing));
        }
        !running.is_empty()
    }

    /// Gives the address back.
    fn release_sandbox(&mut self) -> bool {
        let Some(sandbox) = self.sandbox else { return false };
        let action = NodeAction::StopPodSandbox {
            sandbox: sandbox.id.clone(),
        };
        if !self.machine.is_doing(&action) {
            self.plan
                .duties
                .push(Duty::local(self.why("kubelet.stop_sandbox", &[]), action));
        }
        true
    }

    /// Whether something is being started for this Pod.
    fn starting(&self) -> bool {
        self.doing(|action| match action {
            NodeAction::RunPodSandbox { pod } => pod.metadata.uid.as_deref() == Some(self.uid),
            NodeAction::CreateContainer { sandbox, .. } => self.sandbox.is_some_and(|own| own.id == *sandbox),
            NodeAction::StartContainer { container } => {
                self.containers.iter().any(|own| own.id == *container)
            }
            _ => false,
        })
    }

    /// The end of a Pod that is being deleted: containers, sandbox, last report, the object itself.
    fn terminate(&mut self) {
        for container in self.spec().into_iter().flat_map(|spec| &spec.containers) {
            // Its probes are over; what was last known still holds.
            if let Some(running) = self.newest(&container.name).filter(|newest| newest.is_running()) {
                let good = |kind| {
                    self.memory
                        .probes
                        .get(&(running.id.clone(), kind))
                        .is_none_or(|probing| probing.good)
                };
                let health = Health {
                    started: good(ProbeKind::Startup),
                    ready: good(ProbeKind::Readiness),
                };
                self.health.insert(&container.name, health);
            }
        }
        if self.stop_containers("kubelet.stop") || self.starting() || self.release_sandbox() {
            return;
        }
        let status = status::of(self, true);
        self.report(status);
        let options = DeleteOptions {
            grace_period_seconds: Some(0),
            precondition_uid: self.pod.metadata.uid.clone(),
            ..DeleteOptions::default()
        };
        let request = Request::delete(Kind::Pod, &self.key.namespace, &self.key.name, options);
        self.plan
            .duties
            .push(Duty::api(self.why("kubelet.delete", &[]), request));
    }

    /// The last but one container of each name keeps its log; older ones go.
    fn forget_old_containers(&mut self) {
        let mut kept: SortedMap<&str, usize> = SortedMap::new();
        let containers = std::mem::take(&mut self.containers);
        for container in &containers {
            let count = kept.entry(&container.config.name).or_default();
            *count += 1;
            let action = NodeAction::RemoveContainer {
                container: container.id.clone(),
            };
            if *count > 2 && !container.is_running() && !self.machine.is_doing(&action) {
                let why = self.why("kubelet.remove_container", &[&container.config.name]);
                self.plan.duties.push(Duty::local(why, action));
            }
        }
        self.memory.probes.retain(|(id, _), _| {
            containers
                .iter()
                .any(|container| container.id == *id && container.is_running())
        });
        self.containers = containers;
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

fn restarts(policy: Option<&str>, exit_code: i32) -> bool {
    match policy {
        Some("Never") => false,
        Some("OnFailure") => exit_code != 0,
        _ => true,
    }
}

/// Removes what Pods of this name left behind, except the Pod with the uid `keep`.
pub fn clean_up(observed: &Observed<'_, Machine>, key: &Key, keep: Option<&str>) -> Plan<NodeAction> {
    let mut plan = Plan::default();
    for sandbox in observed.host.runtime().sandboxes() {
        let same_name = sandbox.pod_name == key.name && sandbox.namespace == key.namespace;
        if !same_name || keep == Some(&*sandbox.pod_uid) {
            continue;
        }
        let action = NodeAction::RemovePodSandbox {
            sandbox: sandbox.id.clone(),
        };
        if !observed.host.is_doing(&action) {
            plan.duties.push(Duty::local(
                Why::new("kubelet.remove_sandbox", &[&key.name]),
                action,
            ));
        }
    }
    plan
}
