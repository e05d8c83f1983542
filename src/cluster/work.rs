//! A seat at work: look at a key, then do the duties or put them on the person's list.

use super::{Cluster, Happening};
use crate::apiserver::Identity;
use crate::etcd::Key;
use crate::node::NodeAction;
use crate::seat::{Action, Duty, Mode, Note, Plan, Refusal, SeatId};
use std::time::Duration;

/// Virtual time a component needs for one key: enough that two seats' work interleaves.
const WORK_TIME: Duration = Duration::from_micros(200);

impl Cluster {
    /// Makes sure the event queue holds a `Work` for the seat's next due key.
    pub(super) fn schedule_work(&mut self, id: &SeatId) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        let observed = self
            .processes
            .get(&seat.process)
            .map_or(0, |process| process.observed(self.dispatched));
        let Some(due) = seat.queue.next_due(observed) else {
            return;
        };
        let due = due.max(self.now);
        match seat.work {
            Some((at, _)) if at <= due => {}
            Some(later) => {
                self.queue.cancel(later);
                seat.work = Some(self.queue.push(due, Happening::Work(id.clone())));
            }
            None => seat.work = Some(self.queue.push(due, Happening::Work(id.clone()))),
        }
    }

    #[inline(never)]
    pub(super) fn work(&mut self, id: &SeatId) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        seat.work = None;
        let Some(process) = self.processes.get(&seat.process) else {
            return;
        };
        let observed = process.observed(self.dispatched);
        let Some((key, cause)) = seat.queue.pop(self.now, observed) else {
            self.schedule_work(id);
            return;
        };
        seat.note_look(&key, self.now);
        let machine = process.node.as_ref().and_then(|node| self.machines.get(node));
        let mut plan = seat.reconcile(&process.caches, machine, self.now, &key);
        if let Some(after) = plan.again_after {
            seat.queue.add(key.clone(), self.now + after, 0);
        }
        match seat.mode {
            Mode::Human => {
                seat.answered(&key, self.now, None);
                // From a desk whose cable is out nobody can report anything.
                if machine.is_some_and(|machine| !machine.reachable()) {
                    plan.duties.retain(|duty| matches!(duty.action, Action::Local(_)));
                }
                seat.set_duties(key, plan.duties);
            }
            Mode::Autopilot => {
                let mut notes = std::mem::take(&mut plan.notes);
                notes.extend(seat.new_facts(&key, std::mem::take(&mut plan.facts)));
                self.record_seen(id, cause, &notes);
                self.perform_all(id, key, cause, plan);
            }
        }
        self.schedule_work_after(id, WORK_TIME);
    }

    /// Records what a component saw, as far as it reaches the API server.
    #[inline(never)]
    fn record_seen(&mut self, id: &SeatId, cause: u64, notes: &[Note]) {
        if notes.is_empty() || id.node().is_some_and(|node| !self.reaches_api(node)) {
            return;
        }
        for note in notes {
            self.record(id.component(), id.node(), cause, note, &Ok(String::new()));
        }
        self.dispatch();
    }

    /// The next key is looked at a little later, so that other seats get their turn.
    fn schedule_work_after(&mut self, id: &SeatId, pause: Duration) {
        let now = self.now;
        self.now = now + pause;
        self.schedule_work(id);
        self.now = now;
    }

    /// Performs duties in order. A refusal lets the key come back later, and ends the round unless
    /// the duties are independent.
    #[inline(never)]
    fn perform_all(&mut self, id: &SeatId, key: Key, cause: u64, plan: Plan<NodeAction>) {
        let now = self.now;
        if plan.duties.is_empty() {
            if let Some(seat) = self.seats.get_mut(id) {
                seat.answered(&key, now, None);
                seat.queue.forget(&key);
            }
            return;
        }
        let Some(seat) = self.seats.get(id) else { return };
        let identity = seat.identity();
        let component = seat.id.component().to_owned();
        let node = id.node().map(str::to_owned);
        let mut refusal = None;
        for duty in plan.duties {
            if let Err(refused) = self.perform(&component, node.as_deref(), &identity, cause, duty) {
                refusal.get_or_insert(refused);
                if !plan.independent {
                    break;
                }
            }
        }
        self.dispatch();
        let revision = self.api.etcd.revision();
        if let Some(seat) = self.seats.get_mut(id) {
            seat.answered(&key, now, refusal.as_ref());
            seat.queue.gate(&key, revision);
            if refusal.is_some() {
                seat.queue.add_rate_limited(key, self.now, cause);
            } else {
                seat.queue.forget(&key);
            }
        }
    }

    /// Performs one duty and records its Events.
    #[inline(never)]
    fn perform(
        &mut self,
        component: &str,
        node: Option<&str>,
        identity: &Identity,
        cause: u64,
        duty: Duty<NodeAction>,
    ) -> Result<(), Refusal> {
        match duty.action {
            Action::Api(request) => {
                let kind = Some(request.kind);
                if node.is_some_and(|node| !self.reaches_api(node)) {
                    let message = "the API server cannot be reached".to_owned();
                    return Err(Refusal { kind, message });
                }
                let answer = self.api.call(self.now, identity, cause, *request);
                let outcome = match answer.result {
                    Ok(reply) => Ok(reply
                        .object()
                        .map(|object| object.name().to_owned())
                        .unwrap_or_default()),
                    Err(status) => Err(status.message),
                };
                for note in &duty.notes {
                    self.record(component, node, answer.request_id, note, &outcome);
                }
                outcome.map(drop).map_err(|message| Refusal { kind, message })
            }
            Action::Local(action) => {
                // Only a node's components have local work.
                let Some(node) = node else { return Ok(()) };
                let outcome = self
                    .begin_local(node, action, cause)
                    .map(|_| String::new())
                    .map_err(|error| error.to_string());
                for note in &duty.notes {
                    self.record(component, Some(node), cause, note, &outcome);
                }
                outcome
                    .map(drop)
                    .map_err(|message| Refusal { kind: None, message })
            }
        }
    }
}
