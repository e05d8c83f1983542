//! Work on a machine: begun, done after a while, and what happens by itself in between.

use super::action::{ActionId, Completion, NodeAction, NodeError, NodeEvent, Output};
use super::address::Ipam;
use super::images::{self, OnTerm};
use super::machine::{InFlight, Machine};
use super::process::{End, Surroundings, Written};
use super::runtime::{
    Container, ContainerConfig, ContainerId, ContainerState, ImageName, SandboxId, SandboxState,
};
use crate::sim::{Rng, SimTime};
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;
use std::time::Duration;

/// How long the runtime takes for what it does itself, before jitter.
const RUN_SANDBOX: Duration = Duration::from_millis(180);
const STOP_SANDBOX: Duration = Duration::from_millis(60);
const REMOVE_SANDBOX: Duration = Duration::from_millis(40);
const CREATE_CONTAINER: Duration = Duration::from_millis(40);
const START_CONTAINER: Duration = Duration::from_millis(60);
const REMOVE_CONTAINER: Duration = Duration::from_millis(30);
const REMOVE_IMAGE: Duration = Duration::from_millis(100);
const INSTALL_CNI: Duration = Duration::from_millis(500);
const LOAD_IPVS: Duration = Duration::from_millis(50);

/// Sent by SIGKILL.
const KILLED: i32 = 137;

impl Machine {
    /// Begins an action. The completion says when to call [`Machine::complete`]; until then the
    /// action shows in [`Machine::in_flight`]. What is wrong from the start is refused here, what
    /// goes wrong on the way is reported by `complete`.
    pub fn begin(
        &mut self,
        now: SimTime,
        action: NodeAction,
        rng: &mut Rng,
    ) -> Result<Completion, NodeError> {
        if !self.powered() {
            return Err(NodeError::Off);
        }
        let after = self.duration(&action)?;
        // Kernel calls are exact; everything else varies by a tenth, so that desks do not march in step.
        let after = match action {
            NodeAction::Ipvs(_) | NodeAction::StopContainer { .. } => after,
            _ => after.mul_f64(0.9 + 0.2 * rng.fraction()),
        };
        self.counter += 1;
        let id = ActionId(self.counter);
        if let NodeAction::StopContainer { container, .. } = &action {
            self.terminate(container);
        }
        self.in_flight.insert(
            id,
            InFlight {
                action,
                began: now,
                done_at: now + after,
            },
        );
        Ok(Completion { id, after })
    }

    /// How long an action takes, or why it cannot begin.
    fn duration(&mut self, action: &NodeAction) -> Result<Duration, NodeError> {
        if self.is_doing(action) && !matches!(action, NodeAction::Ipvs(_)) {
            let message = format!("already in progress: {action}");
            return Err(NodeError::Runtime {
                code: "AlreadyExists",
                message,
            });
        }
        Ok(match action {
            NodeAction::PullImage { image } => {
                let name = parse(image)?;
                match images::find(&name).filter(|_| self.plugged()) {
                    Some(entry) if self.runtime.image(image).is_none() => {
                        let micros = entry.size_bytes * 1_000_000 / images::PULL_BYTES_PER_SECOND;
                        images::REGISTRY_LATENCY + Duration::from_micros(micros)
                    }
                    // Only the question whether it is still the same.
                    _ => images::REGISTRY_LATENCY,
                }
            }
            NodeAction::RemoveImage { image } => {
                parse(image)?;
                REMOVE_IMAGE
            }
            NodeAction::RunPodSandbox { pod } => {
                self.sandbox_allowed(pod)?;
                RUN_SANDBOX
            }
            NodeAction::StopPodSandbox { .. } => STOP_SANDBOX,
            NodeAction::RemovePodSandbox { .. } => REMOVE_SANDBOX,
            NodeAction::CreateContainer { sandbox, config } => {
                self.container_allowed(sandbox, config)?;
                CREATE_CONTAINER
            }
            NodeAction::StartContainer { container } => {
                let found = self.container_or_error(container)?;
                if found.state != ContainerState::Created {
                    let message = format!("container is in {} state", found.state.name());
                    return Err(NodeError::unknown(format!(
                        "failed to set starting state for container \"{container}\": {message}"
                    )));
                }
                START_CONTAINER
            }
            NodeAction::StopContainer { container, grace } => {
                let found = self.container_or_error(container)?;
                match (found.is_running(), found.process.on_term()) {
                    (false, _) => Duration::ZERO,
                    (true, OnTerm::Exits { after, .. }) => after.min(*grace),
                    (true, OnTerm::Ignored) => *grace,
                }
            }
            NodeAction::RemoveContainer { .. } => REMOVE_CONTAINER,
            NodeAction::InstallCni { .. } => INSTALL_CNI,
            NodeAction::LoadIpvs => LOAD_IPVS,
            NodeAction::Ipvs(change) => {
                self.ipvs.apply(change)?;
                Duration::ZERO
            }
        })
    }

