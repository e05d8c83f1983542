//! The machine behind the shell's [`Transport`]: the API server's wire, the simulated network, and
//! the programs of each desk.

use super::tools;
use super::transport::{
    ApiRequest, ApiResponse, Chunk, ExchangeId, HostState, NetError, Pace, ProgramOutput, Started, StreamId,
    Transport, Waiting,
};
use crate::api::sorted::SortedMap;
use crate::apiserver::http::{HttpAnswer, OpenWatch, remote_command, serve};
use crate::apiserver::{ProxyRequest, Subresource};
use crate::cluster::{Cluster, Flight, KubeletAnswer, Setup};
use crate::network::{self, Outcome};
use crate::sim::SimTime;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What the console's programs hold open, and the page's pace.
#[derive(Default)]
pub struct Host {
    next: u64,
    streams: SortedMap<StreamId, Stream>,
    exchanges: SortedMap<ExchangeId, Exchange>,
    /// What `kbh` asked of the clock; the page takes it.
    pub pace: Option<Pace>,
    /// The session `kbh reset` asked for; the terminal begins it.
    pub restart: Option<Setup>,
    /// The line that is at work may not change who sits where.
    pub seats_locked: bool,
}

enum Stream {
    Watch {
        watch: Box<OpenWatch>,
        lines: VecDeque<String>,
    },
    Log {
        proxy: Box<ProxyRequest>,
        seen: Option<Arc<str>>,
    },
}

struct Exchange {
    flight: Flight,
    from: Box<str>,
    /// When the first SYN left, and how many have left since.
    begun: SimTime,
    repeated: u32,
}

/// Linux sends an unanswered SYN again this often (`net.ipv4.tcp_syn_retries`), after 1, 3, 7, … seconds.
const SYN_RETRIES: u32 = 6;

impl Exchange {
    /// When the SYN is sent again: a switchboard that was set right meanwhile then takes it. One that IPVS
    /// gave to a server already has its connection, and goes to that server each time.
    fn repeats_at(&self) -> Option<SimTime> {
        let vain = matches!(self.flight.trace.outcome, Outcome::Timeout);
        let pause = Duration::from_secs((2 << self.repeated) - 1);
        (vain && self.flight.trace.server().is_none() && self.repeated < SYN_RETRIES)
            .then(|| self.begun + pause)
    }

    /// When something is to be done about it; a connection that never comes ends with the patience of
    /// who asked.
    fn due_at(&self) -> Option<SimTime> {
        match self.flight.trace.outcome {
            Outcome::Timeout => self.repeats_at(),
            _ => Some(self.flight.lands()),
        }
    }
}

impl Host {
    /// The host at work on a cluster.
    pub fn attach<'a>(&'a mut self, cluster: &'a mut Cluster) -> Attached<'a> {
        Attached { host: self, cluster }
    }

    /// When something is due that the cluster does not know of: a watch's bookmark or time-out, an
    /// answer that arrives.
    pub fn next_at(&self) -> Option<SimTime> {
        let watches = self.streams.values().filter_map(|stream| match stream {
            Stream::Watch { watch, .. } => watch.next_deadline(),
            Stream::Log { .. } => None,
        });
        watches
            .chain(self.exchanges.values().filter_map(Exchange::due_at))
            .min()
    }
}

/// A [`Host`] with its cluster.
pub struct Attached<'a> {
    host: &'a mut Host,
    pub(super) cluster: &'a mut Cluster,
}

/// An answer as the shell reads it.
fn response(answer: &http::Response<Vec<u8>>) -> ApiResponse {
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or("").to_owned()))
        .collect();
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    ApiResponse {
        code: answer.status().as_u16(),
        headers,
        body,
    }
}

fn refusal(code: u16, reason: &str, message: &str) -> ApiResponse {
    let status = crate::api::Status::new(code, reason, message);
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    ApiResponse {
        code,
        headers,
        body: status.to_value().to_string(),
    }
}

