//! How containers, sandboxes and Pods end.
//!
//! Source: pkg/kubelet/pod_workers.go, pkg/kubelet/kuberuntime/kuberuntime_container.go (`killContainer`).

use super::containers::{is_sidecar, restarts};
use super::{Health, Sync};
use crate::api::Kind;
use crate::api::sorted::SortedMap;
use crate::apiserver::{DeleteOptions, Request};
use crate::etcd::Key;
use crate::node::kubelet::probes::ProbeKind;
use crate::node::kubelet::{container_note, status};
use crate::node::runtime::{Container, ContainerState};
use crate::node::{Machine, NodeAction};
use crate::seat::{Duty, Observed, Plan, Why};
use k8s_openapi::api::core::v1 as core;
use std::sync::Arc;
use std::time::Duration;

/// Killed for a failed probe, a container gets the Pod's own grace period.
const DEFAULT_GRACE: i64 = 30;

impl<'a> Sync<'a, '_> {
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

    #[inline(never)]
    pub(super) fn kill(
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
    #[inline(never)]
    pub(super) fn stop_containers(&mut self, sentence: &'static str) -> bool {
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
    pub(super) fn release_sandbox(&mut self) -> bool {
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
    pub(super) fn starting(&self) -> bool {
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
    #[inline(never)]
    pub(super) fn terminate(&mut self) {
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
    #[inline(never)]
    pub(super) fn forget_old_containers(&mut self) {
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
