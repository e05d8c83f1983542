//! The request log, and the slips at the counter.

use std::rc::Rc;

use super::{keep_list, text};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::apiserver::{LogEntry, Stage as Station, Subresource, Verb};
use crate::cluster::view::{Reception, Request, Slip, Stage, Text, Verdict, Views};
use crate::cluster::{Cluster, RuleChange};
use crate::etcd::Key;
use crate::network::{HopKind, Outcome};
use crate::node::NodeAction;
use crate::node::ipvs::Change;

/// Lines of the log that are made.
const LINES: usize = 200;
/// Slips on the counter, and how far back to look for them.
const SLIPS: usize = 6;
const SLIPS_AMONG: usize = 400;
/// Copies of one slip that are drawn.
const COPIES: usize = 24;

#[inline(never)]
pub fn look(views: &mut Views, cluster: &Cluster) {
    let log = &cluster.api.log;
    if views.reception.requests == log.last_id() {
        return;
    }
    // A lower number than before: time was turned back.
    let known = if log.last_id() < views.reception.requests {
        Default::default()
    } else {
        views.requests.clone()
    };
    let newest = known.last().map_or(0, |request| request.id);
    let mut lines: Vec<Rc<Request>> = log
        .recent()
        .take(LINES)
        .take_while(|entry| entry.id > newest)
        .map(|entry| Rc::new(line(entry)))
        .collect();
    lines.reverse();
    let stay = LINES.saturating_sub(lines.len());
    let kept = known.len().saturating_sub(stay);
    let requests: Vec<_> = known.iter().skip(kept).cloned().chain(lines).collect();
    views.requests = keep_list(&views.requests, requests);

    let old = views.reception.slips.clone();
    let mut slips: Vec<Rc<Slip>> = log
        .recent()
        .take(SLIPS_AMONG)
        .filter(|entry| is_worth_a_slip(entry))
        .take(SLIPS)
        .map(|entry| {
            let same = |slip: &&Rc<Slip>| slip.id == entry.id && slip.at == entry.at;
            old.iter()
                .find(same)
                .cloned()
                .unwrap_or_else(|| Rc::new(slip(cluster, entry)))
        })
        .collect();
    slips.reverse();
    views.reception = Rc::new(Reception {
        slips: keep_list(&old, slips),
        requests: log.last_id(),
    });
}

/// Heartbeats, Events and successful reads happen all the time; a slip is for what someone did.
fn is_worth_a_slip(entry: &LogEntry) -> bool {
    let person = hand(entry) == "person";
    let read = matches!(entry.verb, Verb::Get | Verb::List | Verb::Watch);
    if entry.refused() {
        return person || !read;
    }
    let heartbeat = entry.kind == Kind::Lease
        || entry.kind == Kind::Event
        || (entry.kind == Kind::Node && entry.subresource == Subresource::Status);
    if person {
        !(read && entry.verb != Verb::Get)
    } else {
        !read && !heartbeat
    }
}

/// Who wrote it: a seat, or a person.
fn hand(entry: &LogEntry) -> String {
    let user = entry.user.name.as_str();
    if let Some(node) = user.strip_prefix("system:node:") {
        return format!("kubelet@{node}");
    }
    if let Some(controller) = user.strip_prefix("system:serviceaccount:kube-system:") {
        return controller
            .strip_suffix("-controller")
            .unwrap_or(controller)
            .to_string();
    }
    match user {
        "system:kube-scheduler" => "scheduler".to_string(),
        _ if user.starts_with("system:") => user.trim_start_matches("system:").to_string(),
        _ => "person".to_string(),
    }
}

fn method(entry: &LogEntry) -> &'static str {
    entry.verb.method()
}

fn line(entry: &LogEntry) -> Request {
    Request {
        id: entry.id,
        at: entry.at,
        verb: text(method(entry)),
        path: entry.path().into(),
        user: text(&entry.user.name),
        code: entry.code,
        message: text(&entry.message),
    }
}

/// The seats that are told of a write, the writer's own not among them.
fn copies(cluster: &Cluster, entry: &LogEntry) -> Rc<[Text]> {
    let key = Key::new(entry.kind, &entry.namespace, &entry.name);
    let hand = hand(entry);
    match cluster.api.etcd.get(&key) {
        Some(stored) => cluster
            .watchers(&stored.object)
            .filter(|seat| seat.as_str() != hand)
            .take(COPIES)
            .map(|seat| text(seat.as_str()))
            .collect(),
        None => Rc::default(),
    }
}

fn slip(cluster: &Cluster, entry: &LogEntry) -> Slip {
    let read = matches!(entry.verb, Verb::Get | Verb::List | Verb::Watch);
    Slip {
        id: entry.id,
        at: entry.at,
        verb: text(method(entry)),
        path: entry.path().into(),
        user: text(&entry.user.name),
        code: entry.code,
        stamps: stamps(entry, read),
        message: text(&entry.message),
        drawer: (!read && !entry.refused()).then(|| Text::from(entry.kind.info().plural)),
        hand: hand(entry).into(),
        copies: if read || entry.refused() {
            Rc::default()
        } else {
            copies(cluster, entry)
        },
    }
}

