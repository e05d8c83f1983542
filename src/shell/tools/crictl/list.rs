//! What only looks: `ps`, `pods`, `images`, `inspect`, `inspectp`, `logs`.
//!
//! Source: sigs.k8s.io/cri-tools 1.36 `cmd/crictl/{container,sandbox,image,logs}.go`.

use super::{Complaint, Outcome, container, machine, sandbox, usage};
use crate::api::civil;
use crate::node::runtime::{self, Container, Sandbox, SandboxState};
use crate::shell::host::{Attached, done};
use crate::shell::print::json::pretty;
use serde_json::{Value, json};

/// A command's flags and its other words.
struct Given<'a> {
    flags: Vec<(&'static str, &'a str)>,
    words: Vec<&'a str>,
}

impl<'a> Given<'a> {
    /// `known`: short and long name, and whether a value follows. Switches may stand together, as in `-aq`.
    fn read(args: &[&'a str], known: &[(char, &'static str, bool)]) -> Result<Given<'a>, Complaint> {
        let mut given = Given {
            flags: Vec::new(),
            words: Vec::new(),
        };
        let mut rest = args.iter().copied();
        while let Some(word) = rest.next() {
            let name = word.trim_start_matches('-');
            if name.len() == word.len() || name.is_empty() {
                given.words.push(word);
                continue;
            }
            let undefined = || {
                (
                    format!("Incorrect Usage: flag provided but not defined: {word}\n"),
                    1,
                )
            };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (name, None),
            };
            let flag = known
                .iter()
                .find(|(short, long, _)| *long == name || name.len() == 1 && name.starts_with(*short));
            match flag {
                Some((_, long, true)) => {
                    let missing = || (format!("Incorrect Usage: flag needs an argument: {word}\n"), 1);
                    given
                        .flags
                        .push((*long, value.or_else(|| rest.next()).ok_or_else(missing)?));
                }
                Some((_, long, false)) => given.flags.push((*long, "")),
                None if word.starts_with("--") => return Err(undefined()),
                None => {
                    for letter in name.chars() {
                        let switch = known.iter().find(|(short, _, value)| *short == letter && !value);
                        given.flags.push((switch.ok_or_else(undefined)?.1, ""));
                    }
                }
            }
        }
        Ok(given)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == flag)
    }

    /// Whether `text` fits the flag's value, which may be its beginning; true without the flag.
    fn fits(&self, flag: &str, text: &str) -> bool {
        self.flags
            .iter()
            .all(|(name, value)| *name != flag || text.to_lowercase().starts_with(&value.to_lowercase()))
    }
}

fn ids<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.map(|id| format!("{id}\n")).collect()
}

pub fn ps(attached: &Attached<'_>, host: &str, args: &[&str]) -> Outcome {
    let given = Given::read(
        args,
        &[
            ('a', "all", false),
            ('q', "quiet", false),
            ('n', "name", true),
            ('p', "pod", true),
            ('s', "state", true),
        ],
    )?;
    let runtime = machine(attached, host)?.runtime();
    let any_state = given.has("all") || given.has("state");
    let wanted = |own: &Container| {
        let state = own.state.name().trim_start_matches("CONTAINER_");
        (any_state || own.is_running())
            && given.fits("state", state)
            && given.fits("name", &own.config.name)
            && given.fits("pod", own.sandbox.as_str())
    };
    let shown = runtime::newest_containers(runtime, &wanted);
    Ok(done(if given.has("quiet") {
        ids(shown.iter().map(|own| own.id.as_str()))
    } else {
        runtime::ps_table(runtime, &shown, attached.cluster.now())
    }))
}

pub fn pods(attached: &Attached<'_>, host: &str, args: &[&str]) -> Outcome {
    let given = Given::read(
        args,
        &[
            ('q', "quiet", false),
            ('n', "name", true),
            (' ', "namespace", true),
            ('s', "state", true),
        ],
    )?;
    let wanted = |own: &Sandbox| {
        let state = if own.state == SandboxState::Ready {
            "ready"
        } else {
            "notready"
        };
        given.fits("state", state)
            && given.fits("name", &own.pod_name)
            && given.fits("namespace", &own.namespace)
    };
    let shown = runtime::newest_sandboxes(machine(attached, host)?.runtime(), &wanted);
    Ok(done(if given.has("quiet") {
        ids(shown.iter().map(|own| own.id.as_str()))
    } else {
        runtime::pods_table(&shown, attached.cluster.now())
    }))
}

