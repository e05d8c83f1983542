//! The only way out of the shell: HTTP-shaped requests and what a host's own programs answer.
//!
//! Everything a tool does goes through [`Transport`], so what `--v=8` shows, what the export
//! writes and what really happened are the same requests.

use crate::sim::SimTime;
use serde_json::Value;
use std::time::Duration;

/// A request as it would go over the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path with query, escaped: `/api/v1/pods?limit=500`.
    pub path: String,
    /// In the order sent; names as written.
    pub headers: Vec<(String, String)>,
    /// Empty when there is none.
    pub body: String,
}

impl ApiRequest {
    pub fn new(method: &str, path: impl Into<String>) -> ApiRequest {
        ApiRequest {
            method: method.to_owned(),
            path: path.into(),
            ..ApiRequest::default()
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> ApiRequest {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// An answer as it came over the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiResponse {
    pub code: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl ApiResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The texts of `Warning: 299 - "…"` headers.
    pub fn warnings(&self) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("warning"))
            .filter_map(|(_, value)| {
                let text = &value[value.find('"')? + 1..value.rfind('"')?];
                Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
            })
            .collect()
    }
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.as_str())
}

/// An open answer that grows: a watch, a followed log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What is new on a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// Some text; for a watch exactly one JSON event, for a log whole lines.
    Data(String),
    /// Nothing yet.
    Pending,
    /// The server closed it.
    End,
}

/// An HTTP exchange with something other than the API server, under way in the simulated network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// Why an exchange in the simulated network gave no answer; curl turns it into its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The name means nothing to this host's resolver.
    UnknownHost,
    /// A packet came back: nobody listens there.
    Refused,
    /// No route from this host.
    Unreachable,
    /// The connection was opened and then reset.
    Reset,
    /// Opened, but closed without an answer.
    EmptyReply,
}

/// What a program of a host printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramOutput {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

/// A program's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    Done(ProgramOutput),
    /// It waits for work on its machine.
    Waiting(Waiting),
}

/// What a program of a host waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The action on the machine.
    pub action: u64,
    /// When it is done at the latest.
    pub until: SimTime,
    /// Printed when it went well; empty to print what the action made.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostState {
    /// There is no machine of that name.
    Unknown,
    /// Cable or power is out.
    Unreachable,
    Up,
}

/// How fast virtual time passes; a matter of the page, not of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Paused,
    /// Thousandths of real time.
    Speed(u32),
}

/// The world as the shell's programs see it.
pub trait Transport {
    /// Virtual time.
    fn now(&self) -> SimTime;

    /// Sends a request to the API server; the answer is immediate in virtual time.
    fn send(&mut self, request: &ApiRequest) -> ApiResponse;

    /// Opens a watch (`?watch=true`) or a followed log (`?follow=true`).
    /// # Errors
    /// The API server's answer when it did not open the stream.
    fn open(&mut self, request: &ApiRequest) -> Result<StreamId, ApiResponse>;

    /// The next piece of a stream.
    fn read(&mut self, stream: StreamId) -> Chunk;

    /// Forgets a stream.
    fn close(&mut self, stream: StreamId);

    /// Starts an HTTP exchange from a host (a node's name, or empty for the reception's own
    /// machine) to `address` (`host:port`), which takes its flight time in the simulated network. Who
    /// asks hangs up after `patience`.
    fn dial(&mut self, from: &str, address: &str, request: &ApiRequest, patience: Duration) -> ExchangeId;

    /// The outcome of an exchange, `None` while packets are under way. Forgotten once returned.
    fn answer(&mut self, exchange: ExchangeId) -> Option<Result<ApiResponse, NetError>>;

    /// Gives up an exchange.
    fn hang_up(&mut self, exchange: ExchangeId);

    /// Starts a program that works on a host itself (`ipvsadm`, `crictl`, `etcdctl`, `kbh`, …);
    /// `None` when there is no such program.
    fn start_program(&mut self, host: &str, argv: &[String], stdin: &str) -> Option<Started> {
        let _ = (host, argv, stdin);
        None
    }

    /// What a program that was waiting printed, once it is done.
    fn finish_program(&mut self, host: &str, waiting: &Waiting) -> Option<ProgramOutput> {
        let _ = (host, waiting);
        None
    }

    /// The names [`Transport::start_program`] knows, for completion.
    fn program_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether a host can be logged in to.
    fn host_state(&self, host: &str) -> HostState {
        let _ = host;
        HostState::Unknown
    }

    /// What `kbh` asks of the session's clock.
    fn set_pace(&mut self, pace: Pace) {
        let _ = pace;
    }

    /// Candidates for the last of `argv` of such a program.
    fn complete_program(&mut self, host: &str, argv: &[String]) -> Vec<String> {
        let _ = (host, argv);
        Vec::new()
    }
}

/// How long a duration is in words of a flag: `1m30s`, `500ms`, `2h`, `0`.
/// # Errors
/// Go's `time.ParseDuration` message.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("time: invalid duration {text:?}");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(bad());
    }
    let mut seconds = 0.0f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let scale = match &rest[..unit] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "" => return Err(format!("time: missing unit in duration {text:?}")),
            other => return Err(format!("time: unknown unit {other:?} in duration {text:?}")),
        };
        rest = &rest[unit..];
        seconds += number * scale;
    }
    if seconds > 1e9 {
        Err(bad())
    } else {
        Ok(Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(
            parse_duration("5").unwrap_err(),
            "time: missing unit in duration \"5\""
        );
        assert!(parse_duration("x").is_err());
    }

    #[test]
    fn warnings_are_unquoted() {
        let response = ApiResponse {
            headers: vec![("Warning".into(), "299 - \"unknown field \\\"a\\\"\"".into())],
            ..Default::default()
        };
        assert_eq!(response.warnings(), ["unknown field \"a\""]);
    }
}
