//! A process: one program with one set of informers, in which one or more seats work.

use crate::api::order;
use crate::client::Caches;
use crate::etcd::Event;
use crate::seat::SeatId;
use crate::sim::{SimTime, StateHasher};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// `kube-scheduler`, `kube-controller-manager`, `kubelet@inazu`, `kube-proxy@inazu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessId(pub Arc<str>);

impl Ord for ProcessId {
    fn cmp(&self, other: &ProcessId) -> Ordering {
        order::names(&self.0, &other.0)
    }
}

impl PartialOrd for ProcessId {
    fn partial_cmp(&self, other: &ProcessId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ProcessId {
    pub fn new(name: &str) -> ProcessId {
        ProcessId(name.into())
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The informers of a program and the watch events on their way to it.
#[derive(Clone, Debug)]
pub struct Process {
    pub caches: Caches,
    /// Sent by the API server, not yet taken in.
    pub inbox: VecDeque<Arc<Event>>,
    /// When the next delivery is due.
    pub delivery: Option<SimTime>,
    /// Nothing is delivered before this moment.
    pub held_until: SimTime,
    pub seats: Vec<SeatId>,
    /// The desk it runs on; none for the control plane.
    pub node: Option<Arc<str>>,
    /// Whether its watches are open. A process that lost them lists again when it can.
    pub connected: bool,
}

impl Process {
    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(u64::from(self.connected));
        hasher.number(self.held_until.as_micros());
        hasher.number(self.caches.revision);
        for (key, object) in self.caches.all() {
            hasher.text(&key.to_string());
            hasher.number(object.revision());
        }
        hasher.number(self.inbox.len() as u64);
        self.inbox.iter().for_each(|event| hasher.number(event.revision));
    }

    /// The revision up to which everything this process watches has been taken in.
    pub fn observed(&self, dispatched: u64) -> u64 {
        if self.inbox.is_empty() && self.connected {
            dispatched
        } else {
            self.caches.revision
        }
    }
}
