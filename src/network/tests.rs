use super::*;
use crate::api::{Kind, Object};
use crate::etcd::Key;
use crate::node::ipvs::{IpvsCommand, command};
use crate::node::runtime::ContainerConfig;
use crate::node::{Hardware, NodeAction, Output};
use crate::sim::{Rng, SimTime};
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use serde_json::json;

struct Cluster {
    machines: SortedMap<String, Machine>,
    store: Store,
    now: SimTime,
    rng: Rng,
}

struct Web;

impl Names for Web {
    fn service(&self, namespace: &str, name: &str) -> Option<Resolved> {
        let web = (namespace, name) == ("default", "web");
        web.then(|| Resolved::Addresses(vec![Ipv4Addr::new(10, 96, 0, 10)]))
    }
}

const API: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 0, 1), 6443);

impl Cluster {
    /// `inazu` and `bob`, set up, each with a Pod that says hello: 10.244.0.2 and 10.244.1.2.
    fn new() -> Cluster {
        let mut cluster = Cluster {
            machines: SortedMap::new(),
            store: Store::default(),
            now: SimTime::ZERO,
            rng: Rng::stream(1, "test"),
        };
        for (at, name) in ["inazu", "bob"].into_iter().enumerate() {
            let ip = Ipv4Addr::new(192, 168, 0, 10 + at as u8);
            cluster
                .machines
                .insert(name.to_owned(), Machine::new(name, ip, Hardware::default()));
            let pod_cidr = format!("10.244.{at}.0/24").parse().unwrap();
            cluster.act(name, NodeAction::InstallCni { pod_cidr });
            cluster.act(name, NodeAction::LoadIpvs);
            cluster.run_pod(name, &format!("web-{at}"), "kubebyhand/hello");
        }
        cluster
    }

