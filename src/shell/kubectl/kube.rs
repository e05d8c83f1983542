//! What a kubectl command works with: its flags, its session, and requests to the API server.

use super::super::program::Io;
use super::super::transport::{ApiRequest, ApiResponse, StreamId};
use super::config::Target;
use super::failure::{Failure, Result};
use super::flags::Flags;
use super::table::Command;
use crate::api::civil;
use crate::api::order::StableSort;
use crate::api::sorted::SortedSet;
use crate::shell::url::escape_query;
use crate::sim::SimTime;
use serde_json::{Value, json};

/// The kubectl whose output this one prints.
pub const CLIENT_VERSION: &str = "v1.32.4";

/// A parsed command line.
#[derive(Clone, Debug)]
pub struct Call {
    pub command: &'static Command,
    pub flags: Flags,
    pub args: Vec<String>,
    /// How many arguments stood before `--`.
    pub dash: Option<usize>,
    /// Where its requests go, and as whom.
    pub target: Target,
}

/// A command at work.
pub struct Kube<'k, 'i> {
    pub io: &'k mut Io<'i>,
    pub call: &'k Call,
    /// Warnings already printed; each is printed once.
    pub warned: &'k mut SortedSet<String>,
}

/// What a command does after its first step.
pub enum Next {
    Done,
    /// Finished with this exit code.
    Code(i32),
    /// Goes on waiting.
    Task(Box<dyn Task>),
}

/// How far a task got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Done,
    /// Poll after any change, at the latest at this moment.
    Wait(Option<SimTime>),
    /// A person has the text in the editor.
    Editing,
}

/// A command that waits.
pub trait Task {
    /// # Errors
    /// What the command ends with; printed by the caller.
    fn poll(&mut self, kube: &mut Kube) -> Result<Step>;

    /// Gives back what is open.
    fn cancel(&mut self, transport: &mut dyn super::super::transport::Transport) {
        let _ = transport;
    }
}

/// The answer kubectl asks for.
pub const ACCEPT_JSON: &str = "application/json";
/// A server-side Table, with the object as fallback.
pub const ACCEPT_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub const MERGE: &str = "application/merge-patch+json";
pub const JSON_PATCH: &str = "application/json-patch+json";
pub const APPLY_PATCH: &str = "application/apply-patch+yaml";

impl Kube<'_, '_> {
    pub fn out(&mut self, text: &str) {
        self.io.out(text);
    }

    pub fn err(&mut self, text: &str) {
        self.io.err(text);
    }

    pub fn now(&self) -> SimTime {
        self.io.transport.now()
    }

    pub fn flags(&self) -> &Flags {
        &self.call.flags
    }

    /// The namespace of this command line.
    pub fn namespace(&self) -> String {
        match self.flags().text("namespace") {
            "" => self.call.target.namespace.clone(),
            named => named.to_owned(),
        }
    }

    /// `-l`; another command's `--selector` means something else.
    pub fn selector(&self) -> &str {
        let flags = self.call.command.flags.iter();
        match flags
            .flat_map(|set| set.iter())
            .any(|flag| flag.short == Some('l') && flag.name == "selector")
        {
            true => self.flags().text("selector"),
            false => "",
        }
    }

    pub fn all_namespaces(&self) -> bool {
        self.flags().on("all-namespaces")
    }

    /// Prints a warning, once.
    pub fn warn(&mut self, text: &str) {
        if self.warned.insert(text.to_owned()) {
            self.err(&format!("Warning: {text}\n"));
        }
    }

    /// `kubectl-create`, `kubectl-client-side-apply`, …
    pub fn field_manager(&self) -> String {
        self.flags().text("field-manager").to_owned()
    }

    pub fn get(&mut self, path: &str) -> Result<Value> {
        self.send("GET", path, ACCEPT_JSON, None, None).map(|r| r.json())
    }

