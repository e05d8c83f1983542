use super::runtime::{ContainerConfig, ContainerId, ContainerState, SandboxId, SandboxState};
use super::*;
use crate::sim::{Rng, SimTime, StateHasher};
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use std::net::Ipv4Addr;
use std::time::Duration;

struct Desk {
    machine: Machine,
    now: SimTime,
    rng: Rng,
}

impl Desk {
    fn new() -> Desk {
        let machine = Machine::new("inazu", Ipv4Addr::new(192, 168, 0, 10), Hardware::default());
        let mut desk = Desk {
            machine,
            now: SimTime::ZERO,
            rng: Rng::stream(1, "test"),
        };
        desk.act(NodeAction::InstallCni {
            pod_cidr: "10.244.0.0/24".parse().unwrap(),
        })
        .unwrap();
        desk
    }

    fn act(&mut self, action: NodeAction) -> Result<Output, NodeError> {
        let completion = self.machine.begin(self.now, action, &mut self.rng)?;
        self.now = self.now + completion.after;
        match self.machine.complete(self.now, completion.id).pop() {
            Some(NodeEvent::Done { result, .. }) => result,
            other => panic!("{other:?}"),
        }
    }

    fn sandbox(&mut self, name: &str) -> Result<SandboxId, NodeError> {
        match self.act(NodeAction::RunPodSandbox {
            pod: pod(name).into(),
        })? {
            Output::Sandbox(sandbox) => Ok(sandbox),
            other => panic!("{other:?}"),
        }
    }

    /// Starts a container in a Pod of its own.
    fn start(&mut self, config: ContainerConfig) -> Result<ContainerId, NodeError> {
        self.act(NodeAction::PullImage {
            image: config.image.clone(),
        })?;
        let name = format!("pod-{}", self.machine.runtime().sandboxes().len());
        let sandbox = self.sandbox(&name)?;
        let Output::Container(container) = self.act(NodeAction::CreateContainer {
            sandbox,
            config: config.into(),
        })?
        else {
            panic!()
        };
        self.act(NodeAction::StartContainer {
            container: container.clone(),
        })?;
        Ok(container)
    }

    fn script(&mut self, script: &str) -> ContainerId {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        self.start(ContainerConfig {
            command,
            ..config("busybox")
        })
        .unwrap()
    }

    /// Lets time pass, everything in its own moment.
    fn wait(&mut self, time: Duration) -> Vec<NodeEvent> {
        let end = self.now + time;
        let mut events = Vec::new();
        while let Some(at) = self.machine.next_deadline().filter(|at| *at <= end) {
            events.extend(self.machine.tick(at));
        }
        self.now = end;
        events
    }

    fn container(&self, id: &ContainerId) -> &runtime::Container {
        self.machine.runtime().container(id).unwrap()
    }

    fn log(&self, id: &ContainerId) -> Vec<String> {
        self.container(id)
            .log()
            .map(|line| line.text.to_string())
            .collect()
    }

    fn get(&mut self, id: &ContainerId, port: u16, path: &str) -> Answer {
        let ip = self
            .machine
            .runtime()
            .sandbox(&self.container(id).sandbox)
            .unwrap()
            .ip;
        let request = images::HttpRequest::get(path, "web", Ipv4Addr::new(10, 244, 0, 1));
        self.machine.serve(self.now, ip, port, &request)
    }
}

fn pod(name: &str) -> Pod {
    let mut pod = Pod {
        spec: Some(PodSpec::default()),
        ..Pod::default()
    };
    pod.metadata.name = Some(name.to_owned());
    pod.metadata.namespace = Some("default".to_owned());
    pod.metadata.uid = Some(format!("uid-{name}"));
    pod
}

