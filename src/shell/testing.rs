//! A transport that replays canned answers and remembers what was asked.

use super::process::Process;
use super::program::{Progress, Session};
use super::transport::{ApiRequest, ApiResponse, Chunk, ExchangeId, NetError, StreamId, Transport};
use crate::api::sorted::SortedMap;
use crate::sim::SimTime;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Default)]
pub struct Fake {
    /// `GET /api/v1/pods` (query left out) → answers in turn; the last one stays.
    pub answers: SortedMap<String, VecDeque<(u16, String)>>,
    pub requests: Vec<ApiRequest>,
    pub events: VecDeque<Chunk>,
    pub time: SimTime,
    pub dialled: Vec<String>,
    pub reply: Option<Result<ApiResponse, NetError>>,
}

impl Fake {
    pub fn on(mut self, request: &str, code: u16, body: Value) -> Fake {
        let body = if let Value::String(text) = body {
            text
        } else {
            body.to_string()
        };
        self.answers
            .entry(request.to_owned())
            .or_default()
            .push_back((code, body));
        self
    }

    /// Runs a line to its end or until it waits: (stdout, stderr, progress).
    pub fn run(&mut self, line: &str) -> (String, String, Progress) {
        let mut session = Session::default();
        self.run_in(&mut session, line)
    }

    pub fn run_in(&mut self, session: &mut Session, line: &str) -> (String, String, Progress) {
        let mut process = Process::new(line);
        let progress = process.poll(session, self);
        (process.output.stdout(), process.output.stderr(), progress)
    }

    /// `GET /path?query` of every request.
    pub fn asked(&self) -> Vec<String> {
        self.requests
            .iter()
            .map(|r| format!("{} {}", r.method, r.path))
            .collect()
    }

    /// The body of the last request.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.requests.last().unwrap().body).unwrap()
    }
}

impl Transport for Fake {
    fn now(&self) -> SimTime {
        self.time
    }

