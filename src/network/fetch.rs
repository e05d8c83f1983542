//! What processes in containers ask of the network: `wget` and `curl` in scripts and by `exec`.

use super::{From, Outcome, Request, Trace, World, request};
use crate::node::runtime::{ContainerId, SandboxId};
use crate::node::{Answered, Executed, Fetch, FetchFailure};
use crate::sim::SimTime;
use std::sync::Arc;
use std::time::Duration;

/// Answers a process that waits ([`NodeEvent::Fetch`](crate::node::NodeEvent::Fetch)): sends its
/// request and tells its machine when the answer is there. `None` when it waits no more.
pub fn fetch(world: &mut World<'_>, now: SimTime, machine: &str, container: &ContainerId) -> Option<Trace> {
    let found = world.machines.machine(machine)?;
    let (fetch, sandbox) = found.waiting_for(container)?;
    let from = From::Pod {
        machine: found.name.clone(),
        sandbox: sandbox.clone(),
    };
    let trace = request(world, now, &from, &asked(fetch.clone()));
    let answer = answer(&trace);
    world
        .machines
        .machine_mut(machine)?
        .fetched(container, now + trace.total, &answer);
    Some(trace)
}

/// Runs a command in a container, network and all (`kubectl exec client -- wget -qO- http://web`).
/// Also answers the requests it made. The error is runc's.
pub fn exec(
    world: &mut World<'_>,
    now: SimTime,
    machine: &str,
    container: &ContainerId,
    argv: &[String],
) -> Result<(Executed, Vec<Trace>), String> {
    let missing = || format!("container not found: {container}");
    let found = world.machines.machine(machine).ok_or_else(missing)?;
    let sandbox: SandboxId = found
        .runtime()
        .container(container)
        .ok_or_else(missing)?
        .sandbox
        .clone();
    let from = From::Pod {
        machine: Arc::clone(&found.name),
        sandbox,
    };
    let mut exec = found.exec_begin(now, container, argv)?;
    let mut traces = Vec::new();
    loop {
        let found = world.machines.machine_mut(machine).ok_or_else(missing)?;
        if let Some(executed) = found.exec_run(&mut exec) {
            return Ok((executed, traces));
        }
        match exec.asks().filter(|_| traces.len() < MAX_FETCHES) {
            Some((at, fetch)) => {
                let trace = request(world, at, &from, &asked(fetch.clone()));
                exec.answer(trace.total, &answer(&trace));
                traces.push(trace);
            }
            None => exec.answer(Duration::from_secs(1), &Answered::timed_out()),
        }
    }
}

/// How many requests of one command are sent; further ones get no answer.
const MAX_FETCHES: usize = 100;

fn asked(fetch: Fetch) -> Request {
    let Fetch {
        host,
        port,
        method,
        path,
        connect_timeout,
        ..
    } = fetch;
    Request {
        host,
        port,
        method,
        path,
        connect_timeout,
    }
}

fn answer(trace: &Trace) -> Answered {
    let why = match &trace.outcome {
        Outcome::Http(response) => return Answered::Http(response.clone()),
        Outcome::NameNotResolved => FetchFailure::NotResolved,
        Outcome::Refused => FetchFailure::Refused,
        Outcome::Unreachable => FetchFailure::Unreachable,
        Outcome::Timeout => FetchFailure::Timeout,
        Outcome::NotHttp | Outcome::ApiServer => FetchFailure::NotHttp,
    };
    // The API server's certificate is signed by the cluster, whom a container does not trust unasked.
    let (curl_code, curl_message) = trace.curl_error().map_or_else(
        || {
            (
                60,
                "SSL certificate problem: unable to get local issuer certificate".to_owned(),
            )
        },
        |error| (error.code, error.message),
    );
    Answered::Failed {
        why,
        address: trace.address,
        curl_code,
        curl_message,
    }
}
