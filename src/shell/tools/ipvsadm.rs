//! `ipvsadm`, on a machine's own table.

use super::{Outcome, complaint};
use crate::node::ipvs::{IpvsCommand, IpvsError, command};
use crate::node::{NodeAction, NodeError};
use crate::shell::host::{Attached, done};

pub fn run(attached: &mut Attached<'_>, host: &str, args: &[String], stdin: &str) -> Outcome {
    let parsed = command(args).map_err(|error| (format!("{error}\n"), error.code))?;
    match parsed {
        IpvsCommand::Print(text) => Ok(done(text)),
        IpvsCommand::List(listing) => {
            let now = attached.cluster.now();
            let machine = attached
                .cluster
                .machine(host)
                .map_err(|error| (format!("{error}\n"), 1))?;
            match machine.ipvs().list(&listing, now) {
                Ok(text) => Ok(done(text)),
                Err(IpvsError::NoSuchService) => Err((format!("{}\n", IpvsError::NoSuchService), 1)),
                Err(error) => Err((format!("{error}\n"), error.exit_code())),
            }
        }
        IpvsCommand::Save { numeric } => {
            let machine = attached
                .cluster
                .machine(host)
                .map_err(|error| (format!("{error}\n"), 1))?;
            Ok(done(machine.ipvs().save(numeric)))
        }
        IpvsCommand::Change(change) => match attached.cluster.local(host, NodeAction::Ipvs(change)) {
            Ok(_) => Ok(done("")),
            Err(NodeError::Ipvs(error)) => Err((format!("{error}\n"), error.exit_code())),
            Err(error) => Err(complaint(&error)),
        },
        IpvsCommand::Restore => {
            for line in stdin.lines().filter(|line| !line.trim().is_empty()) {
                let words = shlex::split(line).unwrap_or_default();
                run(attached, host, &words, "")?;
            }
            Ok(done(""))
        }
    }
}
