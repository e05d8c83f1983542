//! `wget` (busybox's) and `curl` in a container: what they ask, and what they print.
//!
//! A process that fetches waits; whoever runs the network answers (see `network::fetch`).

use super::commands::Output;
use crate::node::images::HttpResponse;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// A request that a process waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// An address, or a name.
    pub host: Arc<str>,
    pub port: u16,
    pub method: Arc<str>,
    pub path: Arc<str>,
    /// How long it waits for a connection.
    pub connect_timeout: Option<Duration>,
    tool: Tool,
    /// Whether the body is printed; otherwise it goes to a file nobody asks for.
    prints: bool,
    quiet: bool,
    /// curl's `-f`: no body, and failure, for 400 and up.
    fails: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Tool {
    Wget,
    Curl,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    NotResolved,
    Refused,
    Unreachable,
    Timeout,
    /// Connected, and got no HTTP.
    NotHttp,
}

/// How a fetch ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    Http(HttpResponse),
    Failed {
        why: FetchFailure,
        /// What the name stands for.
        address: Option<Ipv4Addr>,
        curl_code: i32,
        curl_message: String,
    },
}

impl Answered {
    /// No answer came.
    pub fn timed_out() -> Answered {
        let curl_message = "Connection timed out".to_owned();
        Answered::Failed {
            why: FetchFailure::Timeout,
            address: None,
            curl_code: 28,
            curl_message,
        }
    }
}

