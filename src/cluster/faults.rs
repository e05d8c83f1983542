//! What can go wrong between the API server and a process, for fault simulation. A process must
//! end up with the same view whatever happens to its watches.

use super::{Cluster, Happening, ProcessId};
use std::sync::Arc;
use std::time::Duration;

/// A disturbance of one process's watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks; after this time the process lists anew.
    Drop(Duration),
    /// Events wait this long on the way.
    Delay(Duration),
    /// The last events arrive once more.
    Duplicate,
}

/// How many events a duplicate repeats.
const REPEATED: u64 = 20;

impl Cluster {
    /// The processes that exist now, in a stable order.
    pub fn process_ids(&self) -> impl Iterator<Item = &ProcessId> {
        self.processes.keys()
    }

    /// Disturbs a process; false if there is none of that name.
    pub fn disturb(&mut self, id: &ProcessId, fault: Fault) -> bool {
        let now = self.now;
        let Some(process) = self.processes.get_mut(id) else {
            return false;
        };
        match fault {
            Fault::Drop(after) => {
                process.connected = false;
                process.inbox.clear();
                self.queue.push(now + after, Happening::Reconnect(id.clone()));
            }
            Fault::Delay(by) => process.held_until = process.held_until.max(now + by),
            Fault::Duplicate => {
                let since = self
                    .dispatched
                    .saturating_sub(REPEATED)
                    .max(self.api.etcd.compact_revision());
                let Ok(events) = self.api.etcd.since(since) else {
                    return true;
                };
                let kinds: Vec<_> = process.caches.watches().iter().map(|watch| watch.kind).collect();
                let repeated: Vec<_> = events
                    .filter(|event| kinds.contains(&event.key.kind))
                    .map(Arc::clone)
                    .collect();
                process.inbox.extend(repeated);
                if process.delivery.is_none() && process.connected {
                    process.delivery = Some(now);
                    self.queue.push(now, Happening::Deliver(id.clone()));
                }
            }
        }
        true
    }

    /// Opens the watches of a process that lost them, if its machine can reach the API server.
    #[inline(never)]
    pub(super) fn reconnect(&mut self, id: &ProcessId) {
        let Some(process) = self.processes.get(id) else {
            return;
        };
        let reaches = process.node.as_ref().is_none_or(|node| self.reaches_api(node));
        if !process.connected && reaches {
            self.relist(id);
        }
    }
}
