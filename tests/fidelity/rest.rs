//! Asks the API server's HTTP codec the questions of `rest/requests.txt`.

use crate::requests::{Ask, Body, Step};
use http::{Request, Response};
use kube_by_hand::apiserver::http::{HttpAnswer, OpenWatch, serve};
use kube_by_hand::cluster::{Cluster, Preset, Setup};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a request takes on its way, so that components get their turn between two of them.
const TRIP: Duration = Duration::from_millis(5);
/// How long a watch may go on.
const LONGEST_WATCH: Duration = Duration::from_secs(20);

/// The cluster all recordings were made with: three nodes, kubelets that report Running at once, a
/// control plane on the machine `vm` whose API server listens on port 16443.
pub fn setup() -> Setup {
    Setup {
        preset: Preset::Autopilot,
        desks: (0..3).map(|i| format!("node-{i}")).collect(),
        plain_kubelets: true,
        service_account_admission: true,
        api_port: 16443,
        host: "vm".into(),
        ..Setup::default()
    }
}

pub struct Replay {
    cluster: Cluster,
    /// Answer and question of every case.
    answers: BTreeMap<String, (Value, String)>,
    variables: Vec<(String, String)>,
    last: Value,
    open: Option<(String, String, Watching)>,
}

struct Watching {
    watch: Option<Box<OpenWatch>>,
    response: Response<Vec<u8>>,
}

impl Replay {
    pub fn new() -> Replay {
        let mut cluster = Cluster::new(setup());
        cluster.advance(Duration::from_secs(5));
        Replay {
            cluster,
            answers: BTreeMap::new(),
            variables: Vec::new(),
            last: Value::Null,
            open: None,
        }
    }

    /// Our answer to a case, and the question.
    pub fn answer(&self, name: &str) -> (&Value, &str) {
        let (answer, asked) = self
            .answers
            .get(name)
            .unwrap_or_else(|| panic!("{name} was not asked"));
        (answer, asked)
    }

    pub fn play(&mut self, step: &Step) {
        match step {
            Step::Case(name, ask) => {
                let watching = self.send(ask);
                let response = self.finish(watching);
                let asked = self.asked(ask);
                self.answers
                    .insert(name.clone(), (recorded(&response, ask), asked));
            }
            Step::Send(ask) => {
                let watching = self.send(ask);
                self.last = serde_json::from_slice(watching.response.body()).unwrap_or_default();
                self.poll();
            }
            Step::Open(name, ask) => {
                let watching = self.send(ask);
                self.open = Some((name.clone(), self.asked(ask), watching));
                self.pass(Duration::from_millis(300));
            }
            Step::Close => {
                let (name, asked, watching) = self.open.take().expect("an open watch");
                let response = self.finish(watching);
                let ask = Ask {
                    method: "GET".to_owned(),
                    path: asked.clone(),
                    ..Ask::default()
                };
                self.answers.insert(name, (recorded(&response, &ask), asked));
            }
            Step::Let {
                name,
                source,
                pointer,
            } => {
                let value = self.look_up(source);
                match pointer {
                    Some(pointer) => {
                        let found = value
                            .pointer(pointer)
                            .unwrap_or_else(|| panic!("no {pointer} in {source}"));
                        let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                        self.variables.push((format!("<{name}>"), text));
                    }
                    None => drop(
                        self.answers
                            .insert(name.clone(), (json!({"body": value}), String::new())),
                    ),
                }
            }
            Step::Settle(span) => self.pass(*span),
            Step::Forget => {
                let revision = self.cluster.api.etcd.revision();
                self.cluster.api.etcd.compact(revision);
            }
        }
    }

    fn look_up(&mut self, source: &str) -> Value {
        if source == "answer" {
            return self.last.clone();
        }
        if source.starts_with('/') {
            let ask = Ask {
                method: "GET".to_owned(),
                path: source.to_owned(),
                ..Ask::default()
            };
            return serde_json::from_slice(self.send(&ask).response.body()).unwrap_or_default();
        }
        self.answer(source).0["body"].clone()
    }

    fn pass(&mut self, span: Duration) {
        let end = self.cluster.now() + span;
        while self.cluster.now() < end {
            self.cluster
                .run_until((self.cluster.now() + Duration::from_millis(50)).min(end));
            self.poll();
        }
    }

    /// Reads what the open watch has to say.
    fn poll(&mut self) {
        if let Some((
            _,
            _,
            Watching {
                watch: Some(watch),
                response,
            },
        )) = &mut self.open
        {
            let mut more = watch.poll(&self.cluster.api, self.cluster.now());
            response.body_mut().append(&mut more);
        }
    }

