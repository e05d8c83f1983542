//! The machine without a page, natively: `cargo bench --bench machine`.
//!
//! Prints one line a figure; medians of three runs, because machines are noisy. Parts can be
//! chosen: `-- create forward rollout`.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench measures wall time"
)]

use kube_by_hand::api::{Kind, Object};
use kube_by_hand::apiserver::http::{HttpAnswer, serve};
use kube_by_hand::apiserver::{ApiServer, Config, Request};
use kube_by_hand::cluster::{Cluster, Preset, Setup, admin};
use kube_by_hand::shell::terminal::Terminal;
use kube_by_hand::sim::SimTime;
use serde_json::json;
use std::time::{Duration, Instant};

fn median(mut run: impl FnMut() -> f64) -> f64 {
    middle([run(), run(), run()])
}

fn middle(mut values: [f64; 3]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[1]
}

fn pod(name: &str) -> Object {
    let value = json!({
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}}}]},
    });
    Object::from_value(Kind::Pod, value).expect("a valid Pod")
}

/// Creations per second through authorization, admission, validation and the store.
fn creations() -> f64 {
    let mut server = ApiServer::new(Config::default());
    let pods: Vec<Object> = (0..20_000).map(|n| pod(&format!("web-{n}"))).collect();
    let identity = admin();
    let start = Instant::now();
    for pod in pods {
        server
            .call(SimTime::ZERO, &identity, 0, Request::create(pod))
            .result
            .expect("created");
    }
    20_000.0 / start.elapsed().as_secs_f64()
}

/// What the server does for 1,000 Pods but for its sockets: requests as bytes, then the work of the
/// control plane and of plain kubelets until nothing is left to do. Microseconds a Pod for the
/// requests and for the work.
fn pods(nodes: usize) -> (f64, f64) {
    const PODS: usize = 1_000;
    let mut cluster = Cluster::new(Setup {
        preset: Preset::Autopilot,
        desks: (0..nodes).map(|n| format!("node-{n}")).collect(),
        plain_kubelets: true,
        service_account_admission: true,
        ..Setup::default()
    });
    cluster.advance(Duration::from_secs(10));
    let ask = |n: usize| {
        let body = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web-{n}","labels":{{"app":"web","tier":"front"}}}},"spec":{{"containers":[{{"name":"web","image":"nginx:1.27","ports":[{{"containerPort":80}}],"resources":{{"requests":{{"cpu":"10m","memory":"16Mi"}}}}}}]}}}}"#
        );
        http::Request::post("/api/v1/namespaces/default/pods")
            .header("authorization", "Bearer admin-token")
            .header("content-type", "application/json")
            .header("user-agent", "bench/1")
            .body(body.into_bytes())
            .expect("a request")
    };
    let requests: Vec<_> = (0..PODS).map(ask).collect();
    let start = Instant::now();
    for request in &requests {
        let now = cluster.now();
        let HttpAnswer::Response(response) = serve(&mut cluster.api, now, request) else {
            panic!("no answer");
        };
        assert_eq!(response.status(), 201);
        cluster.after_request();
    }
    let asked = start.elapsed();
    let start = Instant::now();
    cluster.advance(Duration::from_secs(3));
    let worked = start.elapsed();
    let micros = |span: Duration| span.as_secs_f64() * 1e6 / PODS as f64;
    (micros(asked), micros(worked))
}

fn deployment(replicas: usize) -> Object {
    let value = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]},
            },
        },
    });
    Object::from_value(Kind::Deployment, value).expect("a valid Deployment")
}

fn service() -> Object {
    let value = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    });
    Object::from_value(Kind::Service, value).expect("a valid Service")
}

/// A Deployment and a Service from apply until `kubectl wait` has seen every Pod ready, as on the
/// page: CPU seconds, virtual seconds and things that happened.
fn rollout(nodes: usize, replicas: usize) -> (f64, f64, u64) {
    let mut terminal = Terminal::new(Setup {
        preset: Preset::Autopilot,
        desks: (0..nodes).map(|n| format!("node-{n}")).collect(),
        ..Setup::default()
    });
    terminal.advance(Duration::from_secs(60));
    let (begin, before) = (terminal.now(), terminal.cluster.happenings);
    let start = Instant::now();
    for object in [service(), deployment(replicas)] {
        let answer = terminal.cluster.call(&admin(), Request::create(object));
        answer.result.expect("created");
    }
    let line = format!(
        "kubectl wait deployment/web --for=jsonpath={{.status.readyReplicas}}={replicas} --timeout=24h"
    );
    let waited = terminal.run(&line, Duration::from_secs(300));
    assert_eq!(waited.code, Some(0), "{}", waited.stderr());
    (
        start.elapsed().as_secs_f64(),
        terminal.now().since(begin).as_secs_f64(),
        terminal.cluster.happenings - before,
    )
}

/// How many times faster than the wall time runs that nobody looks at, with the checkpoints of a
/// page's session: 4 nodes, 10 Pods, two probes every 5 s each.
fn forward() -> f64 {
    const SPAN: Duration = Duration::from_secs(6 * 3600);
    let probe = json!({"periodSeconds": 5, "httpGet": {"path": "/", "port": 80}});
    let value = json!({
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 10,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27", "readinessProbe": probe, "livenessProbe": probe}]},
            },
        },
    });
    let deployment = Object::from_value(Kind::Deployment, value).expect("a valid Deployment");
    let mut terminal = Terminal::new(Setup {
        preset: Preset::Autopilot,
        desks: (0..4).map(|n| format!("node-{n}")).collect(),
        ..Setup::default()
    });
    for object in [service(), deployment] {
        let answer = terminal.cluster.call(&admin(), Request::create(object));
        answer.result.expect("created");
    }
    terminal.advance(Duration::from_secs(60));
    let start = Instant::now();
    terminal.advance(SPAN);
    SPAN.as_secs_f64() / start.elapsed().as_secs_f64()
}

fn main() {
    // `cargo bench` adds an option of its own.
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|part| !part.starts_with('-'))
        .collect();
    let is_chosen = |part: &str| chosen.is_empty() || chosen.iter().any(|other| other == part);
    if is_chosen("create") {
        println!("in-process creations: {:.0} a second", median(creations));
    }
    for nodes in [0, 10].into_iter().filter(|_| is_chosen("pods")) {
        let rounds = [pods(nodes), pods(nodes), pods(nodes)];
        println!(
            "1,000 Pods, {nodes} nodes: {:.1} µs a request, {:.1} µs of work a Pod",
            middle(rounds.map(|round| round.0)),
            middle(rounds.map(|round| round.1))
        );
    }
    if is_chosen("forward") {
        println!(
            "fast-forward, 4 nodes, 10 Pods with probes: {:.0} ×",
            median(forward)
        );
    }
    let scenes = [(4, 10), (50, 500), (100, 2000)];
    for (nodes, replicas) in scenes.into_iter().filter(|_| is_chosen("rollout")) {
        let mut last = (0.0, 0.0, 0);
        let cpu = median(|| {
            last = rollout(nodes, replicas);
            last.0
        });
        println!(
            "{nodes} nodes, {replicas} replicas: {:.3} s CPU, {:.1} s virtual, {} things happened",
            cpu, last.1, last.2
        );
    }
}