    fn act(&mut self, machine: &str, action: NodeAction) -> Output {
        let machine = self.machines.get_mut(machine).unwrap();
        let completion = machine.begin(self.now, action, &mut self.rng).unwrap();
        self.now = self.now + completion.after;
        match machine.complete(self.now, completion.id).pop() {
            Some(crate::node::NodeEvent::Done { result, .. }) => result.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn run_pod(&mut self, machine: &str, name: &str, image: &str) -> SandboxId {
        let mut pod = Pod {
            spec: Some(PodSpec::default()),
            ..Pod::default()
        };
        pod.metadata.name = Some(name.to_owned());
        pod.metadata.namespace = Some("default".to_owned());
        pod.metadata.uid = Some(format!("uid-{name}"));
        self.act(
            machine,
            NodeAction::PullImage {
                image: image.to_owned(),
            },
        );
        let Output::Sandbox(sandbox) = self.act(machine, NodeAction::RunPodSandbox { pod: pod.into() })
        else {
            panic!()
        };
        let config = ContainerConfig {
            name: "main".to_owned(),
            image: image.to_owned(),
            ..ContainerConfig::default()
        };
        let action = NodeAction::CreateContainer {
            sandbox: sandbox.clone(),
            config: config.into(),
        };
        let Output::Container(container) = self.act(machine, action) else {
            panic!()
        };
        self.act(machine, NodeAction::StartContainer { container });
        self.now = self.now + Duration::from_secs(5);
        self.machines.get_mut(machine).unwrap().tick(self.now);
        sandbox
    }

    fn ipvsadm(&mut self, machine: &str, line: &str) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let IpvsCommand::Change(change) = command(&words).unwrap() else {
            panic!()
        };
        self.act(machine, NodeAction::Ipvs(change));
    }

    fn send(&mut self, from: &From, request: &Request) -> Trace {
        let latency = Latency::default();
        let mut world = World {
            machines: &mut self.machines,
            names: &Web,
            store: &self.store,
            api_server: Some(API),
            latency,
        };
        super::request(&mut world, self.now, from, request)
    }

    /// What curl shows at a machine: the body, or its error.
    fn curl(&mut self, machine: &str, host: &str, port: u16) -> String {
        let from = From::Node {
            machine: machine.into(),
        };
        let trace = self.send(&from, &Request::get(host, port, "/"));
        shown(&trace)
    }
}

fn shown(trace: &Trace) -> String {
    match &trace.outcome {
        Outcome::Http(response) => response.body.clone(),
        other => trace
            .curl_error()
            .map_or_else(|| format!("{other:?}"), |error| error.to_string()),
    }
}

#[test]
fn pods_answer_at_their_own_addresses_from_anywhere() {
    let mut cluster = Cluster::new();
    assert_eq!(cluster.curl("inazu", "10.244.0.2", 8080), "Hello from web-0\n");
    assert_eq!(cluster.curl("inazu", "10.244.1.2", 8080), "Hello from web-1\n");
    let sandbox = cluster.machines["bob"]
        .runtime()
        .sandboxes()
        .next()
        .unwrap()
        .id
        .clone();
    let from = From::Pod {
        machine: "bob".into(),
        sandbox,
    };
    let trace = cluster.send(&from, &Request::get("localhost", 8080, "/"));
    assert_eq!(shown(&trace), "Hello from web-1\n");
    let from = From::Outside {
        ip: Ipv4Addr::new(192, 168, 0, 99),
    };
    let trace = cluster.send(&from, &Request::get("10.244.0.2", 8080, "/"));
    assert_eq!(trace.outcome, Outcome::Timeout);
}

#[test]
fn a_service_follows_the_table_of_the_machine_that_asks() {
    let mut cluster = Cluster::new();
    cluster.ipvsadm("inazu", "-A -t 10.96.0.10:80 -s rr");
    assert_eq!(
        cluster.curl("inazu", "10.96.0.10", 80),
        "curl: (7) Failed to connect to 10.96.0.10 port 80 after 0 ms: Couldn't connect to server"
    );
    cluster.ipvsadm("inazu", "-a -t 10.96.0.10:80 -r 10.244.0.2:8080 -m");
    cluster.ipvsadm("inazu", "-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m");
    let bodies: Vec<_> = (0..4).map(|_| cluster.curl("inazu", "10.96.0.10", 80)).collect();
    assert_eq!(
        bodies,
        [
            "Hello from web-1\n",
            "Hello from web-0\n",
            "Hello from web-1\n",
            "Hello from web-0\n"
        ]
    );
    for name in ["web", "web.default", "web.default.svc.cluster.local"] {
        assert!(
            cluster.curl("inazu", name, 80).starts_with("Hello from"),
            "{name}"
        );
    }
    // The other desk has no such row: the packet leaves for where nobody is.
    assert_eq!(
        cluster.curl("bob", "10.96.0.10", 80),
        "curl: (28) Failed to connect to 10.96.0.10 port 80 after 134400 ms: Couldn't connect to server"
    );
    // The address is there, the port is not.
    assert!(
        cluster
            .curl("inazu", "10.96.0.10", 81)
            .starts_with("curl: (7) Failed to connect to 10.96.0.10 port 81")
    );
}

#[test]
fn wrong_rules_have_their_consequences() {
    let mut cluster = Cluster::new();
    cluster.ipvsadm("inazu", "-A -t 10.96.0.10:80 -s rr");
    for (rule, expected) in [
        ("-r 10.244.0.2:9999 -m", Outcome::Refused),
        ("-r 10.244.0.77:8080 -m", Outcome::Unreachable),
        ("-r 10.9.9.9:8080 -m", Outcome::Timeout),
        ("-r 10.244.0.2:8080 -m -w 0", Outcome::Refused),
        ("-r 10.244.0.2 -g", Outcome::Timeout),
    ] {
        cluster.ipvsadm("inazu", &format!("-a -t 10.96.0.10:80 {rule}"));
        let trace = cluster.send(
            &From::Node {
                machine: "inazu".into(),
            },
            &Request::get("10.96.0.10", 80, "/"),
        );
        assert_eq!(trace.outcome, expected, "{rule}");
        assert!(
            matches!(trace.hops.last().unwrap().kind, HopKind::Lost(_)),
            "{rule}"
        );
        let server = rule.split(' ').nth(1).unwrap();
        cluster.ipvsadm("inazu", &format!("-d -t 10.96.0.10:80 -r {server}"));
    }
}

#[test]
fn cables_power_and_networks_matter() {
    let mut cluster = Cluster::new();
    let patient = Request {
        connect_timeout: Some(Duration::from_secs(5)),
        ..Request::get("10.244.1.2", 8080, "/")
    };
    let inazu = From::Node {
        machine: "inazu".into(),
    };
    cluster.machines.get_mut("bob").unwrap().unplug();
    let trace = cluster.send(&inazu, &patient);
    assert_eq!(
        shown(&trace),
        "curl: (28) Connection timed out after 5000 milliseconds"
    );
    assert_eq!(
        trace.hops.last().unwrap().kind,
        HopKind::Lost(Loss::Unplugged("bob".into()))
    );
    // On the desk itself all is well.
    assert_eq!(cluster.curl("bob", "10.244.1.2", 8080), "Hello from web-1\n");
    assert!(cluster.curl("bob", "10.244.0.2", 8080).starts_with("curl: (28)"));
    cluster.machines.get_mut("bob").unwrap().plug();
    assert_eq!(cluster.curl("inazu", "10.244.1.2", 8080), "Hello from web-1\n");
    let now = cluster.now;
    cluster.machines.get_mut("bob").unwrap().power_off(now);
    assert_eq!(cluster.send(&inazu, &patient).outcome, Outcome::Timeout);
    cluster.machines.get_mut("bob").unwrap().power_on();
    assert_eq!(cluster.send(&inazu, &patient).outcome, Outcome::Unreachable);
    let bare = Machine::new("carol", Ipv4Addr::new(192, 168, 0, 12), Hardware::default());
    cluster.machines.insert("carol".to_owned(), bare);
    let trace = cluster.send(
        &From::Node {
            machine: "carol".into(),
        },
        &Request::get("10.244.0.2", 8080, "/"),
    );
    assert_eq!(
        trace.hops.last().unwrap().kind,
        HopKind::Lost(Loss::NoPodNetwork("carol".into()))
    );
}

#[test]
fn names_ports_and_servers_that_are_not_what_they_seem() {
    let mut cluster = Cluster::new();
    assert_eq!(
        cluster.curl("inazu", "nope", 80),
        "curl: (6) Could not resolve host: nope"
    );
    assert!(cluster.curl("inazu", "10.244.0.2", 81).starts_with("curl: (7)"));
    assert!(cluster.curl("inazu", "192.168.0.11", 80).starts_with("curl: (7)"));
    assert!(
        cluster
            .curl("inazu", "192.168.0.77", 80)
            .starts_with("curl: (28)")
    );
    assert_eq!(cluster.curl("inazu", "192.168.0.1", 6443), "ApiServer");
    cluster.run_pod("inazu", "cache", "redis");
    assert_eq!(
        cluster.curl("inazu", "10.244.0.3", 6379),
        "curl: (52) Empty reply from server"
    );
    let unknown = From::Node {
        machine: "nobody".into(),
    };
    assert_eq!(
        cluster.send(&unknown, &Request::get("web", 80, "/")).outcome,
        Outcome::Timeout
    );
}

#[test]
fn node_ports_and_services_of_the_api_server() {
    let mut cluster = Cluster::new();
    cluster.ipvsadm("bob", "-A -t 192.168.0.11:30080 -s rr");
    cluster.ipvsadm("bob", "-a -t 192.168.0.11:30080 -r 10.244.0.2:8080 -m");
    assert_eq!(cluster.curl("inazu", "192.168.0.11", 30080), "Hello from web-0\n");
    let from = From::Outside {
        ip: Ipv4Addr::new(192, 168, 0, 99),
    };
    let trace = cluster.send(&from, &Request::get("bob", 30080, "/"));
    assert_eq!(shown(&trace), "Hello from web-0\n");
    assert_eq!(trace.server().unwrap().to_string(), "10.244.0.2:8080");
    let trace = cluster.send(&from, &Request::get("web", 80, "/"));
    assert_eq!(
        trace.outcome,
        Outcome::NameNotResolved,
        "no name server of the cluster's is asked"
    );
    cluster.ipvsadm("inazu", "-A -t 10.96.0.1:443 -s rr");
    cluster.ipvsadm("inazu", "-a -t 10.96.0.1:443 -r 192.168.0.1:6443 -m");
    assert_eq!(cluster.curl("inazu", "10.96.0.1", 443), "ApiServer");
    // Two tables that send a request back and forth.
    cluster.ipvsadm("bob", "-A -t 192.168.0.11:1000 -s rr");
    cluster.ipvsadm("bob", "-a -t 192.168.0.11:1000 -r 192.168.0.10:1000 -m");
    cluster.ipvsadm("inazu", "-A -t 192.168.0.10:1000 -s rr");
    cluster.ipvsadm("inazu", "-a -t 192.168.0.10:1000 -r 192.168.0.11:1000 -m");
    assert!(
        cluster
            .curl("inazu", "192.168.0.10", 1000)
            .starts_with("curl: (28)")
    );
}

#[test]
fn counters_and_logs_tell_of_it() {
    let mut cluster = Cluster::new();
    cluster.run_pod("bob", "front", "nginx");
    cluster.ipvsadm("inazu", "-A -t 10.96.0.10:80 -s rr");
    cluster.ipvsadm("inazu", "-a -t 10.96.0.10:80 -r 10.244.1.3:80 -m");
    let trace = cluster.send(
        &From::Node {
            machine: "inazu".into(),
        },
        &Request::get("web", 80, "/nope?x=1"),
    );
    let Outcome::Http(response) = &trace.outcome else {
        panic!("{trace:?}")
    };
    assert_eq!(response.status, 404);
    let kinds: Vec<_> = trace.hops.iter().map(|hop| hop.kind.to_string()).collect();
    assert_eq!(
        kinds,
        [
            "DNS: web is 10.96.0.10",
            "192.168.0.10 connects to 10.96.0.10:80",
            "IPVS: -t 10.96.0.10:80 goes to 10.244.1.3:80",
            "from inazu to bob",
            "to Pod default/front at 10.244.1.3:80",
        ]
    );
    let key = ServiceKey {
        protocol: crate::node::ipvs::Protocol::Tcp,
        address: Ipv4Addr::new(10, 96, 0, 10),
        port: 80,
    };
    let server = |cluster: &Cluster| {
        let service = cluster.machines["inazu"].ipvs().service(&key).unwrap().clone();
        let server = service.servers().next().unwrap().1.clone();
        (
            server.active_connections(),
            server.inactive_connections(),
            server.stats().connections,
        )
    };
    assert_eq!(server(&cluster), (1, 0, 1));
    let closed = cluster.now + trace.total;
    cluster.machines.get_mut("inazu").unwrap().tick(closed);
    assert_eq!(server(&cluster), (0, 1, 1));
    cluster
        .machines
        .get_mut("inazu")
        .unwrap()
        .tick(closed + Duration::from_secs(120));
    assert_eq!(server(&cluster), (0, 0, 1));
    let front = cluster.machines["bob"]
        .listener(Ipv4Addr::new(10, 244, 1, 3), 80)
        .unwrap();
    let last = front.log().last().unwrap().text.to_string();
    assert!(last.starts_with("192.168.0.10 - - [01/Apr/2026:09:00:"), "{last}");
    assert!(last.contains("] \"GET /nope?x=1 HTTP/1.1\" 404 "), "{last}");
}

#[test]
fn containers_ask_over_the_network_and_wait_for_the_answer() {
    let mut cluster = Cluster::new();
    let script =
        "sleep 1; wget -qO- http://10.244.1.2:8080; wget -q -O- web; curl -m 3 http://10.9.9.9; echo $?";
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let config = ContainerConfig {
        command,
        name: "main".into(),
        image: "busybox".into(),
        ..ContainerConfig::default()
    };
    let sandbox = cluster.run_pod("inazu", "client", "busybox");
    let action = NodeAction::CreateContainer {
        sandbox,
        config: ContainerConfig { attempt: 1, ..config }.into(),
    };
    let Output::Container(container) = cluster.act("inazu", action) else {
        panic!()
    };
    cluster.act(
        "inazu",
        NodeAction::StartContainer {
            container: container.clone(),
        },
    );
    let mut traces = Vec::new();
    while let Some(at) = cluster.machines["inazu"].next_deadline() {
        cluster.now = at;
        for event in cluster.machines.get_mut("inazu").unwrap().tick(at) {
            if let crate::node::NodeEvent::Fetch { container } = event {
                let latency = Latency::default();
                let mut world = World {
                    machines: &mut cluster.machines,
                    names: &Web,
                    store: &cluster.store,
                    api_server: None,
                    latency,
                };
                traces.push(super::fetch(&mut world, at, "inazu", &container).unwrap());
                assert_eq!(super::fetch(&mut world, at, "inazu", &container), None);
            }
        }
    }
    let found = cluster.machines["inazu"]
        .runtime()
        .container(&container)
        .unwrap()
        .clone();
    let log: Vec<_> = found.log().map(|line| &*line.text).collect();
    assert_eq!(
        log,
        [
            "Hello from web-1",
            "wget: can't connect to remote host (10.96.0.10): Connection timed out",
            "curl: (28) Connection timed out after 3000 milliseconds",
            "28",
        ]
    );
    assert_eq!(traces.len(), 3);
    // Started, slept, fetched three times: the time-outs are waited for.
    let ran = found.finished_at.unwrap().since(found.started_at.unwrap());
    assert!(
        ran > Duration::from_secs(138) && ran < Duration::from_secs(139),
        "{ran:?}"
    );
}

#[test]
fn exec_reaches_the_network_and_its_own_pod() {
    let mut cluster = Cluster::new();
    let container = cluster.machines["bob"]
        .runtime()
        .containers()
        .next()
        .unwrap()
        .id
        .clone();
    let argv: Vec<String> = [
        "sh",
        "-c",
        "wget -qO- localhost:8080 && wget -qO- 10.244.0.2:8080 > /seen; cat /seen",
    ]
    .map(str::to_owned)
    .to_vec();
    let latency = Latency::default();
    let mut world = World {
        machines: &mut cluster.machines,
        names: &Web,
        store: &cluster.store,
        api_server: None,
        latency,
    };
    let (executed, traces) = super::exec(&mut world, cluster.now, "bob", &container, &argv).unwrap();
    assert_eq!(executed.stdout, "Hello from web-1\nHello from web-0\n");
    assert_eq!((executed.exit_code, traces.len()), (Some(0), 2));
    assert_eq!(executed.took, traces[0].total + traces[1].total);
    let cat = ["cat".to_owned(), "/seen".to_owned()];
    let seen = cluster
        .machines
        .get_mut("bob")
        .unwrap()
        .exec(cluster.now, &container, &cat)
        .unwrap();
    assert_eq!(seen.stdout, "Hello from web-0\n");
    assert!(
        super::exec(
            &mut World {
                machines: &mut cluster.machines,
                names: &Web,
                store: &cluster.store,
                api_server: None,
                latency
            },
            cluster.now,
            "nobody",
            &container,
            &argv
        )
        .is_err()
    );
}

/// Stores an object; an older one of its name is replaced.
fn store(cluster: &mut Cluster, kind: Kind, value: serde_json::Value) {
    let object = Object::from_value(kind, value).unwrap();
    let key = Key::of(&object);
    if let Some(revision) = cluster.store.get(&key).map(|known| known.mod_revision) {
        cluster.store.delete(&key, revision, 0).unwrap();
    }
    cluster.store.create(key, object, 0).unwrap();
}

/// Stores the only policy there is.
fn policy(cluster: &mut Cluster, spec: serde_json::Value) {
    let value = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": spec});
    store(cluster, Kind::NetworkPolicy, value);
}

/// `inazu` and `bob` with the Pods web-0 and web-1, stored too.
fn with_pods() -> (Cluster, From) {
    let mut cluster = Cluster::new();
    for name in ["web-0", "web-1"] {
        let value = json!({"metadata": {"name": name, "namespace": "default", "labels": {"pod": name}}, "spec": {"containers":
            [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]}});
        store(&mut cluster, Kind::Pod, value);
    }
    let labels =
        json!({"metadata": {"name": "default", "labels": {"kubernetes.io/metadata.name": "default"}}});
    store(&mut cluster, Kind::Namespace, labels);
    let sandbox = cluster.machines["bob"]
        .runtime()
        .sandboxes()
        .next()
        .unwrap()
        .id
        .clone();
    let machine = "bob".into();
    (cluster, From::Pod { machine, sandbox })
}

/// How a request of web-1 to web-0 ends.
fn asks(cluster: &mut Cluster, from: &From, host: &str, port: u16) -> String {
    shown(&cluster.send(from, &Request::get(host, port, "/")))
}

const HELLO: &str = "Hello from web-0\n";

#[test]
fn an_isolated_pod_hears_only_whom_a_policy_lets_in() {
    let (mut cluster, client) = with_pods();
    let web = "10.244.0.2";
    assert_eq!(asks(&mut cluster, &client, web, 8080), HELLO);
    policy(
        &mut cluster,
        json!({"podSelector": {"matchLabels": {"pod": "web-0"}}, "policyTypes": ["Ingress"]}),
    );
    let trace = cluster.send(&client, &Request::get(web, 8080, "/"));
    assert_eq!((&trace.outcome, trace.total), (&Outcome::Timeout, SYN_TIMEOUT));
    let lost = trace.hops.last().unwrap().kind.to_string();
    assert_eq!(lost, "no NetworkPolicy of Pod web-0 lets it in");
    // Its own machine's kubelet must reach it; other machines are strangers.
    assert_eq!(cluster.curl("inazu", web, 8080), HELLO);
    assert!(cluster.curl("bob", web, 8080).contains("(28)"));
    // Others are not selected.
    assert_eq!(cluster.curl("inazu", "10.244.1.2", 8080), "Hello from web-1\n");
    let lets_in = |rule: serde_json::Value| json!({"podSelector": {"matchLabels": {"pod": "web-0"}}, "ingress": [rule]});
    let named = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}});
    for (rule, hears) in [
        (json!({}), true),
        (
            json!({"from": [{"podSelector": {"matchLabels": {"pod": "web-1"}}}]}),
            true,
        ),
        (
            json!({"from": [{"podSelector": {"matchLabels": {"pod": "web-2"}}}]}),
            false,
        ),
        (json!({"from": [named]}), true),
        (
            json!({"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}]}),
            false,
        ),
        (json!({"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}]}), true),
        (
            json!({"from": [{"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.1.0/24"]}}]}),
            false,
        ),
        (json!({"ports": [{"port": 8080}]}), true),
        (json!({"ports": [{"port": "http"}]}), true),
        (json!({"ports": [{"port": 8000, "endPort": 8100}]}), true),
        (
            json!({"ports": [{"port": 80}, {"port": "dns"}, {"port": 8080, "protocol": "UDP"}]}),
            false,
        ),
    ] {
        policy(&mut cluster, lets_in(rule.clone()));
        assert_eq!(asks(&mut cluster, &client, web, 8080) == HELLO, hears, "{rule}");
    }
    // A port that is let through and at which nobody listens refuses, another one is silent.
    policy(&mut cluster, lets_in(json!({"ports": [{"port": 81}]})));
    assert!(asks(&mut cluster, &client, web, 81).contains("(7)"));
    assert!(asks(&mut cluster, &client, web, 82).contains("(28)"));
}

#[test]
fn egress_is_asked_behind_the_service() {
    let (mut cluster, client) = with_pods();
    for line in [
        "-A -t 10.96.0.10:80 -s rr",
        "-a -t 10.96.0.10:80 -r 10.244.0.2:8080 -m",
    ] {
        cluster.ipvsadm("bob", line);
    }
    let lets_out =
        |rules: serde_json::Value| json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": rules});
    policy(
        &mut cluster,
        lets_out(
            json!([{"to": [{"podSelector": {"matchLabels": {"pod": "web-0"}}}], "ports": [{"port": 8080}]}]),
        ),
    );
    assert_eq!(asks(&mut cluster, &client, "web", 80), HELLO);
    let trace = cluster.send(&client, &Request::get("192.168.0.1", 6443, "/"));
    assert_eq!(trace.outcome, Outcome::Timeout);
    let lost = trace.hops.last().unwrap().kind.to_string();
    assert_eq!(lost, "no NetworkPolicy of Pod web-1 lets it out");
    policy(&mut cluster, lets_out(json!([{"ports": [{"port": 80}]}])));
    assert!(asks(&mut cluster, &client, "web", 80).contains("(28)"));
    // Who is on the machine itself is no Pod.
    assert_eq!(cluster.curl("bob", "web", 80), HELLO);
}