    fn sandbox_allowed(&self, pod: &Pod) -> Result<(), NodeError> {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let of_pod = |action: &NodeAction| matches!(action, NodeAction::RunPodSandbox { pod } if pod.metadata.uid.as_deref() == Some(uid));
        let ready = self
            .runtime
            .sandboxes_of(uid)
            .into_iter()
            .find(|sandbox| sandbox.state == SandboxState::Ready);
        let reserved = ready.map(|sandbox| sandbox.id.to_string());
        let under_way = self.in_flight.values().any(|work| of_pod(&work.action));
        if let Some(holder) = reserved.or_else(|| under_way.then(|| "a sandbox being created".to_owned())) {
            let (name, namespace) = (&pod.metadata.name, &pod.metadata.namespace);
            let name = format!(
                "{}_{}_{uid}_0",
                name.as_deref().unwrap_or_default(),
                namespace.as_deref().unwrap_or_default()
            );
            let message = format!(
                "failed to reserve sandbox name \"{name}\": name \"{name}\" is reserved for \"{holder}\""
            );
            return Err(NodeError::unknown(message));
        }
        Ok(())
    }

    pub(super) fn container_allowed(
        &self,
        sandbox: &SandboxId,
        config: &ContainerConfig,
    ) -> Result<(), NodeError> {
        let found = self.runtime.sandbox(sandbox);
        let Some(found) = found else {
            let message = format!("failed to find sandbox id \"{sandbox}\": not found");
            return Err(NodeError::not_found(message));
        };
        if found.state != SandboxState::Ready {
            let message = format!(
                "failed to get sandbox container task: no running task found: task {sandbox} not found: not found"
            );
            return Err(NodeError::unknown(message));
        }
        if self.runtime.image(&config.image).is_none() {
            let name = parse(&config.image)?;
            return Err(NodeError::unknown(format!(
                "failed to resolve image \"{name}\": image \"{name}\": not found"
            )));
        }
        let same = |container: &Arc<Container>| {
            container.sandbox == *sandbox
                && container.config.name == config.name
                && container.config.attempt == config.attempt
        };
        if let Some(holder) = self.runtime.containers().find(|container| same(container)) {
            let name = format!(
                "{}_{}_{}_{}_{}",
                config.name, found.pod_name, found.namespace, found.pod_uid, config.attempt
            );
            let id = &holder.id;
            let message = format!(
                "failed to reserve container name \"{name}\": name \"{name}\" is reserved for \"{id}\""
            );
            return Err(NodeError::unknown(message));
        }
        Ok(())
    }

    pub(super) fn container_or_error(&self, id: &ContainerId) -> Result<&Arc<Container>, NodeError> {
        self.runtime.container(id).ok_or_else(|| {
            NodeError::not_found(format!(
                "an error occurred when try to find container \"{id}\": not found"
            ))
        })
    }

    /// SIGTERM: a server that heeds it takes no more connections.
    fn terminate(&mut self, id: &ContainerId) {
        self.runtime.with_container(id, |container| {
            container.stopping = container.is_running();
            if container.process.on_term() != OnTerm::Ignored {
                container.process.stop_listening();
            }
        });
    }

    /// Makes an action so. An id that is not in flight (the machine lost its power meanwhile) is
    /// no event.
    pub fn complete(&mut self, now: SimTime, id: ActionId) -> Vec<NodeEvent> {
        let Some(InFlight { action, .. }) = self.in_flight.remove(&id) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        let result = self.effect(now, &action, &mut events);
        events.push(NodeEvent::Done { id, action, result });
        events
    }

