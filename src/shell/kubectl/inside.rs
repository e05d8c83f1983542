//! Commands that go into a Pod: `exec attach port-forward debug cp`; and `proxy`, `plugin`.

use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, list, text, with_query};
use super::logs::{default_container, pod_of};
use super::resource::{Target, fail_with, known, live};
use crate::api::Kind;
use crate::apiserver::http::remote_command;
use crate::shell::transport::{ApiRequest, StreamId};
use crate::shell::url::escape_query;
use serde_json::Value;

/// `exec POD -- COMMAND`: the API server's exec subresource, whose stream carries what the command
/// printed and how it ended.
pub fn exec(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let in_file = !kube.flags().list("filename").is_empty();
    let pod = args.first().filter(|_| kube.call.dash != Some(0) && !in_file);
    if pod.is_none() && !in_file {
        return message("pod, type/name or --filename must be specified");
    }
    let command = &args[usize::from(pod.is_some())..];
    if command.is_empty() {
        return message("you must specify at least one command for the container");
    }
    if kube.call.dash.is_none() {
        return Err(Failure::Usage(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead".to_owned(),
            "exec",
        ));
    }
    check_input(kube, command)?;
    let pod = match pod {
        Some(pod) => {
            let namespace = kube.namespace();
            pod_of(kube, pod, &namespace)?
        }
        None => pod_of_file(kube)?,
    };
    let name = text(&pod, "/metadata/name").to_owned();
    if matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed") {
        return message(format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            text(&pod, "/status/phase")
        ));
    }
    let container = match kube.flags().text("container") {
        "" => {
            let quiet = kube.flags().on("quiet");
            default_container(kube, &pod, quiet)?
        }
        given => given.to_owned(),
    };
    let mut path = with_query(
        &format!(
            "{}/exec",
            known(Kind::Pod).path(text(&pod, "/metadata/namespace"), &name)
        ),
        &[("container", &container), ("stderr", "true"), ("stdout", "true")],
    );
    for word in command {
        path.push_str(&format!("&command={}", escape_query(word)));
    }
    tell_of_tty(kube);
    let request = upgraded(kube.request("GET", &path, "*/*"));
    let answer = kube.io.transport.send(&request);
    kube.log(&request, &answer);
    if answer.code != 101 {
        return Err(kube.refused(&answer));
    }
    let mut ended = Ok(0);
    for part in answer.json().as_array().into_iter().flatten() {
        let said = part[1].as_str().unwrap_or_default();
        match part[0].as_u64().unwrap_or_default() as u8 {
            remote_command::STDOUT => kube.out(said),
            remote_command::STDERR => kube.err(said),
            _ => ended = remote_command::exit_code(&serde_json::from_str(said).unwrap_or_default()),
        }
    }
    match ended {
        Ok(0) => Ok(Next::Done),
        Ok(code) => {
            kube.err(&format!("command terminated with exit code {code}\n"));
            Ok(Next::Code(code))
        }
        Err(said) => message(said),
    }
}

/// The Pod of `exec -f FILE`, or one of those of the object there.
fn pod_of_file(kube: &mut Kube) -> Result<Value> {
    let files = kube.flags().list("filename");
    let [target]: [Target; 1] = super::manifest::load_if_any(kube, &files)?
        .try_into()
        .map_err(|_| Failure::Message("cannot exec into multiple objects at a time".to_owned()))?;
    let word = format!("{}/{}", target.kind.plural, target.name);
    pod_of(kube, &word, &target.namespace)
}

/// Refuses what needs input, since none reaches a container here.
/// # Errors
/// For a shell that would read its commands, and for a pipe.
pub fn check_input(kube: &mut Kube, command: &[String]) -> Result<()> {
    if !kube.flags().on("stdin") {
        return Ok(());
    }
    if !kube.io.stdin.rest().is_empty() {
        return message("standard input is not passed on to containers here; give the command as arguments");
    }
    let is_shell = |word: &String| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash"));
    match command {
        [shell] if is_shell(shell) => message(format!(
            "an interactive shell needs a terminal, which there is none of here; give it a command: -- {shell} -c 'COMMAND'"
        )),
        _ => Ok(()),
    }
}

/// What kubectl says where it has no terminal.
pub fn tell_of_tty(kube: &mut Kube) {
    if kube.flags().on("tty") {
        kube.err("Unable to use a TTY - input is not a terminal or the right kind of file\n");
    }
}

/// `attach`
pub fn attach(kube: &mut Kube) -> Result<Next> {
    let Some(word) = kube.call.args.first().cloned() else {
        return message("at least 1 argument is required for attach");
    };
    let namespace = kube.namespace();
    let pod = pod_of(kube, &word, &namespace)?;
    let phase = text(&pod, "/status/phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return message(format!(
            "cannot attach a container in a completed pod; current phase is {phase}"
        ));
    }
    let quiet = kube.flags().on("quiet");
    let container = match kube.flags().text("container") {
        "" => default_container(kube, &pod, quiet)?,
        given => given.to_owned(),
    };
    check_input(kube, &[])?;
    tell_of_tty(kube);
    if !quiet {
        kube.err("If you don't see a command prompt, try pressing enter.\n");
    }
    let stream = open_attached(kube, &pod, &container)?;
    let streams = vec![(stream, String::new())];
    Ok(Next::Task(Box::new(super::logs::Follow { streams })))
}

