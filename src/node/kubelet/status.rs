//! What a kubelet reports about a Pod.
//!
//! Source: pkg/kubelet/kubelet_pods.go (`generateAPIPodStatus`, `getPhase`), pkg/kubelet/status.

use super::sync::Sync;
use crate::api::qos::pod_qos_class;
use crate::node::runtime::{Container, ContainerState};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{
    self as core, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    HostIP, Pod, PodCondition, PodIP, PodSpec, PodStatus,
};
use std::sync::Arc;

fn terminated(container: &Container) -> ContainerStateTerminated {
    let time = |at: Option<SimTime>| at.map(SimTime::meta_time);
    ContainerStateTerminated {
        container_id: Some(format!("containerd://{}", container.id)),
        exit_code: container.exit_code,
        reason: (!container.reason.is_empty()).then(|| container.reason.to_owned()),
        message: (!container.message.is_empty()).then(|| container.message.clone()),
        started_at: time(container.started_at.or(container.finished_at)),
        finished_at: time(container.finished_at),
        signal: None,
    }
}

fn container_status(sync: &Sync<'_, '_>, spec: &core::Container, waits_for: &str) -> ContainerStatus {
    let mut same = sync
        .containers
        .iter()
        .filter(|container| container.config.name == spec.name);
    let (newest, before) = (same.next(), same.next());
    let past = |container: Option<&&Arc<Container>>| {
        container.map(|container| core::ContainerState {
            terminated: Some(terminated(container)),
            ..Default::default()
        })
    };
    let waiting = |reason: &str, message: Option<String>| core::ContainerState {
        waiting: Some(ContainerStateWaiting {
            reason: Some(reason.to_owned()),
            message,
        }),
        ..core::ContainerState::default()
    };
    let held_up = sync.waiting.get(spec.name.as_str());
    let mut status = ContainerStatus {
        name: spec.name.clone(),
        image: spec.image.clone().unwrap_or_default(),
        last_state: Some(core::ContainerState::default()),
        started: Some(false),
        ..ContainerStatus::default()
    };
    let Some(newest) = newest else {
        let (reason, message) = held_up.map_or((waits_for, None), |(reason, message)| {
            (*reason, Some(message.clone()))
        });
        status.state = Some(waiting(reason, message));
        return status;
    };
    status.container_id = Some(["containerd://", newest.id.as_str()].concat());
    status.image_id = (*newest.image_id).to_owned();
    status.restart_count = newest.config.attempt as i32;
    if let Some(last) = past(before) {
        status.last_state = Some(last);
    }
    status.state = Some(match newest.state {
        ContainerState::Created => {
            // What was created and not started is no news yet.
            status.container_id = None;
            status.image_id = String::new();
            waiting(waits_for, None)
        }
        ContainerState::Running => {
            let health = sync.health.get(spec.name.as_str()).copied().unwrap_or_default();
            status.started = Some(health.started);
            status.ready = health.ready;
            let started_at = newest.started_at.map(SimTime::meta_time);
            core::ContainerState {
                running: Some(ContainerStateRunning { started_at }),
                ..Default::default()
            }
        }
        ContainerState::Exited => match held_up {
            Some((reason, message)) => {
                status.last_state = past(Some(newest));
                waiting(reason, Some(message.clone()))
            }
            None => core::ContainerState {
                terminated: Some(terminated(newest)),
                ..Default::default()
            },
        },
    });
    status
}

/// An init container is ready when it did its work, a sidecar when its probes say so.
fn init_status(sync: &Sync<'_, '_>, spec: &core::Container) -> ContainerStatus {
    let mut status = container_status(sync, spec, "PodInitializing");
    if spec.restart_policy.as_deref() != Some("Always") {
        let ended = status.state.as_ref().and_then(|state| state.terminated.as_ref());
        status.ready = ended.is_some_and(|ended| ended.exit_code == 0);
    }
    status
}

