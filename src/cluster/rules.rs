//! What led to what below the API server: changes of the machines' IPVS tables with the request that was
//! their cause, for the way from a manifest to a packet. For the page alone: not part of the state.

use super::Cluster;
use crate::node::{ActionId, NodeAction};
use crate::sim::SimTime;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many changes, and causes of work under way, are remembered.
const REMEMBERED: usize = 512;

/// A change of a machine's IPVS table.
#[derive(Clone, Debug)]
pub struct RuleChange {
    pub at: SimTime,
    pub machine: Arc<str>,
    /// The request that led to it (an id of the API server's log); 0 when a person typed it.
    pub cause: u64,
    pub action: NodeAction,
}

#[derive(Clone, Debug, Default)]
pub struct Rules {
    changes: VecDeque<RuleChange>,
    /// Why work on a machine was begun that has not ended.
    begun: VecDeque<(Arc<str>, ActionId, u64)>,
}

impl Rules {
    fn remember<T>(list: &mut VecDeque<T>, new: T) {
        list.push_back(new);
        if list.len() > REMEMBERED {
            list.pop_front();
        }
    }
}

impl Cluster {
    /// Oldest first.
    pub fn rule_changes(&self) -> impl Iterator<Item = &RuleChange> {
        self.rules.changes.iter()
    }

    pub(super) fn note_rule(&mut self, machine: &str, cause: u64, action: &NodeAction) {
        let change = RuleChange {
            at: self.now,
            machine: machine.into(),
            cause,
            action: action.clone(),
        };
        Rules::remember(&mut self.rules.changes, change);
    }

    pub(super) fn note_begun(&mut self, machine: &str, id: ActionId, cause: u64) {
        if cause != 0 {
            Rules::remember(&mut self.rules.begun, (machine.into(), id, cause));
        }
    }

    /// The request that led to work on a machine which has now ended; 0 if none did.
    pub(super) fn take_cause(&mut self, machine: &str, id: ActionId) -> u64 {
        let begun = &mut self.rules.begun;
        let at = begun
            .iter()
            .position(|(name, own, _)| &**name == machine && *own == id);
        at.and_then(|at| begun.remove(at)).map_or(0, |(.., cause)| cause)
    }
}
