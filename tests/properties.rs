//! What must hold whatever happens: seat switches, lost watches, any step size.

use kube_by_hand::api::{Kind, Object};
use kube_by_hand::cluster::{Cluster, Fault, Preset, ProcessId, Setup};
use kube_by_hand::seat::{Mode, SeatId};
use kube_by_hand::shell::Terminal;
use kube_by_hand::sim::SimTime;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const WORK: &str = "kubectl create -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.0.10, selector: {app: web}, ports: [{port: 80}]}
EOF";

fn office() -> Terminal {
    let desks = ["bob", "inazu", "suda"].map(str::to_owned).to_vec();
    Terminal::new(Setup {
        preset: Preset::Autopilot,
        desks,
        ..Setup::default()
    })
}

/// What everybody must agree on in the end, without names and addresses that chance decides.
fn outcome(cluster: &Cluster) -> BTreeMap<String, usize> {
    let mut outcome = BTreeMap::new();
    let pods = cluster
        .api
        .etcd
        .range(Kind::Pod, "default")
        .filter_map(|(_, value)| match &value.object {
            Object::Pod(pod) => Some(pod.clone()),
            _ => None,
        });
    for pod in pods {
        let status = pod.status.as_ref();
        let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("");
        let ready = status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .any(|condition| condition.type_ == "Ready" && condition.status == "True");
        *outcome.entry(format!("pods {phase} ready={ready}")).or_default() += 1;
    }
    let slices = cluster
        .api
        .etcd
        .range(Kind::EndpointSlice, "default")
        .filter_map(|(_, value)| match &value.object {
            Object::EndpointSlice(slice) => Some(slice.clone()),
            _ => None,
        });
    let addresses: usize = slices
        .filter(|slice| {
            slice
                .metadata
                .name
                .as_deref()
                .is_some_and(|name| name.starts_with("web"))
        })
        .map(|slice| slice.endpoints.as_ref().map_or(0, Vec::len))
        .sum();
    outcome.insert("endpoints".to_owned(), addresses);
    for machine in cluster.machines.values() {
        let table = machine.ipvs().save(true);
        outcome.insert(
            format!("rules on {}", machine.name),
            table
                .lines()
                .filter(|line| line.contains("10.96.0.10:80"))
                .count(),
        );
        let running = machine
            .runtime()
            .containers()
            .filter(|container| container.is_running())
            .count();
        *outcome.entry("containers running".to_owned()).or_default() += running;
    }
    outcome
}

#[derive(Clone, Debug)]
enum Step {
    Switch { seat: usize, human: bool },
    Disturb { process: usize, fault: Fault },
    Scale(u8),
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        (0u64..3_000).prop_map(|ms| Fault::Drop(Duration::from_millis(ms))),
        (0u64..3_000).prop_map(|ms| Fault::Delay(Duration::from_millis(ms))),
        Just(Fault::Duplicate),
    ];
    prop_oneof![
        3 => (0usize..64, any::<bool>()).prop_map(|(seat, human)| Step::Switch { seat, human }),
        3 => (0usize..64, fault).prop_map(|(process, fault)| Step::Disturb { process, fault }),
        1 => (0u8..9).prop_map(Step::Scale),
        3 => (0u16..4_000).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Seats change hands and watches break at random; in the end everything is on autopilot, and
    /// the cluster is where pure autopilot would have brought it.
    #[test]
    fn any_interleaving_converges(steps in prop::collection::vec(step(), 1..30)) {
        let mut disturbed = office();
        let mut plain = office();
        disturbed.run(WORK, Duration::ZERO);
        plain.run(WORK, Duration::ZERO);
        let mut replicas = 5;
        for step in steps {
            let seats: Vec<SeatId> = disturbed.cluster.seats().map(|seat| seat.id.clone()).collect();
            let processes: Vec<ProcessId> = disturbed.cluster.process_ids().cloned().collect();
            match step {
                Step::Switch { seat, human } => {
                    let mode = if human { Mode::Human } else { Mode::Autopilot };
                    disturbed.cluster.set_mode(&seats[seat % seats.len()], mode);
                }
                Step::Disturb { process, fault } => {
                    disturbed.cluster.disturb(&processes[process % processes.len()], fault);
                }
                Step::Scale(wanted) => {
                    replicas = wanted;
                    let line = format!("kubectl scale deployment web --replicas={wanted}");
                    prop_assert_eq!(disturbed.run(&line, Duration::ZERO).code, Some(0));
                }
                Step::Wait(ms) => disturbed.advance(Duration::from_millis(u64::from(ms))),
            }
        }
        let seats: Vec<SeatId> = disturbed.cluster.seats().map(|seat| seat.id.clone()).collect();
        for seat in &seats {
            disturbed.cluster.set_mode(seat, Mode::Autopilot);
        }
        plain.run(&format!("kubectl scale deployment web --replicas={replicas}"), Duration::ZERO);
        // Longer than a Pod's grace period, an eviction's toleration and every back-off here.
        plain.advance(Duration::from_secs(900));
        disturbed.advance(Duration::from_secs(900));
        prop_assert_eq!(outcome(&disturbed.cluster), outcome(&plain.cluster));
    }

    /// The same lines at the same moments give the same state, however time is cut.
    #[test]
    fn the_step_size_does_not_matter(cuts in prop::collection::vec(1u64..2_500, 1..40)) {
        let lines = [(0u64, WORK), (2_345, "kubectl scale deployment web --replicas=7"), (9_001, "kbh seat kubelet human"),
            (12_000, "kbh traffic --from bob --rate 3 10.96.0.10"), (15_500, "kbh seat all autopilot"), (20_000, "kbh node unplug suda")];
        let play = |cuts: &[u64]| {
            let mut terminal = office();
            let start = terminal.now();
            let mut lines = lines.iter().peekable();
            let mut at = 0;
            let mut cuts = cuts.iter().cycle();
            while at < 60_000 {
                let next_line = lines.peek().map_or(60_000, |(when, _)| *when);
                at = (at + cuts.next().copied().unwrap_or(1_000)).min(next_line).min(60_000);
                terminal.run_until(start + Duration::from_millis(at));
                while let Some((_, line)) = lines.next_if(|(when, _)| *when == at) {
                    terminal.enter(line);
                }
            }
            terminal.hash()
        };
        prop_assert_eq!(play(&cuts), play(&[60_000]));
    }
}

/// Time runs backwards and forwards again without a trace.
#[test]
fn a_rewound_session_ends_where_it_ended() {
    let mut terminal = office();
    terminal.enter(WORK);
    terminal.run_until(SimTime::from_secs(50));
    let end = terminal.hash();
    for back in [40, 3, 27] {
        terminal.go_to(SimTime::from_secs(back));
        terminal.go_to(SimTime::from_secs(50));
        assert_eq!(terminal.hash(), end, "back to {back} s");
    }
}
