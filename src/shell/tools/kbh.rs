//! `kbh`: what Kubernetes has no command for: seats, desks, traffic and the clock.

use super::{Outcome, begin};
use crate::cluster::{MAX_DESKS, Preset};
use crate::network::Request;
use crate::node::NodeAction;
use crate::node::address::Cidr;
use crate::seat::{Mode, SeatId};
use crate::shell::commands;
use crate::shell::host::{Attached, done};
use crate::shell::transport::{Pace, ProgramOutput, Started, Transport, Waiting};
use std::net::Ipv4Addr;

const USAGE: &str = "kbh runs the office around the cluster.

Usage:
  kbh seat                          who sits where, and how many duties wait
  kbh seat SEAT human|autopilot     take a seat or hand it over; SEAT may be a component
                                    (kubelet: every desk's) or all
  kbh todo [SEAT]                   your duties, why, and the command that does each
  kbh node                          the desks
  kbh node add NAME [--ready]       put up a desk; --ready sets it up too
  kbh node unplug|plug NAME         pull the network cable, put it back
  kbh node off|on NAME              pull the power plug, put it back
  kbh node remove NAME              take the desk away
  kbh node cni CIDR                 on a desk (ssh): set up its Pod network
  kbh traffic [--from DESK] [--rate N] URL   ask again and again, N times a second
  kbh traffic stop [ID]             stop one client or all
  kbh editor save|close             answer the editor that kubectl edit opened; save reads the text
  kbh pause | kbh play              stop and start time
  kbh speed FACTOR                  how fast time passes: 0.25 to 1000
  kbh reset [--preset P] [--nodes N] [--desks A,B] [--seed S]
                                    another session from its start; P is company-x, autopilot
                                    or the one component you want to hold
  kbh seed | kbh hash               this session's seed; the state as one number
  kbh help
";

type Complaint = (String, i32);

fn wrong(message: impl std::fmt::Display) -> Complaint {
    (format!("kbh: {message}\n"), 1)
}

pub fn run(attached: &mut Attached<'_>, host: &str, args: &[String]) -> Outcome {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] => Ok(done(USAGE)),
        ["seat" | "seats"] => Ok(done(seats(attached))),
        ["seat", seat, mode] => set_seat(attached, seat, mode),
        ["todo"] => Ok(list_or_nothing(todo(attached, None))),
        ["todo", seat] => Ok(list_or_nothing(todo(attached, Some(seat)))),
        ["node" | "nodes"] => Ok(done(nodes(attached))),
        ["node", rest @ ..] => node(attached, host, rest),
        ["traffic", rest @ ..] => traffic(attached, host, rest),
        ["pause"] => pace(attached, Pace::Paused),
        ["play"] => pace(attached, Pace::Speed(1000)),
        ["speed", factor] => {
            let factor = factor.trim_end_matches(['x', '×']);
            let speed = factor
                .parse::<f64>()
                .ok()
                .filter(|speed| (0.25..=1000.0).contains(speed));
            match speed {
                Some(speed) => pace(attached, Pace::Speed((speed * 1000.0).round() as u32)),
                None => Err(wrong(format!(
                    "speed must be between 0.25 and 1000, got \"{factor}\""
                ))),
            }
        }
        ["reset", rest @ ..] => reset(attached, rest),
        ["seed"] => Ok(done(format!("{}\n", attached.cluster.setup.seed))),
        ["hash"] => Ok(done(format!("{}\n", attached.cluster.hash()))),
        [other, ..] => Err(wrong(format!(
            "unknown or incomplete command \"{other}\"; see kbh help"
        ))),
    }
}

/// Waits for the terminal to begin the other session; the rest of the line goes with this one.
fn reset(attached: &mut Attached<'_>, words: &[&str]) -> Outcome {
    let mut setup = attached.cluster.setup.clone();
    let mut words = words.iter();
    while let Some(flag) = words.next() {
        let (flag, value) = match flag.split_once('=') {
            Some(both) => both,
            None => (
                *flag,
                *words
                    .next()
                    .ok_or_else(|| wrong(format!("{flag} needs a value")))?,
            ),
        };
        match flag {
            "--preset" => setup.preset = Preset::parse(value),
            "--seed" => {
                setup.seed = value
                    .parse()
                    .map_err(|_| wrong(format!("the seed must be a number, got \"{value}\"")))?;
            }
            "--nodes" => {
                let count = value
                    .parse()
                    .ok()
                    .filter(|count| *count <= MAX_DESKS)
                    .ok_or_else(|| {
                        wrong(format!(
                            "--nodes must be a number up to {MAX_DESKS}, got \"{value}\""
                        ))
                    })?;
                setup.desks = (0..count).map(|index| format!("node-{index}")).collect();
            }
            "--desks" => setup.desks = value.split(',').map(str::to_owned).collect(),
            other => return Err(wrong(format!("unknown flag {other}"))),
        }
    }
    if attached.seats_locked() && setup.preset != attached.cluster.setup.preset {
        return Err(locked());
    }
    attached.restart(setup);
    Ok(Started::Waiting(Waiting {
        action: 0,
        until: attached.cluster.now(),
        text: String::new(),
    }))
}