fn phase(sync: &Sync<'_, '_>, spec: &PodSpec, statuses: &[ContainerStatus], ending: bool) -> &'static str {
    if sync.failed_to_initialise(spec) {
        return "Failed";
    }
    let (mut running, mut waiting, mut stopped, mut succeeded) = (0, 0, 0, 0);
    for status in statuses {
        let state = status.state.as_ref();
        let last = status
            .last_state
            .as_ref()
            .and_then(|state| state.terminated.as_ref());
        if state.is_some_and(|state| state.running.is_some()) {
            running += 1;
        } else if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
            stopped += 1;
            succeeded += usize::from(ended.exit_code == 0);
        } else if last.is_some() {
            stopped += 1;
        } else {
            waiting += 1;
        }
    }
    let policy = spec.restart_policy.as_deref().unwrap_or("Always");
    if ending && stopped > 0 && running == 0 {
        return if stopped == succeeded && waiting == 0 {
            "Succeeded"
        } else {
            "Failed"
        };
    }
    match () {
        () if !sync.initialised || waiting > 0 => "Pending",
        () if running > 0 => "Running",
        () if stopped > 0 && policy == "Always" => "Running",
        () if stopped > 0 && stopped == succeeded => "Succeeded",
        () if stopped > 0 && policy == "Never" => "Failed",
        () if stopped > 0 => "Running",
        () => "Pending",
    }
}

/// Sets a condition; its time is that of the last change of its status.
pub fn set_condition(
    conditions: &mut Vec<PodCondition>,
    pod: &Pod,
    of: &str,
    result: Result<(), (&str, String)>,
    now: SimTime,
) {
    let status = if result.is_ok() { "True" } else { "False" };
    let known = conditions
        .iter()
        .position(|condition| condition.type_ == of)
        .map(|at| conditions.remove(at));
    let since = known
        .filter(|known| known.status == status)
        .and_then(|known| known.last_transition_time);
    let (reason, message) = match result {
        Ok(()) => (None, None),
        Err((reason, message)) => (Some(reason.to_owned()), (!message.is_empty()).then_some(message)),
    };
    conditions.push(PodCondition {
        type_: of.to_owned(),
        status: status.to_owned(),
        reason,
        message,
        observed_generation: pod.metadata.generation,
        last_transition_time: Some(since.unwrap_or_else(|| now.meta_time())),
        last_probe_time: None,
    });
}

/// The conditions a kubelet is responsible for, in upstream's order; others stay in front.
pub fn conditions(
    pod: &Pod,
    phase: &str,
    has_sandbox: bool,
    initialised: Result<(), String>,
    unready: &[&str],
    now: SimTime,
) -> Vec<PodCondition> {
    let mut conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.clone())
        .unwrap_or_default();
    let list = |names: &[&str]| format!("[{}]", names.join(" "));
    let sandbox = if has_sandbox {
        Ok(())
    } else {
        Err(("", String::new()))
    };
    set_condition(&mut conditions, pod, "PodReadyToStartContainers", sandbox, now);
    if let Some(condition) = conditions
        .last_mut()
        .filter(|condition| condition.reason.as_deref() == Some(""))
    {
        condition.reason = None;
    }
    let initialised = match (phase, initialised) {
        (_, Ok(())) | ("Succeeded", _) => Ok(()),
        (_, Err(message)) => Err(("ContainersNotInitialized", message)),
    };
    set_condition(&mut conditions, pod, "Initialized", initialised, now);
    let ready = match phase {
        "Succeeded" => Err(("PodCompleted", String::new())),
        "Failed" => Err(("PodFailed", String::new())),
        _ if unready.is_empty() => Ok(()),
        _ => Err((
            "ContainersNotReady",
            format!("containers with unready status: {}", list(unready)),
        )),
    };
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_ref());
    let closed = |gate: &&core::PodReadinessGate| {
        !conditions
            .iter()
            .any(|condition| condition.type_ == gate.condition_type && condition.status == "True")
    };
    let closed = gates.into_iter().flatten().find(closed);
    let pod_ready = match (&ready, closed) {
        (Ok(()), Some(gate)) => {
            let message = format!(
                "the status of pod readiness gate \"{}\" is not \"True\", but False",
                gate.condition_type
            );
            Err(("ReadinessGatesNotReady", message))
        }
        _ => ready.clone(),
    };
    set_condition(&mut conditions, pod, "Ready", pod_ready, now);
    set_condition(&mut conditions, pod, "ContainersReady", ready, now);
    set_condition(&mut conditions, pod, "PodScheduled", Ok(()), now);
    conditions
}

