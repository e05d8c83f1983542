//! curl, against the API server and against what the simulated network answers.

use super::kubectl::kube::reason_phrase;
use super::program::{Io, Program, Progress};
use super::transport::{ApiRequest, ApiResponse, Chunk, ExchangeId, NetError, StreamId, Transport};
use crate::sim::SimTime;

/// A curl command line as a program.
pub fn start(args: &[String]) -> Box<dyn Program> {
    Box::new(Curl {
        args: args.to_vec(),
        state: State::New,
        options: Options::default(),
        deadline: None,
        target: Target::default(),
    })
}

#[derive(Default)]
struct Options {
    urls: Vec<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    data: Option<String>,
    json: bool,
    get: bool,
    head: bool,
    include: bool,
    silent: bool,
    show_error: bool,
    verbose: bool,
    fail: bool,
    output: Option<String>,
    write_out: Option<String>,
    max_time: Option<f64>,
    connect_timeout: Option<f64>,
    user_agent: Option<String>,
}

/// A parsed URL.
#[derive(Clone, Debug, Default, PartialEq)]
struct Target {
    https: bool,
    host: String,
    port: u16,
    path: String,
    /// The API server itself, or a proxy to it.
    api: bool,
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
    deadline: Option<SimTime>,
    target: Target,
}

/// Seconds until the kernel gives up a connection whose packets vanish.
const CONNECT_TIMEOUT_SECONDS: f64 = 130.0;

