//! The programs of the machines themselves, and `kbh`, the office's own.

mod crictl;
mod etcdctl;
mod ipvsadm;
mod kbh;

use super::host::{Attached, done, failed};
use super::transport::{ProgramOutput, Started, Waiting};
use crate::cluster::Cluster;
use crate::node::{ActionId, NodeAction, NodeError};

/// Every program, for completion.
pub const NAMES: &[&str] = &[
    "crictl", "etcdctl", "hostname", "ipvsadm", "kbh", "lsmod", "modprobe",
];

/// What a tool answers: its output, or its complaint with an exit code.
type Outcome = Result<Started, (String, i32)>;

pub fn start(attached: &mut Attached<'_>, host: &str, argv: &[String], stdin: &str) -> Option<Started> {
    let (name, args) = argv.split_first()?;
    let outcome = match name.as_str() {
        "kbh" => kbh::run(attached, host, args),
        "etcdctl" => etcdctl::run(attached, args),
        "crictl" | "ipvsadm" | "modprobe" | "lsmod" if host.is_empty() => Err((
            format!(
                "bash: {name}: command not found on this computer; it is on the desks: ssh DESK {name} ...\n"
            ),
            127,
        )),
        "crictl" => crictl::run(attached, host, args, stdin),
        "ipvsadm" => ipvsadm::run(attached, host, args, stdin),
        "modprobe" => modprobe(attached, host, args),
        "lsmod" => Ok(lsmod(attached, host)),
        "hostname" => Ok(done(format!(
            "{}\n",
            if host.is_empty() { "reception" } else { host }
        ))),
        _ => return None,
    };
    Some(outcome.unwrap_or_else(|(message, code)| failed(message, code)))
}

pub fn finish(attached: &mut Attached<'_>, host: &str, waiting: &Waiting) -> Option<ProgramOutput> {
    crictl::finish(attached, host, waiting)
}

fn modprobe(attached: &mut Attached<'_>, host: &str, args: &[String]) -> Outcome {
    match args {
        [module] if module == "ip_vs" => begin(attached, host, NodeAction::LoadIpvs, String::new()),
        [module] => Err((
            format!("modprobe: FATAL: Module {module} not found in directory /lib/modules/6.12.0\n"),
            1,
        )),
        _ => Err(("modprobe: ERROR: missing parameters. See -h.\n".to_owned(), 1)),
    }
}

fn lsmod(attached: &mut Attached<'_>, host: &str) -> Started {
    let loaded = attached
        .cluster
        .machine(host)
        .is_ok_and(|machine| machine.ipvs().loaded());
    let mut text = String::from("Module                  Size  Used by\n");
    if loaded {
        text.push_str("ip_vs                 221184  0\n");
    }
    done(text)
}

/// Begins work on a machine that the program waits for.
fn begin(attached: &mut Attached<'_>, host: &str, action: NodeAction, text: String) -> Outcome {
    match attached.cluster.local(host, action) {
        Ok(completion) if completion.id == ActionId(0) => Ok(done(text)),
        Ok(completion) => Ok(Started::Waiting(Waiting {
            action: completion.id.0,
            until: attached.cluster.now() + completion.after,
            text,
        })),
        Err(error) => Err(complaint(&error)),
    }
}

fn complaint(error: &NodeError) -> (String, i32) {
    (format!("{error}\n"), 1)
}

pub fn complete(cluster: &Cluster, host: &str, argv: &[String]) -> Vec<String> {
    let Some((name, args)) = argv.split_first() else {
        return Vec::new();
    };
    let last = args.last().map_or("", String::as_str);
    let candidates: Vec<String> = match name.as_str() {
        "kbh" => kbh::candidates(cluster, args),
        "crictl" => crictl::candidates(cluster, host, args),
        "modprobe" => vec!["ip_vs".to_owned()],
        _ => Vec::new(),
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(last))
        .collect()
}
