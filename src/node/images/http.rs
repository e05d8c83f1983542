//! What servers answer to HTTP.

use super::program::Server;
use crate::api::civil;
use crate::node::process::Process;
use crate::sim::SimTime;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A request as it reaches a server.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest<'a> {
    pub method: &'a str,
    /// With the query: `/healthz?full=1`.
    pub path: &'a str,
    /// The `Host` header.
    pub host: &'a str,
    pub user_agent: &'a str,
    /// As the server sees it.
    pub client: Ipv4Addr,
}

impl<'a> HttpRequest<'a> {
    /// `GET` as curl sends it.
    pub fn get(path: &'a str, host: &'a str, client: Ipv4Addr) -> HttpRequest<'a> {
        HttpRequest {
            method: "GET",
            path,
            host,
            user_agent: "curl/8.14.1",
            client,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct HttpResponse {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
    /// How long the server thinks about it.
    pub takes: Duration,
}

/// What answers know of the container they come from.
pub(in crate::node) struct Site<'a> {
    pub hostname: &'a str,
    pub started: SimTime,
    pub process: &'a Process,
}

/// The answer, and a line for the container's log. `None`: the server does not speak HTTP.
pub(in crate::node) fn respond(
    server: &Server,
    site: &Site<'_>,
    request: &HttpRequest<'_>,
    now: SimTime,
) -> Option<(HttpResponse, Option<String>)> {
    let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
    let files = site.process.files();
    let hostname = site.hostname;
    let (status, content_type, body) = match server {
        Server::Tcp => return None,
        Server::Nginx => page(files, "/usr/share/nginx/html", path, NGINX_WELCOME),
        Server::Apache => page(files, "/usr/local/apache2/htdocs", path, APACHE_WELCOME),
        Server::Files { root } => page(files, root.trim_end_matches('/'), path, ""),
        Server::Text(text) => (200, TEXT, format!("{text}\n")),
        Server::Hello { version } => match path {
            "/healthz" | "/readyz" | "/livez" => (200, TEXT, "ok\n".to_owned()),
            "/version" => (200, TEXT, format!("{version}\n")),
            _ => (200, TEXT, format!("Hello from {hostname}\n")),
        },
        Server::HelloApp { version } => (
            200,
            TEXT,
            format!("Hello, world!\nVersion: {version}\nHostname: {hostname}\n"),
        ),
        Server::RequestEcho => (200, TEXT, echo_server(hostname, request)),
        Server::NetExec => match path {
            "/hostname" | "/hostName" => (200, TEXT, hostname.to_owned()),
            "/healthz" => (200, TEXT, String::new()),
            "/clientip" => (200, TEXT, format!("{}:40000", request.client)),
            "/echo" => (
                200,
                TEXT,
                query.strip_prefix("msg=").unwrap_or_default().to_owned(),
            ),
            _ => (200, TEXT, format!("NOW: {}", now.timestamp())),
        },
        Server::Hostname => (200, TEXT, hostname.to_owned()),
        Server::Liveness => {
            let age = now.since(site.started);
            if path == "/healthz" && age > Duration::from_secs(10) {
                (500, TEXT, format!("error: {}", age.as_secs_f64()))
            } else {
                (200, TEXT, "ok".to_owned())
            }
        }
    };
    let body = if request.method == "HEAD" {
        String::new()
    } else {
        body
    };
    let when = civil::format(now.timestamp(), "%d/%b/%Y:%H:%M:%S +0000");
    let HttpRequest {
        client,
        method,
        path,
        user_agent: agent,
        ..
    } = request;
    let line = match server {
        // nginx's `combined` with the image's X-Forwarded-For at the end.
        Server::Nginx => Some(format!(
            "{client} - - [{when}] \"{method} {path} HTTP/1.1\" {status} {} \"-\" \"{agent}\" \"-\"",
            body.len()
        )),
        Server::Apache => Some(format!(
            "{client} - - [{when}] \"{method} {path} HTTP/1.1\" {status} {}",
            body.len()
        )),
        Server::Text(_) | Server::HelloApp { .. } | Server::Hello { .. }
            if !agent.starts_with("kube-probe") =>
        {
            Some(format!("{client} {method} {path} {status}"))
        }
        _ => None,
    };
    Some((
        HttpResponse {
            status,
            content_type,
            body,
            takes: Duration::from_millis(1),
        },
        line,
    ))
}

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html";

fn page(
    files: &BTreeMap<String, String>,
    root: &str,
    path: &str,
    welcome: &str,
) -> (u16, &'static str, String) {
    let index = path.ends_with('/');
    let file = format!("{root}{path}{}", if index { "index.html" } else { "" });
    match files.get(&file) {
        Some(text) => (200, if file.ends_with(".html") { HTML } else { "text/plain" }, text.clone()),
        None if matches!(path, "/" | "/index.html") && !welcome.is_empty() => (200, HTML, welcome.to_owned()),
        None => (404, HTML, "<html>\n<head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n".to_owned()),
    }
}

fn echo_server(hostname: &str, request: &HttpRequest<'_>) -> String {
    format!(
        "\n\nHostname: {hostname}\n\nRequest Information:\n\tclient_address={}\n\tmethod={}\n\treal path={}\n\n\
         Request Headers:\n\thost={}\n\tuser-agent={}\n",
        request.client, request.method, request.path, request.host, request.user_agent
    )
}

const NGINX_WELCOME: &str = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n\
    <h1>Welcome to nginx!</h1>\n</body>\n</html>\n";
const APACHE_WELCOME: &str = "<html><body><h1>It works!</h1></body></html>\n";