fn pace(attached: &mut Attached<'_>, pace: Pace) -> Outcome {
    attached.set_pace(pace);
    Ok(done(""))
}

fn seats(attached: &Attached<'_>) -> String {
    let rows: Vec<[String; 3]> = attached
        .cluster
        .seats()
        .map(|seat| {
            let who = if seat.mode == Mode::Human {
                "human"
            } else {
                "autopilot"
            };
            [seat.id.to_string(), who.to_owned(), seat.duty_count().to_string()]
        })
        .collect();
    table(["SEAT", "HELD BY", "DUTIES"], &rows)
}

fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            text.push_str(&format!("{cell:width$}   "));
        }
        format!("{}\n", text.trim_end())
    };
    let mut out = line(&head.map(str::to_owned));
    rows.iter().for_each(|row| out.push_str(&line(row)));
    out
}

fn locked() -> Complaint {
    wrong("the seats are locked: the author of this page decides who sits where")
}

fn set_seat(attached: &mut Attached<'_>, wanted: &str, mode: &str) -> Outcome {
    let mode = match mode {
        "human" | "me" | "hand" => Mode::Human,
        "autopilot" | "auto" => Mode::Autopilot,
        other => {
            return Err(wrong(format!(
                "a seat is held by human or autopilot, not \"{other}\""
            )));
        }
    };
    let seats: Vec<SeatId> = attached
        .cluster
        .seats()
        .map(|seat| seat.id.clone())
        .filter(|id| wanted == "all" || id.as_str() == wanted || id.component() == wanted)
        .collect();
    if seats.is_empty() {
        return Err(wrong(format!("no seat \"{wanted}\"; see kbh seat")));
    }
    if attached.seats_locked() {
        return Err(locked());
    }
    for seat in &seats {
        attached.cluster.set_mode(seat, mode);
    }
    let who = if mode == Mode::Human {
        "a person"
    } else {
        "the autopilot"
    };
    Ok(done(
        seats
            .iter()
            .map(|seat| format!("{seat} is held by {who}\n"))
            .collect::<String>(),
    ))
}

/// An empty list says so on standard error, so that `kbh todo | bash` has nothing to run.
fn list_or_nothing(list: String) -> Started {
    let stderr = if list.is_empty() {
        "Nothing to do.\n".to_owned()
    } else {
        String::new()
    };
    Started::Done(ProgramOutput {
        stdout: list,
        stderr,
        code: 0,
    })
}

fn todo(attached: &Attached<'_>, wanted: Option<&str>) -> String {
    let mut out = String::new();
    for seat in attached.cluster.seats() {
        if wanted.is_some_and(|wanted| seat.id.as_str() != wanted && seat.id.component() != wanted) {
            continue;
        }
        for (_, duty) in seat.duties() {
            let why = commands::why(&duty.why, commands::Language::English);
            let stored =
                commands::subject(&duty.action).and_then(|key| attached.cluster.stored(&key).cloned());
            let line = commands::line(&seat.id, &duty.action, stored.as_ref());
            out.push_str(&format!("# {}: {why}\n{line}\n", seat.id));
        }
    }
    out
}

fn nodes(attached: &Attached<'_>) -> String {
    let rows: Vec<[String; 5]> = attached
        .cluster
        .machines
        .values()
        .map(|machine| {
            let cable = match (machine.powered(), machine.plugged()) {
                (false, _) => "off",
                (true, false) => "unplugged",
                (true, true) => "plugged in",
            };
            let network = machine
                .pod_cidr()
                .map_or_else(|| "<none>".to_owned(), |cidr| cidr.to_string());
            let ipvs = if machine.ipvs().loaded() {
                "loaded"
            } else {
                "<none>"
            };
            [
                machine.name.to_string(),
                machine.ip.to_string(),
                network,
                ipvs.to_owned(),
                cable.to_owned(),
            ]
        })
        .collect();
    table(["DESK", "ADDRESS", "POD NETWORK", "IPVS", "STATE"], &rows)
}