/// Which boxes of the form are stamped. A read is neither admitted nor validated.
fn stamps(entry: &LogEntry, read: bool) -> Rc<[(Stage, Verdict)]> {
    const STAGES: [(Stage, Station); 4] = [
        (Stage::Authentication, Station::Authentication),
        (Stage::Authorization, Station::Authorization),
        (Stage::Admission, Station::Admission),
        (Stage::Validation, Station::Validation),
    ];
    let verdict = |station: Station| {
        if read && station >= Station::Admission {
            Verdict::Skipped
        } else if !entry.refused() || station < entry.stage {
            Verdict::Passed
        } else if station == entry.stage {
            Verdict::Refused
        } else {
            Verdict::Skipped
        }
    };
    STAGES
        .iter()
        .map(|(stage, station)| (*stage, verdict(*station)))
        .collect()
}

/// Steps that are shown of what a request led to.
const FOLLOWED: usize = 40;

/// What a request led to, in the order of time: requests that have it among their causes, rules on the
/// switchboards, and the first packet that each rule sent on its way.
pub fn followed(cluster: &Cluster, id: u64) -> Vec<Request> {
    let mut led: Vec<u64> = vec![id];
    let mut steps: Vec<Request> = Vec::new();
    let mut later: Vec<&LogEntry> = cluster
        .api
        .log
        .recent()
        .take_while(|entry| entry.id > id)
        .map(|entry| &**entry)
        .collect();
    later.reverse();
    for entry in later {
        // Ids grow with time and so does `led`.
        if led.binary_search(&entry.cause).is_ok() {
            led.push(entry.id);
            if entry.kind != Kind::Event {
                steps.push(line(entry));
            }
        }
    }
    for change in cluster
        .rule_changes()
        .filter(|change| led.binary_search(&change.cause).is_ok())
    {
        steps.push(Request {
            id: 0,
            at: change.at,
            verb: "ipvsadm".into(),
            path: change.action.to_string().trim_start_matches("ipvsadm ").into(),
            user: format!("kube-proxy@{}", change.machine).into(),
            code: 0,
            message: "".into(),
        });
        steps.extend(first_packet(cluster, change));
    }
    steps.stable_sort_by_key(|step| step.at);
    // The first causes and the last effects are what the way is about.
    if steps.len() > FOLLOWED {
        steps.drain(FOLLOWED / 2..steps.len() - FOLLOWED / 2);
    }
    steps
}

/// The first request that a machine sent to a server after a rule led there.
fn first_packet(cluster: &Cluster, change: &RuleChange) -> Option<Request> {
    let NodeAction::Ipvs(Change::AddServer { service, server, .. }) = &change.action else {
        return None;
    };
    let sent = |hop: &crate::network::Hop| {
        hop.machine.as_ref() == Some(&change.machine)
            && matches!(&hop.kind, HopKind::Balanced { service: to, server: own, .. } if to == service && own == server)
    };
    let flight = cluster
        .traffic()
        .flights()
        .find(|flight| flight.started >= change.at && flight.trace.hops.iter().any(sent))?;
    let asked = &flight.trace.request;
    Some(Request {
        id: 0,
        at: flight.started,
        verb: text(&asked.method),
        path: format!("http://{}:{}{} → {server}", asked.host, asked.port, asked.path).into(),
        user: text(&change.machine),
        code: match &flight.trace.outcome {
            Outcome::Http(answer) => answer.status,
            _ => 0,
        },
        message: flight
            .trace
            .curl_error()
            .map_or_else(|| "".into(), |error| error.message.as_str().into()),
    })
}

/// How a request came about, the first cause first.
pub fn chain(cluster: &Cluster, id: u64) -> Vec<Request> {
    let mut chain: Vec<Request> = cluster
        .api
        .log
        .chain(id)
        .iter()
        .map(|entry| line(entry))
        .collect();
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Preset, Setup};
    use crate::shell::Terminal;
    use std::time::Duration;

    /// From a manifest to a packet: what a click on its request shows.
    #[test]
    fn a_request_is_followed_to_the_packet() {
        let mut office = Terminal::new(Setup {
            preset: Preset::Autopilot,
            desks: vec!["bob".into()],
            ..Setup::default()
        });
        let mut run = |line: &str| {
            let printed = office.run(line, Duration::from_secs(60));
            assert_eq!(
                (printed.code, printed.stderr()),
                (Some(0), String::new()),
                "{line}"
            );
            office.advance(Duration::from_secs(5));
        };
        run("kubectl create service clusterip web --tcp=80:8080");
        run("kubectl create deployment web --image=kubebyhand/hello:1.0");
        run("kubectl rollout status deployment web");
        run("ssh bob curl -sS -m 2 http://web");
        let made = |entry: &&std::sync::Arc<LogEntry>| {
            entry.kind == Kind::Deployment && entry.verb == Verb::Create && !entry.refused()
        };
        let id = office.cluster.api.log.recent().find(made).expect("a POST").id;
        let steps = followed(&office.cluster, id);
        let told: Vec<String> = steps
            .iter()
            .map(|step| format!("{} {} {}", step.user, step.verb, step.path))
            .collect();
        let expected = [
            ("deployment-controller POST", "replicasets"),
            ("replicaset-controller POST", "pods"),
            ("kube-scheduler POST", "binding"),
            ("node:bob PUT", "status"),
            ("endpointslice-controller", "endpointslices"),
            ("kube-proxy@bob ipvsadm", ":8080 -m -w 1"),
            ("bob GET", "http://web:80/ → 10.244.1.2:8080"),
        ];
        let mut rest = told.iter();
        for (who, what) in expected {
            assert!(
                rest.any(|step| step.contains(who) && step.contains(what)),
                "{who} {what}: {told:#?}"
            );
        }
    }
}
