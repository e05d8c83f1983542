//! `crictl`, on a machine's own container runtime.
//!
//! Where the real one wants a JSON file, a Pod's or container's name will do as well: the rest is
//! looked up in the Pod, as a kubelet would.

mod list;

use super::{Outcome, begin};
use crate::api::{Kind, Object};
use crate::etcd::Key;
use crate::node::runtime::{Container, ContainerConfig, Sandbox};
use crate::node::{ActionId, Machine, NodeAction};
use crate::shell::host::{Attached, done};
use crate::shell::transport::{ProgramOutput, Waiting};
use k8s_openapi::api::core::v1::Pod;
use std::sync::Arc;
use std::time::Duration;

const USAGE: &str = "NAME:
   crictl - client for CRI

USAGE:
   crictl command [arguments...]

COMMANDS:
   pull IMAGE                     Pull an image
   images [-q]                    List images
   rmi IMAGE                      Remove an image
   runp [NAMESPACE/]POD           Run a new sandbox for a Pod bound to this machine
   stopp POD-ID                   Stop a running sandbox
   rmp POD-ID                     Remove a sandbox
   pods [-q] [--name N] [--namespace N] [--state S]   List sandboxes
   inspectp POD-ID                Display the status of a sandbox
   create POD-ID CONTAINER        Create a container of the Pod by its name
   start CONTAINER-ID             Start a created container
   stop [--timeout N] CONTAINER-ID  Stop a running container
   rm CONTAINER-ID                Remove a container
   ps [-a] [-q] [--name N] [--pod POD-ID] [--state S]   List containers; -q: only their ids
   inspect CONTAINER-ID           Display the status of a container
   logs [--tail N] [-t] CONTAINER-ID   Fetch the logs of a container
   exec CONTAINER-ID COMMAND...   Run a command in a running container
";

type Complaint = (String, i32);

pub fn run(attached: &mut Attached<'_>, host: &str, args: &[String], _stdin: &str) -> Outcome {
    let Some((command, args)) = args.split_first() else {
        return Ok(done(USAGE));
    };
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(done(USAGE)),
        "ps" => list::ps(attached, host, &words),
        "pods" => list::pods(attached, host, &words),
        "images" | "image" | "img" => list::images(attached, host, &words),
        "inspect" => list::inspect(attached, host, &words),
        "inspectp" => list::inspect_pod(attached, host, &words),
        "logs" => list::logs(attached, host, &words),
        "pull" => {
            let image = one(&words, "IMAGE")?;
            begin(
                attached,
                host,
                NodeAction::PullImage {
                    image: image.to_owned(),
                },
                String::new(),
            )
        }
        "rmi" => {
            let image = one(&words, "IMAGE-ID")?;
            begin(
                attached,
                host,
                NodeAction::RemoveImage {
                    image: image.to_owned(),
                },
                format!("Deleted: {image}\n"),
            )
        }
        "runp" => {
            let pod = pod_of(attached, one(&words, "POD")?)?;
            begin(attached, host, NodeAction::RunPodSandbox { pod }, String::new())
        }
        "stopp" => {
            let sandbox = sandbox(attached, host, one(&words, "POD-ID")?)?.id.clone();
            let text = format!("Stopped sandbox {sandbox}\n");
            begin(attached, host, NodeAction::StopPodSandbox { sandbox }, text)
        }
        "rmp" => {
            let wanted = words
                .iter()
                .find(|word| !word.starts_with('-'))
                .copied()
                .unwrap_or("");
            let sandbox = sandbox(attached, host, wanted)?.id.clone();
            let text = format!("Removed sandbox {sandbox}\n");
            begin(attached, host, NodeAction::RemovePodSandbox { sandbox }, text)
        }
        "create" => create(attached, host, &words),
        "start" => {
            let container = container(attached, host, one(&words, "CONTAINER-ID")?)?
                .id
                .clone();
            let text = format!("{container}\n");
            begin(attached, host, NodeAction::StartContainer { container }, text)
        }
        "stop" => {
            let (grace, wanted) = match words.as_slice() {
                ["--timeout" | "-t", seconds, wanted] => {
                    (seconds.parse().map_err(|_| bad_number(seconds))?, *wanted)
                }
                [wanted] => (0, *wanted),
                _ => return Err(usage("CONTAINER-ID")),
            };
            let container = container(attached, host, wanted)?.id.clone();
            let text = format!("{container}\n");
            begin(
                attached,
                host,
                NodeAction::StopContainer {
                    container,
                    grace: Duration::from_secs(grace),
                },
                text,
            )
        }
        "rm" => {
            let container = container(attached, host, one(&words, "CONTAINER-ID")?)?
                .id
                .clone();
            let text = format!("{container}\n");
            begin(attached, host, NodeAction::RemoveContainer { container }, text)
        }
        "exec" => exec(attached, host, args),
        other => Err((format!("No help topic for '{other}'\n"), 3)),
    }
}

/// The output of work that was begun, once it is done.
pub fn finish(attached: &mut Attached<'_>, host: &str, waiting: &Waiting) -> Option<ProgramOutput> {
    let machine = attached.cluster.machine(host).ok()?;
    if machine.in_flight().any(|(id, _)| id == ActionId(waiting.action)) {
        return None;
    }
    let result = attached.cluster.result_of(host, ActionId(waiting.action));
    Some(match result {
        Some(Err(error)) => ProgramOutput {
            stdout: String::new(),
            stderr: format!("{error}\n"),
            code: 1,
        },
        Some(Ok(made)) if waiting.text.is_empty() => ProgramOutput {
            stdout: made,
            stderr: String::new(),
            code: 0,
        },
        _ => ProgramOutput {
            stdout: waiting.text.clone(),
            stderr: String::new(),
            code: 0,
        },
    })
}