    pub fn table(&mut self, path: &str) -> Result<Value> {
        self.send("GET", path, ACCEPT_TABLE, None, None).map(|r| r.json())
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, ACCEPT_JSON, Some(ACCEPT_JSON), Some(body))
            .map(|r| r.json())
    }

    pub fn put(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.send("PUT", path, ACCEPT_JSON, Some(ACCEPT_JSON), Some(body))
            .map(|r| r.json())
    }

    pub fn patch(&mut self, path: &str, kind: &str, body: &Value) -> Result<Value> {
        self.send("PATCH", path, ACCEPT_JSON, Some(kind), Some(body))
            .map(|r| r.json())
    }

    pub fn delete(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.send("DELETE", path, ACCEPT_JSON, Some(ACCEPT_JSON), Some(body))
            .map(|r| r.json())
    }

    /// The request with this command line's identity.
    pub fn request(&self, method: &str, path: &str, accept: &str) -> ApiRequest {
        let mut request = ApiRequest::new(method, path).with_header("Accept", accept);
        request = request.with_header(
            "User-Agent",
            format!(
                "kubectl/{CLIENT_VERSION} (linux/amd64) kubernetes/{}",
                &CLIENT_VERSION[1..]
            ),
        );
        let target = &self.call.target;
        if !target.authorization.is_empty() {
            request = request.with_header("Authorization", &*target.authorization);
        }
        let (mut user, mut uid, mut groups) = target.impersonated.clone();
        let flags = self.flags();
        for (flag, field) in [("as", &mut user), ("as-uid", &mut uid)] {
            if flags.changed(flag) {
                flags.text(flag).clone_into(field);
            }
        }
        if flags.changed("as-group") {
            groups = flags.list("as-group");
        }
        if !user.is_empty() {
            request = request.with_header("Impersonate-User", user);
            for group in groups {
                request = request.with_header("Impersonate-Group", group);
            }
            if !uid.is_empty() {
                request = request.with_header("Impersonate-Uid", uid);
            }
        }
        request
    }

    /// Sends a request; prints its warnings and what `-v` asks for.
    /// # Errors
    /// The API server's Status.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        accept: &str,
        content_type: Option<&str>,
        body: Option<&Value>,
    ) -> Result<ApiResponse> {
        self.send_text(
            method,
            path,
            accept,
            content_type,
            body.map(Value::to_string).unwrap_or_default(),
        )
    }

    /// The same with a body as text.
    /// # Errors
    /// The API server's Status.
    pub fn send_text(
        &mut self,
        method: &str,
        path: &str,
        accept: &str,
        content_type: Option<&str>,
        body: String,
    ) -> Result<ApiResponse> {
        let mut request = self.request(method, path, accept);
        if let Some(content_type) = content_type {
            request = request.with_header("Content-Type", content_type);
        }
        request.body = body;
        let response = self.io.transport.send(&request);
        self.log(&request, &response);
        for warning in response.warnings() {
            self.warn(&warning);
        }
        if (200..400).contains(&response.code) {
            Ok(response)
        } else {
            Err(self.refused(&response))
        }
    }

    /// Opens a watch.
    /// # Errors
    /// The API server's Status.
    pub fn open(&mut self, request: &ApiRequest) -> Result<StreamId> {
        match self.io.transport.open(request) {
            Ok(stream) => {
                self.log(
                    request,
                    &ApiResponse {
                        code: 200,
                        ..ApiResponse::default()
                    },
                );
                Ok(stream)
            }
            Err(answer) => {
                self.log(request, &answer);
                Err(self.refused(&answer))
            }
        }
    }

    /// What an answer that is no success means.
    pub fn refused(&self, response: &ApiResponse) -> Failure {
        if response.code == 0 {
            let server = self
                .call
                .target
                .server
                .trim_start_matches("https://")
                .trim_start_matches("http://")
                .to_owned();
            return Failure::Plain(format!(
                "The connection to the server {server} was refused - did you specify the right host or port?"
            ));
        }
        let body = response.json();
        if body["kind"] == "Status" {
            return Failure::Status(body);
        }
        let (reason, message) = match response.code {
            401 => (
                "Unauthorized",
                "the server has asked for the client to provide credentials",
            ),
            403 => ("Forbidden", response.body.trim()),
            404 => ("NotFound", "the server could not find the requested resource"),
            405 => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
            415 => (
                "UnsupportedMediaType",
                "the body of the request was in an unknown format",
            ),
            503 => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            _ => ("", response.body.trim()),
        };
        Failure::Status(
            json!({"kind": "Status", "code": response.code, "reason": reason, "message": message}),
        )
    }

    /// The lines of `-v=6` and above.
    pub fn log(&mut self, request: &ApiRequest, response: &ApiResponse) {
        let level = self.flags().int("v");
        if level < 6 {
            return;
        }
        let now = self.now();
        let stamp = civil::format(now.timestamp(), "%m%d %H:%M:%S.%f");
        let url = format!("{}{}", self.call.target.server, request.path);
        let mut lines = Vec::new();
        let status = format!("{} {}", response.code, reason_phrase(response.code));
        if level == 6 {
            lines.push(format!(
                "round_trippers.go:560] {} {url} {status} in 0 milliseconds",
                request.method
            ));
        } else {
            if level >= 8 {
                lines.push(format!(
                    "helper.go:105] \"Request Body\" body={:?}",
                    clip(&request.body, level)
                ));
            }
            if level >= 9 {
                lines.push(format!(
                    "round_trippers.go:473] {}",
                    super::super::export::curl_verbose(request, &url)
                ));
            } else {
                lines.push(format!("round_trippers.go:470] {} {url}", request.method));
                lines.push("round_trippers.go:476] Request Headers:".to_owned());
                for (name, value) in &request.headers {
                    let value = if name == "Authorization" {
                        "Bearer <masked>"
                    } else {
                        value
                    };
                    lines.push(format!("round_trippers.go:480]     {name}: {value}"));
                }
            }
            lines.push(format!(
                "round_trippers.go:581] Response Status: {status} in 0 milliseconds"
            ));
            if level >= 8 {
                lines.push("round_trippers.go:584] Response Headers:".to_owned());
                for (name, value) in &response.headers {
                    lines.push(format!("round_trippers.go:587]     {}: {value}", canonical(name)));
                }
                lines.push(format!(
                    "helper.go:105] \"Response Body\" body={:?}",
                    clip(&response.body, level)
                ));
            }
        }
        for line in lines {
            self.err(&format!("I{stamp}       1 {line}\n"));
        }
    }
}