pub fn images(attached: &Attached<'_>, host: &str, args: &[&str]) -> Outcome {
    let given = Given::read(args, &[('q', "quiet", false)])?;
    let runtime = machine(attached, host)?.runtime();
    Ok(done(if given.has("quiet") {
        ids(runtime.images().map(|image| &*image.id))
    } else {
        runtime::images_table(runtime)
    }))
}

pub fn logs(attached: &Attached<'_>, host: &str, args: &[&str]) -> Outcome {
    let given = Given::read(args, &[(' ', "tail", true), ('t', "timestamps", false)])?;
    let [wanted] = given.words.as_slice() else {
        return Err(usage("ID"));
    };
    let lines = container(attached, host, wanted)?.log();
    let count = lines.len();
    let tail = match given.flags.iter().rev().find(|(name, _)| *name == "tail") {
        Some((_, text)) => text.parse::<i64>().map_err(|_| {
            let why = format!("Incorrect Usage: invalid value \"{text}\" for flag -tail: parse error\n");
            (why, 1)
        })?,
        None => -1,
    };
    let skipped = usize::try_from(tail).map_or(0, |tail| count.saturating_sub(tail));
    let stamped = given.has("timestamps");
    let text = lines.skip(skipped).map(|line| {
        let stamp = if stamped {
            civil::micros(line.at.timestamp()) + " "
        } else {
            String::new()
        };
        format!("{stamp}{}\n", line.text)
    });
    Ok(done(text.collect::<String>()))
}

/// The status of a container, as CRI's ContainerStatus in JSON.
pub fn inspect(attached: &Attached<'_>, host: &str, args: &[&str]) -> Outcome {
    let [wanted] = args else { return Err(usage("ID")) };
    let own = container(attached, host, wanted)?;
    let sandbox = machine(attached, host)?.runtime().sandbox(&own.sandbox);
    let moment = |at: Option<crate::sim::SimTime>| {
        at.map_or("0001-01-01T00:00:00Z".to_owned(), |at| {
            civil::micros(at.timestamp())
        })
    };
    let mut labels =
        json!({"io.kubernetes.container.name": own.config.name, "io.kubernetes.pod.uid": &*own.pod_uid});
    if let Some(sandbox) = sandbox {
        labels["io.kubernetes.pod.name"] = (&*sandbox.pod_name).into();
        labels["io.kubernetes.pod.namespace"] = (&*sandbox.namespace).into();
    }
    let status = json!({
        "createdAt": moment(Some(own.created_at)),
        "exitCode": own.exit_code,
        "finishedAt": moment(own.finished_at),
        "id": own.id.as_str(),
        "image": {"image": own.config.image, "userSpecifiedImage": own.config.image},
        "imageRef": &*own.image_id,
        "labels": labels,
        "message": own.message,
        "metadata": {"attempt": own.config.attempt, "name": own.config.name},
        "reason": own.reason,
        "startedAt": moment(own.started_at),
        "state": own.state.name(),
    });
    Ok(done(inspected(status)))
}

/// The status of a sandbox, as CRI's PodSandboxStatus in JSON.
pub fn inspect_pod(attached: &Attached<'_>, host: &str, args: &[&str]) -> Outcome {
    let [wanted] = args else { return Err(usage("ID")) };
    let own = sandbox(attached, host, wanted)?;
    let network = if own.host_network { "NODE" } else { "POD" };
    let status = json!({
        "createdAt": civil::micros(own.created_at.timestamp()),
        "id": own.id.as_str(),
        "labels": {
            "io.kubernetes.pod.name": &*own.pod_name,
            "io.kubernetes.pod.namespace": &*own.namespace,
            "io.kubernetes.pod.uid": &*own.pod_uid,
        },
        "linux": {"namespaces": {"options": {"ipc": "POD", "network": network, "pid": "CONTAINER"}}},
        "metadata": {
            "attempt": own.attempt,
            "name": &*own.pod_name,
            "namespace": &*own.namespace,
            "uid": &*own.pod_uid,
        },
        "network": {"additionalIps": [], "ip": own.ip.to_string()},
        "state": own.state.name(),
    });
    Ok(done(inspected(status)))
}

fn inspected(status: Value) -> String {
    pretty(&json!({"status": status})) + "\n"
}
