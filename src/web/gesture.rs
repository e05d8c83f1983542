//! Every gesture is a command line. This file words them; the shell runs them.

use crate::api::Kind;
use crate::apiserver::{Body, Request, Subresource, Verb};
use crate::cluster::view::Cargo;
use crate::shell::commands;

/// A place that takes something a hand carries, as written in a `data-drop` attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Desk(String),
    /// An Endpoints object.
    Endpoints {
        namespace: String,
        service: String,
    },
    /// The switchboard of a desk.
    Board(String),
}

impl Place {
    /// Reads `desk:suda`, `endpoints:default/web` or `board:suda`.
    pub fn parse(text: &str) -> Option<Place> {
        let (what, name) = text.split_once(':')?;
        match what {
            "desk" => Some(Place::Desk(name.to_string())),
            "board" => Some(Place::Board(name.to_string())),
            "endpoints" => name.split_once('/').map(|(namespace, service)| Place::Endpoints {
                namespace: namespace.to_string(),
                service: service.to_string(),
            }),
            _ => None,
        }
    }

    /// Whether this place takes that cargo at all.
    pub fn takes(&self, cargo: &Cargo) -> bool {
        matches!(
            (self, cargo),
            (Place::Desk(_) | Place::Endpoints { .. }, Cargo::Pod { .. })
                | (Place::Board(_), Cargo::Endpoint { .. })
        )
    }

    /// The name a person reads.
    pub fn name(&self) -> &str {
        match self {
            Place::Desk(name) | Place::Board(name) => name,
            Place::Endpoints { service, .. } => service,
        }
    }
}

/// Binds a Pod to a node, as the scheduler does.
pub fn bind(namespace: &str, pod: &str, node: &str) -> String {
    let mut request = Request::new(
        Verb::Create,
        Kind::Pod,
        namespace,
        pod,
        Body::Binding { node: node.into() },
    );
    request.subresource = Subresource::Binding;
    commands::api_line(&request)
}

/// Seats a person (`human`) or the autopilot.
pub fn seat(id: &str, human: bool) -> String {
    format!("kbh seat {id} {}", if human { "human" } else { "autopilot" })
}

/// Puts up a desk with a bare machine.
pub fn add_desk(name: &str) -> String {
    format!("kbh node add {name}")
}

/// Plugs a desk's machine in or out.
pub fn plug(node: &str, plugged: bool) -> String {
    format!("kbh node {} {node}", if plugged { "plug" } else { "unplug" })
}

/// Makes a client on a desk call `target` that many times a second; 0 stops every client.
pub fn traffic(target: &str, from: &str, per_second: u32) -> String {
    if per_second == 0 {
        "kbh traffic stop".to_string()
    } else {
        format!("kbh traffic --from {from} --rate {per_second} http://{target}")
    }
}

/// What a gesture's line answered, in one remark: an error, why the API server refused, a short confirmation.
/// `None` where what was done is all there is to see, and for a table.
pub fn answer(stdout: &str, stderr: &str) -> Option<String> {
    const LONGEST: usize = 300;
    let brief = |text: &str| text.chars().take(LONGEST).collect::<String>();
    if !stderr.trim().is_empty() {
        return Some(brief(stderr.trim()));
    }
    let stdout = stdout.trim();
    if stdout.starts_with('{') {
        let body: serde_json::Value = serde_json::from_str(stdout).ok()?;
        let refused = body["kind"] == "Status" && body["status"] == "Failure";
        return refused.then(|| body["message"].as_str().map(brief))?;
    }
    let last = stdout.lines().last()?;
    (!stdout.contains("  ")).then(|| brief(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(Place::parse("desk:suda"), Some(Place::Desk("suda".into())));
        assert_eq!(
            Place::parse("endpoints:default/web"),
            Some(Place::Endpoints {
                namespace: "default".into(),
                service: "web".into()
            })
        );
        assert_eq!(Place::parse("endpoints:web"), None);
        assert_eq!(Place::parse("moon:suda"), None);
        let pod = Cargo::Pod {
            namespace: "default".into(),
            name: "web-1".into(),
        };
        assert!(Place::Desk("suda".into()).takes(&pod));
        assert!(!Place::Board("suda".into()).takes(&pod));
    }

    #[test]
    fn an_answer_is_an_error_a_refusal_or_a_short_word() {
        assert_eq!(answer("", "error: no\n").as_deref(), Some("error: no"));
        assert_eq!(
            answer("pod/web created\n", "").as_deref(),
            Some("pod/web created")
        );
        assert_eq!(answer("NAME   READY\nweb    1/1\n", ""), None);
        assert_eq!(answer("", ""), None);
        let status = r#"{"kind":"Status","status":"Failure","message":"pods \"a\" not found"}"#;
        assert_eq!(answer(status, "").as_deref(), Some("pods \"a\" not found"));
        assert_eq!(answer(r#"{"kind":"Status","status":"Success"}"#, ""), None);
        assert_eq!(answer(r#"{"kind":"Pod"}"#, ""), None);
    }

    #[test]
    fn binding_is_one_line_of_json() {
        let line = bind("default", "web-1", "suda");
        let words = shlex::split(&line).unwrap();
        assert!(
            words
                .iter()
                .any(|word| word.ends_with("/api/v1/namespaces/default/pods/web-1/binding")),
            "{line}"
        );
        let body: serde_json::Value = serde_json::from_str(words.last().unwrap()).unwrap();
        assert_eq!(body["target"]["name"], "suda");
    }
}
