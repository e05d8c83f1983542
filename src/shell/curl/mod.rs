//! curl, against the API server and against what the simulated network answers.

mod options;
mod url;

use super::kubectl::kube::reason_phrase;
use super::program::{Io, Program, Progress};
use super::transport::{ApiRequest, ApiResponse, Chunk, ExchangeId, NetError, StreamId, Transport};
use crate::sim::SimTime;
use options::{Options, read};
use url::{Target, parse_url};

/// A curl command line as a program.
pub fn start(args: &[String]) -> Box<dyn Program> {
    Box::new(Curl {
        args: args.to_vec(),
        state: State::New,
        options: Options::default(),
        transfer: 0,
        deadline: None,
        target: Target::default(),
    })
}

enum State {
    New,
    Flying(ExchangeId),
    Streaming(StreamId),
    Done,
}

struct Curl {
    args: Vec<String>,
    state: State,
    options: Options,
    /// Which of the URLs it is at.
    transfer: usize,
    deadline: Option<SimTime>,
    target: Target,
}

/// Seconds until the kernel gives up a connection whose packets vanish.
const CONNECT_TIMEOUT_SECONDS: f64 = 130.0;

impl Program for Curl {
    /// Each URL in turn, whatever became of those before it; the exit code is that of the last.
    fn poll(&mut self, io: &mut Io) -> Progress {
        loop {
            match self.go_on(io) {
                Progress::Done(_) if self.transfer + 1 < self.options.urls.len() => {
                    self.transfer += 1;
                    self.state = State::New;
                }
                progress => return progress,
            }
        }
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        match self.state {
            State::Flying(exchange) => transport.hang_up(exchange),
            State::Streaming(stream) => transport.close(stream),
            _ => {}
        }
    }
}

type Refusal = (i32, String);

impl Curl {
    fn go_on(&mut self, io: &mut Io) -> Progress {
        match self.state {
            State::New => match self.begin(io) {
                Ok(progress) => progress,
                Err((code, message)) => self.fail(io, code, &message, None),
            },
            State::Flying(exchange) => match io.transport.answer(exchange) {
                Some(Ok(answer)) => self.finish(io, &answer),
                Some(Err(error)) => {
                    let (host, port) = (self.target.host.clone(), self.target.port);
                    let (code, message) = match error {
                        NetError::UnknownHost => (6, format!("Could not resolve host: {host}")),
                        NetError::Refused => (
                            7,
                            format!(
                                "Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"
                            ),
                        ),
                        NetError::Unreachable => (
                            7,
                            format!("Failed to connect to {host} port {port} after 0 ms: No route to host"),
                        ),
                        NetError::Reset => (56, "Recv failure: Connection reset by peer".to_owned()),
                        NetError::EmptyReply => (52, "Empty reply from server".to_owned()),
                    };
                    self.fail(io, code, &message, None)
                }
                None if self.deadline.is_some_and(|at| io.transport.now() >= at) => {
                    io.transport.hang_up(exchange);
                    match self.options.max_time {
                        Some(seconds) => {
                            let millis = (seconds * 1000.0) as u64;
                            self.fail(
                                io,
                                28,
                                &format!("Connection timed out after {millis} milliseconds"),
                                None,
                            )
                        }
                        None => {
                            let message = format!(
                                "Failed to connect to {} port {} after {} ms: Couldn't connect to server",
                                self.target.host,
                                self.target.port,
                                (self.options.connect_timeout.unwrap_or(CONNECT_TIMEOUT_SECONDS) * 1000.0)
                                    as u64
                            );
                            self.fail(io, 28, &message, None)
                        }
                    }
                }
                None => Progress::Waiting { until: self.deadline },
            },
            State::Streaming(stream) => loop {
                match io.transport.read(stream) {
                    Chunk::Data(text) => {
                        let text = if text.ends_with('\n') {
                            text
                        } else {
                            format!("{text}\n")
                        };
                        io.out(&text);
                    }
                    Chunk::Pending if self.deadline.is_some_and(|at| io.transport.now() >= at) => {
                        io.transport.close(stream);
                        let millis = (self.options.max_time.unwrap_or(0.0) * 1000.0) as u64;
                        return self.fail(
                            io,
                            28,
                            &format!("Operation timed out after {millis} milliseconds with 0 bytes received"),
                            None,
                        );
                    }
                    Chunk::Pending => return Progress::Waiting { until: self.deadline },
                    Chunk::End => {
                        io.transport.close(stream);
                        return Progress::Done(0);
                    }
                }
            },
            State::Done => Progress::Done(0),
        }
    }

