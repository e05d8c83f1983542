//! A picture to build the page against until the machine is there.

use std::rc::Rc;

use crate::cluster::view::*;
use crate::sim::SimTime;

fn pod(name: &str, node: Option<&str>, status: &str, tone: Tone, ip: &str) -> Rc<Pod> {
    Rc::new(Pod {
        namespace: "default".into(),
        name: name.into(),
        node: node.map(Into::into),
        status: status.into(),
        tone,
        ready: tone == Tone::Good,
        ip: ip.into(),
        restarts: u32::from(tone == Tone::Bad) * 3,
        image: "nginx".into(),
        cpu_milli: 250,
        memory_bytes: 64 << 20,
        changed: 1,
    })
}

fn seat(id: &str, human: bool, duties: usize) -> Rc<Seat> {
    let title = id.split('@').next().unwrap_or(id);
    Rc::new(Seat { id: id.into(), title: title.into(), human, duties })
}

fn virt(of: &str) -> Rc<BoardRow> {
    Rc::new(BoardRow { key: "TCP 10.96.0.10:80".into(), protocol: "TCP".into(), address: "10.96.0.10:80".into(), real: None, scheduler: "rr".into(), of: of.into(), changed: SimTime::ZERO })
}

fn real(address: &str, active: u32) -> Rc<BoardRow> {
    Rc::new(BoardRow {
        key: format!("TCP 10.96.0.10:80 {address}").into(),
        protocol: "TCP".into(),
        address: address.into(),
        real: Some(RealServer { forward: "Masq".into(), weight: 1, active, inactive: 2 }),
        scheduler: "".into(),
        of: "web-1".into(),
        changed: SimTime::ZERO,
    })
}

fn desk(name: &str, n: u32, pods: Vec<Rc<Pod>>, board: Vec<Rc<BoardRow>>, registered: bool) -> Rc<Desk> {
    Rc::new(Desk {
        name: name.into(),
        setup: Setup { network: true, ipvs: registered, registered },
        ready: if registered { Readiness::Ready } else { Readiness::Unregistered },
        plugged: true,
        cordoned: name == "bob",
        pod_cidr: if registered { format!("10.244.{n}.0/24").into() } else { "".into() },
        ip: format!("192.168.0.{}", 10 + n).into(),
        cpu: Gauge { used: 250 * pods.len() as u64 + if n == 2 { 1650 } else { 0 }, total: 2000 },
        memory: Gauge { used: 64 * pods.len() as u64 * (1 << 20), total: 4 << 30 },
        pods: pods.into(),
        board: board.into(),
        kubelet: seat(&format!("kubelet@{name}"), n == 0, 1),
        proxy: seat(&format!("kube-proxy@{name}"), n == 1, 1),
        machine: Rc::new([]),
    })
}

pub fn fit() -> Fit {
    Fit {
        desks: Rc::new([
            DeskFit { desk: "suda".into(), verdict: Ok(71) },
            DeskFit { desk: "inazu".into(), verdict: Ok(88) },
            DeskFit { desk: "bob".into(), verdict: Err("Insufficient cpu".into()) },
        ]),
    }
}

