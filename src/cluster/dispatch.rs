//! From the store's history to the processes that watch it.

use super::seats::SeatState;
use super::{Cluster, Happening, ProcessId};
use crate::api::order::StableSort;
use crate::api::sorted::SortedMap;
use crate::api::{Kind, Object};
use crate::client::Watch;
use crate::etcd::Event;
use crate::seat::SeatId;
use std::sync::Arc;
use std::time::Duration;

/// How long a watch event takes from the API server into a process.
const WATCH_LATENCY: Duration = Duration::from_millis(2);

/// Who watches what, so that one Pod's change does not wake a hundred kubelets. Upstream's watch
/// cache keeps the same index on `spec.nodeName`.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    by_kind: SortedMap<Kind, Vec<ProcessId>>,
    by_node: SortedMap<(Kind, Arc<str>), Vec<ProcessId>>,
}

impl Routes {
    pub fn add(&mut self, process: &ProcessId, watches: &[Watch]) {
        for watch in watches {
            let list = match &watch.node {
                None => self.by_kind.entry(watch.kind).or_default(),
                Some(node) => self.by_node.entry((watch.kind, node.clone())).or_default(),
            };
            if !list.contains(process) {
                list.push(process.clone());
            }
        }
    }

    pub fn remove(&mut self, process: &ProcessId) {
        for list in self.by_kind.values_mut().chain(self.by_node.values_mut()) {
            list.retain(|own| own != process);
        }
    }

    fn targets<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = &'a ProcessId> {
        let node = |object: &Object| -> Option<Arc<str>> {
            match object {
                Object::Pod(pod) => pod.spec.as_ref()?.node_name.as_deref().map(Arc::from),
                Object::Node(_) | Object::Lease(_) => Some(object.name().into()),
                _ => None,
            }
        };
        let of_node = node(&event.object).and_then(|node| self.by_node.get(&(event.key.kind, node)));
        self.by_kind
            .get(&event.key.kind)
            .into_iter()
            .chain(of_node)
            .flatten()
    }
}

impl Cluster {
    /// Hands every new event of the store to the processes that watch its kind.
    pub(super) fn dispatch(&mut self) {
        if self.dispatched == self.api.etcd.revision() {
            return;
        }
        let mut woken: Vec<ProcessId> = Vec::new();
        // The history is far longer than what one request writes, so nothing is compacted here.
        let Ok(events) = self.api.etcd.since(self.dispatched) else {
            return;
        };
        for event in events {
            for id in self.routes.targets(event) {
                let Some(process) = self.processes.get_mut(id).filter(|process| process.connected) else {
                    continue;
                };
                process.inbox.push_back(event.clone());
                if process.delivery.is_none() {
                    process.delivery = Some(self.now + WATCH_LATENCY);
                    woken.push(id.clone());
                }
            }
        }
        self.dispatched = self.api.etcd.revision();
        for id in woken {
            self.queue.push(self.now + WATCH_LATENCY, Happening::Deliver(id));
        }
        self.schedule_expiry();
    }

    /// Takes the waiting events into a process and marks what they make worth looking at.
    #[inline(never)]
    pub(super) fn deliver(&mut self, id: &ProcessId) {
        let Some(process) = self.processes.get_mut(id) else {
            return;
        };
        process.delivery = None;
        if !process.connected {
            return;
        }
        if process.held_until > self.now {
            process.delivery = Some(process.held_until);
            self.queue
                .push(process.held_until, Happening::Deliver(id.clone()));
            return;
        }
        let events = std::mem::take(&mut process.inbox);
        let mut changed = false;
        // Each seat is looked up once, not for each event.
        let mut seats: Vec<&mut SeatState> = match process.seats.as_slice() {
            [only] => self.seats.get_mut(only).into_iter().collect(),
            _ => self
                .seats
                .values_mut()
                .filter(|seat| seat.process == *id)
                .collect(),
        };
        for event in events {
            if let Some(change) = process.caches.observe(&event) {
                changed = true;
                for seat in &mut seats {
                    seat.observe(&process.caches, &change, self.now);
                }
            }
        }
        process.caches.revision = self.dispatched;
        if changed {
            for seat in &mut seats {
                seat.doubt_duties(self.now);
            }
        }
        let is_busy = |seat: &&SeatId| {
            let state = self.seats.get(*seat);
            state.is_some_and(|state| !state.queue.is_empty())
        };
        let busy: Vec<SeatId> = process.seats.iter().filter(is_busy).cloned().collect();
        for seat in busy {
            self.schedule_work(&seat);
        }
    }

    /// Opens a process's watches anew: a list, then everything after it.
    pub(super) fn relist(&mut self, id: &ProcessId) {
        let Some(process) = self.processes.get_mut(id) else {
            return;
        };
        process.connected = true;
        process.inbox.clear();
        let revision = self.api.etcd.revision();
        let watches = process.caches.watches().to_vec();
        let mut kinds: Vec<Kind> = watches.iter().map(|watch| watch.kind).collect();
        kinds.stable_sort();
        kinds.dedup();
        let etcd = &self.api.etcd;
        let objects = kinds
            .iter()
            .flat_map(|kind| etcd.range(*kind, ""))
            .map(|(key, value)| (key.clone(), value.object.clone()));
        let changes = process.caches.relist(objects, revision);
        for change in &changes {
            for seat in &process.seats {
                if let Some(seat) = self.seats.get_mut(seat) {
                    seat.observe(&process.caches, change, self.now);
                }
            }
        }
        // Events up to the list's revision must not arrive a second time.
        self.dispatch();
        for seat in self
            .processes
            .get(id)
            .map(|process| process.seats.clone())
            .unwrap_or_default()
        {
            self.schedule_work(&seat);
        }
    }

    fn schedule_expiry(&mut self) {
        let next = self.api.etcd.leases.next_expiry();
        if let Some(at) = next.filter(|at| self.expiry.is_none_or(|known| *at < known)) {
            self.expiry = Some(at);
            self.queue.push(at, Happening::Expire);
        }
    }
}