/// The status of a Pod as it is on the machine. `ending`: it is being deleted, and nothing of it
/// will run again.
pub fn of(sync: &Sync<'_, '_>, ending: bool) -> PodStatus {
    let pod = sync.pod;
    let known = pod.status.clone().unwrap_or_default();
    let Some(spec) = &pod.spec else { return known };
    let waits_for = if spec
        .init_containers
        .as_ref()
        .is_some_and(|inits| !inits.is_empty())
    {
        "PodInitializing"
    } else {
        "ContainerCreating"
    };
    let statuses: Vec<ContainerStatus> = spec
        .containers
        .iter()
        .map(|c| container_status(sync, c, waits_for))
        .collect();
    let inits: Vec<ContainerStatus> = spec
        .init_containers
        .iter()
        .flatten()
        .map(|container| init_status(sync, container))
        .collect();
    let phase = phase(sync, spec, &statuses, ending);
    let incomplete: Vec<&str> = inits
        .iter()
        .filter(|status| !init_done(spec, status))
        .map(|status| &*status.name)
        .collect();
    let initialised = if incomplete.is_empty() || (sync.initialised && phase == "Running") {
        Ok(())
    } else {
        Err(format!(
            "containers with incomplete status: [{}]",
            incomplete.join(" ")
        ))
    };
    let sidecar = |name: &str| {
        spec.init_containers
            .iter()
            .flatten()
            .any(|init| init.name == name && init.restart_policy.as_deref() == Some("Always"))
    };
    let counted = inits
        .iter()
        .filter(|status| sidecar(&status.name))
        .chain(&statuses);
    let unready: Vec<&str> = counted
        .filter(|status| !status.ready)
        .map(|status| &*status.name)
        .collect();
    let mut status = PodStatus {
        phase: Some(phase.to_owned()),
        observed_generation: pod.metadata.generation,
        start_time: Some(sync.start_time().meta_time()),
        host_ip: Some(sync.machine.ip.to_string()),
        host_ips: Some(vec![HostIP {
            ip: sync.machine.ip.to_string(),
        }]),
        container_statuses: Some(statuses.clone()),
        init_container_statuses: (!inits.is_empty()).then(|| inits.clone()),
        qos_class: Some(pod_qos_class(Some(spec)).to_owned()),
        conditions: Some(conditions(
            pod,
            phase,
            sync.sandbox.is_some(),
            initialised,
            &unready,
            sync.now,
        )),
        ..known
    };
    status.nominated_node_name = None;
    if let Some(sandbox) = sync.sandbox {
        let ip = sandbox.ip.to_string();
        status.pod_ips = Some(vec![PodIP { ip: ip.clone() }]);
        status.pod_ip = Some(ip);
    }
    status
}

/// Whether an init container has done what the others wait for.
fn init_done(spec: &PodSpec, status: &ContainerStatus) -> bool {
    let sidecar = spec
        .init_containers
        .iter()
        .flatten()
        .any(|init| init.name == status.name && init.restart_policy.as_deref() == Some("Always"));
    if sidecar {
        status.started == Some(true)
    } else {
        status.ready
    }
}

/// `Running, 1/2 ready`: the report in short, for the reason of the duty.
pub fn summary(status: &PodStatus) -> String {
    let statuses = status.container_statuses.as_deref().unwrap_or_default();
    let ready = statuses.iter().filter(|status| status.ready).count();
    let waiting = statuses
        .iter()
        .find_map(|status| status.state.as_ref()?.waiting.as_ref()?.reason.as_deref());
    let word = waiting.filter(|reason| !matches!(*reason, "ContainerCreating" | "PodInitializing"));
    let phase = word.or(status.phase.as_deref()).unwrap_or("Unknown");
    format!("{phase}, {ready}/{}", statuses.len())
}
