//! The API server's wire: an `http` request in, bytes or an open watch out.
//!
//! Nothing here knows a socket. `bin/server.rs` feeds it from TCP, the console's curl feeds it
//! directly. Source: k8s.io/apiserver/pkg/endpoints.

pub mod alias;
mod body;
mod encode;
mod negotiate;
mod path;
mod query;
pub mod remote_command;
mod resource;
mod reviews;
mod stream;

use encode::Content;
pub use encode::{Encoder, IncludeObject};
pub use negotiate::{Accepted, Format, Shape, aggregated_discovery};
pub use path::{ResourcePath, Route, percent_decode};
pub use query::Query;
pub use stream::OpenWatch;

use super::authentication::authenticate;
use super::authorization::{self, Attributes};
use super::discovery;
use super::{ApiServer, Identity, ProxyRequest};
use crate::api::Status;
use crate::sim::SimTime;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};

/// The largest body that is read. Source: kube-apiserver's `MaxRequestBodyBytes`, 3 MiB.
pub const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

/// What a request is answered with.
#[derive(Debug)]
pub enum HttpAnswer {
    Response(Response<Vec<u8>>),
    /// 200, and lines as they come.
    Watch(Box<OpenWatch>),
    /// Logs or exec: the machine asks the Pod's kubelet.
    Proxy(Box<ProxyRequest>),
}

/// A decoded answer, before it becomes a response.
pub(super) enum Reply {
    Body {
        code: u16,
        content_type: &'static str,
        content: Content,
        warnings: Vec<String>,
    },
    Watch(Box<OpenWatch>),
    Proxy(Box<ProxyRequest>),
}

impl Reply {
    pub(super) fn text(code: u16, text: impl Into<String>) -> Reply {
        let bytes = text.into().into_bytes();
        Reply::Body {
            code,
            content_type: "text/plain; charset=utf-8",
            content: Content::Bytes(bytes),
            warnings: Vec::new(),
        }
    }

    pub(super) fn value(code: u16, value: &serde_json::Value, accepted: Accepted) -> Reply {
        let content_type = accepted.format.content_type();
        Reply::Body {
            code,
            content_type,
            content: Content::Bytes(encode::bytes(value, accepted)),
            warnings: Vec::new(),
        }
    }
}

/// Everything about a request but its verb.
pub(super) struct Asked<'a> {
    pub now: SimTime,
    pub identity: Identity,
    pub method: &'a Method,
    pub path: &'a str,
    pub query: Query,
    pub headers: &'a HeaderMap,
    pub bytes: &'a [u8],
}

impl Asked<'_> {
    pub(super) fn header(&self, name: &header::HeaderName) -> &str {
        text(self.headers, name)
    }

    /// Whether the client wants indented JSON.
    pub(super) fn pretty(&self) -> bool {
        negotiate::wants_pretty(self.query.get("pretty"), &self.identity.agent)
    }

    /// The answer's form.
    ///
    /// Errors: 406.
    pub(super) fn accept(&self, shapes: bool) -> Result<Accepted, Status> {
        negotiate::accept(self.header(&header::ACCEPT), self.pretty(), shapes)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

/// Serves one request.
pub fn serve(server: &mut ApiServer, now: SimTime, request: &Request<Vec<u8>>) -> HttpAnswer {
    begin(server, now, request).finish()
}

/// An answer whose object is not written yet. That takes no server: who shares one can let others have it first.
pub struct Begun {
    answer: HttpAnswer,
    /// What belongs into the response.
    content: Option<Content>,
}

impl Begun {
    pub fn finish(self) -> HttpAnswer {
        match (self.answer, self.content) {
            (HttpAnswer::Response(response), Some(content)) => {
                HttpAnswer::Response(response.map(|_| content.into_bytes()))
            }
            (answer, _) => answer,
        }
    }
}

/// Serves one request up to what only its answer needs.
pub fn begin(server: &mut ApiServer, now: SimTime, request: &Request<Vec<u8>>) -> Begun {
    let answer = answer(server, now, request);
    let id = server.log.last_id();
    let mut unwritten = None;
    let mut answer = match answer {
        Ok(Reply::Watch(watch)) => HttpAnswer::Watch(watch),
        Ok(Reply::Proxy(proxy)) => HttpAnswer::Proxy(proxy),
        Ok(Reply::Body {
            code,
            content_type,
            content,
            warnings,
        }) => {
            unwritten = Some(content);
            HttpAnswer::Response(response(id, code, content_type, Vec::new(), &warnings))
        }
        Err(status) => HttpAnswer::Response(refusal(id, request.headers(), &status)),
    };
    if let (HttpAnswer::Response(response), Some(warning)) = (&mut answer, deprecation(request.uri().path()))
    {
        add_warning(response.headers_mut(), warning);
    }
    Begun {
        answer,
        content: unwritten,
    }
}

/// What every answer about a deprecated resource warns of. Source: the `APILifecycleDeprecated`
/// methods of k8s.io/api.
fn deprecation(path: &str) -> Option<&'static str> {
    match path::parse(path) {
        Route::Resource(place) if place.group.is_empty() && place.version == "v1" => {
            match place.resource.as_str() {
                "endpoints" => {
                    Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
                }
                "componentstatuses" => Some("v1 ComponentStatus is deprecated in v1.19+"),
                _ => None,
            }
        }
        _ => None,
    }
}

