//! `exec` and `attach` as streams: what goes over which channel of the WebSocket.
//!
//! Source: k8s.io/apimachinery/pkg/util/remotecommand; the subprotocol `v5.channel.k8s.io`.

use crate::api::status::{Status, StatusCause, StatusDetails};
use http::{HeaderMap, header};
use serde_json::{Value, json};

/// What the API server speaks, the newest first.
pub const SUBPROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

pub const STDOUT: u8 = 1;
pub const STDERR: u8 = 2;
/// The last message: a Status that tells how the command ended.
pub const ERROR: u8 = 3;

/// Whether a request asks to become a stream. Others are refused, as upstream's upgrade-aware proxy
/// does; so is SPDY, but only after the container could have refused: kubectl asks that way again when
/// its WebSocket was refused, and prints the second answer.
pub(super) fn wants_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = super::text(headers, &header::UPGRADE);
    upgrade.eq_ignore_ascii_case("websocket") || upgrade.starts_with("SPDY/")
}

/// The messages of a command that has ended: channel and text.
pub fn messages(stdout: String, stderr: String, exit_code: i32) -> Vec<(u8, String)> {
    let mut messages = vec![(STDOUT, stdout), (STDERR, stderr)];
    messages.retain(|(_, text)| !text.is_empty());
    messages.push((ERROR, ending(exit_code).to_string()));
    messages
}

fn ending(exit_code: i32) -> Value {
    if exit_code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    let message = format!("command terminated with non-zero exit code: exit status {exit_code}");
    let mut status = Status::new(500, "NonZeroExitCode", message);
    status.details = Some(Box::new(StatusDetails {
        causes: vec![StatusCause {
            reason: "ExitCode".to_owned(),
            message: exit_code.to_string(),
            field: String::new(),
        }],
        ..StatusDetails::default()
    }));
    status.to_value()
}

/// The only message of a command that could not be started.
pub fn not_started(why: &str) -> Vec<(u8, String)> {
    failed(&format!("error executing command in container: {why}"))
}

/// The only message of a stream to a container that does not run.
pub fn not_attached(why: &str) -> Vec<(u8, String)> {
    failed(&format!("error attaching to container: {why}"))
}

fn failed(why: &str) -> Vec<(u8, String)> {
    let message = format!("Internal error occurred: {why}");
    let status = Status::new(500, "InternalError", message);
    vec![(ERROR, status.to_value().to_string())]
}

/// The exit code a Status of the error channel tells of; its message if it tells of none.
///
/// Errors: the Status' message.
pub fn exit_code(ending: &Value) -> Result<i32, String> {
    if ending["status"] == "Success" {
        return Ok(0);
    }
    let cause = ending["details"]["causes"]
        .as_array()
        .and_then(|causes| causes.iter().find(|cause| cause["reason"] == "ExitCode"));
    cause
        .filter(|_| ending["reason"] == "NonZeroExitCode")
        .and_then(|cause| cause["message"].as_str()?.parse().ok())
        .ok_or_else(|| ending["message"].as_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_tells_the_exit_code() {
        let code = |code| {
            let messages = messages("out".into(), String::new(), code);
            assert_eq!(messages.len(), 2);
            assert_eq!(messages[0], (STDOUT, "out".to_owned()));
            exit_code(&serde_json::from_str(&messages[1].1).unwrap())
        };
        assert_eq!((code(0), code(3)), (Ok(0), Ok(3)));
        let other = Status::new(500, "InternalError", "no such program").to_value();
        assert_eq!(exit_code(&other), Err("no such program".to_owned()));
    }
}