/// The stream of what a container writes from now on.
/// # Errors
/// The API server's Status, or the container's runtime's.
pub fn open_attached(kube: &mut Kube, pod: &Value, container: &str) -> Result<StreamId> {
    let path = with_query(
        &format!(
            "{}/attach",
            known(Kind::Pod).path(text(pod, "/metadata/namespace"), text(pod, "/metadata/name"))
        ),
        &[("container", container), ("stderr", "true"), ("stdout", "true")],
    );
    let request = upgraded(kube.request("GET", &path, "*/*"));
    kube.io.transport.open(&request).map_err(|answer| {
        // A stream that ends as it begins tells why on its last channel.
        let told = answer.json();
        let last = told.as_array().and_then(|messages| messages.last());
        match last.and_then(|last| serde_json::from_str::<Value>(last[1].as_str()?).ok()) {
            Some(status) => Failure::Message(text(&status, "/message").to_owned()),
            None => kube.refused(&answer),
        }
    })
}

/// A request that asks for a WebSocket.
fn upgraded(request: ApiRequest) -> ApiRequest {
    request
        .with_header("Connection", "Upgrade")
        .with_header("Upgrade", "websocket")
        .with_header("Sec-Websocket-Protocol", remote_command::SUBPROTOCOLS[0])
}

/// `port-forward`: the checks of kubectl; then what there is instead, since nothing here can listen.
pub fn port_forward(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let [word, ports @ ..] = args.as_slice() else {
        return port_forward_usage();
    };
    if ports.is_empty() {
        return port_forward_usage();
    }
    let namespace = kube.namespace();
    let pod = pod_of(kube, word, &namespace)?;
    let name = text(&pod, "/metadata/name");
    for port in ports {
        let remote = port.rsplit(':').next().unwrap_or(port);
        let named = || {
            list(&pod, "/spec/containers")
                .iter()
                .flat_map(|container| list(container, "/ports"))
                .any(|port| text(port, "/name") == remote)
        };
        if remote.parse::<u16>().is_err() && !named() {
            return message(format!("Pod '{name}' does not have a named port '{remote}'"));
        }
    }
    let phase = text(&pod, "/status/phase");
    if phase != "Running" {
        return message(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        ));
    }
    message(
        "unable to listen on any of the requested ports: no program can listen here; ask the Pod from a desk: ssh DESK curl POD-IP:PORT",
    )
}

fn port_forward_usage() -> Result<Next> {
    Err(Failure::Usage(
        "TYPE/NAME and list of ports are required for port-forward".to_owned(),
        "port-forward",
    ))
}

/// `proxy`: one always serves the API at localhost:8001.
pub fn proxy(kube: &mut Kube) -> Result<Next> {
    let port = kube.flags().int("port");
    if port == 8001 {
        return message("listen tcp 127.0.0.1:8001: bind: address already in use");
    }
    message(format!(
        "listen tcp 127.0.0.1:{port}: no program can listen here; a proxy already serves localhost:8001"
    ))
}

/// `debug`: kubelets here run no containers beside those of the manifest.
pub fn debug(kube: &mut Kube) -> Result<Next> {
    if kube.flags().text("image").is_empty() && kube.flags().text("copy-to").is_empty() {
        return message("you must specify --image when not using --copy-to.");
    }
    let Some(word) = kube.call.args.first().cloned() else {
        return message("NAME or TYPE/NAME is required for debug");
    };
    kube.err("--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a profile, for example \"--profile=general\".\n");
    let (targets, failures) = live(
        kube,
        &[if word.contains('/') {
            word
        } else {
            format!("pod/{word}")
        }],
    )?;
    fail_with(failures)?;
    if let Some(other) = targets
        .iter()
        .find(|t| !t.kind.is(Kind::Pod) && !t.kind.is(Kind::Node))
    {
        return message(format!(
            "\"{}, Kind={}\" not supported by debug",
            other.kind.group_version(),
            other.kind.kind
        ));
    }
    message(format!(
        "debug is not supported here: the desks run no ephemeral containers ({} is unchanged); look with kubectl describe, logs, exec and on the desk with crictl",
        targets.first().map(Target::label).unwrap_or_default()
    ))
}

/// `plugin list`
pub fn plugins(_: &mut Kube) -> Result<Next> {
    message("unable to find any kubectl plugins in your PATH")
}

/// `cp`: there is no file system to copy from or to.
pub fn copy(kube: &mut Kube) -> Result<Next> {
    match kube.call.args.as_slice() {
        [from, to] if from.contains(':') != to.contains(':') => message(
            "cp needs tar inside the container, and the containers here have no file system: cp is not supported",
        ),
        [_, _] => message("one of src or dest must be a remote file specification"),
        _ => message("source and destination are required"),
    }
}