    fn send(&mut self, request: &ApiRequest) -> ApiResponse {
        self.requests.push(request.clone());
        let key = format!("{} {}", request.method, request.path.split('?').next().unwrap());
        let (code, body) = match self.answers.get_mut(&key) {
            Some(queue) if queue.len() > 1 => queue.pop_front().unwrap(),
            Some(queue) => queue[0].clone(),
            None => {
                let name = request
                    .path
                    .split('?')
                    .next()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned();
                (404, json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": format!("things {name:?} not found")}).to_string())
            }
        };
        ApiResponse {
            code,
            headers: Vec::new(),
            body,
        }
    }

    fn open(&mut self, request: &ApiRequest) -> Result<StreamId, ApiResponse> {
        self.requests.push(request.clone());
        Ok(StreamId(1))
    }

    fn read(&mut self, _: StreamId) -> Chunk {
        self.events.pop_front().unwrap_or(Chunk::Pending)
    }

    fn close(&mut self, _: StreamId) {}

    fn dial(&mut self, from: &str, address: &str, request: &ApiRequest, _: Duration) -> ExchangeId {
        self.dialled
            .push(format!("{from}>{address} {} {}", request.method, request.path));
        ExchangeId(1)
    }

    fn answer(&mut self, _: ExchangeId) -> Option<Result<ApiResponse, NetError>> {
        self.reply.take()
    }

    fn hang_up(&mut self, _: ExchangeId) {}
}

#[test]
fn pipes_and_files() {
    let mut fake = Fake::default();
    let mut session = Session::default();
    let mut run = |line: &str| {
        let (out, err, progress) = fake.run_in(&mut session, line);
        (out + &err, progress)
    };
    let done = |code| Progress::Done(code);
    assert_eq!(
        run("echo b > f; echo a >> f; sort f | head -1"),
        ("a\n".into(), done(0))
    );
    assert_eq!(
        run("printf 'x\\ny\\nz\\n' | tail -n 2 | wc -l"),
        ("2\n".into(), done(0))
    );
    assert_eq!(run("cat f | grep -c ."), ("2\n".into(), done(0)));
    assert_eq!(
        run("A='x y'; echo $A \"$A\" ${A}z '$A'"),
        ("x y x y x yz $A\n".into(), done(0))
    );
    assert_eq!(
        run("echo $(echo a; echo b) \"$(echo 'q  r')\""),
        ("a b q  r\n".into(), done(0))
    );
    assert_eq!(run("foo"), ("bash: foo: command not found\n".into(), done(127)));
    assert_eq!(run("false || echo no && echo yes"), ("no\nyes\n".into(), done(0)));
    assert_eq!(
        run("cat nope"),
        ("cat: nope: No such file or directory\n".into(), done(1))
    );
    assert_eq!(run("cat <<E\nA=$A\nE"), ("A=x y\n".into(), done(0)));
    assert_eq!(run("foo 2>/dev/null; echo $?"), ("127\n".into(), done(0)));
    assert_eq!(run("foo 2>&1 | cut -d: -f2"), (" foo\n".into(), done(0)));
    assert_eq!(
        run("echo 'a"),
        (
            "bash: unexpected EOF while looking for matching `''\n".into(),
            done(2)
        )
    );
    assert_eq!(run("a $(echo").1, done(2));
    assert_eq!(run("! true"), (String::new(), done(1)));
    assert_eq!(
        run("printf 'a\\nb\\na\\n' | sort | uniq -c"),
        ("      2 a\n      1 b\n".into(), done(0))
    );
}

#[test]
fn get_prints_tables() {
    let table = json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}, {"name": "IP", "priority": 1}],
        "rows": [{"cells": ["web-1", "1/1", "10.0.0.1"], "object": {"metadata": {"name": "web-1", "namespace": "default", "labels": {"app": "web"}}}}]});
    let mut fake = Fake::default()
        .on("GET /api/v1/namespaces/default/pods", 200, table.clone())
        .on("GET /api/v1/pods", 200, table)
        .on(
            "GET /api/v1/namespaces/default/services",
            200,
            json!({"kind": "Table", "rows": []}),
        );
    assert_eq!(fake.run("kubectl get po").0, "NAME    READY\nweb-1   1/1\n");
    assert_eq!(fake.asked(), ["GET /api/v1/namespaces/default/pods?limit=500"]);
    assert_eq!(
        fake.run("kubectl get pods -A -o wide --show-labels").0,
        "NAMESPACE   NAME    READY   IP         LABELS\ndefault     web-1   1/1     10.0.0.1   app=web\n"
    );
    assert_eq!(
        fake.run("kubectl get pods,svc --no-headers -L app").0,
        "pod/web-1   1/1   web\n"
    );
    assert_eq!(
        fake.run("kubectl get svc").1,
        "No resources found in default namespace.\n"
    );
    assert_eq!(
        fake.run("kubectl get po x").1,
        "Error from server (NotFound): things \"x\" not found\n"
    );
    assert_eq!(
        fake.run("kubectl get --foo").1,
        "error: unknown flag: --foo\nSee 'kubectl get --help' for usage.\n"
    );
    assert_eq!(
        fake.run("kubectl gte").1,
        "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n"
    );
    assert_eq!(
        fake.run("kubectl get nope").1,
        "error: the server doesn't have a resource type \"nope\"\n"
    );
}

#[test]
fn watches_go_on() {
    let row = |name: &str, ready: &str| json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}], "metadata": {"resourceVersion": "7"}, "rows": [{"cells": [name, ready], "object": {}}]});
    let mut fake = Fake::default().on("GET /api/v1/namespaces/default/pods", 200, row("web", "0/1"));
    let mut session = Session::default();
    let mut process = Process::new("kubectl get pods -w | grep web");
    assert_eq!(
        process.poll(&mut session, &mut fake),
        Progress::Waiting { until: None }
    );
    assert_eq!(
        fake.asked()[1],
        "GET /api/v1/namespaces/default/pods?resourceVersion=7&watch=true"
    );
    fake.events.push_back(Chunk::Data(
        json!({"type": "MODIFIED", "object": row("web", "1/1")}).to_string(),
    ));
    fake.events.push_back(Chunk::Data(
        json!({"type": "MODIFIED", "object": row("db", "1/1")}).to_string(),
    ));
    process.poll(&mut session, &mut fake);
    assert_eq!(process.output.stdout(), "web    0/1\nweb    1/1\n");
    process.interrupt(&mut fake);
    assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(130));
}