fn machine<'a>(attached: &'a Attached<'_>, host: &str) -> Result<&'a Machine, Complaint> {
    attached
        .cluster
        .machine(host)
        .map_err(|error| (format!("{error}\n"), 1))
}

fn usage(what: &str) -> Complaint {
    (
        format!("time=\"\" level=fatal msg=\"{what} cannot be empty\"\n"),
        1,
    )
}

fn bad_number(text: &str) -> Complaint {
    (
        format!("Incorrect Usage: invalid value \"{text}\" for flag -timeout: parse error\n"),
        1,
    )
}

fn one<'a>(words: &[&'a str], what: &str) -> Result<&'a str, Complaint> {
    match words {
        [word] if !word.is_empty() => Ok(word),
        _ => Err(usage(what)),
    }
}

fn pod_of(attached: &Attached<'_>, name: &str) -> Result<Arc<Pod>, Complaint> {
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    match attached.cluster.stored(&Key::new(Kind::Pod, namespace, name)) {
        Some(Object::Pod(pod)) => Ok(pod.clone()),
        _ => Err((
            format!("load podSandboxConfig: pods \"{name}\" not found in namespace \"{namespace}\"\n"),
            1,
        )),
    }
}

/// A sandbox by the beginning of its id, or by its Pod's name.
fn sandbox<'a>(attached: &'a Attached<'_>, host: &str, wanted: &str) -> Result<&'a Sandbox, Complaint> {
    let runtime = machine(attached, host)?.runtime();
    let missing = || {
        (
            format!(
                "rpc error: code = NotFound desc = an error occurred when try to find sandbox \"{wanted}\": not found\n"
            ),
            1,
        )
    };
    if wanted.is_empty() {
        return Err(usage("POD-ID"));
    }
    let (namespace, name) = wanted.split_once('/').unwrap_or(("default", wanted));
    let by_name = runtime
        .sandboxes()
        .filter(|sandbox| &*sandbox.namespace == namespace && &*sandbox.pod_name == name)
        .max_by_key(|sandbox| (sandbox.created_at, sandbox.attempt));
    by_name
        .or_else(|| runtime.sandboxes_like(wanted).first().copied())
        .ok_or_else(missing)
}

fn container<'a>(
    attached: &'a Attached<'_>,
    host: &str,
    wanted: &str,
) -> Result<&'a Arc<Container>, Complaint> {
    let runtime = machine(attached, host)?.runtime();
    let found = runtime.containers_like(wanted).first().copied();
    found.ok_or_else(|| {
        (
            format!("rpc error: code = NotFound desc = an error occurred when try to find container \"{wanted}\": not found\n"),
            1,
        )
    })
}

fn create(attached: &mut Attached<'_>, host: &str, words: &[&str]) -> Outcome {
    let (wanted, name) = match words {
        [sandbox, name] | [sandbox, name, _] => (*sandbox, *name),
        _ => return Err(("Incorrect Usage: crictl create POD-ID CONTAINER\n".to_owned(), 1)),
    };
    let found = sandbox(attached, host, wanted)?;
    let (id, uid, namespace, pod_name) = (
        found.id.clone(),
        found.pod_uid.clone(),
        found.namespace.clone(),
        found.pod_name.clone(),
    );
    let pod = pod_of(attached, &format!("{namespace}/{pod_name}"))?;
    let spec = pod.spec.as_ref();
    let wanted = spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers))
        .find(|container| container.name == name)
        .cloned();
    let Some(wanted) = wanted else {
        return Err((
            format!("load containerConfig: Pod {namespace}/{pod_name} has no container \"{name}\"\n"),
            1,
        ));
    };
    let attempt = machine(attached, host)?
        .runtime()
        .containers_of(&uid)
        .iter()
        .filter(|container| container.config.name == name)
        .count() as u32;
    let config = crate::node::kubelet::container_config(&pod, &wanted, attempt);
    let config: Arc<ContainerConfig> = Arc::new(config);
    begin(
        attached,
        host,
        NodeAction::CreateContainer { sandbox: id, config },
        String::new(),
    )
}

fn exec(attached: &mut Attached<'_>, host: &str, args: &[String]) -> Outcome {
    let words: Vec<&String> = args.iter().skip_while(|word| word.starts_with('-')).collect();
    let Some((wanted, argv)) = words.split_first() else {
        return Err(usage("CONTAINER-ID"));
    };
    let id = container(attached, host, wanted)?.id.clone();
    let argv: Vec<String> = argv.iter().map(|word| (*word).clone()).collect();
    let executed = attached
        .cluster
        .exec_in(host, &id, &argv)
        .map_err(|error| (format!("{error}\n"), 1))?;
    Ok(crate::shell::transport::Started::Done(ProgramOutput {
        stdout: executed.stdout,
        stderr: executed.stderr,
        code: executed.exit_code.unwrap_or(137),
    }))
}

pub fn candidates(cluster: &crate::cluster::Cluster, host: &str, args: &[String]) -> Vec<String> {
    let commands = [
        "pull", "images", "rmi", "runp", "stopp", "rmp", "pods", "create", "start", "stop", "rm", "ps",
        "logs", "exec", "inspect", "inspectp",
    ];
    if args.len() <= 1 {
        return commands.iter().map(|name| (*name).to_owned()).collect();
    }
    let Ok(machine) = cluster.machine(host) else {
        return Vec::new();
    };
    match args[0].as_str() {
        "start" | "stop" | "rm" | "logs" | "exec" | "inspect" => machine
            .runtime()
            .containers()
            .map(|container| container.id.short().to_owned())
            .collect(),
        "stopp" | "rmp" | "create" | "inspectp" => machine
            .runtime()
            .sandboxes()
            .map(|sandbox| sandbox.id.short().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}