    /// The whole answer, which for a watch takes until it ends.
    fn finish(&mut self, watching: Watching) -> Response<Vec<u8>> {
        let outer = self.open.replace((String::new(), String::new(), watching));
        let until = self.cluster.now() + LONGEST_WATCH;
        self.poll();
        while let Some((
            _,
            _,
            Watching {
                watch: Some(watch), ..
            },
        )) = &self.open
        {
            if watch.ended() {
                break;
            }
            assert!(self.cluster.now() < until, "a watch that does not end");
            self.pass(Duration::from_millis(50));
        }
        let (_, _, watching) = std::mem::replace(&mut self.open, outer).unwrap();
        watching.response
    }

    fn filled(&self, text: &str, quoted: bool) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.variables {
            let value = if quoted { quote(value) } else { value.clone() };
            text = text.replace(name, &value);
        }
        text
    }

    fn body(&self, ask: &Ask) -> Option<String> {
        match ask.body.as_ref()? {
            Body::Text(text) => Some(self.filled(text, false)),
            Body::Answer(case, patch) => {
                let mut value = self.answer(case).0["body"].clone();
                let patch: json_patch::Patch = serde_json::from_str(patch).unwrap();
                json_patch::patch(&mut value, &patch).unwrap();
                Some(value.to_string())
            }
        }
    }

    /// The question as text: path, headers, body.
    fn asked(&self, ask: &Ask) -> String {
        let mut text = self.filled(&ask.path, true);
        for (name, value) in &ask.headers {
            text.push_str(&format!("\n{name}: {value}"));
        }
        text + "\n" + &self.body(ask).unwrap_or_default()
    }

    fn send(&mut self, ask: &Ask) -> Watching {
        self.pass(TRIP);
        let mut request = Request::builder()
            .method(ask.method.as_str())
            .uri(self.filled(&ask.path, true));
        let has = |name: &str| {
            ask.headers
                .iter()
                .any(|header| header.0.eq_ignore_ascii_case(name))
        };
        request = request.header("user-agent", "fidelity/1.0");
        if !has("accept") {
            request = request.header("accept", "application/json");
        }
        match ask.token.as_deref() {
            Some("") => {}
            token => {
                request = request.header(
                    "authorization",
                    format!("Bearer {}", token.unwrap_or("admin-token")),
                )
            }
        }
        let body = self.body(ask);
        if body.is_some() && !has("content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(body.unwrap_or_default().into_bytes()).unwrap();
        let now = self.cluster.now();
        let answer = serve(&mut self.cluster.api, now, &request);
        self.cluster.after_request();
        match answer {
            HttpAnswer::Response(response) => Watching {
                watch: None,
                response,
            },
            HttpAnswer::Watch(watch) => Watching {
                response: watch.head().map(|()| Vec::new()),
                watch: Some(watch),
            },
            HttpAnswer::Proxy(_) => panic!("{} is for a kubelet", ask.path),
        }
    }
}

/// An answer in the form of the recordings.
fn recorded(response: &Response<Vec<u8>>, ask: &Ask) -> Value {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header("content-type").unwrap_or("");
    // An answer to HEAD has no body on the wire.
    let bytes: &[u8] = if ask.method == "HEAD" {
        &[]
    } else {
        response.body()
    };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines = || {
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(serde_json::from_str)
            .collect()
    };
    let is_watch = ask.path.contains("watch=") || ask.path.contains("/watch/");
    let body = if content_type.contains("protobuf") {
        let magic: String = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        json!({"protobuf": true, "magic": magic})
    } else if !content_type.contains("json") {
        Value::String(text)
    } else if let (true, Ok(events)) = (is_watch, lines()) {
        Value::Array(events)
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    let warnings: Vec<_> = response
        .headers()
        .get_all("warning")
        .iter()
        .filter_map(|w| w.to_str().ok())
        .collect();
    let mut headers = serde_json::Map::new();
    for name in ["Retry-After", "Content-Encoding", "Location", "Allow"] {
        if let Some(value) = header(name) {
            headers.insert(name.to_owned(), value.into());
        }
    }
    let content_type = header("content-type");
    json!({"status": response.status().as_u16(), "content_type": content_type, "warnings": warnings, "headers": headers, "body": body})
}

/// Percent-encoding for a query's value.
fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| {
            if plain(b) {
                (b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
