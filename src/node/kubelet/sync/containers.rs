//! Containers: init ones in their order, the image, the start, probes, and starting again.
//!
//! Source: pkg/kubelet/kuberuntime/kuberuntime_manager.go (`computePodActions`, `doBackOff`),
//! pkg/kubelet/images/image_manager.go.

use super::{Health, Sync};
use crate::api::duration::go_duration;
use crate::node::NodeAction;
use crate::node::kubelet::container_note;
use crate::node::kubelet::probes::{ProbeKind, Probing};
use crate::node::runtime::{Container, ContainerConfig, ContainerState};
use crate::seat::{Duty, Note};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1 as core;
use std::sync::Arc;
use std::time::Duration;

/// Source: pkg/kubelet/kubelet.go, `MaxCrashLoopBackOff` and `backOffPeriod`.
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
const MAX_BACK_OFF: Duration = Duration::from_secs(300);
/// A container that ran this long starts over without back-off.
const CALM: Duration = Duration::from_secs(600);
/// How long a failed pull shows as such before it shows as backing off.
const SHOW_FAILED_PULL: Duration = Duration::from_secs(2);

fn back_off(streak: u32) -> Duration {
    match streak {
        0 => Duration::ZERO,
        n => FIRST_BACK_OFF
            .saturating_mul(1u32.checked_shl(n - 1).unwrap_or(u32::MAX))
            .min(MAX_BACK_OFF),
    }
}

pub(super) fn is_sidecar(container: &core::Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

pub(super) fn restarts(policy: Option<&str>, exit_code: i32) -> bool {
    match policy {
        Some("Never") => false,
        Some("OnFailure") => exit_code != 0,
        _ => true,
    }
}

impl<'a> Sync<'a, '_> {
    /// Runs the init containers one after the other; true once the others may start.
    #[inline(never)]
    pub(super) fn initialise(&mut self, spec: &'a core::PodSpec, finished: bool) -> bool {
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
    pub(super) fn keep_running(&mut self, container: &'a core::Container, policy: &str, init: bool) {
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

    #[inline(never)]
    pub(super) fn restart(&mut self, container: &'a core::Container, ended: &'a Arc<Container>) {
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
    pub(super) fn create(
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
    #[inline(never)]
    pub(super) fn has_image(&mut self, container: &'a core::Container, since: SimTime) -> bool {
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
            let why = match here {
                Some(_) => "kubelet.pull_again",
                None => "kubelet.pull",
            };
            let duty = Duty::local(
                self.why(why, &[image]),
                NodeAction::PullImage {
                    image: image.to_owned(),
                },
            );
            self.plan.duties.push(duty.note(pulling));
        }
        false
    }

    /// Probes a running container and kills it when it failed too often.
    #[inline(never)]
    pub(super) fn probe(&mut self, container: &'a core::Container, running: &'a Arc<Container>) {
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
}