impl Fetch {
    /// Reads a command line. The error: exit code and what is printed.
    pub(super) fn parse(tool: &str, args: &[String]) -> Result<Fetch, (i32, String)> {
        let tool = if tool == "wget" { Tool::Wget } else { Tool::Curl };
        let (mut url, mut quiet, mut prints, mut fails) = (None, false, tool == Tool::Curl, false);
        let (mut connect_timeout, mut method): (_, Arc<str>) = (None, "GET".into());
        let mut args = args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            // A value stands in the same word or in the next.
            let mut value = |name: &str| {
                let glued = arg.strip_prefix(name).map(|rest| rest.trim_start_matches('='))?;
                if glued.is_empty() {
                    args.next()
                } else {
                    Some(glued)
                }
            };
            let seconds = |text: Option<&str>| {
                text.and_then(|text| text.parse::<f64>().ok())
                    .filter(|s| (0.0..1e9).contains(s))
            };
            match (tool, arg) {
                (_, word) if !word.starts_with('-') => url = Some(word),
                (Tool::Wget, "--spider") => prints = false,
                (Tool::Wget, _) if arg.starts_with("-T") => connect_timeout = seconds(value("-T")),
                (Tool::Wget, _) if arg.starts_with("--timeout") => {
                    connect_timeout = seconds(value("--timeout"))
                }
                // `-q`, `-O-`, `-qO-`, `-O FILE`
                (Tool::Wget, _) if arg.starts_with("-q") || arg.starts_with("-O") => {
                    quiet |= arg.contains('q');
                    if let Some((_, file)) = arg.split_once('O') {
                        let file = if file.is_empty() {
                            args.next().unwrap_or_default()
                        } else {
                            file
                        };
                        prints = file == "-";
                    }
                }
                (Tool::Curl, "-X" | "--request") => method = args.next().unwrap_or("GET").into(),
                (Tool::Curl, "-I" | "--head") => method = "HEAD".into(),
                (Tool::Curl, "--fail") => fails = true,
                (Tool::Curl, "--silent") => quiet = true,
                (Tool::Curl, "-H" | "--header" | "-A" | "-d" | "--data" | "-w" | "--write-out") => {
                    args.next();
                }
                (Tool::Curl, "-o" | "--output") => prints = args.next() == Some("-"),
                (Tool::Curl, _) if arg.starts_with("--connect-timeout") => {
                    connect_timeout = seconds(value("--connect-timeout"))
                }
                (Tool::Curl, _) if arg.starts_with("--max-time") => {
                    connect_timeout = seconds(value("--max-time"))
                }
                (Tool::Curl, _) if arg.starts_with("-m") => connect_timeout = seconds(value("-m")),
                (Tool::Curl, _) if !arg.starts_with("--") => {
                    fails |= arg.contains('f');
                    quiet = (quiet || arg.contains('s')) && !arg.contains('S');
                }
                _ => {}
            }
        }
        let Some(url) = url else {
            return Err(match tool {
                Tool::Wget => (1, "wget: missing URL\n".to_owned()),
                Tool::Curl => (2, "curl: (2) no URL specified\n".to_owned()),
            });
        };
        let (default_port, rest) = match url.split_once("://") {
            Some(("https", rest)) => (443, rest),
            Some((_, rest)) => (80, rest),
            None => (80, url),
        };
        let (place, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (place, Some(default_port)),
        };
        let (Some(port), false) = (port, host.is_empty()) else {
            return Err(match tool {
                Tool::Wget => (1, format!("wget: bad address '{place}'\n")),
                Tool::Curl => (3, "curl: (3) URL rejected: Bad hostname\n".to_owned()),
            });
        };
        let connect_timeout = connect_timeout.map(Duration::from_secs_f64);
        Ok(Fetch {
            host: host.into(),
            port,
            method,
            path: path.into(),
            connect_timeout,
            tool,
            prints,
            quiet,
            fails,
        })
    }

    /// What the tool prints and exits with.
    pub(super) fn output(&self, answer: &Answered) -> Output {
        match (answer, self.tool) {
            (Answered::Http(response), Tool::Wget) if response.status >= 400 => Output::failed(
                1,
                format!("wget: server returned error: HTTP/1.1 {}\n", response.status),
            ),
            (Answered::Http(response), Tool::Curl) if self.fails && response.status >= 400 => {
                let message = format!(
                    "curl: (22) The requested URL returned error: {}\n",
                    response.status
                );
                Output::failed(22, if self.quiet { String::new() } else { message })
            }
            (Answered::Http(response), _) => Output::text(if self.prints {
                response.body.clone()
            } else {
                String::new()
            }),
            (Answered::Failed { why, address, .. }, Tool::Wget) => {
                let address = address.map_or_else(|| self.host.to_string(), |address| address.to_string());
                let remote = |why: &str| format!("wget: can't connect to remote host ({address}): {why}\n");
                Output::failed(
                    1,
                    match why {
                        FetchFailure::NotResolved => format!("wget: bad address '{}'\n", self.host),
                        FetchFailure::Refused => remote("Connection refused"),
                        FetchFailure::Unreachable => remote("No route to host"),
                        FetchFailure::Timeout if self.connect_timeout.is_some() => {
                            "wget: download timed out\n".to_owned()
                        }
                        FetchFailure::Timeout => remote("Connection timed out"),
                        FetchFailure::NotHttp => "wget: error getting response\n".to_owned(),
                    },
                )
            }
            (
                Answered::Failed {
                    curl_code,
                    curl_message,
                    ..
                },
                Tool::Curl,
            ) => {
                let message = format!("curl: ({curl_code}) {curl_message}\n");
                Output::failed(*curl_code, if self.quiet { String::new() } else { message })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(line: &str) -> Result<Fetch, (i32, String)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Fetch::parse(&words[0], &words[1..])
    }

    #[test]
    fn command_lines() {
        for (line, host, port, path, timeout, prints) in [
            ("wget -qO- http://web", "web", 80, "/", None, true),
            ("wget -q -O - web:8080/a?b=c", "web", 8080, "/a?b=c", None, true),
            (
                "wget -T 3 --spider https://web/x",
                "web",
                443,
                "/x",
                Some(3),
                false,
            ),
            (
                "wget -q -T2 -O /dev/null http://web",
                "web",
                80,
                "/",
                Some(2),
                false,
            ),
            (
                "curl -s -m 5 http://10.96.0.10/",
                "10.96.0.10",
                80,
                "/",
                Some(5),
                true,
            ),
            (
                "curl -sS --connect-timeout=4 -o /dev/null web",
                "web",
                80,
                "/",
                Some(4),
                false,
            ),
            ("curl -H Host:x web", "web", 80, "/", None, true),
        ] {
            let fetch = fetch(line).unwrap();
            let found = (
                &*fetch.host,
                fetch.port,
                &*fetch.path,
                fetch.connect_timeout,
                fetch.prints,
            );
            assert_eq!(
                found,
                (host, port, path, timeout.map(Duration::from_secs), prints),
                "{line}"
            );
        }
        for line in ["wget", "curl", "wget http://:80", "curl web:port", "curl -m"] {
            assert!(fetch(line).is_err(), "{line}");
        }
    }

    #[test]
    fn failures_in_the_words_of_each_tool() {
        let failed = Answered::Failed {
            why: FetchFailure::Refused,
            address: Some(Ipv4Addr::new(10, 96, 0, 10)),
            curl_code: 7,
            curl_message: "Failed to connect".to_owned(),
        };
        let shown = |line: &str| {
            let output = fetch(line).unwrap().output(&failed);
            (output.status, output.stderr)
        };
        let refused = "wget: can't connect to remote host (10.96.0.10): Connection refused\n".to_owned();
        assert_eq!(shown("wget -qO- http://web"), (1, refused));
        assert_eq!(
            shown("curl http://web"),
            (7, "curl: (7) Failed to connect\n".to_owned())
        );
        assert_eq!(shown("curl -s http://web"), (7, String::new()));
    }
}
