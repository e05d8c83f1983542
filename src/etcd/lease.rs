//! etcd leases: keys that go away by themselves. The API server uses them for Events.

use super::Key;
use crate::api::sorted::{SortedMap, SortedSet};
use crate::sim::{SimTime, StateHasher};
use std::time::Duration;

pub type LeaseId = u64;

/// Granted leases and the keys bound to them.
#[derive(Clone, Debug, Default)]
pub struct Leases {
    next: LeaseId,
    granted: SortedMap<LeaseId, (SimTime, SortedSet<Key>)>,
}

/// Leases that end within this span share one, as the API server's lease manager does
/// (source: k8s.io/apiserver/pkg/storage/etcd3/lease_manager.go, `defaultLeaseReuseDurationSeconds`).
const REUSE: Duration = Duration::from_secs(60);

impl Leases {
    /// Binds a key to a lease that ends at least `ttl` after `now`.
    pub fn attach(&mut self, now: SimTime, ttl: Duration, key: Key) -> LeaseId {
        let wanted = now + ttl;
        let last = self.granted.last_key_value().map(|(id, (ends, _))| (*id, *ends));
        let id = match last {
            Some((id, ends)) if ends >= wanted && ends <= wanted + REUSE => id,
            _ => {
                self.next += 1;
                self.granted.insert(self.next, (wanted + REUSE, SortedSet::new()));
                self.next
            }
        };
        if let Some((_, keys)) = self.granted.get_mut(&id) {
            keys.insert(key);
        }
        id
    }

    /// When the next lease ends.
    pub fn next_expiry(&self) -> Option<SimTime> {
        self.granted.values().map(|(ends, _)| *ends).min()
    }

    /// Takes the keys of every lease that has ended by `now`.
    pub fn expire(&mut self, now: SimTime) -> Vec<Key> {
        let ended: Vec<LeaseId> = self
            .granted
            .iter()
            .filter(|(_, (ends, _))| *ends <= now)
            .map(|(id, _)| *id)
            .collect();
        ended
            .into_iter()
            .filter_map(|id| self.granted.remove(&id))
            .flat_map(|(_, keys)| keys)
            .collect()
    }

    pub fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.next);
        for (id, (ends, keys)) in &self.granted {
            hasher.number(*id);
            hasher.number(ends.as_micros());
            hasher.number(keys.len() as u64);
        }
    }
}