    #[inline(never)]
    fn effect(
        &mut self,
        now: SimTime,
        action: &NodeAction,
        events: &mut Vec<NodeEvent>,
    ) -> Result<Output, NodeError> {
        match action {
            NodeAction::PullImage { image } => {
                let result = self.pulled(now, image);
                self.runtime
                    .record_pull(image, now, result.as_ref().err().map(NodeError::to_string));
                result
            }
            NodeAction::RemoveImage { image } => {
                let name = parse(image)?;
                self.runtime.remove_image(&name.to_string());
                Ok(Output::None)
            }
            NodeAction::RunPodSandbox { pod } => self.run_sandbox(now, pod),
            NodeAction::StopPodSandbox { sandbox } => {
                self.kill_all_in(now, sandbox, events);
                self.stop_sandbox(sandbox);
                Ok(Output::None)
            }
            NodeAction::RemovePodSandbox { sandbox } => {
                self.kill_all_in(now, sandbox, events);
                self.stop_sandbox(sandbox);
                for container in self.containers_in(sandbox) {
                    self.runtime.remove_container(&container);
                }
                self.runtime.remove_sandbox(sandbox);
                Ok(Output::None)
            }
            NodeAction::CreateContainer { sandbox, config } => self.create_container(now, sandbox, config),
            NodeAction::StartContainer { container } => self.start_container(now, container, events),
            NodeAction::StopContainer { container, grace } => {
                let code = match self
                    .runtime
                    .container(container)
                    .map(|found| found.process.on_term())
                {
                    Some(OnTerm::Exits { code, after }) if after <= *grace => code,
                    _ => KILLED,
                };
                self.ended(now, container, End::Exit(code), events);
                Ok(Output::None)
            }
            NodeAction::RemoveContainer { container } => {
                // Removing what is not there is fine, as often as one likes.
                self.ended(now, container, End::Exit(KILLED), events);
                self.runtime.remove_container(container);
                Ok(Output::None)
            }
            NodeAction::InstallCni { pod_cidr } => {
                if self.ipam.as_ref().is_none_or(|ipam| ipam.cidr() != *pod_cidr) {
                    self.ipam = Some(Ipam::new(*pod_cidr));
                }
                Ok(Output::None)
            }
            NodeAction::LoadIpvs => {
                self.ipvs.load();
                Ok(Output::None)
            }
            NodeAction::Ipvs(_) => Ok(Output::None),
        }
    }

    fn containers_in(&self, sandbox: &SandboxId) -> Vec<ContainerId> {
        self.runtime
            .containers()
            .filter(|c| c.sandbox == *sandbox)
            .map(|c| c.id.clone())
            .collect()
    }

    fn kill_all_in(&mut self, now: SimTime, sandbox: &SandboxId, events: &mut Vec<NodeEvent>) {
        for container in self.containers_in(sandbox) {
            self.ended(now, &container, End::Exit(KILLED), events);
        }
    }

    /// Lets a container's process go on.
    pub(super) fn step(&mut self, now: SimTime, id: &ContainerId, events: &mut Vec<NodeEvent>) {
        let hostname = self.hostname(id);
        let end = self.runtime.with_container(id, |container| {
            let config = container.config.clone();
            let around = Surroundings {
                hostname: &hostname,
                env: &config.env,
            };
            let mut written = Written::default();
            let end = container.process.run(around, now, &mut written);
            for (stderr, text) in written.into_pieces() {
                container.write(now, stderr, &text);
            }
            (end, container.process.fetch().is_some())
        });
        match end {
            Some((Some(end), _)) => self.ended(now, id, end, events),
            Some((None, true)) => events.push(NodeEvent::Fetch {
                container: id.clone(),
            }),
            _ => {}
        }
    }

    /// A main process is gone; nothing when it was already.
    fn ended(&mut self, now: SimTime, id: &ContainerId, end: End, events: &mut Vec<NodeEvent>) {
        let Some(container) = self
            .runtime
            .container(id)
            .filter(|container| container.is_running())
        else {
            return;
        };
        let pod_uid = container.pod_uid.clone();
        let (exit_code, reason) = match end {
            End::Exit(0) => (0, "Completed"),
            End::Exit(code) => (code, "Error"),
            End::OutOfMemory => (KILLED, "OOMKilled"),
        };
        self.runtime
            .with_container(id, |container| container.exit(now, exit_code, reason));
        events.push(NodeEvent::ContainerExited {
            pod_uid,
            container: id.clone(),
            exit_code,
        });
    }

    /// When something will happen here by itself: call [`Machine::tick`] then. Actions in flight
    /// are not counted; their completions are the caller's.
    pub fn next_deadline(&self) -> Option<SimTime> {
        if !self.powered() {
            return None;
        }
        match (self.runtime.next_wake(), self.ipvs.next_deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Lets pass what is due: processes go on or end, connections close or are forgotten.
    pub fn tick(&mut self, now: SimTime) -> Vec<NodeEvent> {
        let mut events = Vec::new();
        if !self.powered() {
            return events;
        }
        while let Some((at, id)) = self.runtime.due(now) {
            self.step(at, &id, &mut events);
        }
        if self.ipvs.tick(now) {
            events.push(NodeEvent::ConnectionsAged);
        }
        events
    }
}

pub(super) fn parse(image: &str) -> Result<ImageName, NodeError> {
    ImageName::parse(image).map_err(|error| NodeError::Runtime {
        code: "InvalidArgument",
        message: format!("failed to parse image reference \"{image}\": {error}"),
    })
}