fn add_warning(headers: &mut HeaderMap, warning: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("299 - {}", quoted_string(warning))) {
        headers.append(header::WARNING, value);
    }
}

fn answer(server: &mut ApiServer, now: SimTime, request: &Request<Vec<u8>>) -> Result<Reply, Status> {
    let identity = authenticate(server, now, request.headers())?;
    let asked = Asked {
        now,
        identity,
        method: request.method(),
        path: request.uri().path(),
        query: Query::parse(request.uri().query().unwrap_or("")),
        headers: request.headers(),
        bytes: request.body(),
    };
    match path::parse(asked.path) {
        Route::Resource(place) => resource::serve(server, &asked, &place),
        Route::Other => {
            let verb = asked.method.as_str().to_ascii_lowercase();
            let attributes = Attributes {
                verb: &verb,
                path: asked.path,
                ..Attributes::default()
            };
            authorization::check(server, &asked.identity.user, &attributes)?;
            discovery::serve(server, &asked)
        }
    }
}

/// The mux's answer to a path nobody serves.
pub(super) fn page_not_found() -> Reply {
    Reply::text(404, "404 page not found\n")
}

/// 404 and 405 of a path below a served version.
pub(super) fn no_such_resource() -> Status {
    let mut status = Status::new(
        404,
        "NotFound",
        "the server could not find the requested resource",
    );
    status.details = Some(Box::default());
    status
}

pub(super) fn method_not_allowed() -> Status {
    let mut status = Status::new(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    );
    status.details = Some(Box::default());
    status
}

fn response(
    id: u64,
    code: u16,
    content_type: &str,
    bytes: Vec<u8>,
    warnings: &[String],
) -> Response<Vec<u8>> {
    let mut response = Response::new(bytes);
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, private"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("00000000-0000-4000-8000-{id:012x}")) {
        headers.insert("audit-id", value);
    }
    warnings.iter().for_each(|warning| add_warning(headers, warning));
    response
}

/// A quoted-string of RFC 7230; control characters are dropped, as upstream drops them.
fn quoted_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A refusal as a response: a Status in JSON or YAML.
pub(super) fn refusal(id: u64, headers: &HeaderMap, status: &Status) -> Response<Vec<u8>> {
    let agent = text(headers, &header::USER_AGENT);
    // A client that accepts nothing we have still gets its Status, as JSON.
    let pretty = negotiate::wants_pretty(None, agent);
    let accepted = negotiate::accept(text(headers, &header::ACCEPT), pretty, true).unwrap_or_default();
    let accepted = Accepted {
        shape: Shape::Whole,
        ..accepted
    };
    let bytes = encode::bytes(&status.to_value(), accepted);
    let mut response = response(id, status.code, accepted.format.content_type(), bytes, &[]);
    let delay = status
        .details
        .as_ref()
        .and_then(|details| details.retry_after_seconds);
    if let Some(delay) = delay.and_then(|seconds| HeaderValue::from_str(&seconds.to_string()).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, delay);
    }
    response
}

#[cfg(test)]
mod tests;
