//! A kubelet that only reports: Running and Ready in one update, without a container behind it.
//! For servers that tools are tried against.

use super::status::conditions;
use super::{Kubelet, Memory};
use crate::api::Kind;
use crate::api::qos::pod_qos_class;
use crate::apiserver::{DeleteOptions, Request};
use crate::client::helpers::{controller_of, moment, pod_is_terminal, pod_phase};
use crate::etcd::Key;
use crate::node::runtime::ImageName;
use crate::node::{Machine, NodeAction};
use crate::seat::{Duty, Observed, Plan, Why};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStatus, HostIP, Pod,
    PodCondition, PodIP, PodStatus,
};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// How long the Pods of Jobs run.
const JOB_RUNS: Duration = Duration::from_secs(1);

impl Kubelet {
    #[inline(never)]
    pub(super) fn plain_plan(
        &self,
        observed: &Observed<'_, Machine>,
        key: &Key,
        pod: &Arc<Pod>,
        memory: &mut Memory,
    ) -> Plan<NodeAction> {
        let mut plan = Plan::default();
        if pod.metadata.deletion_timestamp.is_some() {
            let options = DeleteOptions {
                grace_period_seconds: Some(0),
                precondition_uid: pod.metadata.uid.clone(),
                ..DeleteOptions::default()
            };
            let request = Request::delete(Kind::Pod, &key.namespace, &key.name, options);
            plan.duties
                .push(Duty::api(Why::new("kubelet.delete", &[&key.name]), request));
            return plan;
        }
        if pod_is_terminal(pod) {
            return plan;
        }
        let started = pod.status.as_ref().and_then(|status| moment(&status.start_time));
        let of_job = controller_of(&pod.metadata).is_some_and(|owner| owner.kind == "Job");
        let phase = match started {
            Some(started) if of_job && pod_phase(pod) == "Running" => {
                let due = started + JOB_RUNS;
                if observed.now < due {
                    plan.again_after(due.since(observed.now));
                    return plan;
                }
                "Succeeded"
            }
            _ if pod_phase(pod) == "Running" => return plan,
            _ => "Running",
        };
        let ip = self.plain_ip(observed.host, pod, memory);
        let status = report(observed, pod, phase, started.unwrap_or(observed.now), ip);
        let why = Why::new("kubelet.report", &[&key.name, phase]);
        let updated = Pod {
            metadata: pod.metadata.clone(),
            spec: pod.spec.clone(),
            status: Some(status),
        };
        plan.duties.push(Duty::api(why, Request::update_status(updated)));
        plan
    }

    /// An address of the machine's range that no other Pod was given.
    fn plain_ip(&self, machine: &Machine, pod: &Pod, memory: &mut Memory) -> Ipv4Addr {
        if let Some(known) = pod
            .status
            .as_ref()
            .and_then(|status| status.pod_ip.as_deref()?.parse().ok())
        {
            return known;
        }
        let of_pod = memory
            .pods
            .entry(pod.metadata.uid.clone().unwrap_or_default())
            .or_default();
        let number = *of_pod.plain_ip.get_or_insert_with(|| {
            memory.last_ip += 1;
            memory.last_ip
        });
        // 0, 1 and 255 of a /24 are taken; after 253 Pods the addresses come round again.
        machine
            .pod_cidr()
            .and_then(|range| range.nth(1 + number % 253 + 1))
            .unwrap_or(machine.ip)
    }
}

fn report(
    observed: &Observed<'_, Machine>,
    pod: &Pod,
    phase: &str,
    started: SimTime,
    ip: Ipv4Addr,
) -> PodStatus {
    let now = observed.now;
    let running = phase == "Running";
    let state = |done: bool| {
        let mut state = ContainerState::default();
        if done {
            state.terminated = Some(ContainerStateTerminated {
                exit_code: 0,
                reason: Some("Completed".to_owned()),
                started_at: Some(started.meta_time()),
                finished_at: Some(now.meta_time()),
                ..ContainerStateTerminated::default()
            });
        } else {
            state.running = Some(ContainerStateRunning {
                started_at: Some(started.meta_time()),
            });
        }
        Some(state)
    };
    let uid = pod.metadata.uid.as_deref().unwrap_or("");
    let of =
        |(number, container): (usize, &k8s_openapi::api::core::v1::Container), done: bool| ContainerStatus {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            ready: !done || !running,
            started: Some(!done),
            state: state(done),
            last_state: Some(ContainerState::default()),
            container_id: Some(format!("containerd://{uid}-{number}")),
            image_id: image_id(container.image.as_deref().unwrap_or("")),
            ..ContainerStatus::default()
        };
    let spec = pod.spec.as_ref();
    let statuses = spec
        .iter()
        .flat_map(|spec| &spec.containers)
        .enumerate()
        .map(|container| ContainerStatus {
            ready: running,
            ..of(container, !running)
        });
    let inits: Vec<ContainerStatus> = spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten())
        .enumerate()
        .map(|(number, init)| {
            let sidecar = init.restart_policy.as_deref() == Some("Always");
            ContainerStatus {
                ready: true,
                ..of((number, init), !sidecar || !running)
            }
        })
        .collect();
    let host = observed.host.ip.to_string();
    PodStatus {
        phase: Some(phase.to_owned()),
        start_time: Some(started.meta_time()),
        host_ip: Some(host.clone()),
        host_ips: Some(vec![HostIP { ip: host }]),
        pod_ip: Some(ip.to_string()),
        pod_ips: Some(vec![PodIP { ip: ip.to_string() }]),
        container_statuses: Some(statuses.collect()),
        init_container_statuses: (!inits.is_empty()).then_some(inits),
        qos_class: Some(pod_qos_class(spec).to_owned()),
        conditions: Some(
            // This kubelet is too plain to follow generations.
            conditions(pod, phase, true, Ok(()), &[], now)
                .into_iter()
                .map(|condition| PodCondition {
                    observed_generation: None,
                    ..condition
                })
                .collect(),
        ),
        ..pod.status.clone().unwrap_or_default()
    }
}

/// The reference a pulled image would have; nothing is pulled here, so its digest is zero.
fn image_id(image: &str) -> String {
    let name = ImageName::parse(image).map_or_else(|_| image.to_owned(), |name| name.to_string());
    format!("{name}@sha256:{}", "0".repeat(64))
}