pub fn views() -> Views {
    let stamps = |refused: bool| -> Rc<[(Stage, Verdict)]> {
        Rc::new([
            (Stage::Authentication, Verdict::Passed),
            (Stage::Authorization, Verdict::Passed),
            (Stage::Admission, Verdict::Passed),
            (Stage::Validation, if refused { Verdict::Refused } else { Verdict::Passed }),
        ])
    };
    let slip = |id: u64, verb: &str, path: &str, code: u16, message: &str| {
        Rc::new(Slip { id, at: SimTime::from_secs(id), verb: verb.into(), path: path.into(), user: "admin".into(), code, stamps: stamps(code >= 400), message: message.into(), drawer: Some("pods".into()), hand: "person".into() })
    };
    let drawer = |resource: &str, short: &str, count: usize, changed: u64| {
        Rc::new(Drawer { resource: resource.into(), short: short.into(), kind: resource.into(), count, changed })
    };
    Views {
        clock: Rc::new(Clock {
            now: SimTime::from_secs(134),
            end: SimTime::from_secs(200),
            paused: false,
            speed_milli: 1000,
            revision: 128,
            marks: Rc::new([Mark { at: SimTime::from_secs(20), line: "kubectl get nodes".into() }, Mark { at: SimTime::from_secs(90), line: "kubectl run".into() }]),
        }),
        reception: Rc::new(Reception {
            slips: vec![
                slip(1, "POST", "/api/v1/namespaces/default/pods", 201, ""),
                slip(2, "POST", "/apis/apps/v1/namespaces/default/replicasets", 422, "ReplicaSet.apps \"web\" is invalid: spec.selector: Required value"),
                slip(3, "POST", "/api/v1/namespaces/default/pods/web-2/binding", 201, ""),
            ].into(),
            requests: 42,
        }),
        drawers: vec![
            drawer("namespaces", "ns", 4, 1), drawer("nodes", "no", 3, 9), drawer("pods", "po", 6, 128),
            drawer("replicasets", "rs", 1, 20), drawer("deployments", "deploy", 0, 0), drawer("services", "svc", 2, 30),
            drawer("endpoints", "ep", 1, 90), drawer("endpointslices", "eps", 1, 91), drawer("leases", "lease", 3, 120),
            drawer("events", "ev", 14, 121), drawer("configmaps", "cm", 1, 2), drawer("secrets", "secret", 0, 0),
        ].into(),
        seats: vec![seat("scheduler", true, 1), seat("replicaset", false, 0), seat("deployment", false, 0), seat("endpoints", false, 0), seat("endpointslice", false, 0), seat("node-lifecycle", false, 0)].into(),
        tray: vec![pod("web-2", None, "Pending", Tone::Waiting, ""), pod("batch-gpu", None, "Pending", Tone::Waiting, "")].into(),
        desks: vec![
            desk("suda", 0, vec![pod("web-1", Some("suda"), "Running", Tone::Good, "10.244.0.7"), pod("crasher", Some("suda"), "CrashLoopBackOff", Tone::Bad, "10.244.0.8")], vec![virt("web"), real("10.244.0.7:80", 3)], true),
            desk("inazu", 1, vec![pod("web-0", Some("inazu"), "Running", Tone::Good, "10.244.1.4")], vec![virt("web"), real("10.244.0.7:80", 2), real("10.244.1.4:80", 0)], true),
            desk("bob", 2, vec![pod("db-0", Some("bob"), "Running", Tone::Good, "10.244.2.3")], vec![], true),
            desk("dana", 3, vec![], vec![], false),
        ].into(),
        network: Rc::new(Network {
            services: vec![Rc::new(Service { namespace: "default".into(), name: "web".into(), kind: "ClusterIP".into(), cluster_ip: "10.96.0.10".into(), ports: "80/TCP".into(), selector: "app=web".into(), changed: 1 })].into(),
            endpoints: vec![
                Rc::new(Endpoint { namespace: "default".into(), service: "web".into(), address: "10.244.0.7:80".into(), pod: "web-1".into(), node: "suda".into(), ready: true, changed: 1 }),
                Rc::new(Endpoint { namespace: "default".into(), service: "web".into(), address: "10.244.1.4:80".into(), pod: "web-0".into(), node: "inazu".into(), ready: true, changed: 2 }),
            ].into(),
            slices: Rc::new([]),
        }),
        duties: vec![
            Rc::new(Duty { id: "1".into(), seat: "scheduler".into(), why: Why { key: "scheduler.bind".into(), args: Rc::new(["web-2".into(), "inazu".into()]) }, line: super::gesture::bind("default", "web-2", "inazu").into(), carry: None }),
        ].into(),
        requests: Rc::new([]),
        traffic: Rc::default(),
        goals: Rc::new([Goal { id: "bound".into(), met: true }]),
    }
}