impl Program for Curl {
    fn poll(&mut self, io: &mut Io) -> Progress {
        match self.state {
            State::New => match self.begin(io) {
                Ok(progress) => progress,
                Err((code, message)) => self.fail(io, code, &message),
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
                    self.fail(io, code, &message)
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
                            self.fail(io, 28, &message)
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
    fn begin(&mut self, io: &mut Io) -> Result<Progress, Refusal> {
        let reads_stdin = self.args.iter().any(|a| a.ends_with("@-"));
        if reads_stdin && !io.stdin.closed {
            return Ok(Progress::Waiting { until: None });
        }
        self.options = read(&self.args, io)?;
        let Some(url) = self.options.urls.first().cloned() else {
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
            if let Some(token) = io
                .session
                .token
                .clone()
                .filter(|_| !self.target.https && request.header("Authorization").is_none())
            {
                request = request.with_header("Authorization", format!("Bearer {token}"));
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
                        Ok(self.poll(io))
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
        self.deadline =
            Some(io.transport.now() + std::time::Duration::from_secs_f64(seconds.clamp(0.0, 1e9)));
        let from = io.session.host.clone();
        let exchange = io.transport.dial(
            &from,
            &format!("{}:{}", self.target.host, self.target.port),
            &request,
        );
        self.state = State::Flying(exchange);
        Ok(self.poll(io))
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
        match &options.output {
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
        if let Some(format) = &options.write_out {
            let shown = format
                .replace("%{http_code}", &format!("{:03}", answer.code))
                .replace("%{response_code}", &format!("{:03}", answer.code))
                .replace("%{size_download}", &answer.body.len().to_string())
                .replace("%{url}", options.urls.first().map_or("", |u| u))
                .replace("%{content_type}", answer.header("content-type").unwrap_or(""))
                .replace("\\n", "\n")
                .replace("\\t", "\t");
            io.out(&shown);
        }
        if failed {
            return self.fail(
                io,
                22,
                &format!("The requested URL returned error: {}", answer.code),
            );
        }
        Progress::Done(0)
    }

    fn fail(&mut self, io: &mut Io, code: i32, message: &str) -> Progress {
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
        if let Some(format) = &self.options.write_out {
            io.out(&format.replace("%{http_code}", "000").replace("\\n", "\n"));
        }
        Progress::Done(code)
    }
}

fn read(args: &[String], io: &mut Io) -> Result<Options, Refusal> {
    let mut options = Options::default();
    let mut args = args.iter();
    const LONG: &[(&str, char)] = &[
        ("request", 'X'),
        ("data", 'd'),
        ("data-raw", 'r'),
        ("data-binary", 'b'),
        ("data-urlencode", 'd'),
        ("json", 'J'),
        ("header", 'H'),
        ("silent", 's'),
        ("show-error", 'S'),
        ("include", 'i'),
        ("verbose", 'v'),
        ("output", 'o'),
        ("write-out", 'w'),
        ("insecure", 'k'),
        ("max-time", 'm'),
        ("connect-timeout", 'c'),
        ("head", 'I'),
        ("get", 'G'),
        ("fail", 'f'),
        ("location", 'L'),
        ("no-buffer", 'N'),
        ("user-agent", 'A'),
        ("cacert", 'C'),
        ("cert", 'E'),
        ("key", 'K'),
        ("url", 'U'),
        ("globoff", 'g'),
        ("no-progress-meter", 's'),
        ("noproxy", 'C'),
        ("retry", 'C'),
    ];
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            let Some((_, short)) = LONG.iter().find(|(name, _)| *name == long) else {
                return Err((
                    2,
                    format!(
                        "option {arg}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information"
                    ),
                ));
            };
            let value = if "XdrbJHowmcACEKU".contains(*short) {
                Some(args.next().ok_or_else(|| missing(arg))?.clone())
            } else {
                None
            };
            options.set(*short, value, io)?;
        } else if let Some(shorts) = arg.strip_prefix('-').filter(|s| !s.is_empty()) {
            for (i, c) in shorts.char_indices() {
                if !"XdHsSivowkmIGfLNAEg".contains(c) {
                    return Err((
                        2,
                        format!(
                            "option -{c}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information"
                        ),
                    ));
                }
                if "XdHowmAE".contains(c) {
                    let rest = &shorts[i + 1..];
                    let value = if rest.is_empty() {
                        args.next().ok_or_else(|| missing(&format!("-{c}")))?.clone()
                    } else {
                        rest.to_owned()
                    };
                    options.set(c, Some(value), io)?;
                    break;
                }
                options.set(c, None, io)?;
            }
        } else {
            options.urls.push(arg.clone());
        }
    }
    Ok(options)
}

fn missing(option: &str) -> Refusal {
    (
        2,
        format!(
            "option {option}: requires parameter\ncurl: try 'curl --help' or 'curl --manual' for more information"
        ),
    )
}

impl Options {
    fn set(&mut self, option: char, value: Option<String>, io: &mut Io) -> Result<(), Refusal> {
        let text = value.unwrap_or_default();
        let seconds = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|s| s.is_finite() && *s >= 0.0)
                .ok_or_else(|| (2, "option -m: expected a proper numerical parameter".to_owned()))
        };
        match option {
            'X' => self.method = Some(text),
            'd' | 'b' | 'r' | 'J' => {
                let mut data = text;
                if let Some(name) = data.strip_prefix('@').filter(|_| option != 'r') {
                    data = if name == "-" {
                        io.stdin.rest()
                    } else {
                        io.session
                            .file(name)
                            .cloned()
                            .ok_or_else(|| (26, format!("Failed to open {name}")))?
                    };
                    // -d strips line ends, --data-binary and --json keep them.
                    if option == 'd' {
                        data.retain(|c| c != '\n' && c != '\r');
                    }
                }
                self.json |= option == 'J';
                self.data = Some(match self.data.take() {
                    Some(earlier) => format!("{earlier}&{data}"),
                    None => data,
                });
            }
            'H' => {
                if let Some((name, value)) = text.split_once(':') {
                    self.headers
                        .push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            's' => self.silent = true,
            'S' => self.show_error = true,
            'i' => self.include = true,
            'v' => self.verbose = true,
            'f' => self.fail = true,
            'I' => self.head = true,
            'G' => self.get = true,
            'o' => self.output = Some(text),
            'w' => self.write_out = Some(text),
            'm' => self.max_time = Some(seconds(&text)?),
            'c' => self.connect_timeout = Some(seconds(&text)?),
            'A' => self.user_agent = Some(text),
            'U' => self.urls.push(text),
            _ => {}
        }
        Ok(())
    }
}

/// Takes a URL apart. A path alone means the API server.
fn parse_url(url: &str, server: &str) -> Result<Target, Refusal> {
    if url.starts_with("/api")
        || url.starts_with("/version")
        || url.starts_with("/healthz")
        || url.starts_with("/livez")
        || url.starts_with("/readyz")
        || url.starts_with("/openapi")
    {
        let mut target = parse_url(server, server)?;
        target.path = url.to_owned();
        return Ok(target);
    }
    let (https, rest) = match url.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        Some((other, _)) => return Err((1, format!("Protocol \"{other}\" not supported"))),
        None => (false, url),
    };
    let split = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(split);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let bad = || (3, "URL rejected: Malformed input to a URL function".to_owned());
    let port = match port {
        None | Some("") => {
            if https {
                443
            } else {
                80
            }
        }
        Some(port) => port.parse().map_err(|_| {
            (
                3,
                "URL rejected: Port number was not a decimal number between 0 and 65535".to_owned(),
            )
        })?,
    };
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err(bad());
    }
    let path = match path {
        "" => "/".to_owned(),
        path if path.starts_with('?') => format!("/{path}"),
        path => path.split('#').next().unwrap_or(path).to_owned(),
    };
    let own = server.split_once("://").map_or(server, |(_, s)| s);
    let api = format!("{host}:{port}") == own || (matches!(host, "localhost" | "127.0.0.1") && port == 8001);
    Ok(Target {
        https,
        host: host.to_owned(),
        port,
        path,
        api,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let server = "https://kube-apiserver:6443";
        let target = |url| parse_url(url, server).unwrap();
        assert_eq!(
            target("10.96.0.1"),
            Target {
                https: false,
                host: "10.96.0.1".into(),
                port: 80,
                path: "/".into(),
                api: false
            }
        );
        assert_eq!(
            target("http://web.default:8080/a?b"),
            Target {
                https: false,
                host: "web.default".into(),
                port: 8080,
                path: "/a?b".into(),
                api: false
            }
        );
        assert!(
            target("https://kube-apiserver:6443/api").api
                && target("/api/v1/nodes").api
                && target("localhost:8001/api").api
        );
        assert_eq!(parse_url("ftp://x", server).unwrap_err().0, 1);
        assert_eq!(parse_url("http://x:99999", server).unwrap_err().0, 3);
    }
}