/// `content-type` → `Content-Type`
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or(String::new(), |first| {
            first
                .to_uppercase()
                .chain(letters.flat_map(char::to_lowercase))
                .collect::<String>()
        })
    });
    words.collect::<Vec<_>>().join("-")
}

/// Bodies are cut at 1024 characters at level 8, at 10240 at level 9, whole from 10.
fn clip(body: &str, level: i64) -> String {
    let limit = match level {
        8 => 1024,
        9 => 10_240,
        _ => usize::MAX,
    };
    match body.char_indices().nth(limit) {
        Some((at, _)) => format!("{} [truncated {} chars]", &body[..at], body.len() - at),
        None => body.to_owned(),
    }
}

/// `OK`, `Not Found`, …
pub fn reason_phrase(code: u16) -> &'static str {
    http::StatusCode::from_u16(code)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("")
}

/// Appends a query, sorted and escaped as Go's `url.Values.Encode`; empty values are left out.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).collect();
    pairs.stable_sort_by_key(|pair| pair.0);
    let query: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", escape_query(key), escape_query(value)))
        .collect();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

/// A string inside a value by JSON pointer, empty when absent.
pub fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// A list inside a value by JSON pointer, empty when absent.
pub fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A whole number inside a value by JSON pointer.
pub fn int(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

/// The entries of a map of strings by JSON pointer, in order of their keys.
pub fn map<'v>(value: &'v Value, pointer: &str) -> Vec<(&'v str, &'v str)> {
    value
        .pointer(pointer)
        .and_then(Value::as_object)
        .map(|m| {
            m.iter()
                .map(|(k, v)| (k.as_str(), v.as_str().unwrap_or("")))
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        assert_eq!(
            with_query(
                "/a",
                &[
                    ("limit", "500"),
                    ("labelSelector", "app=web,x in (a b)"),
                    ("e", "")
                ]
            ),
            "/a?labelSelector=app%3Dweb%2Cx+in+%28a+b%29&limit=500"
        );
    }
}