    fn begin(&mut self, io: &mut Io) -> Result<Progress, Refusal> {
        if self.transfer == 0 {
            let reads_stdin = self.args.iter().any(|a| a.ends_with("@-"));
            if reads_stdin && !io.stdin.closed {
                return Ok(Progress::Waiting { until: None });
            }
            self.options = read(&self.args, io)?;
        }
        let Some(url) = self.options.urls.get(self.transfer).cloned() else {
            io.err("curl: try 'curl --help' or 'curl --manual' for more information\n");
            return Ok(Progress::Done(2));
        };
        self.target = parse_url(&url, &io.session.server)?;
        let options = &self.options;
        let mut path = self.target.path.clone();
        let mut body = options.data.clone();
        if options.get
            && let Some(data) = body.take()
        {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&data);
        }
        let method = options.method.clone().unwrap_or_else(|| {
            if options.head {
                "HEAD"
            } else if body.is_some() {
                "POST"
            } else {
                "GET"
            }
            .to_owned()
        });
        let mut request = ApiRequest::new(&method, path);
        let default_port = self.target.port == if self.target.https { 443 } else { 80 };
        let host = if default_port {
            self.target.host.clone()
        } else {
            format!("{}:{}", self.target.host, self.target.port)
        };
        request = request.with_header("Host", host).with_header(
            "User-Agent",
            options.user_agent.as_deref().unwrap_or("curl/8.5.0"),
        );
        if !options.headers.iter().any(|h| h.0.eq_ignore_ascii_case("accept")) {
            request = request.with_header("Accept", if options.json { "application/json" } else { "*/*" });
        }
        if body.is_some()
            && !options
                .headers
                .iter()
                .any(|h| h.0.eq_ignore_ascii_case("content-type"))
        {
            request = request.with_header(
                "Content-Type",
                if options.json {
                    "application/json"
                } else {
                    "application/x-www-form-urlencoded"
                },
            );
        }
        request.headers.extend(options.headers.iter().cloned());
        request.body = body.unwrap_or_default();
        if options.verbose {
            self.show_request(io, &request);
        }
        let limit = options
            .max_time
            .into_iter()
            .chain(options.connect_timeout)
            .reduce(f64::min);
        if self.target.api {
            // As `kubectl proxy` does on localhost: the session's own identity.
            if !self.target.https && request.header("Authorization").is_none() {
                let config = io.session.kubeconfig();
                if !config.token().is_empty() {
                    request = request.with_header("Authorization", format!("Bearer {}", config.token()));
                }
            }
            let query = request.path.split_once('?').map_or("", |(_, q)| q);
            let streams = method == "GET"
                && query
                    .split('&')
                    .any(|p| matches!(p, "watch" | "watch=1" | "watch=true" | "follow=true" | "follow=1"));
            if streams {
                return match io.transport.open(&request) {
                    Ok(stream) => {
                        self.deadline = options.max_time.map(|s| {
                            io.transport.now() + std::time::Duration::from_secs_f64(s.clamp(0.0, 1e9))
                        });
                        self.state = State::Streaming(stream);
                        Ok(self.go_on(io))
                    }
                    Err(answer) => Ok(self.finish(io, &answer)),
                };
            }
            let answer = io.transport.send(&request);
            if answer.code == 0 {
                return Err((
                    7,
                    format!(
                        "Failed to connect to {} port {} after 0 ms: Couldn't connect to server",
                        self.target.host, self.target.port
                    ),
                ));
            }
            return Ok(self.finish(io, &answer));
        }
        let seconds = limit.unwrap_or(CONNECT_TIMEOUT_SECONDS);
        let patience = std::time::Duration::from_secs_f64(seconds.clamp(0.0, 1e9));
        self.deadline = Some(io.transport.now() + patience);
        let from = io.session.host.clone();
        let exchange = io.transport.dial(
            &from,
            &format!("{}:{}", self.target.host, self.target.port),
            &request,
            patience,
        );
        self.state = State::Flying(exchange);
        Ok(self.go_on(io))
    }

    fn show_request(&self, io: &mut Io, request: &ApiRequest) {
        let version = if self.target.https { "HTTP/2" } else { "HTTP/1.1" };
        let mut text = format!(
            "* Connected to {} port {}\n> {} {} {version}\n",
            self.target.host, self.target.port, request.method, request.path
        );
        for (name, value) in &request.headers {
            text.push_str(&format!("> {name}: {value}\n"));
        }
        text.push_str("> \n");
        io.err(&text);
    }

    fn finish(&mut self, io: &mut Io, answer: &ApiResponse) -> Progress {
        self.state = State::Done;
        let version = if self.target.https { "HTTP/2" } else { "HTTP/1.1" };
        let reason = if self.target.https {
            String::new()
        } else {
            reason_phrase(answer.code).to_owned()
        };
        let head: String = std::iter::once(format!("{version} {} {reason}\n", answer.code))
            .chain(
                answer
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}\n")),
            )
            .collect();
        let options = &self.options;
        if options.verbose {
            let marked: String = head.lines().map(|line| format!("< {line}\n")).collect();
            io.err(&format!("{marked}< \n"));
        }
        let mut text = String::new();
        if options.include || options.head {
            text.push_str(&head);
            text.push('\n');
        }
        let failed = options.fail && answer.code >= 400;
        if !options.head && !failed {
            text.push_str(&answer.body);
        }
        match options.outputs.get(self.transfer) {
            Some(name) if name == "/dev/null" => {}
            Some(name) => {
                if let Err(message) = io.session.write(name, &text, false) {
                    io.err(&format!(
                        "curl: (23) Failure writing output to destination: {message}\n"
                    ));
                    return Progress::Done(23);
                }
            }
            None => io.out(&text),
        }
        if failed {
            let message = format!("The requested URL returned error: {}", answer.code);
            return self.fail(io, 22, &message, Some(answer));
        }
        self.write_out(io, Some(answer));
        Progress::Done(0)
    }

    /// `-w`; without an answer its code is 000.
    fn write_out(&self, io: &mut Io, answer: Option<&ApiResponse>) {
        let Some(format) = &self.options.write_out else {
            return;
        };
        let code = format!("{:03}", answer.map_or(0, |answer| answer.code));
        let size = answer.map_or(0, |answer| answer.body.len()).to_string();
        let url = self.options.urls.get(self.transfer).map_or("", |url| url);
        let content_type = answer
            .and_then(|answer| answer.header("content-type"))
            .unwrap_or("");
        let shown = format
            .replace("%{http_code}", &code)
            .replace("%{response_code}", &code)
            .replace("%{size_download}", &size)
            .replace("%{url}", url)
            .replace("%{content_type}", content_type)
            .replace("\\n", "\n")
            .replace("\\t", "\t");
        io.out(&shown);
    }

    fn fail(&mut self, io: &mut Io, code: i32, message: &str, answer: Option<&ApiResponse>) -> Progress {
        self.state = State::Done;
        if !self.options.silent || self.options.show_error {
            // Usage errors carry no number.
            let number = if code == 2 {
                String::new()
            } else {
                format!("({code}) ")
            };
            io.err(&format!("curl: {number}{message}\n"));
        }
        self.write_out(io, answer);
        Progress::Done(code)
    }
}
