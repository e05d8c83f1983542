//! Looking at the machine: from the cluster to view-models, once a frame at most.
//!
//! A row that says the same keeps its pointer, and a list whose rows all kept theirs keeps its
//! own, so that the page compares by pointer. Lists are cut where the page would not draw more.

mod desks;
mod fit;
mod network;
mod pods;
mod requests;
mod traffic;
mod wiring;

use crate::api::order::StableSort;
use std::rc::Rc;

use crate::api::Kind;
use crate::cluster::Cluster;
use crate::cluster::view::{Drawer, Duty, Rows, Seat, Text, Views};
use crate::etcd::EventType;
use crate::seat::Mode;
use crate::shell::commands::{self, Language};

pub use fit::fit;
pub use requests::{chain, followed};
pub use wiring::{add_endpoint, add_rule};

/// Above this many Pods, or desks, the floor draws density instead of cards.
const CARDS: usize = 200;
const FULL_DESKS: usize = 24;

/// The drawers of the cabinet, and those that appear once something is in them.
const DRAWERS: [Kind; 12] = [
    Kind::Namespace,
    Kind::Node,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::Deployment,
    Kind::Service,
    Kind::Endpoints,
    Kind::EndpointSlice,
    Kind::Lease,
    Kind::Event,
    Kind::ConfigMap,
    Kind::Secret,
];

/// Duties shown; the badge counts them all.
const DUTIES: usize = 200;

/// Keeps what it saw, to share what did not change.
#[derive(Default)]
pub struct Looker {
    pub views: Views,
    pods: pods::Shelf,
    /// etcd's revision at the last look.
    revision: u64,
    /// Revision of the last write per drawer.
    written: [u64; DRAWERS.len()],
}

/// Shares the old rows that equal the new ones, and the old list if all do.
fn keep<T: PartialEq>(old: &Rows<T>, new: impl IntoIterator<Item = T>) -> Rows<T> {
    let mut at = 0;
    let rows: Vec<Rc<T>> = new
        .into_iter()
        .map(|row| {
            // Rows move little between two looks: search near where the last one was.
            let near = old.iter().skip(at).take(4).position(|known| **known == row);
            match near {
                Some(offset) => {
                    at += offset + 1;
                    old[at - 1].clone()
                }
                None => Rc::new(row),
            }
        })
        .collect();
    keep_list(old, rows)
}

/// Shares the old list if it has the same rows.
fn keep_list<T>(old: &Rows<T>, rows: Vec<Rc<T>>) -> Rows<T> {
    let same = old.len() == rows.len() && old.iter().zip(&rows).all(|(a, b)| Rc::ptr_eq(a, b));
    if same { old.clone() } else { rows.into() }
}

/// Shares the old value if the new one equals it.
fn keep_one<T: PartialEq>(old: &Rc<T>, new: T) -> Rc<T> {
    if **old == new { old.clone() } else { Rc::new(new) }
}

fn text(text: &str) -> Text {
    text.into()
}

impl Looker {
    /// Looks again. The clock and the goals are the host's to fill in.
    pub fn look(&mut self, cluster: &Cluster) {
        let etcd = &cluster.api.etcd;
        if etcd.revision() != self.revision {
            self.note_writes(cluster);
            self.pods.look(cluster);
            self.views.drawers = keep(&self.views.drawers, self.drawers(cluster));
            self.views.network = network::network(&self.views.network, cluster);
        }
        self.views.tray = self.pods.tray(&self.views.tray);
        self.views.dense = self.pods.len() > CARDS || cluster.machines.len() > FULL_DESKS;
        self.views.seats = keep(&self.views.seats, control_plane_seats(cluster));
        self.views.desks = desks::desks(&self.views.desks, cluster, &self.pods, self.views.dense);
        self.views.duties = keep(&self.views.duties, duties(cluster));
        requests::look(&mut self.views, cluster);
        self.views.traffic = traffic::traffic(&self.views.traffic, cluster);
        self.revision = etcd.revision();
    }

    /// Which drawers were written into since the last look.
    #[inline(never)]
    fn note_writes(&mut self, cluster: &Cluster) {
        let etcd = &cluster.api.etcd;
        if etcd.revision() < self.revision {
            // Time was turned back.
            self.written = Default::default();
            return;
        }
        let Ok(events) = etcd.since(self.revision) else {
            return;
        };
        for event in events {
            if let Some(drawer) = DRAWERS.iter().position(|kind| *kind == event.key.kind) {
                self.written[drawer] = event.revision;
            }
            if event.event_type == EventType::Delete && event.key.kind == Kind::Pod {
                self.pods.forget(&event.key);
            }
        }
    }

