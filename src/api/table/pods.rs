//! Rows of Pods, the STATUS above all.

use super::row;
use crate::api::duration;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodSpec, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

/// What is said of a Pod's containers together.
struct Summary {
    ready: usize,
    total: usize,
    reason: String,
    restarts: i32,
    last_restart: Option<Time>,
}

/// The STATUS of a Pod: `Running`, `Init:0/2`, `CrashLoopBackOff`, `Terminating`…
pub fn pod_status(pod: &Pod) -> String {
    summary(pod).reason
}

pub fn pod(pod: &Pod, age: String, now: Timestamp) -> Vec<Value> {
    let summary = summary(pod);
    let restarts = match &summary.last_restart {
        Some(time) if summary.restarts != 0 => {
            format!("{} ({} ago)", summary.restarts, duration::since(Some(time), now))
        }
        _ => summary.restarts.to_string(),
    };
    let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
    let or_none = |text: Option<&str>| {
        text.filter(|text| !text.is_empty())
            .unwrap_or("<none>")
            .to_owned()
    };
    let ip = status
        .and_then(|status| status.pod_ips.as_ref())
        .and_then(|ips| ips.first())
        .map(|ip| ip.ip.as_str());
    row![
        pod.metadata.name.as_deref().unwrap_or(""),
        format!("{}/{}", summary.ready, summary.total),
        summary.reason,
        restarts,
        age,
        or_none(ip),
        or_none(spec.and_then(|spec| spec.node_name.as_deref())),
        or_none(status.and_then(|status| status.nominated_node_name.as_deref())),
        readiness_gates(spec, status),
    ]
}

fn readiness_gates(spec: Option<&PodSpec>, status: Option<&PodStatus>) -> String {
    let gates = spec
        .and_then(|spec| spec.readiness_gates.as_deref())
        .unwrap_or(&[]);
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates
        .iter()
        .filter(|gate| has(status, &gate.condition_type))
        .count();
    format!("{open}/{}", gates.len())
}

fn has(status: Option<&PodStatus>, condition: &str) -> bool {
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or(&[]);
    conditions
        .iter()
        .find(|own| own.type_ == condition)
        .is_some_and(|own| own.status == "True")
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn summary(pod: &Pod) -> Summary {
    let init = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.init_containers.as_deref())
        .unwrap_or(&[]);
    let mut summary = Summary {
        ready: 0,
        total: pod.spec.as_ref().map_or(0, |spec| spec.containers.len())
            + init.iter().filter(|container| is_sidecar(container)).count(),
        reason: String::new(),
        restarts: 0,
        last_restart: None,
    };
    let status = pod.status.as_ref();
    let (phase, why) = status.map_or(("", ""), |status| {
        (
            status.phase.as_deref().unwrap_or(""),
            status.reason.as_deref().unwrap_or(""),
        )
    });
    if let Some(status) = status {
        summary.reason = if why.is_empty() {
            phase.to_owned()
        } else {
            why.to_owned()
        };
        let gated = |own: &&str| *own == "SchedulingGated";
        let mut scheduled = status
            .conditions
            .iter()
            .flatten()
            .filter(|own| own.type_ == "PodScheduled");
        if scheduled.any(|own| own.reason.as_deref().is_some_and(|reason| gated(&reason))) {
            summary.reason = "SchedulingGated".to_owned();
        }
        let sidecars = summary.init(status, init);
        if let Some((restarts, last)) = sidecars {
            (summary.restarts, summary.last_restart) = (restarts, last);
            summary.main(status);
        }
    }
    if pod.metadata.deletion_timestamp.is_some() {
        if why == "NodeLost" {
            summary.reason = "Unknown".to_owned();
        } else if !matches!(phase, "Succeeded" | "Failed") {
            summary.reason = "Terminating".to_owned();
        }
    }
    summary
}

impl Summary {
    fn count(&mut self, container: &ContainerStatus) {
        count(container, &mut self.restarts, &mut self.last_restart);
    }

    /// Walks the init containers up to the one that is not done. What the sidecars among them have
    /// to add is returned once the main containers' turn has come.
    fn init(&mut self, status: &PodStatus, init: &[Container]) -> Option<(i32, Option<Time>)> {
        let (mut restarts, mut last) = (0, None);
        let mut waiting = false;
        for (i, container) in status.init_container_statuses.iter().flatten().enumerate() {
            self.count(container);
            let sidecar = init
                .iter()
                .any(|own| own.name == container.name && is_sidecar(own));
            if sidecar {
                count(container, &mut restarts, &mut last);
            }
            let state = container.state.as_ref();
            let ended = state.and_then(|state| state.terminated.as_ref());
            if ended.is_some_and(|ended| ended.exit_code == 0) {
                continue;
            }
            if sidecar && container.started == Some(true) {
                self.ready += usize::from(container.ready);
                continue;
            }
            let held = waiting_reason(state).filter(|reason| *reason != "PodInitializing");
            self.reason = match (ended, held) {
                (Some(ended), _) => format!("Init:{}", end_reason(ended)),
                (None, Some(reason)) => format!("Init:{reason}"),
                (None, None) => format!("Init:{i}/{}", init.len()),
            };
            waiting = true;
            break;
        }
        (!waiting || has(Some(status), "Initialized")).then_some((restarts, last))
    }

    fn main(&mut self, status: &PodStatus) {
        let mut running = false;
        for container in status.container_statuses.iter().flatten().rev() {
            self.count(container);
            let state = container.state.as_ref();
            if let Some(reason) = waiting_reason(state) {
                self.reason = reason.to_owned();
            } else if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
                self.reason = end_reason(ended);
            } else if container.ready && state.is_some_and(|state| state.running.is_some()) {
                running = true;
                self.ready += 1;
            }
        }
        // One container that still runs makes the Pod a running one.
        if self.reason == "Completed" && running {
            let ready = has(Some(status), "Ready");
            self.reason = if ready { "Running" } else { "NotReady" }.to_owned();
        }
    }
}

fn count(container: &ContainerStatus, restarts: &mut i32, last: &mut Option<Time>) {
    *restarts += container.restart_count;
    let ended = container
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let Some(time) = ended.and_then(|ended| ended.finished_at.as_ref()) else {
        return;
    };
    if !duration::is_zero(time.0) && last.as_ref().is_none_or(|last| last.0 < time.0) {
        *last = Some(time.clone());
    }
}

fn waiting_reason(state: Option<&ContainerState>) -> Option<&str> {
    let waiting = state?.waiting.as_ref()?;
    waiting.reason.as_deref().filter(|reason| !reason.is_empty())
}

fn end_reason(ended: &ContainerStateTerminated) -> String {
    match (ended.reason.as_deref().unwrap_or(""), ended.signal.unwrap_or(0)) {
        ("", 0) => format!("ExitCode:{}", ended.exit_code),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}