#[test]
fn curl_speaks_to_both_worlds() {
    let mut fake =
        Fake::default()
            .on("GET /version", 200, json!("{}"))
            .on("POST /api/v1/nodes", 201, json!("made"));
    assert_eq!(fake.run("curl -s https://kube-apiserver:6443/version").0, "{}");
    assert_eq!(fake.run("curl -s -w '%{http_code}\\n' /api/v1/nodes -H 'Content-Type: application/json' --data-binary @- <<'E'\n{\n}\nE").0, "made201\n");
    assert_eq!(fake.requests.last().unwrap().body, "{\n}\n");
    assert!(matches!(
        fake.run("curl http://10.96.0.1").2,
        Progress::Waiting { until: Some(_) }
    ));
    assert_eq!(fake.dialled, [">10.96.0.1:80 GET /"]);
    fake.reply = Some(Err(NetError::Refused));
    assert_eq!(
        fake.run("curl 10.96.0.1:81").1,
        "curl: (7) Failed to connect to 10.96.0.1 port 81 after 0 ms: Couldn't connect to server\n"
    );
    fake.reply = Some(Ok(ApiResponse {
        code: 200,
        headers: vec![],
        body: "hello\n".into(),
    }));
    assert_eq!(fake.run("curl -sS web").0, "hello\n");
    // Each URL in turn, each -o for the next of them; the exit code is that of the last.
    assert_eq!(fake.run("curl -sS /version /version").0, "{}{}");
    assert_eq!(
        fake.run("curl -sS -o a -w '%{url} ' /version /version; cat a").0,
        "/version {}/version {}"
    );
    let (stdout, stderr, progress) = fake.run("curl -sS http://x:99999 /version");
    assert_eq!((stdout.as_str(), progress), ("{}", Progress::Done(0)));
    assert!(stderr.starts_with("curl: (3) URL rejected"), "{stderr}");
    assert_eq!(fake.run("curl -sS /version ftp://x").2, Progress::Done(1));
    let mut fake = fake.on("GET /api", 404, json!("none"));
    let (stdout, stderr, _) = fake.run("curl -sSf -w '%{http_code} %{url}\\n' /api http://x:99999");
    assert_eq!(stdout, "404 /api\n000 http://x:99999\n");
    assert!(
        stderr.starts_with("curl: (22) The requested URL returned error: 404\n"),
        "{stderr}"
    );
    assert_eq!(
        fake.run("curl --foo").1,
        "curl: option --foo: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n"
    );
}

#[test]
fn no_line_breaks_the_shell() {
    const PIECES: &[&str] = &[
        "kubectl",
        "get",
        "pods",
        "-o",
        "jsonpath=",
        "{.items[",
        "{range",
        "{end}",
        "]}",
        "--sort-by",
        "'",
        "\"",
        "|",
        "grep",
        "-E",
        "(a|",
        "[",
        "*",
        "&&",
        ";",
        "$(",
        ")",
        "`",
        "<<E",
        "\n",
        ">",
        "f",
        "-f",
        "-",
        "apply",
        "{\"a\":",
        "create",
        "label",
        "x=",
        "x-",
        "=",
        "--",
        "curl",
        "-d",
        "@f",
        "http://[",
        ":99999",
        "日本",
        "\u{0}",
        "-A",
        "go-template={{",
        "}}",
        "custom-columns=",
        "A:.b",
        "describe",
        "-w",
        "sort",
        "-k",
        "head",
        "-n",
        "$",
        "${",
        "~",
        "delete",
        "--all",
        "wait",
        "--for=jsonpath=",
        "rollout",
        "undo",
        "/",
        "deploy/x",
        ",",
    ];
    let table = json!({"kind": "Table", "columnDefinitions": [{}], "rows": [{"cells": [null, 1]}, {}]});
    let mut fake = Fake::default()
        .on("GET /api/v1/namespaces/default/pods", 200, table)
        .on(
            "GET /apis/apps/v1/namespaces/default/deployments/x",
            200,
            json!({"spec": [1], "metadata": "x"}),
        );
    let mut session = Session::default();
    let mut seed = 7u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..5_000 {
        let mut line = String::new();
        for _ in 0..1 + random(10) {
            line.push_str(PIECES[random(PIECES.len())]);
            if random(3) > 0 {
                line.push(' ');
            }
        }
        let mut process = Process::new(&line);
        for _ in 0..3 {
            process.poll(&mut session, &mut fake);
        }
        process.interrupt(&mut fake);
        fake.requests.clear();
    }
    let long = format!(
        "cat <<E | sort | tail -n 3 | wc -l\n{}E",
        "line\n".repeat(200_000)
    );
    assert_eq!(fake.run(&long).0, "3\n");
}