impl Attached<'_> {
    pub(super) fn seats_locked(&self) -> bool {
        self.host.seats_locked
    }

    fn ask(&mut self, request: &ApiRequest) -> Result<HttpAnswer, ApiResponse> {
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(request.path.as_str());
        for (name, value) in &request.headers {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let request = builder
            .body(request.body.clone().into_bytes())
            .map_err(|error| refusal(400, "BadRequest", &error.to_string()))?;
        let now = self.cluster.now();
        let answer = serve(&mut self.cluster.api, now, &request);
        self.cluster.after_request();
        Ok(answer)
    }

    /// Asks for another session.
    pub(super) fn restart(&mut self, setup: Setup) {
        self.host.restart = Some(setup);
    }

    fn stream(&mut self, stream: Stream) -> StreamId {
        self.host.next += 1;
        let id = StreamId(self.host.next);
        self.host.streams.insert(id, stream);
        id
    }

    /// What a kubelet answers to logs and exec.
    fn from_kubelet(&mut self, proxy: &ProxyRequest) -> ApiResponse {
        match self.cluster.kubelet_answer(proxy) {
            Ok(KubeletAnswer::Log(body)) => ApiResponse {
                code: 200,
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                body,
            },
            // It is over before it began: nobody reads on.
            Ok(KubeletAnswer::Attached { .. }) => ApiResponse {
                code: 101,
                headers: Vec::new(),
                body: json!([]).to_string(),
            },
            // Commands here end at once, so that the stream is complete when it opens: its messages
            // as JSON, `[[channel, text], …]`.
            Ok(KubeletAnswer::Exec(messages)) => ApiResponse {
                code: 101,
                headers: vec![(
                    "Sec-WebSocket-Protocol".to_owned(),
                    remote_command::SUBPROTOCOLS[0].to_owned(),
                )],
                body: json!(messages).to_string(),
            },
            Err(status) => ApiResponse {
                code: status.code,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: status.to_value().to_string(),
            },
        }
    }
}

