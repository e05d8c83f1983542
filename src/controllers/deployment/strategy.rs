//! From the old ReplicaSets to the new one, by either strategy.
//!
//! Source: pkg/controller/deployment/rolling.go and recreate.go.

use super::Rollout;
use super::util::{available, new_replicas, replicas};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::client::helpers::pod_is_terminal;
use k8s_openapi::api::apps::v1::ReplicaSet;
use std::sync::Arc;

/// The size a ReplicaSet has or is being given.
struct Sized<'a> {
    set: &'a Arc<ReplicaSet>,
    size: i32,
}

fn total(sets: &[Sized<'_>]) -> i32 {
    sets.iter().map(|set| set.size).sum()
}

impl Rollout<'_> {
    pub(super) fn roll(&mut self) {
        self.sync_revision(true);
        let Some(new) = self.new.clone() else { return };
        let mut old: Vec<Sized<'_>> = self
            .old
            .iter()
            .filter(|set| replicas(set) > 0)
            .map(|set| Sized {
                set,
                size: replicas(set),
            })
            .collect();
        let size = replicas(&new);
        let target = match size.cmp(&self.wanted.replicas) {
            std::cmp::Ordering::Equal => size,
            std::cmp::Ordering::Greater => self.wanted.replicas,
            std::cmp::Ordering::Less => new_replicas(&self.wanted, total(&old) + size, size),
        };
        if target != size {
            self.scale(&new, target);
            return;
        }
        if self.shrink_old(&mut old, &new) {
            let sizes: Vec<(Arc<ReplicaSet>, i32)> =
                old.iter().map(|set| (set.set.clone(), set.size)).collect();
            for (set, size) in sizes {
                if size != replicas(&set) {
                    self.scale(&set, size);
                }
            }
            return;
        }
        self.clean_up();
    }

    /// Takes from the old ReplicaSets what may go: first what is not available anyway, then as
    /// much as leaves enough available. True if something goes.
    fn shrink_old(&self, old: &mut [Sized<'_>], new: &ReplicaSet) -> bool {
        if total(old) == 0 {
            return false;
        }
        let least = self.wanted.replicas - self.wanted.max_unavailable;
        let new_unavailable = replicas(new) - available(new);
        let may_go = total(old) + replicas(new) - least - new_unavailable;
        if may_go <= 0 {
            return false;
        }
        let before = total(old);
        old.stable_sort_by(|a, b| {
            (&a.set.metadata.creation_timestamp, &a.set.metadata.name)
                .cmp(&(&b.set.metadata.creation_timestamp, &b.set.metadata.name))
        });
        let mut gone = 0;
        for set in old.iter_mut() {
            let unhealthy = (set.size - available(set.set)).max(0).min(may_go - gone);
            set.size -= unhealthy;
            gone += unhealthy;
        }
        let all_available: i32 = old.iter().map(|set| available(set.set)).sum::<i32>() + available(new);
        let mut surplus = all_available - least;
        for set in old.iter_mut() {
            let part = set.size.min(surplus.max(0));
            set.size -= part;
            surplus -= part;
        }
        total(old) != before
    }

    pub(super) fn recreate(&mut self) {
        self.sync_revision(false);
        let active: Vec<_> = self.old.iter().copied().filter(|set| replicas(set) > 0).collect();
        if !active.is_empty() {
            for set in active {
                self.scale(set, 0);
            }
            return;
        }
        let reported = self
            .old
            .iter()
            .any(|set| set.status.as_ref().is_some_and(|status| status.replicas > 0));
        let running = |set: &&Arc<ReplicaSet>| {
            self.pods
                .of(Kind::ReplicaSet, set.metadata.uid.as_deref().unwrap_or(""))
                .any(|pod| !pod_is_terminal(pod))
        };
        if reported || self.old.iter().any(running) {
            return;
        }
        if self.new.is_none() {
            self.sync_revision(true);
            return;
        }
        if let Some(new) = self.new.clone()
            && replicas(&new) != self.wanted.replicas
        {
            self.scale(&new, self.wanted.replicas);
            return;
        }
        self.clean_up();
    }
}