fn config(image: &str) -> ContainerConfig {
    ContainerConfig {
        name: "main".to_owned(),
        image: image.to_owned(),
        ..ContainerConfig::default()
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn pulls_take_their_time_and_fail_in_containerds_words() {
    let mut desk = Desk::new();
    let before = desk.now;
    desk.act(NodeAction::PullImage {
        image: "nginx".to_owned(),
    })
    .unwrap();
    let took = desk.now.since(before);
    assert!(took > seconds(2) && took < seconds(3), "{took:?}");
    assert_eq!(
        &*desk
            .machine
            .runtime()
            .image("docker.io/library/nginx")
            .unwrap()
            .reference,
        "docker.io/library/nginx:latest"
    );
    let before = desk.now;
    desk.act(NodeAction::PullImage {
        image: "nginx:latest".to_owned(),
    })
    .unwrap();
    assert!(desk.now.since(before) < seconds(1));

    let fails = |desk: &mut Desk, image: &str| {
        desk.act(NodeAction::PullImage {
            image: image.to_owned(),
        })
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        fails(&mut desk, "nginx:1.161"),
        "rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx:1.161\": failed to \
         resolve reference \"docker.io/library/nginx:1.161\": docker.io/library/nginx:1.161: not found"
    );
    assert!(
        fails(&mut desk, "nope")
            .contains("pull access denied, repository does not exist or may require authorization")
    );
    assert!(fails(&mut desk, "Nope").contains("invalid reference format: repository name must be lowercase"));
    desk.machine.unplug();
    assert!(fails(&mut desk, "busybox").contains("lookup registry-1.docker.io"));
    assert!(desk.machine.runtime().image("busybox").is_none());
}

#[test]
fn sandboxes_hold_addresses_until_they_stop() {
    let mut desk = Desk::new();
    let first = desk.sandbox("a").unwrap();
    assert_eq!(
        desk.machine.runtime().sandbox(&first).unwrap().ip,
        Ipv4Addr::new(10, 244, 0, 2)
    );
    assert!(
        desk.sandbox("a")
            .unwrap_err()
            .to_string()
            .contains("is reserved for")
    );
    desk.act(NodeAction::StopPodSandbox {
        sandbox: first.clone(),
    })
    .unwrap();
    assert_eq!(
        desk.machine.runtime().sandbox(&first).unwrap().state,
        SandboxState::NotReady
    );
    assert_eq!(desk.machine.pod_addresses(), 0);
    let again = desk.sandbox("a").unwrap();
    let again = desk.machine.runtime().sandbox(&again).unwrap();
    assert_eq!((again.ip, again.attempt), (Ipv4Addr::new(10, 244, 0, 3), 1));
    desk.act(NodeAction::RemovePodSandbox {
        sandbox: first.clone(),
    })
    .unwrap();
    desk.act(NodeAction::RemovePodSandbox { sandbox: first }).unwrap();
    assert_eq!(desk.machine.runtime().sandboxes().len(), 1);

    let mut host = pod("host");
    host.spec.as_mut().unwrap().host_network = Some(true);
    desk.act(NodeAction::RunPodSandbox { pod: host.into() }).unwrap();
    assert_eq!(desk.machine.pod_addresses(), 1);
    let mut bare = Machine::new("new", Ipv4Addr::new(192, 168, 0, 11), Hardware::default());
    let action = NodeAction::RunPodSandbox { pod: pod("x").into() };
    let completion = bare.begin(SimTime::ZERO, action, &mut desk.rng).unwrap();
    let events = bare.complete(SimTime::ZERO, completion.id);
    let Some(NodeEvent::Done {
        result: Err(error), ..
    }) = events.last()
    else {
        panic!("{events:?}")
    };
    assert!(
        error.to_string().ends_with("cni plugin not initialized"),
        "{error}"
    );
}

#[test]
fn servers_listen_after_a_moment_and_stop_at_sigterm() {
    let mut desk = Desk::new();
    let nginx = desk.start(config("nginx")).unwrap();
    assert_eq!(desk.get(&nginx, 80, "/"), Answer::Refused);
    desk.wait(seconds(1));
    let Answer::Http(response) = desk.get(&nginx, 80, "/") else {
        panic!()
    };
    assert!(response.status == 200 && response.body.contains("Welcome to nginx!"));
    assert_eq!(desk.get(&nginx, 8080, "/"), Answer::Refused);
    assert_eq!(desk.container(&nginx).listening(), [80]);

    let stop = NodeAction::StopContainer {
        container: nginx.clone(),
        grace: seconds(30),
    };
    let completion = desk.machine.begin(desk.now, stop, &mut desk.rng).unwrap();
    assert!(completion.after < seconds(1));
    assert_eq!(desk.get(&nginx, 80, "/"), Answer::Refused);
    let events = desk.machine.complete(desk.now + completion.after, completion.id);
    assert!(
        matches!(events[0], NodeEvent::ContainerExited { exit_code: 0, .. }),
        "{events:?}"
    );
    assert_eq!(
        (desk.container(&nginx).state, desk.container(&nginx).reason),
        (ContainerState::Exited, "Completed")
    );
}

#[test]
fn a_shell_that_ignores_sigterm_is_killed_after_its_grace() {
    let mut desk = Desk::new();
    let sleeper = desk.script("sleep 3600");
    let before = desk.now;
    desk.act(NodeAction::StopContainer {
        container: sleeper.clone(),
        grace: seconds(30),
    })
    .unwrap();
    assert_eq!(desk.now.since(before), seconds(30));
    assert_eq!(
        (
            desk.container(&sleeper).exit_code,
            desk.container(&sleeper).reason
        ),
        (137, "Error")
    );

    let polite = desk.script("trap 'echo bye; exit 3' TERM; while true; do sleep 1; done");
    desk.act(NodeAction::StopContainer {
        container: polite.clone(),
        grace: seconds(30),
    })
    .unwrap();
    assert_eq!(desk.container(&polite).exit_code, 3);
}

#[test]
fn scripts_run_in_virtual_time() {
    let mut desk = Desk::new();
    for (script, after, code, lines) in [
        ("sleep 5; exit 7", 5, 7, ""),
        ("echo one; sleep 2s; echo two", 2, 0, "one|two"),
        ("for i in 1 2 3; do echo $i; sleep 1; done", 3, 0, "1|2|3"),
        (
            "i=0; while [ $i -lt 3 ]; do i=$((i+1)); sleep 1; done; echo $i",
            3,
            0,
            "3",
        ),
        ("false && echo no || echo yes", 0, 0, "yes"),
        (
            "if [ -f /x ]; then echo there; elif true; then echo else; fi; exit $?",
            0,
            0,
            "else",
        ),
        ("touch /x; [ -f /x ] && rm /x; test ! -e /x; echo $?", 0, 0, "0"),
        (
            "echo a > /f; echo b >> /f; cat /f; cat /nope",
            0,
            1,
            "a|b|cat: can't open '/nope': No such file or directory",
        ),
        (
            "until [ -f /ready ]; do sleep 1; touch /ready; done; ! false",
            1,
            0,
            "",
        ),
        (
            "while true; do for i in a b; do [ $i = b ] && break; echo $i; done; break; done; echo end",
            0,
            0,
            "a|end",
        ),
        (
            "for i in 1 2; do for j in x y; do echo $i$j; done; done",
            0,
            0,
            "1x|1y|2x|2y",
        ),
        (
            "X=\"a b\"; echo $X \"$X\" '$X' ${Y:-none} $(hostname)",
            0,
            0,
            "a b a b $X none pod-11",
        ),
        ("nope", 0, 127, "sh: nope: not found"),
        ("if", 0, 2, "sh: syntax error: unexpected end of file"),
        ("echo 'x", 0, 2, "sh: syntax error: unterminated quoted string"),
        ("cat /a | grep x", 0, 2, "sh: pipes are not supported here"),
        ("date +%s", 0, 0, ""),
        ("printf '%s-%s\\n' a b # comment", 0, 0, "a-b"),
        ("exit 300", 0, 44, ""),
    ] {
        let container = desk.script(script);
        let started = desk.container(&container).started_at.unwrap();
        desk.wait(seconds(10));
        let found = desk.container(&container);
        assert_eq!(found.state, ContainerState::Exited, "{script}");
        assert_eq!(
            found.finished_at.unwrap().since(started),
            seconds(after),
            "{script}"
        );
        assert_eq!(found.exit_code, code, "{script}: {:?}", desk.log(&container));
        if !script.starts_with("date") {
            assert_eq!(desk.log(&container).join("|"), lines, "{script}");
        }
    }
}

#[test]
fn a_script_without_end_or_sleep_keeps_the_machine_alive_and_busy() {
    let mut desk = Desk::new();
    let busy = desk.script("while :; do :; done");
    desk.wait(seconds(1));
    assert!(desk.container(&busy).is_running());
    assert_eq!(desk.container(&busy).usage(desk.now).0, 1_000);
    let chatty = desk.script("while true; do echo x; done");
    desk.wait(seconds(1));
    assert_eq!(desk.container(&chatty).log().len(), runtime::LOG_LINES);
    let growing = desk.script("x=ｘ; while true; do x=$x$x$x; echo $x; echo $x >> /f; done");
    desk.wait(seconds(10));
    let logged: usize = desk.container(&growing).log().map(|line| line.text.len()).sum();
    assert!(logged < 1 << 20, "{logged}");
    let wide = desk.script(&format!("x=$(seq 1 3000); echo {}", "$x".repeat(20_000)));
    assert_eq!(desk.container(&wide).exit_code, 0);
    let nested = desk.script(&"(".repeat(10_000));
    assert_eq!(desk.container(&nested).exit_code, 2);
}

#[test]
fn crashers_leakers_and_what_cannot_start() {
    let mut desk = Desk::new();
    let crasher = desk
        .start(ContainerConfig {
            args: vec!["3".to_owned()],
            ..config("kubebyhand/crasher")
        })
        .unwrap();
    let events = desk.wait(seconds(4));
    assert!(
        matches!(&events[..], [NodeEvent::ContainerExited { exit_code: 1, .. }]),
        "{events:?}"
    );
    assert_eq!(desk.container(&crasher).reason, "Error");

    let limit = Some(64 << 20);
    let leaker = desk
        .start(ContainerConfig {
            memory_limit_bytes: limit,
            ..config("kubebyhand/leaker")
        })
        .unwrap();
    desk.wait(seconds(5));
    assert!(desk.container(&leaker).is_running());
    assert_eq!(desk.container(&leaker).usage(desk.now).1 >> 20, 54);
    desk.wait(seconds(2));
    assert_eq!(
        (desk.container(&leaker).exit_code, desk.container(&leaker).reason),
        (137, "OOMKilled")
    );

    let small = desk
        .start(ContainerConfig {
            memory_limit_bytes: Some(1 << 20),
            ..config("redis")
        })
        .unwrap();
    desk.wait(seconds(1));
    assert_eq!(desk.container(&small).reason, "OOMKilled");

    let wrong = ContainerConfig {
        command: vec!["nope".to_owned()],
        ..config("nginx")
    };
    let error = desk.start(wrong).unwrap_err().to_string();
    assert!(
        error.ends_with("exec: \"nope\": executable file not found in $PATH: unknown"),
        "{error}"
    );
    let failed = desk
        .machine
        .runtime()
        .containers()
        .find(|container| container.reason == "StartError")
        .unwrap();
    assert_eq!(failed.exit_code, 128);

    let database = desk.start(config("postgres:16")).unwrap();
    desk.wait(seconds(1));
    assert_eq!(desk.container(&database).exit_code, 1);
    let env = vec![("POSTGRES_PASSWORD".to_owned(), "x".to_owned())];
    let database = desk
        .start(ContainerConfig {
            env,
            ..config("postgres:16")
        })
        .unwrap();
    desk.wait(seconds(3));
    assert_eq!(desk.get(&database, 5432, "/"), Answer::NotHttp);
}

#[test]
fn web_servers_answer_in_character() {
    let mut desk = Desk::new();
    let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (image, arguments, port, path, expected) in [
        (
            "hashicorp/http-echo:1.0",
            "-text=hi -listen=:8081",
            8081,
            "/",
            "hi\n",
        ),
        ("kubebyhand/hello:2.0", "", 8080, "/version", "2.0\n"),
        (
            "gcr.io/google-samples/hello-app:1.0",
            "",
            8080,
            "/",
            "Hello, world!\nVersion: 1.0.0\nHostname: pod-2\n",
        ),
        (
            "registry.k8s.io/e2e-test-images/agnhost:2.40",
            "serve-hostname",
            9376,
            "/",
            "pod-3",
        ),
        (
            "httpd",
            "",
            80,
            "/",
            "<html><body><h1>It works!</h1></body></html>\n",
        ),
    ] {
        let args = if arguments.is_empty() {
            Vec::new()
        } else {
            args(arguments)
        };
        let container = desk
            .start(ContainerConfig {
                args,
                ..config(image)
            })
            .unwrap();
        desk.wait(seconds(1));
        let Answer::Http(response) = desk.get(&container, port, path) else {
            panic!("{image}")
        };
        assert_eq!(response.body, expected, "{image}");
    }
    let liveness = ContainerConfig {
        args: args("liveness"),
        ..config("registry.k8s.io/e2e-test-images/agnhost:2.40")
    };
    let liveness = desk.start(liveness).unwrap();
    desk.wait(seconds(9));
    assert!(
        matches!(desk.get(&liveness, 8080, "/healthz"), Answer::Http(response) if response.status == 200)
    );
    desk.wait(seconds(2));
    assert!(
        matches!(desk.get(&liveness, 8080, "/healthz"), Answer::Http(response) if response.status == 500)
    );
}

#[test]
fn exec_shares_the_files_of_the_container() {
    let mut desk = Desk::new();
    let nginx = desk.start(config("nginx")).unwrap();
    desk.wait(seconds(1));
    let now = desk.now;
    let exec = |desk: &mut Desk, line: &str| {
        let argv = shlex::split(line).unwrap();
        desk.machine.exec(now, &nginx, &argv)
    };
    let done = exec(
        &mut desk,
        "sh -c 'echo mine > /usr/share/nginx/html/index.html; sleep 2; exit 4'",
    )
    .unwrap();
    assert_eq!((done.exit_code, done.took), (Some(4), seconds(2)));
    assert!(matches!(desk.get(&nginx, 80, "/"), Answer::Http(response) if response.body == "mine\n"));
    assert_eq!(exec(&mut desk, "hostname").unwrap().stdout, "pod-0\n");
    assert_eq!(exec(&mut desk, "cat /nope").unwrap().exit_code, Some(1));
    assert_eq!(exec(&mut desk, "sleep infinity").unwrap().exit_code, None);
    assert!(
        exec(&mut desk, "nope")
            .unwrap_err()
            .contains("executable file not found in $PATH")
    );
    desk.act(NodeAction::StopContainer {
        container: nginx.clone(),
        grace: seconds(1),
    })
    .unwrap();
    let argv = ["true".to_owned()];
    assert!(desk.machine.exec(now, &nginx, &argv).is_err());
}

#[test]
fn power_off_kills_what_runs_and_keeps_what_is_on_disk() {
    let mut desk = Desk::new();
    let nginx = desk.start(config("nginx")).unwrap();
    desk.act(NodeAction::LoadIpvs).unwrap();
    let pull = NodeAction::PullImage {
        image: "redis".to_owned(),
    };
    let pending = desk.machine.begin(desk.now, pull.clone(), &mut desk.rng).unwrap();
    assert!(desk.machine.is_doing(&pull));
    let twice = desk
        .machine
        .begin(desk.now, pull.clone(), &mut desk.rng)
        .unwrap_err();
    assert!(matches!(
        twice,
        NodeError::Runtime {
            code: "AlreadyExists",
            ..
        }
    ));
    desk.machine.power_off(desk.now);
    assert_eq!(
        (desk.container(&nginx).exit_code, desk.container(&nginx).reason),
        (255, "Unknown")
    );
    assert_eq!(
        desk.machine.begin(desk.now, pull, &mut desk.rng),
        Err(NodeError::Off)
    );
    assert_eq!(desk.machine.complete(desk.now, pending.id), []);
    assert_eq!(desk.machine.next_deadline(), None);
    desk.machine.power_on();
    assert!(
        desk.machine.runtime().image("nginx").is_some() && desk.machine.runtime().image("redis").is_none()
    );
    assert_eq!(desk.machine.pod_addresses(), 0);
    assert_eq!(desk.machine.next_deadline(), None);
}

#[test]
fn the_same_work_gives_the_same_machine() {
    let work = || {
        let mut desk = Desk::new();
        desk.start(config("nginx")).unwrap();
        desk.script("while true; do echo $(date); sleep 7; done");
        desk.wait(seconds(60));
        let mut hasher = StateHasher::new();
        desk.machine.hash_state(&mut hasher);
        hasher.finish()
    };
    assert_eq!(work(), work());
}

#[test]
fn crictl_lists_what_is_there() {
    let mut desk = Desk::new();
    let nginx = desk.start(config("nginx")).unwrap();
    desk.wait(seconds(90));
    let runtime = desk.machine.runtime();
    let ps = runtime::ps_table(
        runtime,
        &runtime::newest_containers(runtime, &|own| own.is_running()),
        desk.now,
    );
    let lines: Vec<&str> = ps.lines().collect();
    assert!(
        lines[0].starts_with("CONTAINER           IMAGE               CREATED              STATE "),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(nginx.short()) && lines[1].contains("About a minute ago   Running "),
        "{}",
        lines[1]
    );
    assert!(
        runtime::pods_table(&runtime::newest_sandboxes(runtime, &|_| true), desk.now)
            .contains("Ready               pod-0")
    );
    assert!(runtime::images_table(runtime).contains("docker.io/library/nginx   latest              "));
}