impl Transport for Attached<'_> {
    fn now(&self) -> SimTime {
        self.cluster.now()
    }

    fn send(&mut self, request: &ApiRequest) -> ApiResponse {
        match self.ask(request) {
            Ok(HttpAnswer::Response(answer)) => response(&answer),
            Ok(HttpAnswer::Watch(mut watch)) => {
                // A client that reads a watch to its end gets what is there now.
                let body = watch.poll(&self.cluster.api, self.cluster.now());
                ApiResponse {
                    code: 200,
                    headers: Vec::new(),
                    body: String::from_utf8_lossy(&body).into_owned(),
                }
            }
            Ok(HttpAnswer::Proxy(proxy)) => self.from_kubelet(&proxy),
            Err(refused) => refused,
        }
    }

    fn open(&mut self, request: &ApiRequest) -> Result<StreamId, ApiResponse> {
        match self.ask(request)? {
            HttpAnswer::Response(answer) => Err(response(&answer)),
            HttpAnswer::Watch(watch) => Ok(self.stream(Stream::Watch {
                watch,
                lines: VecDeque::new(),
            })),
            HttpAnswer::Proxy(proxy) if proxy.subresource == Subresource::Log => {
                // The first read answers what there is; a refusal is told at once.
                self.cluster
                    .kubelet_answer(&proxy)
                    .map_err(|status| ApiResponse {
                        code: status.code,
                        headers: Vec::new(),
                        body: status.to_value().to_string(),
                    })?;
                Ok(self.stream(Stream::Log { proxy, seen: None }))
            }
            HttpAnswer::Proxy(proxy) => match self.cluster.kubelet_answer(&proxy) {
                Ok(KubeletAnswer::Attached { behind: seen }) => Ok(self.stream(Stream::Log { proxy, seen })),
                _ => Err(self.from_kubelet(&proxy)),
            },
        }
    }

    fn read(&mut self, stream: StreamId) -> Chunk {
        let now = self.cluster.now();
        match self.host.streams.get_mut(&stream) {
            None => Chunk::End,
            Some(Stream::Watch { watch, lines }) => {
                if lines.is_empty() {
                    let bytes = watch.poll(&self.cluster.api, now);
                    lines.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned));
                }
                match lines.pop_front() {
                    Some(line) => Chunk::Data(line),
                    None if watch.ended() => Chunk::End,
                    None => Chunk::Pending,
                }
            }
            Some(Stream::Log { proxy, seen }) => match self.cluster.kubelet_log_after(proxy, seen.as_ref()) {
                Some((text, last, running)) => {
                    *seen = last;
                    match (text.is_empty(), running) {
                        (false, _) => Chunk::Data(text),
                        (true, true) => Chunk::Pending,
                        (true, false) => Chunk::End,
                    }
                }
                None => Chunk::End,
            },
        }
    }

    fn close(&mut self, stream: StreamId) {
        self.host.streams.remove(&stream);
    }

    fn dial(&mut self, from: &str, address: &str, request: &ApiRequest, patience: Duration) -> ExchangeId {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "80"));
        let asked = network::Request {
            host: host.into(),
            port: port.parse().unwrap_or(80),
            method: request.method.as_str().into(),
            path: request.path.as_str().into(),
            connect_timeout: Some(patience),
        };
        let flight = self.cluster.send(from, asked);
        self.host.next += 1;
        let id = ExchangeId(self.host.next);
        let exchange = Exchange {
            begun: flight.started,
            repeated: 0,
            from: from.into(),
            flight,
        };
        self.host.exchanges.insert(id, exchange);
        id
    }

    fn answer(&mut self, exchange: ExchangeId) -> Option<Result<ApiResponse, NetError>> {
        let known = self.host.exchanges.get_mut(&exchange)?;
        if known.repeats_at().is_some_and(|at| at <= self.cluster.now()) {
            known.repeated += 1;
            let mut again = known.flight.trace.request.clone();
            let waited = self.cluster.now().since(known.begun);
            again.connect_timeout = again.connect_timeout.map(|all| all.saturating_sub(waited));
            known.flight = self.cluster.send(&known.from, again);
        }
        if known.due_at().is_none_or(|at| at > self.cluster.now()) {
            return None;
        }
        let flight = self.host.exchanges.remove(&exchange)?.flight;
        Some(match &flight.trace.outcome {
            Outcome::Http(answer) => Ok(ApiResponse {
                code: answer.status,
                headers: vec![("content-type".to_owned(), answer.content_type.to_owned())],
                body: answer.body.clone(),
            }),
            // Over plain connections nobody is authenticated.
            Outcome::ApiServer => Ok(self.send(&ApiRequest::new("GET", &*flight.trace.request.path))),
            Outcome::NotHttp => Err(NetError::EmptyReply),
            Outcome::Refused => Err(NetError::Refused),
            Outcome::Unreachable | Outcome::Timeout => Err(NetError::Unreachable),
            Outcome::NameNotResolved => Err(NetError::UnknownHost),
        })
    }

    fn hang_up(&mut self, exchange: ExchangeId) {
        self.host.exchanges.remove(&exchange);
    }

    fn start_program(&mut self, host: &str, argv: &[String], stdin: &str) -> Option<Started> {
        tools::start(self, host, argv, stdin)
    }

    fn finish_program(&mut self, host: &str, waiting: &Waiting) -> Option<ProgramOutput> {
        tools::finish(self, host, waiting)
    }

    fn program_names(&self) -> Vec<String> {
        tools::NAMES.iter().map(|name| (*name).to_owned()).collect()
    }

    fn complete_program(&mut self, host: &str, argv: &[String]) -> Vec<String> {
        tools::complete(self.cluster, host, argv)
    }

    fn host_state(&self, host: &str) -> HostState {
        match self.cluster.machine(host) {
            Err(_) => HostState::Unknown,
            Ok(machine) if machine.reachable() => HostState::Up,
            Ok(_) => HostState::Unreachable,
        }
    }

    fn set_pace(&mut self, pace: Pace) {
        self.host.pace = Some(pace);
    }
}

/// What a program printed, done.
pub(super) fn done(stdout: impl Into<String>) -> Started {
    Started::Done(ProgramOutput {
        stdout: stdout.into(),
        stderr: String::new(),
        code: 0,
    })
}

/// What a program complained about.
pub(super) fn failed(stderr: impl Into<String>, code: i32) -> Started {
    Started::Done(ProgramOutput {
        stdout: String::new(),
        stderr: stderr.into(),
        code,
    })
}