    #[inline(never)]
    fn drawers(&self, cluster: &Cluster) -> Vec<Drawer> {
        DRAWERS
            .iter()
            .zip(self.written)
            .map(|(kind, changed)| {
                let info = kind.info();
                let short = match kind {
                    Kind::EndpointSlice => "eps",
                    _ => info.short_names.first().copied().unwrap_or(info.plural),
                };
                Drawer {
                    resource: text(info.plural),
                    short: text(short),
                    kind: text(info.name),
                    count: cluster.api.etcd.count(*kind),
                    changed,
                }
            })
            .collect()
    }
}

fn seat_of(seat: &crate::cluster::SeatState) -> Seat {
    Seat {
        id: text(seat.id.as_str()),
        title: text(seat.id.component()),
        human: seat.mode == Mode::Human,
        duties: seat.duty_count(),
    }
}

/// The seats that belong to no desk, the ones of the story first.
#[inline(never)]
fn control_plane_seats(cluster: &Cluster) -> Vec<Seat> {
    const FIRST: [&str; 6] = [
        "scheduler",
        "replicaset",
        "deployment",
        "endpoints",
        "endpointslice",
        "node-lifecycle",
    ];
    let rank = |id: &str| FIRST.iter().position(|first| *first == id).unwrap_or(FIRST.len());
    let mut seats: Vec<Seat> = cluster
        .seats()
        .filter(|seat| seat.id.node().is_none())
        .map(seat_of)
        .collect();
    seats.stable_sort_by_key(|seat| rank(&seat.id));
    seats
}

fn duties(cluster: &Cluster) -> impl Iterator<Item = Duty> + '_ {
    let held = cluster.seats().filter(|seat| seat.mode == Mode::Human);
    held.flat_map(move |seat| {
        seat.duties().enumerate().map(move |(index, (key, duty))| {
            let stored = commands::subject(&duty.action).and_then(|subject| cluster.stored(&subject));
            Duty {
                id: format!("{}/{key}/{index}", seat.id).into(),
                seat: text(seat.id.as_str()),
                why: (
                    commands::why(&duty.why, Language::English).into(),
                    commands::why(&duty.why, Language::Japanese).into(),
                ),
                line: commands::line(&seat.id, &duty.action, stored).into(),
                carry: fit::cargo_of(key, &duty.action),
                heartbeat: duty.why.sentence == "kubelet.heartbeat",
            }
        })
    })
    .take(DUTIES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Preset, Setup};
    use std::time::Duration;

    fn office() -> Cluster {
        Cluster::new(Setup {
            desks: vec!["bob".into(), "suda".into()],
            preset: Preset::CompanyX,
            ..Setup::default()
        })
    }

    #[test]
    fn a_second_look_shares_everything() {
        let mut cluster = office();
        cluster.advance(Duration::from_secs(1));
        let mut looker = Looker::default();
        looker.look(&cluster);
        let first = looker.views.clone();
        assert_eq!(first.desks.len(), 2);
        assert!(
            first
                .drawers
                .iter()
                .any(|drawer| &*drawer.resource == "namespaces" && drawer.count > 0 && drawer.changed > 0)
        );
        assert!(
            first
                .seats
                .iter()
                .any(|seat| &*seat.id == "scheduler" && seat.human)
        );
        looker.look(&cluster);
        assert!(Rc::ptr_eq(&first.desks, &looker.views.desks));
        assert!(Rc::ptr_eq(&first.drawers, &looker.views.drawers));
        assert!(Rc::ptr_eq(&first.duties, &looker.views.duties));
        assert!(Rc::ptr_eq(&first.requests, &looker.views.requests));
    }

    #[test]
    fn keeping() {
        let old: Rows<u8> = [1, 2, 3].map(Rc::new).into();
        assert!(Rc::ptr_eq(&keep(&old, [1, 2, 3]), &old));
        let new = keep(&old, [2, 3, 4]);
        assert!(Rc::ptr_eq(&new[0], &old[1]) && Rc::ptr_eq(&new[1], &old[2]) && *new[2] == 4);
    }
}