fn node(attached: &mut Attached<'_>, host: &str, words: &[&str]) -> Outcome {
    let cluster = &mut *attached.cluster;
    let outcome = match words {
        ["add", name] => cluster
            .add_desk(name)
            .map(|()| format!("desk {name} is there; see kbh todo kubelet@{name}\n")),
        ["add", name, "--ready"] | ["add", "--ready", name] => cluster
            .add_ready_desk(name)
            .map(|()| format!("desk {name} is set up\n")),
        ["unplug", name] => cluster
            .unplug(name)
            .map(|()| format!("desk {name} is unplugged\n")),
        ["plug", name] => cluster
            .plug(name)
            .map(|()| format!("desk {name} is plugged in\n")),
        ["off", name] => cluster
            .power(name, false)
            .map(|()| format!("desk {name} is off\n")),
        ["on", name] => cluster.power(name, true).map(|()| format!("desk {name} is on\n")),
        ["remove", name] => cluster
            .remove_desk(name)
            .map(|()| format!("desk {name} is gone\n")),
        ["cni", cidr] => {
            let pod_cidr: Cidr = cidr.parse().map_err(wrong)?;
            if host.is_empty() {
                return Err(wrong(format!(
                    "the network is set up on a desk: ssh DESK kbh node cni {cidr}"
                )));
            }
            return begin(
                attached,
                host,
                NodeAction::InstallCni { pod_cidr },
                format!("Pod network {cidr} is set up\n"),
            );
        }
        _ => return Err(wrong("usage: kbh node add|unplug|plug|off|on|remove NAME")),
    };
    outcome.map(done).map_err(wrong)
}

fn traffic(attached: &mut Attached<'_>, host: &str, words: &[&str]) -> Outcome {
    match words {
        [] => {
            let rows: Vec<[String; 6]> = attached
                .cluster
                .traffic()
                .clients()
                .map(|client| {
                    let from = if client.from.is_empty() {
                        "reception"
                    } else {
                        &*client.from
                    };
                    let to = format!(
                        "{}:{}{}",
                        client.request.host, client.request.port, client.request.path
                    );
                    let rate = format!("{}/s", client.rate_milli as f64 / 1000.0);
                    [
                        client.id.to_string(),
                        from.to_owned(),
                        to,
                        rate,
                        client.sent.to_string(),
                        client.failed.to_string(),
                    ]
                })
                .collect();
            return Ok(done(table(["ID", "FROM", "TO", "RATE", "SENT", "FAILED"], &rows)));
        }
        ["stop"] => {
            let count = attached.cluster.stop_clients(None);
            return Ok(done(format!("{count} stopped\n")));
        }
        ["stop", id] => {
            let number = id.parse().map_err(|_| wrong(format!("no client \"{id}\"")))?;
            return match attached.cluster.stop_clients(Some(number)) {
                0 => Err(wrong(format!("no client \"{id}\""))),
                _ => Ok(done("1 stopped\n")),
            };
        }
        _ => {}
    }
    let (mut from, mut rate, mut url) = (host.to_owned(), 1.0f64, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--from" => from = (*words.next().ok_or_else(|| wrong("--from needs a desk"))?).to_owned(),
            "--rate" => {
                let text = words.next().copied().unwrap_or("");
                rate = text
                    .parse()
                    .ok()
                    .filter(|rate| (0.01..=200.0).contains(rate))
                    .ok_or_else(|| {
                        wrong(format!(
                            "--rate must be between 0.01 and 200 a second, got \"{text}\""
                        ))
                    })?;
            }
            other if other.starts_with('-') => return Err(wrong(format!("unknown flag {other}"))),
            other => url = Some(other),
        }
    }
    if from == "reception" {
        from.clear();
    }
    if !from.is_empty() && !from.starts_with("pod/") && attached.cluster.machine(&from).is_err() {
        return Err(wrong(format!("no desk \"{from}\"")));
    }
    let Some(url) = url else {
        return Err(wrong("whom should it ask? kbh traffic URL"));
    };
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, "/".to_owned()), |(host, path)| (host, format!("/{path}")));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (
            host,
            port.parse()
                .map_err(|_| wrong(format!("bad port in \"{url}\"")))?,
        ),
        None => (authority, 80),
    };
    if host.is_empty() || (host.parse::<Ipv4Addr>().is_err() && host.contains(' ')) {
        return Err(wrong(format!("bad URL \"{url}\"")));
    }
    let id = attached
        .cluster
        .start_client(&from, Request::get(host, port, &path), (rate * 1000.0) as u64);
    Ok(done(format!(
        "client {id} asks {host}:{port}{path}, {rate} a second\n"
    )))
}

pub fn candidates(cluster: &crate::cluster::Cluster, args: &[String]) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let seats = || {
        cluster
            .seats()
            .map(|seat| seat.id.to_string())
            .chain(["all".to_owned()])
            .collect::<Vec<_>>()
    };
    let desks = || {
        cluster
            .machines
            .keys()
            .map(|name| name.to_string())
            .collect::<Vec<_>>()
    };
    match args {
        [] | [_] => own(&[
            "seat", "todo", "node", "traffic", "pause", "play", "speed", "reset", "seed", "hash", "help",
        ]),
        [command, _] if command == "seat" || command == "todo" => seats(),
        [command, _, _] if command == "seat" => own(&["human", "autopilot"]),
        [command, _] if command == "node" => own(&["add", "unplug", "plug", "off", "on", "remove", "cni"]),
        [command, _, _] if command == "node" => desks(),
        [command, ..] if command == "reset" => own(&["--preset", "--nodes", "--desks", "--seed"]),
        [command, ..] if command == "traffic" => [desks(), own(&["--from", "--rate", "stop"])].concat(),
        _ => Vec::new(),
    }
}
