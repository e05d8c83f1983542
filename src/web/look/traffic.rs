//! Requests on their way, as dots.

use crate::api::sorted::SortedMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::keep_list;
use crate::cluster::view::{Dot, Hop, Outcome, Place, Traffic};
use crate::cluster::{Cluster, Flight};
use crate::network::{HopKind, Outcome as End};

/// A flight shorter than this is drawn slowed down to it, every hop in proportion: an office
/// network answers within the time of one frame.
const SEEN: Duration = Duration::from_millis(1_200);
const DOTS: usize = 40;

/// Until when a flight's dot is seen.
fn span(flight: &Flight) -> Duration {
    flight.trace.total.max(SEEN)
}

#[inline(never)]
pub fn traffic(old: &Rc<Traffic>, cluster: &Cluster) -> Rc<Traffic> {
    let state = cluster.traffic();
    let mut new = Traffic::default();
    for client in state.clients() {
        new.rate_per_second += (client.rate_milli / 1000).max(1) as u32;
        new.target = format!("{}:{}", client.request.host, client.request.port).into();
        new.from = (*client.from).into();
        new.answered += client.answered;
        new.failed += client.failed;
    }
    if new.rate_per_second == 0 {
        (new.answered, new.failed) = (old.answered, old.failed);
    }
    let now = cluster.now();
    let seen: Vec<&Flight> = state
        .flights()
        .filter(|flight| flight.started <= now && flight.started + span(flight) > now)
        .collect();
    // The newest, if there are too many.
    let skip = seen.len().saturating_sub(DOTS);
    let known: SortedMap<u64, &Rc<Dot>> = old.dots.iter().map(|dot| (dot.id, dot)).collect();
    let dots = seen
        .into_iter()
        .skip(skip)
        .map(|flight| match known.get(&flight.id) {
            Some(dot) if dot.hops.first().is_some_and(|hop| hop.at == flight.started) => Rc::clone(dot),
            _ => Rc::new(dot(flight)),
        });
    new.dots = keep_list(&old.dots, dots.collect());
    super::keep_one(old, new)
}

fn dot(flight: &Flight) -> Dot {
    let trace = &flight.trace;
    let way: Duration = trace.hops.iter().map(|hop| hop.latency).sum();
    // Half the time there, half back; what fails does not come back.
    let answered = trace.answered();
    let out = if answered { span(flight) / 2 } else { span(flight) };
    let share = |passed: Duration| out.mul_f64(passed.as_secs_f64() / way.as_secs_f64().max(1e-9));
    let mut hops = vec![Hop {
        at: flight.started,
        place: Place::Visitor,
        note: "".into(),
    }];
    let mut passed = Duration::ZERO;
    for hop in &trace.hops {
        passed += hop.latency;
        let at = flight.started + share(passed);
        let desk = |machine: &Option<Arc<str>>| {
            machine
                .as_deref()
                .map_or(Place::Nowhere, |machine| Place::Board(machine.into()))
        };
        let (place, note) = match &hop.kind {
            HopKind::Balanced { service, server, .. } => (
                desk(&hop.machine),
                format!("IPVS {}:{} -> {server}", service.address, service.port),
            ),
            HopKind::Pod {
                namespace,
                name,
                address,
            } => (
                Place::Pod {
                    namespace: (&**namespace).into(),
                    name: (&**name).into(),
                },
                format!("{name} {address}"),
            ),
            HopKind::Host { address } => (desk(&hop.machine), address.to_string()),
            HopKind::Lost(loss) => (Place::Nowhere, loss.to_string()),
            HopKind::Client { .. }
            | HopKind::Resolved { .. }
            | HopKind::Wire { .. }
            | HopKind::ApiServer { .. } => continue,
        };
        hops.push(Hop {
            at,
            place,
            note: note.into(),
        });
    }
    if answered {
        let last = hops.last().map_or(flight.started, |hop| hop.at);
        // The way back is the way there.
        let back: Vec<Hop> = hops
            .iter()
            .rev()
            .skip(1)
            .map(|hop| {
                let left = hop.at.since(flight.started);
                Hop {
                    at: last + out.saturating_sub(left),
                    place: hop.place.clone(),
                    note: hop.note.clone(),
                }
            })
            .collect();
        hops.extend(back);
    } else {
        hops.push(Hop {
            at: flight.started + span(flight),
            place: Place::Nowhere,
            note: "".into(),
        });
    }
    let to = trace.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
    Dot {
        id: flight.id,
        label: format!(
            "{} http://{}:{}{} ({to})",
            trace.request.method, trace.request.host, trace.request.port, trace.request.path
        )
        .into(),
        hops: hops.into(),
        outcome: match &trace.outcome {
            End::Http(_) | End::ApiServer => Outcome::Answered,
            End::Timeout => Outcome::TimedOut,
            _ => Outcome::Refused,
        },
    }
}
